/* SPDX-License-Identifier: ISC */
/* report: renders what a run did: lines for people, status.json for everybody else. */
#ifndef CERTLET_REPORT_H
#define CERTLET_REPORT_H

#include "run.h"

void report_manifest_errors(const char *file, const struct manifest_errors *errors);

/* A dry run: what would change, by fingerprints. */
void report_changes(const struct run *run);
void report_deletions(const struct words *names);

/* Lines for what was installed, the summary, status.json and the metrics. Returns the exit code, of that too. */
enum exit_code report_end(const struct run *run, enum exit_code code, double seconds);

/* status.json after a purge that left something: only what is still there. */
int report_purge(const struct manifest *manifest, const struct state *state, const struct store *store,
    time_t now, enum exit_code code, struct failure *why);

#endif
