/* SPDX-License-Identifier: ISC */
/*
 * complaint: what a server says is wrong, made fit for a log: one line of printable ASCII, not too
 * long, and without any of our secrets, which Vault repeats in some of its errors.
 */
#ifndef CERTLET_COMPLAINT_H
#define CERTLET_COMPLAINT_H

#include <jansson.h>

#include "credentials.h"
#include "secret.h"

#define COMPLAINT_BYTES 400

/*
 * The words of {"errors": […]} or {"warnings": […]}, with the id of the request; of a body that
 * is no JSON (json NULL) its beginning, unless that is HTML. May be empty. token may be NULL.
 */
void complaint_make(const json_t *json, const struct secret *body,
    const struct credentials *credentials, const struct secret *token, char text[COMPLAINT_BYTES]);

#endif
