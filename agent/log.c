/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define LINE_BYTES 4096

/* The one thing in the program that is the process's own: what its standard error is. */
static struct {
	const char *program;
	enum log_level level;
	bool terminal, colour, journal, progress_shown;
} out = { .program = "certlet", .level = LOG_LEVEL_NORMAL };

enum priority { PRIORITY_ERROR = 3, PRIORITY_WARNING = 4, PRIORITY_NOTICE = 5, PRIORITY_DETAIL = 7 };

/* JOURNAL_STREAM is "DEVICE:INODE" of the stream that systemd connected (systemd.exec(5)). */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void
log_open(const char *program, enum log_level level)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");

	out.program = program;
	out.level = level;
	out.journal = is_journal();
	out.terminal = !out.journal && isatty(STDERR_FILENO) == 1;
	out.colour = out.terminal && (no_colour == NULL || *no_colour == '\0') &&
	    (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

bool
log_on_terminal(void)
{
	return out.terminal;
}

static void
clear_progress(void)
{
	if (out.progress_shown)
		(void)fputs("\r\033[K", stderr);
	out.progress_shown = false;
}

static void
format_line(char *line, size_t size, const char *format, va_list arguments)
{
	(void)vsnprintf(line, size, format, arguments);
	for (char *c = line; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static void
write_line(enum priority priority, const char *colour, const char *format, va_list arguments)
{
	char line[LINE_BYTES];

	format_line(line, sizeof(line), format, arguments);
	clear_progress();
	if (out.journal)
		(void)fprintf(stderr, "<%d>%s\n", (int)priority, line);
	else if (out.colour && colour != NULL)
		(void)fprintf(stderr, "%s%s: %s\033[0m\n", colour, out.program, line);
	else
		(void)fprintf(stderr, "%s: %s\n", out.program, line);
}

#define WRITE_LINE(priority, colour) do {			\
	va_list arguments;					\
	va_start(arguments, format);				\
	write_line(priority, colour, format, arguments);	\
	va_end(arguments);					\
} while (0)

void
log_error(const char *format, ...)
{
	WRITE_LINE(PRIORITY_ERROR, "\033[31m");
}

void
log_warning(const char *format, ...)
{
	if (out.level >= LOG_LEVEL_NORMAL)
		WRITE_LINE(PRIORITY_WARNING, "\033[33m");
}

void
log_notice(const char *format, ...)
{
	if (out.level >= LOG_LEVEL_NORMAL)
		WRITE_LINE(PRIORITY_NOTICE, NULL);
}

void
log_detail(const char *format, ...)
{
	if (out.level >= LOG_LEVEL_VERBOSE)
		WRITE_LINE(PRIORITY_DETAIL, NULL);
}

void
log_progress(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;

	if (!out.terminal || out.level < LOG_LEVEL_NORMAL)
		return;
	va_start(arguments, format);
	format_line(line, sizeof(line), format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "\r\033[K%.79s", line);
	(void)fflush(stderr);
	out.progress_shown = true;
}
