/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "status-check.c"
#include "support/runner.h"
#include "support/status_file.h"

static struct status_file file;

static void
set_up(void)
{
	status_file_begin(&file);
}

static void
tear_down(void)
{
	status_file_end(&file);
}

/* The line that is printed, without its line feed. */
static const char *
check(enum check_result expected)
{
	enum check_result result;
	char *line;

	status_file_write(&file);
	capture_begin(STDOUT_FILENO);
	result = status_check(file.directory, TEST_NOW);
	line = (char *)capture_end(STDOUT_FILENO);
	ck_assert_ptr_ne(strchr(line, '\n'), NULL);
	ck_assert_str_eq(strchr(line, '\n'), "\n");
	line[strlen(line) - 1] = '\0';
	ck_assert_msg(result == expected, "expected %d, found %d: %s", (int)expected, (int)result, line);
	return line;
}

START_TEST(a_sound_server_is_ok)
{
	status_file_add(&file, "a.example.com", 80);
	status_file_add(&file, "b.example.com", 60);
	status_file_add_service(&file, "nginx", "ok", 0);
	ck_assert_str_eq(check(CHECK_OK), "CERTLET OK - 2 certificates, b.example.com expires first, "
	    "in 60 days | certificates=2 critical=0 warning=0 first_expiry_days=60");
}
END_TEST

START_TEST(no_status_file_is_unknown)
{
	const char *line;

	capture_begin(STDOUT_FILENO);
	ck_assert_int_eq(status_check(file.directory, TEST_NOW), CHECK_UNKNOWN);
	line = capture_end(STDOUT_FILENO);
	ck_assert_ptr_eq(strstr(line, "CERTLET UNKNOWN - there is no "), line);
}
END_TEST

START_TEST(a_file_of_another_schema_or_no_json_is_unknown)
{
	json_object_set_new(file.document, "schema", json_integer(2));
	ck_assert_ptr_ne(strstr(check(CHECK_UNKNOWN), "expected schema 1, found 2"), NULL);
	json_decref(file.document);
	file.document = json_pack("[s]", "x");
	(void)check(CHECK_UNKNOWN);
}
END_TEST

START_TEST(credentials_that_end_or_are_refused_are_a_warning)
{
	json_t *vault = json_object_get(file.document, "vault");
	json_t *run = json_object_get(file.document, "last_sync");

	status_file_add(&file, "a.example.com", 80);
	json_object_set_new(vault, "credentials", json_string("missing"));
	(void)check(CHECK_OK);
	json_object_set_new(vault, "credentials", json_null());
	(void)check(CHECK_OK);
	json_object_set_new(run, "error", json_string("no login: invalid role or secret ID"));
	json_object_set_new(vault, "credentials", json_string("expiring"));
	ck_assert_str_eq(check(CHECK_WARNING), "CERTLET WARNING - credentials expiring"
	    " | certificates=1 critical=0 warning=0 first_expiry_days=80");
	json_object_set_new(vault, "credentials", json_string("refused"));
	ck_assert_ptr_ne(strstr(check(CHECK_WARNING),
	    " - credentials refused: no login: invalid role or secret ID |"), NULL);
}
END_TEST

START_TEST(the_clock_of_now_counts_not_the_word_in_the_file)
{
	status_file_add(&file, "a.example.com", -6);
	ck_assert_str_eq(check(CHECK_CRITICAL), "CERTLET CRITICAL - 1 of 1 certificates: "
	    "a.example.com expired 6 days ago | certificates=1 critical=1 warning=0 first_expiry_days=-6");
}
END_TEST

START_TEST(under_warn_is_a_warning_and_under_critical_critical)
{
	json_t *certificate = status_file_add(&file, "a.example.com", 26);

	(void)check(CHECK_OK);
	json_object_set_new(certificate, "not_after", test_time(TEST_NOW + 24 * TEST_DAY));
	ck_assert_ptr_ne(strstr(check(CHECK_WARNING), "a.example.com expires in 24 days"), NULL);
	json_object_set_new(certificate, "not_after", test_time(TEST_NOW + 6 * TEST_DAY));
	json_object_set_new(certificate, "not_before", test_time(TEST_NOW - 80 * TEST_DAY));
	(void)check(CHECK_CRITICAL);
}
END_TEST

START_TEST(a_short_life_has_thresholds_of_its_own)
{
	json_t *certificate = status_file_add(&file, "a.example.com", 3);

	/* 10 days in all: warns with 2 left, critical with 1. */
	json_object_set_new(certificate, "not_before", test_time(TEST_NOW - 7 * TEST_DAY));
	(void)check(CHECK_OK);
	json_object_set_new(certificate, "not_before", test_time(TEST_NOW - 17 * TEST_DAY));
	(void)check(CHECK_WARNING);
	json_object_set_new(certificate, "not_before", test_time(TEST_NOW - 37 * TEST_DAY));
	(void)check(CHECK_CRITICAL);
}
END_TEST

START_TEST(a_missing_certificate_is_critical_with_its_words)
{
	json_t *certificate = status_file_add(&file, "a.example.com", 80);

	json_object_set_new(certificate, "not_after", json_null());
	json_object_set_new(certificate, "problem", json_string("failed"));
	json_object_set_new(certificate, "error", json_string("403 | permission denied"));
	ck_assert_str_eq(check(CHECK_CRITICAL), "CERTLET CRITICAL - 1 of 1 certificates: "
	    "a.example.com is missing, failed: 403 / permission denied "
	    "| certificates=1 critical=1 warning=0");
}
END_TEST

