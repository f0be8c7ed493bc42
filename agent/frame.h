/* SPDX-License-Identifier: ISC */
/*
 * frame: what parent and child say to each other: a length, a type, and fields one after the
 * other. Both are the same program on the same machine, so numbers are as the machine has them.
 *
 * A reader never goes past the end: a field that is not there, or is not what it should be, makes
 * the frame broken, every later field is nothing, and frame_ended() tells so once at the end.
 */
#ifndef CERTLET_FRAME_H
#define CERTLET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"
#include "secret.h"

#define FRAME_BYTES_MOST (6 * 1024 * 1024)

struct frame {
	uint32_t type;
	struct secret bytes;
	size_t at;	/* of the next field to be taken */
	bool broken;
};

void frame_begin(struct frame *frame, uint32_t type);	/* empty again, whatever was in it */
void frame_clear(struct frame *frame);

void frame_put_number(struct frame *frame, uint64_t number);
void frame_put_text(struct frame *frame, const char *text);	/* NULL counts as "" */
void frame_put_secret(struct frame *frame, const struct secret *secret);

/* 0 when it is over `most`. */
uint64_t frame_take_number(struct frame *frame, uint64_t most);
bool frame_take_flag(struct frame *frame);
/* Of `room` bytes at most, the closing NUL included; "" when broken. No NUL inside. */
void frame_take_line(struct frame *frame, char *text, size_t room);
char *frame_take_text(struct frame *frame, size_t most);	/* never NULL; caller frees */
void frame_take_secret(struct frame *frame, size_t most, struct secret *out_secret);
void frame_break(struct frame *frame);	/* the caller does not like what it took */
bool frame_ended(const struct frame *frame);	/* all was taken, nothing was broken */

/*
 * One end of a stream socket. What is sent waits for channel_flush(), or until much of it has come
 * together: a hundred small frames are one system call.
 */
struct channel {
	int socket;
	struct secret out;	/* not sent yet */
	struct secret in;	/* received, and from `at` to `end` not taken yet */
	size_t at, end;
};

void channel_open(struct channel *channel, int take_socket);
void channel_close(struct channel *channel);	/* what was not flushed is not sent */

/*
 * Until `until` (clock_milliseconds()). -1 with FAILURE_INTERNAL: the other side is gone, or is
 * silent, or sent more than FRAME_BYTES_MOST. *out_frame is overwritten.
 */
int channel_send(struct channel *channel, const struct frame *frame, long until,
    struct failure *why);
int channel_flush(struct channel *channel, long until, struct failure *why);
int channel_receive(struct channel *channel, struct frame *out_frame, long until,
    struct failure *why);

#endif
