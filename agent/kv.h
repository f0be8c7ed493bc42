/* SPDX-License-Identifier: ISC */
/*
 * kv: secrets of Vault's key-value engine, versions 1 and 2 (VAULT.md section 2).
 *
 * What is asked: which version a mount is, once for each; which version of a secret is the newest,
 * without receiving it; a secret. What a run learns is noted, so that the next one need not ask.
 */
#ifndef CERTLET_KV_H
#define CERTLET_KV_H

#include <jansson.h>

#include "failure.h"
#include "manifest.h"
#include "notes.h"
#include "vault.h"
#include "version.h"

struct kv {
	struct vault *vault;
	const struct notes *known;	/* from earlier runs */
	struct notes *learned;
	time_t now;
};

/* One secret, named by an entry of the manifest. */
struct kv_item {
	const struct entry *entry;
	enum kv_version version;	/* of its mount; set by kv_detect() */
	struct version newest;		/* set by kv_poll(); none: the policy gives no metadata */
	bool metadata_denied;		/* in this run */
	bool heard;			/* it had an answer in this run that was no 5xx */
	bool unanswered;		/* it had none, and what came last was a 5xx */
	uint64_t number;		/* the version that kv_read() asks for; 0: the newest */
};

/*
 * All return 0, or -1 when Vault is away: then some items were not told of. They call `done` once
 * for each item that has an answer; why is NULL when it is a good one. Failures name address and
 * path.
 */
typedef void kv_polled(void *context, struct kv_item *item, const struct failure *why);
typedef void kv_was_read(void *context, struct kv_item *item, const struct version *version,
    const json_t *data, const struct failure *why);

int kv_detect(struct kv *kv, struct kv_item *const items[], size_t count, struct failure *why);
int kv_poll(struct kv *kv, struct kv_item *const items[], size_t count, kv_polled *done,
    void *context, struct failure *why);	/* KV v2 only */
int kv_read(struct kv *kv, struct kv_item *const items[], size_t count, kv_was_read *done,
    void *context, struct failure *why);

/* A GET whose path and query (NULL: none) were made for it; the end of many. */
struct vault_ask kv_get(const char *namespace, char *take_path, char *take_query);
void kv_asks_free(struct vault_ask *asks, size_t count);
/* Of a LIST detailed-metadata: one page, after the key that was the last of the page before; NULL:
 * from the beginning. Caller frees. */
#define KV_PAGE_KEYS 200
char *kv_list_query(const char *after);

/* For kv-poll.c: "MOUNT/data/PATH"; a note by subject and what it is about; why there was nothing
 * good: the words of a 404, and whether it was an answer at all. */
char *kv_path(const struct kv_item *item, const char *infix);	/* NULL: KV v1; caller frees */
bool kv_noted(const struct kv *kv, const char *subject, const char *about, uint32_t *out_value);
void kv_note(struct kv *kv, const char *subject, const char *about, uint32_t value);
void kv_explain(const struct kv *kv, struct kv_item *item, const char *path,
    const struct vault_reply *reply, struct failure *why);

#endif
