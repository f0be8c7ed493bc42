/* SPDX-License-Identifier: ISC */
/* kv-fields: which fields of a KV secret hold certificate, chain and key (DESIGN section 4). */
#ifndef CERTLET_KV_FIELDS_H
#define CERTLET_KV_FIELDS_H

#include <jansson.h>

#include "failure.h"
#include "manifest.h"
#include "secret.h"

struct kv_texts {
	struct secret items[PART_COUNT];	/* PEM; of 0 bytes: there is none */
};

/*
 * By the entry's `fields`, else by the names that are known. FAILURE_REFUSED says which fields
 * were expected, and the names, never the values, of those found. *out_texts is overwritten; caller
 * clears.
 */
int kv_fields_pick(const json_t *data, const struct entry *entry, struct kv_texts *out_texts,
    struct failure *why);
void kv_texts_clear(struct kv_texts *texts);

#endif
