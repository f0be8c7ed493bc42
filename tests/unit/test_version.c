/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>

#include "version.c"
#include "support/runner.h"

static struct version
version_of(unsigned int number, const char *created)
{
	struct version version = { .number = number };

	(void)snprintf(version.created, sizeof(version.created), "%s", created);
	return version;
}

START_TEST(a_path_made_again_is_another_version_though_its_number_is_the_same)
{
	const struct version before = version_of(1, "2026-01-01T00:00:00Z");
	const struct version after = version_of(1, "2026-02-01T00:00:00Z");

	ck_assert(!version_equal(&before, &after));
	ck_assert(version_equal(&before, &before));
}
END_TEST

START_TEST(a_lower_number_that_was_created_later_is_no_step_back)
{
	const struct version installed = version_of(7, "2026-01-01T00:00:00Z");
	const struct version offered = version_of(1, "2026-02-01T00:00:00Z");

	ck_assert(!version_is_step_back(&offered, &installed));
	ck_assert(version_is_step_back(&installed, &offered));
}
END_TEST

START_TEST(a_nanosecond_earlier_is_a_step_back)
{
	const struct version installed = version_of(2, "2026-01-01T00:00:00.000000002Z");
	const struct version offered = version_of(3, "2026-01-01T00:00:00.000000001Z");

	ck_assert(version_is_step_back(&offered, &installed));
	ck_assert(!version_is_step_back(&installed, &installed));
}
END_TEST

START_TEST(versions_of_kv_v1_know_no_step_back)
{
	const struct version one = version_of(0, "sha256:00"), other = version_of(0, "sha256:11");

	ck_assert(!version_is_step_back(&one, &other) && !version_is_step_back(&other, &one));
	ck_assert(!version_is_none(&one));
	ck_assert(version_is_none(&(struct version){ 0 }));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("version");

	tcase_add_test(tests, a_path_made_again_is_another_version_though_its_number_is_the_same);
	tcase_add_test(tests, a_lower_number_that_was_created_later_is_no_step_back);
	tcase_add_test(tests, a_nanosecond_earlier_is_a_step_back);
	tcase_add_test(tests, versions_of_kv_v1_know_no_step_back);
	return run_tests("version", tests);
}
