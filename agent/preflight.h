/* SPDX-License-Identifier: ISC */
/* preflight: what has to be right before a run looks at a certificate. Nothing of one is touched here. */
#ifndef CERTLET_PREFLIGHT_H
#define CERTLET_PREFLIGHT_H

#include "credentials.h"
#include "run.h"

/*
 * Reads manifest, state and credentials, takes the lock and opens the store. What it came to is in
 * `run`, in out_credentials and out_lock (-1: none) also after a failure, and is the caller's to
 * free. A wrapped secret-id is unwrapped here, once nothing else can be wrong: it is needed for the
 * login.
 */
int preflight_run(struct run *run, struct credentials *out_credentials, int *out_lock,
    struct failure *why);

#endif
