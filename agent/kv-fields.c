/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "kv-fields.h"

#define NAMES_MOST 4	/* known ones, of one part */
#define FOUND_SHOWN 12
#define FOUND_LENGTH 40

static const char *const known[PART_COUNT][NAMES_MOST + 1] = {
	[PART_CERT] = { "cert", "crt", "certificate", "tls.crt" },
	[PART_KEY] = { "privkey", "key", "private_key", "tls.key" },
	[PART_CHAIN] = { "chain", "bundle", "ca_chain", "issuing_ca" },
	[PART_FULLCHAIN] = { "fullchain" },
};

static bool
is_list_part(enum part part)
{
	return part == PART_CHAIN || part == PART_FULLCHAIN;
}

/* The names of the fields that are there, for a person who compares. */
static void
list_found(const json_t *data, char *text, size_t room)
{
	size_t length = 0, shown = 0;
	const char *name;
	json_t *value;

	text[0] = '\0';
	json_object_foreach((json_t *)data, name, value) {
		if (shown++ == FOUND_SHOWN) {
			(void)snprintf(text + length, room - length, ", ...");
			break;
		}
		length += (size_t)snprintf(text + length, room - length, "%s%.*s",
		    length != 0 ? ", " : "", FOUND_LENGTH, name);
	}
	if (text[0] == '\0')
		(void)snprintf(text, room, "none");
}

static int
fail_missing(const json_t *data, const char *expected, struct failure *why)
{
	char found[FOUND_SHOWN * (FOUND_LENGTH + 2) + 8];

	list_found(data, found, sizeof(found));
	return failure_set(why, FAILURE_REFUSED, "expected a field %s, found: %s", expected, found);
}

static bool
append_text(struct secret *text, const json_t *value)
{
	if (!json_is_string(value))
		return false;
	secret_append(text, json_string_value(value), json_string_length(value));
	return true;
}

/* Vault's PKI gives a chain as an array whose items do not end in a line feed. */
static bool
append_list(struct secret *text, const json_t *list)
{
	const json_t *item;
	size_t index;

	json_array_foreach(list, index, item) {
		if (!append_text(text, item))
			return false;
		secret_append(text, "\n", 1);
	}
	return true;
}

static int
take_value(const json_t *value, const char *name, enum part part, struct secret *text,
    struct failure *why)
{
	if (json_is_array(value) && is_list_part(part) ? append_list(text, value) :
	    append_text(text, value))
		return 0;
	return failure_set(why, FAILURE_REFUSED, "expected text in the field %s, found %s", name,
	    json_is_array(value) ? "a list" : "something else");
}

static int
pick_named(const json_t *data, const struct entry *entry, struct kv_texts *texts,
    struct failure *why)
{
	for (enum part part = 0; part < PART_COUNT; part++) {
		const char *name = entry->fields[part];
		const json_t *value;

		if (name == NULL)
			continue;
		if ((value = json_object_get(data, name)) == NULL)
			return fail_missing(data, name, why);
		if (take_value(value, name, part, &texts->items[part], why) == -1)
			return -1;
	}
	return 0;
}

static bool
is_empty(const json_t *value)
{
	return value == NULL || json_is_null(value) ||
	    (json_is_string(value) && json_string_length(value) == 0);
}

static int
pick_known(const json_t *data, struct kv_texts *texts, struct failure *why)
{
	for (enum part part = 0; part < PART_COUNT; part++) {
		const char *const *name = known[part];

		while (*name != NULL && is_empty(json_object_get(data, *name)))
			name++;
		if (*name != NULL && take_value(json_object_get(data, *name), *name, part,
		    &texts->items[part], why) == -1)
			return -1;
	}
	return 0;
}

static int
check_complete(const json_t *data, const struct kv_texts *texts, struct failure *why)
{
	if (texts->items[PART_CERT].size == 0 && texts->items[PART_FULLCHAIN].size == 0)
		return fail_missing(data, "cert, crt, certificate, tls.crt or fullchain", why);
	if (texts->items[PART_KEY].size == 0)
		return fail_missing(data, "privkey, key, private_key or tls.key", why);
	return 0;
}

int
kv_fields_pick(const json_t *data, const struct entry *entry, struct kv_texts *out_texts,
    struct failure *why)
{
	int result;

	*out_texts = (struct kv_texts){ 0 };
	if (entry->fields_given)
		result = pick_named(data, entry, out_texts, why);
	else if ((result = pick_known(data, out_texts, why)) == 0)
		result = check_complete(data, out_texts, why);
	if (result == -1)
		kv_texts_clear(out_texts);
	return result;
}

void
kv_texts_clear(struct kv_texts *texts)
{
	for (enum part part = 0; part < PART_COUNT; part++)
		secret_clear(&texts->items[part]);
}
