/* SPDX-License-Identifier: ISC */
/*
 * make_certificate: certificates and keys for tests, made on the spot by OpenSSL, so that no key
 * is ever committed. Any failure aborts the test program.
 */
#ifndef CERTLET_TESTS_MAKE_CERTIFICATE_H
#define CERTLET_TESTS_MAKE_CERTIFICATE_H

#include <stdbool.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "secret.h"

#define TEST_NOW ((time_t)1800000000)	/* 2027-01-15T08:00:00Z, whatever the real clock says */
#define TEST_DAY 86400L

/* What a certificate should be like; what is left out has the value of a good server's. */
struct wish {
	const char *subject;	/* the CN; NULL: "www.example.com"; "": an empty subject */
	const char *names;	/* "DNS:a, IP:192.0.2.1"; NULL: DNS:www.example.com; "": no names */
	const char *key;	/* as make_key(); NULL: P-256 */
	const char *usage;	/* "codeSigning"; NULL: no extended key usage */
	const char *key_usage;	/* "digitalSignature"; NULL: none, or keyCertSign for a CA */
	bool ca;
	time_t not_before, not_after;	/* 0: a day before TEST_NOW, 89 days after it */
	long serial;		/* 0: a new one */
	EVP_PKEY *own_key;	/* used instead of a new one */
};

struct made {
	X509 *certificate;
	EVP_PKEY *key;
};

/* "P-256", "P-384", "secp224r1" (any curve), "RSA:2048", "ED25519", "ED448". Caller frees. */
EVP_PKEY *make_key(const char *kind);

/* Signed by issuer, or by itself if that is NULL. Caller clears. */
struct made make_certificate(struct wish wish, const struct made *issuer);
void made_clear(struct made *made);

/* All append PEM to a text, which starts as {0} and is cleared by the caller. */
void pem_add_certificate(struct secret *text, X509 *certificate);
void pem_add_key(struct secret *text, EVP_PKEY *key);			/* PKCS#8 */
void pem_add_traditional_key(struct secret *text, EVP_PKEY *key);	/* RSA or EC PRIVATE KEY */
void pem_add_encrypted_key(struct secret *text, EVP_PKEY *key);	/* ENCRYPTED PRIVATE KEY */
void pem_add_proc_type_key(struct secret *text, EVP_PKEY *key);	/* Proc-Type: 4,ENCRYPTED */
void pem_add_text(struct secret *text, const char *more);

#endif
