/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "certificate.h"
#include "chain.h"
#include "judge-installed.h"
#include "name.h"
#include "times.h"

#define RSA_BITS_LEAST 2048
#define LIST_MOST 8		/* names in one message */

static bool
covers(const struct words *names, const char *wanted)
{
	for (size_t i = 0; i < names->count; i++)
		if (name_covers(names->items[i], wanted))
			return true;
	return false;
}

static int
check_names(const struct leaf *leaf, const struct words *wanted, struct failure *why)
{
	struct words missing = { 0 };
	char *expected, *found;

	for (size_t i = 0; wanted != NULL && i < wanted->count; i++)
		if (!covers(&leaf->names, wanted->items[i]))
			words_add(&missing, wanted->items[i]);
	if (missing.count == 0)
		return 0;
	expected = words_join(&missing, ", ", LIST_MOST, "");
	found = words_join(&leaf->names, ", ", LIST_MOST, "none");
	failure_set(why, FAILURE_REFUSED, "expected a certificate for %s, found names %s",
	    expected, found);
	free(expected);
	free(found);
	words_clear(&missing);
	return -1;
}

/* Those that browsers and the CA/Browser Forum take. */
static bool
is_accepted_curve(const EVP_PKEY *key, char *name, size_t size)
{
	static const char *const accepted[] = { "prime256v1", "secp384r1", "secp521r1" };

	if (EVP_PKEY_get_group_name(key, name, size, NULL) != 1)
		return false;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++)
		if (strcmp(name, accepted[i]) == 0)
			return true;
	return false;
}

static int
check_key(const struct link *link, struct failure *why)
{
	EVP_PKEY *key = X509_get0_pubkey(link->certificate);
	const int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;
	char curve[64] = "another curve";

	switch (certificate_key_type(link->certificate)) {
	case KEY_RSA:
		return bits >= RSA_BITS_LEAST ? 0 : failure_set(why, FAILURE_REFUSED,
		    "expected an RSA key of %d bits or more, found %d in %s", RSA_BITS_LEAST, bits,
		    link->subject);
	case KEY_EC:
		return is_accepted_curve(key, curve, sizeof(curve)) ? 0 : failure_set(why, FAILURE_REFUSED,
		    "expected an EC key of P-256, P-384 or P-521, found %s in %s", curve,
		    link->subject);
	case KEY_ED25519:
		return 0;
	case KEY_OTHER:
		break;
	}
	return failure_set(why, FAILURE_REFUSED, "expected a key of RSA, EC or Ed25519, "
	    "found %s in %s", key != NULL ? OBJ_nid2sn(EVP_PKEY_get_base_id(key)) : "none",
	    link->subject);
}

/* "serverAuth"-like names of what an extended key usage allows. */
static char *
list_usages(X509 *certificate)
{
	EXTENDED_KEY_USAGE *usages;
	struct words words = { 0 };
	char name[80], *list;

	usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
	for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
		const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
		const int nid = OBJ_obj2nid(usage);

		if (nid == NID_undef && OBJ_obj2txt(name, sizeof(name), usage, 1) > 0)
			words_add(&words, name);
		else
			words_add(&words, OBJ_nid2sn(nid));
	}
	list = words_join(&words, ", ", LIST_MOST, "none");
	words_clear(&words);
	EXTENDED_KEY_USAGE_free(usages);
	return list;
}

static int
check_leaf_use(const struct link *leaf, struct failure *why)
{
	const uint32_t allowed = XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_ANYEKU;
	const uint32_t flags = X509_get_extension_flags(leaf->certificate);
	char *found;

	if ((flags & EXFLAG_CA) != 0)
		return failure_set(why, FAILURE_REFUSED,
		    "expected the certificate of a server, found a CA: %s", leaf->subject);
	/* All bits are set where there is no such extension. */
	if ((X509_get_extended_key_usage(leaf->certificate) & allowed) != 0)
		return 0;
	found = list_usages(leaf->certificate);
	failure_set(why, FAILURE_REFUSED,
	    "expected a certificate for serverAuth or clientAuth, found one for %s", found);
	free(found);
	return -1;
}

static int
check_dates(const struct link *link, time_t now, time_t *retry, struct failure *why)
{
	char limit[TIMES_TEXT_BYTES], today[TIMES_TEXT_BYTES];

	times_rfc3339(now, today);
	if (link->not_after <= now)
		return failure_set(why, FAILURE_REFUSED,
		    "expected a certificate that is valid at %s, found %s that expired at %s",
		    today, link->subject, times_rfc3339(link->not_after, limit));
	if (link->not_before > now) {
		*retry = link->not_before;
		return failure_set(why, FAILURE_REFUSED,
		    "expected a certificate that is valid at %s, found %s that begins at %s",
		    today, link->subject, times_rfc3339(link->not_before, limit));
	}
	return 0;
}

