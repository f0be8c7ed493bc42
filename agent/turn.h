/* SPDX-License-Identifier: ISC */
/*
 * turn: one service's turn in a rollout: test, the search for the guilty, reload, the way back,
 * verify (DESIGN section 2, "service", steps 3 to 5).
 */
#ifndef CERTLET_TURN_H
#define CERTLET_TURN_H

#include "run.h"

/* One service in this rollout. */
struct visit {
	const struct service *service;
	struct known_service *known;	/* in run->state */
	bool runs;
	bool done;			/* had its turn… */
	bool owed_again;		/* …and owes another reload since */
	bool changes;			/* some item of this rollout uses it */
	bool owed_before;		/* a reload, for another reason than the changes of this rollout */
	bool recheck;			/* nothing is due but to ask again what it serves */
	bool failed_before;		/* its test failed before the swap */
	bool cut_short;			/* a command could not even be started: the next run goes on */
	/* The fingerprints that its port served, by item; "": no answer. NULL: not asked. */
	char (*served_before)[FINGERPRINT_BYTES];
};

struct rollout {
	struct run *run;
	struct visit *visits;	/* one for each service of the manifest, in its order */
	size_t count;
	bool any;		/* some certificate changes */
};

/* Whether the service of this visit uses the certificate. */
bool visit_uses(const struct visit *visit, const struct item *item);
void visit_note_success(struct visit *visit);

/*
 * Moves a link during judgement; one that cannot be moved fails its certificate and no other. One
 * that cannot go back is `stuck`.
 */
void turn_move(struct rollout *rollout, struct item *item, unsigned int generation);

/* `changes`: those of this rollout are to be judged too, not only an owed reload done. */
void turn_take(struct rollout *rollout, struct visit *visit, bool changes);

/* It served another leaf than ours: asks once whether it still does. */
void turn_recheck(struct rollout *rollout, struct visit *visit);

#endif
