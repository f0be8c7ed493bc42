/* SPDX-License-Identifier: ISC */
/*
 * fields: the members of the JSON objects that certlet writes (origin, state.json, status.json).
 *
 * Putting leaves out what is nothing: NULL, 0, "", false, an empty list. Getting gives nothing for
 * a member that is missing or null; for one that is not of its type *wrong becomes its key, if it
 * was NULL, so that one look at the end tells whether all was well.
 */
#ifndef CERTLET_FIELDS_H
#define CERTLET_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "memory.h"
#include "secret.h"
#include "version.h"

/* The whole object as text, with a newline; NULL: out of memory. Caller frees. */
char *fields_encode(json_t *take_object, size_t flags);

/* The same into memory that is wiped, without a newline: for what has a secret in it. */
void fields_dump(const json_t *object, size_t flags, struct secret *out_text);

/* A text that is not UTF-8 has its bytes above 0x7f replaced by '?': JSON could not hold it. What
 * commands and file systems say need not be. NULL is null. */
json_t *fields_value(const char *text);
void fields_put_text(json_t *object, const char *key, const char *text);
void fields_put_number(json_t *object, const char *key, uint64_t number);
void fields_put_flag(json_t *object, const char *key, bool flag);
void fields_put_time(json_t *object, const char *key, time_t when);	/* RFC 3339 */
void fields_put_words(json_t *object, const char *key, const struct words *words);
void fields_put_version(json_t *object, const struct version *version);	/* version, created_time */
/* An object or a list that is empty is left out too. The reference is taken. */
void fields_put(json_t *object, const char *key, json_t *take_value);

char *fields_text(const json_t *object, const char *key, const char **wrong);	/* caller frees */
void fields_line(
    const json_t *object, const char *key, char *line, size_t size, const char **wrong);
uint64_t fields_number(const json_t *object, const char *key, const char **wrong);
unsigned int fields_small_number(const json_t *object, const char *key, const char **wrong);
bool fields_flag(const json_t *object, const char *key, const char **wrong);
time_t fields_time(const json_t *object, const char *key, const char **wrong);
void fields_words(const json_t *object, const char *key, struct words *out_words,
    const char **wrong);	/* *out_words is overwritten */
void fields_version(const json_t *object, struct version *out_version, const char **wrong);
/* NULL for none. Borrowed. */
const json_t *fields_object(const json_t *object, const char *key, const char **wrong);
const json_t *fields_list(const json_t *object, const char *key, const char **wrong);

#endif
