/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "unwrap.c"
#include "support/fake_http.h"
#include "support/runner.h"

#define LOOKUP "/v1/sys/wrapping/lookup"
#define UNWRAP "/v1/sys/wrapping/unwrap"
#define PATH "auth/approle/role/host/secret-id"
#define MADE_AT(path) "{\"data\":{\"creation_path\":\"" path "\",\"creation_ttl\":60.0}}"
#define DATA(rest) "{\"data\":{\"secret_id\":\"0a1b-2c3d\"" rest "}}"

static struct manifest manifest = { .vault = {
	.timeout = 5, .deadline = 20, .auth = AUTH_APPROLE, .auth_mount = (char *)"approle",
} };
static struct credentials credentials;
static struct unwrapping unwrapping;
static struct failure why;

static void
set_up(void)
{
	words_add(&manifest.vault.addresses, "https://vault.test");
	unwrapping.settings = &manifest.vault;
	unwrapping.credentials = &credentials;
	unwrapping.failover = failover_new(&manifest.vault, &credentials, &why);
}

static void
tear_down(void)
{
	unwrapped_clear(&unwrapping.got);
	failover_free(unwrapping.failover);
	credentials_clear(&credentials);
	words_clear(&manifest.vault.addresses);
}

static const struct unwrapped *
unwrap_token(const char *token)
{
	unwrapped_clear(&unwrapping.got);
	secret_set(&credentials.token, token, strlen(token));
	unwrap(&unwrapping);
	return &unwrapping.got;
}

static const struct unwrapped *
unwrap_path(const char *lookup)
{
	fake_http_reply(LOOKUP, 200, lookup);
	return unwrap_token("hvs.wrapping");
}

START_TEST(a_token_is_looked_up_and_then_unwrapped_once)
{
	const struct unwrapped *got;

	manifest.vault.auth_namespace = (char *)"team";
	fake_http_reply(UNWRAP, 200, DATA(",\"secret_id_ttl\":3600,\"secret_id_num_uses\":5"));
	got = unwrap_path(MADE_AT(PATH));
	ck_assert_int_eq(got->why.kind, FAILURE_NONE);
	ck_assert_str_eq(got->secret_id.bytes, "0a1b-2c3d");
	ck_assert_int_le(got->expires - time(NULL), 3600);
	ck_assert_int_ge(got->expires - time(NULL), 3598);
	ck_assert_uint_eq(got->uses, 5);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
	ck_assert_str_eq(fake_http_request(0)->url, "https://vault.test" LOOKUP);
	ck_assert_str_eq(fake_http_request(0)->method, "POST");
	ck_assert_str_eq(fake_http_request(0)->body, "{\"token\":\"hvs.wrapping\"}");
	ck_assert_ptr_null(fake_http_request(0)->token);
	ck_assert_str_eq(fake_http_request(0)->namespace, "team");
	ck_assert_str_eq(fake_http_request(1)->url, "https://vault.test" UNWRAP);
	ck_assert_str_eq(fake_http_request(1)->token, "hvs.wrapping");
	ck_assert_ptr_null(fake_http_request(1)->body);
	ck_assert(fake_http_request(1)->once);
}
END_TEST

START_TEST(a_secret_id_without_an_end_or_a_limit_has_none)
{
	static const char *const bodies[] = {
		DATA(""), DATA(",\"secret_id_ttl\":0,\"secret_id_num_uses\":0"),
		DATA(",\"secret_id_ttl\":-1,\"secret_id_num_uses\":null"),
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		fake_http_reply(UNWRAP, 200, bodies[i]);
		ck_assert_str_eq(unwrap_path(MADE_AT(PATH))->secret_id.bytes, "0a1b-2c3d");
		ck_assert_int_eq(unwrapping.got.expires, 0);
		ck_assert_uint_eq(unwrapping.got.uses, 0);
	}
}
END_TEST

