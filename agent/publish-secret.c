/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "publish-secret.h"
#include "times.h"

#define NOTE_BYTES_MOST 512	/* of a value of custom metadata; Vault refuses more */
#define NAMES_BYTES_MOST (NOTE_BYTES_MOST - 16)	/* leaves room for " +12345" */

static void
set_text(const json_t *object, const char *key, struct secret *text)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value))
		secret_set(text, json_string_value(value), json_string_length(value));
}

/* Whoever wrote it: what certlet would make of it. */
static void
read_material(const json_t *fields, struct published *published)
{
	struct secret cert = { 0 }, chain = { 0 }, key = { 0 };
	const struct secret *const texts[] = { &cert, &chain, &key };
	struct bundle *bundle = NULL;

	set_text(fields, "cert", &cert);
	set_text(fields, "chain", &chain);
	set_text(fields, "privkey", &key);
	if (bundle_read(texts, 3, &bundle, &published->broken) == 0 &&
	    bundle_write(bundle, &published->material, &published->broken) == 0)
		published->broken = (struct failure){ 0 };
	bundle_free(bundle);
	secret_clear(&key);
	secret_clear(&chain);
	secret_clear(&cert);
}

int
published_read(const json_t *answer, struct published *published, struct failure *why)
{
	const json_t *data = json_object_get(answer, "data");
	const json_t *metadata = json_object_get(data, "metadata");
	const json_t *version = json_object_get(metadata, "version");
	const json_t *notes = json_object_get(metadata, "custom_metadata");

	if (!json_is_integer(version) || json_integer_value(version) < 0)
		return failure_set(why, FAILURE_VAULT,
		    "expected a version in the answer, found none: is it KV version 2?");
	published->version = (uint64_t)json_integer_value(version);
	if (json_is_object(notes))
		published->notes = json_deep_copy(notes);
	if (json_is_object(json_object_get(data, "data")))
		read_material(json_object_get(data, "data"), published);
	return 0;
}

void
published_clear(struct published *published)
{
	material_clear(&published->material);
	json_decref(published->notes);
	*published = (struct published){ 0 };
}

bool
published_holds(const struct published *published, const struct material *material)
{
	const struct material *held = &published->material;

	return held->leaf.fingerprint[0] != '\0' &&
	    secret_equal(&held->cert, &material->cert) &&
	    secret_equal(&held->chain, &material->chain) &&
	    secret_equal(&held->key, &material->key);
}

/* As many whole names as there is room for, and how many more there are. */
static char *
join_names(const struct words *names)
{
	char *text = memory_text(names->count != 0 ? names->items[0] : ""), *longer;
	size_t i;

	for (i = 1; i < names->count; i++) {
		if (strlen(text) + 1 + strlen(names->items[i]) > NAMES_BYTES_MOST)
			break;
		longer = memory_format("%s %s", text, names->items[i]);
		free(text);
		text = longer;
	}
	if (i < names->count) {
		longer = memory_format("%s +%zu", text, names->count - i);
		free(text);
		text = longer;
	}
	return text;
}

static json_t *
make_notes(const struct leaf *leaf)
{
	char not_before[TIMES_TEXT_BYTES], not_after[TIMES_TEXT_BYTES];
	char *names = join_names(&leaf->names);
	json_t *notes;

	notes = json_pack("{s:s, s:s, s:s, s:s}", "fingerprint", leaf->fingerprint,
	    "serial", leaf->serial, "not_before", times_rfc3339(leaf->not_before, not_before),
	    "not_after", times_rfc3339(leaf->not_after, not_after));
	if (strlen(names) <= NOTE_BYTES_MOST)
		json_object_set_new(notes, "names", json_string(names));
	free(names);
	return notes;
}

bool
published_notes(const struct published *published, const struct leaf *leaf)
{
	json_t *notes = make_notes(leaf), *value;
	const char *key;
	bool same = true;

	json_object_foreach(notes, key, value)
		same = same && json_equal(json_object_get(published->notes, key), value);
	json_decref(notes);
	return same;
}

static void
take_body(json_t *take_body, struct secret *out_body)
{
	char *text = json_dumps(take_body, JSON_COMPACT);

	secret_set(out_body, text, strlen(text));
	OPENSSL_cleanse(text, strlen(text));
	free(text);
	json_decref(take_body);
}

void
publish_secret_data(const struct material *material, uint64_t cas, struct secret *out_body)
{
	struct secret fullchain = { 0 };

	secret_set(&fullchain, material->cert.bytes, material->cert.size);
	secret_append(&fullchain, material->chain.bytes, material->chain.size);
	take_body(json_pack("{s:{s:I}, s:{s:s, s:s, s:s, s:s}}", "options", "cas", (json_int_t)cas,
	    "data", "cert", material->cert.bytes, "chain", material->chain.bytes,
	    "fullchain", fullchain.bytes, "privkey", material->key.bytes), out_body);
	secret_clear(&fullchain);
}

void
publish_secret_notes(const struct published *published, const struct leaf *leaf,
    struct secret *out_body)
{
	json_t *notes = published->notes != NULL ? json_copy(published->notes) : json_object();
	json_t *ours = make_notes(leaf);

	json_object_update(notes, ours);
	json_decref(ours);
	take_body(json_pack("{s:o}", "custom_metadata", notes), out_body);
}
