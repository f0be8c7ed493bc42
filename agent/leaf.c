/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "certificate.h"
#include "leaf.h"

int
leaf_describe(X509 *certificate, struct leaf *out_leaf, struct failure *why)
{
	struct leaf leaf = { .key_type = certificate_key_type(certificate) };

	if (certificate_fingerprint(certificate, leaf.fingerprint, why) == -1 ||
	    certificate_dates(certificate, &leaf.not_before, &leaf.not_after, why) == -1 ||
	    certificate_names(certificate, &leaf.names, why) == -1)
		return -1;
	leaf.serial = certificate_serial(certificate);
	leaf.issuer = certificate_issuer(certificate);
	*out_leaf = leaf;
	return 0;
}

void
leaf_copy(struct leaf *leaf, const struct leaf *from)
{
	*leaf = *from;
	leaf->serial = memory_text(from->serial);
	leaf->issuer = memory_text(from->issuer);
	words_copy(&leaf->names, &from->names);
}

void
leaf_clear(struct leaf *leaf)
{
	free(leaf->serial);
	free(leaf->issuer);
	words_clear(&leaf->names);
	*leaf = (struct leaf){ 0 };
}
