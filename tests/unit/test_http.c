/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http.c"
#include "support/runner.h"

#define MOST 300
#define SILENCE ((size_t)-1)	/* instead of junk: the connection stays open */
#define ENOUGH 60000L		/* milliseconds, for what is to end by itself, also in valgrind */
#define MOMENT 3000L		/* time to connect in, also in valgrind, and little beside that */

/* A server that answers one connection after the other with the same bytes, in a child. */
static pid_t server;
static char url[64];
static const struct secret none;
static struct http_settings settings = { .timeout = ENOUGH / 1000, .ca = &none };
static struct http *http;
static struct http_request requests[MOST];
static struct failure why;

static enum http_fate fates[MOST];
static struct http_reply last;
static char last_body[256], last_location[256], last_reason[256];
static size_t done_count;

static int
listen_somewhere(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listener, 200), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/x", ntohs(address.sin_port));
	return listener;
}

static void
serve(int listener, const char *answer, size_t junk)
{
	static char request[65536], block[65536];

	for (;;) {
		const int client = accept(listener, NULL, NULL);

		if (read(client, request, sizeof(request)) > 0) {
			(void)!write(client, answer, strlen(answer));
			if (junk == SILENCE)
				(void)pause();
			for (; junk > sizeof(block) && write(client, block, sizeof(block)) > 0; junk -= sizeof(block))
				continue;
		}
		close(client);
	}
}

static void
start_server(const char *answer, size_t junk)
{
	const int listener = listen_somewhere();

	if ((server = fork()) == 0) {
		(void)signal(SIGPIPE, SIG_IGN);
		serve(listener, answer, junk);
	}
	close(listener);
}

static void
stop_server(void)
{
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
}

/* Whoever starts a program may have blocked the signal of the clock. */
static void
set_up(void)
{
	sigset_t clock_signal;

	(void)sigemptyset(&clock_signal);
	(void)sigaddset(&clock_signal, SIGALRM);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &clock_signal, NULL), 0);
	http = http_new(&settings, &why);
	for (size_t i = 0; i < MOST; i++)
		requests[i] = (struct http_request){ .method = "GET", .url = url };
}

static void
tear_down(void)
{
	if (server > 0)
		stop_server();
	http_free(http);
}

static void
note(void *context, size_t index, const struct http_reply *reply)
{
	(void)context;
	fates[index] = reply->fate;
	last = *reply;
	(void)snprintf(last_body, sizeof(last_body), "%.200s", reply->body.size != 0 ? reply->body.bytes : "");
	(void)snprintf(last_location, sizeof(last_location), "%s",
	    reply->location != NULL ? reply->location : "");
	(void)snprintf(last_reason, sizeof(last_reason), "%s", reply->reason != NULL ? reply->reason : "");
	done_count++;
}

static void
run(size_t count, long milliseconds)
{
	http_run(http, requests, count, milliseconds, note, NULL);
	ck_assert_uint_eq(done_count, count);
	done_count = 0;
}

START_TEST(an_answer_comes_with_status_body_and_headers)
{
	start_server("HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nhello", 0);
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	ck_assert_int_eq(last.status, 429);
	ck_assert_int_eq(last.retry_after, 7);
	ck_assert_str_eq(last_body, "hello");
}
END_TEST

START_TEST(a_redirect_is_told_and_not_followed)
{
	start_server("HTTP/1.1 307 There\r\nLocation: /v1/y\r\nContent-Length: 0\r\n\r\n", 0);
	run(1, ENOUGH);
	ck_assert_int_eq(last.status, 307);
	ck_assert_ptr_nonnull(strstr(last_location, "/v1/y"));
	ck_assert_ptr_eq(strstr(last_location, "http://127.0.0.1:"), last_location);
}
END_TEST

START_TEST(more_requests_than_may_be_in_flight_are_all_done)
{
	start_server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0);
	run(MOST, ENOUGH);
	for (size_t i = 0; i < MOST; i++)
		ck_assert_int_eq(fates[i], HTTP_ANSWERED);
	run(MOST, ENOUGH);
}
END_TEST

START_TEST(a_host_that_nobody_answers_for_ends_the_run_for_all)
{
	close(listen_somewhere());
	run(MOST, ENOUGH);
	for (size_t i = 0; i < MOST; i++)
		ck_assert_int_eq(fates[i], HTTP_UNREACHED);
	ck_assert_str_ne(last_reason, "");
}
END_TEST

