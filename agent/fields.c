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

json_t *
fields_number_value(uint64_t number)
{
	/* jansson's integers are signed: the upper half of the range comes back from below zero. */
	return number != 0 ? json_integer((json_int_t)number) : json_null();
}

json_t *
fields_time_value(time_t when)
{
	char text[TIMES_TEXT_BYTES];

	return fields_value(*times_rfc3339(when, text) != '\0' ? text : NULL);
}

json_t *
fields_words_value(const struct words *words)
{
	json_t *list = json_array();

	for (size_t i = 0; words != NULL && i < words->count; i++)
		(void)json_array_append_new(list, fields_value(words->items[i]));
	return list;
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
	if (number != 0)
		fields_put(object, key, fields_number_value(number));
}

/* --- Getting --- */

static void
note_wrong(const char *key, const char **wrong)
{
	if (wrong != NULL && *wrong == NULL)
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

static void
get_line(const json_t *object, const char *key, char *line, size_t size, const char **wrong)
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

static uint64_t
get_number(const json_t *object, const char *key, const char **wrong)
{
	return (uint64_t)json_integer_value(get(object, key, JSON_INTEGER, wrong));
}

static unsigned int
get_small_number(const json_t *object, const char *key, const char **wrong)
{
	const uint64_t number = get_number(object, key, wrong);

	if (number <= INT_MAX)
		return (unsigned int)number;
	note_wrong(key, wrong);
	return 0;
}

static bool
get_flag(const json_t *object, const char *key, const char **wrong)
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

struct words
fields_words(const json_t *object, const char *key, const char **wrong)
{
	const json_t *list = fields_list(object, key, wrong);
	struct words words = { 0 };

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (word != NULL)
			words_add(&words, word);
		else
			note_wrong(key, wrong);
	}
	return words;
}

/* --- A struct --- */

/* What is none of the words stays as it was: a later version may know more. */
static void
choose_word(const json_t *object, const struct field *field, unsigned int *choice, const char **wrong)
{
	const char *word = json_string_value(get(object, field->key, JSON_STRING, wrong));

	for (unsigned int i = 0; word != NULL && i < field->size; i++)
		if (field->words[i] != NULL && strcmp(field->words[i], word) == 0)
			*choice = i;
}

void
fields_put_all(json_t *object, const struct field fields[], const void *from)
{
	char when[TIMES_TEXT_BYTES];

	for (const struct field *field = fields; field->key != NULL; field++) {
		const void *member = (const char *)from + field->offset;

		switch (field->type) {
		case FIELD_TEXT:
			fields_put_text(object, field->key, *(char *const *)member);
			break;
		case FIELD_LINE:
			fields_put_text(object, field->key, member);
			break;
		case FIELD_WORDS:
			fields_put(object, field->key, fields_words_value(member));
			break;
		case FIELD_CHOICE:
			fields_put_text(object, field->key, field->words[*(const unsigned int *)member]);
			break;
		case FIELD_NUMBER:
			fields_put_number(object, field->key, *(const uint64_t *)member);
			break;
		case FIELD_SMALL_NUMBER:
			fields_put_number(object, field->key, *(const unsigned int *)member);
			break;
		case FIELD_SECONDS:
			fields_put_number(object, field->key, (uint64_t)*(const long *)member);
			break;
		case FIELD_FLAG:
			if (*(const bool *)member)
				fields_put(object, field->key, json_true());
			break;
		case FIELD_TIME:
			fields_put_text(object, field->key,
			    times_rfc3339(*(const time_t *)member, when));
			break;
		}
	}
}

void
fields_get_all(const json_t *object, const struct field fields[], void *to, const char **wrong)
{
	for (const struct field *field = fields; field->key != NULL; field++) {
		void *member = (char *)to + field->offset;

		switch (field->type) {
		case FIELD_TEXT:
			*(char **)member = fields_text(object, field->key, wrong);
			break;
		case FIELD_LINE:
			get_line(object, field->key, member, field->size, wrong);
			break;
		case FIELD_WORDS:
			*(struct words *)member = fields_words(object, field->key, wrong);
			break;
		case FIELD_CHOICE:
			choose_word(object, field, member, wrong);
			break;
		case FIELD_NUMBER:
			*(uint64_t *)member = get_number(object, field->key, wrong);
			break;
		case FIELD_SMALL_NUMBER:
			*(unsigned int *)member = get_small_number(object, field->key, wrong);
			break;
		case FIELD_SECONDS:
			*(long *)member = (long)get_small_number(object, field->key, wrong);
			break;
		case FIELD_FLAG:
			*(bool *)member = get_flag(object, field->key, wrong);
			break;
		case FIELD_TIME:
			*(time_t *)member = fields_time(object, field->key, wrong);
			break;
		}
	}
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
	return memory_must(written ? document.text : NULL);
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
