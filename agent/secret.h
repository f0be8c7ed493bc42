/* SPDX-License-Identifier: ISC */
/*
 * secret: bytes that must not be seen: keys, tokens, credentials.
 *
 * A type of its own, so that no log or failure function accepts it; in memory of its own (arena.h);
 * wiped when cleared and when it grows. {0} is the empty secret. bytes[size] is always '\0' when
 * bytes is not NULL.
 */
#ifndef CERTLET_SECRET_H
#define CERTLET_SECRET_H

#include <stdbool.h>
#include <stddef.h>

struct secret {
	char *bytes;
	size_t size;
	size_t room;	/* allocated, the closing NUL included */
};

void secret_set(struct secret *secret, const void *bytes, size_t size);	/* what was there is wiped */
void secret_set_zeros(struct secret *secret, size_t size);	/* to be written over */
void secret_append(struct secret *secret, const void *bytes, size_t size);
void secret_move(struct secret *secret, struct secret *take_from);	/* take_from is empty after */
bool secret_equal(const struct secret *a, const struct secret *b);	/* in constant time */
/* What may be a token: in a header, a line feed would begin another one. */
bool secret_is_visible(const char *bytes, size_t size);	/* no blank, nothing beyond ASCII */
void secret_trim(struct secret *secret);	/* white space at both ends */
void secret_clear(struct secret *secret);

#endif
