/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "publish-secret.c"
#include "support/bundle_fixture.h"

static struct published there;

static void
set_up(void)
{
	fixture_set_up();
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_read();
}

static void
tear_down(void)
{
	published_clear(&there);
	fixture_tear_down();
}

/* The secret that would be written, as Vault would give it back. */
static json_t *
answer_with_version(uint64_t version)
{
	struct secret body = { 0 };
	json_t *request, *answer;

	publish_secret_data(&material, version - 1, &body);
	request = json_loadb(body.bytes, body.size, 0, NULL);
	answer = json_pack("{s:{s:O, s:{s:I, s:{s:s}}}}", "data",
	    "data", json_object_get(request, "data"), "metadata", "version", (json_int_t)version,
	    "custom_metadata", "contact", "web team");
	json_decref(request);
	secret_clear(&body);
	return answer;
}

START_TEST(the_secret_has_four_fields_and_a_check_and_set)
{
	struct secret body = { 0 };
	const char *fullchain;
	json_t *request, *data;

	publish_secret_data(&material, 7, &body);
	request = json_loadb(body.bytes, body.size, 0, NULL);
	data = json_object_get(request, "data");
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(request, "options"),
	    "cas")), 7);
	ck_assert_uint_eq(json_object_size(data), 4);
	ck_assert_str_eq(json_string_value(json_object_get(data, "cert")), material.cert.bytes);
	ck_assert_str_eq(json_string_value(json_object_get(data, "chain")), material.chain.bytes);
	ck_assert_str_eq(json_string_value(json_object_get(data, "privkey")), material.key.bytes);
	fullchain = json_string_value(json_object_get(data, "fullchain"));
	ck_assert_uint_eq(strlen(fullchain), material.cert.size + material.chain.size);
	ck_assert_str_eq(fullchain + material.cert.size, material.chain.bytes);
	json_decref(request);
	secret_clear(&body);
}
END_TEST

START_TEST(without_a_chain_the_field_is_empty)
{
	struct secret body = { 0 };
	json_t *request, *data;

	secret_clear(&material.chain);
	secret_set(&material.chain, "", 0);
	publish_secret_data(&material, 0, &body);
	request = json_loadb(body.bytes, body.size, 0, NULL);
	data = json_object_get(request, "data");
	ck_assert_str_eq(json_string_value(json_object_get(data, "chain")), "");
	ck_assert_str_eq(json_string_value(json_object_get(data, "fullchain")),
	    material.cert.bytes);
	json_decref(request);
	secret_clear(&body);
}
END_TEST

START_TEST(what_was_written_is_recognised)
{
	json_t *answer = answer_with_version(3);

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	ck_assert_uint_eq(there.version, 3);
	ck_assert(published_holds(&there, &material));
	ck_assert(!published_notes(&there, &material.leaf));
	secret_append(&material.chain, "\n", 1);
	ck_assert(!published_holds(&there, &material));
	json_decref(answer);
}
END_TEST

START_TEST(a_deleted_version_counts_but_holds_nothing)
{
	json_t *answer = json_pack("{s:{s:n, s:{s:i, s:s, s:n}}}", "data", "data",
	    "metadata", "version", 4, "deletion_time", "2026-11-23T00:00:00Z", "custom_metadata");

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	ck_assert_uint_eq(there.version, 4);
	ck_assert_int_eq(there.broken.kind, FAILURE_NONE);
	ck_assert(!published_holds(&there, &material));
	json_decref(answer);
}
END_TEST

START_TEST(another_layout_is_said_to_be_broken)
{
	json_t *answer = json_pack("{s:{s:{s:s, s:i}, s:{s:i}}}", "data", "data", "tls.crt", "x",
	    "cert", 5, "metadata", "version", 1);

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	ck_assert_int_eq(there.broken.kind, FAILURE_REFUSED);
	ck_assert(!published_holds(&there, &material));
	json_decref(answer);
}
END_TEST

START_TEST(an_answer_without_a_version_is_no_kv_version_2)
{
	static const char *const answers[] = {
		"{}", "{\"data\":null}", "{\"data\":{\"cert\":\"x\"}}",
		"{\"data\":{\"metadata\":{\"version\":\"1\"}}}",
		"{\"data\":{\"metadata\":{\"version\":-1}}}",
	};

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		json_t *answer = json_loads(answers[i], 0, NULL);

		ck_assert_int_eq(published_read(answer, &there, &why), -1);
		ck_assert_int_eq(why.kind, FAILURE_VAULT);
		json_decref(answer);
	}
}
END_TEST

START_TEST(notes_keep_what_others_noted)
{
	json_t *answer = answer_with_version(1), *request, *notes;
	struct secret body = { 0 };

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	publish_secret_notes(&there, &material.leaf, &body);
	request = json_loadb(body.bytes, body.size, 0, NULL);
	notes = json_object_get(request, "custom_metadata");
	ck_assert_uint_eq(json_object_size(notes), 6);
	ck_assert_str_eq(json_string_value(json_object_get(notes, "contact")), "web team");
	ck_assert_str_eq(json_string_value(json_object_get(notes, "fingerprint")),
	    material.leaf.fingerprint);
	ck_assert_str_eq(json_string_value(json_object_get(notes, "serial")), material.leaf.serial);
	ck_assert_str_eq(json_string_value(json_object_get(notes, "not_before")),
	    "2027-01-14T08:00:00Z");
	ck_assert_str_eq(json_string_value(json_object_get(notes, "not_after")),
	    "2027-04-14T08:00:00Z");
	ck_assert_str_eq(json_string_value(json_object_get(notes, "names")), "www.example.com");
	json_decref(there.notes);
	there.notes = json_incref(notes);
	ck_assert(published_notes(&there, &material.leaf));
	json_decref(request);
	json_decref(answer);
	secret_clear(&body);
}
END_TEST

START_TEST(names_are_noted_whole_and_counted_where_there_is_no_room)
{
	struct words names = { 0 };
	char *joined;

	ck_assert_str_eq(joined = join_names(&names), "");
	free(joined);
	for (int i = 0; i < 50; i++)
		words_add(&names, "0123456789.0123456789");
	joined = join_names(&names);
	ck_assert_uint_le(strlen(joined), NOTE_BYTES_MOST);
	ck_assert_str_eq(strrchr(joined, ' '), " +28");
	ck_assert_uint_eq(strlen(joined), 22 * 22 - 1 + 4);
	free(joined);
	words_clear(&names);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("publish-secret");
	TCase *tests = tcase_create("publish-secret");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_secret_has_four_fields_and_a_check_and_set);
	tcase_add_test(tests, without_a_chain_the_field_is_empty);
	tcase_add_test(tests, what_was_written_is_recognised);
	tcase_add_test(tests, a_deleted_version_counts_but_holds_nothing);
	tcase_add_test(tests, another_layout_is_said_to_be_broken);
	tcase_add_test(tests, an_answer_without_a_version_is_no_kv_version_2);
	tcase_add_test(tests, notes_keep_what_others_noted);
	tcase_add_test(tests, names_are_noted_whole_and_counted_where_there_is_no_room);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
