/* SPDX-License-Identifier: ISC */
/* The inside of a bundle, for bundle.c, which reads it, and bundle-write.c. */
#ifndef CERTLET_BUNDLE_PARTS_H
#define CERTLET_BUNDLE_PARTS_H

#include <openssl/evp.h>

#include "chain.h"
#include "leaf.h"

struct bundle {
	EVP_PKEY *key;
	struct leaf leaf;
	struct chain chain;
};

#endif
