/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "bundle.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

static void
ck_assert_reads_kind(const char *kind, enum key_type type, bool traditional)
{
	struct made other = make_certificate((struct wish){ .key = kind }, &lower);
	struct secret expected = { 0 };

	pem_add_certificate(&text, other.certificate);
	if (traditional)
		pem_add_traditional_key(&text, other.key);
	else
		pem_add_key(&text, other.key);
	ck_assert_read();
	ck_assert_int_eq(material.leaf.key_type, type);
	pem_add_key(&expected, other.key);
	ck_assert_str_eq(material.key.bytes, expected.bytes);
	secret_clear(&expected);
	made_clear(&other);
}

START_TEST(an_ec_pair_is_read)
{
	ck_assert_reads_kind("P-256", KEY_EC, false);
}
END_TEST

START_TEST(a_p384_pair_is_read)
{
	ck_assert_reads_kind("P-384", KEY_EC, false);
}
END_TEST

START_TEST(an_rsa_pair_is_read)
{
	ck_assert_reads_kind("RSA:2048", KEY_RSA, false);
}
END_TEST

START_TEST(an_ed25519_pair_is_read)
{
	ck_assert_reads_kind("ED25519", KEY_ED25519, false);
}
END_TEST

START_TEST(an_ec_private_key_becomes_pkcs8)
{
	ck_assert_reads_kind("P-256", KEY_EC, true);
}
END_TEST

START_TEST(an_rsa_private_key_becomes_pkcs8)
{
	ck_assert_reads_kind("RSA:2048", KEY_RSA, true);
}
END_TEST

START_TEST(ec_parameters_before_the_key_are_passed_over)
{
	pem_add_text(&text, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
	    "-----END EC PARAMETERS-----\n");
	pem_add_traditional_key(&text, leaf.key);
	pem_add_certificate(&text, leaf.certificate);
	ck_assert_read();
}
END_TEST

START_TEST(texts_add_up_and_may_be_missing)
{
	struct secret key = { 0 }, empty = { 0 };
	const struct secret *const texts[] = { NULL, &text, &empty, &key };

	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&key, leaf.key);
	ck_assert_int_eq(bundle_read(texts, 4, &bundle, &why), 0);
	secret_clear(&key);
}
END_TEST

START_TEST(repeated_certificates_and_keys_are_folded)
{
	struct secret expected = { 0 };

	for (int i = 0; i < 2; i++) {
		pem_add_certificate(&text, leaf.certificate);
		pem_add_certificate(&text, lower.certificate);
		pem_add_key(&text, leaf.key);
		pem_add_traditional_key(&text, leaf.key);
	}
	ck_assert_read();
	pem_add_certificate(&expected, lower.certificate);
	ck_assert(secret_equal(&expected, &material.chain));
	secret_clear(&expected);
}
END_TEST

START_TEST(junk_between_blocks_is_dropped)
{
	pem_add_text(&text, "Bag Attributes\n    friendlyName: www\nsubject=CN = www\n\n");
	pem_add_certificate(&text, leaf.certificate);
	pem_add_text(&text, "\xef\xbb\xbf ---BEGIN\n-----BEGIN\n-----END CERTIFICATE-----\n\n");
	pem_add_key(&text, leaf.key);
	pem_add_text(&text, "the end, without a newline");
	ck_assert_read();
	ck_assert_ptr_null(strstr(material.cert.bytes, "Bag"));
}
END_TEST

START_TEST(crlf_is_accepted)
{
	struct secret lf = { 0 };

	pem_add_certificate(&lf, leaf.certificate);
	pem_add_key(&lf, leaf.key);
	for (size_t i = 0; i < lf.size; i++)
		secret_append(&text, lf.bytes[i] == '\n' ? "\r\n" : &lf.bytes[i],
		    lf.bytes[i] == '\n' ? 2 : 1);
	ck_assert_read();
	ck_assert_ptr_null(strchr(material.cert.bytes, '\r'));
	secret_clear(&lf);
}
END_TEST

START_TEST(an_encrypted_pkcs8_key_is_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	pem_add_encrypted_key(&text, leaf.key);
	ck_assert_refused("expected a key without a password, found that the key is encrypted "
	    "(ENCRYPTED PRIVATE KEY)");
}
END_TEST

START_TEST(an_encrypted_traditional_key_is_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	pem_add_proc_type_key(&text, leaf.key);
	ck_assert_refused("found that the key is encrypted (EC PRIVATE KEY)");
}
END_TEST

