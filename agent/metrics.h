/* SPDX-License-Identifier: ISC */
/*
 * metrics: what status.json says, as a textfile of node_exporter's ([agent] metrics_file).
 *
 * The file begins with a line by which it is known: nothing that does not begin so is replaced or
 * removed. Holds no secret; 0644.
 */
#ifndef CERTLET_METRICS_H
#define CERTLET_METRICS_H

#include "failure.h"
#include "file.h"
#include "state.h"
#include "status-read.h"

/*
 * Opens the directory of the file. It may belong to the user of node_exporter, as distributions
 * have it: nothing that is written there is believed by anybody but him.
 */
enum found metrics_open_directory(const char *path, int *out_directory, const char **out_name,
    struct failure *why);

/* Atomically. FAILURE_DISK: something of others stands there, the directory is missing or not safe. */
int metrics_write(const char *path, const struct seen_status *status, struct failure *why);

/*
 * Puts `path` (NULL: none, --purge) on record in the state, which the caller writes before the file
 * is, and removes the files that were on record before; what others put in their place is named and
 * left. -1: at least one is still there, and on record.
 */
int metrics_settle(struct state *state, const char *path, struct failure *why);

#endif
