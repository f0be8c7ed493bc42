/* SPDX-License-Identifier: ISC */
/* lock: one run at a time, by flock(2) on a file of the run directory, which stays there. */
#ifndef CERTLET_LOCK_H
#define CERTLET_LOCK_H

#include "failure.h"

#define LOCK_WAIT_SECONDS 60
#define LOCK_NAME "lock"	/* the agent's */

/*
 * Makes the run directory (0700) when missing; one that is not ours or is writable by others is
 * FAILURE_SETUP. Waits up to LOCK_WAIT_SECONDS, then FAILURE_LOCKED. *out_lock is a descriptor that
 * holds the lock until it is closed.
 */
int lock_take(const char *run_directory, const char *name, int *out_lock, struct failure *why);

#endif
