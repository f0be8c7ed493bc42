/* SPDX-License-Identifier: ISC */
/*
 * publish-secret: what the KV v2 secret of a certificate looks like, written and read back, as a
 * whole or by its metadata alone (DESIGN section 4). Pure: no I/O.
 */
#ifndef CERTLET_PUBLISH_SECRET_H
#define CERTLET_PUBLISH_SECRET_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "bundle.h"
#include "failure.h"
#include "publish-notes.h"
#include "secret.h"
#include "version.h"

/* What Vault holds at present. {0}: nothing. */
struct published {
	uint64_t version;		/* newest, deleted or not: for a check-and-set; 0: none */
	char created[VERSION_CREATED_BYTES];	/* "": it is deleted, or only data was read */
	struct edition edition;		/* of that version; no fingerprint: none, or not known */
	bool noted;			/* the custom metadata says all that, of this version */
	struct failure broken;		/* why the data that was read are no edition */
	json_t *notes;			/* custom metadata; NULL: none */
};

/* Of the answer to a read of metadata, or of one entry of a LIST detailed-metadata: its "data". */
int published_read_metadata(const json_t *data, time_t now, struct published *out_published,
    struct failure *why);
/* Of the answer to a read of data; also of the 404 of a deleted version. */
int published_read(const json_t *answer, struct published *out_published, struct failure *why);
void published_clear(struct published *published);
bool published_holds(const struct published *published, const struct edition *edition);

/* Bodies of the two requests that write. `cas` is the version that must still be the newest. */
void publish_secret_data(const struct material *material, uint64_t cas, struct secret *out_body);
/* `version` holds the edition, and came after what was published, or is that. Notes of other
 * people are kept. */
void publish_secret_notes(const struct published *published, const struct edition *edition,
    uint64_t version, struct secret *out_body);

#endif
