/* SPDX-License-Identifier: ISC */
/*
 * publish-secret: what the KV v2 secret of a certificate looks like: written, read back, and noted
 * in its custom metadata (DESIGN section 4). Pure: no I/O.
 */
#ifndef CERTLET_PUBLISH_SECRET_H
#define CERTLET_PUBLISH_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "bundle.h"
#include "failure.h"
#include "secret.h"

/* What Vault holds at present. {0}: nothing. */
struct published {
	uint64_t version;		/* newest, deleted or not: what a check-and-set names */
	struct material material;	/* no fingerprint: there is none, or a broken one */
	struct failure broken;		/* why it is; FAILURE_NONE: it is not */
	json_t *notes;			/* custom metadata; NULL: none */
};

/* Of the answer to a read of data; also the 404 of a deleted version. *published starts as {0}. */
int published_read(const json_t *answer, struct published *published, struct failure *why);
void published_clear(struct published *published);
bool published_holds(const struct published *published, const struct material *material);
bool published_notes(const struct published *published, const struct leaf *leaf);

/* Bodies of the two requests that write. `cas` is the version that must still be the newest. */
void publish_secret_data(const struct material *material, uint64_t cas, struct secret *out_body);
/* Notes of other people are kept. */
void publish_secret_notes(const struct published *published, const struct leaf *leaf,
    struct secret *out_body);

#endif
