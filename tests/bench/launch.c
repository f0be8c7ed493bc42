/* SPDX-License-Identifier: ISC */
/*
 * launch: runs a program and writes what it cost.
 * Linked statically and tiny: a process begins with the memory of the one that forked it, so a large parent (Python) would show
 * in the peak of every small program. ru_maxrss of wait4() is that of the largest process among the child and those it waited for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	struct timespec begin, end;
	struct rusage usage;
	FILE *report;
	pid_t child;
	int status;

	if (argc < 3) {
		(void)fprintf(stderr, "usage: launch REPORT PROGRAM [ARGUMENT...]\n");
		return 1;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	if ((child = vfork()) == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (child == -1 || wait4(child, &status, 0, &usage) == -1)
		return 1;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	if ((report = fopen(argv[1], "w")) == NULL)
		return 1;
	(void)fprintf(report, "{\"wall\": %.6f, \"cpu\": %.6f, \"rss_kb\": %ld, \"exit\": %d}\n",
	    (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9,
	    seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return fclose(report) == 0 ? 0 : 1;
}
