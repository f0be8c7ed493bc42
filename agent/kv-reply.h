/* SPDX-License-Identifier: ISC */
/* kv-reply: what the KV engine's answers say of a secret: its version, its content, its absence. */
#ifndef CERTLET_KV_REPLY_H
#define CERTLET_KV_REPLY_H

#include <time.h>

#include <jansson.h>

#include "failure.h"
#include "vault.h"
#include "version.h"

/* All fail with FAILURE_ABSENT for what is deleted, destroyed or was never there, and with
 * FAILURE_VAULT for what cannot be understood; the text does not say which secret. */

/* The newest version, from the object that GET metadata and LIST detailed-metadata give. */
int kv_reply_metadata(const json_t *metadata, time_t now, struct version *out_newest,
    struct failure *why);

/* Version and content of a KV v2 secret, from the whole answer to GET data. */
int kv_reply_data(const json_t *json, struct version *out_version, const json_t **out_data,
    struct failure *why);

/* The same for KV v1, which has no versions: the digest of the content stands for one. */
int kv_reply_data_v1(const json_t *json, struct version *out_version, const json_t **out_data,
    struct failure *why);

/* Why a 404 came: one of its three shapes. */
void kv_reply_absent(const struct vault_reply *reply, struct failure *why);

/* A 404 of a versioned mount that was asked for a path of KV v1. */
bool kv_reply_is_versioned_mount(const struct vault_reply *reply);

#endif
