/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "status-read.c"
#include "support/runner.h"
#include "support/status_file.h"

static struct status_file file;
static struct seen_status seen;
static struct failure why;

static void
set_up(void)
{
	status_file_begin(&file);
}

static void
tear_down(void)
{
	status_clear(&seen);
	status_file_end(&file);
}

static int
read_it(void)
{
	status_file_write(&file);
	return status_read(file.directory, TEST_NOW, &seen, &why);
}

START_TEST(everything_in_the_file_is_seen)
{
	json_t *certificate = status_file_add(&file, "www.example.com", 80);

	json_object_set_new(certificate, "problem", json_string("waiting"));
	json_object_set_new(certificate, "next_try", test_time(TEST_NOW + 60));
	status_file_add_service(&file, "nginx", "owed", 1);
	ck_assert_int_eq(read_it(), 0);
	ck_assert_str_eq(seen.manifest, "/etc/certlet/manifest.ini");
	ck_assert_str_eq(seen.credentials, "ok");
	ck_assert_int_eq(seen.last_run, TEST_NOW - 120);
	ck_assert(words_contain(&seen.sandbox, "user"));
	ck_assert_uint_eq(seen.certificate_count, 1);
	ck_assert_str_eq(seen.certificates[0].problem, "waiting");
	ck_assert_int_eq(seen.certificates[0].next_try, TEST_NOW + 60);
	ck_assert_int_eq(seen.certificates[0].version, 7);
	ck_assert(words_contain(&seen.certificates[0].services, "nginx"));
	ck_assert_uint_eq(seen.service_count, 1);
	ck_assert(seen.services[0].reload_owed);
	ck_assert_int_eq(seen.services[0].level, CHECK_WARNING);
}
END_TEST

START_TEST(what_is_null_or_of_another_kind_is_as_good_as_not_there)
{
	json_t *certificate = status_file_add(&file, "www.example.com", 80);

	json_object_set_new(certificate, "error", json_integer(7));
	json_object_set_new(certificate, "names", json_null());
	json_object_set_new(certificate, "not_after", json_string("tomorrow"));
	json_object_set_new(certificate, "version", json_string("7"));
	json_object_del(certificate, "wanted");
	json_object_del(certificate, "name");
	json_object_del(file.document, "services");
	json_object_set_new(file.document, "vault", json_true());
	ck_assert_int_eq(read_it(), 0);
	ck_assert_str_eq(seen.certificates[0].name, "?");
	ck_assert_ptr_null(seen.certificates[0].error);
	ck_assert_uint_eq(seen.certificates[0].names.count, 0);
	ck_assert_int_eq(seen.certificates[0].version, 0);
	ck_assert_int_eq(seen.certificates[0].state, STATUS_MISSING);
	ck_assert(seen.certificates[0].wanted);
	ck_assert_uint_eq(seen.service_count, 0);
	ck_assert_ptr_null(seen.address);
}
END_TEST

START_TEST(the_state_is_of_now_whatever_the_file_says)
{
	json_t *certificate = status_file_add(&file, "www.example.com", 20);

	json_object_set_new(certificate, "state", json_string("ok"));
	ck_assert_int_eq(read_it(), 0);
	ck_assert_int_eq(seen.certificates[0].state, STATUS_EXPIRING);
}
END_TEST

START_TEST(thresholds_are_exact)
{
	const time_t born = TEST_NOW - 80 * TEST_DAY;

	ck_assert_int_eq(status_state(0, 0, 60, TEST_NOW), STATUS_MISSING);
	ck_assert_int_eq(status_state(born, TEST_NOW, 60, TEST_NOW), STATUS_EXPIRED);
	ck_assert_int_eq(status_state(born, TEST_NOW + 59, 60, TEST_NOW), STATUS_EXPIRING);
	ck_assert_int_eq(status_state(born, TEST_NOW + 60, 60, TEST_NOW), STATUS_OK);
}
END_TEST

START_TEST(a_success_is_stale_after_its_time_and_a_broken_run_is_told)
{
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW - TEST_DAY - 1));
	ck_assert_int_eq(read_it(), 0);
	ck_assert(seen.stale);
	ck_assert_int_eq(seen.run_level, CHECK_WARNING);
	status_clear(&seen);
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW + 9 * TEST_DAY));
	ck_assert_int_eq(read_it(), 0);
	ck_assert(seen.stale);
	ck_assert_int_eq(seen.run_level, CHECK_WARNING);
	status_clear(&seen);
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW));
	json_object_set_new(json_object_get(file.document, "last_sync"), "exit", json_integer(5));
	ck_assert_int_eq(read_it(), 0);
	ck_assert(!seen.stale);
	ck_assert_int_eq(seen.run_level, CHECK_WARNING);
}
END_TEST

START_TEST(a_threshold_of_ages_is_one_that_no_run_passes)
{
	json_object_set_new(json_object_get(file.document, "thresholds"), "stale",
	    json_integer(LLONG_MAX));
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW - TEST_DAY));
	ck_assert_int_eq(read_it(), 0);
	ck_assert(!seen.stale);
	ck_assert_int_eq(seen.run_level, CHECK_OK);
}
END_TEST

START_TEST(a_file_that_is_missing_or_broken_is_named)
{
	ck_assert_int_eq(status_read(file.directory, TEST_NOW, &seen, &why), -1);
	ck_assert_ptr_eq(strstr(why.text, "there is no /tmp/certlet-status-"), why.text);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	json_object_del(file.document, "schema");
	ck_assert_int_eq(read_it(), -1);
	ck_assert_ptr_ne(strstr(why.text, "status.json: expected schema 1, found 0"), NULL);
}
END_TEST

START_TEST(what_is_no_regular_file_is_a_matter_of_the_set_up)
{
	char *path = memory_format("%s/status.json", file.directory);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(status_read(file.directory, TEST_NOW, &seen, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "no regular file"));
	ck_assert_int_eq(rmdir(path), 0);
	free(path);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("status-read");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, everything_in_the_file_is_seen);
	tcase_add_test(tests, what_is_null_or_of_another_kind_is_as_good_as_not_there);
	tcase_add_test(tests, the_state_is_of_now_whatever_the_file_says);
	tcase_add_test(tests, thresholds_are_exact);
	tcase_add_test(tests, a_success_is_stale_after_its_time_and_a_broken_run_is_told);
	tcase_add_test(tests, a_threshold_of_ages_is_one_that_no_run_passes);
	tcase_add_test(tests, a_file_that_is_missing_or_broken_is_named);
	tcase_add_test(tests, what_is_no_regular_file_is_a_matter_of_the_set_up);
	return run_tests("status-read", tests);
}
