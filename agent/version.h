/* SPDX-License-Identifier: ISC */
/*
 * version: which write of a secret something came from.
 *
 * Numbers start again at 1 when a path is removed and made again, so that only (number, created)
 * together name a version, and only inequality means "new" (VAULT.md 2.1). KV v1 has neither:
 * there the number is 0 and created is "sha256:" and the digest of the secret's content.
 */
#ifndef CERTLET_VERSION_H
#define CERTLET_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#define VERSION_CREATED_BYTES 80

struct version {
	uint64_t number;
	char created[VERSION_CREATED_BYTES];	/* RFC 3339 with nanoseconds; "" : no version */
};

bool version_is_none(const struct version *version);
bool version_equal(const struct version *a, const struct version *b);
/* Created before the installed one; the numbers say nothing (a path removed and made again counts
 * from 1). False when either time cannot be read, as for KV v1. */
bool version_is_step_back(const struct version *offered, const struct version *installed);

#endif
