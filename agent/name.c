/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "name.h"

#define NAME_LENGTH 253		/* RFC 1035, without the dot of the root */
#define LABEL_LENGTH 63
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

struct address {
	int family;
	unsigned char bytes[16];
};

static bool
parse_address(const char *text, struct address *out_address)
{
	struct address address = { .family = AF_INET };

	if (inet_pton(AF_INET, text, address.bytes) != 1) {
		address.family = AF_INET6;
		if (inet_pton(AF_INET6, text, address.bytes) != 1)
			return false;
	}
	*out_address = address;
	return true;
}

bool
name_is_address(const char *name)
{
	struct address address;

	return parse_address(name, &address);
}

char *
name_of_address(const unsigned char *bytes, size_t size)
{
	char text[INET6_ADDRSTRLEN];

	if (size != 4 && size != 16)
		return NULL;
	(void)inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
	return memory_text(text);
}

static bool
label_is_valid(const char *label, size_t length)
{
	return length >= 1 && length <= LABEL_LENGTH && label[0] != '-' &&
	    label[length - 1] != '-' && strspn(label, LETTERS DIGITS "-") >= length;
}

bool
name_is_valid(const char *name)
{
	const char *label = name;
	size_t length;

	if (name_is_address(name))
		return true;
	if (strlen(name) > NAME_LENGTH)
		return false;
	if (strncmp(label, "*.", 2) == 0)
		label += 2;
	for (; ; label += length + 1) {
		length = strcspn(label, ".");
		if (!label_is_valid(label, length))
			return false;
		if (label[length] == '\0')
			break;
	}
	/* 1.2.3.999 is a mistaken address: no top-level domain is a number (RFC 3696). */
	return strspn(label, DIGITS) != length;
}

bool
name_covers(const char *pattern, const char *wanted)
{
	struct address a, b;
	const char *rest;

	if (parse_address(wanted, &b))
		return parse_address(pattern, &a) && a.family == b.family &&
		    memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
	if (strcasecmp(pattern, wanted) == 0)
		return true;
	if (strncmp(pattern, "*.", 2) != 0 || wanted[0] == '*')
		return false;
	rest = strchr(wanted, '.');
	return rest != NULL && rest != wanted && strcasecmp(rest, pattern + 1) == 0;
}
