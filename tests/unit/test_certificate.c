/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "certificate.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

START_TEST(the_leaf_is_described)
{
	struct made other = make_certificate((struct wish){ .serial = 0x3a1,
	    .names = "DNS:WWW.Example.com, DNS:*.example.com, IP:192.0.2.1, IP:2001:db8::1, "
	    "email:a@example.com, URI:https://example.com/" }, &lower);
	char fingerprint[FINGERPRINT_BYTES];
	struct secret certificate = { 0 };

	pem_add_key(&text, other.key);
	pem_add_certificate(&text, other.certificate);
	ck_assert_read();
	ck_assert_str_eq(material.leaf.serial, "03a1");
	ck_assert_str_eq(material.leaf.issuer, "CN=Lower");
	ck_assert_int_eq(material.leaf.not_before, TEST_NOW - TEST_DAY);
	ck_assert_int_eq(material.leaf.not_after, TEST_NOW + 89 * TEST_DAY);
	ck_assert_uint_eq(material.leaf.names.count, 4);
	ck_assert_str_eq(material.leaf.names.items[0], "www.example.com");
	ck_assert_str_eq(material.leaf.names.items[1], "*.example.com");
	ck_assert_str_eq(material.leaf.names.items[2], "192.0.2.1");
	ck_assert_str_eq(material.leaf.names.items[3], "2001:db8::1");
	pem_add_certificate(&certificate, other.certificate);
	ck_assert_int_eq(bundle_fingerprint(certificate.bytes, certificate.size, fingerprint,
	    &why), 0);
	ck_assert_str_eq(material.leaf.fingerprint, fingerprint);
	ck_assert_uint_eq(strspn(fingerprint, "0123456789abcdef"), 64);
	secret_clear(&certificate);
	made_clear(&other);
}
END_TEST

/* What was changed in the leaf is signed, and is what is read. */
static void
sign_leaf(void)
{
	ck_assert_int_ne(X509_sign(leaf.certificate, lower.key, EVP_sha256()), 0);
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
}

static void
put_name(int type, const char *name, int size, unsigned long how)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_STRING *string = type == GEN_DNS ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();

	ASN1_STRING_set(string, name, size);
	GENERAL_NAME_set0_value(general, type, string);
	sk_GENERAL_NAME_push(names, general);
	ck_assert_int_eq(X509_add1_ext_i2d(leaf.certificate, NID_subject_alt_name, names, 0, how), 1);
	GENERAL_NAMES_free(names);
	sign_leaf();
}

START_TEST(a_nul_in_a_name_is_refused)
{
	put_name(GEN_DNS, "www.example.com\0.evil.example", 29, X509V3_ADD_REPLACE);
	ck_assert_refused("expected printable names in the certificate, "
	    "found one with the byte 0x00");
}
END_TEST

START_TEST(an_unprintable_name_is_refused)
{
	put_name(GEN_DNS, "a\x1b[31m", 6, X509V3_ADD_REPLACE);
	ck_assert_refused("found one with the byte 0x1b");
}
END_TEST

START_TEST(an_empty_name_is_refused)
{
	put_name(GEN_DNS, "", 0, X509V3_ADD_REPLACE);
	ck_assert_refused("expected printable names in the certificate, found an empty one");
}
END_TEST

START_TEST(an_address_of_an_odd_size_is_refused)
{
	put_name(GEN_IPADD, "\xc0\x00\x02\x01\x18", 5, X509V3_ADD_REPLACE);
	ck_assert_refused("expected addresses of 4 or 16 bytes in the certificate, found one of 5");
}
END_TEST

START_TEST(two_lists_of_names_are_refused)
{
	put_name(GEN_DNS, "second.example.com", 18, X509V3_ADD_APPEND);
	ck_assert_refused("expected a list of names in the certificate, found: two");
}
END_TEST

START_TEST(names_that_cannot_be_read_are_refused)
{
	ASN1_OCTET_STRING *junk = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(junk, (const unsigned char *)"junk", 4);
	extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, junk);
	X509_EXTENSION_free(X509_delete_ext(leaf.certificate,
	    X509_get_ext_by_NID(leaf.certificate, NID_subject_alt_name, -1)));
	X509_add_ext(leaf.certificate, extension, -1);
	sign_leaf();
	ck_assert_refused("expected a list of names in the certificate, found: ");
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(junk);
}
END_TEST

static void
ck_assert_date_refused(const char *date, const char *part)
{
	ASN1_TIME_set_string(X509_getm_notBefore(leaf.certificate), date);
	sign_leaf();
	ck_assert_refused(part);
	ck_assert_msg(strstr(why.text, "notBefore") != NULL, "%s", why.text);
}

START_TEST(a_date_before_1970_is_refused)
{
	ck_assert_date_refused("19500101000000Z", "found one of the year 1950");
}
END_TEST

START_TEST(a_date_that_is_none_is_refused)
{
	ck_assert_int_eq(ASN1_STRING_set(X509_getm_notAfter(leaf.certificate), "tomorrow", 8), 1);
	sign_leaf();
	ck_assert_refused("expected a date as notAfter, found none");
}
END_TEST

START_TEST(the_end_of_time_is_a_date)
{
	ASN1_TIME_set_string(X509_getm_notAfter(leaf.certificate), "99991231235959Z");
	sign_leaf();
	ck_assert_read();
	ck_assert_int_eq(material.leaf.not_after, 253402300799);
}
END_TEST