START_TEST(a_connection_that_ends_without_an_answer_is_lost)
{
	start_server("", 0);
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_LOST);
}
END_TEST

START_TEST(a_body_that_is_cut_short_is_lost)
{
	start_server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", 0);
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_LOST);
}
END_TEST

START_TEST(a_body_over_the_limit_is_dropped)
{
	start_server("HTTP/1.1 200 OK\r\n\r\n", 8 << 20);
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_TOO_LARGE);
	ck_assert_uint_le(last.body.size, HTTP_BODY_LIMIT_BYTES);
}
END_TEST

START_TEST(a_silent_host_is_waited_for_no_longer_than_told)
{
	const int listener = listen_somewhere();
	const long start = clock_milliseconds();

	run(5, MOMENT);
	ck_assert_int_lt(clock_milliseconds() - start, ENOUGH / 3);
	ck_assert_int_eq(fates[0], HTTP_LOST);
	close(listener);
}
END_TEST

/* What curl does as long as there is something to read. */
static size_t
do_not_return(char *bytes, size_t one, size_t size, void *context)
{
	const long end = clock_milliseconds() + ENOUGH / 2;
	char byte;

	(void)bytes;
	(void)one;
	(void)context;
	for (int file = 0; clock_milliseconds() < end; file = (file + 1) % SOCKETS_MOST)
		if (is_socket[file] && recv(file, &byte, 1, MSG_DONTWAIT) == 0)
			return size;
	return 0;
}

START_TEST(curl_that_does_not_return_is_stopped_when_the_time_is_over)
{
	long start;

	start_server("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", 0);
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	stop_server();
	start_server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", SILENCE);
	(void)curl_easy_setopt(http->slots[0].easy, CURLOPT_WRITEFUNCTION, do_not_return);
	start = clock_milliseconds();
	run(1, MOMENT);
	ck_assert_int_lt(clock_milliseconds() - start, ENOUGH / 3);
	ck_assert_int_eq(last.fate, HTTP_LOST);
	ck_assert_ptr_nonnull(strstr(last_reason, "no end"));
}
END_TEST

START_TEST(environment_and_other_protocols_are_not_obeyed)
{
	ck_assert_int_eq(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
	start_server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0);
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_ANSWERED);
	requests[0].url = "file:///etc/passwd";
	run(1, ENOUGH);
	ck_assert_int_eq(last.fate, HTTP_UNREACHED);
}
END_TEST

START_TEST(lines_are_put_together_and_freed)
{
	struct secret token = { 0 };
	struct slot slot = { .easy = curl_easy_init() };
	const struct http_request request = { .method = "POST", .namespace = "team", .token = &token,
	    .body = &none };

	secret_set(&token, "hvb.x", 5);
	set_headers(&slot, &request);
	ck_assert_str_eq(slot.headers->next->next->data, "X-Vault-Token: hvb.x");
	ck_assert_str_eq(slot.headers->next->next->next->data, "X-Vault-Namespace: team");
	free_lines(&slot.headers);
	ck_assert_ptr_null(slot.headers);
	curl_easy_cleanup(slot.easy);
	secret_clear(&token);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("http");

	tcase_set_timeout(tests, 2 * ENOUGH / 1000);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_answer_comes_with_status_body_and_headers);
	tcase_add_test(tests, a_redirect_is_told_and_not_followed);
	tcase_add_test(tests, more_requests_than_may_be_in_flight_are_all_done);
	tcase_add_test(tests, a_host_that_nobody_answers_for_ends_the_run_for_all);
	tcase_add_test(tests, a_connection_that_ends_without_an_answer_is_lost);
	tcase_add_test(tests, a_body_that_is_cut_short_is_lost);
	tcase_add_test(tests, a_body_over_the_limit_is_dropped);
	tcase_add_test(tests, a_silent_host_is_waited_for_no_longer_than_told);
	tcase_add_test(tests, curl_that_does_not_return_is_stopped_when_the_time_is_over);
	tcase_add_test(tests, environment_and_other_protocols_are_not_obeyed);
	tcase_add_test(tests, lines_are_put_together_and_freed);
	return run_tests("http", tests);
}
