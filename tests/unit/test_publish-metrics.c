/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <sys/stat.h>

#include "publish-metrics.c"
#include "support/runner.h"

static char directory[] = "/tmp/certlet-metrics-XXXXXX";
static char *path;
static struct failure why;

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	path = memory_format("%s/publish.prom", directory);
}

static void
tear_down(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
	free(path);
}

static char *
content(void)
{
	struct secret text = { 0 };
	struct stat status;
	char *copy;

	ck_assert_int_eq(file_read_path(path, 100000, &text, &status, &why), FOUND_FILE);
	ck_assert_int_eq(status.st_mode & 07777, 0644);
	copy = memory_text(text.bytes);
	secret_clear(&text);
	return copy;
}

START_TEST(a_run_is_told_by_its_time_code_and_counts)
{
	const struct publish_account account = {
		.time = 1800000000, .code = EXIT_PARTLY, .published = 1, .unchanged = 20, .failed = 3,
	};
	char *text;

	ck_assert_msg(publish_metrics_write_run(path, &account, &why) == 0, "%s", why.text);
	text = content();
	ck_assert_ptr_nonnull(strstr(text,
	    "\ncertlet_publish_last_run_timestamp_seconds 1800000000\n"));
	ck_assert_ptr_nonnull(strstr(text, "\ncertlet_publish_last_run_exit_code 2\n"));
	ck_assert_ptr_nonnull(strstr(text,
	    "\ncertlet_publish_certificates{result=\"unchanged\"} 20\n"));
	free(text);
}
END_TEST

START_TEST(a_missing_directory_is_told_and_not_made)
{
	const struct publish_account account = { 0 };

	ck_assert_int_eq(publish_metrics_write_run("/nonexistent/a.prom", &account, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_DISK);
	ck_assert_ptr_nonnull(strstr(why.text, "metrics file /nonexistent/a.prom: open "));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-metrics");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_run_is_told_by_its_time_code_and_counts);
	tcase_add_test(tests, a_missing_directory_is_told_and_not_made);
	return run_tests("publish-metrics", tests);
}
