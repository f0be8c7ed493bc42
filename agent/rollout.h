/* SPDX-License-Identifier: ISC */
/*
 * rollout: puts new generations in place and lets the services judge them: test, swap, test, reload,
 * verify, and back again where one says no (DESIGN section 2, "service", five steps).
 */
#ifndef CERTLET_ROLLOUT_H
#define CERTLET_ROLLOUT_H

#include "run.h"

/*
 * Takes every item with a change and every owed reload through the five steps. What comes of an
 * item is in item->failure and item->owned; what comes of a service in run->state. -1 only with
 * run->broken: the state could not be written, and what is under way is found by the next run.
 */
int rollout_run(struct run *run);

#endif
