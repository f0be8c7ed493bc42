/* SPDX-License-Identifier: ISC */
/* publish-judge: whether a certificate may take the place of the one that is published. Pure. */
#ifndef CERTLET_PUBLISH_JUDGE_H
#define CERTLET_PUBLISH_JUDGE_H

#include "judge.h"

/*
 * The published one counts as the installed one: on the servers it is. What certlet would only
 * notice is refused here: an older certificate is a mistake of the one who publishes. A refusal
 * that force skips is logged.
 */
int publish_judge(const char *name, const struct leaf *leaf,
    const struct requirements *requirements, struct failure *why);

#endif
