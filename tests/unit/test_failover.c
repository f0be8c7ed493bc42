/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "failover.c"
#include "support/fake_http.h"
#include "support/runner.h"

#define ONE "https://one.test:8200"
#define TWO "https://two.test:8200"

static struct vault_settings settings = { .timeout = 10, .deadline = 60 };
static const struct credentials credentials;
static const struct vault_ask asks[] = {
	{ .method = "GET", .path = "a" }, { .method = "GET", .path = "b" }, { .method = "GET", .path = "c" },
};
static const struct vault_ask login = { .method = "POST", .path = "login", .once = true };
static struct failover *failover;
static struct failure why;
static long statuses[3];
static char texts[3][FAILURE_TEXT_BYTES];

static void
set_up(void)
{
	words_add(&settings.addresses, ONE);
	words_add(&settings.addresses, TWO);
	failover = failover_new(&settings, &credentials, &why);
	ck_assert_ptr_nonnull(failover);
}

static void
tear_down(void)
{
	failover_free(failover);
	words_clear(&settings.addresses);
}

static void
note(void *context, size_t index, const struct vault_reply *reply)
{
	(void)context;
	ck_assert_int_eq(statuses[index], 0);
	statuses[index] = reply->status != 0 ? reply->status : -1;
	(void)strcpy(texts[index], reply->why.text);
}

static int
run(const struct vault_ask *what, size_t count)
{
	return failover_ask(failover, what, count, NULL, note, NULL, &why);
}

static long
seconds_since(long start)
{
	return (clock_milliseconds() - start) / 1000;
}

START_TEST(all_is_asked_at_the_first_address_when_that_answers)
{
	for (int i = 0; i < 3; i++)
		fake_http_reply(ONE, 200, "{}");
	ck_assert_int_eq(run(asks, 3), 0);
	ck_assert_uint_eq(fake_http_count(ONE), 3);
	ck_assert_uint_eq(fake_http_count(TWO), 0);
	ck_assert_int_eq(statuses[2], 200);
	ck_assert_int_eq(failover_address(failover), 0);
	ck_assert_uint_eq(failover_requests(failover), 3);
}
END_TEST

START_TEST(what_the_first_address_leaves_goes_to_the_second_and_nothing_else)
{
	fake_http_reply(ONE "/v1/a", 200, "{}");
	fake_http_reply(ONE "/v1/b", 503, "");
	fake_http_fail(ONE "/v1/c", HTTP_LOST);
	fake_http_reply(TWO, 200, "{}");
	fake_http_reply(TWO, 404, "{}");
	ck_assert_int_eq(run(asks, 3), 0);
	ck_assert_uint_eq(fake_http_count(NULL), 5);
	ck_assert_int_eq(statuses[0], 200);
	ck_assert_int_eq(statuses[1], 200);
	ck_assert_int_eq(statuses[2], 404);
	ck_assert_ptr_nonnull(strstr(texts[2], TWO ": c: status 404"));
}
END_TEST

START_TEST(the_address_that_answered_is_asked_first_from_then_on)
{
	fake_http_fail(ONE, HTTP_UNREACHED);
	fake_http_reply(TWO, 200, "{}");
	fake_http_reply(TWO, 200, "{}");
	ck_assert_int_eq(run(&asks[0], 1), 0);
	ck_assert_int_eq(failover_address(failover), 1);
	statuses[0] = 0;
	ck_assert_int_eq(run(&asks[0], 1), 0);
	ck_assert_uint_eq(fake_http_count(ONE), 1);
	ck_assert_uint_eq(failover_requests(failover), 2);
}
END_TEST

