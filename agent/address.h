/* SPDX-License-Identifier: ISC */
/* address: the addresses of Vault as the manifest lists them, and what may be sent where. */
#ifndef CERTLET_ADDRESS_H
#define CERTLET_ADDRESS_H

#include <stddef.h>

#include "memory.h"
#include "vault.h"

struct address {
	const char *text;	/* as the manifest says it */
	const char *base;	/* what "/v1/…" is appended to */
	const char *unix_socket;
	long port;		/* 0: none */
	char *complaint;	/* why it did not answer; NULL: it did, or was not asked */
};

struct address_list {
	struct address *items;
	size_t count;
};

/* Borrows the texts. */
void address_list_read(const struct words *texts, struct address_list *out_list);
void address_list_clear(struct address_list *list);

void address_complain(struct address *address, const char *complaint);	/* NULL: takes it back */
char *address_url(const struct address *address, const struct vault_ask *ask);	/* caller frees */

/* What is wrong with following a redirect from one URL to another; NULL: nothing. location may be
 * NULL. */
const char *address_judge_redirect(const struct address_list *list, const char *from,
    const char *location);

#endif
