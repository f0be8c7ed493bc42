/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fields.h"
#include "origin.h"

#define SCHEMA 1

static const char *const key_type_words[] = {
	[KEY_RSA] = "rsa", [KEY_EC] = "ec", [KEY_ED25519] = "ed25519", [KEY_OTHER] = "other",
};
#define KEY_TYPES (sizeof(key_type_words) / sizeof(*key_type_words))

char *
origin_encode(const struct origin *origin)
{
	json_t *object = json_object(), *digests = json_object();
	const struct leaf *leaf = &origin->leaf;

	fields_put_number(object, "schema", SCHEMA);
	fields_put_text(object, "source", origin->source);
	fields_put_version(object, &origin->version);
	fields_put_time(object, "installed", origin->installed);
	fields_put_text(object, "fingerprint", leaf->fingerprint);
	fields_put_text(object, "serial", leaf->serial);
	fields_put_text(object, "issuer", leaf->issuer);
	fields_put_words(object, "names", &leaf->names);
	fields_put_time(object, "not_before", leaf->not_before);
	fields_put_time(object, "not_after", leaf->not_after);
	fields_put_text(object, "key_type", key_type_words[leaf->key_type]);
	for (int part = 0; part < PART_COUNT; part++)
		fields_put_text(digests, part_file_names[part], origin->digests[part]);
	fields_put(object, "sha256", digests);
	return fields_encode(object, 0);
}

static bool
is_digest(const char *text)
{
	return strspn(text, "0123456789abcdef") == DIGEST_BYTES - 1 &&
	    text[DIGEST_BYTES - 1] == '\0';
}

static void
decode_key_type(const json_t *object, enum key_type *out_type, const char **wrong)
{
	char *word = fields_text(object, "key_type", wrong);

	*out_type = KEY_OTHER;
	for (size_t i = 0; word != NULL && i < KEY_TYPES; i++)
		if (strcmp(word, key_type_words[i]) == 0)
			*out_type = (enum key_type)i;
	free(word);
}

static void
decode_digests(const json_t *object, char digests[PART_COUNT][DIGEST_BYTES], const char **wrong)
{
	const json_t *found = fields_object(object, "sha256", wrong);

	for (int part = 0; part < PART_COUNT; part++) {
		fields_line(found, part_file_names[part], digests[part], DIGEST_BYTES, wrong);
		if (digests[part][0] != '\0' && !is_digest(digests[part]) && *wrong == NULL)
			*wrong = "sha256";
	}
}

static void
decode_leaf(const json_t *object, struct leaf *leaf, const char **wrong)
{
	fields_line(object, "fingerprint", leaf->fingerprint, sizeof(leaf->fingerprint), wrong);
	leaf->serial = fields_text(object, "serial", wrong);
	if ((leaf->issuer = fields_text(object, "issuer", wrong)) == NULL)
		leaf->issuer = memory_text("");	/* a certificate may have none */
	fields_words(object, "names", &leaf->names, wrong);
	leaf->not_before = fields_time(object, "not_before", wrong);
	leaf->not_after = fields_time(object, "not_after", wrong);
	decode_key_type(object, &leaf->key_type, wrong);
}

/* The first member without which a generation says nothing. */
static const char *
find_missing(const struct origin *origin)
{
	if (origin->source == NULL)
		return "source";
	if (version_is_none(&origin->version))
		return "created_time";
	if (!is_digest(origin->leaf.fingerprint))
		return "fingerprint";
	if (origin->leaf.serial == NULL)
		return "serial";
	return origin->leaf.not_after == 0 ? "not_after" : NULL;
}

int
origin_decode(const char *text, size_t size, struct origin *out_origin, struct failure *why)
{
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	struct origin origin = { 0 };
	const char *wrong = NULL;

	if (!json_is_object(object) ||
	    json_integer_value(json_object_get(object, "schema")) != SCHEMA) {
		json_decref(object);
		return failure_set(why, FAILURE_DISK, "origin is not what certlet wrote");
	}
	origin.source = fields_text(object, "source", &wrong);
	fields_version(object, &origin.version, &wrong);
	origin.installed = fields_time(object, "installed", &wrong);
	decode_leaf(object, &origin.leaf, &wrong);
	decode_digests(object, origin.digests, &wrong);
	json_decref(object);
	if (wrong != NULL || (wrong = find_missing(&origin)) != NULL) {
		origin_clear(&origin);
		return failure_set(
		    why, FAILURE_DISK, "origin is not what certlet wrote: %s", wrong);
	}
	*out_origin = origin;
	return 0;
}

void
origin_clear(struct origin *origin)
{
	free(origin->source);
	leaf_clear(&origin->leaf);
	*origin = (struct origin){ 0 };
}

void
origin_free(struct origin *origin)
{
	if (origin != NULL)
		origin_clear(origin);
	free(origin);
}
