/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <curl/curl.h>

#include "clock.h"
#include "http.h"
#include "memory.h"
#include "url.h"
#include "version.h"

/* Connections to a server that speaks no HTTP/2, where each carries one request at a time. */
#define CONNECTIONS_MOST 8L
#define USER_AGENT "certlet/" PACKAGE_VERSION
/*
 * Milliseconds between two looks at what curl has. Not only at its sockets: it takes part of a TLS
 * record and leaves the rest in OpenSSL, of which a socket tells nothing.
 */
#define LOOK_LEAST 10L
#define LOOK_MOST 1000L
/* Past the time that curl, or we, should have seen to be over. */
#define SLACK_MILLISECONDS 250
#define SOCKETS_MOST 1024

/* One request on its way. The curl handle is used again for later ones. */
struct slot {
	CURL *easy;
	bool busy;
	size_t index;		/* of the request */
	struct curl_slist *headers, *connect_to;
	char *url;		/* with tls_server_name as its host; NULL: the request's own */
	struct secret body;
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

struct http {
	struct http_settings settings;
	CURLM *multi;
	struct slot slots[HTTP_IN_FLIGHT];
};

/* One call of http_run(). */
struct run {
	const struct http_request *requests;
	size_t count, next, in_flight;
	http_done *done;
	void *context;
	bool answered;		/* the host said something */
	bool over;		/* nothing more is to be tried, because of: */
	enum http_fate fate;
	char reason[CURL_ERROR_SIZE];
};

/* --- A clock that curl cannot keep us from --- */

/*
 * curl reads HTTP/2 until there is nothing to read: a server that sends frames of no stream faster
 * than that keeps it from its clock and from ours, and no callback is called. What ends it is that
 * its sockets are shut. A number that is no socket of curl's any more does no harm: while a run
 * lasts, nothing else here opens one.
 */
static volatile sig_atomic_t is_socket[SOCKETS_MOST], were_shut;

static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	const int file =
	    socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)context;
	(void)purpose;
	if (file >= 0 && file < SOCKETS_MOST)
		is_socket[file] = 1;
	return file;
}

static void
shut_sockets(int number)
{
	const int error = errno;

	(void)number;
	were_shut = 1;
	for (int file = 0; file < SOCKETS_MOST; file++)
		if (is_socket[file])
			(void)shutdown(file, SHUT_RDWR);
	errno = error;
}

/* And each second after it, since curl may connect anew. 0: never. */
static void
shut_sockets_after(long milliseconds)
{
	const struct itimerval clock = {
		.it_value = { milliseconds / 1000, milliseconds % 1000 * 1000 },
		.it_interval.tv_sec = 1,
	};

	(void)setitimer(ITIMER_REAL, &clock, NULL);
}

/* --- One request --- */

/* Our own nodes, since a header may hold the token: they are wiped, which curl's would not be. */
static void
add_line(struct curl_slist **list, char *take_line)
{
	struct curl_slist *node = memory_new(1, sizeof(*node));

	node->data = take_line;
	node->next = *list;
	*list = node;
}

static void
free_lines(struct curl_slist **list)
{
	while (*list != NULL) {
		struct curl_slist *node = *list;

		*list = node->next;
		explicit_bzero(node->data, strlen(node->data));
		free(node->data);
		free(node);
	}
}

static size_t
take_body(char *bytes, size_t one, size_t size, void *context)
{
	struct slot *slot = context;

	(void)one;
	if (size > HTTP_BODY_LIMIT_BYTES - slot->body.size) {
		slot->too_large = true;
		return 0;
	}
	secret_append(&slot->body, bytes, size);
	return size;
}

static void
use_blob(CURL *easy, CURLoption option, const struct secret *secret)
{
	struct curl_blob blob = { secret->bytes, secret->size, CURL_BLOB_NOCOPY };

	(void)curl_easy_setopt(easy, option, &blob);
}

static void
set_up_tls(CURL *easy, const struct http_settings *settings)
{
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (settings->ca->size != 0) {
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
		use_blob(easy, CURLOPT_CAINFO_BLOB, settings->ca);
	}
	if (settings->client_cert != NULL && settings->client_key != NULL) {
		use_blob(easy, CURLOPT_SSLCERT_BLOB, settings->client_cert);
		use_blob(easy, CURLOPT_SSLKEY_BLOB, settings->client_key);
	}
}

