/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "certificate.c"
#include "support/bundle_fixture.h"

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

static void
replace_names(struct made *made, const char *name, int size)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *general = GENERAL_NAME_new();
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	ASN1_STRING_set(string, name, size);
	GENERAL_NAME_set0_value(general, GEN_DNS, string);
	sk_GENERAL_NAME_push(names, general);
	X509_add1_ext_i2d(made->certificate, NID_subject_alt_name, names, 0, X509V3_ADD_REPLACE);
	X509_sign(made->certificate, lower.key, EVP_sha256());
	GENERAL_NAMES_free(names);
}

START_TEST(a_nul_in_a_name_is_refused)
{
	replace_names(&leaf, "www.example.com\0.evil.example", 29);
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("expected printable names in the certificate, "
	    "found one with the byte 0x00");
}
END_TEST

START_TEST(an_unprintable_name_is_refused)
{
	replace_names(&leaf, "a\x1b[31m", 6);
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("found one with the byte 0x1b");
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
	X509_sign(leaf.certificate, lower.key, EVP_sha256());
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("expected a list of names in the certificate, found: ");
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(junk);
}
END_TEST

static void
ck_assert_date_refused(const char *date, const char *part)
{
	ASN1_TIME_set_string(X509_getm_notBefore(leaf.certificate), date);
	X509_sign(leaf.certificate, lower.key, EVP_sha256());
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused(part);
	ck_assert_msg(strstr(why.text, "notBefore") != NULL, "%s", why.text);
}

START_TEST(a_date_before_1970_is_refused)
{
	ck_assert_date_refused("19500101000000Z", "found one of the year 1950");
}
END_TEST

START_TEST(the_end_of_time_is_a_date)
{
	ASN1_TIME_set_string(X509_getm_notAfter(leaf.certificate), "99991231235959Z");
	X509_sign(leaf.certificate, lower.key, EVP_sha256());
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
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
	Suite *suite = suite_create("certificate");
	TCase *tests = tcase_create("certificate");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_add_test(tests, the_leaf_is_described);
	tcase_add_test(tests, a_nul_in_a_name_is_refused);
	tcase_add_test(tests, an_unprintable_name_is_refused);
	tcase_add_test(tests, names_that_cannot_be_read_are_refused);
	tcase_add_test(tests, a_date_before_1970_is_refused);
	tcase_add_test(tests, the_end_of_time_is_a_date);
	tcase_add_test(tests, an_issuer_is_one_printable_line);
	tcase_add_test(tests, a_leaf_without_a_subject_is_named_by_its_serial);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