START_TEST(any_problem_is_a_warning)
{
	static const char *const problems[] = {
		"failed", "refused", "quarantined", "waiting", "still_used",
	};
	json_t *certificate = status_file_add(&file, "a.example.com", 80);

	for (size_t i = 0; i < sizeof(problems) / sizeof(*problems); i++) {
		json_object_set_new(certificate, "problem", json_string(problems[i]));
		ck_assert_ptr_ne(strstr(check(CHECK_WARNING), problems[i]), NULL);
	}
}
END_TEST

START_TEST(an_unlisted_certificate_is_a_warning_at_most)
{
	json_t *certificate = status_file_add(&file, "old.example.com", -6);

	json_object_set_new(certificate, "wanted", json_false());
	json_object_set_new(certificate, "problem", json_string("still_used"));
	(void)check(CHECK_WARNING);
}
END_TEST

START_TEST(a_failed_service_is_critical_and_an_owed_reload_a_warning)
{
	json_t *service = status_file_add_service(&file, "nginx", "owed", 1);

	ck_assert_ptr_ne(strstr(check(CHECK_WARNING), "service nginx is owed a reload"), NULL);
	json_object_set_new(service, "state", json_string("failed"));
	json_object_set_new(service, "error", json_string("exit status 1"));
	ck_assert_ptr_ne(strstr(check(CHECK_CRITICAL), "service nginx failed: exit status 1"), NULL);
}
END_TEST

START_TEST(an_inactive_or_unmanaged_service_is_ok)
{
	status_file_add_service(&file, "nginx", "inactive", 0);
	status_file_add_service(&file, "exim4", "unmanaged", 0);
	json_object_set_new(status_file_add_service(&file, "new", "", 0), "state", json_null());
	(void)check(CHECK_OK);
}
END_TEST

START_TEST(a_name_bends_neither_the_line_nor_its_figures)
{
	status_file_add(&file, "a|\nb", 60);
	ck_assert_ptr_ne(strstr(check(CHECK_OK), "certificate, a/?b expires first"), NULL);
	status_file_add(&file, "c|\033d", -2);
	ck_assert_ptr_ne(strstr(check(CHECK_CRITICAL), "certificates: c/?d expired 2 days ago | "), NULL);
}
END_TEST

START_TEST(without_success_for_stale_is_a_warning_and_thrice_that_critical)
{
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW - TEST_DAY));
	(void)check(CHECK_OK);
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW - TEST_DAY - 1));
	ck_assert_ptr_ne(strstr(check(CHECK_WARNING), "no run has succeeded for 24 h"), NULL);
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW - 3 * TEST_DAY - 1));
	(void)check(CHECK_CRITICAL);
	json_object_set_new(file.document, "last_success", json_null());
	ck_assert_ptr_ne(strstr(check(CHECK_WARNING), "no run has succeeded yet"), NULL);
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW + 9 * TEST_DAY));
	ck_assert_ptr_ne(strstr(check(CHECK_WARNING), "by a clock that was 9 days ahead"), NULL);
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW + 60));
	(void)check(CHECK_OK);
}
END_TEST

START_TEST(the_worst_come_first_and_at_most_five_are_named)
{
	const char *line;
	char name[32];

	for (int i = 0; i < 9; i++) {
		(void)snprintf(name, sizeof(name), "%d.example.com", i);
		status_file_add(&file, name, i == 7 ? -2 : 10);
	}
	line = check(CHECK_CRITICAL);
	ck_assert_ptr_eq(strstr(line, "CERTLET CRITICAL - 9 of 9 certificates: 7.example.com expired 2 days "
	    "ago; 0.example.com expires in 10 days; "), line);
	ck_assert_ptr_ne(strstr(line, "; 3.example.com expires in 10 days and 4 more | "), NULL);
	ck_assert_ptr_ne(strstr(line, "critical=1 warning=8"), NULL);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("status-check");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_sound_server_is_ok);
	tcase_add_test(tests, no_status_file_is_unknown);
	tcase_add_test(tests, a_file_of_another_schema_or_no_json_is_unknown);
	tcase_add_test(tests, credentials_that_end_or_are_refused_are_a_warning);
	tcase_add_test(tests, the_clock_of_now_counts_not_the_word_in_the_file);
	tcase_add_test(tests, under_warn_is_a_warning_and_under_critical_critical);
	tcase_add_test(tests, a_short_life_has_thresholds_of_its_own);
	tcase_add_test(tests, a_missing_certificate_is_critical_with_its_words);
	tcase_add_test(tests, any_problem_is_a_warning);
	tcase_add_test(tests, an_unlisted_certificate_is_a_warning_at_most);
	tcase_add_test(tests, a_failed_service_is_critical_and_an_owed_reload_a_warning);
	tcase_add_test(tests, an_inactive_or_unmanaged_service_is_ok);
	tcase_add_test(tests, a_name_bends_neither_the_line_nor_its_figures);
	tcase_add_test(tests, without_success_for_stale_is_a_warning_and_thrice_that_critical);
	tcase_add_test(tests, the_worst_come_first_and_at_most_five_are_named);
	return run_tests("status-check", tests);
}
