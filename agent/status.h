/* SPDX-License-Identifier: ISC */
/*
 * status: status.json, written by each run, read by everybody else (DESIGN section 6).
 *
 * Written by root, 0644, without a secret, and never read back as state: --status, --check, the
 * Puppet fact and monitoring need nothing else, as any user.
 */
#ifndef CERTLET_STATUS_H
#define CERTLET_STATUS_H

#include <time.h>

#include "failure.h"
#include "findings.h"
#include "manifest.h"
#include "memory.h"
#include "origin.h"
#include "state.h"

struct status_run {
	time_t time;			/* when it began */
	enum exit_code exit;
	double seconds;
	unsigned int requests;
	const char *error;		/* of Vault as a whole, or of the run; NULL */
	const struct words *sandbox;	/* active layers */
};

/* One certificate of the manifest, or one that is only in the state and could not go yet. */
struct status_certificate {
	const struct entry *entry;	/* NULL: not in the manifest any more */
	const struct owned *owned;	/* NULL: never seen by a run */
	const struct origin *installed;	/* NULL: nothing is */
	unsigned int generation;	/* that the link points to; 0: none */
};

/* Writes state_directory/status.json by an atomic rename. */
int status_write(const struct manifest *manifest, const struct state *state,
    const struct status_certificate certificates[], size_t count, const struct status_run *run,
    struct failure *why);
int status_remove(const char *state_directory, struct failure *why);

/* --status: a table, or with `json` the file as it is; names empty: all, else these only. -1: no
 * status.json, an unknown name, or it could not be written. */
int status_show(const char *state_directory, const struct words *names, bool json, time_t now,
    struct failure *why);

/* --check: prints "CERTLET OK - …" and returns the plugin's exit code. */
enum check_result status_check(const char *state_directory, time_t now);

#endif
