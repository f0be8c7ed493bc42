/* SPDX-License-Identifier: ISC */
/* judge-installed: the half of judge that compares with what is installed. */
#ifndef CERTLET_JUDGE_INSTALLED_H
#define CERTLET_JUDGE_INSTALLED_H

#include "judge.h"

/* requirements->installed is given. *out_notice is only written where there is something to say. */
int judge_against_installed(const struct leaf *leaf, const struct requirements *requirements,
    char **out_notice, struct failure *why);

#endif
