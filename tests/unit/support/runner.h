/* SPDX-License-Identifier: ISC */
/* runner: the main() of a unit test with one case. */
#ifndef CERTLET_RUNNER_H
#define CERTLET_RUNNER_H

#include <check.h>

static inline int
run_tests(const char *name, TCase *tests)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}

#endif