START_TEST(a_life_beyond_all_calendars_is_cut)
{
	const time_t now = time(NULL);

	fake_http_reply(UNWRAP, 200, DATA(",\"secret_id_ttl\":9223372036854775807"));
	ck_assert_str_eq(unwrap_path(MADE_AT(PATH))->secret_id.bytes, "0a1b-2c3d");
	ck_assert_int_ge(unwrapping.got.expires, now + LIFETIME_MOST);
	ck_assert_int_le(unwrapping.got.expires, now + LIFETIME_MOST + 5);
}
END_TEST

START_TEST(a_token_made_at_another_path_is_not_unwrapped)
{
	static const char *const lookups[] = {
		MADE_AT("sys/wrapping/wrap"), MADE_AT("auth/approle/role/host/custom-secret-id"),
		MADE_AT("auth/approle/role/host/secret-id/lookup"), MADE_AT("auth/approle/role//secret-id"),
		MADE_AT("auth/approle2/role/host/secret-id"), MADE_AT("auth/approle/role/a/b/secret-id"),
		MADE_AT("auth/approle/role/secret-id"), MADE_AT("team/auth/approle/role/host/secret-id"),
		MADE_AT("auth/approle/role/host/secret-id/"), MADE_AT(""), "{\"data\":{}}", "{\"data\":null}",
		"{\"data\":{\"creation_path\":7}}", "{}",
	};

	for (size_t i = 0; i < sizeof(lookups) / sizeof(*lookups); i++) {
		ck_assert_msg(unwrap_path(lookups[i])->why.kind == FAILURE_LOGIN, "%s", lookups[i]);
		ck_assert_ptr_nonnull(strstr(unwrapping.got.why.text, "possible interception: the token was made"));
	}
	ck_assert_uint_eq(fake_http_count(UNWRAP), 0);
}
END_TEST

START_TEST(a_token_that_vault_does_not_know_is_a_possible_interception)
{
	fake_http_reply(LOOKUP, 400, "{\"errors\":[\"wrapping token hvs.wrapping is not valid\"]}");
	ck_assert_int_eq(unwrap_token("hvs.wrapping")->why.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(unwrapping.got.why.text, "possible interception: the token was used before"));
	ck_assert_ptr_nonnull(strstr(unwrapping.got.why.text, "wrapping token ************ is not valid"));
	fake_http_reply(UNWRAP, 400, "{\"errors\":[\"wrapping token is not valid\"]}");
	ck_assert_int_eq(unwrap_path(MADE_AT(PATH))->why.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(unwrapping.got.why.text, "was used by someone else"));
}
END_TEST

START_TEST(a_lookup_that_says_nothing_about_the_token_spends_nothing)
{
	static const long statuses[] = { 403, 404, 405 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		fake_http_reply(LOOKUP, statuses[i], "{}");
		ck_assert_int_eq(unwrap_token("hvs.wrapping")->why.kind, FAILURE_DENIED);
	}
	for (int round = 0; round < 3; round++)
		fake_http_fail(LOOKUP, HTTP_UNREACHED);
	ck_assert_int_eq(unwrap_token("hvs.wrapping")->why.kind, FAILURE_VAULT);
	ck_assert_uint_eq(fake_http_count(UNWRAP), 0);
}
END_TEST

START_TEST(an_unwrapping_without_an_answer_is_not_repeated)
{
	fake_http_fail(UNWRAP, HTTP_LOST);
	ck_assert_int_eq(unwrap_path(MADE_AT(PATH))->why.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(unwrapping.got.why.text, "no secret-id came, and the token is not tried again"));
	fake_http_reply(UNWRAP, 500, "{\"errors\":[\"oh\"]}");
	ck_assert_int_eq(unwrap_path(MADE_AT(PATH))->why.kind, FAILURE_LOGIN);
	ck_assert_uint_eq(fake_http_count(UNWRAP), 2);
}
END_TEST