/* What is the same for all requests of a slot. */
static CURL *
new_easy(const struct http_settings *settings, struct slot *slot)
{
	CURL *easy = memory_must(curl_easy_init());

	set_up_tls(easy, settings);
	(void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, settings->timeout);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, USER_AGENT);
	/* Given even when empty: else curl asks the environment. */
	(void)curl_easy_setopt(easy, CURLOPT_PROXY, settings->proxy != NULL ? settings->proxy : "");
	(void)curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->error);
	(void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	return easy;
}

/* Ignored or blocked is how whoever started the program may have left it. */
static void
set_up_clock(void)
{
	const struct sigaction action = { .sa_handler = shut_sockets, .sa_flags = SA_RESTART };
	sigset_t alarm_alone;

	(void)sigemptyset(&alarm_alone);
	(void)sigaddset(&alarm_alone, SIGALRM);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &alarm_alone, NULL);
}

struct http *
http_new(const struct http_settings *settings, struct failure *why)
{
	struct http *http = memory_new(1, sizeof(*http));

	http->settings = *settings;
	set_up_clock();
	if (curl_global_init_mem(CURL_GLOBAL_SSL, memory_take, free, memory_retake, memory_text,
	    memory_new) != CURLE_OK) {
		free(http);
		(void)failure_set(why, FAILURE_INTERNAL, "libcurl cannot be initialised");
		return NULL;
	}
	if ((http->multi = curl_multi_init()) == NULL) {
		http_free(http);
		(void)failure_set(why, FAILURE_INTERNAL, "libcurl cannot be used");
		return NULL;
	}
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)HTTP_IN_FLIGHT);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_MOST);
	return http;
}

/*
 * The name in the certificate is another than the host's: the URL gets the name (for SNI and
 * verification), and the connection goes where the URL pointed.
 */
static void
use_server_name(struct slot *slot, const char *name, const char *location)
{
	struct url url;

	(void)curl_easy_setopt(slot->easy, CURLOPT_CONNECT_TO, NULL);
	if (name == NULL || !url_split(location, &url))
		return;
	if (url.https) {
		slot->url = url_with_host(location, name);
		add_line(&slot->connect_to, memory_format("::%s:%ld", url.host, url.port));
		(void)curl_easy_setopt(slot->easy, CURLOPT_CONNECT_TO, slot->connect_to);
	}
	url_clear(&url);
}

static void
set_headers(struct slot *slot, const struct http_request *request)
{
	add_line(&slot->headers, memory_text("X-Vault-Request: true"));
	if (request->namespace != NULL)
		add_line(&slot->headers,
		    memory_format("X-Vault-Namespace: %s", request->namespace));
	if (request->token != NULL)
		add_line(&slot->headers, memory_format("X-Vault-Token: %s", request->token->bytes));
	if (request->body != NULL) {
		add_line(&slot->headers, memory_text("Content-Type: application/json"));
		add_line(&slot->headers, memory_text("Expect:"));
	}
	(void)curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, slot->headers);
}

