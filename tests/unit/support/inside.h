/* SPDX-License-Identifier: ISC */
/* inside: runs a function in a child of the same objects that is locked in as the fetch process is. */
#ifndef CERTLET_INSIDE_H
#define CERTLET_INSIDE_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox.h"

/* What an attempt came to: 0, or the errno. For calls that return -1 when they fail. */
#define OUTCOME(call) ((call) == -1 ? errno : 0)

/* What `attempt` returns inside; an outcome is below 256. */
static inline int
inside(const struct sandbox *sandbox, const struct sandbox_ports *ports, int (*attempt)(void))
{
	static const struct sandbox_ports none;
	int sockets[2], status;
	pid_t child;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	if ((child = fork()) == 0) {
		close(sockets[0]);
		sandbox_enter(sandbox, sockets[1], ports != NULL ? ports : &none);
		_exit(attempt());
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(sockets[0]);
	close(sockets[1]);
	ck_assert_msg(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* With just one layer, so that none hides that another lets something pass. */
static inline struct sandbox
only(const char *layer)
{
	struct sandbox all, sandbox = { .uid = geteuid(), .gid = getegid() };
	struct failure why;

	ck_assert_int_eq(sandbox_prepare(geteuid() == 0 ? "nobody" : "", &all, &why), 0);
	if (strcmp(layer, "landlock") == 0)
		sandbox.landlock = all.landlock;
	if (strcmp(layer, "seccomp") == 0)
		sandbox.seccomp = all.seccomp;
	return sandbox;
}

#endif
