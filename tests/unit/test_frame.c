/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "frame.c"
#include "support/runner.h"

static struct frame frame;
static struct channel here, there;
static struct failure why;

static void
set_up(void)
{
	int sockets[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	channel_open(&here, sockets[0]);
	channel_open(&there, sockets[1]);
	frame_begin(&frame, 7);
}

static void
tear_down(void)
{
	frame_clear(&frame);
	channel_close(&here);
	channel_close(&there);
}

static long
soon(void)
{
	return clock_milliseconds() + 200;
}

START_TEST(fields_come_out_as_they_went_in)
{
	struct secret secret = { 0 };
	char line[8], *text;

	secret_set(&secret, "a\0b", 3);
	frame_put_number(&frame, UINT64_MAX);
	frame_put_number(&frame, 1);
	frame_put_text(&frame, "1234567");
	frame_put_text(&frame, NULL);
	frame_put_secret(&frame, &secret);
	secret_clear(&secret);
	ck_assert_uint_eq(frame_take_number(&frame, UINT64_MAX), UINT64_MAX);
	ck_assert(frame_take_flag(&frame));
	frame_take_line(&frame, line, sizeof(line));
	ck_assert_str_eq(line, "1234567");
	text = frame_take_text(&frame, 0);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert(!frame_ended(&frame));
	frame_take_secret(&frame, 3, &secret);
	ck_assert_uint_eq(secret.size, 3);
	ck_assert_int_eq(memcmp(secret.bytes, "a\0b", 3), 0);
	ck_assert(frame_ended(&frame));
	secret_clear(&secret);
}
END_TEST

START_TEST(a_number_over_its_limit_breaks_the_frame)
{
	frame_put_number(&frame, 5);
	frame_put_number(&frame, 1);
	ck_assert_uint_eq(frame_take_number(&frame, 4), 0);
	ck_assert_uint_eq(frame_take_number(&frame, 4), 0);
	ck_assert(!frame_ended(&frame));
}
END_TEST

START_TEST(a_text_that_does_not_fit_or_holds_a_nul_breaks_the_frame)
{
	struct secret secret = { 0 };
	char line[4];

	frame_put_text(&frame, "1234");
	frame_take_line(&frame, line, sizeof(line));
	ck_assert_str_eq(line, "");
	ck_assert(frame.broken);

	frame_begin(&frame, 1);
	secret_set(&secret, "a\0", 2);
	frame_put_secret(&frame, &secret);
	secret_clear(&secret);
	frame_take_line(&frame, line, sizeof(line));
	ck_assert_str_eq(line, "");
	ck_assert(frame.broken);
}
END_TEST

START_TEST(nothing_is_read_past_the_end)
{
	struct secret secret = { 0 };
	char *text;

	frame_put_number(&frame, 1000000);	/* a length, and no bytes after it */
	frame_take_secret(&frame, FRAME_BYTES_MOST, &secret);
	ck_assert_uint_eq(secret.size, 0);
	ck_assert(frame.broken);
	frame_begin(&frame, 1);
	ck_assert_uint_eq(frame_take_number(&frame, UINT64_MAX), 0);
	text = frame_take_text(&frame, 10);
	ck_assert_str_eq(text, "");
	free(text);
	ck_assert(frame.broken);
	frame_begin(&frame, 1);
	secret_append(&frame.bytes, "1234567", 7);
	ck_assert_uint_eq(frame_take_number(&frame, UINT64_MAX), 0);
	ck_assert(frame.broken);
}
END_TEST

START_TEST(bytes_that_are_left_over_are_no_end)
{
	frame_put_number(&frame, 1);
	ck_assert(!frame_ended(&frame));
}
END_TEST

START_TEST(frames_wait_for_the_flush_and_come_in_order)
{
	struct frame got = { 0 };

	frame_put_text(&frame, "one");
	ck_assert_int_eq(channel_send(&here, &frame, soon(), &why), 0);
	frame_begin(&frame, 8);
	ck_assert_int_eq(channel_send(&here, &frame, soon(), &why), 0);
	ck_assert_int_eq(channel_receive(&there, &got, clock_milliseconds(), &why), -1);
	ck_assert_int_eq(channel_flush(&here, soon(), &why), 0);
	ck_assert_int_eq(channel_receive(&there, &got, soon(), &why), 0);
	ck_assert_uint_eq(got.type, 7);
	ck_assert_int_eq(channel_receive(&there, &got, soon(), &why), 0);
	ck_assert_uint_eq(got.type, 8);
	ck_assert_uint_eq(got.bytes.size, 0);
	frame_clear(&got);
}
END_TEST

START_TEST(a_frame_larger_than_any_buffer_arrives_whole)
{
	struct frame got = { 0 };
	struct secret large = { 0 };
	pid_t child;

	for (int i = 0; i < 300000; i++)
		secret_append(&large, "0123456789", 10);
	frame_put_secret(&frame, &large);
	if ((child = fork()) == 0)
		_exit(channel_send(&here, &frame, clock_milliseconds() + 3000, &why) == -1 ||
		    channel_flush(&here, clock_milliseconds() + 3000, &why) == -1);
	ck_assert_int_eq(channel_receive(&there, &got, clock_milliseconds() + 3000, &why), 0);
	ck_assert_uint_eq(got.bytes.size, frame.bytes.size);
	ck_assert_int_eq(memcmp(got.bytes.bytes, frame.bytes.bytes, frame.bytes.size), 0);
	secret_clear(&large);
	frame_clear(&got);
}
END_TEST

START_TEST(a_length_over_the_limit_is_refused_before_anything_is_allocated)
{
	const struct head head = { FRAME_BYTES_MOST + 1, 1 };
	struct frame got = { 0 };

	ck_assert_int_eq(send(here.socket, &head, sizeof(head), 0), (ssize_t)sizeof(head));
	ck_assert_int_eq(channel_receive(&there, &got, soon(), &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "too large"));
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
}
END_TEST

START_TEST(half_a_frame_and_silence_end_with_the_time)
{
	const struct head head = { 100, 1 };
	struct frame got = { 0 };

	ck_assert_int_eq(send(here.socket, &head, sizeof(head), 0), (ssize_t)sizeof(head));
	ck_assert_int_eq(channel_receive(&there, &got, soon(), &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "silent"));
	frame_clear(&got);
}
END_TEST

START_TEST(a_side_that_is_gone_is_told_of)
{
	struct frame got = { 0 };

	ck_assert_int_eq(shutdown(here.socket, SHUT_RDWR), 0);
	ck_assert_int_eq(channel_receive(&there, &got, soon(), &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "gone"));
	ck_assert_int_eq(channel_send(&there, &frame, soon(), &why), 0);
	ck_assert_int_eq(channel_flush(&there, soon(), &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
}
END_TEST

START_TEST(a_side_that_does_not_listen_holds_nobody_up_for_ever)
{
	struct secret large = { 0 };

	for (int i = 0; i < 200000; i++)
		secret_append(&large, "0123456789", 10);
	frame_put_secret(&frame, &large);
	secret_clear(&large);
	ck_assert_int_eq(channel_send(&here, &frame, soon(), &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "silent"));
}
END_TEST

START_TEST(a_frame_over_the_limit_is_not_sent)
{
	char *bytes = memory_new(FRAME_BYTES_MOST, 1);
	struct secret large = { 0 };

	secret_set(&large, bytes, FRAME_BYTES_MOST);
	free(bytes);
	frame_put_secret(&frame, &large);
	ck_assert_int_eq(channel_send(&here, &frame, soon(), &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
	ck_assert_ptr_nonnull(strstr(why.text, "is too large"));
	ck_assert_uint_eq(here.out.size, 0);
	secret_clear(&large);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("frame");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, fields_come_out_as_they_went_in);
	tcase_add_test(tests, a_number_over_its_limit_breaks_the_frame);
	tcase_add_test(tests, a_text_that_does_not_fit_or_holds_a_nul_breaks_the_frame);
	tcase_add_test(tests, nothing_is_read_past_the_end);
	tcase_add_test(tests, bytes_that_are_left_over_are_no_end);
	tcase_add_test(tests, frames_wait_for_the_flush_and_come_in_order);
	tcase_add_test(tests, a_frame_larger_than_any_buffer_arrives_whole);
	tcase_add_test(tests, a_length_over_the_limit_is_refused_before_anything_is_allocated);
	tcase_add_test(tests, half_a_frame_and_silence_end_with_the_time);
	tcase_add_test(tests, a_side_that_is_gone_is_told_of);
	tcase_add_test(tests, a_side_that_does_not_listen_holds_nobody_up_for_ever);
	tcase_add_test(tests, a_frame_over_the_limit_is_not_sent);
	return run_tests("frame", tests);
}
