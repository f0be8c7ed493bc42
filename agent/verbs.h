/* SPDX-License-Identifier: ISC */
/* verbs: what each verb of the command line does. All return the program's exit code. */
#ifndef CERTLET_VERBS_H
#define CERTLET_VERBS_H

#include <stdbool.h>

#include "log.h"
#include "sync.h"

enum {
	VERB_SYNC, VERB_STATUS, VERB_CHECK, VERB_TEST, VERB_POLICY, VERB_PURGE, VERB_COUNT,
	OPTION_DRY_RUN, OPTION_FORCE, OPTION_SPLAY, OPTION_JSON, OPTION_SYSTEM, OPTION_RESTORE,	/* with some */
	OPTION_MANIFEST, OPTION_VERBOSE, OPTION_QUIET, OPTION_VERSION, OPTION_HELP
};

#define BIT(option) (1U << (option))

struct options {
	struct sync_options sync;	/* the manifest, names, --dry-run and --force of other verbs too */
	const char *splay;		/* a duration; NULL: none */
	unsigned int given;		/* which options were, as bits */
};

static inline bool
options_have(const struct options *options, int option)
{
	return (options->given & BIT(option)) != 0;
}

int verb_sync(const struct options *options);
int verb_status(const struct options *options);
int verb_check(const struct options *options);
int verb_test(const struct options *options);
int verb_policy(const struct options *options);
int verb_purge(const struct options *options);

#endif