static void
set_method(CURL *easy, const struct http_request *request)
{
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	if (strcmp(request->method, "GET") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
		return;
	}
	(void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)(request->body != NULL ? request->body->size : 0));
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
	    request->body != NULL ? request->body->bytes : "");
	(void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void
give_up(struct run *run, enum http_fate fate, const char *reason)
{
	run->over = true;
	run->fate = fate;
	(void)snprintf(run->reason, sizeof(run->reason), "%s", reason);
}

static void
release(struct http *http, struct run *run, struct slot *slot)
{
	(void)curl_multi_remove_handle(http->multi, slot->easy);
	/* Nothing of the request may be left to a handle whose lines are freed. */
	(void)curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(slot->easy, CURLOPT_CONNECT_TO, NULL);
	free_lines(&slot->headers);
	free_lines(&slot->connect_to);
	free(slot->url);
	slot->url = NULL;
	secret_clear(&slot->body);
	slot->busy = false;
	run->in_flight--;
}

static void
start(struct http *http, struct run *run, struct slot *slot)
{
	const struct http_request *request = &run->requests[run->next];

	if (slot->easy == NULL)
		slot->easy = new_easy(&http->settings, slot);
	slot->busy = true;
	slot->index = run->next++;
	slot->too_large = false;
	slot->error[0] = '\0';
	run->in_flight++;
	set_headers(slot, request);
	set_method(slot->easy, request);
	use_server_name(slot, http->settings.tls_server_name, request->url);
	(void)curl_easy_setopt(slot->easy, CURLOPT_URL,
	    slot->url != NULL ? slot->url : request->url);
	(void)curl_easy_setopt(slot->easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
	(void)curl_easy_setopt(slot->easy, CURLOPT_FRESH_CONNECT, request->once ? 1L : 0L);
	(void)curl_multi_add_handle(http->multi, slot->easy);
}

static void
start_more(struct http *http, struct run *run)
{
	for (size_t i = 0; i < HTTP_IN_FLIGHT && run->next < run->count && !run->over; i++)
		if (!http->slots[i].busy)
			start(http, run, &http->slots[i]);
}

static bool
was_sent(CURL *easy)
{
	curl_off_t since = 0;

	(void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &since);
	return since > 0;
}

static enum http_fate
fate_of(const struct slot *slot, CURLcode code)
{
	if (code == CURLE_OK)
		return HTTP_ANSWERED;
	if (slot->too_large)
		return HTTP_TOO_LARGE;
	if (code == CURLE_PEER_FAILED_VERIFICATION)
		return HTTP_UNTRUSTED;
	return was_sent(slot->easy) ? HTTP_LOST : HTTP_UNREACHED;
}

static void
collect(struct http *http, struct run *run, struct slot *slot, CURLcode code)
{
	struct http_reply reply = { .fate = fate_of(slot, code) };
	char *location = NULL;
	curl_off_t retry_after = 0;

	(void)curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &reply.status);
	(void)curl_easy_getinfo(slot->easy, CURLINFO_REDIRECT_URL, &location);
	(void)curl_easy_getinfo(slot->easy, CURLINFO_RETRY_AFTER, &retry_after);
	reply.retry_after = (long)retry_after;
	reply.location = location;
	reply.reason = were_shut ? "there is no end to what it sends" :
	    slot->error[0] != '\0' ? slot->error : curl_easy_strerror(code);
	if (reply.fate == HTTP_ANSWERED || reply.fate == HTTP_TOO_LARGE)
		run->answered = true;
	else if (!run->answered && !run->over)
		give_up(run, reply.fate, reply.reason);
	reply.body = slot->body;
	run->done(run->context, slot->index, &reply);
	release(http, run, slot);
}

static void
collect_all(struct http *http, struct run *run)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
		struct slot *slot = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		collect(http, run, slot, message->data.result);
	}
}

/* What is still on its way, or was never begun, fails for the reason that ended the run. */
static void
abandon(struct http *http, struct run *run)
{
	struct http_reply reply = { .reason = run->reason };

	for (size_t i = 0; i < HTTP_IN_FLIGHT; i++) {
		struct slot *slot = &http->slots[i];

		if (!slot->busy)
			continue;
		reply.fate = was_sent(slot->easy) ? HTTP_LOST : run->fate;
		run->done(run->context, slot->index, &reply);
		release(http, run, slot);
	}
	reply.fate = run->fate == HTTP_LOST ? HTTP_UNREACHED : run->fate;
	while (run->next < run->count)
		run->done(run->context, run->next++, &reply);
}

void
http_run(struct http *http, const struct http_request *requests, size_t count,
    long milliseconds, http_done *done, void *context)
{
	struct run run = { .requests = requests, .count = count, .done = done, .context = context };
	const long end = clock_milliseconds() + milliseconds, timeout = http->settings.timeout * 1000;
	long pause = LOOK_LEAST;
	int running, active = 0;

	were_shut = 0;
	start_more(http, &run);
	while (run.in_flight != 0 && !run.over) {
		const long left = end - clock_milliseconds();

		shut_sockets_after((left < 0 ? 0 : left < timeout ? left : timeout) +
		    SLACK_MILLISECONDS);
		(void)curl_multi_perform(http->multi, &running);
		shut_sockets_after(0);
		collect_all(http, &run);
		start_more(http, &run);
		if (left <= 0)
			give_up(&run, HTTP_UNREACHED, "the deadline is over");
		else if (run.in_flight != 0 && !run.over)
			(void)curl_multi_poll(http->multi, NULL, 0, (int)(left < pause ? left : pause),
			    &active);
		pause = active != 0 ? LOOK_LEAST : 2 * pause < LOOK_MOST ? 2 * pause : LOOK_MOST;
	}
	abandon(http, &run);
}

void
http_free(struct http *http)
{
	if (http == NULL)
		return;
	for (size_t i = 0; i < HTTP_IN_FLIGHT; i++)
		if (http->slots[i].easy != NULL)
			curl_easy_cleanup(http->slots[i].easy);
	if (http->multi != NULL)
		(void)curl_multi_cleanup(http->multi);
	free(http);
	curl_global_cleanup();
}
