/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "complaint.h"
#include "verdict.h"

/* Whether the server's own words contain a phrase that decides what a status means. */
static bool
says(const json_t *json, const char *phrase)
{
	const json_t *item;
	size_t index;

	json_array_foreach(json_object_get(json, "errors"), index, item)
		if (json_is_string(item) && strstr(json_string_value(item), phrase) != NULL)
			return true;
	return false;
}

static enum verdict
judge_status(long status, const json_t *json, bool once, bool last_try)
{
	switch (status) {
	case 301: case 302: case 307:
		return VERDICT_REDIRECT;
	case 400:	/* a KV mount on its way from version 1 to 2 says so with this status */
		return says(json, "Upgrading from non-versioned") ? VERDICT_AGAIN : VERDICT_ANSWER;
	case 412:	/* the node is behind; an agent's listener means a missing header by it */
		return says(json, "missing") ? VERDICT_ANSWER : VERDICT_AGAIN;
	case 429: case 472: case 473: case 503:
		return VERDICT_AGAIN;	/* quota, standby, sealed: certainly not carried out */
	case 500:	/* some of them never go away */
		if (says(json, "active cluster node not found"))
			return VERDICT_AGAIN;	/* a standby between two leaders: not carried out */
		return once || last_try ? VERDICT_ANSWER : VERDICT_AGAIN;
	case 501:
		return VERDICT_ANSWER;
	default:
		if (status < 500)
			return VERDICT_ANSWER;
		return once ? VERDICT_LOST : VERDICT_AGAIN;
	}
}

enum verdict
verdict_make(const struct vault_ask *ask, const struct http_reply *reply, const json_t *json,
    bool last_try)
{
	switch (reply->fate) {
	case HTTP_ANSWERED:
		return judge_status(reply->status, json, ask->once, last_try);
	case HTTP_TOO_LARGE:
		return VERDICT_ANSWER;
	case HTTP_LOST:
		return ask->once ? VERDICT_LOST : VERDICT_AGAIN;
	case HTTP_UNREACHED:
	case HTTP_UNTRUSTED:
		break;
	}
	return VERDICT_AGAIN;
}

static enum failure_kind
kind_of(long status)
{
	return status == 403 ? FAILURE_DENIED : status == 404 ? FAILURE_ABSENT : FAILURE_VAULT;
}

void
verdict_describe(const struct vault_ask *ask, const struct http_reply *reply, const json_t *json,
    const struct verdict_secrets *secrets, struct failure *why)
{
	char words[COMPLAINT_BYTES];

	if (reply->fate == HTTP_TOO_LARGE) {
		(void)failure_set(why, FAILURE_VAULT, "%s: the answer is over %ld MiB", ask->path,
		    HTTP_BODY_LIMIT_BYTES >> 20);
	} else if (reply->fate != HTTP_ANSWERED) {
		(void)failure_set(why, FAILURE_VAULT, "%s: %s", ask->path, reply->reason);
	} else {
		complaint_make(json, &reply->body, secrets->credentials, secrets->token, words);
		(void)failure_set(why, kind_of(reply->status), "%s: status %ld%s%s", ask->path,
		    reply->status, words[0] != '\0' ? ": " : "", words);
	}
}

/* A 200 must carry a JSON object: a proxy's page does not, and a wrapped answer is not ours. */
static void
judge_success(const struct vault_ask *ask, size_t size, struct vault_reply *answer)
{
	const bool is_object = json_is_object(answer->json);

	if (answer->status == 204 ||
	    (is_object && !json_is_object(json_object_get(answer->json, "wrap_info"))))
		answer->good = true;
	else if (is_object)
		(void)failure_set(&answer->why, FAILURE_VAULT, "%s: the answer is wrapped: a "
		    "control group, or a policy that forces wrapping, stands before it", ask->path);
	else
		(void)failure_set(&answer->why, FAILURE_VAULT, "%s: status %ld, but the answer of "
		    "%zu bytes is no JSON object", ask->path, answer->status, size);
}

void
verdict_answer(const struct vault_ask *ask, const struct http_reply *reply, const json_t *json,
    const struct verdict_secrets *secrets, struct vault_reply *out_answer)
{
	*out_answer = (struct vault_reply){ .json = json };
	if (reply->fate == HTTP_ANSWERED)
		out_answer->status = reply->status;
	if (out_answer->status == 200 || out_answer->status == 204)
		judge_success(ask, reply->body.size, out_answer);
	else
		verdict_describe(ask, reply, json, secrets, &out_answer->why);
}
