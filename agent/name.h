/* SPDX-License-Identifier: ISC */
/*
 * name: host names and the wildcards of certificates (RFC 6125 section 6.4, RFC 9525).
 * Pure: no I/O. Names are compared without regard to case.
 */
#ifndef CERTLET_NAME_H
#define CERTLET_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* A DNS name, or one with "*" as its whole first label; or an IP address in text. */
bool name_is_valid(const char *name);
bool name_is_address(const char *name);	/* IPv4 or IPv6 literal */

/* The text of an address of 4 or 16 bytes, NULL for any other size. Caller frees. */
char *name_of_address(const unsigned char *bytes, size_t size);

/*
 * Whether `pattern` (a SAN) covers the wanted name: equal, or "*.x" covers "a.x" but not "a.b.x",
 * "x" or "*.a.x". A wanted "*.x" is covered only by "*.x". Addresses only by equality.
 */
bool name_covers(const char *pattern, const char *wanted);

#endif
