/* SPDX-License-Identifier: ISC */
/*
 * policy: the Vault policy that a manifest needs, in HCL, and no more: read of the data and
 * metadata of just its paths, no list.
 */
#ifndef CERTLET_POLICY_H
#define CERTLET_POLICY_H

#include "manifest.h"

char *policy_text(const struct manifest *manifest);	/* caller frees */

#endif