START_TEST(what_is_no_secret_id_is_none)
{
	static const char *const bodies[] = {
		"{}", "{\"data\":null}", "{\"data\":{}}", "{\"data\":{\"secret_id\":\"\"}}",
		"{\"data\":{\"secret_id\":5}}", "{\"data\":{\"secret_id\":\"a b\"}}",
		"{\"data\":{\"secret_id\":\"a\\nb\"}}", "{\"data\":{\"secret_id\":\"\\u00fc\"}}",
		"{\"data\":null,\"wrap_info\":{\"token\":\"s.x\"}}",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		fake_http_reply(UNWRAP, 200, bodies[i]);
		ck_assert_msg(unwrap_path(MADE_AT(PATH))->why.kind == FAILURE_LOGIN, "%s", bodies[i]);
		ck_assert_uint_eq(unwrapping.got.secret_id.size, 0);
	}
}
END_TEST

START_TEST(a_token_is_of_the_namespace_that_its_number_says)
{
	static const struct {
		const char *token, *namespace;
		bool fits;
	} cases[] = {
		{ "s.abc", NULL, true }, { "s.abc.ns1", NULL, false }, { "s.abc", "root", true },
		{ "s.abc.ns1", "team", true }, { "s.abc", "team", false }, { "s.abc.ns1", "root", false },
		{ "hvs.abc", NULL, true }, { "hvs.abc", "team", true }, { "hvs.abc.ns1", "team", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		ck_assert_msg(is_of_namespace(cases[i].token, cases[i].namespace) == cases[i].fits, "%s",
		    cases[i].token);
	ck_assert_int_eq(unwrap_token("s.abc.ns1")->why.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(unwrapping.got.why.text, "of another namespace"));
	ck_assert_uint_eq(fake_http_count(NULL), 0);
}
END_TEST

START_TEST(the_process_hands_the_secret_id_over_and_ends)
{
	struct channel child;
	struct frame frame = { 0 };
	int sockets[2], status;
	pid_t pid;

	secret_set(&credentials.token, "hvs.wrapping", 12);
	fake_http_reply(LOOKUP, 200, MADE_AT(PATH));
	fake_http_reply(UNWRAP, 200, DATA(""));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	if ((pid = fork()) == 0) {
		close(sockets[0]);
		unwrap_run(sockets[1], &manifest, &credentials);
	}
	close(sockets[1]);
	channel_open(&child, sockets[0]);
	ck_assert_int_eq(channel_receive(&child, &frame, clock_milliseconds() + 20000, &why), 0);
	ck_assert(wire_take_unwrapped(&frame, &unwrapping.got));
	ck_assert_str_eq(unwrapping.got.secret_id.bytes, "0a1b-2c3d");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	frame_clear(&frame);
	channel_close(&child);
}
END_TEST

START_TEST(a_secret_id_that_nobody_takes_ends_the_process_with_5)
{
	int sockets[2], status;
	pid_t pid;

	secret_set(&credentials.token, "hvs.wrapping", 12);
	fake_http_reply(LOOKUP, 200, MADE_AT(PATH));
	fake_http_reply(UNWRAP, 200, DATA(""));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	close(sockets[0]);
	if ((pid = fork()) == 0)
		unwrap_run(sockets[1], &manifest, &credentials);
	close(sockets[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_BROKEN);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("unwrap");

	tcase_set_timeout(tests, 20);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_token_is_looked_up_and_then_unwrapped_once);
	tcase_add_test(tests, a_secret_id_without_an_end_or_a_limit_has_none);
	tcase_add_test(tests, a_life_beyond_all_calendars_is_cut);
	tcase_add_test(tests, a_token_made_at_another_path_is_not_unwrapped);
	tcase_add_test(tests, a_token_that_vault_does_not_know_is_a_possible_interception);
	tcase_add_test(tests, a_lookup_that_says_nothing_about_the_token_spends_nothing);
	tcase_add_test(tests, an_unwrapping_without_an_answer_is_not_repeated);
	tcase_add_test(tests, what_is_no_secret_id_is_none);
	tcase_add_test(tests, a_token_is_of_the_namespace_that_its_number_says);
	tcase_add_test(tests, the_process_hands_the_secret_id_over_and_ends);
	tcase_add_test(tests, a_secret_id_that_nobody_takes_ends_the_process_with_5);
	return run_tests("unwrap", tests);
}
