/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "judge-installed.h"
#include "times.h"

#define SHORT_LIFE_SECONDS (75L * 86400)

long
judge_threshold(long setting, int share, const struct leaf *leaf)
{
	const long life = (long)(leaf->not_after - leaf->not_before);

	return life < SHORT_LIFE_SECONDS ? life / share : setting;
}

static bool
is_critical(const struct leaf *leaf, const struct requirements *requirements)
{
	return leaf->not_after - requirements->now <
	    judge_threshold(requirements->critical, 10, leaf);
}

static bool
is_step_back(const struct requirements *requirements)
{
	return requirements->installed_version != NULL && requirements->offered_version != NULL &&
	    version_is_step_back(requirements->offered_version, requirements->installed_version);
}

/* What --force skips. */
static int
check_against_installed(const struct leaf *leaf, const struct requirements *requirements,
    struct failure *why)
{
	char offered_text[TIMES_TEXT_BYTES], installed_text[TIMES_TEXT_BYTES];

	if (is_step_back(requirements))
		return failure_set(why, FAILURE_REFUSED, "expected a version made after the "
		    "installed one (%s), found one made at %s",
		    requirements->installed_version->created,
		    requirements->offered_version->created);
	if (is_critical(leaf, requirements) && !is_critical(requirements->installed, requirements))
		return failure_set(why, FAILURE_REFUSED,
		    "expected a certificate that lasts, as the installed one does until %s, "
		    "found one that ends at %s",
		    times_rfc3339(requirements->installed->not_after, installed_text),
		    times_rfc3339(leaf->not_after, offered_text));
	return 0;
}

static char *
notice_of_older(const struct leaf *leaf, const struct leaf *installed)
{
	const bool begins = leaf->not_before < installed->not_before;
	char offered_text[TIMES_TEXT_BYTES], installed_text[TIMES_TEXT_BYTES];

	if (!begins && leaf->not_after >= installed->not_after)
		return NULL;
	times_rfc3339(begins ? leaf->not_before : leaf->not_after, offered_text);
	times_rfc3339(begins ? installed->not_before : installed->not_after, installed_text);
	return memory_format("the certificate is older than the installed one: it %s at %s, "
	    "the installed one at %s", begins ? "begins" : "ends", offered_text, installed_text);
}

int
judge_against_installed(const struct leaf *leaf, const struct requirements *requirements,
    char **out_notice, struct failure *why)
{
	const struct leaf *installed = requirements->installed;
	struct failure against;

	if (strcmp(leaf->fingerprint, installed->fingerprint) == 0) {
		if (is_step_back(requirements))
			*out_notice = memory_text("an older version is offered again, "
			    "with the very certificate that is installed");
		return 0;
	}
	if (check_against_installed(leaf, requirements, &against) == 0)
		*out_notice = notice_of_older(leaf, installed);
	else if (requirements->force)
		*out_notice = memory_format("taken by force: %s", against.text);
	else {
		*why = against;
		return -1;
	}
	return 0;
}
