/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "state-json.c"
#include "support/runner.h"

static void
fill_certificate(struct state *state)
{
	struct owned *owned = state_add(state, "www.example.test");
	const struct output copy = { .part = PART_KEY, .path = (char *)"/etc/ssl/www.key", .copy = true,
		.device = 64769, .inode = UINT64_MAX, .born = 1790000000123456789 };
	const struct output link = { .part = PART_CHAIN, .path = (char *)"/etc/ssl/chain.pem" };

	owned->generation = 4;
	owned->intent = 5;
	owned->passed = 3;
	owned->candidate = 6;
	owned->deleting = true;
	owned->judged_by = memory_text("names www.example.test");
	owned_add_output(owned, &copy);
	owned_add_output(owned, &link);
	words_add(&owned->services, "nginx");
	owned->refused = (struct refusal){ .version = { 8, "2026-11-23T18:00:00Z" },
		.source = memory_text("kv:x"), .judged_by = memory_text("names any"),
		.time = 1790000000, .retry = 1790000001, .critical = true };
	owned->quarantine = (struct quarantine){ .version = { 9, "2026-11-24T18:00:00Z" },
		.until = 1790000002, .pause = 7200, .critical = true };
	owned->offered = (struct version){ 10, "2026-11-25T18:00:00Z" };
	owned_set_problem(owned, PROBLEM_QUARANTINED, "service nginx: exit status 1", 1790000003);
	owned->next_try = 1790000004;
}

static void
fill_service(struct state *state)
{
	struct service service = { .name = (char *)"nginx", .unit = (char *)"nginx.service",
		.own_active = true, .own_reload = true, .verify_host = (char *)"127.0.0.1",
		.verify_port = (char *)"443", .verify_sni = (char *)"www.example.test",
		.verify_starttls = STARTTLS_IMAP, .timeout = 30 };
	struct known_service *known;

	words_add(&service.active, "/bin/true");
	words_add(&service.test, "/usr/sbin/nginx");
	words_add(&service.test, "-t");
	words_add(&service.reload, "/bin/reload");
	words_add(&service.active_sysv, "/bin/sysv-active");
	words_add(&service.reload_sysv, "/bin/sysv-reload");
	known = state_add_service(state, &service);
	known->owed = known->failed = known->inactive = known->unmanaged = true;
	known->last_reload = 1790000005;
	known->serving = memory_text("abcd");
	known->error = memory_text("test: exit status 1");
	words_clear(&service.active);
	words_clear(&service.test);
	words_clear(&service.reload);
	words_clear(&service.active_sysv);
	words_clear(&service.reload_sysv);
}

static struct state
full_state(void)
{
	struct state state = { .last_success = 1790000006, .credentials = memory_text("ok"),
		.address = memory_text("https://vault.example.test:8200"), .wrapped = {
			.token = memory_text("00ff"), .error = memory_text("it is lost"),
			.file = memory_text("/etc/certlet/secret-id"), .digest = memory_text("11ee"),
			.begins = 1790000008, .expires = 1790000009,
		} };

	fill_certificate(&state);
	fill_service(&state);
	notes_set(&state.notes, "kv-version secret", 2, 1790000007);
	words_add(&state.metrics_files, "/var/lib/node-exporter/certlet.prom");
	(void)state_add_adopted(&state, &(struct adopted){ .path = memory_text("/etc/ssl/www.key"),
	    .kept = memory_text("1-privkey.pem"), .digest = "22ff", .owner = 33, .group = 42,
	    .mode = 0640 });
	return state;
}

static int
decode(const char *text, struct state *out_state, struct failure *why)
{
	return state_decode(text, strlen(text), out_state, why);
}

