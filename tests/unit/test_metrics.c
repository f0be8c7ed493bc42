/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>

#include "metrics.c"
#include "unit/support/runner.h"

static char directory[64];
static char *path, *other;
static struct failure why;
static const struct seen_status nothing;

static void
set_up(void)
{
	(void)strcpy(directory, "/tmp/certlet-metrics-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	path = memory_format("%s/certlet.prom", directory);
	other = memory_format("%s/other.prom", directory);
}

static void
tear_down(void)
{
	(void)unlink(path);
	(void)unlink(other);
	ck_assert_int_eq(rmdir(directory), 0);
	free(path);
	free(other);
}

static void
assert_tells(const struct seen_status *status, const char *line)
{
	char *text = metrics_text(status);

	if (strstr(text, line) == NULL)
		ck_abort_msg("not \"%s\" but:\n%s", line, text);
	free(text);
}

static void
assert_tells_not(const struct seen_status *status, const char *line)
{
	char *text = metrics_text(status);

	ck_assert_ptr_null(strstr(text, line));
	free(text);
}

static void
write_file(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(what_is_not_known_has_no_sample)
{
	struct seen_certificate certificate = { .name = "www", .wanted = true };
	struct seen_status status = { .certificates = &certificate, .certificate_count = 1 };

	assert_tells(&status, "certlet_certificate_state{name=\"www\",state=\"missing\"} 1\n");
	assert_tells(&status, "certlet_certificate_problem{name=\"www\",problem=\"failed\"} 0\n");
	assert_tells(&status, "certlet_last_sync_exit_code 0\n");
	assert_tells_not(&status, "\ncertlet_certificate_not_after_timestamp_seconds{");
	assert_tells_not(&status, "\ncertlet_certificate_version{");
	assert_tells_not(&status, "\ncertlet_last_success_timestamp_seconds ");
	assert_tells_not(&status, "(null)");
}
END_TEST

START_TEST(each_certificate_and_service_is_told)
{
	struct seen_certificate certificates[] = {
		{ .name = "www", .problem = "quarantined", .version = 7, .offered_version = 8,
		    .not_before = 1790000000, .not_after = 1800000000, .installed = 1790000060,
		    .wanted = true, .warn = 2160000, .critical = 604800, .state = STATUS_EXPIRING },
		{ .name = "gone" },
	};
	struct seen_service service = { .name = "nginx", .state = "owed", .reload_owed = true,
	    .last_reload = 1790000061 };
	struct seen_status status = { .certificates = certificates, .certificate_count = 2,
	    .services = &service, .service_count = 1, .credentials = "refused", .exit = 2,
	    .seconds = 0.25, .requests = 3, .last_run = 1795000000, .stale_after = 86400 };

	assert_tells(&status, "_not_after_timestamp_seconds{name=\"www\"} 1800000000\n");
	assert_tells(&status, "_warn_seconds{name=\"www\"} 2160000\n");
	assert_tells(&status, "_offered_version{name=\"www\"} 8\n");
	assert_tells(&status, "_wanted{name=\"www\"} 1\n");
	assert_tells(&status, "_wanted{name=\"gone\"} 0\n");
	assert_tells(&status, "_problem{name=\"www\",problem=\"quarantined\"} 1\n");
	assert_tells(&status, "_problem{name=\"www\",problem=\"failed\"} 0\n");
	assert_tells(&status, "_state{name=\"www\",state=\"expiring\"} 1\n");
	assert_tells(&status, "_state{name=\"www\",state=\"ok\"} 0\n");
	assert_tells(&status, "certlet_service_reload_owed{service=\"nginx\"} 1\n");
	assert_tells(&status, "certlet_service_state{service=\"nginx\",state=\"owed\"} 1\n");
	assert_tells(&status, "certlet_credentials{state=\"refused\"} 1\n");
	assert_tells(&status, "certlet_last_sync_duration_seconds 0.25\n");
	assert_tells(&status, "certlet_last_sync_requests 3\n");
	assert_tells(&status, "certlet_stale_seconds 86400\n");
}
END_TEST

START_TEST(the_file_is_written_for_everybody_and_replaced_when_it_is_ours)
{
	struct stat before, after;

	ck_assert_int_eq(metrics_write(path, &nothing, &why), 0);
	ck_assert_int_eq(stat(path, &before), 0);
	ck_assert_uint_eq(before.st_mode & 07777, 0644);
	ck_assert_int_eq(metrics_write(path, &nothing, &why), 0);
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_ne(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(what_others_made_is_named_and_left)
{
	write_file("node_up 1\n# " FIRST_LINE "\n");
	ck_assert_int_eq(metrics_write(path, &nothing, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, path));
	ck_assert_ptr_nonnull(strstr(why.text, "move it away"));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink(other, path), 0);
	ck_assert_int_eq(metrics_write(path, &nothing, &why), -1);
	ck_assert_int_eq(access(other, F_OK), -1);
}
END_TEST

START_TEST(a_directory_that_is_missing_or_open_to_all_is_named)
{
	ck_assert_int_eq(metrics_write("/nowhere/certlet.prom", &nothing, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "/nowhere does not exist"));
	ck_assert_int_eq(chmod(directory, 0777), 0);
	ck_assert_int_eq(metrics_write(path, &nothing, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "writable by everyone"));
}
END_TEST

START_TEST(a_directory_of_the_user_of_node_exporter_is_fine)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(directory, 65534, 65534), 0);
	ck_assert_int_eq(metrics_write(path, &nothing, &why), 0);
}
END_TEST

START_TEST(a_file_that_is_not_named_any_more_goes)
{
	struct state state = { 0 };

	ck_assert_int_eq(metrics_settle(&state, path, &why), 0);
	ck_assert_int_eq(metrics_write(path, &nothing, &why), 0);
	ck_assert_int_eq(metrics_settle(&state, path, &why), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(metrics_settle(&state, other, &why), 0);
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_uint_eq(state.metrics_files.count, 1);
	ck_assert(words_contain(&state.metrics_files, other));
	ck_assert_int_eq(metrics_settle(&state, NULL, &why), 0);
	ck_assert_uint_eq(state.metrics_files.count, 0);
}
END_TEST

START_TEST(only_a_file_of_ours_is_removed)
{
	struct state state = { 0 };

	ck_assert_int_eq(metrics_settle(&state, path, &why), 0);
	write_file("mine 1\n");
	ck_assert_int_eq(metrics_settle(&state, NULL, &why), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_uint_eq(state.metrics_files.count, 0);
	ck_assert_int_eq(metrics_settle(&state, path, &why), 0);
	ck_assert_int_eq(chmod(directory, 0777), 0);
	ck_assert_int_eq(metrics_settle(&state, NULL, &why), -1);
	ck_assert(words_contain(&state.metrics_files, path));
	words_clear(&state.metrics_files);
}
END_TEST

START_TEST(a_directory_that_is_gone_took_the_file_with_it)
{
	struct state state = { 0 };

	words_add(&state.metrics_files, "/nowhere/certlet.prom");
	ck_assert_int_eq(metrics_settle(&state, NULL, &why), 0);
	ck_assert_uint_eq(state.metrics_files.count, 0);
}
END_TEST

START_TEST(what_cannot_be_told_is_left_and_remembered)
{
	struct state state = { 0 };
	char *dot = memory_format("%s/.certlet.prom.certlet", directory);

	words_add(&state.metrics_files, path);
	write_file("# " FIRST_LINE "\n");
	ck_assert_int_eq(mkdir(dot, 0700), 0);
	ck_assert_int_eq(metrics_settle(&state, NULL, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "stands in the way"));
	ck_assert_ptr_nonnull(strstr(why.text, path));
	ck_assert(words_contain(&state.metrics_files, path));
	ck_assert_int_eq(rmdir(dot), 0);
	ck_assert_int_eq(truncate(path, (off_t)SIZE_MOST + 1), 0);
	ck_assert_int_eq(metrics_settle(&state, NULL, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "is larger than"));
	ck_assert(words_contain(&state.metrics_files, path));
	ck_assert_int_eq(access(path, F_OK), 0);
	words_clear(&state.metrics_files);
	free(dot);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("metrics");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_not_known_has_no_sample);
	tcase_add_test(tests, each_certificate_and_service_is_told);
	tcase_add_test(tests, the_file_is_written_for_everybody_and_replaced_when_it_is_ours);
	tcase_add_test(tests, what_others_made_is_named_and_left);
	tcase_add_test(tests, a_directory_that_is_missing_or_open_to_all_is_named);
	tcase_add_test(tests, a_directory_of_the_user_of_node_exporter_is_fine);
	tcase_add_test(tests, a_file_that_is_not_named_any_more_goes);
	tcase_add_test(tests, only_a_file_of_ours_is_removed);
	tcase_add_test(tests, a_directory_that_is_gone_took_the_file_with_it);
	tcase_add_test(tests, what_cannot_be_told_is_left_and_remembered);
	return run_tests("metrics", tests);
}
