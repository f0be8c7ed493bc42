/* SPDX-License-Identifier: ISC */
/*
 * publish-notes: what is known of one version of a certificate's secret, and how it is noted in the
 * custom metadata (DESIGN section 4), from where it can be told without reading a private key.
 * Pure: no I/O.
 *
 * Vault keeps one custom metadata for all versions, written by a request of its own: the notes name
 * the version that they speak of.
 */
#ifndef CERTLET_PUBLISH_NOTES_H
#define CERTLET_PUBLISH_NOTES_H

#include <stdint.h>

#include <jansson.h>

#include "bundle.h"
#include "failure.h"
#include "origin.h"

struct edition {
	struct leaf leaf;		/* no fingerprint: nothing is known */
	/* Both "" where they are not known. */
	char content[DIGEST_BYTES];	/* of certificate and chain as they are written */
	char key_id[DIGEST_BYTES];	/* of the public key (SubjectPublicKeyInfo) */
};

/* *out_edition is overwritten; caller clears. */
int edition_describe(const struct bundle *bundle, const struct material *material,
    struct edition *out_edition, struct failure *why);
void edition_clear(struct edition *edition);

/* What custom metadata says. */
struct publish_notes {
	struct edition edition;
	/* Both 0 where they are not said. */
	uint64_t version;	/* that all this is said of */
	uint64_t key_since;	/* the first that had the same key */
};

/* *out_notes is overwritten; what is missing or nonsense is not known. Caller clears. */
void publish_notes_read(const json_t *metadata, struct publish_notes *out_notes);
void publish_notes_clear(struct publish_notes *notes);

/* For custom metadata; `version` is the one that the edition is. Caller frees. */
json_t *publish_notes_write(const struct edition *edition, uint64_t version, uint64_t key_since);

#endif
