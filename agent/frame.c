/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "clock.h"
#include "frame.h"
#include "memory.h"

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

static int
wait_for(int socket, short events, long end, struct failure *why)
{
	struct pollfd event = { .fd = socket, .events = events };
	int ready;

	do {
		const long left = end - clock_milliseconds();

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

/* Waiting comes after trying: most of the time there is room, or something to hear. */
static int
send_all(int socket, struct iovec *parts, size_t count, long end, struct failure *why)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };

	while (message.msg_iovlen != 0) {
		ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent == -1 && !is_passing(errno))
			return failure_errno(why, FAILURE_INTERNAL, "tell the other process");
		if (sent == -1 && wait_for(socket, POLLOUT, end, why) == -1)
			return -1;
		for (; message.msg_iovlen != 0 && sent >= (ssize_t)message.msg_iov->iov_len;
		    message.msg_iov++, message.msg_iovlen--)
			sent -= (ssize_t)message.msg_iov->iov_len;
		if (message.msg_iovlen != 0 && sent > 0) {
			message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + sent;
			message.msg_iov->iov_len -= (size_t)sent;
		}
	}
	return 0;
}

static int
receive_all(int socket, char *bytes, size_t size, long end, struct failure *why)
{
	while (size != 0) {
		const ssize_t got = recv(socket, bytes, size, MSG_DONTWAIT);

		if (got == 0)
			return failure_set(why, FAILURE_INTERNAL, "the other process is gone");
		if (got == -1 && !is_passing(errno))
			return failure_errno(why, FAILURE_INTERNAL, "hear the other process");
		if (got == -1 && wait_for(socket, POLLIN, end, why) == -1)
			return -1;
		if (got > 0) {
			bytes += got;
			size -= (size_t)got;
		}
	}
	return 0;
}

int
frame_send(int socket, const struct frame *frame, long end, struct failure *why)
{
	struct head head = { (uint32_t)frame->bytes.size, frame->type };
	struct iovec parts[] = {
		{ &head, sizeof(head) }, { frame->bytes.bytes, frame->bytes.size },
	};

	if (frame->bytes.size > FRAME_BYTES_MOST)
		return failure_set(why, FAILURE_INTERNAL, "a frame of %zu bytes is too large",
		    frame->bytes.size);
	return send_all(socket, parts, 2, end, why);
}

int
frame_receive(int socket, struct frame *out_frame, long end, struct failure *why)
{
	struct head head;
	char *room;
	int result;

	if (receive_all(socket, (char *)&head, sizeof(head), end, why) == -1)
		return -1;
	if (head.size > FRAME_BYTES_MOST)
		return failure_set(why, FAILURE_INTERNAL, "a frame of %u bytes is too large", head.size);
	frame_begin(out_frame, head.type);
	room = memory_new(head.size + 1, 1);
	if ((result = receive_all(socket, room, head.size, end, why)) == 0)
		secret_set(&out_frame->bytes, room, head.size);
	explicit_bzero(room, head.size);
	free(room);
	return result;
}
