/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fetch.h"
#include "frame.h"
#include "inquiry.h"
#include "memory.h"
#include "sandbox.h"
#include "unwrap.h"
#include "url.h"
#include "wire.h"

/* Past `deadline`, for what the child does after the last word of Vault's. */
#define GRACE_MILLISECONDS 10000
/* Answers that wait while this side writes to disk: about a hundred certificates. */
#define SOCKET_BUFFER_BYTES (1024 * 1024)

struct fetch {
	struct channel socket;
	pid_t child;
	size_t entry_count, address_count;
	bool *asked;	/* by entry: put, and without an answer */
	long deadline;	/* in milliseconds */
	long end;	/* when the child has to be done; 0: it was not told to begin */
	struct frame frame;
};

/* --- The child --- */

/* How it ended, by its own doing or by ours. */
static int
reap(pid_t child)
{
	int status = 0;

	(void)kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		continue;
	return status;
}

/* `notes` NULL: there is a token to be unwrapped, and nothing to be asked. */
static void
inside(int socket, const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, const struct notes *notes)
{
	const struct vault_settings *vault = &manifest->vault;
	struct sandbox_ports ports = { 0 };

	for (size_t i = 0; i < vault->addresses.count; i++)
		sandbox_allow_port(&ports, url_port(vault->addresses.items[i]));
	if (vault->proxy != NULL)
		sandbox_allow_port(&ports, url_port(vault->proxy));
	sandbox_enter(sandbox, socket, &ports);
	sandbox_ports_clear(&ports);
	if (notes != NULL)
		inquiry_run(socket, manifest, credentials, notes);
	unwrap_run(socket, manifest, credentials);
}

int
fetch_start(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, const struct notes *notes, struct fetch **out_fetch,
    struct failure *why)
{
	const int buffer = SOCKET_BUFFER_BYTES;
	struct fetch *fetch;
	int sockets[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == -1)
		return failure_errno(why, FAILURE_INTERNAL, "make a socket for the fetch process");
	/* What root may; else the system's limit has to do. */
	(void)setsockopt(sockets[1], SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer));
	if ((child = fork()) == -1) {
		(void)failure_errno(why, FAILURE_INTERNAL, "start the fetch process");
		close(sockets[0]);
		close(sockets[1]);
		return -1;
	}
	if (child == 0)
		inside(sockets[1], manifest, sandbox, credentials, notes);
	close(sockets[1]);
	fetch = memory_new(1, sizeof(*fetch));
	channel_open(&fetch->socket, sockets[0]);
	fetch->child = child;
	fetch->entry_count = manifest->entry_count;
	fetch->address_count = manifest->vault.addresses.count;
	fetch->asked = memory_new(manifest->entry_count, sizeof(*fetch->asked));
	fetch->deadline = manifest->vault.deadline * 1000 + GRACE_MILLISECONDS;
	*out_fetch = fetch;
	return 0;
}

void
fetch_free(struct fetch *fetch)
{
	if (fetch == NULL)
		return;
	if (fetch->child > 0)
		(void)reap(fetch->child);
	channel_close(&fetch->socket);
	frame_clear(&fetch->frame);
	free(fetch->asked);
	free(fetch);
}

/* --- Questions --- */

static int
send_frame(struct fetch *fetch, bool at_once, struct failure *why)
{
	const long until = clock_milliseconds() + GRACE_MILLISECONDS;

	if (channel_send(&fetch->socket, &fetch->frame, until, why) == -1 ||
	    (at_once && channel_flush(&fetch->socket, until, why) == -1))
		return failure_prefix(why, "the fetch process");
	frame_clear(&fetch->frame);
	return 0;
}

int
fetch_ask(struct fetch *fetch, const struct question *question, struct failure *why)
{
	fetch->asked[question->entry] = true;
	wire_put_question(&fetch->frame, question);
	return send_frame(fetch, false, why);
}

int
fetch_go(struct fetch *fetch, struct failure *why)
{
	fetch->end = clock_milliseconds() + fetch->deadline;
	frame_begin(&fetch->frame, WIRE_GO);
	return send_frame(fetch, true, why);
}

/* --- Answers --- */

static enum fetch_event
fail_nonsense(struct failure *why, const char *what)
{
	(void)failure_set(why, FAILURE_INTERNAL, "the fetch process sent %s that makes no sense",
	    what);
	return FETCH_BROKEN;
}

/* The child hung up or went silent: what became of it says more than that. */
static enum fetch_event
fail_child(struct fetch *fetch, struct failure *why)
{
	const int status = reap(fetch->child);

	fetch->child = -1;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		(void)failure_set(why, FAILURE_INTERNAL, "the fetch process crashed with signal %d",
		    WTERMSIG(status));
	else
		(void)failure_prefix(why, "the fetch process");
	why->kind = FAILURE_INTERNAL;
	return FETCH_BROKEN;
}

/* Only Vault's being away excuses it. */
static bool
left_answers_out(const struct fetch *fetch, const struct fetch_summary *summary)
{
	if (summary->away.kind != FAILURE_NONE)
		return false;
	for (size_t i = 0; i < fetch->entry_count; i++)
		if (fetch->asked[i])
			return true;
	return false;
}

static enum fetch_event
take_summary(struct fetch *fetch, struct fetch_summary *out_summary, struct failure *why)
{
	if (!wire_take_summary(&fetch->frame, fetch->address_count, out_summary))
		return fail_nonsense(why, "a summary");
	if (!left_answers_out(fetch, out_summary))
		return FETCH_END;
	fetch_summary_clear(out_summary);
	return fail_nonsense(why, "a summary before all answers");
}

enum fetch_event
fetch_next(struct fetch *fetch, struct answer *out_answer, struct fetch_summary *out_summary,
    struct failure *why)
{
	if (channel_receive(&fetch->socket, &fetch->frame, fetch->end, why) == -1)
		return fail_child(fetch, why);
	if (fetch->frame.type == WIRE_SUMMARY)
		return take_summary(fetch, out_summary, why);
	if (!wire_take_answer(&fetch->frame, out_answer))
		return fail_nonsense(why, "an answer");
	if (out_answer->entry >= fetch->entry_count || !fetch->asked[out_answer->entry]) {
		answer_clear(out_answer);
		return fail_nonsense(why, "an answer to no question");
	}
	fetch->asked[out_answer->entry] = false;
	return FETCH_ANSWER;
}

/* --- A secret-id --- */

int
fetch_unwrap(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, struct unwrapped *out_unwrapped, struct failure *why)
{
	struct fetch *fetch;
	int result = -1;

	if (fetch_start(manifest, sandbox, credentials, /* notes= */ NULL, &fetch, why) == -1)
		return -1;
	fetch->end = clock_milliseconds() + fetch->deadline;
	if (channel_receive(&fetch->socket, &fetch->frame, fetch->end, why) == -1)
		(void)fail_child(fetch, why);
	else if (!wire_take_unwrapped(&fetch->frame, out_unwrapped))
		(void)fail_nonsense(why, "a secret-id");
	else
		result = 0;
	fetch_free(fetch);
	return result;
}
