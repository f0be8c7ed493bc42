/* SPDX-License-Identifier: ISC */
/*
 * chain: a leaf and its issuers in the order in which a server sends them. Pure: no I/O, no clock.
 *
 * Only puts into order, by the names of issuers: whether the signatures are good, the links are
 * CAs and the dates are right is judge's to say.
 */
#ifndef CERTLET_CHAIN_H
#define CERTLET_CHAIN_H

#include <stddef.h>
#include <time.h>

#include <openssl/x509.h>

#include "failure.h"

struct link {
	X509 *certificate;
	char *subject;		/* for messages */
	time_t not_before, not_after;
};

struct chain {
	struct link *links;	/* the leaf is the first */
	size_t count;
	struct link root;	/* self-signed, not written; without a certificate: none seen */
};

/*
 * `certificates` in any order, no two the same, one of them `leaf`. One that is neither the leaf,
 * nor an issuer in its chain, nor a root is refused. *chain starts as {0}; the certificates are
 * referenced. Caller clears.
 */
int chain_build(STACK_OF(X509) *certificates, X509 *leaf, struct chain *chain,
    struct failure *why);
void chain_clear(struct chain *chain);

#endif
