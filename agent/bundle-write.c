/* SPDX-License-Identifier: ISC */
#include <limits.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "bundle.h"
#include "bundle-parts.h"
#include "certificate.h"

/* Copies what was written into a memory BIO; secmem BIOs wipe their bytes when they are freed. */
static void
take_written(BIO *from, struct secret *text)
{
	char *bytes;
	const long size = BIO_get_mem_data(from, &bytes);

	secret_set(text, bytes, size > 0 ? (size_t)size : 0);
}

static int
write_certificates(const struct link *links, size_t count, struct secret *text,
    struct failure *why)
{
	BIO *out = BIO_new(BIO_s_mem());
	bool good = out != NULL;

	for (size_t i = 0; good && i < count; i++)
		good = PEM_write_bio_X509(out, links[i].certificate) == 1;
	if (good)
		take_written(out, text);
	BIO_free(out);
	return good ? 0 : failure_set(why, FAILURE_INTERNAL, "write a certificate as PEM: %s",
	    certificate_library_error());
}

static int
write_key(EVP_PKEY *key, struct secret *text, struct failure *why)
{
	BIO *out = BIO_new(BIO_s_secmem());
	const bool good = out != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) == 1;

	if (good)
		take_written(out, text);
	BIO_free(out);
	return good ? 0 : failure_set(why, FAILURE_INTERNAL, "write a key as PKCS#8: %s",
	    certificate_library_error());
}

int
bundle_write(const struct bundle *bundle, struct material *out_material, struct failure *why)
{
	const struct link *links = bundle->chain.links;
	const size_t count = bundle->chain.count;

	if (write_certificates(links, 1, &out_material->cert, why) == -1 ||
	    write_certificates(links + 1, count - 1, &out_material->chain, why) == -1 ||
	    write_key(bundle->key, &out_material->key, why) == -1)
		return -1;
	leaf_clear(&out_material->leaf);
	leaf_copy(&out_material->leaf, &bundle->leaf);
	return 0;
}

void
material_clear(struct material *material)
{
	secret_clear(&material->cert);
	secret_clear(&material->chain);
	secret_clear(&material->key);
	leaf_clear(&material->leaf);
}

int
bundle_fingerprint(const char *pem, size_t size, char fingerprint[FINGERPRINT_BYTES],
    struct failure *why)
{
	BIO *text = size <= INT_MAX ? BIO_new_mem_buf(pem, (int)size) : NULL;
	X509 *certificate = NULL;
	int result;

	if (text != NULL)
		certificate = certificate_read(text);
	result = certificate != NULL ? certificate_fingerprint(certificate, fingerprint, why) :
	    failure_set(why, FAILURE_REFUSED, "expected a certificate in PEM, found: %s",
	    certificate_library_error());
	X509_free(certificate);
	BIO_free(text);
	ERR_clear_error();
	return result;
}
