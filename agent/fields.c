/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "times.h"

/* --- Putting --- */

json_t *
fields_value(const char *text)
{
	json_t *value = text != NULL ? json_string(text) : json_null();
	char *plain;

	if (value != NULL)
		return value;
	plain = memory_text(text);
	for (char *c = plain; *c != '\0'; c++)
		if ((unsigned char)*c > 0x7f)
			*c = '?';
	value = json_string(plain);
	free(plain);
	return value;
}

void
fields_put(json_t *object, const char *key, json_t *take_value)
{
	const bool empty = (json_is_object(take_value) && json_object_size(take_value) == 0) ||
	    (json_is_array(take_value) && json_array_size(take_value) == 0);

	if (empty)
		json_decref(take_value);
	else
		(void)json_object_set_new_nocheck(object, key, take_value);
}

void
fields_put_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && *text != '\0')
		fields_put(object, key, fields_value(text));
}

void
fields_put_number(json_t *object, const char *key, uint64_t number)
{
	/* jansson's integers are signed: the upper half of the range comes back from below zero. */
	if (number != 0)
		fields_put(object, key, json_integer((json_int_t)number));
}

void
fields_put_flag(json_t *object, const char *key, bool flag)
{
	if (flag)
		fields_put(object, key, json_true());
}

void
fields_put_time(json_t *object, const char *key, time_t when)
{
	char text[TIMES_TEXT_BYTES];

	fields_put_text(object, key, times_rfc3339(when, text));
}

void
fields_put_words(json_t *object, const char *key, const struct words *words)
{
	json_t *list = json_array();

	for (size_t i = 0; i < words->count; i++)
		(void)json_array_append_new(list, fields_value(words->items[i]));
	fields_put(object, key, list);
}

void
fields_put_version(json_t *object, const struct version *version)
{
	fields_put_number(object, "version", version->number);
	fields_put_text(object, "created_time", version->created);
}

/* --- Getting --- */

static void
note_wrong(const char *key, const char **wrong)
{
	if (*wrong == NULL)
		*wrong = key;
}

/* NULL when it is missing, or not of the type. */
static const json_t *
get(const json_t *object, const char *key, json_type type, const char **wrong)
{
	const json_t *value = json_object_get(object, key);

	if (value == NULL || json_is_null(value))
		return NULL;
	if (json_typeof(value) == type)
		return value;
	note_wrong(key, wrong);
	return NULL;
}

const json_t *
fields_object(const json_t *object, const char *key, const char **wrong)
{
	return get(object, key, JSON_OBJECT, wrong);
}

const json_t *
fields_list(const json_t *object, const char *key, const char **wrong)
{
	return get(object, key, JSON_ARRAY, wrong);
}

char *
fields_text(const json_t *object, const char *key, const char **wrong)
{
	return memory_text(json_string_value(get(object, key, JSON_STRING, wrong)));
}

void
fields_line(const json_t *object, const char *key, char *line, size_t size, const char **wrong)
{
	const char *text = json_string_value(get(object, key, JSON_STRING, wrong));

	line[0] = '\0';
	if (text == NULL)
		return;
	if (strlen(text) < size)
		memcpy(line, text, strlen(text) + 1);
	else
		note_wrong(key, wrong);
}

uint64_t
fields_number(const json_t *object, const char *key, const char **wrong)
{
	return (uint64_t)json_integer_value(get(object, key, JSON_INTEGER, wrong));
}

unsigned int
fields_small_number(const json_t *object, const char *key, const char **wrong)
{
	const uint64_t number = fields_number(object, key, wrong);

	if (number <= INT_MAX)
		return (unsigned int)number;
	note_wrong(key, wrong);
	return 0;
}

bool
fields_flag(const json_t *object, const char *key, const char **wrong)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_boolean(value) && !json_is_null(value))
		note_wrong(key, wrong);
	return json_is_true(value);
}

time_t
fields_time(const json_t *object, const char *key, const char **wrong)
{
	const char *text = json_string_value(get(object, key, JSON_STRING, wrong));
	time_t when = 0;

	if (text != NULL && !times_parse_rfc3339(text, &when, NULL))
		note_wrong(key, wrong);
	return when;
}

void
fields_words(const json_t *object, const char *key, struct words *out_words, const char **wrong)
{
	const json_t *list = fields_list(object, key, wrong);

	*out_words = (struct words){ 0 };
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (word != NULL)
			words_add(out_words, word);
		else
			note_wrong(key, wrong);
	}
}

void
fields_version(const json_t *object, struct version *out_version, const char **wrong)
{
	out_version->number = fields_number(object, "version", wrong);
	fields_line(
	    object, "created_time", out_version->created, sizeof(out_version->created), wrong);
}

/* --- The document --- */

struct document {
	char *text;
	size_t size, room;
};

static int
append(const char *bytes, size_t size, void *context)
{
	struct document *document = context;

	if (document->room - document->size < size) {
		document->room = 2 * document->room + size;
		document->text = memory_grow(document->text, document->room, 1);
	}
	memcpy(document->text + document->size, bytes, size);
	document->size += size;
	return 0;
}

char *
fields_encode(json_t *take_object, size_t flags)
{
	struct document document = { 0 };
	const bool written = json_dump_callback(take_object, append, &document, flags) == 0 &&
	    append("\n", 2, &document) == 0;

	json_decref(take_object);
	if (written)
		return document.text;
	free(document.text);
	return NULL;
}

static int
append_secret(const char *bytes, size_t size, void *secret)
{
	secret_append(secret, bytes, size);
	return 0;
}

void
fields_dump(const json_t *object, size_t flags, struct secret *out_text)
{
	(void)json_dump_callback(object, append_secret, out_text, flags);
}
