/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <unistd.h>

#include "findings.c"
#include "support/runner.h"
#include "support/status_file.h"

static struct findings findings;

static void
tear_down(void)
{
	findings_clear(&findings);
}

static void
expect_line(enum check_result expected, const char *line)
{
	enum check_result result;

	capture_begin(STDOUT_FILENO);
	result = findings_print(&findings, TEST_NOW);
	ck_assert_str_eq(capture_end(STDOUT_FILENO), line);
	ck_assert_int_eq(result, expected);
}

START_TEST(nothing_found_is_ok_with_the_first_to_expire)
{
	findings_count(&findings, CHECK_OK, "a", TEST_NOW + 60 * TEST_DAY);
	findings_count(&findings, CHECK_OK, "b", TEST_NOW + 50 * TEST_DAY);
	findings_count(&findings, CHECK_OK, "c", 0);
	expect_line(CHECK_OK, "CERTLET OK - 3 certificates, b expires first, in 50 days | "
	    "certificates=3 critical=0 warning=0 first_expiry_days=50\n");
}
END_TEST

START_TEST(no_certificate_is_ok)
{
	expect_line(CHECK_OK, "CERTLET OK - 0 certificates | certificates=0 critical=0 warning=0\n");
}
END_TEST

START_TEST(the_critical_come_first_and_some_are_counted_only)
{
	findings_count(&findings, CHECK_WARNING, "a", 0);
	findings_add(&findings, CHECK_WARNING, memory_text("a is | bad"));
	for (int i = 0; i < 6; i++)
		findings_add(&findings, CHECK_CRITICAL, memory_format("c%d", i));
	expect_line(CHECK_CRITICAL, "CERTLET CRITICAL - 1 of 1 certificates: c0; c1; c2; c3; c4 "
	    "and 2 more | certificates=1 critical=0 warning=1\n");
}
END_TEST

START_TEST(an_end_is_ahead_or_past)
{
	char *ahead = findings_expiry("a", TEST_NOW + 3 * TEST_DAY, TEST_NOW);
	char *past = findings_expiry("a", TEST_NOW - 3 * 3600, TEST_NOW);

	ck_assert_str_eq(ahead, "a expires in 3 days");
	ck_assert_str_eq(past, "a expired 3 h ago");
	free(past);
	free(ahead);
}
END_TEST

START_TEST(what_could_not_be_checked_is_unknown)
{
	capture_begin(STDOUT_FILENO);
	ck_assert_int_eq(findings_print_unknown("no | answer"), CHECK_UNKNOWN);
	ck_assert_str_eq(capture_end(STDOUT_FILENO), "CERTLET UNKNOWN - no / answer\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("findings");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, nothing_found_is_ok_with_the_first_to_expire);
	tcase_add_test(tests, no_certificate_is_ok);
	tcase_add_test(tests, the_critical_come_first_and_some_are_counted_only);
	tcase_add_test(tests, an_end_is_ahead_or_past);
	tcase_add_test(tests, what_could_not_be_checked_is_unknown);
	return run_tests("findings", tests);
}