START_TEST(an_encrypted_key_under_an_open_label_is_refused)
{
	struct secret encrypted = { 0 };
	char *body;

	pem_add_encrypted_key(&encrypted, leaf.key);
	body = strchr(encrypted.bytes, '\n');
	*strstr(body, "\n-----END") = '\0';
	pem_add_text(&text, "-----BEGIN PRIVATE KEY-----");
	pem_add_text(&text, body);
	pem_add_text(&text, "\n-----END PRIVATE KEY-----\n");
	ck_assert_refused("expected a private key in the block PRIVATE KEY");
	secret_clear(&encrypted);
}
END_TEST

START_TEST(two_different_keys_are_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
	pem_add_key(&text, lower.key);
	ck_assert_refused("expected one private key, found two that differ");
}
END_TEST

START_TEST(no_key_is_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	ck_assert_refused("expected a private key in PEM, found none");
}
END_TEST

START_TEST(no_certificate_is_refused)
{
	pem_add_key(&text, leaf.key);
	ck_assert_refused("expected a certificate in PEM, found none");
}
END_TEST

START_TEST(a_key_that_fits_nothing_is_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_key(&text, root.key);
	ck_assert_refused("expected a certificate that the key fits, found only "
	    "CN=www.example.com and CN=Lower");
}
END_TEST

START_TEST(other_blocks_are_refused_by_name)
{
	static const char *const labels[] = { "DH PARAMETERS", "CERTIFICATE REQUEST", "PUBLIC KEY",
	    "TRUSTED CERTIFICATE", "X509 CRL", "DSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PKCS7" };

	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		char *block = memory_format("-----BEGIN %s-----\nAAAA\n-----END %s-----\n",
		    labels[i], labels[i]);
		char *expected = memory_format("found a block %s", labels[i]);

		secret_clear(&text);
		pem_add_text(&text, block);
		ck_assert_refused(expected);
		free(expected);
		free(block);
	}
}
END_TEST

START_TEST(an_x509_certificate_block_is_one)
{
	struct secret new = { 0 };

	pem_add_certificate(&new, leaf.certificate);
	*strstr(new.bytes, "\n-----END") = '\0';
	pem_add_text(&text, "-----BEGIN X509 CERTIFICATE-----");
	pem_add_text(&text, strchr(new.bytes, '\n'));
	pem_add_text(&text, "\n-----END X509 CERTIFICATE-----\n");
	pem_add_key(&text, leaf.key);
	ck_assert_read();
	secret_clear(&new);
}
END_TEST

START_TEST(a_cut_block_is_refused)
{
	pem_add_key(&text, leaf.key);
	pem_add_certificate(&text, leaf.certificate);
	text.size -= 40;
	text.bytes[text.size] = '\0';
	ck_assert_refused("expected well-formed PEM, found: ");
}
END_TEST

START_TEST(bad_base64_is_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	text.bytes[200] = '!';
	ck_assert_refused("expected well-formed PEM, found: bad base64 decode");
}
END_TEST

