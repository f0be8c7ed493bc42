/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <string.h>

#include <openssl/crypto.h>

#include "arena.h"
#include "secret.h"

#define ROOM_LEAST 256

static void
make_room(struct secret *secret, size_t size)
{
	size_t room;
	char *bytes;

	if (secret->room > size)
		return;
	bytes = arena_take(size < ROOM_LEAST ? ROOM_LEAST : size + 1, &room);
	if (secret->size != 0)
		memcpy(bytes, secret->bytes, secret->size);
	arena_give_back(secret->bytes, secret->room);
	secret->bytes = bytes;
	secret->room = room;
}

void
secret_set(struct secret *secret, const void *bytes, size_t size)
{
	secret_clear(secret);
	secret_append(secret, bytes, size);
}

void
secret_set_zeros(struct secret *secret, size_t size)
{
	secret_clear(secret);
	make_room(secret, size);
	secret->size = size;
}

void
secret_append(struct secret *secret, const void *bytes, size_t size)
{
	make_room(secret, secret->size + size);
	if (size != 0)
		memcpy(secret->bytes + secret->size, bytes, size);
	secret->size += size;
	secret->bytes[secret->size] = '\0';
}

void
secret_move(struct secret *secret, struct secret *take_from)
{
	secret_clear(secret);
	*secret = *take_from;
	*take_from = (struct secret){ 0 };
}

bool
secret_equal(const struct secret *a, const struct secret *b)
{
	return a->size == b->size &&
	    (a->size == 0 || CRYPTO_memcmp(a->bytes, b->bytes, a->size) == 0);
}

bool
secret_is_visible(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~')
			return false;
	return true;
}

void
secret_trim(struct secret *secret)
{
	size_t start = 0, end = secret->size;

	while (start < end && isspace((unsigned char)secret->bytes[start]))
		start++;
	while (end > start && isspace((unsigned char)secret->bytes[end - 1]))
		end--;
	if (secret->bytes == NULL)
		return;
	memmove(secret->bytes, secret->bytes + start, end - start);
	OPENSSL_cleanse(secret->bytes + (end - start), secret->room - (end - start));
	secret->size = end - start;
}

void
secret_clear(struct secret *secret)
{
	arena_give_back(secret->bytes, secret->room);
	*secret = (struct secret){ 0 };
}
