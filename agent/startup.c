/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/crypto.h>

#include "command.h"
#include "failure.h"
#include "log.h"
#include "memory.h"
#include "startup.h"

#define STACK_LEAST_BYTES (1024 * 1024)

static void *
take(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_take(size);
}

static void *
retake(void *block, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return memory_retake(block, size);
}

static void
give_back(void *block, const char *file, int line)
{
	(void)file;
	(void)line;
	free(block);
}

/*
 * A library that runs out of memory crashes (OpenSSL, while it sets itself up), or its failure reads
 * like a bad certificate or damaged JSON, which would be remembered. So it ends the program as ours
 * does; libcurl is told where it is initialised.
 */
static void
rule_libraries(void)
{
	(void)CRYPTO_set_mem_functions(take, retake, give_back);
	json_set_alloc_funcs(memory_take, free);
}

/* A file opened as standard error would get our messages. */
static void
fill_descriptors(void)
{
	static const char message[] = "certlet: /dev/null cannot be opened\n";
	int file;

	do {
		if ((file = open("/dev/null", O_RDWR)) == -1) {
			(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
			_exit(EXIT_BROKEN);
		}
	} while (file <= STDERR_FILENO);
	(void)close(file);
}

/* The libraries take of it what they like. The hard limit stays, as below. */
static void
raise_stack(void)
{
	struct rlimit stack;

	if (getrlimit(RLIMIT_STACK, &stack) == -1 || stack.rlim_cur >= STACK_LEAST_BYTES)
		return;
	stack.rlim_cur = stack.rlim_max < STACK_LEAST_BYTES ? stack.rlim_max : STACK_LEAST_BYTES;
	(void)setrlimit(RLIMIT_STACK, &stack);
}

void
startup(void)
{
	struct rlimit core;

	fill_descriptors();
	rule_libraries();
	command_remember_limits();
	raise_stack();
	/* The hard limit stays: what services are told to run gets the limits that we were given. */
	if (getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		(void)setrlimit(RLIMIT_CORE, &core);
	}
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* What the libraries free is overwritten too (mallopt(3)). */
	(void)mallopt(M_PERTURB, 0xa5);
	/* A reader that is gone, a file over the limit we were given: writes that fail, not deaths. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	/* Ignored by whoever started us, it would keep the ends of our children from us. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)umask(077);
	/* What root makes is of the group root, also when sg(1) or a unit's Group= started it. */
	if (geteuid() == 0 && getegid() != 0)
		(void)!setgid(0);
}

bool
startup_option_is_whole(char **argv, const char *name)
{
	const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];

	/* What comes before the value is the name, or the beginning of it. */
	if (strcspn(word, "=") == strlen("--") + strlen(name))
		return true;
	log_error("%s: write it out: --%s", word, name);
	return false;
}
