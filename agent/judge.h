/* SPDX-License-Identifier: ISC */
/*
 * judge: everything that is checked before a swap (DESIGN section 5). Pure: no I/O; the clock is
 * an argument. Each refusal says what was expected and what was found.
 */
#ifndef CERTLET_JUDGE_H
#define CERTLET_JUDGE_H

#include <stdbool.h>
#include <time.h>

#include "bundle.h"
#include "failure.h"
#include "memory.h"
#include "secret.h"
#include "version.h"

struct requirements {
	const struct words *names;	/* NULL or empty: not checked (names = any) */
	const struct secret *trust;	/* PEM of roots; NULL: no trust_file */
	time_t now;
	bool force;			/* take what the last two checks refuse */
	/* What is installed, NULL if nothing is. */
	const struct leaf *installed;
	/* Both given when the installed one came from the same source, else NULL. */
	const struct version *installed_version, *offered_version;
	long critical;			/* seconds, as [agent] says */
};

/*
 * 0, or -1 with FAILURE_REFUSED. *out_retry (may be NULL) is the time from which it is worth to
 * judge the same version again: its not_before where that is ahead, else 0.
 * *out_notice (may be NULL) is a sentence for a thing that was accepted but is worth saying (an
 * older certificate; the very pair that is installed offered again by an older version; what
 * force took), or NULL; caller frees.
 */
int judge_bundle(const struct bundle *bundle, const struct requirements *requirements,
    time_t *out_retry, char **out_notice, struct failure *why);

/* The thresholds of one certificate, in seconds: `setting`, or, when the certificate lives under
 * 75 days, that share of its life (warn: a fifth, share 5; critical: a tenth, share 10). */
long judge_threshold(long setting, int share, const struct leaf *leaf);

#endif
