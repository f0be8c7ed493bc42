/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certificate.h"
#include "name.h"

#define TEXT_LENGTH 300		/* of a distinguished name: three of them fit into one failure */
#define SERIAL_BYTES 64		/* RFC 5280 allows 20 */
#define FIRST_YEAR 70		/* as struct tm counts */
#define LAST_YEAR 8099

const char *
certificate_library_error(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason != NULL ? reason : "unreadable";
}

static char *
hex_text(const unsigned char *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	char *text = memory_new(2 * size + 1, 1);

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}

/* Also U+0080 to U+009F, which some terminals obey: 0xc2 and one byte more in UTF-8. */
static void
make_printable(char *text)
{
	unsigned char before = 0;

	for (unsigned char *c = (unsigned char *)text; *c != '\0'; before = *c++)
		if (*c < 0x20 || *c == 0x7f || (before == 0xc2 && *c < 0xa0))
			*c = '?';
	for (char *c = text; (c = strstr(c, "\xc2?")) != NULL; )
		*c = '?';
}

/* Ends the text at the beginning of a character, and shows that there was more. */
static char *
cut(const char *text, size_t length)
{
	if (length <= TEXT_LENGTH)
		return memory_text_n(text, length);
	length = TEXT_LENGTH;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return memory_format("%.*s...", (int)length, text);
}

static char *
name_text(X509_NAME *name)
{
	const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
	BIO *out = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long size;

	if (out == NULL || X509_NAME_print_ex(out, name, 0, flags) < 0) {
		ERR_clear_error();
		text = memory_text("(a name that cannot be read)");
	} else {
		size = BIO_get_mem_data(out, &bytes);
		text = cut(bytes, (size_t)size);
		make_printable(text);
	}
	BIO_free(out);
	return text;
}

char *
certificate_subject(X509 *certificate)
{
	X509_NAME *name = X509_get_subject_name(certificate);
	char *serial, *text;

	if (X509_NAME_entry_count(name) != 0)
		return name_text(name);
	serial = certificate_serial(certificate);
	text = memory_format("serial %s", serial);
	free(serial);
	return text;
}

char *
certificate_issuer(X509 *certificate)
{
	return name_text(X509_get_issuer_name(certificate));
}

char *
certificate_serial(X509 *certificate)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	int size = ASN1_STRING_length(serial);

	if (size > SERIAL_BYTES)
		size = SERIAL_BYTES;
	return hex_text(ASN1_STRING_get0_data(serial), (size_t)size);
}

enum key_type
certificate_key_type(X509 *certificate)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);

	switch (key != NULL ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return KEY_RSA;
	case EVP_PKEY_EC:
		return KEY_EC;
	case EVP_PKEY_ED25519:
		return KEY_ED25519;
	}
	return KEY_OTHER;
}

int
certificate_fingerprint(X509 *certificate, char fingerprint[FINGERPRINT_BYTES],
    struct failure *why)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int size;
	char *text;

	if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
		return failure_set(why, FAILURE_INTERNAL, "make a fingerprint: %s",
		    certificate_library_error());
	text = hex_text(digest, size);
	memcpy(fingerprint, text, FINGERPRINT_BYTES);
	free(text);
	return 0;
}

static int
read_date(const ASN1_TIME *date, const char *what, time_t *out_when, struct failure *why)
{
	struct tm parts;

	if (date == NULL || ASN1_TIME_to_tm(date, &parts) != 1) {
		ERR_clear_error();
		return failure_set(why, FAILURE_REFUSED, "expected a date as %s, found none", what);
	}
	if (parts.tm_year <= FIRST_YEAR || parts.tm_year > LAST_YEAR)
		return failure_set(why, FAILURE_REFUSED,
		    "expected a date between 1971 and 9999 as %s, found one of the year %d",
		    what, parts.tm_year + 1900);
	*out_when = timegm(&parts);
	return 0;
}

int
certificate_dates(X509 *certificate, time_t *out_not_before, time_t *out_not_after,
    struct failure *why)
{
	if (read_date(X509_get0_notBefore(certificate), "notBefore", out_not_before, why) == -1)
		return -1;
	return read_date(X509_get0_notAfter(certificate), "notAfter", out_not_after, why);
}

/* A NUL or a blank inside would make it another name for whoever reads it as text. */
static int
add_dns_name(const ASN1_STRING *string, struct words *names, struct failure *why)
{
	const unsigned char *bytes = ASN1_STRING_get0_data(string);
	const size_t size = (size_t)ASN1_STRING_length(string);
	char *name;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] <= 0x20 || bytes[i] >= 0x7f)
			return failure_set(why, FAILURE_REFUSED, "expected printable names in the "
			    "certificate, found one with the byte 0x%02x", bytes[i]);
	if (size == 0)
		return failure_set(why, FAILURE_REFUSED,
		    "expected printable names in the certificate, found an empty one");
	name = memory_text_n((const char *)bytes, size);
	for (char *c = name; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	words_add(names, name);
	free(name);
	return 0;
}

static int
add_address(const ASN1_STRING *string, struct words *names, struct failure *why)
{
	const int size = ASN1_STRING_length(string);
	char *text = name_of_address(ASN1_STRING_get0_data(string), (size_t)size);

	if (text == NULL)
		return failure_set(why, FAILURE_REFUSED, "expected addresses of 4 or 16 bytes in "
		    "the certificate, found one of %d", size);
	words_add(names, text);
	free(text);
	return 0;
}

static int
add_name(const GENERAL_NAME *general, struct words *names, struct failure *why)
{
	switch (general->type) {
	case GEN_DNS:
		return add_dns_name(general->d.dNSName, names, why);
	case GEN_IPADD:
		return add_address(general->d.iPAddress, names, why);
	}
	return 0;	/* mail addresses and URIs name no server */
}

int
certificate_names(X509 *certificate, struct words *out_names, struct failure *why)
{
	struct words names = { 0 };
	GENERAL_NAMES *generals;
	int found, result = -1;

	/* found is -1 where there is none, else the extension is there and cannot be read. */
	generals = X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, NULL);
	if (generals == NULL && found != -1) {
		failure_set(why, FAILURE_REFUSED,
		    "expected a list of names in the certificate, found: %s",
		    found == -2 ? "two" : certificate_library_error());
		goto out;
	}
	for (int i = 0; i < sk_GENERAL_NAME_num(generals); i++)
		if (add_name(sk_GENERAL_NAME_value(generals, i), &names, why) == -1)
			goto out;
	*out_names = names;
	names = (struct words){ 0 };	/* the caller has them now */
	result = 0;
out:
	words_clear(&names);
	GENERAL_NAMES_free(generals);
	return result;
}

/* Without it OpenSSL asks on the terminal for the password of an encrypted block. */
static int
no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

X509 *
certificate_read(BIO *pem)
{
	return PEM_read_bio_X509_AUX(pem, NULL, no_password, NULL);
}

bool
certificate_names_issuer(X509 *certificate, X509 *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(certificate), X509_get_subject_name(issuer)) == 0;
}

bool
certificate_signed_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	const bool good = key != NULL && X509_verify(certificate, key) == 1;

	ERR_clear_error();
	return good;
}
