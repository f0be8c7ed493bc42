/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "status-words.c"
#include "support/runner.h"

#define NOW ((time_t)1800000000)	/* 2027-01-15T08:00:00Z */
#define DAY 86400L

static void
check_words(char *take_found, const char *expected)
{
	ck_assert_str_eq(take_found, expected);
	free(take_found);
}

START_TEST(a_time_is_said_with_its_distance)
{
	(void)setenv("TZ", "UTC", 1);
	check_words(status_words_time(NOW + 3 * 3600, NOW, false), "2027-01-15 11:00, in 3 h");
	check_words(status_words_time(NOW - 90 * DAY, NOW, false), "2026-10-17 08:00, 90 days ago");
	check_words(status_words_time(NOW, NOW, false), "2027-01-15 08:00, now");
	check_words(status_words_time(0, NOW, false), "-");
}
END_TEST

START_TEST(a_brief_time_leaves_the_hour_out_where_days_are_counted)
{
	(void)setenv("TZ", "UTC", 1);
	check_words(status_words_time(NOW + 89 * DAY, NOW, true), "2027-04-14, in 89 days");
	check_words(status_words_time(NOW + 3600, NOW, true), "2027-01-15 09:00, in 60 min");
}
END_TEST

START_TEST(credentials_are_said_with_the_end_of_the_secret_id)
{
	struct seen_status status = { .credentials = "expiring", .secret_id_expires = NOW + 3600 };

	(void)setenv("TZ", "UTC", 1);
	check_words(status_words_credentials(&status, NOW), "expiring, secret-id until 2027-01-15 09:00, in 60 min");
	status.secret_id_expires = 0;
	check_words(status_words_credentials(&status, NOW), "expiring");
	status.credentials = NULL;
	check_words(status_words_credentials(&status, NOW), "unknown");
}
END_TEST

START_TEST(a_version_is_said_with_what_vault_has_instead)
{
	struct seen_certificate seen = { .version = 7, .offered_version = 7 };

	check_words(status_words_version(&seen), "7");
	seen.offered_version = 8;
	check_words(status_words_version(&seen), "7 (Vault: 8)");
	seen.offered_version = 0;
	check_words(status_words_version(&seen), "7");
	seen.version = 0;
	check_words(status_words_version(&seen), "-");
}
END_TEST

START_TEST(each_problem_says_what_happens_next)
{
	struct seen_certificate seen = { .problem = "still_used", .error = "nginx still needs it" };

	check_words(status_words_problem(&seen), "still used: nginx still needs it");
	check_words(status_words_next_try(&seen, NOW),
	    "next try: at every run; certlet --sync NAME --force deletes it now");
	seen = (struct seen_certificate){ .problem = "failed" };
	check_words(status_words_problem(&seen), "failed");
	check_words(status_words_next_try(&seen, NOW), "next try: at every run");
	seen = (struct seen_certificate){ .problem = "of_the_future" };
	check_words(status_words_problem(&seen), "of_the_future");
}
END_TEST

START_TEST(an_exit_code_is_said_in_words)
{
	struct seen_status status = { .exit = 5, .last_run = 0, .seconds = 1.5 };

	check_words(status_words_run(&status, NOW), "-; exit 5, certlet itself failed; 1.50 s");
	status.exit = 77;
	check_words(status_words_run(&status, NOW), "-; exit 77, ?; 1.50 s");
	status.exit = -1;
	check_words(status_words_run(&status, NOW), "-; exit -1, ?; 1.50 s");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("status-words");

	tcase_add_test(tests, a_time_is_said_with_its_distance);
	tcase_add_test(tests, a_brief_time_leaves_the_hour_out_where_days_are_counted);
	tcase_add_test(tests, credentials_are_said_with_the_end_of_the_secret_id);
	tcase_add_test(tests, a_version_is_said_with_what_vault_has_instead);
	tcase_add_test(tests, each_problem_says_what_happens_next);
	tcase_add_test(tests, an_exit_code_is_said_in_words);
	return run_tests("status-words", tests);
}
