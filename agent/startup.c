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
	const struct rlimit none = { 0, 0 };
	int file;

	/* A file opened as standard error would get our messages. */
	do {
		if ((file = open("/dev/null", O_RDWR)) == -1)
			_exit(EXIT_BROKEN);
	} while (file <= STDERR_FILENO);
	(void)close(file);
	command_remember_limits();
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* What the libraries free is overwritten too (mallopt(3)). */
	(void)mallopt(M_PERTURB, 0xa5);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
}
