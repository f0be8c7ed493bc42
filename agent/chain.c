/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "certificate.h"
#include "chain.h"
#include "memory.h"

static void
clear_link(struct link *link)
{
	X509_free(link->certificate);
	free(link->subject);
	*link = (struct link){ 0 };
}

static int
fill_link(struct link *link, X509 *certificate, struct failure *why)
{
	link->subject = certificate_subject(certificate);
	X509_up_ref(certificate);
	link->certificate = certificate;
	if (certificate_dates(certificate, &link->not_before, &link->not_after, why) == -1)
		return failure_prefix(why, "%s", link->subject);
	return 0;
}

static bool
is_root(X509 *certificate)
{
	return certificate_names_issuer(certificate, certificate) &&
	    certificate_signed_by(certificate, certificate);
}

/*
 * A CA that changed its key, or that another one cross-signed, stands there twice under one name:
 * the signature decides, and a link goes before a root, as roots are left out.
 */
static bool
is_better_issuer(X509 *certificate, X509 *other, X509 *best)
{
	const bool other_signed = certificate_signed_by(certificate, other);
	const bool best_signed = certificate_signed_by(certificate, best);

	if (other_signed != best_signed)
		return other_signed;
	return certificate_names_issuer(best, best) && !certificate_names_issuer(other, other);
}

/* By name alone if there is no other, so that judge can say what is wrong with the signature. */
static X509 *
take_issuer(STACK_OF(X509) *others, X509 *certificate)
{
	X509 *best = NULL;

	for (int i = 0; i < sk_X509_num(others); i++) {
		X509 *other = sk_X509_value(others, i);

		if (certificate_names_issuer(certificate, other) &&
		    (best == NULL || is_better_issuer(certificate, other, best)))
			best = other;
	}
	return best != NULL ? sk_X509_delete_ptr(others, best) : NULL;
}

static int
follow_issuers(STACK_OF(X509) *others, X509 *leaf, struct chain *chain, struct failure *why)
{
	X509 *next = leaf;

	do {
		if (next != leaf && is_root(next))
			return fill_link(&chain->root, next, why);
		if (fill_link(&chain->links[chain->count++], next, why) == -1)
			return -1;
	} while ((next = take_issuer(others, next)) != NULL);
	return 0;
}

/* What is left over may be a second root of the chain (one that is also cross-signed). */
static int
check_others(STACK_OF(X509) *others, const struct chain *chain, struct failure *why)
{
	const struct link *last = &chain->links[chain->count - 1];
	char *stranger = NULL, *issuer;

	for (int i = 0; i < sk_X509_num(others) && stranger == NULL; i++) {
		X509 *other = sk_X509_value(others, i);
		bool used = false;

		for (size_t j = 0; is_root(other) && j < chain->count; j++)
			used = used || certificate_signed_by(chain->links[j].certificate, other);
		if (!used)
			stranger = certificate_subject(other);
	}
	if (stranger == NULL)
		return 0;
	issuer = certificate_issuer(last->certificate);
	failure_set(why, FAILURE_REFUSED, "expected nothing but links of the chain (it ends at %s, "
	    "signed by %s), found %s", last->subject, issuer, stranger);
	free(issuer);
	free(stranger);
	return -1;
}

int
chain_build(STACK_OF(X509) *certificates, X509 *leaf, struct chain *chain, struct failure *why)
{
	STACK_OF(X509) *others = sk_X509_dup(certificates);
	int result = -1;

	chain->links = memory_new((size_t)sk_X509_num(certificates), sizeof(*chain->links));
	(void)sk_X509_delete_ptr(others, leaf);
	if (follow_issuers(others, leaf, chain, why) == 0)
		result = check_others(others, chain, why);
	sk_X509_free(others);
	return result;
}

void
chain_clear(struct chain *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		clear_link(&chain->links[i]);
	clear_link(&chain->root);
	free(chain->links);
	*chain = (struct chain){ 0 };
}
