/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "judge-installed.h"
#include "log.h"
#include "publish-judge.h"
#include "times.h"

static int
check_age(const struct leaf *leaf, const struct leaf *published, struct failure *why)
{
	char found[TIMES_TEXT_BYTES], expected[TIMES_TEXT_BYTES];

	if (leaf->not_before >= published->not_before)
		return 0;
	return failure_set(why, FAILURE_REFUSED, "expected a certificate that is no older than the "
	    "published one, which begins at %s, found one that begins at %s",
	    times_rfc3339(published->not_before, expected),
	    times_rfc3339(leaf->not_before, found));
}

int
publish_judge(const char *name, const struct leaf *leaf, const struct requirements *requirements,
    struct failure *why)
{
	struct failure older;
	char *notice = NULL;
	int result = 0;

	if (judge_against_installed(leaf, requirements, &notice, why) == -1)
		return failure_prefix(why, "compared with what is published now");
	if (check_age(leaf, requirements->installed, &older) == -1) {
		if (requirements->force)
			log_warning("%s: taken by force: %s", name, older.text);
		else
			result = failure_set(why, FAILURE_REFUSED, "%s (--force takes it)",
			    older.text);
	} else if (notice != NULL) {
		log_warning("%s: compared with what is published now: %s", name, notice);
	}
	free(notice);
	return result;
}
