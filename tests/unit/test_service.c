/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The seam: whether systemd runs is asked of access() for one path. */
static int systemd_access(const char *path, int mode);
#define access(path, mode) systemd_access(path, mode)
#include "service.c"
#undef access
#include "support/descriptors.h"
#include "support/runner.h"

static bool systemd;
static struct service service;
static struct failure why;

static int
systemd_access(const char *path, int mode)
{
	if (strcmp(path, "/run/systemd/system") != 0)
		return access(path, mode);
	errno = ENOENT;
	return systemd ? 0 : -1;
}

/* Stands in for the systemctl defaults: "true" or "false" in a shell. */
static void
say(struct words *words, const char *script)
{
	words_clear(words);
	words_add(words, "/bin/sh");
	words_add(words, "-c");
	words_add(words, script);
}

static void
set_up(void)
{
	systemd = true;
	service = (struct service){ .timeout = 5 };
	say(&service.active, "exit 0");
	say(&service.reload, "exit 0");
}

static void
tear_down(void)
{
	words_clear(&service.active);
	words_clear(&service.test);
	words_clear(&service.reload);
	words_clear(&service.active_sysv);
	words_clear(&service.reload_sysv);
}

START_TEST(a_service_runs_when_its_active_command_passes)
{
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
}
END_TEST

START_TEST(a_service_is_inactive_when_its_active_command_fails)
{
	say(&service.active, "exit 3");
	ck_assert_int_eq(service_condition(&service), CONDITION_INACTIVE);
}
END_TEST

START_TEST(a_service_is_inactive_when_its_active_program_is_missing)
{
	words_clear(&service.active);
	words_add(&service.active, "/nonexistent/systemctl");
	ck_assert_int_eq(service_condition(&service), CONDITION_INACTIVE);
}
END_TEST

START_TEST(a_service_that_cannot_be_asked_in_time_is_not_taken_for_inactive)
{
	service.timeout = 1;
	say(&service.active, "sleep 60");
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
}
END_TEST

START_TEST(a_service_that_cannot_be_asked_for_want_of_descriptors_is_not_taken_for_inactive)
{
	enum service_condition condition;

	say(&service.active, "exit 3");
	descriptors_take(0);
	condition = service_condition(&service);
	descriptors_give_back();
	ck_assert_int_eq(condition, CONDITION_RUNS);
}
END_TEST

START_TEST(a_command_that_cannot_be_started_for_want_of_descriptors_is_no_answer)
{
	enum service_answer test, reload;

	say(&service.test, "exit 0");
	descriptors_take(0);
	test = service_test(&service, &why);
	reload = service_reload(&service, &why);
	descriptors_give_back();
	ck_assert_int_eq(test, SERVICE_UNASKED);
	ck_assert_int_eq(reload, SERVICE_UNASKED);
	ck_assert_int_eq(why.kind, FAILURE_SERVICE);
}
END_TEST

START_TEST(a_service_whose_test_program_is_missing_is_inactive)
{
	words_add(&service.test, "/nonexistent/nginx");
	ck_assert_int_eq(service_condition(&service), CONDITION_INACTIVE);
	words_clear(&service.test);
	words_add(&service.test, "/etc/passwd/nginx");
	ck_assert_int_eq(service_condition(&service), CONDITION_INACTIVE);
}
END_TEST

START_TEST(a_test_program_that_only_fails_does_not_make_it_inactive)
{
	say(&service.test, "exit 1");
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
}
END_TEST

START_TEST(without_systemd_a_service_is_unmanaged_unless_something_stands_in)
{
	systemd = false;
	ck_assert_int_eq(service_condition(&service), CONDITION_UNMANAGED);
	say(&service.active_sysv, "exit 0");
	ck_assert_int_eq(service_condition(&service), CONDITION_UNMANAGED);
	say(&service.reload_sysv, "exit 0");
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
	say(&service.active_sysv, "exit 3");
	ck_assert_int_eq(service_condition(&service), CONDITION_INACTIVE);
}
END_TEST

START_TEST(a_reload_that_stands_in_does_not_tell_whether_the_service_runs)
{
	systemd = false;
	say(&service.reload_sysv, "exit 0");
	ck_assert_int_eq(service_condition(&service), CONDITION_UNMANAGED);
}
END_TEST

START_TEST(without_systemd_no_command_of_an_unmanaged_service_runs)
{
	systemd = false;
	say(&service.active, "touch /tmp/test_service.ran");
	ck_assert_int_eq(service_condition(&service), CONDITION_UNMANAGED);
	ck_assert_int_eq(access("/tmp/test_service.ran", F_OK), -1);
}
END_TEST

