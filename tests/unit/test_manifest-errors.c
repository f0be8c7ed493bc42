/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest-errors.c"
#include "support/runner.h"

START_TEST(errors_come_sorted_by_line_and_the_whole_file_comes_first)
{
	struct manifest_errors errors = { 0 };

	manifest_errors_add(&errors, 7, "b");
	manifest_errors_add(&errors, 7, "a");
	manifest_errors_add(&errors, 2, "c");
	manifest_errors_add(&errors, 0, "d");
	manifest_errors_sort(&errors);
	ck_assert_uint_eq(errors.count, 4);
	ck_assert_str_eq(errors.items[0].text, "d");
	ck_assert_str_eq(errors.items[1].text, "c");
	ck_assert_str_eq(errors.items[2].text, "a");
	ck_assert_str_eq(errors.items[3].text, "b");
	manifest_errors_clear(&errors);
	manifest_errors_sort(&errors);
}
END_TEST

START_TEST(an_error_is_one_line_without_control_characters)
{
	struct manifest_errors errors = { 0 };

	ck_assert_int_eq(manifest_errors_add(&errors, 1, "a\nb\033[31m%s", "\x7f"), -1);
	ck_assert_str_eq(errors.items[0].text, "a?b?[31m?");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(errors_of_another_file_name_it_and_their_line_there)
{
	struct manifest_errors errors = { 0 }, theirs = { 0 };

	manifest_errors_add(&theirs, 3, "wrong");
	manifest_errors_add(&theirs, 0, "unreadable");
	manifest_errors_add_file(&errors, "services.ini", &theirs);
	ck_assert_uint_eq(errors.items[0].line, 0);
	ck_assert_str_eq(errors.items[0].text, "services.ini: line 3: wrong");
	ck_assert_str_eq(errors.items[1].text, "services.ini: unreadable");
	manifest_errors_clear(&errors);
	manifest_errors_clear(&theirs);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest-errors");

	tcase_add_test(tests, errors_come_sorted_by_line_and_the_whole_file_comes_first);
	tcase_add_test(tests, an_error_is_one_line_without_control_characters);
	tcase_add_test(tests, errors_of_another_file_name_it_and_their_line_there);
	return run_tests("manifest-errors", tests);
}
