/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "text.h"

#define ELLIPSIS "…"
#define FOLD_LEAST 20	/* narrower than this nobody can read */

static bool
begins_character(const char *byte)
{
	return ((unsigned char)*byte & 0xc0) != 0x80;
}

/* Also those of ISO 6429 beyond ASCII, U+0080 to U+009F: some terminals obey them. */
static char *
printable(const char *text)
{
	char *copy = memory_text(text);

	for (char *c = copy; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
		else if ((unsigned char)c[0] == 0xc2 && (unsigned char)c[1] >= 0x80 &&
		    (unsigned char)c[1] < 0xa0)
			c[0] = c[1] = '?';
	}
	return copy;
}

size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += begins_character(text);
	return width;
}

/* The byte at which the character of that column begins. */
static const char *
at_column(const char *text, size_t column)
{
	for (; *text != '\0'; text++)
		if (begins_character(text) && column-- == 0)
			break;
	return text;
}

/* Keeps `tail` columns of its end. */
static char *
cut(const char *text, size_t most, size_t tail)
{
	char *whole = printable(text), *shorter;
	const size_t width = text_width(whole);

	if (most == 0 || width <= most)
		return whole;
	shorter = memory_format("%.*s" ELLIPSIS "%s", (int)(at_column(whole, most - 1 - tail) - whole),
	    whole, at_column(whole, width - tail));
	free(whole);
	return shorter;
}

char *
text_cut_middle(const char *text, size_t most)
{
	return cut(text, most, (most - 1) / 2);
}

char *
text_cut_end(const char *text, size_t most)
{
	return cut(text, most, 0);
}

/* How many bytes of the text go onto a line of `room` columns; a longer word is split. */
static size_t
measure_line(const char *text, size_t room)
{
	const char *end = at_column(text, room), *blank = end;

	if (*end == '\0')
		return (size_t)(end - text);
	while (blank > text && *blank != ' ')
		blank--;
	return (size_t)((blank > text ? blank : end) - text);
}

void
text_fold(FILE *out, const char *text, size_t indent, size_t width)
{
	char *clean = printable(text);
	const char *rest = clean;
	const size_t room = width == 0 ? text_width(clean) :
	    width > indent + FOLD_LEAST ? width - indent : FOLD_LEAST;

	for (;;) {
		const size_t size = measure_line(rest, room);

		(void)fprintf(out, "%.*s\n", (int)size, rest);
		rest += size;
		rest += strspn(rest, " ");
		if (*rest == '\0')
			break;
		(void)fprintf(out, "%*s", (int)indent, "");
	}
	free(clean);
}
