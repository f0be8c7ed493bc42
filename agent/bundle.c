/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "bundle.h"
#include "bundle-parts.h"
#include "certificate.h"

#define TEXT_BYTES_MOST (4L * 1024 * 1024)
#define BLOCKS_MOST 100
#define LIST_MOST 5		/* subjects in one message */

/* What is found while the blocks of all texts are read. */
struct blocks {
	STACK_OF(X509) *certificates;
	struct secret encodings[BLOCKS_MOST];	/* of the certificates, in the same order */
	EVP_PKEY *key;
	int count;
};

/* One PEM block. Its bytes may be a key: freed and wiped by clear_block(). */
struct block {
	char *label, *header;
	unsigned char *bytes;
	long size;
};

static void
clear_block(struct block *block)
{
	OPENSSL_secure_free(block->label);
	OPENSSL_secure_free(block->header);
	OPENSSL_secure_clear_free(block->bytes, (size_t)block->size);
	*block = (struct block){ 0 };
}

static bool
is_certificate(const char *label)
{
	return strcmp(label, PEM_STRING_X509) == 0 || strcmp(label, PEM_STRING_X509_OLD) == 0;
}

/* The type that d2i_PrivateKey() wants; EVP_PKEY_NONE for PKCS#8, which says itself; else -1. */
static int
key_kind(const char *label)
{
	if (strcmp(label, PEM_STRING_PKCS8INF) == 0)
		return EVP_PKEY_NONE;
	if (strcmp(label, PEM_STRING_RSA) == 0)
		return EVP_PKEY_RSA;
	if (strcmp(label, PEM_STRING_ECPRIVATEKEY) == 0)
		return EVP_PKEY_EC;
	return -1;
}

/* Fields cert, chain and fullchain say everything twice, and parsing is what takes time. */
static bool
seen_before(const struct blocks *blocks, const struct block *block)
{
	const size_t size = (size_t)block->size;

	for (int i = 0; i < sk_X509_num(blocks->certificates); i++) {
		const struct secret *seen = &blocks->encodings[i];

		if (seen->size == size && size != 0 && memcmp(seen->bytes, block->bytes, size) == 0)
			return true;
	}
	return false;
}

static int
add_certificate(struct blocks *blocks, const struct block *block, struct failure *why)
{
	const unsigned char *end = block->bytes;
	X509 *certificate;
	int index;

	if (seen_before(blocks, block))
		return 0;
	certificate = d2i_X509(NULL, &end, block->size);
	if (certificate == NULL || end != block->bytes + block->size) {
		X509_free(certificate);
		return failure_set(why, FAILURE_REFUSED,
		    "expected a certificate in the block %s, found: %s", block->label,
		    certificate_library_error());
	}
	if ((index = sk_X509_push(blocks->certificates, certificate) - 1) == -1) {
		X509_free(certificate);
		return failure_set(why, FAILURE_INTERNAL, "keep a certificate: out of memory");
	}
	secret_set(&blocks->encodings[index], block->bytes, (size_t)block->size);
	return 0;
}

/* Naming the algorithm to the decoder saves OpenSSL 3 the trying of all it knows: four fifths. */
static EVP_PKEY *
read_pkcs8(const unsigned char **bytes, size_t size)
{
	const unsigned char *end = *bytes;
	const ASN1_OBJECT *algorithm = NULL;
	OSSL_DECODER_CTX *decoder = NULL;
	PKCS8_PRIV_KEY_INFO *info;
	char algorithm_text[80];
	EVP_PKEY *key = NULL;

	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &end, (long)size);
	if (info != NULL && PKCS8_pkey_get0(&algorithm, NULL, NULL, NULL, info) == 1 &&
	    OBJ_obj2txt(algorithm_text, sizeof(algorithm_text), algorithm, 1) > 0)
		decoder = OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "PrivateKeyInfo",
		    algorithm_text, EVP_PKEY_KEYPAIR, NULL, NULL);
	if (decoder != NULL)
		(void)OSSL_DECODER_from_data(decoder, bytes, &size);
	OSSL_DECODER_CTX_free(decoder);
	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

static int
add_key(struct blocks *blocks, const struct block *block, struct failure *why)
{
	const int kind = key_kind(block->label);
	const unsigned char *end = block->bytes;
	EVP_PKEY *key;
	bool same;

	key = kind == EVP_PKEY_NONE ? read_pkcs8(&end, (size_t)block->size) :
	    d2i_PrivateKey(kind, NULL, &end, block->size);
	if (key == NULL || end != block->bytes + block->size) {
		EVP_PKEY_free(key);
		return failure_set(why, FAILURE_REFUSED,
		    "expected a private key in the block %s, found: %s", block->label,
		    certificate_library_error());
	}
	if (blocks->key == NULL) {
		blocks->key = key;
		return 0;
	}
	same = EVP_PKEY_eq(blocks->key, key) == 1;
	EVP_PKEY_free(key);
	return same ? 0 : failure_set(why, FAILURE_REFUSED,
	    "expected one private key, found two that differ");
}

