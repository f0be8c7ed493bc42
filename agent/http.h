/* SPDX-License-Identifier: ISC */
/*
 * http: many requests at a time over one connection. The one file that knows curl, and the seam
 * where unit tests put canned replies.
 *
 * Follows no redirect, reads no environment, repeats nothing, logs nothing.
 */
#ifndef CERTLET_HTTP_H
#define CERTLET_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "secret.h"

#define HTTP_IN_FLIGHT 100
#define HTTP_BODY_LIMIT_BYTES (4L * 1024 * 1024)

/* Borrowed as long as the struct http lives. */
struct http_settings {
	long timeout;				/* seconds, of one request */
	const struct secret *ca;		/* PEM; empty: the system's roots */
	const struct secret *client_cert, *client_key;	/* NULL: none */
	const char *tls_server_name, *proxy;	/* NULL: none */
};

/* Borrowed as long as http_run() runs. */
struct http_request {
	const char *method;		/* "GET", "POST", "PUT" */
	const char *url;
	const char *unix_socket;	/* NULL: the host of the URL */
	const char *namespace;		/* NULL: none */
	const struct secret *token;	/* NULL: none */
	const struct secret *body;	/* JSON; NULL: none */
	bool once;			/* on a new connection: on an old one curl may send it twice */
};

enum http_fate {
	HTTP_ANSWERED,		/* status and body are there */
	HTTP_UNREACHED,		/* no connection: nothing of the request was sent */
	HTTP_UNTRUSTED,		/* the other side's certificate: nothing was sent */
	HTTP_LOST,		/* sent, in part at least, but no whole answer came */
	HTTP_TOO_LARGE,		/* the answer was over HTTP_BODY_LIMIT_BYTES and was dropped */
};

struct http_reply {
	enum http_fate fate;
	long status;
	struct secret body;
	long retry_after;	/* seconds; 0: not said */
	const char *location;	/* where a redirect points, absolute; NULL: nowhere */
	const char *reason;	/* why there is no answer */
};

/* Called once for each request, as soon as it is done; the reply is gone afterwards. */
typedef void http_done(void *context, size_t index, const struct http_reply *reply);

struct http *http_new(const struct http_settings *settings, struct failure *why);

/*
 * Runs all requests, which go to one host, for `milliseconds` at most. A failure before the host
 * has answered anything ends the run: the other requests would only wait for the same.
 */
void http_run(struct http *http, const struct http_request *requests, size_t count,
    long milliseconds, http_done *done, void *context);
void http_free(struct http *http);	/* NULL is allowed */

#endif
