/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdint.h>

#include "clean.h"

/* What turns the order of the letters around it, or ends a line for some readers. */
static bool
misleads(uint32_t code)
{
	return code == 0x61c || code == 0x200e || code == 0x200f ||
	    (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* How many bytes the character at `text` has (RFC 3629); 0: it is none, or not for a log. */
static size_t
character(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t length = text[0] < 0x80 ? 1 : (text[0] & 0xe0) == 0xc0 ? 2 :
	    (text[0] & 0xf0) == 0xe0 ? 3 : (text[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t code;

	if (length <= 1)
		return length == 1 && text[0] >= 0x20 && text[0] != 0x7f ? 1 : 0;
	code = text[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < 0xa0 || code < least[length] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff) || misleads(code))
		return 0;
	return length;
}

bool
clean_check(const char *text)
{
	size_t length;

	for (; *text != '\0'; text += length)
		if ((length = character((const unsigned char *)text)) == 0)
			return false;
	return true;
}

void
clean_make(char *text)
{
	while (*text != '\0') {
		const size_t length = character((const unsigned char *)text);

		if (length == 0)
			*text++ = '?';
		else
			text += length;
	}
}
