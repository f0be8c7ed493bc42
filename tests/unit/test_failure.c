/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <errno.h>

#include "failure.c"
#include "support/runner.h"

START_TEST(a_failure_is_one_line_whatever_was_put_into_it)
{
	struct failure why;

	ck_assert_int_eq(failure_set(&why, FAILURE_DISK, "a\nb\tc\033[31m\x7f"), -1);
	ck_assert_str_eq(why.text, "a?b?c?[31m?");
}
END_TEST

START_TEST(the_system_tells_its_reason)
{
	struct failure why;

	errno = EPERM;
	ck_assert_int_eq(failure_errno(&why, FAILURE_DISK, "give %s to %s", "key", "nginx"), -1);
	ck_assert_str_eq(why.text, "give key to nginx: Operation not permitted");
}
END_TEST

START_TEST(a_prefix_keeps_the_kind)
{
	struct failure why;

	(void)failure_set(&why, FAILURE_REFUSED, "expired");
	(void)failure_prefix(&why, "certificate %s", "web");
	ck_assert_str_eq(why.text, "certificate web: expired");
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
}
END_TEST

START_TEST(a_long_text_is_cut_and_stays_a_text)
{
	char lengthy[4 * FAILURE_TEXT_BYTES];
	struct failure why;

	memset(lengthy, 'x', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	(void)failure_set(&why, FAILURE_DISK, "%s", lengthy);
	(void)failure_prefix(&why, "%s", lengthy);
	ck_assert_uint_lt(strlen(why.text), FAILURE_TEXT_BYTES);
}
END_TEST

START_TEST(exit_code_1_comes_before_5_before_2_before_3)
{
	ck_assert_int_eq(exit_code_worse(EXIT_VAULT, EXIT_WANTED), EXIT_VAULT);
	ck_assert_int_eq(exit_code_worse(EXIT_VAULT, EXIT_PARTLY), EXIT_PARTLY);
	ck_assert_int_eq(exit_code_worse(EXIT_BROKEN, EXIT_PARTLY), EXIT_BROKEN);
	ck_assert_int_eq(exit_code_worse(EXIT_BROKEN, EXIT_SETUP), EXIT_SETUP);
}
END_TEST

START_TEST(every_kind_has_the_exit_code_of_the_manual)
{
	static const enum exit_code codes[FAILURE_KINDS] = {
		[FAILURE_USAGE] = 1, [FAILURE_MANIFEST] = 1, [FAILURE_SETUP] = 1,
		[FAILURE_VAULT] = 3, [FAILURE_LOGIN] = 3, [FAILURE_DENIED] = 2,
		[FAILURE_ABSENT] = 2, [FAILURE_REFUSED] = 2, [FAILURE_DISK] = 2,
		[FAILURE_SERVICE] = 2, [FAILURE_USED] = 2,
[FAILURE_FOREIGN] = 2, [FAILURE_LOCKED] = 4,
		[FAILURE_INTERNAL] = 5,
	};

	for (int kind = 0; kind < FAILURE_KINDS; kind++)
		ck_assert_int_eq(failure_exit_code((enum failure_kind)kind), codes[kind]);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("failure");

	tcase_add_test(tests, a_failure_is_one_line_whatever_was_put_into_it);
	tcase_add_test(tests, the_system_tells_its_reason);
	tcase_add_test(tests, a_prefix_keeps_the_kind);
	tcase_add_test(tests, a_long_text_is_cut_and_stays_a_text);
	tcase_add_test(tests, exit_code_1_comes_before_5_before_2_before_3);
	tcase_add_test(tests, every_kind_has_the_exit_code_of_the_manual);
	return run_tests("failure", tests);
}
