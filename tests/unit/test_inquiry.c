/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "inquiry.c"
#include "support/fake_http.h"
#include "support/make_certificate.h"
#include "support/runner.h"

#define CREATED "2026-01-02T03:04:05Z"
#define PREFLIGHT "{\"data\":{\"options\":{\"version\":\"2\"}}}"

static struct manifest manifest = {
	.vault = { .timeout = 5, .deadline = 20, .auth = AUTH_TOKEN },
	.agent = { .critical = 7 * TEST_DAY },
};
static struct entry entry = {
	.mount = (char *)"secret", .path = (char *)"certs/www", .source = (char *)"kv:secret/certs/www",
	.kv_version = KV_2,
};
static struct credentials credentials;
static struct notes notes;
static struct channel child;
static struct frame frame;
static struct answer answers[4];
static size_t answer_count;
static struct fetch_summary summary;
static pid_t pid;
static const struct version v1 = { 1, CREATED }, v2 = { 2, CREATED };

static void
set_up(void)
{
	words_add(&manifest.vault.addresses, "https://vault.test");
	words_add(&entry.names, "www.example.com");
	secret_set(&credentials.token, "s.given", 7);
	manifest.entries = &entry;
	manifest.entry_count = 1;
}

static void
tear_down(void)
{
	for (size_t i = 0; i < answer_count; i++)
		answer_clear(&answers[i]);
	fetch_summary_clear(&summary);
	frame_clear(&frame);
	credentials_clear(&credentials);
	words_clear(&manifest.vault.addresses);
	words_clear(&entry.names);
}

/* A child that has the replies of fake_http; its requests are seen by their effect alone. */
static void
start_child(void)
{
	int sockets[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	if ((pid = fork()) == 0) {
		close(sockets[0]);
		inquiry_run(sockets[1], &manifest, &credentials, &notes);
	}
	close(sockets[1]);
	channel_open(&child, sockets[0]);
}

static void
ask(const struct question *question)
{
	const long end = clock_milliseconds() + 20000;
	struct failure why;
	int status;

	start_child();
	if (question != NULL) {
		wire_put_question(&frame, question);
		ck_assert_int_eq(channel_send(&child, &frame, end, &why), 0);
	}
	frame_begin(&frame, WIRE_GO);
	ck_assert_int_eq(channel_send(&child, &frame, end, &why), 0);
	ck_assert_int_eq(channel_flush(&child, end, &why), 0);
	do {
		ck_assert_msg(channel_receive(&child, &frame, end, &why) == 0, "%s", why.text);
		if (frame.type == WIRE_ANSWER)
			ck_assert(wire_take_answer(&frame, &answers[answer_count++]));
	} while (frame.type == WIRE_ANSWER);
	ck_assert(wire_take_summary(&frame, 1, &summary));
	channel_close(&child);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

static const struct answer *
only_answer(void)
{
	ck_assert_uint_eq(answer_count, 1);
	return &answers[0];
}

static const char *
say(json_t *take_json)
{
	const char *text = json_dumps(take_json, JSON_COMPACT);

	json_decref(take_json);
	return text;
}

/* What GET data gives; a certificate for the names, or nonsense when that is NULL. */
static const char *
data(int version, const char *names)
{
	const struct wish wish = {
		.names = names, .not_before = time(NULL) - TEST_DAY, .not_after = time(NULL) + 80 * TEST_DAY,
	};
	struct secret cert = { 0 }, key = { 0 };
	struct made made = { 0 };
	json_t *json;

	if (names != NULL) {
		made = make_certificate(wish, NULL);
		pem_add_certificate(&cert, made.certificate);
		pem_add_key(&key, made.key);
	}
	json = json_pack("{s:{s:{s:s,s:s},s:{s:i,s:s}}}", "data", "data",
	    "cert", cert.bytes != NULL ? cert.bytes : "junk", "key", key.bytes != NULL ? key.bytes : "junk",
	    "metadata", "version", version, "created_time", CREATED);
	secret_clear(&cert);
	secret_clear(&key);
	made_clear(&made);
	return say(json);
}

static const char *
metadata(int version)
{
	char key[8];

	(void)snprintf(key, sizeof(key), "%d", version);
	return say(json_pack("{s:{s:i,s:{s:{s:s}}}}", "data", "current_version", version,
	    "versions", key, "created_time", CREATED));
}

START_TEST(nothing_asked_is_nothing_done)
{
	ask(NULL);
	ck_assert(summary.let_in);
	ck_assert_uint_eq(summary.requests, 0);
}
END_TEST

START_TEST(a_first_install_reads_the_data_straight_away)
{
	const struct question question = { .entry = 0 };

	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_MATERIAL);
	ck_assert(version_equal(&answers[0].offered, &v2) && version_equal(&answers[0].got, &v2));
	ck_assert_str_eq(answers[0].material.leaf.names.items[0], "www.example.com");
	ck_assert(summary.let_in);
	ck_assert_uint_eq(summary.requests, 1);
	ck_assert_int_eq(summary.address, 0);
	ck_assert_int_eq(summary.away.kind, FAILURE_NONE);
}
END_TEST

START_TEST(what_is_installed_or_spared_is_not_read)
{
	struct question question = { .installed = v2 };

	fake_http_reply("/v1/secret/metadata/certs/www", 200, metadata(2));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_UNCHANGED);
	ck_assert(version_equal(&answers[0].offered, &v2));
	question.installed = v1;
	question.spared[1] = v2;
	ask(&question);
	ck_assert_int_eq(answers[1].kind, ANSWER_UNCHANGED);
}
END_TEST

