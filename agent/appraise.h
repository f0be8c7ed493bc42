/* SPDX-License-Identifier: ISC */
/* appraise: whether a secret that was read may be installed. Pure but for the clock. */
#ifndef CERTLET_APPRAISE_H
#define CERTLET_APPRAISE_H

#include <jansson.h>

#include "exchange.h"
#include "kv.h"

/*
 * From the fields of a secret to material in *answer, with notice and retry. -1: FAILURE_REFUSED,
 * which names source and version; answer->retry may be set then too. The caller clears the answer.
 */
int appraise_secret(const struct agent_settings *agent, const struct question *question,
    const struct kv_item *item, const struct version *version, const json_t *data,
    struct answer *answer, struct failure *why);

#endif
