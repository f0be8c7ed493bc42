/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "command.c"
#include "support/runner.h"

static struct failure why;

/* A script is handed to sh as one word: command_run() itself knows no shell. */
static enum command_end
run_script(const char *script, long timeout_seconds)
{
	struct words words = { 0 };
	enum command_end end;

	words_add(&words, "/bin/sh");
	words_add(&words, "-c");
	words_add(&words, script);
	words_add(&words, "sh");
	end = command_run(&words, timeout_seconds, NULL, NULL, &why);
	words_clear(&words);
	return end;
}

static enum command_end
run_program(const char *program, const char *argument)
{
	struct words words = { 0 };
	enum command_end end;

	words_add(&words, program);
	if (argument != NULL)
		words_add(&words, argument);
	end = command_run(&words, 5, NULL, NULL, &why);
	words_clear(&words);
	return end;
}

#define ck_assert_passes(script) \
	ck_assert_msg(run_script(script, 5) == COMMAND_PASSED, "%s", why.text)
#define ck_assert_says(words) ck_assert_msg(strstr(why.text, words) != NULL, "%s", why.text)

static double
seconds_now(void)
{
	return (double)clock_milliseconds() / 1000.0;
}

START_TEST(exit_status_0_passes)
{
	ck_assert_int_eq(run_program("/bin/true", NULL), COMMAND_PASSED);
}
END_TEST

START_TEST(another_exit_status_is_told_with_the_command_and_its_last_words)
{
	ck_assert_int_eq(run_script("echo one; echo two >&2; exit 3", 5), COMMAND_FAILED);
	ck_assert_int_eq(why.kind, FAILURE_SERVICE);
	ck_assert_str_eq(why.text,
	    "/bin/sh -c echo one; echo two >&2; exit 3 sh: exit status 3: one / two");
}
END_TEST

START_TEST(a_silent_failure_has_no_last_words)
{
	ck_assert_int_eq(run_program("/bin/false", NULL), COMMAND_FAILED);
	ck_assert_str_eq(why.text, "/bin/false: exit status 1");
}
END_TEST

START_TEST(a_signal_is_told)
{
	ck_assert_int_eq(run_script("kill -SEGV $$", 5), COMMAND_FAILED);
	ck_assert_says("ended by signal 11 (Segmentation fault)");
}
END_TEST

START_TEST(a_program_that_does_not_exist_is_not_run)
{
	ck_assert_int_eq(run_program("/nonexistent/program", "-t"), COMMAND_NOT_RUN);
	ck_assert_str_eq(why.text,
	    "/nonexistent/program -t: cannot be run: No such file or directory");
}
END_TEST

START_TEST(a_file_that_is_no_program_is_not_run)
{
	ck_assert_int_eq(run_program("/etc/passwd", NULL), COMMAND_NOT_RUN);
	ck_assert_says("Permission denied");
}
END_TEST

START_TEST(exit_status_127_is_not_taken_for_a_missing_program)
{
	ck_assert_int_eq(run_script("exit 127", 5), COMMAND_FAILED);
}
END_TEST

START_TEST(no_shell_sees_the_words)
{
	ck_assert_int_eq(run_program("/bin/ls", "/nonexistent;$HOME *"), COMMAND_FAILED);
	ck_assert_says("/nonexistent;$HOME *");
}
END_TEST

START_TEST(only_the_end_of_much_output_is_kept)
{
	ck_assert_int_eq(run_script("yes 0123456789 | head -c 3000000; echo; echo THE END; exit 1", 5),
	    COMMAND_FAILED);
	ck_assert_says("exit status 1: ...");
	ck_assert_says(" / THE END");
	ck_assert_uint_lt(strlen(why.text), 800);
}
END_TEST

START_TEST(last_words_hold_no_control_characters_and_no_other_than_ascii)
{
	ck_assert_int_eq(run_script("printf '\\n\\n a\\tb\\033[31mc\\r\\n\\n\\303\\274 \\n'; exit 1", 5),
	    COMMAND_FAILED);
	ck_assert_says("exit status 1: a b [31mc / ??");
	for (const char *c = why.text; *c != '\0'; c++)
		ck_assert(*c >= ' ' && *c < 0x7f);
}
END_TEST

START_TEST(a_long_command_leaves_room_for_its_words)
{
	char script[1500] = "echo LAST; exit 1 #";

	memset(script + strlen(script), 'x', 1000);
	ck_assert_int_eq(run_script(script, 5), COMMAND_FAILED);
	ck_assert_says("xxx...: exit status 1: LAST");
}
END_TEST

START_TEST(standard_input_is_empty)
{
	ck_assert_passes("test \"$(readlink /proc/$$/fd/0)\" = /dev/null && ! read line");
}
END_TEST

