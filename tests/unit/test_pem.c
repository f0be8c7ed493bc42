/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "pem.c"
#include "support/runner.h"

#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END "-----END CERTIFICATE-----\n"
#define LINE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"

static bool
has_shape(const char *text, size_t least, size_t most)
{
	struct secret secret = { 0 };
	bool result;

	secret_set(&secret, text, strlen(text));
	result = pem_has_shape(&secret, "CERTIFICATE", least, most);
	secret_clear(&secret);
	return result;
}

START_TEST(blocks_as_certlet_writes_them_have_the_shape)
{
	ck_assert(has_shape(BEGIN LINE LINE "QUJD\n" END, 1, 1));
	ck_assert(has_shape(BEGIN "QQ==\n" END BEGIN LINE END, 1, 2));
	ck_assert(has_shape(BEGIN LINE "a+/=\n" END, 1, 1));
	ck_assert(has_shape("", 0, 5));
}
END_TEST

START_TEST(no_text_at_all_is_no_block)
{
	const struct secret nothing = { 0 };

	ck_assert(pem_has_shape(&nothing, "CERTIFICATE", 0, 1));
	ck_assert(!pem_has_shape(&nothing, "CERTIFICATE", 1, 1));
}
END_TEST

START_TEST(the_count_of_blocks_is_bounded)
{
	ck_assert(!has_shape("", 1, 1));
	ck_assert(!has_shape(BEGIN LINE END BEGIN LINE END, 1, 1));
	ck_assert(!has_shape(BEGIN LINE END, 2, 3));
}
END_TEST

static const char *const bad[] = {
	"x", "\n", " " BEGIN LINE END, BEGIN END, BEGIN LINE, BEGIN "\n" END, BEGIN LINE "\n" END,
	BEGIN LINE END "text\n", BEGIN LINE END "\n", BEGIN "AAA\n" END, BEGIN "A===\n" END,
	BEGIN "QQ==\n" LINE END, BEGIN "QUJD\n" LINE END, BEGIN "QU D\n" END, BEGIN "QUJ-\n" END,
	BEGIN "Proc-Type: 4,ENCRYPTED\n" LINE END, BEGIN "AAAA" LINE END, BEGIN "QUJD\r\n" END,
	"-----BEGIN CERTIFICATE-----\r\n" LINE END, BEGIN LINE "-----END CERTIFICATE-----",
	"-----BEGIN PRIVATE KEY-----\n" LINE "-----END PRIVATE KEY-----\n",
	BEGIN LINE "-----END PRIVATE KEY-----\n", "-----BEGIN X509 CERTIFICATE-----\n" LINE END,
	BEGIN BEGIN LINE END END, BEGIN "Q=Q=\n" END,
};

START_TEST(nothing_else_has)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!has_shape(bad[i], 1, 1), "%s", bad[i]);
}
END_TEST

START_TEST(a_nul_is_no_letter_of_base64)
{
	struct secret secret = { 0 };

	secret_append(&secret, BEGIN "QU", strlen(BEGIN) + 2);
	secret_append(&secret, "\0D\n" END, 3 + strlen(END));
	ck_assert(!pem_has_shape(&secret, "CERTIFICATE", 1, 1));
	secret_clear(&secret);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("pem");

	tcase_add_test(tests, blocks_as_certlet_writes_them_have_the_shape);
	tcase_add_test(tests, no_text_at_all_is_no_block);
	tcase_add_test(tests, the_count_of_blocks_is_bounded);
	tcase_add_test(tests, nothing_else_has);
	tcase_add_test(tests, a_nul_is_no_letter_of_base64);
	return run_tests("pem", tests);
}