static int
check_signature(const struct link *link, const struct link *issuer, struct failure *why)
{
	if (certificate_signed_by(link->certificate, issuer->certificate))
		return 0;
	return failure_set(why, FAILURE_REFUSED, "expected %s to be signed by %s, "
	    "found a signature that its key did not make", link->subject, issuer->subject);
}

static int
check_issuer(const struct link *link, const struct link *issuer, struct failure *why)
{
	if (X509_check_ca(issuer->certificate) != 1)
		return failure_set(why, FAILURE_REFUSED,
		    "expected a CA as the issuer of %s, found %s, which is none", link->subject,
		    issuer->subject);
	return check_signature(link, issuer, why);
}

/* One whose extensions cannot be read could say anything to another reader. */
static int
check_extensions(const struct link *link, struct failure *why)
{
	if ((X509_get_extension_flags(link->certificate) & EXFLAG_INVALID) == 0)
		return 0;
	return failure_set(why, FAILURE_REFUSED,
	    "expected readable extensions in %s, found some that are not", link->subject);
}

static int
check_chain(const struct chain *chain, time_t now, time_t *retry, struct failure *why)
{
	for (size_t i = 0; i < chain->count; i++)
		if (check_extensions(&chain->links[i], why) == -1 ||
		    check_key(&chain->links[i], why) == -1 ||
		    (i > 0 && check_issuer(&chain->links[i - 1], &chain->links[i], why) == -1))
			return -1;
	if (chain->root.certificate != NULL &&
	    check_signature(&chain->links[chain->count - 1], &chain->root, why) == -1)
		return -1;
	for (size_t i = 0; i < chain->count; i++)
		if (check_dates(&chain->links[i], now, retry, why) == -1)
			return -1;
	return 0;
}

static int
read_trust(const struct secret *trust, X509_STORE *store, struct failure *why)
{
	BIO *text = BIO_new_mem_buf(trust->bytes, (int)trust->size);
	size_t count = 0;
	X509 *root;

	while (text != NULL && (root = certificate_read(text)) != NULL) {
		(void)X509_STORE_add_cert(store, root);
		X509_free(root);
		count++;
	}
	BIO_free(text);
	if (count != 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return 0;
	}
	return failure_set(why, FAILURE_REFUSED,
	    "expected PEM certificates in trust_file, found: %s", certificate_library_error());
}

static STACK_OF(X509) *
issuers(const struct chain *chain)
{
	STACK_OF(X509) *stack = sk_X509_new_null();

	for (size_t i = 1; i < chain->count; i++)
		(void)sk_X509_push(stack, chain->links[i].certificate);
	return stack;
}

/*
 * An intermediate in trust_file is trusted as it stands (PARTIAL_CHAIN): whoever puts one there
 * narrows the trust to it on purpose.
 */
static int
check_trust(const struct chain *chain, const struct secret *trust, time_t now,
    struct failure *why)
{
	STACK_OF(X509) *untrusted = issuers(chain);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	int result = -1;

	if (store == NULL || context == NULL || X509_STORE_CTX_init(context, store,
	    chain->links[0].certificate, untrusted) != 1) {
		failure_set(why, FAILURE_INTERNAL, "judge by trust_file: %s",
		    certificate_library_error());
		goto out;
	}
	if (read_trust(trust, store, why) == -1)
		goto out;
	X509_STORE_CTX_set_time(context, 0, now);
	X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
	if (X509_verify_cert(context) == 1)
		result = 0;
	else
		failure_set(why, FAILURE_REFUSED,
		    "expected a chain to a root in trust_file, found one that ends at %s: %s",
		    chain->links[chain->count - 1].subject,
		    X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
out:
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	sk_X509_free(untrusted);
	return result;
}

int
judge_bundle(const struct bundle *bundle, const struct requirements *requirements,
    time_t *out_retry, char **out_notice, struct failure *why)
{
	const struct chain *chain = bundle_chain(bundle);
	const struct leaf *leaf = bundle_leaf(bundle);
	char *notice = NULL;
	time_t retry = 0;
	int result = -1;

	if (check_names(leaf, requirements->names, why) == 0 &&
	    check_leaf_use(&chain->links[0], why) == 0 &&
	    check_chain(chain, requirements->now, &retry, why) == 0 &&
	    (requirements->trust == NULL ||
	    check_trust(chain, requirements->trust, requirements->now, why) == 0) &&
	    (requirements->installed == NULL ||
	    judge_against_installed(leaf, requirements, &notice, why) == 0))
		result = 0;
	if (out_retry != NULL)
		*out_retry = retry;
	if (out_notice != NULL)
		*out_notice = notice;
	else
		free(notice);
	ERR_clear_error();
	return result;
}
