/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "kv.c"
#include "support/fake_vault.h"
#include "support/runner.h"

#define V2 "{\"data\":{\"type\":\"kv\",\"options\":{\"version\":\"2\"}}}"
#define SECRET "{\"data\":{\"data\":{\"cert\":\"x\"},\"metadata\":{\"version\":7,\"created_time\":\"2026-01-02T03:04:05Z\"}}}"
#define VERSIONED "{\"warnings\":[\"Invalid path for a versioned K/V secrets engine. See the API docs\"]}"

static struct version got;
static size_t good, bad;

static void
set_up(void)
{
	fake_vault_open();
}

static void
tear_down(void)
{
	fake_vault_close();
}

static int
detect(void)
{
	return kv_detect(&fake_kv, fake_list, fake_item_count, &why);
}

START_TEST(the_manifest_and_notes_spare_the_question)
{
	fake_item("a", KV_AUTO);
	fake_item("b", KV_AUTO);
	fake_entries[0].kv_version = KV_1;
	notes_set(&fake_known, "kv-version secret", 2, FAKE_NOW + 10);
	ck_assert_int_eq(detect(), 0);
	ck_assert_int_eq(fake_items[0].version, KV_1);
	ck_assert_int_eq(fake_items[1].version, KV_2);
	ck_assert_uint_eq(fake_http_count(NULL), 0);
}
END_TEST

START_TEST(each_mount_is_asked_about_once_and_noted)
{
	fake_item("a", KV_AUTO);
	fake_item("b", KV_AUTO);
	fake_item("c", KV_AUTO);
	fake_entries[2].mount = (char *)"old";
	fake_entries[2].namespace = (char *)"team";
	fake_http_reply("ui/mounts/secret", 200, V2);
	fake_http_reply("ui/mounts/old", 200, "{\"data\":{\"type\":\"kv\",\"options\":null}}");
	ck_assert_int_eq(detect(), 0);
	ck_assert_int_eq(fake_items[1].version, KV_2);
	ck_assert_int_eq(fake_items[2].version, KV_1);
	ck_assert_str_eq(fake_http_request(1)->namespace, "team");
	ck_assert(fake_learned_note("kv-version secret", 2));
	ck_assert(fake_learned_note("kv-version team/old", 1));
	ck_assert_int_eq(detect(), 0);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
}
END_TEST

START_TEST(a_trial_tells_when_the_preflight_is_refused)
{
	static const struct { long status; const char *body; enum kv_version version; bool noted; } trials[] = {
		{ 200, "{\"data\":{\"cert\":\"x\"}}", KV_1, true },
		{ 404, VERSIONED, KV_2, true },
		{ 404, "{\"errors\":[]}", KV_1, false },
		{ 403, "{\"errors\":[\"permission denied\"]}", KV_2, false },
	};

	fake_item("certs/a", KV_AUTO);
	for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
		fake_http_reply("ui/mounts/secret", 403, "{}");
		fake_http_reply("/v1/secret/certs/a", trials[i].status, trials[i].body);
		ck_assert_int_eq(detect(), 0);
		ck_assert_int_eq(fake_items[0].version, trials[i].version);
		ck_assert_int_eq(fake_learned.count != 0, trials[i].noted);
		notes_clear(&fake_learned);
	}
}
END_TEST

static void
note(void *context, struct kv_item *item, const struct version *version, const json_t *data,
    const struct failure *failure)
{
	(void)context;
	(void)item;
	if (failure == NULL) {
		ck_assert(json_is_object(data));
		got = *version;
		good++;
	} else {
		why = *failure;
		bad++;
	}
}

static int
read_all(void)
{
	good = bad = 0;
	return kv_read(&fake_kv, fake_list, fake_item_count, note, NULL, &why);
}

START_TEST(a_secret_is_read_with_its_version)
{
	fake_item("certs/a", KV_2);
	fake_http_reply("/v1/secret/data/certs/a", 200, SECRET);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(got.number, 7);
	ck_assert_uint_eq(fake_learned.count, 0);
}
END_TEST

START_TEST(an_older_version_is_asked_for_by_its_number)
{
	fake_item("a", KV_2)->number = 5;
	fake_http_reply(NULL, 200, SECRET);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_str_eq(fake_http_request(0)->url, "https://vault.test/v1/secret/data/a?version=5");
}
END_TEST

START_TEST(a_policy_without_metadata_is_noted_once_the_data_was_given)
{
	fake_item("a", KV_2)->metadata_denied = true;
	fake_http_reply(NULL, 403, "{}");
	fake_http_reply(NULL, 200, SECRET);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_int_eq(why.kind, FAILURE_DENIED);
	ck_assert_uint_eq(fake_learned.count, 0);
	ck_assert_int_eq(read_all(), 0);
	ck_assert(fake_learned_note("metadata kv:secret/a", 0));
}
END_TEST

START_TEST(one_that_fails_does_not_hold_up_the_other_and_says_where)
{
	fake_item("a", KV_2);
	fake_item("b", KV_2);
	fake_http_reply("data/a", 404, "{\"errors\":[]}");
	fake_http_reply("data/b", 200, SECRET);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(bad, 1);
	ck_assert_str_eq(why.text, "https://vault.test: secret/data/a: there is no such secret");
}
END_TEST

START_TEST(a_v1_secret_is_asked_for_without_data_and_a_wrong_guess_is_corrected)
{
	fake_item("a", KV_1);
	fake_http_reply("/v1/secret/a", 200, "{\"data\":{\"cert\":\"x\"}}");
	ck_assert_int_eq(read_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(got.number, 0);
	fake_http_reply("/v1/secret/a", 404, VERSIONED);
	ck_assert_int_eq(read_all(), 0);
	ck_assert_uint_eq(bad, 1);
	ck_assert(fake_learned_note("kv-version secret", 2));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("kv");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_manifest_and_notes_spare_the_question);
	tcase_add_test(tests, each_mount_is_asked_about_once_and_noted);
	tcase_add_test(tests, a_trial_tells_when_the_preflight_is_refused);
	tcase_add_test(tests, a_secret_is_read_with_its_version);
	tcase_add_test(tests, an_older_version_is_asked_for_by_its_number);
	tcase_add_test(tests, a_policy_without_metadata_is_noted_once_the_data_was_given);
	tcase_add_test(tests, one_that_fails_does_not_hold_up_the_other_and_says_where);
	tcase_add_test(tests, a_v1_secret_is_asked_for_without_data_and_a_wrong_guess_is_corrected);
	return run_tests("kv", tests);
}