START_TEST(a_new_version_is_read_and_judged)
{
	const struct question question = { .installed = v1 };

	fake_http_reply("/v1/secret/metadata/certs/www", 200, metadata(2));
	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, "DNS:other.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_REFUSED);
	ck_assert(version_equal(&answers[0].offered, &v2));
	ck_assert_ptr_nonnull(strstr(answers[0].why.text, "https://vault.test: kv:secret/certs/www, version 2: "));
	ck_assert_ptr_nonnull(strstr(answers[0].why.text, "www.example.com"));
	ck_assert_uint_eq(summary.requests, 2);
}
END_TEST

START_TEST(data_is_read_where_metadata_is_refused)
{
	const struct question question = { .installed = v2 };

	fake_http_reply("/v1/secret/metadata/certs/www", 403, "{}");
	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_UNCHANGED);
	ck_assert_uint_eq(summary.notes.count, 1);
	ck_assert_str_eq(summary.notes.items[0].subject, "metadata kv:secret/certs/www");
}
END_TEST

START_TEST(a_refused_read_is_a_failure_of_that_certificate)
{
	const struct question question = { .entry = 0 };

	fake_http_reply("/v1/secret/data/certs/www", 403, "{\"errors\":[\"permission denied\"]}");
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_FAILED);
	ck_assert_int_eq(answers[0].why.kind, FAILURE_DENIED);
	ck_assert_int_eq(summary.away.kind, FAILURE_NONE);
}
END_TEST

START_TEST(what_is_damaged_is_read_at_once)
{
	const struct question question = { .installed = v2, .damaged = true };

	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_MATERIAL);
	ck_assert_uint_eq(summary.requests, 1);
}
END_TEST

START_TEST(what_is_damaged_comes_at_its_own_version_when_the_newest_is_refused)
{
	const struct question question = { .installed = v1, .damaged = true };

	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, NULL));
	fake_http_reply("/v1/secret/data/certs/www?version=1", 200, data(1, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_MATERIAL);
	ck_assert(version_equal(&answers[0].got, &v1) && version_equal(&answers[0].offered, &v2));
	ck_assert_int_eq(answers[0].why.kind, FAILURE_REFUSED);
}
END_TEST

