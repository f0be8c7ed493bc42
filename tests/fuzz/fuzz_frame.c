/* SPDX-License-Identifier: ISC */
/* A stream of frames as a broken or hostile process may send it, either way over the wall. */
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "wire.h"

#define ADDRESSES 2
#define STREAM_BYTES_MOST 65536	/* what a socket holds without a reader */

static void
check_same(const struct frame *taken, struct frame *put)
{
	MUST(put->type == taken->type);
	MUST(secret_equal(&put->bytes, &taken->bytes));
	frame_clear(put);
}

static void
check_question(struct frame *frame)
{
	struct question question;
	struct frame put = { 0 };

	if (!wire_take_question(frame, &question))
		return;
	wire_put_question(&put, &question);
	check_same(frame, &put);
	leaf_clear(&question.leaf);
	secret_clear(&question.trust);
}

static void
check_answer(struct frame *frame)
{
	struct answer answer;
	struct frame put = { 0 };
	struct failure why;

	if (!wire_take_answer(frame, &answer))
		return;
	MUST(fuzz_is_line(answer.why.text));
	MUST(answer.kind == ANSWER_FAILED || !version_is_none(&answer.offered));
	if (answer.kind == ANSWER_MATERIAL)
		MUST(wire_check_material(&answer.material, &why) == 0);
	wire_put_answer(&put, &answer);
	check_same(frame, &put);
	answer_clear(&answer);
}

/* Notes on one subject become one: the second writing is what has to be as the first. */
static void
check_summary(struct frame *frame)
{
	struct fetch_summary summary, again;
	struct frame put = { 0 }, twice = { 0 };

	if (!wire_take_summary(frame, ADDRESSES, &summary))
		return;
	MUST(summary.address >= -1 && summary.address < ADDRESSES);
	MUST(summary.token.bytes == NULL || fuzz_is_line(summary.token.bytes));
	MUST(fuzz_is_line(summary.away.text));
	wire_put_summary(&put, &summary);
	MUST(wire_take_summary(&put, ADDRESSES, &again));
	wire_put_summary(&twice, &again);
	check_same(&put, &twice);
	frame_clear(&put);
	fetch_summary_clear(&again);
	fetch_summary_clear(&summary);
}

static void
check_frame(struct frame *frame)
{
	switch (frame->type) {
	case WIRE_QUESTION:
		check_question(frame);
		break;
	case WIRE_ANSWER:
		check_answer(frame);
		break;
	case WIRE_SUMMARY:
		check_summary(frame);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct channel channel;
	struct frame frame = { 0 };
	struct failure why = { 0 };
	int ends[2];

	if (size > STREAM_BYTES_MOST)
		return 0;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	MUST(size == 0 || send(ends[0], bytes, size, MSG_DONTWAIT) == (ssize_t)size);
	(void)close(ends[0]);
	channel_open(&channel, ends[1]);
	while (channel_receive(&channel, &frame, 0, &why) == 0)
		check_frame(&frame);
	MUST(why.kind == FAILURE_INTERNAL);
	frame_clear(&frame);
	channel_close(&channel);
	return 0;
}
