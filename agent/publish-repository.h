/* SPDX-License-Identifier: ISC */
/*
 * publish-repository: what Vault holds below certs/, by metadata alone: no secret is read.
 *
 * One LIST detailed-metadata for 200 names where the server knows it and the policy allows it, else
 * a LIST and the metadata of each; all directories at once.
 */
#ifndef CERTLET_PUBLISH_REPOSITORY_H
#define CERTLET_PUBLISH_REPOSITORY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "failure.h"
#include "publish-notes.h"
#include "publish-settings.h"

struct held {
	char *name;		/* below certs/; "team/" is a directory that could not be listed */
	uint64_t version;	/* the newest, deleted or not; 0: not known */
	bool deleted;
	struct publish_notes notes;	/* no not_after: not known */
	struct failure why;	/* why not; FAILURE_NONE: it is known, or deleted */
};

struct repository {
	struct held *items;	/* sorted by name */
	size_t count;
	bool whole;		/* no question was refused */
};

/* -1: no answer, not let in, not allowed to list, or no mount of version 2. *out_repository starts
 * as {0}; caller clears. */
int repository_read(const struct publish_settings *settings, time_t now,
    struct repository *out_repository, struct failure *why);
void repository_clear(struct repository *repository);

#endif
