/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "times.h"
#include "version.h"

bool
version_is_none(const struct version *version)
{
	return version->created[0] == '\0';
}

bool
version_equal(const struct version *a, const struct version *b)
{
	return a->number == b->number && strcmp(a->created, b->created) == 0;
}

bool
version_is_step_back(const struct version *offered, const struct version *installed)
{
	long offered_nanoseconds, installed_nanoseconds;
	time_t offered_time, installed_time;

	if (!times_parse_rfc3339(offered->created, &offered_time, &offered_nanoseconds) ||
	    !times_parse_rfc3339(installed->created, &installed_time, &installed_nanoseconds))
		return false;
	return offered_time != installed_time ? offered_time < installed_time :
	    offered_nanoseconds < installed_nanoseconds;
}