START_TEST(a_certificate_that_is_none_is_refused)
{
	pem_add_text(&text, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	ck_assert_refused("expected a certificate in the block CERTIFICATE, found: ");
}
END_TEST

START_TEST(bytes_after_a_certificate_are_refused)
{
	unsigned char *bytes = NULL;
	int size = i2d_X509(leaf.certificate, &bytes);
	BIO *out = BIO_new(BIO_s_mem());
	char *pem;

	bytes = OPENSSL_realloc(bytes, (size_t)size + 1);
	bytes[size] = 0;
	PEM_write_bio(out, "CERTIFICATE", "", bytes, size + 1);
	size = (int)BIO_get_mem_data(out, &pem);
	secret_set(&text, pem, (size_t)size);
	ck_assert_refused("expected a certificate in the block CERTIFICATE, found: unreadable");
	BIO_free(out);
	OPENSSL_free(bytes);
}
END_TEST

START_TEST(a_nul_ends_nothing)
{
	secret_append(&text, "junk\0junk\n", 10);
	pem_add_certificate(&text, leaf.certificate);
	secret_append(&text, "\0\n", 2);
	pem_add_key(&text, leaf.key);
	ck_assert_read();
}
END_TEST

static double
seconds_of_reading(void)
{
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	ck_assert_int_eq(fixture_read_and_write(), -1);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

START_TEST(four_megabytes_of_junk_are_refused_fast)
{
	static const char *const junk[] = { "x", "x\n", "\n", "-----BEGIN ", "-----BEGIN \n",
	    "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n", "\0",
	    "-----BEGIN X-----\n-----END X-----\n", "-----END CERTIFICATE-----\n" };

	for (size_t i = 0; i < sizeof(junk) / sizeof(*junk); i++) {
		const size_t size = junk[i][0] != '\0' ? strlen(junk[i]) : 1;

		secret_clear(&text);
		while (text.size + size <= TEXT_BYTES_MOST)
			secret_append(&text, junk[i], size);
		ck_assert_double_lt(seconds_of_reading(), 2.0);
		ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	}
	secret_append(&text, "more than four MiB by now", 25);
	ck_assert_refused("expected at most 4 MiB of PEM, found 41943");
}
END_TEST

START_TEST(a_hundred_blocks_are_enough)
{
	for (int i = 0; i < 100; i++)
		pem_add_certificate(&text, leaf.certificate);
	ck_assert_refused("expected a private key");
	pem_add_key(&text, leaf.key);
	ck_assert_refused("expected at most 100 PEM blocks, found more");
}
END_TEST

START_TEST(a_refusal_shows_no_key)
{
	struct secret key = { 0 };
	char piece[17] = "";

	pem_add_key(&key, leaf.key);
	memcpy(piece, strchr(key.bytes, '\n') + 70, 16);
	secret_append(&text, key.bytes, key.size);
	ck_assert_refused("expected");
	ck_assert_ptr_null(strstr(why.text, piece));
	text.bytes[100] = text.bytes[101] = '-';
	ck_assert_refused("expected");
	ck_assert_ptr_null(strstr(why.text, piece));
	secret_clear(&key);
}
END_TEST

/* Whatever the bytes: an answer, no crash. The sanitizers look on. */
START_TEST(damaged_bytes_never_crash)
{
	unsigned int seed = 1;
	struct secret good = { 0 };

	pem_add_certificate(&good, leaf.certificate);
	pem_add_certificate(&good, lower.certificate);
	pem_add_key(&good, leaf.key);
	for (int i = 0; i < 500; i++) {
		static const char letters[] = "ABCDEFGHabcdefgh0123456789+/=\n-";

		secret_set(&text, good.bytes, good.size);
		for (int j = rand_r(&seed) % 4; j >= 0; j--)
			text.bytes[(size_t)rand_r(&seed) % text.size] =
			    letters[(size_t)rand_r(&seed) % (sizeof(letters) - 1)];
		(void)fixture_read_and_write();
	}
	secret_clear(&good);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("bundle");

	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, an_ec_pair_is_read);
	tcase_add_test(tests, a_p384_pair_is_read);
	tcase_add_test(tests, an_rsa_pair_is_read);
	tcase_add_test(tests, an_ed25519_pair_is_read);
	tcase_add_test(tests, an_ec_private_key_becomes_pkcs8);
	tcase_add_test(tests, an_rsa_private_key_becomes_pkcs8);
	tcase_add_test(tests, ec_parameters_before_the_key_are_passed_over);
	tcase_add_test(tests, texts_add_up_and_may_be_missing);
	tcase_add_test(tests, repeated_certificates_and_keys_are_folded);
	tcase_add_test(tests, junk_between_blocks_is_dropped);
	tcase_add_test(tests, crlf_is_accepted);
	tcase_add_test(tests, an_encrypted_pkcs8_key_is_refused);
	tcase_add_test(tests, an_encrypted_traditional_key_is_refused);
	tcase_add_test(tests, an_encrypted_key_under_an_open_label_is_refused);
	tcase_add_test(tests, two_different_keys_are_refused);
	tcase_add_test(tests, no_key_is_refused);
	tcase_add_test(tests, no_certificate_is_refused);
	tcase_add_test(tests, a_key_that_fits_nothing_is_refused);
	tcase_add_test(tests, other_blocks_are_refused_by_name);
	tcase_add_test(tests, an_x509_certificate_block_is_one);
	tcase_add_test(tests, a_cut_block_is_refused);
	tcase_add_test(tests, bad_base64_is_refused);
	tcase_add_test(tests, a_certificate_that_is_none_is_refused);
	tcase_add_test(tests, bytes_after_a_certificate_are_refused);
	tcase_add_test(tests, a_nul_ends_nothing);
	tcase_add_test(tests, four_megabytes_of_junk_are_refused_fast);
	tcase_add_test(tests, a_hundred_blocks_are_enough);
	tcase_add_test(tests, a_refusal_shows_no_key);
	tcase_add_test(tests, damaged_bytes_never_crash);
	return run_tests("bundle", tests);
}
