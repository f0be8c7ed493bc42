/* SPDX-License-Identifier: ISC */
/*
 * publish-upload: brings certificates into Vault that are not there yet: all of them at once, over
 * one connection and with one login.
 *
 * What is there is told by metadata where certlet-publish noted it; only where it did not is the
 * secret read. Each new version is written on condition that no other one came in between, then
 * noted.
 */
#ifndef CERTLET_PUBLISH_UPLOAD_H
#define CERTLET_PUBLISH_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "bundle.h"
#include "failure.h"
#include "publish-notes.h"
#include "publish-secret.h"
#include "publish-settings.h"

enum publish_outcome { OUTCOME_FAILED, OUTCOME_UNCHANGED, OUTCOME_PUBLISHED };

/* What is left to be done, in this order. */
enum publish_step { STEP_DONE, STEP_METADATA, STEP_DATA, STEP_JUDGE, STEP_WRITE, STEP_NOTE };

/* One certificate on its way. */
struct publish_item {
	char *name;			/* of the secret */
	/* Certbot's NAME-0001, which is compared with NAME but never written; NULL: it is none. */
	char *duplicate;
	struct material material;
	struct edition edition;

	/* Of the upload. */
	enum publish_step step;
	struct published published;
	uint64_t version;		/* that holds it, once it does */
	unsigned int tries;
	enum publish_outcome outcome;
	struct failure why;		/* OUTCOME_FAILED */
};

/* What messages call it. */
const char *publish_item_label(const struct publish_item *item);
void publish_item_fail(struct publish_item *item, const struct failure *why);
void publish_item_clear(struct publish_item *item);

struct publish_rules {
	bool force, dry_run;
	time_t now;
};

/*
 * Takes the items that are at STEP_METADATA; afterwards all are done. -1: Vault gave no answer or
 * did not let us in, or the mount is of the wrong kind; that is the failure of all that were not
 * done yet. Says what it publishes as log lines; failures of items are left to the caller.
 */
int publish_upload(const struct publish_settings *settings, const struct publish_rules *rules,
    struct publish_item items[], size_t count, struct failure *why);

#endif
