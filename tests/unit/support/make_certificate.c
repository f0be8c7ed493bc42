/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "make_certificate.h"

#define CHECK(call) do {							\
	if (!(call)) {								\
		fprintf(stderr, "%s:%d: %s failed\n", __FILE__, __LINE__, #call);	\
		ERR_print_errors_fp(stderr);					\
		abort();							\
	}									\
} while (0)

EVP_PKEY *
make_key(const char *kind)
{
	EVP_PKEY *key;

	if (strncmp(kind, "RSA:", 4) == 0)
		key = EVP_RSA_gen((unsigned int)atoi(kind + 4));
	else if (strncmp(kind, "ED", 2) == 0)
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	else
		key = EVP_EC_gen(kind);
	CHECK(key != NULL);
	return key;
}

static void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
	CHECK((extension = X509V3_EXT_conf_nid(NULL, &context, nid, value)) != NULL);
	CHECK(X509_add_ext(certificate, extension, -1) == 1);
	X509_EXTENSION_free(extension);
}

static void
add_extensions(X509 *certificate, const struct wish *wish)
{
	const char *names = wish->names != NULL ? wish->names : "DNS:www.example.com";

	if (wish->ca)
		add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	if (wish->key_usage != NULL || wish->ca)
		add_extension(certificate, NID_key_usage,
		    wish->key_usage != NULL ? wish->key_usage : "keyCertSign,cRLSign");
	if (wish->usage != NULL)
		add_extension(certificate, NID_ext_key_usage, wish->usage);
	if (!wish->ca && *names != '\0')
		add_extension(certificate, NID_subject_alt_name, names);
}

static void
set_subject(X509 *certificate, const char *subject)
{
	if (subject == NULL)
		subject = "www.example.com";
	if (*subject != '\0')
		CHECK(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN",
		    MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0) == 1);
}

struct made
make_certificate(struct wish wish, const struct made *issuer)
{
	static long last_serial = 0x1000;
	struct made made = { .certificate = X509_new() };
	const struct made *signer = issuer != NULL ? issuer : &made;
	EVP_PKEY *signing_key;

	made.key = wish.own_key != NULL ? wish.own_key :
	    make_key(wish.key != NULL ? wish.key : "P-256");
	if (wish.own_key != NULL)
		CHECK(EVP_PKEY_up_ref(made.key) == 1);
	CHECK(X509_set_version(made.certificate, X509_VERSION_3) == 1);
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(made.certificate),
	    wish.serial != 0 ? wish.serial : ++last_serial) == 1);
	set_subject(made.certificate, wish.subject);
	CHECK(X509_set_issuer_name(made.certificate,
	    X509_get_subject_name(signer->certificate)) == 1);
	CHECK(ASN1_TIME_set(X509_getm_notBefore(made.certificate),
	    wish.not_before != 0 ? wish.not_before : TEST_NOW - TEST_DAY) != NULL);
	CHECK(ASN1_TIME_set(X509_getm_notAfter(made.certificate),
	    wish.not_after != 0 ? wish.not_after : TEST_NOW + 89 * TEST_DAY) != NULL);
	CHECK(X509_set_pubkey(made.certificate, made.key) == 1);
	add_extensions(made.certificate, &wish);
	signing_key = signer->key;
	CHECK(X509_sign(made.certificate, signing_key,
	    EVP_PKEY_is_a(signing_key, "ED25519") || EVP_PKEY_is_a(signing_key, "ED448") ?
	    NULL : EVP_sha256()) > 0);
	return made;
}

void
made_clear(struct made *made)
{
	X509_free(made->certificate);
	EVP_PKEY_free(made->key);
	*made = (struct made){ 0 };
}

static void
take_text(struct secret *text, BIO *bio)
{
	char *bytes;
	long size = BIO_get_mem_data(bio, &bytes);

	secret_append(text, bytes, (size_t)size);
	BIO_free(bio);
}

void
pem_add_certificate(struct secret *text, X509 *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_X509(bio, certificate) == 1);
	take_text(text, bio);
}

void
pem_add_key(struct secret *text, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	take_text(text, bio);
}

void
pem_add_traditional_key(struct secret *text, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
	take_text(text, bio);
}

void
pem_add_encrypted_key(struct secret *text, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_128_cbc(), "word", 4, NULL,
	    NULL) == 1);
	take_text(text, bio);
}

void
pem_add_proc_type_key(struct secret *text, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(),
	    (unsigned char *)"word", 4, NULL, NULL) == 1);
	take_text(text, bio);
}

void
pem_add_text(struct secret *text, const char *more)
{
	secret_append(text, more, strlen(more));
}
