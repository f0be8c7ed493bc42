/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "publish-pkcs12.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

static struct secret file, password, pem;

static void
tear_down(void)
{
	secret_clear(&file);
	secret_clear(&password);
	secret_clear(&pem);
	fixture_tear_down();
}

/* word NULL: none; the certificates are encrypted with `cipher`. */
static void
make_file_with(const char *word, int cipher, int mac_rounds)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	unsigned char *bytes = NULL;
	PKCS12 *pkcs12;
	int size;

	ck_assert_int_eq(sk_X509_push(chain, lower.certificate), 1);
	pkcs12 = PKCS12_create(word, "name", leaf.key, leaf.certificate, chain, cipher, cipher, 1,
	    mac_rounds, 0);
	ck_assert_ptr_nonnull(pkcs12);
	size = i2d_PKCS12(pkcs12, &bytes);
	ck_assert_int_gt(size, 0);
	secret_set(&file, bytes, (size_t)size);
	OPENSSL_free(bytes);
	PKCS12_free(pkcs12);
	sk_X509_free(chain);
}

static void
make_file(const char *word, int cipher)
{
	make_file_with(word, cipher, 1);
}

static void
expect_whole(void)
{
	ck_assert_msg(pkcs12_read(&file, &password, &pem, &why) == 0, "%s", why.text);
	pem_add_text(&text, pem.bytes);
	ck_assert_read();
	ck_assert_ptr_nonnull(strstr(material.chain.bytes, "BEGIN CERTIFICATE"));
}

START_TEST(key_certificate_and_chain_are_in_it)
{
	make_file("word", NID_aes_256_cbc);
	secret_set(&password, "word", 4);
	expect_whole();
}
END_TEST

START_TEST(a_password_of_no_letters_and_none_are_both_tried)
{
	make_file("", NID_aes_256_cbc);
	expect_whole();
}
END_TEST

START_TEST(no_password_is_fine_where_there_is_none)
{
	make_file(NULL, NID_aes_256_cbc);
	expect_whole();
}
END_TEST

START_TEST(another_password_is_refused)
{
	make_file("word", NID_aes_256_cbc);
	secret_set(&password, "other", 5);
	ck_assert_int_eq(pkcs12_read(&file, &password, &pem, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.text, "found another one"));
	secret_clear(&password);
	ck_assert_int_eq(pkcs12_read(&file, &password, &pem, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "see --password-file"));
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(something_else_is_no_pkcs12)
{
	secret_set(&file, "-----BEGIN CERTIFICATE-----", 27);
	ck_assert_int_eq(pkcs12_read(&file, &password, &pem, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	secret_clear(&file);
	ck_assert_int_eq(pkcs12_read(&file, &password, &pem, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
}
END_TEST

/* Without a MAC nothing says beforehand that the password is another one. */
START_TEST(what_cannot_be_decrypted_is_told)
{
	make_file_with("word", NID_aes_256_cbc, /* mac_rounds= */ -1);
	secret_set(&password, "other", 5);
	ck_assert_int_eq(pkcs12_read(&file, &password, &pem, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.text, "expected a PKCS#12 file that can be decrypted, found: "));
	ck_assert_ptr_null(strstr(why.text, "other"));
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-pkcs12");

	tcase_add_checked_fixture(tests, fixture_set_up, tear_down);
	tcase_add_test(tests, key_certificate_and_chain_are_in_it);
	tcase_add_test(tests, a_password_of_no_letters_and_none_are_both_tried);
	tcase_add_test(tests, no_password_is_fine_where_there_is_none);
	tcase_add_test(tests, another_password_is_refused);
	tcase_add_test(tests, something_else_is_no_pkcs12);
	tcase_add_test(tests, what_cannot_be_decrypted_is_told);
	return run_tests("publish-pkcs12", tests);
}
