/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "clock.c"
#include "support/runner.h"

START_TEST(it_goes_on)
{
	const struct timespec pause = { 0, 20000000L };
	const long before = clock_milliseconds();

	(void)nanosleep(&pause, NULL);
	ck_assert_int_ge(clock_milliseconds() - before, 19);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("clock");

	tcase_add_test(tests, it_goes_on);
	return run_tests("clock", tests);
}
