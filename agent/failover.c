/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "address.h"
#include "clock.h"
#include "complaint.h"
#include "failover.h"
#include "http.h"
#include "memory.h"
#include "verdict.h"

#define ROUNDS 3

struct failover {
	const struct credentials *credentials;
	struct http *http;
	struct address_list addresses;
	size_t preferred;
	int32_t answered;
	uint32_t requests;
	long end;		/* of the whole talk, in milliseconds of the monotonic clock */
};

/* Asks that go to one address together; an ask that is redirected goes into a wave of its own. */
struct wave {
	struct target {
		size_t index;	/* of the ask */
		char *url;
	} *targets;
	size_t count;
};

/* One call of failover_ask(). */
struct talk {
	struct failover *failover;
	const struct vault_ask *asks;
	struct verdict_secrets secrets;	/* the token too, that goes with each ask */
	vault_done *done;
	void *context;
	struct address *address;	/* that is being asked */
	struct wave *asked;		/* of it */
	struct wave redirected, left;	/* by it; without an answer */
	bool is_hop, last_try;
	/* Of the present round: */
	bool answered;		/* something was */
	bool hopeful;		/* something failed that may pass with time */
	long retry_after;	/* seconds; the longest that was asked for */
	struct failure lost;	/* an ask that must not be repeated got no answer */
};

static struct http *
open_http(const struct vault_settings *settings, const struct credentials *credentials,
    struct failure *why)
{
	const bool by_certificate = settings->auth == AUTH_CERT;
	const struct http_settings http = {
		.timeout = settings->timeout,
		.ca = &credentials->ca,
		.client_cert = by_certificate ? &credentials->client_cert : NULL,
		.client_key = by_certificate ? &credentials->client_key : NULL,
		.tls_server_name = settings->tls_server_name,
		.proxy = settings->proxy,
	};

	return http_new(&http, why);
}

struct failover *
failover_new(const struct vault_settings *settings, const struct credentials *credentials,
    struct failure *why)
{
	struct http *http = open_http(settings, credentials, why);
	struct failover *failover;

	if (http == NULL)
		return NULL;
	failover = memory_new(1, sizeof(*failover));
	failover->http = http;
	failover->credentials = credentials;
	address_list_read(&settings->addresses, &failover->addresses);
	failover->answered = -1;
	failover->end = clock_milliseconds() + settings->deadline * 1000;
	return failover;
}

void
failover_free(struct failover *failover)
{
	address_list_clear(&failover->addresses);
	http_free(failover->http);
	free(failover);
}

/* --- Waves --- */

static void
wave_add(struct wave *wave, size_t index, const char *url)
{
	wave->targets = memory_grow(wave->targets, wave->count + 1, sizeof(*wave->targets));
	wave->targets[wave->count++] = (struct target){ index, memory_text(url) };
}

static void
wave_clear(struct wave *wave)
{
	for (size_t i = 0; i < wave->count; i++)
		free(wave->targets[i].url);
	free(wave->targets);
	*wave = (struct wave){ 0 };
}

/* --- Replies --- */

/* A URL that a server gave, as fit for a log as its words: it may repeat a token. */
static void
show_url(const struct talk *talk, const char *url, char text[COMPLAINT_BYTES])
{
	struct secret bytes = { 0 };

	secret_set(&bytes, url, strlen(url));
	complaint_make(NULL, &bytes, talk->secrets.credentials, talk->secrets.token, text);
	secret_clear(&bytes);
}

static void
deliver(struct talk *talk, const struct target *target, const struct http_reply *reply,
    const json_t *json)
{
	struct failover *failover = talk->failover;
	char shown[COMPLAINT_BYTES];
	struct vault_reply answer;

	verdict_answer(&talk->asks[target->index], reply, json, &talk->secrets, &answer);
	if (!answer.good) {
		show_url(talk, target->url, shown);
		(void)failure_prefix(&answer.why, "%s", talk->is_hop ? shown : talk->address->text);
	}
	talk->answered = true;
	failover->answered = (int32_t)(talk->address - failover->addresses.items);
	talk->done(talk->context, target->index, &answer);
}

/* One redirect, and by hand: curl would take the token to any host, at any number of them. */
static void
follow(struct talk *talk, const struct target *target, const struct http_reply *reply)
{
	const char *wrong = talk->is_hop ? "it is the second one" :
	    address_judge_redirect(&talk->failover->addresses, target->url, reply->location);
	char shown[COMPLAINT_BYTES];
	struct failure why;

	if (wrong == NULL) {
		wave_add(&talk->redirected, target->index, reply->location);
		return;
	}
	show_url(talk, reply->location != NULL ? reply->location : "nowhere", shown);
	(void)failure_set(&why, FAILURE_VAULT, "a redirect to %.300s is not followed: %s", shown,
	    wrong);
	address_complain(talk->address, why.text);
	wave_add(&talk->left, target->index, NULL);
}

static void
ask_again(struct talk *talk, const struct target *target, const struct http_reply *reply,
    const json_t *json)
{
	struct failure why;

	verdict_describe(&talk->asks[target->index], reply, json, &talk->secrets, &why);
	address_complain(talk->address, why.text);
	wave_add(&talk->left, target->index, NULL);
	if (reply->fate != HTTP_UNTRUSTED)
		talk->hopeful = true;
	if (reply->retry_after > talk->retry_after)
		talk->retry_after = reply->retry_after;
}

static void
lose(struct talk *talk, const struct target *target, const struct http_reply *reply,
    const json_t *json)
{
	verdict_describe(&talk->asks[target->index], reply, json, &talk->secrets, &talk->lost);
	(void)failure_prefix(&talk->lost, "%s: it may have been carried out and is not repeated",
	    talk->address->text);
}

