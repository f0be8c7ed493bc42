/* SPDX-License-Identifier: ISC */
/* sandbox: how a child process gives up everything that it does not need. */
#ifndef CERTLET_SANDBOX_H
#define CERTLET_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "failure.h"
#include "memory.h"

/* What this machine offers to lock a child in with. */
struct sandbox {
	bool drop;	/* started as root: children become this user */
	uid_t uid;
	gid_t gid;
	int landlock;	/* the kernel's ABI; 0: it has none */
	bool seccomp;
};

/* Before the fork. A missing user is FAILURE_SETUP, never a fall-back to root; an ordinary user
 * needs none and stays what it is. */
int sandbox_prepare(const char *user, struct sandbox *out_sandbox, struct failure *why);

/* The TCP ports that a child may connect to; DNS is always one. */
struct sandbox_ports {
	uint16_t *items;
	size_t count;
};
void sandbox_allow_port(struct sandbox_ports *ports, long port);	/* what is no port is ignored */
void sandbox_ports_clear(struct sandbox_ports *ports);

/*
 * For a child just forked: setsid, 0-2 on /dev/null, every descriptor closed but `keep`, empty
 * environment, default signals, no core, no file ever longer than it is, the user without
 * supplementary groups and without a way back, no_new_privs, and of Landlock and seccomp what
 * `sandbox` says. Exits with EXIT_BROKEN when any of it fails.
 */
void sandbox_enter(const struct sandbox *sandbox, int keep, const struct sandbox_ports *ports);

/* The layers of a child, for status.json: "user", "landlock", "seccomp", as far as there are. */
void sandbox_layers(const struct sandbox *sandbox, struct words *out_layers);

#endif
