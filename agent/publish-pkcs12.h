/* SPDX-License-Identifier: ISC */
/* publish-pkcs12: certificate, chain and key from a PKCS#12 file, as other systems export them. */
#ifndef CERTLET_PUBLISH_PKCS12_H
#define CERTLET_PUBLISH_PKCS12_H

#include "failure.h"
#include "secret.h"

/*
 * All that is in the file, as PEM of no particular order. `password` may be empty. -1 with
 * FAILURE_REFUSED: it is no PKCS#12, or the password does not fit, or what it is encrypted with is
 * not known here.
 */
int pkcs12_read(const struct secret *file, const struct secret *password, struct secret *out_pem,
    struct failure *why);

#endif
