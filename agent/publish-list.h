/* SPDX-License-Identifier: ISC */
/* publish-list: what the repository holds and how long it lasts, by metadata alone: a table, JSON,
 * the line of a plugin for monitoring, metrics. */
#ifndef CERTLET_PUBLISH_LIST_H
#define CERTLET_PUBLISH_LIST_H

#include <stdbool.h>
#include <time.h>

#include "publish-environment.h"

struct publish_list_options {
	const char *config_file;	/* NULL: the usual one, which need not be there */
	const struct publish_environment *environment;
	bool json, check;		/* instead of a table; both: the exit code of the check */
	long warn, critical;		/* seconds; 0: as configured */
	const char *metrics_file;	/* instead of a table; NULL: none */
	time_t now;
};

/* The exit code: that of a plugin with `check`, else an enum exit_code. */
int publish_list_run(const struct publish_list_options *options);

#endif
