/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "fields.h"
#include "kv-reply.h"
#include "publish-secret.h"

/* --- What is there --- */

static void
take_notes(const json_t *notes, struct published *published)
{
	if (json_is_object(notes))
		published->notes = json_deep_copy(notes);
}

/* What is noted of an earlier version says nothing of this one. */
static void
trust_notes(struct published *published)
{
	struct publish_notes notes;
	const struct leaf *leaf = &notes.edition.leaf;

	publish_notes_read(published->notes, &notes);
	if (notes.version == published->version && leaf->fingerprint[0] != '\0' &&
	    notes.edition.content[0] != '\0' && notes.edition.key_id[0] != '\0' &&
	    leaf->not_before != 0 && leaf->not_after != 0) {
		published->edition = notes.edition;
		notes.edition = (struct edition){ 0 };	/* published has it now */
		published->noted = true;
	}
	publish_notes_clear(&notes);
}

int
published_read_metadata(const json_t *data, time_t now, struct published *out_published,
    struct failure *why)
{
	const json_int_t newest = json_integer_value(json_object_get(data, "current_version"));
	struct published published = { 0 };
	struct version version;

	if (kv_reply_metadata(data, now, &version, why) == 0) {
		published.version = version.number;
		memcpy(published.created, version.created, sizeof(published.created));
	} else if (why->kind == FAILURE_ABSENT && newest >= 0)
		published.version = (uint64_t)newest;
	else
		return -1;
	take_notes(json_object_get(data, "custom_metadata"), &published);
	if (published.created[0] != '\0')
		trust_notes(&published);
	*out_published = published;
	return 0;
}

static void
set_text(const json_t *object, const char *key, struct secret *text)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_string(value))
		secret_set(text, json_string_value(value), json_string_length(value));
}

/* Whoever wrote it: what certlet would make of it. */
static void
read_content(const json_t *fields, struct published *published)
{
	struct secret cert = { 0 }, chain = { 0 }, key = { 0 };
	const struct secret *const texts[] = { &cert, &chain, &key };
	struct material material = { 0 };
	struct bundle *bundle = NULL;

	set_text(fields, "cert", &cert);
	set_text(fields, "chain", &chain);
	set_text(fields, "privkey", &key);
	if (bundle_read(texts, 3, &bundle, &published->broken) == 0 &&
	    bundle_write(bundle, &material, &published->broken) == 0 &&
	    edition_describe(bundle, &material, &published->edition, &published->broken) == 0)
		published->broken = (struct failure){ 0 };
	material_clear(&material);
	bundle_free(bundle);
	secret_clear(&key);
	secret_clear(&chain);
	secret_clear(&cert);
}

int
published_read(const json_t *answer, struct published *out_published, struct failure *why)
{
	const json_t *data = json_object_get(answer, "data");
	const json_t *metadata = json_object_get(data, "metadata");
	const json_t *version = json_object_get(metadata, "version");
	struct published published = { 0 };

	if (!json_is_integer(version) || json_integer_value(version) < 0)
		return failure_set(why, FAILURE_VAULT,
		    "expected a version in the answer, found none: is it KV version 2?");
	published.version = (uint64_t)json_integer_value(version);
	take_notes(json_object_get(metadata, "custom_metadata"), &published);
	if (json_is_object(json_object_get(data, "data")))
		read_content(json_object_get(data, "data"), &published);
	*out_published = published;
	return 0;
}

void
published_clear(struct published *published)
{
	edition_clear(&published->edition);
	json_decref(published->notes);
	*published = (struct published){ 0 };
}

bool
published_holds(const struct published *published, const struct edition *edition)
{
	return published->edition.content[0] != '\0' &&
	    strcmp(published->edition.content, edition->content) == 0;
}

/* --- What is written --- */

static void
take_body(json_t *take_body, struct secret *out_body)
{
	secret_clear(out_body);
	fields_dump(take_body, JSON_COMPACT, out_body);
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

/* What was noted before tells how long the key has been the same, what was published at least
 * whether it is. */
static uint64_t
find_key_since(const struct published *published, const struct edition *edition, uint64_t version)
{
	const bool same = strcmp(published->edition.key_id, edition->key_id) == 0;
	struct publish_notes notes;
	uint64_t since = same ? published->version : version;

	publish_notes_read(published->notes, &notes);
	if (strcmp(notes.edition.key_id, edition->key_id) == 0 && notes.key_since != 0 &&
	    notes.key_since < since)
		since = notes.key_since;
	publish_notes_clear(&notes);
	return since;
}

void
publish_secret_notes(const struct published *published, const struct edition *edition,
    uint64_t version, struct secret *out_body)
{
	json_t *notes = published->notes != NULL ? json_copy(published->notes) : json_object();
	json_t *ours = publish_notes_write(edition, version,
	    find_key_since(published, edition, version));

	json_object_update(notes, ours);
	json_decref(ours);
	take_body(json_pack("{s:o}", "custom_metadata", notes), out_body);
}
