/* SPDX-License-Identifier: ISC */
/*
 * failover: carries out requests at the first address that answers them. One struct per talk with
 * Vault: it knows the connection, which address is good, and how much of `deadline` is left.
 */
#ifndef CERTLET_FAILOVER_H
#define CERTLET_FAILOVER_H

#include "vault.h"

struct failover;

/* Both are borrowed. Caller frees. */
struct failover *failover_new(const struct vault_settings *settings,
    const struct credentials *credentials, struct failure *why);
void failover_free(struct failover *failover);

/* As vault_ask(), with a token given; NULL: none is sent. -1: FAILURE_VAULT. */
int failover_ask(struct failover *failover, const struct vault_ask *asks, size_t count,
    const struct secret *token, vault_done *done, void *context, struct failure *why);

int32_t failover_address(const struct failover *failover);	/* that answered last; -1: none */
uint32_t failover_requests(const struct failover *failover);

#endif