START_TEST(what_is_damaged_comes_at_its_own_version_when_the_newest_is_spared)
{
	const struct question question = { .installed = v1, .spared = { v2 }, .damaged = true };

	fake_http_reply("/v1/secret/metadata/certs/www", 200, metadata(2));
	fake_http_reply("/v1/secret/data/certs/www?version=1", 200, data(1, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_MATERIAL);
	ck_assert(version_equal(&answers[0].got, &v1));
	ck_assert_int_eq(answers[0].why.kind, FAILURE_NONE);
}
END_TEST

START_TEST(an_installed_version_that_is_gone_leaves_the_refusal)
{
	const struct question question = { .installed = v1, .damaged = true };

	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, NULL));
	fake_http_reply("/v1/secret/data/certs/www?version=1", 404, "{\"errors\":[]}");
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_REFUSED);
	ck_assert(version_equal(&answers[0].offered, &v2));
}
END_TEST

START_TEST(an_installed_version_of_the_same_number_but_another_time_is_not_it)
{
	const struct question question = {
		.installed = { 1, "2025-01-02T03:04:05Z" }, .spared = { v2 }, .damaged = true,
	};

	fake_http_reply("/v1/secret/metadata/certs/www", 200, metadata(2));
	fake_http_reply("/v1/secret/data/certs/www?version=1", 200, data(1, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_FAILED);
	ck_assert_ptr_nonnull(strstr(answers[0].why.text, "another one than was installed"));
}
END_TEST

START_TEST(no_answer_at_all_is_told_once)
{
	const struct question question = { .entry = 0 };

	for (int i = 0; i < 3; i++)
		fake_http_fail(NULL, HTTP_UNREACHED);
	ask(&question);
	ck_assert_uint_eq(answer_count, 0);
	ck_assert_int_eq(summary.away.kind, FAILURE_VAULT);
	ck_assert(!summary.let_in);
	ck_assert_int_eq(summary.address, -1);
}
END_TEST

START_TEST(a_login_that_is_refused_is_told_with_the_state_of_the_credentials)
{
	const struct question question = { .entry = 0 };

	manifest.vault.auth = AUTH_APPROLE;
	manifest.vault.auth_mount = (char *)"approle";
	secret_set(&credentials.role_id, "r", 1);
	secret_set(&credentials.secret_id, "s", 1);
	fake_http_reply("login", 400, "{\"errors\":[\"invalid role or secret ID\"]}");
	ask(&question);
	ck_assert_int_eq(summary.away.kind, FAILURE_LOGIN);
	ck_assert_int_eq(summary.credentials, CREDENTIALS_REFUSED);
}
END_TEST

START_TEST(what_is_damaged_comes_at_its_own_version_when_the_newest_is_gone)
{
	const struct question question = { .installed = v1, .damaged = true };

	fake_http_reply("/v1/secret/data/certs/www", 404, "{\"errors\":[]}");
	fake_http_reply("/v1/secret/data/certs/www?version=1", 200, data(1, "DNS:www.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_MATERIAL);
	ck_assert(version_equal(&answers[0].got, &v1) && version_equal(&answers[0].offered, &v1));
	ck_assert_int_eq(answers[0].why.kind, FAILURE_NONE);
}
END_TEST

START_TEST(what_is_damaged_and_was_refused_as_the_newest_is_not_to_be_had)
{
	const struct question question = { .spared = { v2 }, .damaged = true };

	fake_http_reply("/v1/secret/metadata/certs/www", 200, metadata(2));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_FAILED);
	ck_assert_int_eq(answers[0].why.kind, FAILURE_ABSENT);
	ck_assert_ptr_nonnull(strstr(answers[0].why.text, "version 2, all that the repository has, was refused"));
}
END_TEST

START_TEST(an_installed_version_that_is_refused_now_leaves_the_refusal_of_the_newest)
{
	const struct question question = { .installed = v1, .damaged = true };

	fake_http_reply("/v1/secret/data/certs/www", 200, data(2, NULL));
	fake_http_reply("/v1/secret/data/certs/www?version=1", 200, data(1, "DNS:other.example.com"));
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_REFUSED);
	ck_assert(version_equal(&answers[0].offered, &v2));
}
END_TEST

/* What becomes of a child that is told this, and of one whose parent is gone by then. */
static int
end_of_child_told(const struct frame *told, bool go)
{
	const long end = clock_milliseconds() + 20000;
	struct failure why;
	int status;

	start_child();
	ck_assert_int_eq(channel_send(&child, told, end, &why), 0);
	if (go) {
		struct frame more = { .type = WIRE_GO };

		ck_assert_int_eq(channel_send(&child, &more, end, &why), 0);
	}
	ck_assert_int_eq(channel_flush(&child, end, &why), 0);
	channel_close(&child);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(a_child_that_is_told_nonsense_or_left_alone_ends)
{
	const struct question beyond = { .entry = 1 }, good = { .entry = 0 };

	wire_put_question(&frame, &beyond);
	ck_assert_int_eq(end_of_child_told(&frame, true), EXIT_BROKEN);
	frame_begin(&frame, WIRE_QUESTION);
	ck_assert_int_eq(end_of_child_told(&frame, true), EXIT_BROKEN);
	wire_put_question(&frame, &good);
	ck_assert_int_eq(end_of_child_told(&frame, false), EXIT_BROKEN);
	fake_http_reply("/v1/secret/data/certs/www", 404, "{\"errors\":[]}");
	ck_assert_int_eq(end_of_child_told(&frame, true), EXIT_BROKEN);
}
END_TEST

START_TEST(an_installed_version_that_is_not_to_be_had_leaves_what_became_of_the_newest)
{
	const struct question question = { .installed = v1, .damaged = true };

	fake_http_reply("/v1/secret/data/certs/www", 404, "{\"errors\":[]}");
	fake_http_reply("/v1/secret/data/certs/www?version=1", 403, "{\"errors\":[]}");
	ask(&question);
	ck_assert_int_eq(only_answer()->kind, ANSWER_FAILED);
	ck_assert_int_eq(answers[0].why.kind, FAILURE_ABSENT);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("inquiry");

	tcase_set_timeout(tests, 20);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, nothing_asked_is_nothing_done);
	tcase_add_test(tests, a_first_install_reads_the_data_straight_away);
	tcase_add_test(tests, what_is_installed_or_spared_is_not_read);
	tcase_add_test(tests, a_new_version_is_read_and_judged);
	tcase_add_test(tests, data_is_read_where_metadata_is_refused);
	tcase_add_test(tests, a_refused_read_is_a_failure_of_that_certificate);
	tcase_add_test(tests, what_is_damaged_is_read_at_once);
	tcase_add_test(tests, what_is_damaged_comes_at_its_own_version_when_the_newest_is_refused);
	tcase_add_test(tests, what_is_damaged_comes_at_its_own_version_when_the_newest_is_spared);
	tcase_add_test(tests, an_installed_version_that_is_gone_leaves_the_refusal);
	tcase_add_test(tests, an_installed_version_of_the_same_number_but_another_time_is_not_it);
	tcase_add_test(tests, no_answer_at_all_is_told_once);
	tcase_add_test(tests, a_login_that_is_refused_is_told_with_the_state_of_the_credentials);
	tcase_add_test(tests, what_is_damaged_comes_at_its_own_version_when_the_newest_is_gone);
	tcase_add_test(tests, what_is_damaged_and_was_refused_as_the_newest_is_not_to_be_had);
	tcase_add_test(tests, an_installed_version_that_is_refused_now_leaves_the_refusal_of_the_newest);
	tcase_add_test(tests, a_child_that_is_told_nonsense_or_left_alone_ends);
	tcase_add_test(tests, an_installed_version_that_is_not_to_be_had_leaves_what_became_of_the_newest);
	return run_tests("inquiry", tests);
}
