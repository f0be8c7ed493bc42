/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "login.c"
#include "support/fake_http.h"
#include "support/runner.h"

#define AUTH(rest) "{\"auth\":{\"client_token\":\"hvb.token\",\"lease_duration\":1200" rest "}}"

static struct vault_settings settings = {
	.timeout = 10, .deadline = 60, .auth = AUTH_APPROLE, .auth_mount = (char *)"approle",
};
static struct credentials credentials;
static struct failover *failover;
static struct login login;
static struct failure why;

static void
set_up(void)
{
	words_add(&settings.addresses, "https://vault.test");
	secret_set(&credentials.role_id, "role", 4);
	secret_set(&credentials.secret_id, "se\"cret", 7);
	failover = failover_new(&settings, &credentials, &why);
}

static void
tear_down(void)
{
	login_clear(&login);
	failover_free(failover);
	credentials_clear(&credentials);
	words_clear(&settings.addresses);
}

static int
log_in(long status, const char *body)
{
	fake_http_reply(NULL, status, body);
	login_clear(&login);
	return login_run(failover, &settings, &credentials, &login, &why);
}

START_TEST(an_approle_login_gives_a_token_with_its_end)
{
	settings.auth_namespace = (char *)"team";
	ck_assert_int_eq(log_in(200, AUTH(",\"token_type\":\"batch\"")), 0);
	ck_assert_str_eq(login.token.bytes, "hvb.token");
	ck_assert(login.batch);
	ck_assert_int_le(login.expires - time(NULL), 1200);
	ck_assert_int_ge(login.expires - time(NULL), 1198);
	ck_assert_str_eq(fake_http_request(0)->url, "https://vault.test/v1/auth/approle/login");
	ck_assert_str_eq(fake_http_request(0)->method, "POST");
	ck_assert_str_eq(fake_http_request(0)->namespace, "team");
	ck_assert_ptr_null(fake_http_request(0)->token);
	ck_assert_str_eq(fake_http_request(0)->body, "{\"role_id\":\"role\",\"secret_id\":\"se\\\"cret\"}");
}
END_TEST

#define LIVES(seconds) \
	"{\"auth\":{\"client_token\":\"hvb.token\",\"lease_duration\":" seconds "}}"

START_TEST(a_lifetime_that_no_clock_can_hold_is_cut)
{
	ck_assert_int_eq(log_in(200, LIVES("9223372036854775807")), 0);
	ck_assert_int_le(login.expires - time(NULL), LIFETIME_MOST);
	ck_assert_int_ge(login.expires - time(NULL), LIFETIME_MOST - 2);
	ck_assert_int_eq(log_in(200, LIVES("-9223372036854775808")), 0);
	ck_assert_int_eq(login.expires, 0);
}
END_TEST

START_TEST(a_service_token_is_none_to_keep)
{
	ck_assert_int_eq(log_in(200, AUTH(",\"token_type\":\"service\"")), 0);
	ck_assert(!login.batch);
	ck_assert_int_eq(log_in(200, AUTH("")), 0);
	ck_assert(!login.batch);
}
END_TEST

START_TEST(a_certificate_login_names_its_role)
{
	settings.auth = AUTH_CERT;
	settings.auth_mount = (char *)"puppet";
	settings.cert_role = (char *)"hosts";
	ck_assert_int_eq(log_in(200, AUTH("")), 0);
	ck_assert_str_eq(fake_http_request(0)->url, "https://vault.test/v1/auth/puppet/login");
	ck_assert_str_eq(fake_http_request(0)->body, "{\"name\":\"hosts\"}");
	settings.cert_role = NULL;
	ck_assert_int_eq(log_in(200, AUTH("")), 0);
	ck_assert_str_eq(fake_http_request(1)->body, "{}");
}
END_TEST

START_TEST(refused_credentials_are_told_from_trouble)
{
	ck_assert_int_eq(log_in(400, "{\"errors\":[\"invalid role or secret ID\"]}"), -1);
	ck_assert_int_eq(why.kind, FAILURE_LOGIN);
	ck_assert(login.refused);
	ck_assert_ptr_nonnull(strstr(why.text, "auth/approle/login: status 400: invalid role or secret ID"));
	ck_assert_int_eq(log_in(403, "{\"errors\":[\"permission denied\"]}"), -1);
	ck_assert(login.refused);
	ck_assert_int_eq(log_in(500, "{\"errors\":[\"failed to verify\"]}"), -1);
	ck_assert_int_eq(why.kind, FAILURE_LOGIN);
	ck_assert(!login.refused);
	ck_assert_uint_eq(fake_http_count(NULL), 3);
}
END_TEST

START_TEST(an_answer_without_a_token_is_a_failure)
{
	static const char *const bodies[] = {
		"{}", "{\"auth\":null}", "{\"auth\":{}}", "{\"auth\":{\"client_token\":\"\"}}",
		"{\"auth\":{\"client_token\":5}}", "{\"auth\":{\"client_token\":\"a b\"}}",
		"{\"auth\":{\"client_token\":\"a\\r\\nX-Evil: 1\"}}", "{\"auth\":{\"client_token\":\"\\u00e9\"}}",
		"{\"auth\":null,\"wrap_info\":{\"token\":\"s.x\"}}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		ck_assert_msg(log_in(200, bodies[i]) == -1, "%s", bodies[i]);
		ck_assert_int_eq(why.kind, FAILURE_LOGIN);
		ck_assert_uint_eq(login.token.size, 0);
	}
}
END_TEST

START_TEST(a_second_factor_is_named)
{
	ck_assert_int_eq(log_in(200, "{\"auth\":{\"client_token\":\"\",\"mfa_requirement\":{}}}"), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "MFA"));
}
END_TEST

START_TEST(credentials_that_are_no_text_are_not_sent)
{
	secret_set(&credentials.secret_id, "\xff\xfe", 2);
	ck_assert_int_eq(login_run(failover, &settings, &credentials, &login, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_LOGIN);
	ck_assert_uint_eq(fake_http_count(NULL), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("login");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, an_approle_login_gives_a_token_with_its_end);
	tcase_add_test(tests, a_lifetime_that_no_clock_can_hold_is_cut);
	tcase_add_test(tests, a_service_token_is_none_to_keep);
	tcase_add_test(tests, a_certificate_login_names_its_role);
	tcase_add_test(tests, refused_credentials_are_told_from_trouble);
	tcase_add_test(tests, an_answer_without_a_token_is_a_failure);
	tcase_add_test(tests, a_second_factor_is_named);
	tcase_add_test(tests, credentials_that_are_no_text_are_not_sent);
	return run_tests("login", tests);
}
