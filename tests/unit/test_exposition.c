/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>

#include "exposition.c"
#include "unit/support/runner.h"

static struct exposition page;

static void
assert_text(const char *wanted)
{
	char *text = exposition_end(&page);

	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(a_metric_says_what_it_is_before_its_samples)
{
	exposition_begin(&page, "Written by a test.");
	exposition_metric(&page, "x_seconds", "What it is.");
	exposition_sample(&page, "x_seconds", NULL, NULL, 1800000000);
	exposition_sample(&page, "x_seconds", NULL, NULL, 0.083);
	assert_text("# Written by a test.\n# HELP x_seconds What it is.\n# TYPE x_seconds gauge\n"
	    "x_seconds 1800000000\nx_seconds 0.083\n");
}
END_TEST

START_TEST(a_label_may_be_anything)
{
	const struct label first = { "name", "a\"b\\c\nd" }, second = { "state", "" };

	exposition_begin(&page, "");
	exposition_sample(&page, "x", &first, NULL, 1);
	exposition_sample(&page, "x", &first, &second, 0);
	exposition_sample(&page, "x", NULL, &second, 0);
	assert_text("# \nx{name=\"a\\\"b\\\\c\\nd\"} 1\nx{name=\"a\\\"b\\\\c\\nd\",state=\"\"} 0\n"
	    "x{state=\"\"} 0\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("exposition");

	tcase_add_test(tests, a_metric_says_what_it_is_before_its_samples);
	tcase_add_test(tests, a_label_may_be_anything);
	return run_tests("exposition", tests);
}
