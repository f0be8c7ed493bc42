/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "log.c"
#include "support/capture.h"
#include "support/runner.h"

static void
set_up(void)
{
	unsetenv("JOURNAL_STREAM");
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
}

/* One line of each kind, and what of them was printed. */
static const char *
say_all(enum log_level level)
{
	log_open("test", level);
	log_error("e");
	log_warning("w");
	log_notice("n");
	log_detail("d");
	return capture_end(STDERR_FILENO);
}

START_TEST(elsewhere_lines_are_plain_and_as_many_as_asked_for)
{
	capture_begin(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_QUIET), "test: e\n");
	capture_begin(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_NORMAL), "test: e\ntest: w\ntest: n\n");
	capture_begin(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_VERBOSE), "test: e\ntest: w\ntest: n\ntest: d\n");
	ck_assert(!log_on_terminal());
}
END_TEST

START_TEST(control_characters_end_no_line_and_obey_no_terminal)
{
	capture_begin(STDERR_FILENO);
	log_open("test", LOG_LEVEL_NORMAL);
	log_notice("a\nb\x1b[31m\x7f\xc3\xbc");
	ck_assert_str_eq(capture_end(STDERR_FILENO), "test: a?b?[31m?\xc3\xbc\n");
}
END_TEST

START_TEST(a_terminal_has_colours_unless_it_must_not)
{
	capture_begin_on_terminal(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_NORMAL),
	    "\033[31mtest: e\033[0m\n\033[33mtest: w\033[0m\ntest: n\n");
	ck_assert(log_on_terminal());
	setenv("NO_COLOR", "1", 1);
	capture_begin_on_terminal(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_NORMAL), "test: e\ntest: w\ntest: n\n");
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	capture_begin_on_terminal(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_NORMAL), "test: e\ntest: w\ntest: n\n");
}
END_TEST

START_TEST(progress_is_for_a_terminal_and_makes_way_for_a_line)
{
	capture_begin_on_terminal(STDERR_FILENO);
	log_open("test", LOG_LEVEL_NORMAL);
	log_progress("asked %d\n", 7);
	log_notice("n");
	log_notice("n");
	ck_assert_str_eq(capture_end(STDERR_FILENO),
	    "\r\033[Kasked 7?\r\033[Ktest: n\ntest: n\n");
	capture_begin(STDERR_FILENO);
	log_open("test", LOG_LEVEL_NORMAL);
	log_progress("asked %d", 7);
	ck_assert_str_eq(capture_end(STDERR_FILENO), "");
}
END_TEST

/* systemd says which stream is the journal's: another one, of a program that we were started by, is not. */
START_TEST(the_journal_gets_priorities)
{
	struct stat status;
	char stream[64];

	capture_begin(STDERR_FILENO);
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	(void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
	    (unsigned long long)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	ck_assert_str_eq(say_all(LOG_LEVEL_VERBOSE), "<3>e\n<4>w\n<5>n\n<7>d\n");
	setenv("JOURNAL_STREAM", "8:1", 1);
	capture_begin(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_QUIET), "test: e\n");
	setenv("JOURNAL_STREAM", "nonsense", 1);
	capture_begin(STDERR_FILENO);
	ck_assert_str_eq(say_all(LOG_LEVEL_QUIET), "test: e\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("log");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, elsewhere_lines_are_plain_and_as_many_as_asked_for);
	tcase_add_test(tests, control_characters_end_no_line_and_obey_no_terminal);
	tcase_add_test(tests, a_terminal_has_colours_unless_it_must_not);
	tcase_add_test(tests, progress_is_for_a_terminal_and_makes_way_for_a_line);
	tcase_add_test(tests, the_journal_gets_priorities);
	return run_tests("log", tests);
}
