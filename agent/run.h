/* SPDX-License-Identifier: ISC */
/* run: what the stages of one --sync share: one item for each certificate of the manifest. */
#ifndef CERTLET_RUN_H
#define CERTLET_RUN_H

#include <stdbool.h>
#include <time.h>

#include "failure.h"
#include "exchange.h"
#include "manifest.h"
#include "plan.h"
#include "sandbox.h"
#include "state.h"
#include "store.h"

struct sync_options {
	const char *manifest_file;
	struct words names;	/* empty: all */
	bool dry_run, force;
};

struct item {
	const struct entry *entry;
	struct owned *owned;	/* in run->state; valid until certificates are deleted */
	bool selected;		/* no NAMEs given, or this is one */
	unsigned int before[OWNED_GENERATIONS];	/* the run */
	struct keeper keeper;
	struct disk disk;
	struct step step;
	enum failure_kind failed;	/* not as wanted: its problem, and its words, are in `owned` */
	bool asked;		/* a question was put and no answer has come yet */

	/* A change: the link is to move from settled generation `from` (0: installed for the first
	 * time) to `to`. 0 in `to`: nothing changes. */
	unsigned int from, to;
	struct origin target;	/* of `to` */
	bool pending;		/* there is a change; a dry run leaves `to` 0 */
	bool in_place;		/* the link points to `to` */
	bool stuck;		/* it should not, but could not be moved back: the next run does that */
	bool fetched;		/* `to` was written in this run */
	bool unpruned;		/* generations that nothing points to could not be removed */
};

struct run {
	const struct sync_options *options;
	time_t now;
	struct manifest *manifest;
	struct state state;
	struct store *store;
	struct sandbox sandbox;
	struct item *items;	/* manifest->entry_count of them, in its order */
	struct failure wrapping;	/* why there is no new secret-id, although there should be */
	struct fetch_summary summary;
	struct failure broken;	/* FAILURE_INTERNAL: certlet itself failed; kind NONE if not */
	struct tally {
		unsigned int deleted, repaired, reloaded;
		unsigned int kept;	/* what should have gone */
	} tally;
};

/* Whether a service is newly listed for what is here already: it has not read it yet. */
bool item_has_new_service(const struct item *item, const char *service);

/* Whether any item of the run that is not as wanted is this one's fault: problem and words noted, and told. */
void item_fail(struct run *run, struct item *item, enum problem problem, const struct failure *why);

/* How many services of the run's certificates owe a reload or have failed; in *out_all, of how many. */
size_t run_services_lacking(const struct run *run, size_t *out_all);

/* Writes the state down; a failure of that is the run's. */
int run_save(struct run *run);

#endif
