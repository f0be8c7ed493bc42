/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "certificate.h"
#include "chain.h"
#include "file.h"
#include "publish-notes.h"
#include "times.h"

#define NOTE_BYTES_MOST 512	/* of a value of custom metadata; Vault refuses more */
#define NAMES_BYTES_MOST (NOTE_BYTES_MOST - 16)	/* leaves room for " +12345" */

/* --- An edition --- */

static int
describe_key(X509 *certificate, char key_id[DIGEST_BYTES], struct failure *why)
{
	unsigned char *bytes = NULL;
	const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);

	if (size <= 0)
		return failure_set(why, FAILURE_INTERNAL, "encode a public key: %s",
		    certificate_library_error());
	file_digest(bytes, (size_t)size, key_id);
	OPENSSL_free(bytes);
	return 0;
}

int
edition_describe(const struct bundle *bundle, const struct material *material,
    struct edition *out_edition, struct failure *why)
{
	struct edition edition = { 0 };
	struct secret written = { 0 };

	if (describe_key(bundle_chain(bundle)->links[0].certificate, edition.key_id, why) == -1)
		return -1;
	secret_set(&written, material->cert.bytes, material->cert.size);
	secret_append(&written, material->chain.bytes, material->chain.size);
	file_digest(written.bytes, written.size, edition.content);
	secret_clear(&written);
	leaf_copy(&edition.leaf, &material->leaf);
	*out_edition = edition;
	return 0;
}

void
edition_clear(struct edition *edition)
{
	leaf_clear(&edition->leaf);
	*edition = (struct edition){ 0 };
}

/* --- Reading notes --- */

static const char *
text_of(const json_t *metadata, const char *key)
{
	const char *text = json_string_value(json_object_get(metadata, key));

	return text != NULL ? text : "";
}

static void
read_digest(const json_t *metadata, const char *key, char digest[DIGEST_BYTES])
{
	const char *text = text_of(metadata, key);

	if (strlen(text) == DIGEST_BYTES - 1 &&
	    strspn(text, "0123456789abcdef") == DIGEST_BYTES - 1)
		memcpy(digest, text, DIGEST_BYTES);
}

static time_t
read_time(const json_t *metadata, const char *key)
{
	time_t when = 0;

	return times_parse_rfc3339(text_of(metadata, key), &when, NULL) ? when : 0;
}

static uint64_t
read_number(const json_t *metadata, const char *key)
{
	const char *text = text_of(metadata, key);
	const size_t digits = strspn(text, "0123456789");

	return digits != 0 && digits < 16 && text[digits] == '\0' ? strtoull(text, NULL, 10) : 0;
}

void
publish_notes_read(const json_t *metadata, struct publish_notes *out_notes)
{
	struct publish_notes notes = { 0 };
	struct leaf *leaf = &notes.edition.leaf;

	read_digest(metadata, "fingerprint", leaf->fingerprint);
	read_digest(metadata, "content", notes.edition.content);
	read_digest(metadata, "key_id", notes.edition.key_id);
	leaf->serial = memory_text(text_of(metadata, "serial"));
	leaf->issuer = memory_text(text_of(metadata, "issuer"));
	leaf->not_before = read_time(metadata, "not_before");
	leaf->not_after = read_time(metadata, "not_after");
	words_split(&leaf->names, text_of(metadata, "names"), " ");
	notes.version = read_number(metadata, "version");
	notes.key_since = read_number(metadata, "key_since");
	*out_notes = notes;
}

void
publish_notes_clear(struct publish_notes *notes)
{
	edition_clear(&notes->edition);
	*notes = (struct publish_notes){ 0 };
}

/* --- Writing notes --- */

/* As many whole names as there is room for, and how many more there are. */
static char *
join_names(const struct words *names)
{
	char *text = memory_text(names->count != 0 ? names->items[0] : "");
	size_t i;

	for (i = 1; i < names->count; i++) {
		if (strlen(text) + 1 + strlen(names->items[i]) > NAMES_BYTES_MOST)
			break;
		memory_append(&text, " %s", names->items[i]);
	}
	if (i < names->count)
		memory_append(&text, " +%zu", names->count - i);
	return text;
}

/* Vault takes no empty value and no long one. */
static void
put_text(json_t *notes, const char *key, const char *text)
{
	if (*text != '\0' && strlen(text) <= NOTE_BYTES_MOST)
		json_object_set_new(notes, key, json_string(text));
}

static void
put_number(json_t *notes, const char *key, uint64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	put_text(notes, key, text);
}

json_t *
publish_notes_write(const struct edition *edition, uint64_t version, uint64_t key_since)
{
	const struct leaf *leaf = &edition->leaf;
	char when[TIMES_TEXT_BYTES], *names = join_names(&leaf->names);
	json_t *notes = json_object();

	put_text(notes, "fingerprint", leaf->fingerprint);
	put_text(notes, "serial", leaf->serial);
	put_text(notes, "issuer", leaf->issuer);
	put_text(notes, "names", names);
	put_text(notes, "not_before", times_rfc3339(leaf->not_before, when));
	put_text(notes, "not_after", times_rfc3339(leaf->not_after, when));
	put_text(notes, "content", edition->content);
	put_text(notes, "key_id", edition->key_id);
	put_number(notes, "key_since", key_since);
	put_number(notes, "version", version);
	free(names);
	return notes;
}
