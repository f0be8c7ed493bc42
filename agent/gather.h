/* SPDX-License-Identifier: ISC */
/*
 * gather: puts the plan's questions to the fetch process and writes what comes back as new
 * generations. Nothing is installed here: that is rollout's.
 */
#ifndef CERTLET_GATHER_H
#define CERTLET_GATHER_H

#include "run.h"

/*
 * After the call every selected item either has a change (item->to), is as wanted, or has a
 * failure; run->summary is filled. -1 with run->broken: the fetch process failed; whatever it had
 * delivered is thrown away. `fetch` may be NULL: the credentials are missing (run->summary.away).
 */
int gather_run(struct run *run, struct fetch *fetch);

#endif
