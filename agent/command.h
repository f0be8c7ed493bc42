/* SPDX-License-Identifier: ISC */
/*
 * command: runs one program, no shell: umask 022, default signals and the limits certlet was
 * started with, a fixed PATH and LANG and no other variable, standard input /dev/null, its own
 * process group that is killed at `timeout`, no other descriptor. What it leaves running in the
 * background after it ended in time is not waited for and not killed.
 */
#ifndef CERTLET_COMMAND_H
#define CERTLET_COMMAND_H

#include "failure.h"
#include "memory.h"

enum command_end {
	COMMAND_PASSED = 0,	/* exit status 0 */
	COMMAND_FAILED,		/* another exit status, or a signal */
	COMMAND_TIMED_OUT,	/* no end within `timeout`; killed */
	COMMAND_NOT_RUN,	/* no such program, or `prepare` failed: nothing was executed */
	COMMAND_NOT_STARTED,	/* no process, descriptor or memory for it: nothing is known of it */
};

/*
 * All but PASSED fill `why`: FAILURE_SERVICE, "/usr/sbin/nginx -t: exit status 1: LAST WORDS" (its
 * standard output and error together; at most a few hundred bytes of their end). `prepare` (may
 * be NULL) runs in the child before exec and returns 0, or -1 with errno.
 */
enum command_end command_run(const struct words *words, long timeout_seconds,
    int (*prepare)(void *context), void *context, struct failure *why);

/* Once at start, before certlet changes limits of its own. */
void command_remember_limits(void);

#endif
