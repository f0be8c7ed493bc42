/* SPDX-License-Identifier: ISC */
/*
 * fields: the members of the JSON objects that certlet writes (origin, state.json, status.json).
 *
 * Putting leaves out what is nothing: NULL, 0, "", false, an empty list. Getting gives nothing for
 * a member that is missing or null; for one that is not of its type *wrong becomes its key, if it
 * was NULL, so that one look at the end tells whether all was well. A NULL `wrong` does not ask.
 */
#ifndef CERTLET_FIELDS_H
#define CERTLET_FIELDS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "memory.h"
#include "secret.h"
#include "version.h"

/* The whole object as text, with a newline. Caller frees. */
char *fields_encode(json_t *take_object, size_t flags);

/* The same into memory that is wiped, without a newline: for what has a secret in it. */
void fields_dump(const json_t *object, size_t flags, struct secret *out_text);

/* Values. A text that is not UTF-8 has its bytes above 0x7f replaced by '?': JSON could not hold it,
 * and what commands and file systems say need not be. */
json_t *fields_value(const char *text);			/* NULL is null */
json_t *fields_number_value(uint64_t number);		/* 0 is null */
json_t *fields_time_value(time_t when);			/* RFC 3339; 0 is null */
json_t *fields_words_value(const struct words *words);	/* a list; NULL is an empty one */

void fields_put_text(json_t *object, const char *key, const char *text);
void fields_put_number(json_t *object, const char *key, uint64_t number);
/* An object or a list that is empty is left out too. The reference is taken. */
void fields_put(json_t *object, const char *key, json_t *take_value);

char *fields_text(const json_t *object, const char *key, const char **wrong);	/* caller frees */
time_t fields_time(const json_t *object, const char *key, const char **wrong);
struct words fields_words(const json_t *object, const char *key, const char **wrong);
/* NULL for none. Borrowed. */
const json_t *fields_object(const json_t *object, const char *key, const char **wrong);
const json_t *fields_list(const json_t *object, const char *key, const char **wrong);

/* A member of a struct, and its key in the object that stands for the struct. */
struct field {
	const char *key;	/* NULL: the end of the table */
	enum {
		FIELD_TEXT,		/* char * */
		FIELD_LINE,		/* char[size] */
		FIELD_WORDS,		/* struct words */
		FIELD_CHOICE,		/* an enum, by one of `size` words; another one leaves it as it was */
		FIELD_NUMBER,		/* uint64_t */
		FIELD_SMALL_NUMBER,	/* unsigned int, up to INT_MAX */
		FIELD_SECONDS,		/* long, from 0 to INT_MAX */
		FIELD_FLAG,		/* bool */
		FIELD_TIME,		/* time_t, as RFC 3339 */
	} type;
	size_t offset, size;
	const char *const *words;
};

/* One whose key is the member's name; FIELD_CHOICE is spelled out. */
#define FIELD(type, of, member) \
	{ #member, FIELD_##type, offsetof(of, member), sizeof(((of *)NULL)->member), NULL }
/* The two of a struct version. */
#define FIELDS_OF_VERSION(of, member) \
	{ "version", FIELD_NUMBER, offsetof(of, member.number), 0, NULL }, \
	{ "created_time", FIELD_LINE, offsetof(of, member.created), VERSION_CREATED_BYTES, NULL }

void fields_put_all(json_t *object, const struct field fields[], const void *from);
/* What is got is overwritten, and is the caller's to clear. */
void fields_get_all(const json_t *object, const struct field fields[], void *to, const char **wrong);

#endif