START_TEST(what_is_encoded_is_decoded_the_same)
{
	struct state state = full_state(), found;
	struct failure why;
	char *text = state_encode(&state), *again;
	const struct owned *owned;
	const struct known_service *known;

	if (decode(text, &found, &why) == -1)
		ck_abort_msg("%s", why.text);
	again = state_encode(&found);
	ck_assert_str_eq(text, again);
	/* And it is not the same only because both forgot the same. */
	owned = state_find(&found, "www.example.test");
	ck_assert_uint_eq(owned->generation + owned->intent + owned->passed + owned->candidate, 18);
	ck_assert(owned->deleting && owned->refused.critical && owned->quarantine.critical);
	ck_assert_uint_eq(owned->output_count, 2);
	ck_assert(owned->outputs[0].inode == UINT64_MAX && owned->outputs[0].copy);
	ck_assert(owned->outputs[0].device == 64769 && owned->outputs[0].born == 1790000000123456789);
	ck_assert(owned->outputs[1].part == PART_CHAIN && !owned->outputs[1].copy);
	ck_assert_str_eq(owned->error, "service nginx: exit status 1");
	ck_assert_int_eq(owned->problem, PROBLEM_QUARANTINED);
	ck_assert_int_eq(owned->quarantine.pause, 7200);
	ck_assert_int_eq(owned->refused.time, 1790000000);
	ck_assert_int_eq(owned->refused.retry, 1790000001);
	ck_assert_str_eq(owned->refused.judged_by, "names any");
	ck_assert_int_eq(owned->next_try, 1790000004);
	ck_assert_uint_eq(owned->offered.number, 10);
	known = state_find_service(&found, "nginx");
	ck_assert(known->owed && known->failed && known->inactive && known->unmanaged);
	ck_assert_int_eq(known->service.verify_starttls, STARTTLS_IMAP);
	ck_assert_str_eq(known->service.test.items[1], "-t");
	ck_assert_str_eq(known->service.verify_sni, "www.example.test");
	ck_assert_str_eq(known->serving, "abcd");
	ck_assert_uint_eq(found.notes.items[0].value, 2);
	ck_assert_int_eq(found.last_success, 1790000006);
	ck_assert_str_eq(found.credentials, "ok");
	ck_assert_str_eq(found.address, "https://vault.example.test:8200");
	ck_assert(words_contain(&found.metrics_files, "/var/lib/node-exporter/certlet.prom"));
	ck_assert_uint_eq(found.adopted_count, 1);
	ck_assert_str_eq(found.adopted[0].path, "/etc/ssl/www.key");
	ck_assert_str_eq(found.adopted[0].kept, "1-privkey.pem");
	ck_assert_str_eq(found.adopted[0].digest, "22ff");
	ck_assert_uint_eq(found.adopted[0].owner + found.adopted[0].group, 75);
	ck_assert_uint_eq(found.adopted[0].mode, 0640);
	ck_assert_str_eq(found.wrapped.token, "00ff");
	ck_assert_str_eq(found.wrapped.error, "it is lost");
	ck_assert_str_eq(found.wrapped.file, "/etc/certlet/secret-id");
	ck_assert_str_eq(found.wrapped.digest, "11ee");
	ck_assert_int_eq(found.wrapped.begins, 1790000008);
	ck_assert_int_eq(found.wrapped.expires, 1790000009);
	free(text);
	free(again);
	state_clear(&state);
	state_clear(&found);
}
END_TEST

START_TEST(the_empty_state_is_short)
{
	const struct state none = { 0 };
	struct state found;
	struct failure why;
	char *text = state_encode(&none);

	ck_assert_str_eq(text, "{\"schema\":1}\n");
	ck_assert_int_eq(decode(text, &found, &why), 0);
	ck_assert_uint_eq(found.certificate_count, 0);
	free(text);
	state_clear(&found);
}
END_TEST

START_TEST(members_and_words_of_a_later_version_do_no_harm)
{
	struct state found;
	struct failure why;

	ck_assert_int_eq(decode("{\"schema\":1,\"colour\":{},\"certificates\":[{\"name\":\"a\","
	    "\"problem\":\"bored\",\"generation\":3,\"mood\":1}]}", &found, &why), 0);
	ck_assert_int_eq(state_find(&found, "a")->problem, PROBLEM_NONE);
	ck_assert_uint_eq(state_find(&found, "a")->generation, 3);
	state_clear(&found);
}
END_TEST

