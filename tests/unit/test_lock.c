/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lock.h"
/* The wait is tried, and not for a minute. */
#undef LOCK_WAIT_SECONDS
#define LOCK_WAIT_SECONDS 1
#include "lock.c"
#include "support/capture.h"
#include "support/runner.h"

static char directory[] = "/tmp/certlet-lock-XXXXXX";

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void
tear_down(void)
{
	char file[sizeof(directory) + sizeof("/lock")];

	(void)snprintf(file, sizeof(file), "%s/lock", directory);
	(void)unlink(file);
	(void)rmdir(directory);
}

START_TEST(a_directory_that_others_may_write_to_is_no_place_for_a_lock)
{
	struct failure why;
	int lock;

	ck_assert_int_eq(chmod(directory, 0770), 0);
	ck_assert_int_eq(lock_take(directory, LOCK_NAME, &lock, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, directory));
}
END_TEST

/* A sticky one keeps others from replacing what is there, not from making what is not. */
START_TEST(a_directory_that_everybody_shares_is_no_place_for_a_lock)
{
	struct failure why;
	int lock;

	ck_assert_int_eq(chmod(directory, 01777), 0);
	ck_assert_int_eq(lock_take(directory, LOCK_NAME, &lock, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "expected mode 0700"));
}
END_TEST

START_TEST(a_link_in_the_place_of_the_lock_is_not_followed)
{
	char file[sizeof(directory) + sizeof("/lock")];
	struct failure why;
	int lock;

	(void)snprintf(file, sizeof(file), "%s/lock", directory);
	ck_assert_int_eq(symlink("/dev/null", file), 0);
	ck_assert_int_eq(lock_take(directory, LOCK_NAME, &lock, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, file));
}
END_TEST

START_TEST(a_missing_directory_is_made_for_its_owner_alone)
{
	struct stat status;
	struct failure why;
	int lock;

	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(lock_take(directory, LOCK_NAME, &lock, &why), 0);
	ck_assert_int_eq(stat(directory, &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0700);
	(void)close(lock);
}
END_TEST

START_TEST(a_directory_is_not_made_where_there_is_none_above)
{
	struct failure why;
	int lock;

	ck_assert_int_eq(lock_take("/nonexistent/run", LOCK_NAME, &lock, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "run_directory: /nonexistent does not exist"));
}
END_TEST

START_TEST(a_lock_that_another_run_holds_is_waited_for_and_then_given_up)
{
	const char *printed;
	int lock, another, result;
	struct failure why;

	ck_assert_int_eq(lock_take(directory, LOCK_NAME, &lock, &why), 0);
	capture_begin_on_terminal(STDERR_FILENO);
	log_open("test", LOG_LEVEL_NORMAL);
	result = lock_take(directory, LOCK_NAME, &another, &why);
	printed = capture_end(STDERR_FILENO);
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(why.kind, FAILURE_LOCKED);
	ck_assert_ptr_nonnull(strstr(why.text, "another run has held"));
	/* Once, and to a person only: who waits for nobody needs no word. */
	ck_assert_ptr_nonnull(strstr(printed, "/lock; waiting"));
	ck_assert_ptr_null(strstr(strstr(printed, "waiting") + 1, "waiting"));
	(void)close(lock);
}
END_TEST

START_TEST(a_lock_that_was_let_go_can_be_taken_again)
{
	struct failure why;
	int lock;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(lock_take(directory, LOCK_NAME, &lock, &why), 0);
		(void)close(lock);
	}
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("lock");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_directory_that_others_may_write_to_is_no_place_for_a_lock);
	tcase_add_test(tests, a_directory_that_everybody_shares_is_no_place_for_a_lock);
	tcase_add_test(tests, a_link_in_the_place_of_the_lock_is_not_followed);
	tcase_add_test(tests, a_missing_directory_is_made_for_its_owner_alone);
	tcase_add_test(tests, a_directory_is_not_made_where_there_is_none_above);
	tcase_add_test(tests, a_lock_that_another_run_holds_is_waited_for_and_then_given_up);
	tcase_add_test(tests, a_lock_that_was_let_go_can_be_taken_again);
	return run_tests("lock", tests);
}
