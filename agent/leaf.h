/* SPDX-License-Identifier: ISC */
/*
 * leaf: what a leaf certificate says of itself, as fixed fields that need no parser to be read
 * again: this, not the certificate, is what crosses from the child to the parent.
 */
#ifndef CERTLET_LEAF_H
#define CERTLET_LEAF_H

#include <time.h>

#include "failure.h"
#include "memory.h"

#define FINGERPRINT_BYTES 65	/* SHA-256 of the leaf's DER, lower-case hex, and NUL */

enum key_type { KEY_RSA, KEY_EC, KEY_ED25519, KEY_OTHER };

struct leaf {
	char fingerprint[FINGERPRINT_BYTES];
	char *serial;		/* hex, lower case, two digits a byte (openssl x509 -serial) */
	char *issuer;		/* one line, RFC 2253 order; UTF-8 without control characters */
	struct words names;	/* the SANs: DNS names lower case, addresses as text */
	time_t not_before, not_after;
	enum key_type key_type;
};

struct x509_st;

/* Refuses what cannot be said in these fields: strange names, dates before 1970. *out_leaf is
 * overwritten on success; caller clears. */
int leaf_describe(struct x509_st *certificate, struct leaf *out_leaf, struct failure *why);
void leaf_copy(struct leaf *leaf, const struct leaf *from);	/* *leaf is overwritten */
void leaf_clear(struct leaf *leaf);

#endif