static void
take_reply(void *context, size_t index, const struct http_reply *reply)
{
	struct talk *talk = context;
	const struct target *target = &talk->asked->targets[index];
	json_t *json = NULL;

	if (reply->fate != HTTP_UNREACHED && reply->fate != HTTP_UNTRUSTED)
		talk->failover->requests++;
	if (reply->fate == HTTP_ANSWERED && reply->body.size != 0)
		json = json_loadb(reply->body.bytes, reply->body.size, 0, NULL);
	switch (verdict_make(&talk->asks[target->index], reply, json, talk->last_try)) {
	case VERDICT_ANSWER:
		deliver(talk, target, reply, json);
		break;
	case VERDICT_REDIRECT:
		follow(talk, target, reply);
		break;
	case VERDICT_AGAIN:
		ask_again(talk, target, reply, json);
		break;
	case VERDICT_LOST:
		lose(talk, target, reply, json);
		break;
	}
	json_decref(json);
}

/* --- Rounds --- */

static void
run_wave(struct talk *talk, struct wave *wave, bool is_hop)
{
	struct http_request *requests = memory_new(wave->count, sizeof(*requests));
	const long left = talk->failover->end - clock_milliseconds();

	for (size_t i = 0; i < wave->count; i++) {
		const struct vault_ask *ask = &talk->asks[wave->targets[i].index];

		requests[i] = (struct http_request){
			.method = ask->method,
			.url = wave->targets[i].url,
			.unix_socket = is_hop ? NULL : talk->address->unix_socket,
			.namespace = ask->namespace,
			.token = talk->secrets.token,
			.body = ask->body,
			.once = ask->once,
		};
	}
	talk->asked = wave;
	talk->is_hop = is_hop;
	http_run(talk->failover->http, requests, wave->count, left > 0 ? left : 0, take_reply,
	    talk);
	free(requests);
}

/* Asks one address for what `waiting` holds; what stays without an answer is left in it. */
static void
try_address(struct talk *talk, struct address *address, struct wave *waiting)
{
	talk->address = address;
	address_complain(address, NULL);
	for (size_t i = 0; i < waiting->count; i++) {
		struct target *target = &waiting->targets[i];

		free(target->url);
		target->url = address_url(address, &talk->asks[target->index]);
	}
	run_wave(talk, waiting, false);
	if (talk->redirected.count != 0)
		run_wave(talk, &talk->redirected, true);
	wave_clear(&talk->redirected);
	wave_clear(waiting);
	*waiting = talk->left;
	talk->left = (struct wave){ 0 };
}

static void
try_addresses(struct talk *talk, struct wave *waiting, bool last_round)
{
	struct failover *failover = talk->failover;
	const size_t first = failover->preferred;

	talk->answered = talk->hopeful = false;
	talk->retry_after = 0;
	for (size_t i = 0; i < failover->addresses.count && waiting->count != 0; i++) {
		const size_t at = (first + i) % failover->addresses.count;

		talk->last_try = last_round && i + 1 == failover->addresses.count;
		try_address(talk, &failover->addresses.items[at], waiting);
		if (failover->answered == (int32_t)at)
			failover->preferred = at;
	}
}

/* Half as long again at most, so that a thousand servers do not come back in one moment. */
static long
with_jitter(long milliseconds)
{
	uint32_t chance = 0;

	(void)!getrandom(&chance, sizeof(chance), 0);
	return milliseconds + (long)(chance % (uint32_t)(milliseconds / 2 + 1));
}

/* False when the pause would not end within `deadline`. */
static bool
pause_before_next(const struct talk *talk, int seconds)
{
	const long least = talk->retry_after > seconds ? talk->retry_after : seconds;
	long pause;
	struct timespec left;

	if (least > (talk->failover->end - clock_milliseconds()) / 1000)
		return false;
	pause = with_jitter(least * 1000);
	left = (struct timespec){ pause / 1000, (pause % 1000) * 1000000L };
	while (nanosleep(&left, &left) == -1)
		;
	return true;
}

static int
fail_away(const struct failover *failover, struct failure *why)
{
	char text[FAILURE_TEXT_BYTES] = "";
	size_t length = 0;

	for (size_t i = 0; i < failover->addresses.count && length < sizeof(text); i++) {
		const struct address *address = &failover->addresses.items[i];

		if (address->complaint != NULL)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s: %s",
			    length != 0 ? "; " : "", address->text, address->complaint);
	}
	return failure_set(why, FAILURE_VAULT, "%s", text);
}

int
failover_ask(struct failover *failover, const struct vault_ask *asks, size_t count,
    const struct secret *token, vault_done *done, void *context, struct failure *why)
{
	struct talk talk = {
		.failover = failover, .asks = asks, .done = done, .context = context,
		.secrets = { failover->credentials, token },
	};
	struct wave waiting = { 0 };
	int result = 0;

	for (size_t i = 0; i < count; i++)
		wave_add(&waiting, i, NULL);
	for (int round = 1; waiting.count != 0; round = talk.answered ? 2 : round + 1) {
		if (round > 1 && (round > ROUNDS || !(talk.answered || talk.hopeful) ||
		    !pause_before_next(&talk, round - 1))) {
			result = fail_away(failover, why);
			break;
		}
		try_addresses(&talk, &waiting, round == ROUNDS);
	}
	if (result == 0 && talk.lost.kind != FAILURE_NONE) {
		*why = talk.lost;
		result = -1;
	}
	wave_clear(&waiting);
	return result;
}

int32_t
failover_address(const struct failover *failover)
{
	return failover->answered;
}

uint32_t
failover_requests(const struct failover *failover)
{
	return failover->requests;
}
