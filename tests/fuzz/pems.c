/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "memory.h"
#include "pems.h"
#include "unit/support/make_certificate.h"

#define BENDS_MOST 64
#define LINE_BYTES 48	/* of DER */

/* One block; made when it is first named. */
struct pem {
	const char *name, *label;
	struct secret der;
};

enum { ROOT, UPPER, LOWER, LEAF, CERTIFICATES = LEAF + 8 };

static const struct {
	const char *key;	/* "rsa": any; else what the key is made of */
	int issuer;
	struct wish wish;
} wishes[CERTIFICATES] = {
	[ROOT] = { "root", -1, { .subject = "Root", .ca = true } },
	[UPPER] = { "upper", ROOT, { .subject = "Upper", .ca = true } },
	[LOWER] = { "lower", UPPER, { .subject = "Lower", .ca = true } },
	[LEAF] = { "leaf", LOWER, { .names = "DNS:www.example.com,DNS:*.example.net,IP:192.0.2.1" } },
	[LEAF + 1] = { "EC leaf", LOWER, { .usage = "serverAuth" } },
	[LEAF + 2] = { "rsa", LOWER, { 0 } },
	[LEAF + 3] = { "leaf", LOWER, { .not_after = TEST_NOW - 1 } },
	[LEAF + 4] = { "leaf", LOWER, { .not_before = TEST_NOW + TEST_DAY } },
	[LEAF + 5] = { "leaf", LOWER, { .usage = "codeSigning" } },
	[LEAF + 6] = { "leaf", LOWER, { .subject = "", .names = "" } },
	[LEAF + 7] = { "leaf", -1, { 0 } },
};

static struct pem pems[] = {
	{ "root", "CERTIFICATE", { 0 } },
	{ "upper", "CERTIFICATE", { 0 } },
	{ "lower", "CERTIFICATE", { 0 } },
	{ "leaf", "CERTIFICATE", { 0 } },
	{ "ecleaf", "CERTIFICATE", { 0 } },
	{ "rsaleaf", "CERTIFICATE", { 0 } },
	{ "expired", "CERTIFICATE", { 0 } },
	{ "early", "CERTIFICATE", { 0 } },
	{ "code", "CERTIFICATE", { 0 } },
	{ "nameless", "CERTIFICATE", { 0 } },
	{ "selfsigned", "CERTIFICATE", { 0 } },
	/* Keys: of the leaf, of the ecleaf (twice), of the rsaleaf (twice), of none. */
	{ "key", "PRIVATE KEY", { 0 } },
	{ "eckey", "PRIVATE KEY", { 0 } },
	{ "sec1key", "EC PRIVATE KEY", { 0 } },
	{ "rsakey", "PRIVATE KEY", { 0 } },
	{ "pkcs1key", "RSA PRIVATE KEY", { 0 } },
	{ "otherkey", "PRIVATE KEY", { 0 } },
};
#define PEM_COUNT (sizeof(pems) / sizeof(*pems))

static struct made made[CERTIFICATES];

static void
must(bool promise)
{
	if (!promise)
		abort();
}

/* Always the same key for the same words (but RSA), so that bends mean the same in each run. */
static EVP_PKEY *
key_of(const char *words)
{
	/* ECPrivateKey of RFC 5915 with a P-256 scalar; OpenSSL finds the point. */
	unsigned char sec1[] = "\x30\x31\x02\x01\x01\x04\x20................................"
	    "\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
	const unsigned char *at = sec1;
	static EVP_PKEY *rsa;
	unsigned char digest[32];
	EVP_PKEY *key;

	if (strcmp(words, "rsa") == 0) {
		if (rsa == NULL)
			rsa = make_key("RSA:2048");
		must(EVP_PKEY_up_ref(rsa) == 1);
		return rsa;
	}
	must(EVP_Digest(words, strlen(words), digest, NULL, EVP_sha256(), NULL) == 1);
	memcpy(sec1 + 7, digest, sizeof(digest));
	key = strncmp(words, "EC ", 3) == 0 ?
	    d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, sizeof(sec1) - 1) :
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, digest, sizeof(digest));
	must(key != NULL);
	return key;
}

static const struct made *
made_of(int which)
{
	struct wish wish = wishes[which].wish;
	const int issuer = wishes[which].issuer;

	if (made[which].certificate == NULL) {
		wish.own_key = key_of(wishes[which].key);
		wish.serial = 0x1000 + which;
		made[which] = make_certificate(wish, issuer == -1 ? NULL : made_of(issuer));
		EVP_PKEY_free(wish.own_key);
	}
	return &made[which];
}

