/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "kv-reply.c"
#include "support/runner.h"

#define NOW 1790000000	/* 2026-09-21 */

static struct version version;
static const json_t *data;
static struct failure why;
static json_t *json;

static void
tear_down(void)
{
	json_decref(json);
}

static const json_t *
parse(const char *text)
{
	json_decref(json);
	json = json_loads(text, 0, NULL);
	ck_assert_msg(json != NULL, "%s", text);
	return json;
}

static int
metadata(const char *of_version)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "{\"current_version\":3,\"versions\":{\"2\":{},\"3\":{%s}},"
	    "\"current_metadata_version\":7}", of_version);
	return kv_reply_metadata(parse(text), NOW, &version, &why);
}

START_TEST(the_newest_version_comes_from_the_metadata)
{
	ck_assert_int_eq(metadata("\"created_time\":\"2026-01-02T03:04:05.678Z\",\"deletion_time\":\"\","
	    "\"destroyed\":false"), 0);
	ck_assert_uint_eq(version.number, 3);
	ck_assert_str_eq(version.created, "2026-01-02T03:04:05.678Z");
}
END_TEST

START_TEST(a_deletion_counts_when_its_time_has_come)
{
	ck_assert_int_eq(metadata("\"created_time\":\"2026-01-02T03:04:05Z\",\"deletion_time\":"
	    "\"2036-01-02T03:04:05Z\""), 0);
	ck_assert_int_eq(metadata("\"created_time\":\"2026-01-02T03:04:05Z\",\"deletion_time\":"
	    "\"2026-02-02T03:04:05.5Z\""), -1);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
	ck_assert_str_eq(why.text, "deleted in version 3 on 2026-02-02T03:04:05Z");
	ck_assert_int_eq(metadata("\"destroyed\":true"), -1);
	ck_assert_str_eq(why.text, "version 3 is destroyed");
}
END_TEST

START_TEST(metadata_of_no_version_is_absence)
{
	ck_assert_int_eq(kv_reply_metadata(parse("{\"current_version\":0,\"versions\":{}}"), NOW, &version,
	    &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
}
END_TEST

START_TEST(metadata_that_makes_no_sense_is_no_absence)
{
	static const char *const bad[] = {
		"{}", "[]", "{\"current_version\":\"3\"}", "{\"current_version\":3}",
		"{\"current_version\":3,\"versions\":[]}", "{\"current_version\":3,\"versions\":{\"3\":5}}",
		"{\"current_version\":3,\"versions\":{\"3\":{\"created_time\":5}}}",
		"{\"current_version\":-1,\"versions\":{\"-1\":{\"created_time\":\"2026-01-02T03:04:05Z\"}}}",
		"{\"current_version\":3,\"versions\":{\"3\":{\"created_time\":\"yesterday\"}}}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		ck_assert_msg(kv_reply_metadata(parse(bad[i]), NOW, &version, &why) == -1, "%s", bad[i]);
		ck_assert_msg(why.kind == FAILURE_VAULT, "%s", bad[i]);
	}
	ck_assert_int_eq(kv_reply_metadata(NULL, NOW, &version, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
}
END_TEST

START_TEST(a_secret_has_a_version_and_content)
{
	ck_assert_int_eq(kv_reply_data(parse("{\"data\":{\"data\":{\"cert\":\"x\"},\"metadata\":{\"version\":2,"
	    "\"created_time\":\"2026-01-02T03:04:05.6+02:00\",\"deletion_time\":\"2036-01-01T00:00:00Z\"}}}"),
	    &version, &data, &why), 0);
	ck_assert_uint_eq(version.number, 2);
	ck_assert_str_eq(json_string_value(json_object_get(data, "cert")), "x");
}
END_TEST

START_TEST(a_secret_without_content_is_absent_and_one_without_metadata_is_nonsense)
{
	ck_assert_int_eq(kv_reply_data(parse("{\"data\":{\"data\":null,\"metadata\":{\"version\":2,"
	    "\"created_time\":\"2026-01-02T03:04:05Z\"}}}"), &version, &data, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
	ck_assert_int_eq(kv_reply_data(parse("{\"data\":{\"cert\":\"x\"}}"), &version, &data, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
	ck_assert_int_eq(kv_reply_data(parse("{\"data\":null}"), &version, &data, &why), -1);
	ck_assert_int_eq(kv_reply_data(NULL, &version, &data, &why), -1);
}
END_TEST

START_TEST(the_version_of_a_v1_secret_is_its_content_whatever_the_order)
{
	struct version other;

	ck_assert_int_eq(kv_reply_data_v1(parse("{\"lease_duration\":5,\"data\":{\"a\":\"1\",\"b\":\"2\"}}"),
	    &version, &data, &why), 0);
	ck_assert_uint_eq(version.number, 0);
	ck_assert_uint_eq(strlen(version.created), strlen("sha256:") + 64);
	ck_assert_int_eq(kv_reply_data_v1(parse("{\"data\":{\"b\":\"2\",  \"a\":\"1\"}}"), &other, &data, &why), 0);
	ck_assert(version_equal(&version, &other));
	ck_assert_int_eq(kv_reply_data_v1(parse("{\"data\":{\"b\":\"2\",\"a\":\"3\"}}"), &other, &data, &why), 0);
	ck_assert(!version_equal(&version, &other));
	ck_assert_int_eq(kv_reply_data_v1(parse("{\"data\":null}"), &other, &data, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
}
END_TEST

static const char *
absent(const char *text)
{
	const struct vault_reply reply = { .status = 404, .json = text != NULL ? parse(text) : NULL };

	kv_reply_absent(&reply, &why);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
	return why.text;
}

START_TEST(each_shape_of_404_has_words_of_its_own)
{
	ck_assert_str_eq(absent("{\"errors\":[]}"), "there is no such secret");
	ck_assert_str_eq(absent(NULL), "there is no such secret");
	ck_assert_str_eq(absent("{\"errors\":[\"no handler for route \\\"x\\\". route entry not found.\"]}"),
	    "no such mount or namespace");
	ck_assert_str_eq(absent("{\"warnings\":[\"Invalid path for a versioned K/V secrets engine. See\"]}"),
	    "the mount is of KV version 2, and was asked as 1");
	ck_assert_str_eq(absent("{\"data\":{\"data\":null,\"metadata\":{\"version\":4,\"destroyed\":false,"
	    "\"deletion_time\":\"2026-01-02T03:04:05.1Z\"}}}"), "deleted in version 4 on 2026-01-02T03:04:05Z");
	ck_assert_str_eq(absent("{\"data\":{\"metadata\":{\"version\":4,\"destroyed\":true}}}"),
	    "version 4 is destroyed");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("kv-reply");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, the_newest_version_comes_from_the_metadata);
	tcase_add_test(tests, a_deletion_counts_when_its_time_has_come);
	tcase_add_test(tests, metadata_of_no_version_is_absence);
	tcase_add_test(tests, metadata_that_makes_no_sense_is_no_absence);
	tcase_add_test(tests, a_secret_has_a_version_and_content);
	tcase_add_test(tests, a_secret_without_content_is_absent_and_one_without_metadata_is_nonsense);
	tcase_add_test(tests, the_version_of_a_v1_secret_is_its_content_whatever_the_order);
	tcase_add_test(tests, each_shape_of_404_has_words_of_its_own);
	return run_tests("kv-reply", tests);
}
