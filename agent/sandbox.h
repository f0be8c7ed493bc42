/* SPDX-License-Identifier: ISC */
/* sandbox: how a child process gives up everything that it does not need. */
#ifndef CERTLET_SANDBOX_H
#define CERTLET_SANDBOX_H

#include <sys/types.h>

#include "failure.h"
#include "memory.h"

/* Looked up before the fork: a missing user is FAILURE_SETUP, never a fall-back to root. An
 * ordinary user (not root) needs no such user: out_uid is then its own. */
struct sandbox_user {
	uid_t uid;
	gid_t gid;
	bool drop;	/* started as root */
};

int sandbox_find_user(const char *name, struct sandbox_user *out_user, struct failure *why);

/*
 * For a child just forked: setsid, 0–2 on /dev/null, every descriptor closed but `keep`, empty
 * environment, default signals, the user without supplementary groups and without a way back,
 * no_new_privs, no core. Exits with EXIT_BROKEN when any of it fails.
 */
void sandbox_enter(const struct sandbox_user *user, int keep);

/* What of it is active, for status.json: "user", … */
void sandbox_layers(const struct sandbox_user *user, struct words *out_layers);

#endif
