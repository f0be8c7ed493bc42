/* SPDX-License-Identifier: ISC */
/*
 * inquiry: the fetch process: takes the questions, talks to Vault, judges what comes, answers.
 *
 * Runs without rights. Says nothing but through the socket; a parent that is gone is the end.
 */
#ifndef CERTLET_INQUIRY_H
#define CERTLET_INQUIRY_H

#include "credentials.h"
#include "manifest.h"
#include "notes.h"

void inquiry_run(int socket, const struct manifest *manifest, const struct credentials *credentials,
    const struct notes *notes) __attribute__((noreturn));

#endif
