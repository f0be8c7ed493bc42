/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cover.c"
#include "support/runner.h"

static char *directory, *archive, *file, *copy;
static struct words copies;
static char name[] = "web";
static struct service service;
static struct failure why;

static void
write_file(const char *path)
{
	FILE *out = fopen(path, "w");

	ck_assert_ptr_nonnull(out);
	ck_assert_int_gt(fputs("PEM\n", out), 0);
	ck_assert_int_eq(fclose(out), 0);
}

static void
set_up(void)
{
	char template[] = "/tmp/test_cover.XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(template));
	ck_assert_int_eq(chmod(template, 0755), 0);
	directory = memory_text(template);
	archive = memory_format("%s/archive", directory);
	file = memory_format("%s/cert.pem", archive);
	copy = memory_format("%s/copy.pem", directory);
	ck_assert_int_eq(mkdir(archive, 0755), 0);
	write_file(file);
	write_file(copy);
	words_add(&copies, copy);
	service = (struct service){
		.name = name, .timeout = 5, .own_active = true, .own_reload = true,
	};
	words_add(&service.active, "/bin/true");
	words_add(&service.reload, "/bin/true");
}

static void
tear_down(void)
{
	(void)unlink(file);
	(void)unlink(copy);
	(void)rmdir(archive);
	ck_assert_int_eq(rmdir(directory), 0);
	words_clear(&service.active);
	words_clear(&service.reload);
	words_clear(&service.test);
	words_clear(&copies);
	free(copy);
	free(file);
	free(archive);
	free(directory);
}

/* The service's test is a script with $1 the generation's file and $2 the copy. */
static void
test_is(const char *script)
{
	words_clear(&service.test);
	words_add(&service.test, "/bin/sh");
	words_add(&service.test, "-c");
	words_add(&service.test, script);
	words_add(&service.test, "sh");
	words_add(&service.test, file);
	words_add(&service.test, copy);
}

START_TEST(a_service_without_a_test_is_free)
{
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_FREE);
}
END_TEST

START_TEST(a_service_that_does_not_run_is_free)
{
	test_is("exit 1");
	words_clear(&service.active);
	words_add(&service.active, "/bin/false");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_FREE);
}
END_TEST

START_TEST(a_service_that_reads_none_of_the_files_is_free)
{
	test_is("exit 0");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_FREE);
}
END_TEST

START_TEST(a_service_that_reads_the_generation_uses_it)
{
	test_is("cat $1");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_USED);
	ck_assert_int_eq(why.kind, FAILURE_USED);
	ck_assert_ptr_nonnull(strstr(why.text, "service web still needs it: /bin/sh"));
	ck_assert_ptr_nonnull(strstr(why.text, "No such file"));
}
END_TEST

START_TEST(a_service_that_reads_a_copy_uses_it)
{
	test_is("grep -q PEM $2");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_USED);
}
END_TEST

START_TEST(a_service_that_only_opens_a_copy_uses_it)
{
	test_is(": < $2");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_USED);
}
END_TEST

START_TEST(a_covered_copy_is_no_file_for_who_reads_a_directory)
{
	test_is("test -e $1 || test ! -f $2");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_FREE);
}
END_TEST

START_TEST(a_test_that_fails_with_the_files_too_tells_nothing)
{
	test_is("exit 1");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_USED);
	ck_assert_int_eq(why.kind, FAILURE_USED);
	ck_assert_ptr_nonnull(strstr(why.text, "its test fails even with the files"));
}
END_TEST

START_TEST(files_that_are_gone_already_need_no_cover)
{
	ck_assert_int_eq(unlink(copy), 0);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(rmdir(archive), 0);
	test_is("exit 0");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_FREE);
}
END_TEST

START_TEST(outside_the_files_never_vanish)
{
	pid_t reader = fork();
	int status;

	if (reader == 0) {
		for (int i = 0; i < 2000; i++) {
			if (access(file, R_OK) == -1)
				_exit(1);
			(void)usleep(500);
		}
		_exit(0);
	}
	test_is("sleep 0.2; test -e $1 || sleep 0.5");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_FREE);
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(nothing_stays_mounted)
{
	char line[4096];
	FILE *mounts;

	test_is("test ! -e $1");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_USED);
	test_is("cat $1 $2");
	ck_assert_int_eq(cover_test(&service, archive, &copies, &why), COVER_USED);
	ck_assert_ptr_nonnull(mounts = fopen("/proc/self/mounts", "r"));
	while (fgets(line, sizeof(line), mounts) != NULL)
		ck_assert_ptr_null(strstr(line, directory));
	fclose(mounts);
}
END_TEST

/* In a child: whoever gives up root cannot clean up. */
START_TEST(where_namespaces_are_not_permitted_it_is_not_known)
{
	enum cover_result result;
	pid_t child = fork();
	int status;

	test_is("exit 0");
	if (child == 0) {
		if (getuid() == 0 && setuid(65534) == -1)
			_exit(255);
		result = cover_test(&service, archive, &copies, &why);
		_exit(why.kind == FAILURE_USED && strstr(why.text, "not permitted") != NULL ?
		    (int)result : 254);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), COVER_UNKNOWN);
}
END_TEST

static bool
may_unshare(void)
{
	pid_t child = fork();
	int status = 1;

	if (child == 0)
		_exit(unshare(CLONE_NEWNS) == 0 ? 0 : 1);
	return waitpid(child, &status, 0) == child && status == 0;
}

int
main(void)
{
	TCase *tests = tcase_create("cover");

	tcase_set_timeout(tests, 20);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_service_without_a_test_is_free);
	tcase_add_test(tests, a_service_that_does_not_run_is_free);
	tcase_add_test(tests, a_test_that_fails_with_the_files_too_tells_nothing);
	tcase_add_test(tests, where_namespaces_are_not_permitted_it_is_not_known);
	if (may_unshare()) {
		tcase_add_test(tests, a_service_that_reads_none_of_the_files_is_free);
		tcase_add_test(tests, a_service_that_reads_the_generation_uses_it);
		tcase_add_test(tests, a_service_that_reads_a_copy_uses_it);
		tcase_add_test(tests, a_service_that_only_opens_a_copy_uses_it);
		tcase_add_test(tests, a_covered_copy_is_no_file_for_who_reads_a_directory);
		tcase_add_test(tests, files_that_are_gone_already_need_no_cover);
		tcase_add_test(tests, outside_the_files_never_vanish);
		tcase_add_test(tests, nothing_stays_mounted);
	} else {
		printf("no private mount namespace is permitted here: tests that need one are left out\n");
	}
	return run_tests("cover", tests);
}
