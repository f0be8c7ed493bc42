/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "fetch.c"
#include "support/answers.h"
#include "support/runner.h"

/* The child of these tests: it is sent away at once, and the other end of the socket is ours. */
static struct fetch *fetch;
static struct channel child;
static struct frame frame;
static struct answer answer, got;
static struct fetch_summary summary;
static struct failure why;

static void
set_up(void)
{
	int sockets[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	channel_open(&child, sockets[1]);
	fetch = memory_new(1, sizeof(*fetch));
	channel_open(&fetch->socket, sockets[0]);
	fetch->entry_count = 5;
	fetch->address_count = 1;
	fetch->asked = memory_new(5, sizeof(*fetch->asked));
	fetch->end = clock_milliseconds() + 3000;
	fetch->asked[3] = true;
	answer = good_answer();
}

static void
start_child_that(void (*act)(void))
{
	if ((fetch->child = fork()) == 0) {
		act();
		_exit(0);
	}
	close(child.socket);
	child.socket = -1;
}

static void
tear_down(void)
{
	fetch_free(fetch);
	channel_close(&child);
	frame_clear(&frame);
	answer_clear(&answer);
	answer_clear(&got);
	fetch_summary_clear(&summary);
}

static enum fetch_event
hear(void)
{
	struct failure ignored;

	ck_assert_int_eq(channel_send(&child, &frame, clock_milliseconds() + 3000, &ignored), 0);
	ck_assert_int_eq(channel_flush(&child, clock_milliseconds() + 3000, &ignored), 0);
	answer_clear(&got);
	return fetch_next(fetch, &got, &summary, &why);
}

START_TEST(an_answer_to_a_question_is_taken_once)
{
	wire_put_answer(&frame, &answer);
	ck_assert_int_eq(hear(), FETCH_ANSWER);
	ck_assert_uint_eq(got.entry, 3);
	wire_put_answer(&frame, &answer);
	ck_assert_int_eq(hear(), FETCH_BROKEN);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
	ck_assert_uint_eq(got.material.key.size, 0);
}
END_TEST

START_TEST(an_answer_to_no_question_is_broken)
{
	static const uint32_t entries[] = { 0, 4, 5, UINT32_MAX };

	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		answer.entry = entries[i];
		wire_put_answer(&frame, &answer);
		ck_assert_int_eq(hear(), FETCH_BROKEN);
		ck_assert_ptr_nonnull(strstr(why.text, "no question"));
	}
}
END_TEST

START_TEST(a_frame_of_a_type_of_the_parents_own_is_broken)
{
	static const uint32_t types[] = { 0, WIRE_QUESTION, WIRE_GO, 99 };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		frame_begin(&frame, types[i]);
		ck_assert_int_eq(hear(), FETCH_BROKEN);
	}
}
END_TEST

START_TEST(an_answer_with_any_byte_changed_does_no_harm)
{
	wire_put_answer(&frame, &answer);
	for (size_t i = 0; i < frame.bytes.size; i++) {
		const char was = frame.bytes.bytes[i];

		for (int flip = 1; flip < 256; flip <<= 1) {
			fetch->asked[3] = true;
			frame.bytes.bytes[i] = (char)(was ^ flip);
			if (hear() == FETCH_ANSWER)
				ck_assert_uint_eq(got.entry, 3);
			else
				ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
		}
		frame.bytes.bytes[i] = was;
	}
}
END_TEST

START_TEST(a_summary_is_the_end)
{
	fetch->asked[3] = false;
	summary.address = -1;
	wire_put_summary(&frame, &summary);
	ck_assert_int_eq(hear(), FETCH_END);
	frame_begin(&frame, WIRE_SUMMARY);
	ck_assert_int_eq(hear(), FETCH_BROKEN);
}
END_TEST

START_TEST(an_answer_may_be_left_out_only_when_vault_is_away)
{
	summary.address = -1;
	wire_put_summary(&frame, &summary);
	ck_assert_int_eq(hear(), FETCH_BROKEN);
	ck_assert_ptr_nonnull(strstr(why.text, "before all answers"));
	(void)failure_set(&summary.away, FAILURE_VAULT, "sealed");
	wire_put_summary(&frame, &summary);
	ck_assert_int_eq(hear(), FETCH_END);
}
END_TEST

static void
crash(void)
{
	(void)raise(SIGSEGV);
}

static void
leave(void)
{
}

static void
hang(void)
{
	for (;;)
		(void)pause();
}

START_TEST(a_child_that_crashes_is_told_of_with_its_signal)
{
	(void)signal(SIGSEGV, SIG_DFL);
	start_child_that(crash);
	ck_assert_int_eq(fetch_next(fetch, &got, &summary, &why), FETCH_BROKEN);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
	ck_assert_ptr_nonnull(strstr(why.text, "crashed with signal 11"));
}
END_TEST

START_TEST(a_child_that_leaves_without_a_word_is_told_of)
{
	start_child_that(leave);
	ck_assert_int_eq(fetch_next(fetch, &got, &summary, &why), FETCH_BROKEN);
	ck_assert_ptr_nonnull(strstr(why.text, "the fetch process: the other process is gone"));
}
END_TEST

START_TEST(a_child_that_hangs_is_ended)
{
	const long start = clock_milliseconds();
	pid_t pid;

	start_child_that(hang);
	pid = fetch->child;
	ck_assert_int_eq(fetch_next(fetch, &got, &summary, &why), FETCH_BROKEN);
	ck_assert_ptr_nonnull(strstr(why.text, "silent"));
	ck_assert_int_lt(clock_milliseconds() - start, 15000);
	ck_assert_int_eq(kill(pid, 0), -1);
}
END_TEST

START_TEST(no_question_is_no_talk)
{
	struct manifest manifest = { .vault.deadline = 5, .vault.timeout = 5 };
	const struct credentials credentials = { 0 };
	const struct notes notes = { 0 };
	struct sandbox sandbox;
	struct fetch *real;

	ck_assert_int_eq(sandbox_prepare("nobody", &sandbox, &why), 0);
	ck_assert_int_eq(fetch_start(&manifest, &sandbox, &credentials, &notes, &real, &why), 0);
	ck_assert_int_eq(fetch_go(real, &why), 0);
	ck_assert_msg(fetch_next(real, &got, &summary, &why) == FETCH_END, "%s", why.text);
	ck_assert(summary.let_in);
	ck_assert_uint_eq(summary.requests, 0);
	ck_assert_int_eq(summary.address, -1);
	fetch_free(real);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("fetch");

	tcase_set_timeout(tests, 30);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_answer_to_a_question_is_taken_once);
	tcase_add_test(tests, an_answer_to_no_question_is_broken);
	tcase_add_test(tests, a_frame_of_a_type_of_the_parents_own_is_broken);
	tcase_add_test(tests, an_answer_with_any_byte_changed_does_no_harm);
	tcase_add_test(tests, a_summary_is_the_end);
	tcase_add_test(tests, an_answer_may_be_left_out_only_when_vault_is_away);
	tcase_add_test(tests, a_child_that_crashes_is_told_of_with_its_signal);
	tcase_add_test(tests, a_child_that_leaves_without_a_word_is_told_of);
	tcase_add_test(tests, a_child_that_hangs_is_ended);
	tcase_add_test(tests, no_question_is_no_talk);
	return run_tests("fetch", tests);
}
