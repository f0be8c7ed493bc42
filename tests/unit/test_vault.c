/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "vault.c"
#include "support/fake_http.h"
#include "support/runner.h"

#define BATCH "{\"auth\":{\"client_token\":\"b.new\",\"lease_duration\":1200,\"token_type\":\"batch\"}}"
#define SERVICE "{\"auth\":{\"client_token\":\"s.new\",\"lease_duration\":1200,\"token_type\":\"service\"}}"
#define DENIED "{\"errors\":[\"permission denied\"]}"

static struct vault_settings settings = {
	.timeout = 10, .deadline = 60, .auth = AUTH_APPROLE, .auth_mount = (char *)"approle",
};
static struct credentials credentials;
static const struct vault_ask asks[] = {
	{ .method = "GET", .path = "a" }, { .method = "GET", .path = "b" }, { .method = "GET", .path = "c" },
};
static struct vault *vault;
static struct vault_account account;
static struct failure why;
static long statuses[3];

static void
set_up(void)
{
	words_add(&settings.addresses, "https://vault.test");
	secret_set(&credentials.role_id, "role", 4);
	secret_set(&credentials.secret_id, "secret", 6);
}

static void
tear_down(void)
{
	vault_close(vault);
	credentials_clear(&credentials);
	words_clear(&settings.addresses);
}

static void
note(void *context, size_t index, const struct vault_reply *reply)
{
	(void)context;
	ck_assert_int_eq(statuses[index], 0);
	statuses[index] = reply->status;
}

static int
run(size_t count)
{
	int result;

	if (vault == NULL)
		vault = vault_open(&settings, &credentials, &why);
	memset(statuses, 0, sizeof(statuses));
	result = vault_ask(vault, asks, count, note, NULL, &why);
	vault_tell(vault, &account);
	return result;
}

START_TEST(nothing_to_ask_is_no_login)
{
	ck_assert_int_eq(run(0), 0);
	ck_assert_uint_eq(fake_http_count(NULL), 0);
	ck_assert(!account.let_in);
}
END_TEST

START_TEST(the_first_question_logs_in_and_the_next_do_not)
{
	fake_http_reply("login", 200, BATCH);
	for (int i = 0; i < 3; i++)
		fake_http_reply(NULL, 200, "{}");
	ck_assert_int_eq(run(2), 0);
	ck_assert_str_eq(fake_http_request(1)->token, "b.new");
	ck_assert_int_eq(run(1), 0);
	ck_assert_uint_eq(fake_http_count("login"), 1);
	ck_assert(account.let_in);
	ck_assert_int_eq(account.credentials, CREDENTIALS_OK);
	ck_assert_uint_eq(account.requests, 4);
	ck_assert_str_eq(account.token->bytes, "b.new");
}
END_TEST

START_TEST(a_batch_token_without_a_minute_left_is_not_kept)
{
	fake_http_reply("login", 200,
	    "{\"auth\":{\"client_token\":\"b.new\",\"lease_duration\":59,\"token_type\":\"batch\"}}");
	fake_http_reply(NULL, 200, "{}");
	ck_assert_int_eq(run(1), 0);
	ck_assert_ptr_null(account.token);
}
END_TEST

START_TEST(a_service_token_is_not_kept_but_revoked)
{
	fake_http_reply("login", 200, SERVICE);
	fake_http_reply("/v1/a", 200, "{}");
	fake_http_reply("auth/token/revoke-self", 204, NULL);
	ck_assert_int_eq(run(1), 0);
	ck_assert_ptr_null(account.token);
	vault_log_out(vault);
	ck_assert_str_eq(fake_http_request(2)->method, "PUT");
	ck_assert_str_eq(fake_http_request(2)->token, "s.new");
	vault_log_out(vault);
	ck_assert_uint_eq(fake_http_count("revoke"), 1);
}
END_TEST

START_TEST(a_refused_login_ends_it)
{
	fake_http_reply("login", 400, "{\"errors\":[\"invalid role or secret ID\"]}");
	ck_assert_int_eq(run(3), -1);
	ck_assert_int_eq(why.kind, FAILURE_LOGIN);
	ck_assert_int_eq(account.credentials, CREDENTIALS_REFUSED);
	ck_assert(!account.let_in);
	ck_assert_uint_eq(fake_http_count(NULL), 1);
}
END_TEST

START_TEST(missing_credentials_ask_nothing)
{
	(void)failure_set(&credentials.missing, FAILURE_LOGIN, "secret-id is missing");
	ck_assert_int_eq(run(1), -1);
	ck_assert_int_eq(account.credentials, CREDENTIALS_MISSING);
	ck_assert_str_eq(why.text, "secret-id is missing");
	ck_assert_uint_eq(fake_http_count(NULL), 0);
}
END_TEST

static void
set_cached(void)
{
	secret_set(&credentials.cached_token, "b.cached", 8);
}

