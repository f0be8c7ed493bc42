/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <sys/uio.h>

#include "clock.h"
#include "frame.h"
#include "memory.h"

/* A secret needs a byte more, and an arena gives powers of two, all of which is wiped afterwards. */
#define BUFFER_BYTES 16383

/* What goes before the fields of a frame. */
struct head {
	uint32_t size, type;
};

/* --- Fields --- */

void
frame_begin(struct frame *frame, uint32_t type)
{
	frame_clear(frame);
	frame->type = type;
}

void
frame_clear(struct frame *frame)
{
	secret_clear(&frame->bytes);
	*frame = (struct frame){ 0 };
}

void
frame_put_number(struct frame *frame, uint64_t number)
{
	secret_append(&frame->bytes, &number, sizeof(number));
}

static void
put_bytes(struct frame *frame, const void *bytes, size_t size)
{
	frame_put_number(frame, size);
	secret_append(&frame->bytes, bytes, size);
}

void
frame_put_text(struct frame *frame, const char *text)
{
	put_bytes(frame, text, text != NULL ? strlen(text) : 0);
}

void
frame_put_secret(struct frame *frame, const struct secret *secret)
{
	put_bytes(frame, secret->bytes, secret->size);
}

void
frame_break(struct frame *frame)
{
	frame->broken = true;
}

/* The next `size` bytes; NULL when there are none. */
static const char *
take_bytes(struct frame *frame, size_t size)
{
	const char *bytes;

	if (frame->broken || frame->bytes.size - frame->at < size) {
		frame->broken = true;
		return NULL;
	}
	bytes = frame->bytes.bytes + frame->at;
	frame->at += size;
	return bytes;
}

uint64_t
frame_take_number(struct frame *frame, uint64_t most)
{
	const char *bytes = take_bytes(frame, sizeof(uint64_t));
	uint64_t number = 0;

	if (bytes != NULL)
		memcpy(&number, bytes, sizeof(number));
	if (number <= most)
		return number;
	frame->broken = true;
	return 0;
}

bool
frame_take_flag(struct frame *frame)
{
	return frame_take_number(frame, 1) == 1;
}

static const char *
take_text(struct frame *frame, size_t most, size_t *out_size)
{
	const char *bytes;

	*out_size = (size_t)frame_take_number(frame, most);
	bytes = take_bytes(frame, *out_size);
	if (bytes != NULL && memchr(bytes, '\0', *out_size) != NULL) {
		frame->broken = true;
		bytes = NULL;
	}
	return bytes;
}

void
frame_take_line(struct frame *frame, char *text, size_t room)
{
	size_t size;
	const char *bytes = take_text(frame, room - 1, &size);

	if (bytes != NULL)
		memcpy(text, bytes, size);
	text[bytes != NULL ? size : 0] = '\0';
}

char *
frame_take_text(struct frame *frame, size_t most)
{
	size_t size;
	const char *bytes = take_text(frame, most, &size);

	return memory_text_n(bytes, bytes != NULL ? size : 0);
}

void
frame_take_secret(struct frame *frame, size_t most, struct secret *out_secret)
{
	const size_t size = (size_t)frame_take_number(frame, most);
	const char *bytes = take_bytes(frame, size);

	if (bytes != NULL && size != 0)
		secret_set(out_secret, bytes, size);
}

bool
frame_ended(const struct frame *frame)
{
	return !frame->broken && frame->at == frame->bytes.size;
}

/* --- Over a socket --- */

void
channel_open(struct channel *channel, int take_socket)
{
	*channel = (struct channel){ .socket = take_socket };
	secret_set_zeros(&channel->in, BUFFER_BYTES);
}

void
channel_close(struct channel *channel)
{
	close(channel->socket);
	secret_clear(&channel->out);
	secret_clear(&channel->in);
	*channel = (struct channel){ .socket = -1 };
}

static int
wait_for(int socket, short events, long until, struct failure *why)
{
	struct pollfd event = { .fd = socket, .events = events };
	int ready;

	do {
		const long left = until - clock_milliseconds();

		ready = poll(&event, 1, left <= 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX);
	} while (ready == -1 && errno == EINTR);
	if (ready == -1)
		return failure_errno(why, FAILURE_INTERNAL, "poll");
	return ready == 1 ? 0 : failure_set(why, FAILURE_INTERNAL, "the other process is silent");
}

static bool
is_passing(int error)
{
	return error == EINTR || error == EAGAIN || error == EWOULDBLOCK;
}

int
channel_flush(struct channel *channel, long until, struct failure *why)
{
	const char *bytes = channel->out.bytes;
	size_t left = channel->out.size;

	while (left != 0) {
		const ssize_t sent = send(channel->socket, bytes, left,
		    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent == -1 && !is_passing(errno))
			return failure_errno(why, FAILURE_INTERNAL, "tell the other process");
		if (sent == -1 && wait_for(channel->socket, POLLOUT, until, why) == -1)
			return -1;
		if (sent > 0) {
			bytes += sent;
			left -= (size_t)sent;
		}
	}
	secret_clear(&channel->out);
	return 0;
}

int
channel_send(struct channel *channel, const struct frame *frame, long until, struct failure *why)
{
	const struct head head = { (uint32_t)frame->bytes.size, frame->type };

	if (frame->bytes.size > FRAME_BYTES_MOST)
		return failure_set(why, FAILURE_INTERNAL, "a frame of %zu bytes is too large",
		    frame->bytes.size);
	secret_append(&channel->out, &head, sizeof(head));
	secret_append(&channel->out, frame->bytes.bytes, frame->bytes.size);
	return channel->out.size < BUFFER_BYTES ? 0 : channel_flush(channel, until, why);
}

/* More into the buffer, which is empty. */
static int
fill(struct channel *channel, long until, struct failure *why)
{
	ssize_t got;

	while ((got = recv(channel->socket, channel->in.bytes, BUFFER_BYTES, MSG_DONTWAIT)) == -1) {
		if (!is_passing(errno))
			return failure_errno(why, FAILURE_INTERNAL, "hear the other process");
		if (wait_for(channel->socket, POLLIN, until, why) == -1)
			return -1;
	}
	if (got == 0)
		return failure_set(why, FAILURE_INTERNAL, "the other process is gone");
	channel->at = 0;
	channel->end = (size_t)got;
	return 0;
}

static int
take(struct channel *channel, void *bytes, size_t size, long until, struct failure *why)
{
	for (char *to = bytes; size != 0; ) {
		size_t part;

		if (channel->at == channel->end && fill(channel, until, why) == -1)
			return -1;
		part = channel->end - channel->at < size ? channel->end - channel->at : size;
		memcpy(to, channel->in.bytes + channel->at, part);
		channel->at += part;
		to += part;
		size -= part;
	}
	return 0;
}

int
channel_receive(struct channel *channel, struct frame *out_frame, long until, struct failure *why)
{
	struct head head;

	if (take(channel, &head, sizeof(head), until, why) == -1)
		return -1;
	if (head.size > FRAME_BYTES_MOST)
		return failure_set(why, FAILURE_INTERNAL, "a frame of %u bytes is too large",
		    head.size);
	frame_begin(out_frame, head.type);
	secret_set_zeros(&out_frame->bytes, head.size);
	return take(channel, out_frame->bytes.bytes, head.size, until, why);
}