START_TEST(three_rounds_one_and_two_seconds_apart_are_all)
{
	const long start = clock_milliseconds();

	for (int i = 0; i < 3; i++) {
		fake_http_fail(ONE, HTTP_UNREACHED);
		fake_http_reply(TWO, 503, "{\"errors\":[\"Vault is sealed\"]}");
	}
	ck_assert_int_eq(run(asks, 1), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
	ck_assert_ptr_nonnull(strstr(why.text, ONE ": a: it is a test"));
	ck_assert_ptr_nonnull(strstr(why.text, TWO ": a: status 503: Vault is sealed"));
	ck_assert_uint_eq(fake_http_count(NULL), 6);
	ck_assert_int_ge(seconds_since(start), 3);
	ck_assert_int_le(seconds_since(start), 10);	/* 4.5, and what the machine takes */
}
END_TEST

START_TEST(a_round_with_answers_does_not_count)
{
	for (int i = 0; i < 2; i++) {
		fake_http_reply("/v1/a", 429, "");
		fake_http_reply("/v1/b", 429, "");
	}
	fake_http_reply("/v1/c", 200, "{}");
	fake_http_reply("/v1/b", 200, "{}");
	for (int i = 0; i < 2; i++)
		fake_http_reply("/v1/a", 429, "");
	fake_http_reply("/v1/a", 200, "{}");
	ck_assert_int_eq(run(asks, 3), 0);
	ck_assert_int_eq(statuses[0], 200);
}
END_TEST

START_TEST(nothing_is_waited_for_when_no_address_is_trusted)
{
	fake_http_fail(ONE, HTTP_UNTRUSTED);
	fake_http_fail(TWO, HTTP_UNTRUSTED);
	ck_assert_int_eq(run(asks, 1), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
	ck_assert_uint_eq(failover_requests(failover), 0);
}
END_TEST

START_TEST(retry_after_is_waited_for)
{
	const long start = clock_milliseconds();

	fake_http_reply(ONE, 429, "")->retry_after = 2;
	fake_http_reply(TWO, 503, "");
	fake_http_reply(ONE, 200, "{}");
	ck_assert_int_eq(run(asks, 1), 0);
	ck_assert_int_ge(seconds_since(start), 2);
}
END_TEST

START_TEST(retry_after_beyond_the_deadline_is_the_end)
{
	fake_http_reply(ONE, 429, "")->retry_after = 61;
	fake_http_reply(TWO, 503, "");
	ck_assert_int_eq(run(asks, 1), -1);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
}
END_TEST

START_TEST(a_500_that_stays_is_an_answer_at_last)
{
	for (int i = 0; i < 6; i++)
		fake_http_reply(NULL, 500, "{\"errors\":[\"internal error\"]}");
	ck_assert_int_eq(run(asks, 1), 0);
	ck_assert_int_eq(statuses[0], 500);
	ck_assert_uint_eq(fake_http_count(NULL), 6);
}
END_TEST

START_TEST(a_login_goes_on_to_the_next_address_only_when_it_was_surely_not_carried_out)
{
	fake_http_fail(ONE, HTTP_UNREACHED);
	fake_http_reply(TWO, 429, "");
	fake_http_reply(ONE, 503, "");
	fake_http_reply(TWO, 200, "{}");
	ck_assert_int_eq(run(&login, 1), 0);
	ck_assert(fake_http_request(0)->once);
	statuses[0] = 0;
	fake_http_fail(TWO, HTTP_LOST);
	ck_assert_int_eq(run(&login, 1), -1);
	ck_assert_ptr_nonnull(strstr(why.text, TWO ": it may have been carried out and is not repeated"));
	fake_http_reply(TWO, 502, "");
	ck_assert_int_eq(run(&login, 1), -1);
	ck_assert_uint_eq(fake_http_count(NULL), 6);
}
END_TEST

START_TEST(a_refused_login_is_an_answer_and_is_not_repeated)
{
	fake_http_reply(ONE, 400, "{\"errors\":[\"invalid role or secret ID\"]}");
	ck_assert_int_eq(run(&login, 1), 0);
	ck_assert_int_eq(statuses[0], 400);
	ck_assert_uint_eq(fake_http_count(NULL), 1);
}
END_TEST

START_TEST(one_redirect_is_followed_with_everything_that_was_sent)
{
	struct secret token = { 0 };

	secret_set(&token, "hvb.x", 5);
	fake_http_reply(ONE, 307, "")->location = TWO "/v1/a";
	fake_http_reply(TWO, 200, "{}");
	ck_assert_int_eq(failover_ask(failover, asks, 1, &token, note, NULL, &why), 0);
	ck_assert_str_eq(fake_http_request(1)->url, TWO "/v1/a");
	ck_assert_str_eq(fake_http_request(1)->token, "hvb.x");
	secret_clear(&token);
}
END_TEST

START_TEST(a_second_redirect_and_one_to_elsewhere_are_refused)
{
	fake_http_reply(ONE, 307, "")->location = TWO "/v1/a";
	fake_http_reply(TWO, 307, "")->location = ONE "/v1/a";
	fake_http_reply(TWO, 302, "")->location = "http://two.test:8200/v1/a";
	ck_assert_int_eq(run(asks, 1), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "second one"));
	ck_assert_ptr_nonnull(strstr(why.text, "away from https"));
	ck_assert_uint_eq(fake_http_count(NULL), 3);
}
END_TEST

START_TEST(a_secret_in_a_redirect_is_not_repeated)
{
	struct secret token = { 0 };

	secret_set(&token, "hvb.a-token", 11);
	fake_http_reply(ONE, 307, "")->location = TWO "/hvb.a-token/v1/a";
	fake_http_reply(TWO, 403, "{}");
	ck_assert_int_eq(failover_ask(failover, asks, 1, &token, note, NULL, &why), 0);
	ck_assert_msg(strstr(texts[0], TWO "/***********/v1/a: ") != NULL, "%s", texts[0]);
	fake_http_reply(NULL, 307, "")->location = "https://evil.test/hvb.a-token";
	fake_http_reply(NULL, 307, "")->location = NULL;
	statuses[0] = 0;
	ck_assert_int_eq(failover_ask(failover, asks, 1, &token, note, NULL, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "https://evil.test/*********** is not"));
	ck_assert_ptr_nonnull(strstr(why.text, "nowhere is not"));
	secret_clear(&token);
}
END_TEST

START_TEST(an_answer_that_is_too_large_is_a_failure_of_that_ask)
{
	fake_http_fail("/v1/a", HTTP_TOO_LARGE);
	fake_http_reply("/v1/b", 200, "{}");
	ck_assert_int_eq(run(asks, 2), 0);
	ck_assert_int_eq(statuses[0], -1);
	ck_assert_ptr_nonnull(strstr(texts[0], "over 4 MiB"));
	ck_assert_int_eq(statuses[1], 200);
}
END_TEST

START_TEST(certificate_and_key_are_handed_out_for_auth_cert_alone)
{
	ck_assert_ptr_null(fake_http.settings.client_key);
	failover_free(failover);
	settings.auth = AUTH_CERT;
	failover = failover_new(&settings, &credentials, &why);
	ck_assert_ptr_eq(fake_http.settings.client_key, &credentials.client_key);
	ck_assert_ptr_eq(fake_http.settings.ca, &credentials.ca);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("failover");

	tcase_set_timeout(tests, 20);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, all_is_asked_at_the_first_address_when_that_answers);
	tcase_add_test(tests, what_the_first_address_leaves_goes_to_the_second_and_nothing_else);
	tcase_add_test(tests, the_address_that_answered_is_asked_first_from_then_on);
	tcase_add_test(tests, three_rounds_one_and_two_seconds_apart_are_all);
	tcase_add_test(tests, a_round_with_answers_does_not_count);
	tcase_add_test(tests, nothing_is_waited_for_when_no_address_is_trusted);
	tcase_add_test(tests, retry_after_is_waited_for);
	tcase_add_test(tests, retry_after_beyond_the_deadline_is_the_end);
	tcase_add_test(tests, a_500_that_stays_is_an_answer_at_last);
	tcase_add_test(tests, a_login_goes_on_to_the_next_address_only_when_it_was_surely_not_carried_out);
	tcase_add_test(tests, a_refused_login_is_an_answer_and_is_not_repeated);
	tcase_add_test(tests, one_redirect_is_followed_with_everything_that_was_sent);
	tcase_add_test(tests, a_second_redirect_and_one_to_elsewhere_are_refused);
	tcase_add_test(tests, a_secret_in_a_redirect_is_not_repeated);
	tcase_add_test(tests, an_answer_that_is_too_large_is_a_failure_of_that_ask);
	tcase_add_test(tests, certificate_and_key_are_handed_out_for_auth_cert_alone);
	return run_tests("failover", tests);
}