START_TEST(a_kept_token_is_used_without_a_question_about_itself)
{
	set_cached();
	fake_http_reply("/v1/a", 200, "{}");
	fake_http_reply("/v1/b", 403, DENIED);
	ck_assert_int_eq(run(2), 0);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
	ck_assert_str_eq(fake_http_request(0)->token, "b.cached");
	ck_assert_int_eq(statuses[0], 200);
	ck_assert_int_eq(statuses[1], 403);
	ck_assert(account.let_in && !account.drop_token);
	ck_assert_ptr_null(account.token);
}
END_TEST

START_TEST(a_refusal_before_the_first_good_answer_is_held_back_until_then)
{
	set_cached();
	fake_http_reply("/v1/a", 403, DENIED);
	fake_http_reply("/v1/b", 404, "{\"errors\":[]}");
	ck_assert_int_eq(run(2), 0);
	ck_assert_int_eq(statuses[0], 403);
	ck_assert_int_eq(statuses[1], 404);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
}
END_TEST

START_TEST(a_kept_token_that_nobody_knows_is_replaced_and_all_asked_once_more)
{
	set_cached();
	fake_http_reply("/v1/a", 403, DENIED);
	fake_http_reply("/v1/b", 403, DENIED);
	fake_http_reply("lookup-self", 403, DENIED);
	fake_http_reply("login", 200, BATCH);
	fake_http_reply("/v1/a", 200, "{}");
	fake_http_reply("/v1/b", 403, DENIED);
	ck_assert_int_eq(run(2), 0);
	ck_assert_int_eq(statuses[0], 200);
	ck_assert_int_eq(statuses[1], 403);
	ck_assert(account.drop_token);
	ck_assert_str_eq(account.token->bytes, "b.new");
	ck_assert_str_eq(fake_http_request(4)->token, "b.new");
}
END_TEST

START_TEST(a_kept_token_that_the_server_knows_is_not_replaced_for_a_policy)
{
	set_cached();
	fake_http_reply("/v1/a", 403, DENIED);
	fake_http_reply("lookup-self", 200, "{\"data\":{}}");
	ck_assert_int_eq(run(1), 0);
	ck_assert_int_eq(statuses[0], 403);
	ck_assert_uint_eq(fake_http_count("login"), 0);
	ck_assert(account.let_in && !account.drop_token);
}
END_TEST

START_TEST(a_broken_kept_token_is_replaced_too)
{
	set_cached();
	for (int i = 0; i < 3; i++)
		fake_http_reply("/v1/a", 500, "{\"errors\":[\"error performing token check: illegal base64\"]}");
	fake_http_reply("lookup-self", 403, DENIED);
	fake_http_reply("login", 200, BATCH);
	fake_http_reply("/v1/a", 200, "{}");
	ck_assert_int_eq(run(1), 0);
	ck_assert_int_eq(statuses[0], 200);
}
END_TEST

START_TEST(a_login_that_is_refused_after_a_kept_token_answers_nothing)
{
	set_cached();
	fake_http_reply("/v1/a", 403, DENIED);
	fake_http_reply("lookup-self", 403, DENIED);
	fake_http_reply("login", 400, "{\"errors\":[\"invalid role or secret ID\"]}");
	ck_assert_int_eq(run(1), -1);
	ck_assert_int_eq(why.kind, FAILURE_LOGIN);
	ck_assert_int_eq(statuses[0], 0);
	ck_assert(account.drop_token && !account.let_in);
	ck_assert_int_eq(account.credentials, CREDENTIALS_REFUSED);
}
END_TEST

START_TEST(a_given_token_is_let_in_by_its_first_good_answer)
{
	settings.auth = AUTH_TOKEN;
	secret_set(&credentials.token, "s.given", 7);
	fake_http_reply("/v1/a", 403, DENIED);
	ck_assert_int_eq(run(1), 0);
	ck_assert_int_eq(statuses[0], 403);
	ck_assert(!account.let_in);
	fake_http_reply("/v1/a", 200, "{}");
	ck_assert_int_eq(run(1), 0);
	ck_assert(account.let_in);
	ck_assert_ptr_null(account.token);
	vault_log_out(vault);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("vault");

	tcase_set_timeout(tests, 20);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, nothing_to_ask_is_no_login);
	tcase_add_test(tests, the_first_question_logs_in_and_the_next_do_not);
	tcase_add_test(tests, a_batch_token_without_a_minute_left_is_not_kept);
	tcase_add_test(tests, a_service_token_is_not_kept_but_revoked);
	tcase_add_test(tests, a_refused_login_ends_it);
	tcase_add_test(tests, missing_credentials_ask_nothing);
	tcase_add_test(tests, a_kept_token_is_used_without_a_question_about_itself);
	tcase_add_test(tests, a_refusal_before_the_first_good_answer_is_held_back_until_then);
	tcase_add_test(tests, a_kept_token_that_nobody_knows_is_replaced_and_all_asked_once_more);
	tcase_add_test(tests, a_kept_token_that_the_server_knows_is_not_replaced_for_a_policy);
	tcase_add_test(tests, a_broken_kept_token_is_replaced_too);
	tcase_add_test(tests, a_login_that_is_refused_after_a_kept_token_answers_nothing);
	tcase_add_test(tests, a_given_token_is_let_in_by_its_first_good_answer);
	return run_tests("vault", tests);
}
