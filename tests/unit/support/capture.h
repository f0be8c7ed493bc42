/* SPDX-License-Identifier: ISC */
/* capture: what a program printed. Any failure aborts the test program. */
#ifndef CERTLET_TESTS_CAPTURE_H
#define CERTLET_TESTS_CAPTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

static inline void
must(int truth)
{
	if (!truth)
		abort();
}

/* Standard output or error goes into a file until capture_end(), whose answer lives until the next one. */
struct capture {
	FILE *file;
	int real;
};

static inline struct capture *
capture(void)
{
	static struct capture only;

	return &only;
}

static inline void
capture_by(FILE *take_file, int target, int descriptor)
{
	(void)fflush(NULL);
	must((capture()->file = take_file) != NULL);
	must((capture()->real = dup(descriptor)) != -1);
	must(dup2(target, descriptor) != -1);
}

static inline void
capture_begin(int descriptor)
{
	FILE *file = tmpfile();

	must(file != NULL);
	capture_by(file, fileno(file), descriptor);
}

/* As on a terminal, which takes some kilobytes. */
static inline void
capture_begin_on_terminal(int descriptor)
{
	const int ours = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios modes;
	int theirs;

	must(ours != -1 && grantpt(ours) == 0 && unlockpt(ours) == 0);
	must((theirs = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC)) != -1);
	must(tcgetattr(theirs, &modes) == 0);
	cfmakeraw(&modes);
	must(tcsetattr(theirs, TCSANOW, &modes) == 0);
	capture_by(fdopen(ours, "r"), theirs, descriptor);
	(void)close(theirs);
}

static inline const char *
capture_end(int descriptor)
{
	static char text[1 << 20];
	size_t size;

	(void)fflush(NULL);
	must(dup2(capture()->real, descriptor) != -1);
	(void)close(capture()->real);
	rewind(capture()->file);
	size = fread(text, 1, sizeof(text) - 1, capture()->file);
	text[size] = '\0';
	(void)fclose(capture()->file);
	return text;
}

#endif
