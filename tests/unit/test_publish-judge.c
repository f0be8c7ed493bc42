/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <string.h>

#include "publish-judge.c"
#include "support/runner.h"

#define NOW ((time_t)1800000000)
#define DAY 86400L

static struct leaf published = {
	.fingerprint = "old", .not_before = NOW - 30 * DAY, .not_after = NOW + 60 * DAY,
};
static struct leaf offered = {
	.fingerprint = "new", .not_before = NOW - DAY, .not_after = NOW + 89 * DAY,
};
static struct requirements requirements = {
	.now = NOW, .installed = &published, .critical = 7 * DAY,
};
static struct failure why;

static void
set_up(void)
{
	log_open("test", LOG_LEVEL_QUIET);
}

START_TEST(a_newer_one_takes_its_place)
{
	ck_assert_int_eq(publish_judge("www", &offered, &requirements, &why), 0);
	offered.not_before = published.not_before;
	ck_assert_int_eq(publish_judge("www", &offered, &requirements, &why), 0);
}
END_TEST

START_TEST(an_older_one_does_so_by_force_only)
{
	offered.not_before = published.not_before - 1;
	ck_assert_int_eq(publish_judge("www", &offered, &requirements, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_ptr_nonnull(strstr(why.text, "(--force takes it)"));
	requirements.force = true;
	ck_assert_int_eq(publish_judge("www", &offered, &requirements, &why), 0);
}
END_TEST

START_TEST(one_that_ends_soon_does_so_by_force_only)
{
	offered.not_after = NOW + 6 * DAY;
	published.not_before = offered.not_before = NOW - 80 * DAY;
	ck_assert_int_eq(publish_judge("www", &offered, &requirements, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "compared with what is published now: expected a "
	    "certificate that lasts"));
	requirements.force = true;
	ck_assert_int_eq(publish_judge("www", &offered, &requirements, &why), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-judge");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, a_newer_one_takes_its_place);
	tcase_add_test(tests, an_older_one_does_so_by_force_only);
	tcase_add_test(tests, one_that_ends_soon_does_so_by_force_only);
	return run_tests("publish-judge", tests);
}