START_TEST(no_other_descriptor_is_inherited)
{
	for (int i = 0; i < 20; i++)
		ck_assert_int_ne(dup(STDERR_FILENO), -1);
	ck_assert_int_eq(run_script("cd /proc/$$/fd && echo *; exit 1", 5), COMMAND_FAILED);
	ck_assert_says("exit status 1: 0 1 2 3");	/* 3 is the directory that is being read */
	ck_assert_ptr_null(strstr(why.text, "0 1 2 3 "));
}
END_TEST

START_TEST(the_environment_is_a_path_and_a_language)
{
	setenv("SECRET_OF_ADMIN", "1", 1);
	ck_assert_int_eq(run_program("/usr/bin/env", NULL), COMMAND_PASSED);
	ck_assert_passes("test \"$(tr '\\0' ' ' < /proc/$$/environ)\" = "
	    "'PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 '");
}
END_TEST

START_TEST(the_umask_is_022)
{
	(void)umask(077);
	ck_assert_passes("test $(umask) = 0022");
}
END_TEST

START_TEST(it_runs_in_the_root_directory)
{
	ck_assert_passes("test $(pwd) = /");
}
END_TEST

START_TEST(signals_are_neither_ignored_nor_blocked)
{
	sigset_t all;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	ck_assert_passes("grep -q '^SigBlk:.0*$' /proc/self/status && "
	    /* 32 and 33 are the C library's own, and GNU make leaves them ignored */
	    "grep -Eq '^SigIgn:.0*(180000000)?$' /proc/self/status");
}
END_TEST

START_TEST(the_callers_signal_mask_is_as_before)
{
	sigset_t set;

	ck_assert_int_eq(run_program("/bin/true", NULL), COMMAND_PASSED);
	(void)sigprocmask(SIG_BLOCK, NULL, &set);
	ck_assert_int_eq(sigismember(&set, SIGCHLD), 0);
}
END_TEST

START_TEST(it_has_the_limits_that_were_remembered)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 77;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	command_remember_limits();
	limit.rlim_cur = 55;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_passes("test $(ulimit -n) = 77");
}
END_TEST

START_TEST(no_hardening_is_inherited)
{
	ck_assert_int_eq(prctl(PR_SET_DUMPABLE, 0), 0);
	ck_assert_passes("grep -q '^NoNewPrivs:.0$' /proc/self/status && test -O /proc/$$/fd");
}
END_TEST

START_TEST(it_has_its_own_process_group)
{
	ck_assert_passes("test $(ps -o pgid= -p $$) = $$");
}
END_TEST

static bool
gone(const char *file)
{
	FILE *in = fopen(file, "r");
	int pid = 0;

	ck_assert_ptr_nonnull(in);
	ck_assert_int_eq(fscanf(in, "%d", &pid), 1);
	fclose(in);
	unlink(file);
	for (int i = 0; i < 100; i++) {
		char path[64], state = 'Z';

		(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		if ((in = fopen(path, "r")) == NULL)
			return true;
		(void)!fscanf(in, "%*d %*s %c", &state);
		fclose(in);
		if (state == 'Z')
			return true;
		(void)usleep(10000);
	}
	return false;
}

START_TEST(at_its_timeout_the_whole_group_is_killed)
{
	char script[200];
	const double before = seconds_now();

	(void)snprintf(script, sizeof(script),
	    "sleep 60 & echo $! > /tmp/test_command.%d; echo SLEEPING; wait", (int)getpid());
	ck_assert_int_eq(run_script(script, 1), COMMAND_TIMED_OUT);
	ck_assert_says("no end after 1 s: killed: SLEEPING");
	ck_assert(seconds_now() - before < 3);
	(void)snprintf(script, sizeof(script), "/tmp/test_command.%d", (int)getpid());
	ck_assert(gone(script));
}
END_TEST

START_TEST(one_that_does_not_hear_a_polite_signal_is_killed_too)
{
	const double before = seconds_now();

	ck_assert_int_eq(run_script("trap '' TERM; while :; do sleep 0.1; done", 1),
	    COMMAND_TIMED_OUT);
	ck_assert(seconds_now() - before < 4);
}
END_TEST

START_TEST(one_that_ends_well_after_its_timeout_has_not_passed)
{
	ck_assert_int_eq(run_script("trap 'exit 0' TERM; sleep 60 & wait", 1), COMMAND_TIMED_OUT);
}
END_TEST

START_TEST(one_that_writes_without_end_is_killed)
{
	ck_assert_int_eq(run_script("exec yes", 1), COMMAND_TIMED_OUT);
	ck_assert_says(": ...");
}
END_TEST

START_TEST(a_daemon_that_holds_the_output_is_not_waited_for_and_not_killed)
{
	const double before = seconds_now();
	char script[200];

	(void)snprintf(script, sizeof(script), "sleep 3 & echo $! > /tmp/test_command.%d",
	    (int)getpid());
	ck_assert_int_eq(run_script(script, 5), COMMAND_PASSED);
	ck_assert(seconds_now() - before < 1);
	(void)snprintf(script, sizeof(script), "/tmp/test_command.%d", (int)getpid());
	ck_assert(!gone(script));
}
END_TEST

START_TEST(what_was_said_just_before_the_end_is_heard)
{
	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(run_script("echo LAST; exit 1", 5), COMMAND_FAILED);
		ck_assert_says("LAST");
	}
}
END_TEST