START_TEST(an_issuer_is_one_printable_line)
{
	struct made ca = make_certificate((struct wish){ .ca = true,
	    .subject = "B\xc3\xbc""cher, \x01\x1b[31m\n\xc2\x9b" "1m" }, NULL);
	struct made other = make_certificate((struct wish){ 0 }, &ca);

	pem_add_certificate(&text, other.certificate);
	pem_add_key(&text, other.key);
	ck_assert_read();
	ck_assert_str_eq(material.leaf.issuer, "CN=B\xc3\xbc""cher\\, \\01\\1B[31m\\0A??1m");
	made_clear(&other);
	made_clear(&ca);
}
END_TEST

START_TEST(a_long_issuer_is_cut_between_two_characters)
{
	X509_NAME *name = X509_NAME_new();

	/* Each takes 17 bytes with "O=" and the comma: the 300th is the first of a u with dots. */
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
		    (const unsigned char *)"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
		    -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_issuer_name(leaf.certificate, name), 1);
	sign_leaf();
	ck_assert_read();
	ck_assert_uint_eq(strlen(material.leaf.issuer), TEXT_LENGTH - 1 + strlen("..."));
	ck_assert_str_eq(material.leaf.issuer + TEXT_LENGTH - 3, "\xc3\xbc...");
	X509_NAME_free(name);
}
END_TEST

static void
ck_assert_serial(const unsigned char *bytes, int size, const char *wanted)
{
	ck_assert_int_eq(ASN1_STRING_set(X509_get_serialNumber(leaf.certificate), bytes, size), 1);
	secret_clear(&text);
	sign_leaf();
	ck_assert_read();
	ck_assert_str_eq(material.leaf.serial, wanted);
}

START_TEST(a_serial_may_be_nothing_or_longer_than_allowed)
{
	unsigned char bytes[SERIAL_BYTES + 10];
	char digits[2 * SERIAL_BYTES + 1];

	memset(bytes, 0x11, sizeof(bytes));
	memset(digits, '1', sizeof(digits) - 1);
	digits[sizeof(digits) - 1] = '\0';
	ck_assert_serial((const unsigned char *)"", 1, "00");
	ck_assert_serial(bytes, 20, digits + 2 * SERIAL_BYTES - 2 * 20);
	ck_assert_serial(bytes, sizeof(bytes), digits);
}
END_TEST

START_TEST(a_key_of_another_kind_is_told_from_those_that_are_known)
{
	static const struct { const char *kind; enum key_type type; } cases[] = {
		{ "RSA:2048", KEY_RSA }, { "P-256", KEY_EC }, { "ED25519", KEY_ED25519 },
		{ "ED448", KEY_OTHER },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct made made = make_certificate((struct wish){ .key = cases[i].kind }, &lower);

		ck_assert_int_eq(certificate_key_type(made.certificate), cases[i].type);
		made_clear(&made);
	}
}
END_TEST

/* OpenSSL would ask for it on the terminal. */
START_TEST(a_certificate_with_a_password_is_not_read)
{
	unsigned char *bytes = NULL;
	const int size = i2d_X509(leaf.certificate, &bytes);
	BIO *pem = BIO_new(BIO_s_mem());

	ck_assert_int_gt(PEM_write_bio(pem, PEM_STRING_X509, "Proc-Type: 4,ENCRYPTED\n"
	    "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n", bytes, size), 0);
	ck_assert_ptr_null(certificate_read(pem));
	ck_assert_int_eq(ERR_GET_REASON(ERR_peek_last_error()), PEM_R_BAD_PASSWORD_READ);
	ERR_clear_error();
	BIO_free(pem);
	OPENSSL_free(bytes);
}
END_TEST

START_TEST(a_leaf_without_a_subject_is_named_by_its_serial)
{
	struct made other = make_certificate((struct wish){ .subject = "", .serial = 0xabc },
	    &lower);

	pem_add_certificate(&text, other.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("found only serial 0abc");
	made_clear(&other);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("certificate");

	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_add_test(tests, the_leaf_is_described);
	tcase_add_test(tests, a_nul_in_a_name_is_refused);
	tcase_add_test(tests, an_unprintable_name_is_refused);
	tcase_add_test(tests, an_empty_name_is_refused);
	tcase_add_test(tests, an_address_of_an_odd_size_is_refused);
	tcase_add_test(tests, two_lists_of_names_are_refused);
	tcase_add_test(tests, names_that_cannot_be_read_are_refused);
	tcase_add_test(tests, a_date_before_1970_is_refused);
	tcase_add_test(tests, a_date_that_is_none_is_refused);
	tcase_add_test(tests, the_end_of_time_is_a_date);
	tcase_add_test(tests, an_issuer_is_one_printable_line);
	tcase_add_test(tests, a_long_issuer_is_cut_between_two_characters);
	tcase_add_test(tests, a_serial_may_be_nothing_or_longer_than_allowed);
	tcase_add_test(tests, a_key_of_another_kind_is_told_from_those_that_are_known);
	tcase_add_test(tests, a_certificate_with_a_password_is_not_read);
	tcase_add_test(tests, a_leaf_without_a_subject_is_named_by_its_serial);
	return run_tests("certificate", tests);
}
