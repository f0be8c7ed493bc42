/* SPDX-License-Identifier: ISC */
/*
 * fake_http: the functions of http.h, with replies from a list instead of a network. A request takes
 * the first reply that was not used yet and whose part of a URL it contains; one without is a failed test.
 */
#ifndef CERTLET_FAKE_HTTP_H
#define CERTLET_FAKE_HTTP_H

#include <check.h>
#include <string.h>

#include "http.h"
#include "memory.h"

#define FAKE_HTTP_MOST 4096

struct fake_reply {
	const char *part;	/* NULL: any URL */
	enum http_fate fate;
	long status, retry_after;
	const char *body, *location;
	bool used;
};

struct fake_request {
	char *method, *url, *unix_socket, *namespace, *token, *body;
	bool once;
};

static struct {
	struct fake_reply replies[FAKE_HTTP_MOST];
	struct fake_request requests[FAKE_HTTP_MOST];
	size_t reply_count, request_count;
	struct http_settings settings;
} fake_http;

static inline struct fake_reply *
fake_http_reply(const char *part, long status, const char *body)
{
	struct fake_reply *reply = &fake_http.replies[fake_http.reply_count++];

	ck_assert_uint_le(fake_http.reply_count, FAKE_HTTP_MOST);
	*reply = (struct fake_reply){ .part = part, .status = status, .body = body };
	return reply;
}

static inline void
fake_http_fail(const char *part, enum http_fate fate)
{
	fake_http_reply(part, 0, NULL)->fate = fate;
}

/* Of the requests whose URL contains `part` (NULL: all). */
static inline size_t
fake_http_count(const char *part)
{
	size_t count = 0;

	for (size_t i = 0; i < fake_http.request_count; i++)
		if (part == NULL || strstr(fake_http.requests[i].url, part) != NULL)
			count++;
	return count;
}

static inline const struct fake_request *
fake_http_request(size_t index)
{
	ck_assert_uint_lt(index, fake_http.request_count);
	return &fake_http.requests[index];
}

static void
fake_note(const struct http_request *request)
{
	struct fake_request *noted = &fake_http.requests[fake_http.request_count++];

	ck_assert_uint_le(fake_http.request_count, FAKE_HTTP_MOST);
	*noted = (struct fake_request){
		.method = memory_text(request->method),
		.url = memory_text(request->url),
		.unix_socket = memory_text(request->unix_socket),
		.namespace = memory_text(request->namespace),
		.token = memory_text(request->token != NULL ? request->token->bytes : NULL),
		.body = memory_text(request->body != NULL ? request->body->bytes : NULL),
		.once = request->once,
	};
}

static struct fake_reply *
fake_find(const char *url)
{
	for (size_t i = 0; i < fake_http.reply_count; i++) {
		struct fake_reply *reply = &fake_http.replies[i];

		if (!reply->used && (reply->part == NULL || strstr(url, reply->part) != NULL))
			return reply;
	}
	ck_abort_msg("no reply is left for %s", url);
	return NULL;
}

struct http *
http_new(const struct http_settings *settings, struct failure *why)
{
	(void)why;
	fake_http.settings = *settings;
	return memory_new(1, 1);
}

void
http_run(struct http *http, const struct http_request *requests, size_t count, long milliseconds,
    http_done *done, void *context)
{
	(void)http;
	(void)milliseconds;
	for (size_t i = 0; i < count; i++) {
		struct http_reply reply = { .reason = "it is a test" };
		struct fake_reply *fake;

		fake_note(&requests[i]);
		fake = fake_find(requests[i].url);
		fake->used = true;
		reply.fate = fake->fate;
		reply.status = fake->status;
		reply.retry_after = fake->retry_after;
		reply.location = fake->location;
		if (fake->body != NULL)
			secret_set(&reply.body, fake->body, strlen(fake->body));
		done(context, i, &reply);
		secret_clear(&reply.body);
	}
}

void
http_free(struct http *http)
{
	free(http);
}

#endif
