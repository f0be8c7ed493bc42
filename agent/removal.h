/* SPDX-License-Identifier: ISC */
/*
 * removal: takes certificates away that are not wanted any more, after asking the services that
 * were told of them (rules 3, 7, 13, 14).
 */
#ifndef CERTLET_REMOVAL_H
#define CERTLET_REMOVAL_H

#include "failure.h"
#include "manifest.h"
#include "state.h"
#include "store.h"

struct removal {
	struct store *store;
	struct state *state;
	const char *state_directory;
	const struct manifest *manifest;	/* heirs of output paths; NULL: purge, there are none */
	bool force;				/* also what a service still uses */
	time_t now;
	unsigned int deleted, kept;		/* counted by removal_run() */
};

/*
 * Deletes the named certificates. Those that have to stay keep their place in the state with problem
 * still_used or failed. What is begun is written down first. -1: the state could not be written
 * (FAILURE_INTERNAL); pointers into state->certificates end here.
 */
int removal_run(struct removal *removal, const struct words *names, struct failure *why);

#endif