START_TEST(the_end_of_another_child_is_not_taken_for_its_own)
{
	const pid_t other = fork();
	const double before = seconds_now();

	if (other == 0) {
		(void)usleep(100000);
		_exit(0);
	}
	ck_assert_int_eq(run_script("sleep 0.5; exit 4", 5), COMMAND_FAILED);
	ck_assert(seconds_now() - before >= 0.5);
	ck_assert_int_eq(waitpid(other, NULL, 0), other);
}
END_TEST

START_TEST(no_child_and_no_descriptor_is_left_over)
{
	const int before = dup(STDIN_FILENO);
	int after;

	close(before);
	ck_assert_int_eq(run_program("/bin/true", NULL), COMMAND_PASSED);
	ck_assert_int_eq(run_program("/nonexistent", NULL), COMMAND_NOT_RUN);
	ck_assert_int_eq(run_script("sleep 60", 1), COMMAND_TIMED_OUT);
	after = dup(STDIN_FILENO);
	close(after);
	ck_assert_int_eq(before, after);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

static int
prepare_well(void *context)
{
	return setenv("PREPARED", context, 1) == 0 && chdir("/usr") == 0 ? 0 : -1;
}

static int
prepare_badly(void *context)
{
	(void)context;
	errno = EPERM;
	return -1;
}

START_TEST(it_is_prepared_in_the_child)
{
	struct words words = { 0 };
	char word[] = "1";

	words_add(&words, "/bin/pwd");
	ck_assert_int_eq(command_run(&words, 5, prepare_well, word, &why), COMMAND_PASSED);
	ck_assert_ptr_null(getenv("PREPARED"));
	words_clear(&words);
}
END_TEST

START_TEST(what_cannot_be_prepared_is_not_run)
{
	struct words words = { 0 };

	words_add(&words, "/bin/true");
	ck_assert_int_eq(command_run(&words, 5, prepare_badly, NULL, &why), COMMAND_NOT_RUN);
	ck_assert_str_eq(why.text, "/bin/true: cannot be prepared: Operation not permitted");
	words_clear(&words);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("command");

	tcase_set_timeout(tests, 20);
	tcase_add_test(tests, exit_status_0_passes);
	tcase_add_test(tests, another_exit_status_is_told_with_the_command_and_its_last_words);
	tcase_add_test(tests, a_silent_failure_has_no_last_words);
	tcase_add_test(tests, a_signal_is_told);
	tcase_add_test(tests, a_program_that_does_not_exist_is_not_run);
	tcase_add_test(tests, a_file_that_is_no_program_is_not_run);
	tcase_add_test(tests, exit_status_127_is_not_taken_for_a_missing_program);
	tcase_add_test(tests, no_shell_sees_the_words);
	tcase_add_test(tests, only_the_end_of_much_output_is_kept);
	tcase_add_test(tests, last_words_hold_no_control_characters_and_no_other_than_ascii);
	tcase_add_test(tests, a_long_command_leaves_room_for_its_words);
	tcase_add_test(tests, standard_input_is_empty);
	tcase_add_test(tests, no_other_descriptor_is_inherited);
	tcase_add_test(tests, the_environment_is_a_path_and_a_language);
	tcase_add_test(tests, the_umask_is_022);
	tcase_add_test(tests, it_runs_in_the_root_directory);
	tcase_add_test(tests, signals_are_neither_ignored_nor_blocked);
	tcase_add_test(tests, the_callers_signal_mask_is_as_before);
	tcase_add_test(tests, it_has_the_limits_that_were_remembered);
	tcase_add_test(tests, no_hardening_is_inherited);
	tcase_add_test(tests, it_has_its_own_process_group);
	tcase_add_test(tests, at_its_timeout_the_whole_group_is_killed);
	tcase_add_test(tests, one_that_does_not_hear_a_polite_signal_is_killed_too);
	tcase_add_test(tests, one_that_ends_well_after_its_timeout_has_not_passed);
	tcase_add_test(tests, one_that_writes_without_end_is_killed);
	tcase_add_test(tests, a_daemon_that_holds_the_output_is_not_waited_for_and_not_killed);
	tcase_add_test(tests, what_was_said_just_before_the_end_is_heard);
	tcase_add_test(tests, the_end_of_another_child_is_not_taken_for_its_own);
	tcase_add_test(tests, no_child_and_no_descriptor_is_left_over);
	tcase_add_test(tests, it_is_prepared_in_the_child);
	tcase_add_test(tests, what_cannot_be_prepared_is_not_run);
	return run_tests("command", tests);
}
