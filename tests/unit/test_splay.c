/* SPDX-License-Identifier: ISC */
#include "splay.c"

#include <check.h>
#include <stdio.h>

#include "unit/support/runner.h"
#include "unit/support/capture.h"
#include <sys/time.h>
#include <signal.h>

#define HOSTS 2000
#define SHARES 10

static char machine_id[] = "/tmp/certlet-splay-XXXXXX";

static char *
identity_of(const char *text)
{
	FILE *file = fopen(machine_id, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	return splay_identity(machine_id);
}

static void
assert_host_name(char *take_identity)
{
	char host[HOST_NAME_MAX + 1] = "";

	ck_assert_int_eq(gethostname(host, sizeof(host) - 1), 0);
	ck_assert_str_eq(take_identity, host);
	free(take_identity);
}

START_TEST(a_host_is_known_by_its_machine_id)
{
	char *identity = identity_of("0123456789abcdef0123456789abcdef\n");

	ck_assert_str_eq(identity, "0123456789abcdef0123456789abcdef");
	free(identity);
	(void)unlink(machine_id);
}
END_TEST

START_TEST(a_host_without_a_machine_id_is_known_by_its_name)
{
	assert_host_name(identity_of(""));
	assert_host_name(identity_of("\n"));
	assert_host_name(identity_of("uninitialized\n"));
	(void)unlink(machine_id);
	assert_host_name(splay_identity(machine_id));
	assert_host_name(splay_identity("/tmp"));
}
END_TEST

START_TEST(the_pause_of_a_host_is_always_the_same)
{
	const uint64_t pause = splay_milliseconds("0123456789abcdef0123456789abcdef", 600);

	ck_assert_uint_eq(splay_milliseconds("0123456789abcdef0123456789abcdef", 600), pause);
	ck_assert_uint_ne(splay_milliseconds("0123456789abcdef0123456789abcdee", 600), pause);
	/* Of this very value: another one would move a whole fleet with an update. */
	ck_assert_uint_eq(pause, 142423);
}
END_TEST

START_TEST(the_pauses_of_many_hosts_are_spread_evenly)
{
	unsigned int shares[SHARES] = { 0 };
	char identity[64];

	for (int i = 0; i < HOSTS; i++) {
		uint64_t pause;

		(void)snprintf(identity, sizeof(identity), "web%d.example.test", i);
		pause = splay_milliseconds(identity, 900);
		ck_assert_uint_lt(pause, 900 * 1000);
		shares[pause * SHARES / (900 * 1000)]++;
	}
	for (int i = 0; i < SHARES; i++) {
		ck_assert_uint_gt(shares[i], HOSTS / SHARES * 3 / 4);
		ck_assert_uint_lt(shares[i], HOSTS / SHARES * 5 / 4);
	}
}
END_TEST

START_TEST(no_time_to_wait_in_is_no_pause)
{
	ck_assert_uint_eq(splay_milliseconds("web", 0), 0);
	for (long within = 1; within < 100L * 365 * 86400; within *= 7)
		ck_assert_uint_lt(splay_milliseconds("web", within), (uint64_t)within * 1000);
}
END_TEST

static void
ignore(int number)
{
	(void)number;
}

/* As after SIGSTOP and SIGCONT; the pause of this host is the one of its machine-id. */
START_TEST(a_pause_is_told_on_a_terminal_and_goes_on_after_a_signal)
{
	const struct sigaction action = { .sa_handler = ignore };
	const struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	char *identity = splay_identity(MACHINE_ID_FILE);
	struct timespec start, end;
	const char *printed;
	long passed;

	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	capture_begin_on_terminal(STDERR_FILENO);
	log_open("test", LOG_LEVEL_NORMAL);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	splay_wait(1, /* only_tell= */ false);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	printed = capture_end(STDERR_FILENO);
	ck_assert_ptr_nonnull(strstr(printed, "as this host always does"));
	passed = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	ck_assert_int_ge(passed, (long)splay_milliseconds(identity, 1) - 1);
	ck_assert_int_lt(passed, 5000);
	free(identity);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("splay");
	const int file = mkstemp(machine_id);

	if (file != -1)
		(void)close(file);
	tcase_add_test(tests, a_host_is_known_by_its_machine_id);
	tcase_add_test(tests, a_host_without_a_machine_id_is_known_by_its_name);
	tcase_add_test(tests, the_pause_of_a_host_is_always_the_same);
	tcase_add_test(tests, the_pauses_of_many_hosts_are_spread_evenly);
	tcase_add_test(tests, no_time_to_wait_in_is_no_pause);
	tcase_add_test(tests, a_pause_is_told_on_a_terminal_and_goes_on_after_a_signal);
	return run_tests("splay", tests);
}
