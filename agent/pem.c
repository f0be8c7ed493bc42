/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "pem.h"

#define LINE_BYTES_MOST 64
#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

/* What of the text was not looked at yet. */
struct rest {
	const char *at, *end;
};

/* Steps over "-----BEGIN LABEL-----\n" or the like. */
static bool
take_border(struct rest *rest, const char *word, const char *label)
{
	const char *const parts[] = { "-----", word, " ", label, "-----\n" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const size_t length = strlen(parts[i]);

		if ((size_t)(rest->end - rest->at) < length ||
		    memcmp(rest->at, parts[i], length) != 0)
			return false;
		rest->at += length;
	}
	return true;
}

/* Steps over one line of base64; *out_is_last when padding or its length says that none follows. */
static bool
take_line(struct rest *rest, bool *out_is_last)
{
	const char *feed = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
	size_t letters, end, length;

	if (feed == NULL)
		return false;
	length = (size_t)(feed - rest->at);
	if (length == 0 || length > LINE_BYTES_MOST || length % 4 != 0)
		return false;
	for (letters = 0; letters < length && rest->at[letters] != '\0' &&
	    strchr(ALPHABET, rest->at[letters]) != NULL; letters++)
		continue;
	for (end = letters; end < length && rest->at[end] == '='; end++)
		continue;
	if (end != length || end - letters > 2)
		return false;
	*out_is_last = end != letters || length < LINE_BYTES_MOST;
	rest->at = feed + 1;
	return true;
}

static bool
take_block(struct rest *rest, const char *label)
{
	bool is_last = false;

	if (!take_border(rest, "BEGIN", label) || !take_line(rest, &is_last))
		return false;
	while (rest->at < rest->end && *rest->at != '-')
		if (is_last || !take_line(rest, &is_last))
			return false;
	return take_border(rest, "END", label);
}

bool
pem_has_shape(const struct secret *text, const char *label, size_t least, size_t most)
{
	struct rest rest;
	size_t count = 0;

	if (text->size == 0)	/* of nothing there is not even an address to begin at */
		return least == 0;
	rest = (struct rest){ text->bytes, text->bytes + text->size };
	while (rest.at < rest.end)
		if (++count > most || !take_block(&rest, label))
			return false;
	return count >= least;
}
