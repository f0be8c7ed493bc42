/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fields.h"
#include "origin.h"

#define SCHEMA 1

static const char *const key_type_words[] = {
	[KEY_RSA] = "rsa", [KEY_EC] = "ec", [KEY_ED25519] = "ed25519", [KEY_OTHER] = "other",
};

static const struct field fields[] = {
	FIELD(TEXT, struct origin, source),
	FIELDS_OF_VERSION(struct origin, version),
	FIELD(TIME, struct origin, installed),
	{ 0 }
};

static const struct field leaf_fields[] = {
	FIELD(LINE, struct leaf, fingerprint),
	FIELD(TEXT, struct leaf, serial),
	FIELD(TEXT, struct leaf, issuer),
	FIELD(WORDS, struct leaf, names),
	FIELD(TIME, struct leaf, not_before),
	FIELD(TIME, struct leaf, not_after),
	{ "key_type", FIELD_CHOICE, offsetof(struct leaf, key_type), KEY_OTHER + 1, key_type_words },
	{ 0 }
};

#define DIGEST(name, part) \
	{ name, FIELD_LINE, offsetof(struct origin, digests[part]), DIGEST_BYTES, NULL }

static const struct field digest_fields[] = {
	DIGEST("cert.pem", PART_CERT), DIGEST("chain.pem", PART_CHAIN),
	DIGEST("fullchain.pem", PART_FULLCHAIN), DIGEST("privkey.pem", PART_KEY),
	DIGEST("combined.pem", PART_COMBINED),
	{ 0 }
};

char *
origin_encode(const struct origin *origin)
{
	json_t *object = json_object(), *digests = json_object();

	fields_put_number(object, "schema", SCHEMA);
	fields_put_all(object, fields, origin);
	fields_put_all(object, leaf_fields, &origin->leaf);
	fields_put_all(digests, digest_fields, origin);
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
decode(const json_t *object, struct origin *origin, const char **wrong)
{
	origin->leaf.key_type = KEY_OTHER;
	fields_get_all(object, fields, origin, wrong);
	fields_get_all(object, leaf_fields, &origin->leaf, wrong);
	if (origin->leaf.issuer == NULL)
		origin->leaf.issuer = memory_text("");	/* a certificate may have none */
	fields_get_all(fields_object(object, "sha256", wrong), digest_fields, origin, wrong);
	for (int part = 0; part < PART_COUNT; part++)
		if (origin->digests[part][0] != '\0' && !is_digest(origin->digests[part]) && *wrong == NULL)
			*wrong = "sha256";
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
	decode(object, &origin, &wrong);
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
