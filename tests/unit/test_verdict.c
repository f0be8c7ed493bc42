/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "verdict.c"
#include "support/runner.h"

static const struct credentials credentials;
static const struct verdict_secrets secrets = { &credentials, NULL };
static const struct vault_ask ask = { .method = "GET", .path = "secret/data/x" };
static const struct vault_ask ask_once = { .method = "POST", .path = "auth/approle/login", .once = true };

static enum verdict
judge(const struct vault_ask *what, long status, const char *body, bool last_try)
{
	const struct http_reply reply = { .status = status };
	json_t *json = json_loads(body, 0, NULL);
	const enum verdict verdict = verdict_make(what, &reply, json, last_try);

	json_decref(json);
	return verdict;
}

static const struct {
	long status;
	const char *body;
	enum verdict verdict, once;
} cases[] = {
	{ 200, "{}", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 204, "", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 301, "", VERDICT_REDIRECT, VERDICT_REDIRECT },
	{ 302, "", VERDICT_REDIRECT, VERDICT_REDIRECT },
	{ 307, "", VERDICT_REDIRECT, VERDICT_REDIRECT },
	{ 308, "", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 400, "{\"errors\":[\"no\"]}", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 400, "{\"errors\":[\"Upgrading from non-versioned to versioned data.\"]}", VERDICT_AGAIN, VERDICT_AGAIN },
	{ 403, "{\"errors\":[\"permission denied\"]}", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 404, "{\"errors\":[]}", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 405, "", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 412, "", VERDICT_AGAIN, VERDICT_AGAIN },
	{ 412, "{\"errors\":[\"missing \\\"X-Vault-Request\\\" header\"]}", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 413, "", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 415, "", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 429, "", VERDICT_AGAIN, VERDICT_AGAIN },
	{ 473, "", VERDICT_AGAIN, VERDICT_AGAIN },
	{ 500, "", VERDICT_AGAIN, VERDICT_ANSWER },
	{ 500, "{\"errors\":[\"local node not active but active cluster node not found\"]}", VERDICT_AGAIN, VERDICT_AGAIN },
	{ 501, "", VERDICT_ANSWER, VERDICT_ANSWER },
	{ 502, "<html>", VERDICT_AGAIN, VERDICT_LOST },
	{ 503, "", VERDICT_AGAIN, VERDICT_AGAIN },
	{ 504, "", VERDICT_AGAIN, VERDICT_LOST },
	{ 522, "", VERDICT_AGAIN, VERDICT_LOST },
};

START_TEST(each_status_means_what_the_table_says)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_msg(judge(&ask, cases[i].status, cases[i].body, false) == cases[i].verdict,
		    "%ld", cases[i].status);
		ck_assert_msg(judge(&ask_once, cases[i].status, cases[i].body, false) == cases[i].once,
		    "%ld once", cases[i].status);
	}
}
END_TEST

START_TEST(a_500_is_an_answer_at_the_last_try_and_a_503_never)
{
	ck_assert_int_eq(judge(&ask, 500, "", true), VERDICT_ANSWER);
	ck_assert_int_eq(judge(&ask, 503, "", true), VERDICT_AGAIN);
}
END_TEST

START_TEST(what_was_sent_and_not_answered_is_not_repeated_if_it_may_count_twice)
{
	static const struct { enum http_fate fate; enum verdict verdict, once; } fates[] = {
		{ HTTP_UNREACHED, VERDICT_AGAIN, VERDICT_AGAIN },
		{ HTTP_UNTRUSTED, VERDICT_AGAIN, VERDICT_AGAIN },
		{ HTTP_LOST, VERDICT_AGAIN, VERDICT_LOST },
		{ HTTP_TOO_LARGE, VERDICT_ANSWER, VERDICT_ANSWER },
	};

	for (size_t i = 0; i < sizeof(fates) / sizeof(*fates); i++) {
		const struct http_reply reply = { .fate = fates[i].fate };

		ck_assert_int_eq(verdict_make(&ask, &reply, NULL, false), fates[i].verdict);
		ck_assert_int_eq(verdict_make(&ask_once, &reply, NULL, false), fates[i].once);
	}
}
END_TEST

static struct vault_reply
answer(long status, const char *body)
{
	struct http_reply reply = { .status = status };
	json_t *json = json_loads(body, 0, NULL);
	struct vault_reply result;

	secret_set(&reply.body, body, strlen(body));
	verdict_answer(&ask, &reply, json, &secrets, &result);
	secret_clear(&reply.body);
	json_decref(json);
	result.json = NULL;
	return result;
}

START_TEST(a_200_with_an_object_and_a_204_are_good)
{
	ck_assert(answer(200, "{\"wrap_info\":null}").good);
	ck_assert(answer(204, "").good);
}
END_TEST

START_TEST(a_200_that_is_wrapped_or_no_object_is_not)
{
	static const char *const bodies[] = { "", "<html>", "[]", "{\"a\":", "{\"wrap_info\":{}}" };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		const struct vault_reply reply = answer(200, bodies[i]);

		ck_assert_msg(!reply.good && reply.why.kind == FAILURE_VAULT, "%s", bodies[i]);
		ck_assert_ptr_nonnull(strstr(reply.why.text, "secret/data/x"));
	}
}
END_TEST

START_TEST(a_refusal_has_its_kind_and_the_servers_words)
{
	struct vault_reply reply = answer(403, "{\"errors\":[\"permission denied\"]}");

	ck_assert_int_eq(reply.why.kind, FAILURE_DENIED);
	ck_assert_str_eq(reply.why.text, "secret/data/x: status 403: permission denied");
	ck_assert_int_eq(answer(404, "{\"errors\":[]}").why.kind, FAILURE_ABSENT);
	ck_assert_int_eq(answer(405, "").why.kind, FAILURE_VAULT);
	ck_assert_int_eq(answer(302, "").good, false);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("verdict");

	tcase_add_test(tests, each_status_means_what_the_table_says);
	tcase_add_test(tests, a_500_is_an_answer_at_the_last_try_and_a_503_never);
	tcase_add_test(tests, what_was_sent_and_not_answered_is_not_repeated_if_it_may_count_twice);
	tcase_add_test(tests, a_200_with_an_object_and_a_204_are_good);
	tcase_add_test(tests, a_200_that_is_wrapped_or_no_object_is_not);
	tcase_add_test(tests, a_refusal_has_its_kind_and_the_servers_words);
	return run_tests("verdict", tests);
}
