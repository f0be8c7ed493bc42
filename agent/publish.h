/* SPDX-License-Identifier: ISC */
/*
 * publish: puts certificates, their chains and their keys into the KV v2 secrets from which certlet
 * installs them, after the judgement that certlet itself will pass on them (DESIGN section 5).
 *
 * A program of its own: the right to write to Vault must not be reachable from the agent.
 */
#ifndef CERTLET_PUBLISH_H
#define CERTLET_PUBLISH_H

#include <stdbool.h>
#include <time.h>

#include "failure.h"
#include "publish-environment.h"
#include "publish-source.h"

struct publish_options {
	const char *config_file;	/* NULL: the usual one, which need not be there */
	const struct publish_environment *environment;
	const char *name;		/* NULL: the last part of source.directory */
	struct publish_source source;
	const char *all;		/* the lineages below it, instead; NULL: no */
	const char *metrics_file;	/* with `all`; NULL: none */
	bool force, dry_run;
	time_t now;
};

/* Says what it does and what went wrong, as log lines. */
enum exit_code publish_run(const struct publish_options *options);

#endif
