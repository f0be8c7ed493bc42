/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <fcntl.h>

#include "paper.c"
#include "support/runner.h"

START_TEST(what_is_no_terminal_has_no_width_and_no_colours)
{
	struct paper paper;

	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
	paper = paper_find();
	ck_assert_ptr_eq(paper.out, stdout);
	ck_assert_uint_eq(paper.width, 0);
	ck_assert(!paper.colours);
}
END_TEST

START_TEST(colours_are_for_terminals_that_may_have_them)
{
	const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	const struct winsize size = { .ws_col = 123 };

	ck_assert_int_ne(terminal, -1);
	ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &size), 0);
	ck_assert_int_eq(dup2(terminal, STDOUT_FILENO), STDOUT_FILENO);
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	ck_assert_uint_eq(paper_find().width, 123);
	ck_assert(paper_find().colours);
	setenv("NO_COLOR", "1", 1);
	ck_assert(!paper_find().colours);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	ck_assert(!paper_find().colours);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("paper");

	tcase_add_test(tests, what_is_no_terminal_has_no_width_and_no_colours);
	tcase_add_test(tests, colours_are_for_terminals_that_may_have_them);
	return run_tests("paper", tests);
}
