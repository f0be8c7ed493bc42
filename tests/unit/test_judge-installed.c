/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>

#include "judge-installed.c"
#include "support/runner.h"

#define NOW ((time_t)1800000000)	/* 2027-01-15T08:00:00Z */
#define DAY 86400L

/* Version 7 was made half a second after 8:00 on the day before NOW. */
static const struct version installed_version = { 7, "2027-01-14T08:00:00.5Z" };
static struct version offered_version;
static struct leaf installed, offered;
static struct requirements requirements;
static struct failure why;
static char *notice;

static void
set_up(void)
{
	installed = (struct leaf){ .fingerprint = "installed", .not_before = NOW - 2 * DAY,
	    .not_after = NOW + 88 * DAY };
	offered = (struct leaf){ .fingerprint = "offered", .not_before = NOW - DAY,
	    .not_after = NOW + 89 * DAY };
	offered_version = (struct version){ 8, "2027-01-15T08:00:00Z" };
	requirements = (struct requirements){ .now = NOW, .critical = 7 * DAY,
	    .installed = &installed, .installed_version = &installed_version,
	    .offered_version = &offered_version };
}

static void
tear_down(void)
{
	free(notice);
}

static int
judge(void)
{
	free(notice);
	notice = NULL;
	return judge_against_installed(&offered, &requirements, &notice, &why);
}

START_TEST(a_newer_version_is_taken_without_a_word)
{
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_null(notice);
}
END_TEST

START_TEST(a_step_back_is_refused)
{
	offered_version = (struct version){ 9, "2027-01-14T08:00:00.4Z" };
	ck_assert_int_eq(judge(), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_str_eq(why.text, "expected a version made after the installed one "
	    "(2027-01-14T08:00:00.5Z), found one made at 2027-01-14T08:00:00.4Z");
	ck_assert_ptr_null(notice);
}
END_TEST

START_TEST(a_path_made_again_counts_from_1_and_is_no_step_back)
{
	offered_version = (struct version){ 1, "2027-01-14T08:00:00.6Z" };
	ck_assert_int_eq(judge(), 0);
}
END_TEST

START_TEST(another_source_is_no_step_back)
{
	requirements.installed_version = requirements.offered_version = NULL;
	ck_assert_int_eq(judge(), 0);
}
END_TEST

START_TEST(force_takes_a_step_back_and_says_so)
{
	offered_version = (struct version){ 1, "2026-01-14T08:00:00Z" };
	requirements.force = true;
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_nonnull(strstr(notice, "taken by force: expected a version made after"));
}
END_TEST

START_TEST(the_very_pair_that_is_installed_is_noted_and_never_refused)
{
	installed.not_after = NOW + DAY;
	offered = installed;
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_null(notice);
	offered_version = (struct version){ 1, "2026-01-14T08:00:00Z" };
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_nonnull(strstr(notice, "the very certificate that is installed"));
}
END_TEST

START_TEST(one_in_its_critical_time_does_not_follow_one_that_is_not)
{
	offered.not_before = NOW - 80 * DAY;
	offered.not_after = NOW + 7 * DAY;
	ck_assert_int_eq(judge(), 0);
	offered.not_after--;
	ck_assert_int_eq(judge(), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_str_eq(why.text, "expected a certificate that lasts, as the installed one does "
	    "until 2027-04-13T08:00:00Z, found one that ends at 2027-01-22T07:59:59Z");
	requirements.force = true;
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_nonnull(strstr(notice, "taken by force: expected a certificate that lasts"));
}
END_TEST

START_TEST(a_short_lived_one_is_critical_later)
{
	offered.not_after = NOW + DAY;
	ck_assert_int_eq(judge(), 0);
}
END_TEST

START_TEST(one_in_its_critical_time_follows_another_such)
{
	installed.not_after = NOW + 3600;
	offered.not_after = NOW + 7200;
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_null(notice);
}
END_TEST

START_TEST(an_older_certificate_is_taken_with_a_notice)
{
	offered.not_before = NOW - 3 * DAY;
	ck_assert_int_eq(judge(), 0);
	ck_assert_str_eq(notice, "the certificate is older than the installed one: it begins at "
	    "2027-01-12T08:00:00Z, the installed one at 2027-01-13T08:00:00Z");
	offered.not_before = NOW;
	offered.not_after = NOW + 80 * DAY;
	ck_assert_int_eq(judge(), 0);
	ck_assert_ptr_nonnull(strstr(notice, "it ends at 2027-04-05T08:00:00Z"));
}
END_TEST

START_TEST(thresholds_of_short_lives_are_shares)
{
	struct leaf leaf = { .not_before = 1000, .not_after = 1000 + 75 * DAY };

	ck_assert_int_eq(judge_threshold(25 * DAY, 5, &leaf), 25 * DAY);
	leaf.not_after = 1000 + 50 * DAY;
	ck_assert_int_eq(judge_threshold(25 * DAY, 5, &leaf), 10 * DAY);
	ck_assert_int_eq(judge_threshold(7 * DAY, 10, &leaf), 5 * DAY);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("judge-installed");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_newer_version_is_taken_without_a_word);
	tcase_add_test(tests, a_step_back_is_refused);
	tcase_add_test(tests, a_path_made_again_counts_from_1_and_is_no_step_back);
	tcase_add_test(tests, another_source_is_no_step_back);
	tcase_add_test(tests, force_takes_a_step_back_and_says_so);
	tcase_add_test(tests, the_very_pair_that_is_installed_is_noted_and_never_refused);
	tcase_add_test(tests, one_in_its_critical_time_does_not_follow_one_that_is_not);
	tcase_add_test(tests, a_short_lived_one_is_critical_later);
	tcase_add_test(tests, one_in_its_critical_time_follows_another_such);
	tcase_add_test(tests, an_older_certificate_is_taken_with_a_notice);
	tcase_add_test(tests, thresholds_of_short_lives_are_shares);
	return run_tests("judge-installed", tests);
}
