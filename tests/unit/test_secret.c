/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "secret.c"
#include "support/runner.h"

START_TEST(what_is_visible_has_no_blank_and_nothing_beyond_ascii)
{
	ck_assert(secret_is_visible("hvs.CAES-_+/=!~", 15));
	ck_assert(secret_is_visible("", 0));
	ck_assert(secret_is_visible(NULL, 0));
	ck_assert(!secret_is_visible("two words", 9));
	ck_assert(!secret_is_visible("s.line\n", 7));
	ck_assert(!secret_is_visible("a\0b", 3));
	ck_assert(!secret_is_visible("a\x7f", 2));
	ck_assert(!secret_is_visible("\xc3\xa9", 2));
}
END_TEST

START_TEST(a_secret_grows_and_always_ends_in_nul)
{
	struct secret secret = { 0 };

	for (int i = 0; i < 10000; i++)
		secret_append(&secret, "abc", 3);
	ck_assert_uint_eq(secret.size, 30000);
	ck_assert_int_eq(secret.bytes[30000], '\0');
	secret_clear(&secret);
	ck_assert_ptr_null(secret.bytes);
}
END_TEST

START_TEST(white_space_at_both_ends_is_trimmed_and_wiped)
{
	struct secret secret = { 0 };

	secret_set(&secret, " \n token \n", 10);
	secret_trim(&secret);
	ck_assert_str_eq(secret.bytes, "token");
	for (size_t i = secret.size; i < secret.room; i++)
		ck_assert_int_eq(secret.bytes[i], 0);
	secret_set(&secret, " \n", 2);
	secret_trim(&secret);
	ck_assert_uint_eq(secret.size, 0);
	secret_clear(&secret);
	secret_trim(&secret);
}
END_TEST

START_TEST(a_moved_secret_leaves_nothing_behind)
{
	struct secret from = { 0 }, to = { 0 };

	secret_set(&from, "x", 1);
	secret_move(&to, &from);
	ck_assert_ptr_null(from.bytes);
	ck_assert_str_eq(to.bytes, "x");
	secret_clear(&to);
}
END_TEST

START_TEST(secrets_are_compared_by_content_and_length)
{
	struct secret a = { 0 }, b = { 0 };

	ck_assert(secret_equal(&a, &b));
	secret_set(&a, "abc", 3);
	secret_set(&b, "abcd", 4);
	ck_assert(!secret_equal(&a, &b));
	secret_set(&b, "abc", 3);
	ck_assert(secret_equal(&a, &b));
	secret_clear(&a);
	secret_clear(&b);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("secret");

	tcase_add_test(tests, a_secret_grows_and_always_ends_in_nul);
	tcase_add_test(tests, white_space_at_both_ends_is_trimmed_and_wiped);
	tcase_add_test(tests, a_moved_secret_leaves_nothing_behind);
	tcase_add_test(tests, secrets_are_compared_by_content_and_length);
	tcase_add_test(tests, what_is_visible_has_no_blank_and_nothing_beyond_ascii);
	return run_tests("secret", tests);
}
