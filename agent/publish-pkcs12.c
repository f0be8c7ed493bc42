/* SPDX-License-Identifier: ISC */
#include <limits.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "certificate.h"
#include "publish-pkcs12.h"

/* What a PKCS#12 file is made of. */
struct parts {
	EVP_PKEY *key;
	X509 *certificate;
	STACK_OF(X509) *others;
};

static int
write_pem(const struct parts *parts, struct secret *out_pem, struct failure *why)
{
	BIO *out = BIO_new(BIO_s_secmem());
	bool good = out != NULL;
	char *bytes;
	long size;

	if (good && parts->key != NULL)
		good = PEM_write_bio_PKCS8PrivateKey(out, parts->key, NULL, NULL, 0, NULL,
		    NULL) == 1;
	if (good && parts->certificate != NULL)
		good = PEM_write_bio_X509(out, parts->certificate) == 1;
	for (int i = 0; good && i < sk_X509_num(parts->others); i++)
		good = PEM_write_bio_X509(out, sk_X509_value(parts->others, i)) == 1;
	if (good) {
		size = BIO_get_mem_data(out, &bytes);
		secret_set(out_pem, bytes, size > 0 ? (size_t)size : 0);
	}
	BIO_free(out);
	return good ? 0 : failure_set(why, FAILURE_INTERNAL, "write PKCS#12 as PEM: %s",
	    certificate_library_error());
}

static int
open_file(PKCS12 *file, const struct secret *password, struct parts *out_parts,
    struct failure *why)
{
	const char *text = password->size != 0 ? password->bytes : NULL;

	/* No password, and one of no letters, are not the same here, and both are in use. */
	if (PKCS12_mac_present(file) == 1 && PKCS12_verify_mac(file, text, -1) != 1) {
		if (text != NULL || PKCS12_verify_mac(file, "", 0) != 1) {
			ERR_clear_error();
			return failure_set(why, FAILURE_REFUSED, text != NULL ?
			    "expected the password of this PKCS#12 file, found another one" :
			    "expected a PKCS#12 file without a password, found one with a "
			    "password: see --password-file");
		}
		text = "";
	}
	if (PKCS12_parse(file, text, &out_parts->key, &out_parts->certificate,
	    &out_parts->others) == 1)
		return 0;
	return failure_set(why, FAILURE_REFUSED, "expected a PKCS#12 file that can be decrypted, "
	    "found: %s", certificate_library_error());
}

int
pkcs12_read(const struct secret *file, const struct secret *password, struct secret *out_pem,
    struct failure *why)
{
	const unsigned char *bytes = (const unsigned char *)file->bytes;
	struct parts parts = { 0 };
	OSSL_PROVIDER *legacy;
	PKCS12 *pkcs12 = NULL;
	int result = -1;

	if (file->size == 0 || file->size > INT_MAX ||
	    (pkcs12 = d2i_PKCS12(NULL, &bytes, (long)file->size)) == NULL) {
		ERR_clear_error();
		return failure_set(why, FAILURE_REFUSED,
		    "expected a PKCS#12 file (.p12, .pfx), found something else");
	}
	/* Windows still encrypts certificates with 40 bits of RC2, which OpenSSL 3 keeps here. */
	legacy = OSSL_PROVIDER_try_load(NULL, "legacy", 1);
	ERR_clear_error();
	if (open_file(pkcs12, password, &parts, why) == 0)
		result = write_pem(&parts, out_pem, why);
	EVP_PKEY_free(parts.key);
	X509_free(parts.certificate);
	sk_X509_pop_free(parts.others, X509_free);
	PKCS12_free(pkcs12);
	if (legacy != NULL)
		(void)OSSL_PROVIDER_unload(legacy);
	ERR_clear_error();
	return result;
}