START_TEST(a_note_on_nothing_is_left_out)
{
	struct failure why = { 0 };
	struct state found;

	ck_assert_int_eq(decode("{\"schema\":1,\"notes\":[{\"subject\":\"\",\"value\":2}]}", &found, &why), 0);
	ck_assert_uint_eq(found.notes.count, 0);
	state_clear(&found);
}
END_TEST

START_TEST(what_is_broken_is_told_and_nothing_is_taken_from_it)
{
	static const struct { const char *text, *words; } cases[] = {
		{ "", "line 1" },
		{ "{\"schema\":1", "line 1" },
		{ "{}", "schema 0" },
		{ "{\"schema\":2}", "schema 2" },
		{ "[1]", "schema 0" },
		{ "{\"schema\":1,\"schema\":1}", "line 1" },
		{ "{\"schema\":1,\"certificates\":{}}", "\"certificates\"" },
		{ "{\"schema\":1,\"certificates\":[{}]}", "\"name\"" },
		{ "{\"schema\":1,\"certificates\":[{\"name\":\"../x\"}]}", "\"name\"" },
		{ "{\"schema\":1,\"certificates\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "\"name\"" },
		{ "{\"schema\":1,\"certificates\":[7]}", "\"name\"" },
		{ "{\"schema\":1,\"certificates\":[{\"name\":\"a\",\"generation\":-1}]}", "\"generation\"" },
		{ "{\"schema\":1,\"certificates\":[{\"name\":\"a\",\"outputs\":[{\"path\":\"x\"}]}]}", "\"path\"" },
		{ "{\"schema\":1,\"adopted\":[{\"path\":\"x\",\"kept\":\"1-a\"}]}", "\"path\"" },
		{ "{\"schema\":1,\"adopted\":[{\"path\":\"/x\",\"kept\":\"../a\"}]}", "\"kept\"" },
		{ "{\"schema\":1,\"metrics_files\":[\"x\"]}", "\"metrics_files\"" },
		{ "{\"schema\":1,\"certificates\":[{\"name\":\"a\",\"services\":[1]}]}", "\"services\"" },
		{ "{\"schema\":1,\"services\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "\"name\"" },
		{ "{\"schema\":1,\"services\":[{\"test\":[]}]}", "\"name\"" },
		{ "{\"schema\":1,\"services\":[{\"name\":\"\"}]}", "\"name\"" },
		{ "{\"schema\":1,\"last_success\":5}", "\"last_success\"" },
		{ "{\"schema\":1,\"wrapped\":{\"file\":\"a\",\"digest\":\"b\"}}", "\"file\"" },
		{ "{\"schema\":1,\"wrapped\":{\"file\":\"/a\"}}", "\"file\"" },
		{ "{\"schema\":1,\"wrapped\":{\"digest\":\"b\"}}", "\"file\"" },
		{ "{\"schema\":1,\"wrapped\":{\"expires\":5}}", "\"expires\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct failure why = { 0 };
		struct state found;

		ck_assert_msg(decode(cases[i].text, &found, &why) == -1, "%s", cases[i].text);
		ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
		ck_assert_msg(strstr(why.text, cases[i].words) != NULL, "%s: %s", cases[i].text, why.text);
	}
}
END_TEST

START_TEST(a_starttls_of_a_later_version_is_none)
{
	struct state found;
	struct failure why;

	ck_assert_int_eq(decode("{\"schema\":1,\"services\":[{\"name\":\"mail\",\"unit\":\"mail.service\","
	    "\"verify_starttls\":99}]}", &found, &why), 0);
	ck_assert_int_eq(state_find_service(&found, "mail")->service.verify_starttls, STARTTLS_NONE);
	state_clear(&found);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("state-json");

	tcase_add_test(tests, what_is_encoded_is_decoded_the_same);
	tcase_add_test(tests, the_empty_state_is_short);
	tcase_add_test(tests, members_and_words_of_a_later_version_do_no_harm);
	tcase_add_test(tests, a_note_on_nothing_is_left_out);
	tcase_add_test(tests, what_is_broken_is_told_and_nothing_is_taken_from_it);
	tcase_add_test(tests, a_starttls_of_a_later_version_is_none);
	return run_tests("state-json", tests);
}
