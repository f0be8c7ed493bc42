/* SPDX-License-Identifier: ISC */
#include <unistd.h>

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

START_TEST(what_is_held_has_its_thresholds_and_an_escaped_name)
{
	struct held items[] = {
		{ .name = (char *)"a\"\\b", .version = 3, .notes = { .key_since = 2 } },
		{ .name = (char *)"legacy", .version = 1, .why = { .kind = FAILURE_ABSENT } },
		{ .name = (char *)"gone", .version = 1, .deleted = true },
	};
	const struct repository repository = { .items = items, .count = 3 };
	const struct shelf shelf = {
		.repository = &repository, .warn = 2160000, .critical = 604800, .now = 1800000000,
	};
	char *text;

	items[0].notes.edition.leaf.not_before = 1800000000;
	items[0].notes.edition.leaf.not_after = 1800000000 + 50 * 86400;
	ck_assert_msg(publish_metrics_write_list(path, &shelf, &why) == 0, "%s", why.text);
	text = content();
	ck_assert_ptr_nonnull(strstr(text, "\ncertlet_published_known{name=\"legacy\"} 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "_not_after_timestamp_seconds{name=\"a\\\"\\\\b\"} 1804320000\n"));
	ck_assert_ptr_nonnull(strstr(text, "_warn_seconds{name=\"a\\\"\\\\b\"} 864000\n"));
	ck_assert_ptr_nonnull(strstr(text, "_key_versions{name=\"a\\\"\\\\b\"} 2\n"));
	ck_assert_ptr_null(strstr(text, "gone"));
	ck_assert_ptr_null(strstr(text, "_not_after_timestamp_seconds{name=\"legacy"));
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
	tcase_add_test(tests, what_is_held_has_its_thresholds_and_an_escaped_name);
	tcase_add_test(tests, a_missing_directory_is_told_and_not_made);
	return run_tests("publish-metrics", tests);
}
