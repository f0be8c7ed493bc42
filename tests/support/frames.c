/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into certlet: counts the frames that its children send to it, and does to one of them what the file named by
 * CERTLET_FRAMES says (tests/support/preload.py knows its layout). The children have the file through the memory they inherit.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROWS 256
#define HEAD_BYTES 8	/* size and type, 4 bytes each: agent/frame.c */
#define ROOM 4096	/* for what is appended */

enum what { NOTHING, KILL, STOP, EXIT, DROP, REPEAT, SWAP, CUT, PAD, LENGTH, FLIP, SET };

static struct {
	int64_t number;		/* of the frame, from 1 */
	int64_t what;
	int64_t place;		/* where in the frame, or how many bytes */
	uint64_t value;
	int64_t count;		/* of frames so far */
	int64_t done;
	int64_t sizes[ROWS];	/* with the head */
	int64_t types[ROWS];	/* 0: of verify's, which has none */
} *plan;

static pid_t started;
static char *held;	/* by SWAP */
static size_t held_size;

__attribute__((constructor)) static void
begin(void)
{
	const char *name = getenv("CERTLET_FRAMES");
	const int file = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *memory = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	if (memory == MAP_FAILED)
		abort();
	plan = memory;
	started = getpid();
	(void)close(file);
}

static void
write_all(int socket, const char *bytes, size_t size)
{
	while (size != 0) {
		const long sent = syscall(SYS_sendto, socket, bytes, size, MSG_NOSIGNAL, NULL, 0);

		if (sent <= 0)
			_exit(0);	/* it is gone: what its child says now is nobody's matter */
		bytes += sent;
		size -= (size_t)sent;
	}
}

static void
end(int how)
{
	if (how == EXIT)
		_exit(0);
	(void)raise(how == KILL ? SIGKILL : SIGSTOP);
}

/* `frame` has ROOM bytes more than `size`. */
static void
garble(int socket, char *frame, size_t size)
{
	const size_t place = (size_t)plan->place;
	uint32_t length;

	plan->done++;
	switch ((enum what)plan->what) {
	case KILL: case STOP: case EXIT:
		end((int)plan->what);
		break;
	case DROP:
		return;
	case REPEAT:
		write_all(socket, frame, size);
		break;
	case SWAP:
		held = frame;
		held_size = size;
		return;
	case CUT:
		write_all(socket, frame, place < size ? place : size);
		end(EXIT);
		break;
	case PAD:
		memset(frame + size, 0, place);
		memcpy(&length, frame, sizeof(length));
		length += (uint32_t)place;
		if (plan->value != 0)
			memcpy(frame, &length, sizeof(length));
		size += place;
		break;
	case LENGTH:
		length = (uint32_t)plan->value;
		memcpy(frame, &length, sizeof(length));
		break;
	case FLIP:
		frame[place % size] ^= (char)plan->value;
		break;
	case SET:
		if (place + sizeof(plan->value) <= size)
			memcpy(frame + place, &plan->value, sizeof(plan->value));
		break;
	case NOTHING:
		break;
	}
	write_all(socket, frame, size);
}

static void
pass_on(int socket, const char *bytes, size_t size, uint32_t type)
{
	const int64_t number = ++plan->count;
	char *frame = malloc(size + ROOM);

	if (frame == NULL)
		abort();
	memcpy(frame, bytes, size);
	if (number <= ROWS) {
		plan->sizes[number - 1] = (int64_t)size;
		plan->types[number - 1] = type;
	}
	if (number == plan->number)
		garble(socket, frame, size);
	else
		write_all(socket, frame, size);
	if (held != NULL && held != frame) {
		write_all(socket, held, held_size);
		held = NULL;
	}
}

static int
option(int socket, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	(void)getsockopt(socket, SOL_SOCKET, name, &value, &size);
	return value;
}

ssize_t
send(int socket, const void *bytes, size_t size, int flags)
{
	const char *at = bytes;
	size_t left = size;

	if (getpid() == started || option(socket, SO_DOMAIN) != AF_UNIX)
		return syscall(SYS_sendto, socket, bytes, size, flags, NULL, 0);
	if (option(socket, SO_TYPE) == SOCK_SEQPACKET) {
		pass_on(socket, bytes, size, 0);
		return (ssize_t)size;
	}
	while (left != 0) {
		uint32_t head[2];

		memcpy(head, at, sizeof(head));
		pass_on(socket, at, HEAD_BYTES + head[0], head[1]);
		at += HEAD_BYTES + head[0];
		left -= HEAD_BYTES + head[0];
	}
	return (ssize_t)size;
}
