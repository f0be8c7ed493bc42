/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "publish-secret.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

static struct published there;
static struct edition edition;

static void
set_up(void)
{
	fixture_set_up();
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_read();
	ck_assert_int_eq(edition_describe(bundle, &material, &edition, &why), 0);
}

static void
tear_down(void)
{
	edition_clear(&edition);
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
	struct edition other;

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	ck_assert_uint_eq(there.version, 3);
	ck_assert(published_holds(&there, &edition));
	ck_assert(!there.noted);
	secret_append(&material.chain, "\n", 1);
	ck_assert_int_eq(edition_describe(bundle, &material, &other, &why), 0);
	ck_assert(!published_holds(&there, &other));
	edition_clear(&other);
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
	ck_assert(!published_holds(&there, &edition));
	json_decref(answer);
}
END_TEST

START_TEST(another_layout_is_said_to_be_broken)
{
	json_t *answer = json_pack("{s:{s:{s:s, s:i}, s:{s:i}}}", "data", "data", "tls.crt", "x",
	    "cert", 5, "metadata", "version", 1);

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	ck_assert_int_eq(there.broken.kind, FAILURE_REFUSED);
	ck_assert(!published_holds(&there, &edition));
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

/* What GET metadata says of version 4, with these notes. */
static int
read_metadata(json_t *take_notes, const char *deletion_time)
{
	json_t *data = json_pack("{s:i, s:{s:{s:s, s:s, s:b}}, s:o}", "current_version", 4,
	    "versions", "4", "created_time", "2027-01-01T00:00:00Z",
	    "deletion_time", deletion_time, "destroyed", 0, "custom_metadata", take_notes);
	const int result = published_read_metadata(data, TEST_NOW, &there, &why);

	json_decref(data);
	return result;
}

START_TEST(notes_of_the_newest_version_say_what_it_is)
{
	ck_assert_int_eq(read_metadata(publish_notes_write(&edition, 4, 2), ""), 0);
	ck_assert_uint_eq(there.version, 4);
	ck_assert(there.noted);
	ck_assert(published_holds(&there, &edition));
}
END_TEST

START_TEST(notes_of_another_version_say_nothing)
{
	ck_assert_int_eq(read_metadata(publish_notes_write(&edition, 3, 2), ""), 0);
	ck_assert(!there.noted);
	ck_assert(!published_holds(&there, &edition));
}
END_TEST

START_TEST(notes_of_a_deleted_version_say_nothing)
{
	ck_assert_int_eq(read_metadata(publish_notes_write(&edition, 4, 2),
	    "2027-01-02T00:00:00Z"), 0);
	ck_assert_uint_eq(there.version, 4);
	ck_assert_str_eq(there.created, "");
	ck_assert(!there.noted);
}
END_TEST

START_TEST(metadata_without_a_version_is_no_answer)
{
	json_t *data = json_object();

	ck_assert_int_eq(published_read_metadata(data, TEST_NOW, &there, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
	json_decref(data);
}
END_TEST

static const char *
note(const json_t *request, const char *key)
{
	return json_string_value(json_object_get(json_object_get(request, "custom_metadata"), key));
}

static json_t *
notes_of_version(uint64_t version)
{
	struct secret body = { 0 };
	json_t *request;

	publish_secret_notes(&there, &edition, version, &body);
	request = json_loadb(body.bytes, body.size, 0, NULL);
	secret_clear(&body);
	return request;
}

START_TEST(notes_keep_what_others_noted)
{
	json_t *answer = answer_with_version(1), *request;

	ck_assert_int_eq(published_read(answer, &there, &why), 0);
	request = notes_of_version(1);
	ck_assert_uint_eq(json_object_size(json_object_get(request, "custom_metadata")), 11);
	ck_assert_str_eq(note(request, "contact"), "web team");
	ck_assert_str_eq(note(request, "fingerprint"), material.leaf.fingerprint);
	ck_assert_str_eq(note(request, "serial"), material.leaf.serial);
	ck_assert_str_eq(note(request, "issuer"), material.leaf.issuer);
	ck_assert_str_eq(note(request, "not_before"), "2027-01-14T08:00:00Z");
	ck_assert_str_eq(note(request, "not_after"), "2027-04-14T08:00:00Z");
	ck_assert_str_eq(note(request, "names"), "www.example.com");
	ck_assert_str_eq(note(request, "version"), "1");
	json_decref(request);
	json_decref(answer);
}
END_TEST

static void
expect_key_since(uint64_t version, const char *expected)
{
	json_t *request = notes_of_version(version);

	ck_assert_str_eq(note(request, "key_since"), expected);
	json_decref(request);
}

START_TEST(a_key_is_followed_over_the_versions)
{
	/* nothing was there */
	expect_key_since(1, "1");
	/* the same key, which was there in version 2 already */
	ck_assert_int_eq(read_metadata(publish_notes_write(&edition, 4, 2), ""), 0);
	expect_key_since(5, "2");
	/* another key */
	there.edition.key_id[0] = 'x';
	json_object_set_new(there.notes, "key_id", json_string(there.edition.key_id));
	expect_key_since(5, "5");
	published_clear(&there);
	/* the same key, of which nothing is noted */
	there.version = 4;
	memcpy(there.edition.key_id, edition.key_id, sizeof(edition.key_id));
	expect_key_since(5, "4");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-secret");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_secret_has_four_fields_and_a_check_and_set);
	tcase_add_test(tests, without_a_chain_the_field_is_empty);
	tcase_add_test(tests, what_was_written_is_recognised);
	tcase_add_test(tests, a_deleted_version_counts_but_holds_nothing);
	tcase_add_test(tests, another_layout_is_said_to_be_broken);
	tcase_add_test(tests, an_answer_without_a_version_is_no_kv_version_2);
	tcase_add_test(tests, notes_of_the_newest_version_say_what_it_is);
	tcase_add_test(tests, notes_of_another_version_say_nothing);
	tcase_add_test(tests, notes_of_a_deleted_version_say_nothing);
	tcase_add_test(tests, metadata_without_a_version_is_no_answer);
	tcase_add_test(tests, notes_keep_what_others_noted);
	tcase_add_test(tests, a_key_is_followed_over_the_versions);
	return run_tests("publish-secret", tests);
}
