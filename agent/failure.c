/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "failure.h"

/* A failure is one line of a log, whatever a server or a file name put into it. */
static void
make_printable(char *text)
{
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static void
fill(struct failure *why, enum failure_kind kind, const char *format, va_list arguments)
{
	why->kind = kind;
	(void)vsnprintf(why->text, sizeof(why->text), format, arguments);
	make_printable(why->text);
}

/* What has no room any more is cut. */
static void
append(struct failure *why, const char *reason)
{
	const size_t length = strlen(why->text);

	(void)snprintf(why->text + length, sizeof(why->text) - length, ": %.*s",
	    (int)(sizeof(why->text) - length), reason);
}

int
failure_set(struct failure *why, enum failure_kind kind, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fill(why, kind, format, arguments);
	va_end(arguments);
	return -1;
}

int
failure_errno(struct failure *why, enum failure_kind kind, const char *format, ...)
{
	const int saved = errno;
	va_list arguments;

	va_start(arguments, format);
	fill(why, kind, format, arguments);
	va_end(arguments);
	append(why, strerror(saved));
	return -1;
}

int
failure_prefix(struct failure *why, const char *format, ...)
{
	const struct failure inner = *why;
	va_list arguments;

	va_start(arguments, format);
	fill(why, inner.kind, format, arguments);
	va_end(arguments);
	append(why, inner.text);
	return -1;
}

enum exit_code
failure_exit_code(enum failure_kind kind)
{
	switch (kind) {
	case FAILURE_NONE:
		return EXIT_WANTED;
	case FAILURE_USAGE:
	case FAILURE_MANIFEST:
	case FAILURE_SETUP:
		return EXIT_SETUP;
	case FAILURE_VAULT:
	case FAILURE_LOGIN:
		return EXIT_VAULT;
	case FAILURE_DENIED:
	case FAILURE_ABSENT:
	case FAILURE_REFUSED:
	case FAILURE_DISK:
	case FAILURE_SERVICE:
	case FAILURE_USED:
	case FAILURE_FOREIGN:
		return EXIT_PARTLY;
	case FAILURE_LOCKED:
		return EXIT_LOCKED;
	case FAILURE_INTERNAL:
	case FAILURE_KINDS:
		break;
	}
	return EXIT_BROKEN;
}

enum exit_code
exit_code_worse(enum exit_code a, enum exit_code b)
{
	static const int gravity[] = {
		[EXIT_WANTED] = 0, [EXIT_VAULT] = 1, [EXIT_PARTLY] = 2,
		[EXIT_BROKEN] = 3, [EXIT_SETUP] = 4, [EXIT_LOCKED] = 5,
	};

	return gravity[a] >= gravity[b] ? a : b;
}
