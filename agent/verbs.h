/* SPDX-License-Identifier: ISC */
/* verbs: what each verb of the command line does. All return the program's exit code. */
#ifndef CERTLET_VERBS_H
#define CERTLET_VERBS_H

#include <stdbool.h>

#include "log.h"
#include "sync.h"

struct options {
	struct sync_options sync;	/* the manifest, names, --dry-run and --force of other verbs too */
	bool json, system;
};

int verb_sync(const struct options *options);
int verb_status(const struct options *options);
int verb_check(const struct options *options);
int verb_test(const struct options *options);
int verb_policy(const struct options *options);
int verb_purge(const struct options *options);

#endif
