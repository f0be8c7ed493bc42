/* SPDX-License-Identifier: ISC */
/*
 * bundle: a certificate, its chain and its key, read from PEM text of any order and written in
 * the one form in which they are installed. Pure: no I/O, no clock.
 *
 * Runs only in the unprivileged child and in certlet-publish: this is the code that hands outside
 * bytes to ASN.1.
 */
#ifndef CERTLET_BUNDLE_H
#define CERTLET_BUNDLE_H

#include <stddef.h>

#include "failure.h"
#include "leaf.h"
#include "secret.h"

/* What is installed: LF, 64 columns, key PKCS#8 unencrypted, chain in order without its root. */
struct material {
	struct secret cert, chain, key;	/* chain may be of 0 bytes */
	struct leaf leaf;
};

void material_clear(struct material *material);

struct bundle;	/* opaque: a chain of X509s and an EVP_PKEY */
struct chain;	/* chain.h: the leaf and its issuers, for judge */

/*
 * Reads all the PEM blocks of the texts (any may be NULL; order does not matter; text between
 * blocks is dropped). The leaf is the certificate that the key fits, wherever it stands; its
 * issuers are put into order. Unknown blocks, an encrypted key, two different keys, no key, no
 * certificate that the key fits, a certificate that is no link of the chain are failures of kind
 * FAILURE_REFUSED that say what was expected and what was found. Each text is at most 4 MiB, 100
 * blocks in all.
 */
int bundle_read(const struct secret *const texts[], size_t count,
    struct bundle **out_bundle, struct failure *why);
void bundle_free(struct bundle *bundle);	/* NULL is allowed */

/* Valid as long as the bundle. */
const struct leaf *bundle_leaf(const struct bundle *bundle);
const struct chain *bundle_chain(const struct bundle *bundle);

/* What is installed if judge_bundle() agrees. *out_material starts as {0}; caller clears. */
int bundle_write(const struct bundle *bundle, struct material *out_material, struct failure *why);

/* SHA-256 of the first certificate in a PEM text (what a service serves). */
int bundle_fingerprint(const char *pem, size_t size, char fingerprint[FINGERPRINT_BYTES],
    struct failure *why);

#endif
