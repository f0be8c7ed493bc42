/* SPDX-License-Identifier: ISC */
/* publish-metrics: textfiles for the node exporter of Prometheus, one of a run of --all and one of
 * --list. Whole or not at all, 0644. */
#ifndef CERTLET_PUBLISH_METRICS_H
#define CERTLET_PUBLISH_METRICS_H

#include <stddef.h>
#include <time.h>

#include "failure.h"
#include "publish-list-show.h"

/* What a run of --all came to. */
struct publish_account {
	time_t time;
	enum exit_code code;
	size_t published, unchanged, failed;
};

/* The directory has to be there. Failures are of kind FAILURE_DISK. */
int publish_metrics_write_run(const char *path, const struct publish_account *account,
    struct failure *why);
int publish_metrics_write_list(const char *path, const struct shelf *shelf, struct failure *why);

#endif
