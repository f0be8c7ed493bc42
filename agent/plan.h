/* SPDX-License-Identifier: ISC */
/*
 * plan: decides what has to happen to each certificate.
 *
 * Compares what is wanted (manifest), what certlet did and owes (state), what lies on the disk, and
 * `now`. Reads no file, opens no socket, prints nothing.
 */
#ifndef CERTLET_PLAN_H
#define CERTLET_PLAN_H

#include <stdbool.h>
#include <time.h>

#include "exchange.h"
#include "manifest.h"
#include "state.h"
#include "store.h"

/* What a killed run left of a swap. */
enum interrupted {
	INTERRUPTED_NOT,
	INTERRUPTED_RESUME,	/* generation `to` is on its way in, or in and not yet judged by its services */
	INTERRUPTED_GO_BACK,	/* what the link points to was sentenced, and is a candidate already */
	INTERRUPTED_FORGET,	/* what it left is of no use */
};

struct step {
	unsigned int settled;	/* the generation that counts as installed; 0: none */
	bool damaged;		/* its content is lost or changed: a new generation is needed */
	bool repair;		/* owner, mode, link or outputs have to be set right, in place */
	bool record;		/* outputs that are right have to be written down */
	enum interrupted interrupted;
	bool candidate_kept;	/* owned->candidate is still of use… */
	bool candidate_due;	/* …and is to be tried in this run, unless Vault offers something else */
	bool refusal_holds;	/* owned->refused is not to be read again */
	bool ask;		/* question is to be put to Vault */
	struct question question;	/* without leaf and trust; entry is not set */
};

/* `lifted`: named on the command line: refusals and quarantine are lifted. */
void plan_step(const struct entry *entry, const struct owned *owned, const struct disk *disk,
    const struct agent_settings *agent, bool lifted, bool force, time_t now, struct step *out_step);

/* The keys of an entry by which a version is judged, as one text: when it changes, a version that
 * was refused or is installed is read and judged again. Caller frees. */
char *plan_judging_keys(const struct entry *entry);

/* Whether what is installed has less left than its `critical` time. */
bool plan_is_critical(const struct leaf *leaf, const struct agent_settings *agent, time_t now);

/* How long a version stays in quarantine after one more failed reload: min(1 h, a tenth of its life), doubling to 24 h.
 * `before` is the pause of the last time, 0 for none. Seconds. */
long plan_quarantine_pause(long before, const struct leaf *leaf);

/* The wanted certificate that one of the outputs of an unwanted one is to pass to, and that does not have it
 * yet (rule 14); NULL: none. *out_path is that output. */
const struct entry *plan_heir(const struct manifest *manifest, const struct state *state,
    const struct owned *owned, const char **out_path);

#endif
