/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "failure.h"
#include "startup.h"

void
startup(void)
{
	struct rlimit core;
	int file;

	/* A file opened as standard error would get our messages. */
	do {
		if ((file = open("/dev/null", O_RDWR)) == -1)
			_exit(EXIT_BROKEN);
	} while (file <= STDERR_FILENO);
	(void)close(file);
	command_remember_limits();
	/* The hard limit stays: what services are told to run gets the limits that we were given. */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* What the libraries free is overwritten too (mallopt(3)). */
	(void)mallopt(M_PERTURB, 0xa5);
	(void)signal(SIGPIPE, SIG_IGN);
	/* Ignored by whoever started us, it would keep the ends of our children from us. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)umask(077);
}