static int
add_block(struct blocks *blocks, const struct block *block, struct failure *why)
{
	if (++blocks->count > BLOCKS_MOST)
		return failure_set(why, FAILURE_REFUSED,
		    "expected at most %d PEM blocks, found more", BLOCKS_MOST);
	/* A header inside the block is RFC 1421's way to say how it is encrypted. */
	if (strcmp(block->label, PEM_STRING_PKCS8) == 0 || block->header[0] != '\0')
		return failure_set(why, FAILURE_REFUSED, "expected a key without a password, "
		    "found that the key is encrypted (%.64s)", block->label);
	if (is_certificate(block->label))
		return add_certificate(blocks, block, why);
	if (key_kind(block->label) != -1)
		return add_key(blocks, block, why);
	if (strcmp(block->label, PEM_STRING_ECPARAMETERS) == 0)
		return 0;	/* openssl ecparam -genkey writes it; the key says the same */
	return failure_set(why, FAILURE_REFUSED,
	    "expected nothing but certificates and a key, found a block %.64s", block->label);
}

/* False at the end of the text, or where *failed says that a block cannot be read. */
static bool
next_block(BIO *text, struct block *out_block, bool *failed)
{
	*failed = false;
	if (PEM_read_bio_ex(text, &out_block->label, &out_block->header, &out_block->bytes,
	    &out_block->size, PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) == 1)
		return true;
	*failed = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	return false;
}

static int
read_text(struct blocks *blocks, const struct secret *text, struct failure *why)
{
	struct block block = { 0 };
	int result = 0;
	bool failed;
	BIO *bytes;

	if (text->size > TEXT_BYTES_MOST)
		return failure_set(why, FAILURE_REFUSED,
		    "expected at most 4 MiB of PEM, found %zu bytes", text->size);
	if (text->size == 0)
		return 0;
	if ((bytes = BIO_new_mem_buf(text->bytes, (int)text->size)) == NULL)
		return failure_set(why, FAILURE_INTERNAL, "read PEM: %s",
		    certificate_library_error());
	while (result == 0 && next_block(bytes, &block, &failed)) {
		result = add_block(blocks, &block, why);
		clear_block(&block);
	}
	if (result == 0 && failed)
		result = failure_set(why, FAILURE_REFUSED, "expected well-formed PEM, found: %s",
		    certificate_library_error());
	BIO_free(bytes);
	return result;
}

static void
clear_blocks(struct blocks *blocks)
{
	for (int i = 0; i < sk_X509_num(blocks->certificates); i++)
		secret_clear(&blocks->encodings[i]);
	EVP_PKEY_free(blocks->key);
	sk_X509_pop_free(blocks->certificates, X509_free);
}

static char *
list_subjects(STACK_OF(X509) *certificates)
{
	char *list = memory_text("");

	for (int i = 0; i < sk_X509_num(certificates) && i < LIST_MOST; i++) {
		char *subject = certificate_subject(sk_X509_value(certificates, i));

		memory_append(&list, "%s%s", i == 0 ? "" : " and ", subject);
		free(subject);
	}
	return list;
}

static bool
key_fits(EVP_PKEY *key, X509 *certificate)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate);

	return public != NULL && EVP_PKEY_eq(public, key) == 1;
}

static X509 *
find_leaf(const struct blocks *blocks, struct failure *why)
{
	char *list;

	if (blocks->key == NULL || sk_X509_num(blocks->certificates) == 0) {
		failure_set(why, FAILURE_REFUSED, "expected a %s in PEM, found none",
		    blocks->key == NULL ? "private key" : "certificate");
		return NULL;
	}
	for (int i = 0; i < sk_X509_num(blocks->certificates); i++)
		if (key_fits(blocks->key, sk_X509_value(blocks->certificates, i)))
			return sk_X509_value(blocks->certificates, i);
	list = list_subjects(blocks->certificates);
	failure_set(why, FAILURE_REFUSED,
	    "expected a certificate that the key fits, found only %s", list);
	free(list);
	return NULL;
}

static int
make_bundle(struct blocks *blocks, struct bundle *bundle, struct failure *why)
{
	X509 *leaf = find_leaf(blocks, why);

	if (leaf == NULL)
		return -1;
	bundle->key = blocks->key;
	blocks->key = NULL;	/* the bundle has it now */
	if (leaf_describe(leaf, &bundle->leaf, why) == -1)
		return -1;
	return chain_build(blocks->certificates, leaf, &bundle->chain, why);
}

int
bundle_read(const struct secret *const texts[], size_t count, struct bundle **out_bundle,
    struct failure *why)
{
	struct blocks blocks = { .certificates = sk_X509_new_null() };
	struct bundle *bundle = memory_new(1, sizeof(*bundle));
	int result = -1;

	for (size_t i = 0; i < count; i++)
		if (texts[i] != NULL && read_text(&blocks, texts[i], why) == -1)
			goto out;
	if (make_bundle(&blocks, bundle, why) == -1)
		goto out;
	*out_bundle = bundle;
	bundle = NULL;	/* the caller has it now */
	result = 0;
out:
	bundle_free(bundle);
	clear_blocks(&blocks);
	ERR_clear_error();
	return result;
}

void
bundle_free(struct bundle *bundle)
{
	if (bundle == NULL)
		return;
	EVP_PKEY_free(bundle->key);
	chain_clear(&bundle->chain);
	leaf_clear(&bundle->leaf);
	free(bundle);
}

const struct leaf *
bundle_leaf(const struct bundle *bundle)
{
	return &bundle->leaf;
}

const struct chain *
bundle_chain(const struct bundle *bundle)
{
	return &bundle->chain;
}
