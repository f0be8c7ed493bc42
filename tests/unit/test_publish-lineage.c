/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>

#include "publish-lineage.c"
#include "support/capture.h"
#include "support/descriptors.h"
#include "support/runner.h"

static char directory[] = "/tmp/certlet-lineage-XXXXXX";
static struct words names;
static struct failure why;

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	log_open("test", LOG_LEVEL_QUIET);
}

static void
tear_down(void)
{
	char *readme = memory_format("%s/README", directory);

	(void)unlink(readme);
	free(readme);
	for (size_t i = 0; i < names.count; i++) {
		char *path = memory_format("%s/%s", directory, names.items[i]);

		(void)rmdir(path);
		free(path);
	}
	ck_assert_int_eq(rmdir(directory), 0);
	words_clear(&names);
}

static void
make(const char *name)
{
	char *path = memory_format("%s/%s", directory, name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	free(path);
}

START_TEST(the_name_is_the_last_part)
{
	static const char *const cases[][2] = {
		{ "/etc/letsencrypt/live/www.example.com", "www.example.com" },
		{ "/etc/letsencrypt/live/www.example.com//", "www.example.com" },
		{ "www.example.com", "www.example.com" }, { "/", "" }, { ".", "." },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *name = lineage_name(cases[i][0]);

		ck_assert_str_eq(name, cases[i][1]);
		free(name);
	}
}
END_TEST

START_TEST(certbots_number_makes_a_duplicate)
{
	static const char *const others[] = {
		"www.example.com", "mail-2026", "mail-001", "mail-00011", "-0001", "",
	};
	char *name = lineage_duplicated("www.example.com-0012");

	ck_assert_str_eq(name, "www.example.com");
	free(name);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		ck_assert_ptr_null(lineage_duplicated(others[i]));
}
END_TEST

START_TEST(directories_are_lineages_in_order)
{
	char *readme = memory_format("%s/README", directory);

	fclose(fopen(readme, "w"));
	free(readme);
	make("b.example.com");
	make("a.example.com");
	ck_assert_int_eq(lineage_list(directory, &names, &why), 0);
	ck_assert_uint_eq(names.count, 2);
	ck_assert_str_eq(names.items[0], "a.example.com");
	ck_assert_str_eq(names.items[1], "b.example.com");
}
END_TEST

START_TEST(what_is_no_directory_is_named_and_passed_over)
{
	char *stray = memory_format("%s/cert.pem", directory);

	fclose(fopen(stray, "w"));
	make("www.example.com");
	log_open("test", LOG_LEVEL_NORMAL);
	capture_begin(STDERR_FILENO);
	ck_assert_int_eq(lineage_list(directory, &names, &why), 0);
	ck_assert_ptr_nonnull(strstr(capture_end(STDERR_FILENO), "/cert.pem is no directory"));
	ck_assert_uint_eq(names.count, 1);
	ck_assert_str_eq(names.items[0], "www.example.com");
	(void)unlink(stray);
	free(stray);
}
END_TEST

START_TEST(what_cannot_be_listed_is_no_empty_directory)
{
	int result;

	make("www.example.com");
	descriptors_take(1);
	result = lineage_list(directory, &names, &why);
	descriptors_give_back();
	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, directory));
	ck_assert_int_eq(lineage_list(directory, &names, &why), 0);
	ck_assert_uint_eq(names.count, 1);
}
END_TEST

START_TEST(no_lineage_is_no_failure_but_no_directory_is)
{
	ck_assert_int_eq(lineage_list(directory, &names, &why), 0);
	ck_assert_uint_eq(names.count, 0);
	ck_assert_int_eq(lineage_list("/nonexistent", &names, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-lineage");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_name_is_the_last_part);
	tcase_add_test(tests, certbots_number_makes_a_duplicate);
	tcase_add_test(tests, directories_are_lineages_in_order);
	tcase_add_test(tests, what_is_no_directory_is_named_and_passed_over);
	tcase_add_test(tests, what_cannot_be_listed_is_no_empty_directory);
	tcase_add_test(tests, no_lineage_is_no_failure_but_no_directory_is);
	return run_tests("publish-lineage", tests);
}
