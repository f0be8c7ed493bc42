/* SPDX-License-Identifier: ISC */
/*
 * service: asks one service whether it runs, whether it likes its configuration, and to reload.
 * Knows nothing of certificates; rollout.c decides what an answer means.
 */
#ifndef CERTLET_SERVICE_H
#define CERTLET_SERVICE_H

#include <stdbool.h>

#include "failure.h"
#include "manifest.h"

enum service_condition { CONDITION_RUNS, CONDITION_INACTIVE, CONDITION_UNMANAGED };

/*
 * Runs its `active` command. INACTIVE: it fails (no answer in time is not taken for a "no"), or
 * the program of `test` does not exist.
 * UNMANAGED: systemd does not run here and nothing stands in for its defaults. A service whose
 * section spells out its own reload but not how to see whether it runs is taken as running there.
 */
enum service_condition service_condition(const struct service *service);

enum service_answer {
	SERVICE_YES,
	SERVICE_NO,
	SERVICE_UNASKED,	/* no process, pipe or memory for its command: nothing is known */
};

bool service_has_test(const struct service *service);
/* What is not YES: FAILURE_SERVICE with the end and the last words of the command. */
enum service_answer service_test(const struct service *service, struct failure *why);
enum service_answer service_reload(const struct service *service, struct failure *why);

/* Whether systemd is the init of this system: /run/systemd/system exists (sd_booted(3)). */
bool service_systemd_runs(void);

#endif