static void
make_key_der(struct pem *pem)
{
	const bool is_pkcs8 = strcmp(pem->label, "PRIVATE KEY") == 0;
	EVP_PKEY *key = key_of(pem->name[0] == 'e' || pem->name[0] == 's' ? "EC leaf" :
	    pem->name[0] == 'r' || pem->name[0] == 'p' ? "rsa" :
	    pem->name[0] == 'k' ? "leaf" : "other");
	PKCS8_PRIV_KEY_INFO *info = is_pkcs8 ? EVP_PKEY2PKCS8(key) : NULL;
	unsigned char *der = NULL;
	const int size = is_pkcs8 ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : i2d_PrivateKey(key, &der);

	must(size > 0);
	secret_set(&pem->der, der, (size_t)size);
	PKCS8_PRIV_KEY_INFO_free(info);
	OPENSSL_free(der);
	EVP_PKEY_free(key);
}

static const struct secret *
der_of(size_t which)
{
	struct pem *pem = &pems[which];
	unsigned char *der = NULL;
	int size;

	if (pem->der.size == 0 && which >= CERTIFICATES) {
		make_key_der(pem);
	} else if (pem->der.size == 0) {
		size = i2d_X509(made_of((int)which)->certificate, &der);
		must(size > 0);
		secret_set(&pem->der, der, (size_t)size);
		OPENSSL_free(der);
	}
	return &pem->der;
}

/* The name at `text`, of `length` letters; PEM_COUNT: none. */
static size_t
find_pem(const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < PEM_COUNT; i++)
		if (strlen(pems[i].name) == length && memcmp(pems[i].name, text, length) == 0)
			break;
	return i;
}

static void
bend(struct secret *der, size_t at, char act, char byte)
{
	if (at >= der->size)
		return;
	if (act == '=') {
		der->bytes[at] = byte;
	} else if (act == '-') {
		memmove(der->bytes + at, der->bytes + at + 1, der->size - at - 1);
		der->size--;
	} else {
		secret_append(der, "", 1);
		memmove(der->bytes + at + 1, der->bytes + at, der->size - at - 1);
		der->bytes[at] = byte;
	}
}

/* Steps over " 12=ff", " 12-" or " 12+ff". `text` ends in a NUL. */
static bool
take_bend(const char **text, struct secret *der)
{
	char *end, act, byte = '\0';
	size_t at;

	if ((*text)[0] != ' ' || !isdigit((unsigned char)(*text)[1]))
		return false;
	at = strtoul(*text + 1, &end, 10);
	act = *end++;
	if (act == '=' || act == '+') {
		if (!isxdigit((unsigned char)end[0]) || !isxdigit((unsigned char)end[1]))
			return false;
		byte = (char)strtoul((char[]){ end[0], end[1], '\0' }, NULL, 16);
		end += 2;
	} else if (act != '-') {
		return false;
	}
	bend(der, at, act, byte);
	*text = end;
	return true;
}

static void
append_text(struct secret *text, const char *more)
{
	secret_append(text, more, strlen(more));
}

static void
append_pem(struct secret *text, const char *label, const struct secret *der, const char *newline)
{
	char *border = memory_format("%s-----%s", label, newline);
	unsigned char line[4 * LINE_BYTES / 3 + 1];

	append_text(text, "-----BEGIN ");
	append_text(text, border);
	for (size_t at = 0; at < der->size; at += LINE_BYTES) {
		const size_t left = der->size - at;

		(void)EVP_EncodeBlock(line, (const unsigned char *)der->bytes + at,
		    (int)(left < LINE_BYTES ? left : LINE_BYTES));
		append_text(text, (const char *)line);
		append_text(text, newline);
	}
	append_text(text, "-----END ");
	append_text(text, border);
	free(border);
}

void
pems_expand(const void *bytes, size_t size, const char *newline, struct secret *out_text)
{
	char *copy = memory_text_n(bytes, size);	/* with a NUL behind */
	const char *at = copy, *end = copy + size;

	while (at < end) {
		const size_t letters = *at == '@' ?
		    strspn(at + 1, "abcdefghijklmnopqrstuvwxyz0123456789") : 0;
		const size_t which = find_pem(at + 1, letters);
		struct secret der = { 0 };

		if (which == PEM_COUNT) {
			secret_append(out_text, at++, 1);
			continue;
		}
		secret_set(&der, der_of(which)->bytes, der_of(which)->size);
		at += 1 + letters;
		for (int i = 0; i < BENDS_MOST && take_bend(&at, &der); i++)
			continue;
		append_pem(out_text, pems[which].label, &der, newline);
		secret_clear(&der);
	}
	free(copy);
}