START_TEST(with_systemd_the_stand_ins_are_not_used)
{
	say(&service.active_sysv, "exit 3");
	say(&service.reload_sysv, "exit 1");
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
	ck_assert_int_eq(service_reload(&service, &why), SERVICE_YES);
}
END_TEST

START_TEST(what_is_spelled_out_is_used_as_it_stands_without_systemd_too)
{
	systemd = false;
	service.own_active = service.own_reload = true;
	say(&service.active_sysv, "exit 3");
	say(&service.reload_sysv, "exit 1");
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
	ck_assert_int_eq(service_reload(&service, &why), SERVICE_YES);
}
END_TEST

START_TEST(without_systemd_one_with_its_own_reload_is_taken_as_running)
{
	systemd = false;
	service.own_reload = true;
	ck_assert_int_eq(service_condition(&service), CONDITION_RUNS);
}
END_TEST

START_TEST(without_systemd_the_stand_in_reloads)
{
	systemd = false;
	say(&service.reload, "exit 1");
	say(&service.reload_sysv, "exit 0");
	ck_assert_int_eq(service_reload(&service, &why), SERVICE_YES);
}
END_TEST

START_TEST(a_reload_without_a_command_fails)
{
	systemd = false;
	ck_assert_int_eq(service_reload(&service, &why), SERVICE_NO);
	ck_assert_int_eq(why.kind, FAILURE_SERVICE);
}
END_TEST

START_TEST(without_a_test_every_configuration_passes)
{
	ck_assert(!service_has_test(&service));
	ck_assert_int_eq(service_test(&service, &why), SERVICE_YES);
}
END_TEST

START_TEST(a_failed_test_is_told_with_its_last_words)
{
	say(&service.test, "echo bad certificate; exit 1");
	ck_assert(service_has_test(&service));
	ck_assert_int_eq(service_test(&service, &why), SERVICE_NO);
	ck_assert_int_eq(why.kind, FAILURE_SERVICE);
	ck_assert_ptr_nonnull(strstr(why.text, "exit status 1: bad certificate"));
}
END_TEST

START_TEST(a_failed_reload_is_told_with_its_last_words)
{
	say(&service.reload, "echo Job failed >&2; exit 1");
	ck_assert_int_eq(service_reload(&service, &why), SERVICE_NO);
	ck_assert_ptr_nonnull(strstr(why.text, "exit status 1: Job failed"));
}
END_TEST

START_TEST(a_reload_that_does_not_end_has_failed)
{
	service.timeout = 1;
	say(&service.reload, "sleep 60");
	ck_assert_int_eq(service_reload(&service, &why), SERVICE_NO);
	ck_assert_ptr_nonnull(strstr(why.text, "no end after 1 s"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("service");

	tcase_set_timeout(tests, 20);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_service_runs_when_its_active_command_passes);
	tcase_add_test(tests, a_service_is_inactive_when_its_active_command_fails);
	tcase_add_test(tests, a_service_is_inactive_when_its_active_program_is_missing);
	tcase_add_test(tests, a_service_that_cannot_be_asked_in_time_is_not_taken_for_inactive);
	tcase_add_test(tests, a_service_that_cannot_be_asked_for_want_of_descriptors_is_not_taken_for_inactive);
	tcase_add_test(tests,
	    a_command_that_cannot_be_started_for_want_of_descriptors_is_no_answer);
	tcase_add_test(tests, a_service_whose_test_program_is_missing_is_inactive);
	tcase_add_test(tests, a_test_program_that_only_fails_does_not_make_it_inactive);
	tcase_add_test(tests, without_systemd_a_service_is_unmanaged_unless_something_stands_in);
	tcase_add_test(tests, a_reload_that_stands_in_does_not_tell_whether_the_service_runs);
	tcase_add_test(tests, without_systemd_no_command_of_an_unmanaged_service_runs);
	tcase_add_test(tests, with_systemd_the_stand_ins_are_not_used);
	tcase_add_test(tests, what_is_spelled_out_is_used_as_it_stands_without_systemd_too);
	tcase_add_test(tests, without_systemd_one_with_its_own_reload_is_taken_as_running);
	tcase_add_test(tests, without_systemd_the_stand_in_reloads);
	tcase_add_test(tests, a_reload_without_a_command_fails);
	tcase_add_test(tests, without_a_test_every_configuration_passes);
	tcase_add_test(tests, a_failed_test_is_told_with_its_last_words);
	tcase_add_test(tests, a_failed_reload_is_told_with_its_last_words);
	tcase_add_test(tests, a_reload_that_does_not_end_has_failed);
	return run_tests("service", tests);
}
