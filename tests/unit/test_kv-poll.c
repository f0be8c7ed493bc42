/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "kv-poll.c"
#include "support/fake_vault.h"
#include "support/runner.h"

#define METADATA "{\"current_version\":%d,\"versions\":{\"%d\":{\"created_time\":\"2026-01-02T03:04:05Z\"}}}"
#define GONE "{\"errors\":[]}"

static size_t good, bad;
static char *made[64];
static size_t made_count;

static void
set_up(void)
{
	fake_vault_open();
}

static void
tear_down(void)
{
	for (size_t i = 0; i < made_count; i++)
		free(made[i]);
	fake_vault_close();
}

static const char *
keep(char *text)
{
	return made[made_count++] = text;
}

static const char *
metadata(int version)
{
	char *inner = memory_format(METADATA, version, version);
	const char *whole = keep(memory_format("{\"data\":%s}", inner));

	free(inner);
	return whole;
}

/* A page with the keys k000, k001, …, each of version 1. */
static const char *
page(int first, int count)
{
	struct secret keys = { 0 }, infos = { 0 };
	const char *whole;

	for (int i = first; i < first + count; i++) {
		char *key = memory_format("%s\"k%03d\"", i != first ? "," : "", i);
		char *info = memory_format("%s:" METADATA, key, 1, 1);

		secret_append(&keys, key, strlen(key));
		secret_append(&infos, info, strlen(info));
		free(key);
		free(info);
	}
	whole = keep(memory_format("{\"data\":{\"keys\":[%s],\"key_info\":{%s}}}",
	    keys.bytes != NULL ? keys.bytes : "", infos.bytes != NULL ? infos.bytes : ""));
	secret_clear(&keys);
	secret_clear(&infos);
	return whole;
}

static void
note(void *context, struct kv_item *item, const struct failure *failure)
{
	(void)context;
	(void)item;
	if (failure == NULL) {
		good++;
	} else {
		why = *failure;
		bad++;
	}
}

static int
poll_all(void)
{
	good = bad = 0;
	return kv_poll(&fake_kv, fake_list, fake_item_count, note, NULL, &why);
}

START_TEST(one_certificate_in_a_directory_is_asked_for_by_itself)
{
	struct kv_item *item = fake_item("certs/a", KV_2);

	fake_http_reply("/v1/secret/metadata/certs/a", 200, metadata(4));
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(item->newest.number, 4);
	ck_assert_uint_eq(fake_http_count(NULL), 1);
}
END_TEST

START_TEST(several_are_found_in_one_page)
{
	fake_item("certs/k001", KV_2);
	fake_item("certs/k000", KV_2);
	fake_http_reply("detailed-metadata/certs/?list=true&limit=200&after=k00", 200, page(0, 2));
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 2);
	ck_assert_uint_eq(fake_items[0].newest.number, 1);
	ck_assert_uint_eq(fake_http_count(NULL), 1);
}
END_TEST

START_TEST(directories_and_lone_ones_are_asked_for_together)
{
	fake_item("certs/k000", KV_2);
	fake_item("certs/k001", KV_2);
	fake_item("certs/sub/k001", KV_2);
	fake_item("k000", KV_2);
	fake_item("k001", KV_2);
	fake_http_reply("detailed-metadata/certs/?", 200, page(0, 2));
	fake_http_reply("detailed-metadata/?", 200, page(0, 2));
	fake_http_reply("metadata/certs/sub/k001", 200, metadata(1));
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 5);
	ck_assert_uint_eq(fake_http_count(NULL), 3);
}
END_TEST

START_TEST(pages_go_on_until_the_last_one_that_is_wanted)
{
	fake_item("certs/k000", KV_2);
	fake_item("certs/k250", KV_2);
	fake_http_reply("after=k00", 200, page(0, 200));
	fake_http_reply("after=k199", 200, page(200, 200));
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 2);
	ck_assert_uint_eq(fake_http_count(NULL), 2);
	ck_assert_uint_eq(fake_learned.count, 0);
}
END_TEST

START_TEST(what_a_listing_does_not_hold_is_asked_for_by_itself)
{
	fake_item("certs/k000", KV_2);
	fake_item("certs/k005", KV_2);
	fake_http_reply("detailed-metadata", 200, page(0, 2));
	fake_http_reply("/v1/secret/metadata/certs/k005", 404, GONE);
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert_uint_eq(bad, 1);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
	ck_assert_str_eq(why.text, "https://vault.test: secret/metadata/certs/k005: there is no such secret");
}
END_TEST

START_TEST(a_listing_that_is_refused_is_noted_and_not_tried_again)
{
	static const long statuses[] = { 403, 404, 405 };

	fake_item("certs/a", KV_2);
	fake_item("certs/b", KV_2);
	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		notes_clear(&fake_learned);
		fake_http_reply("detailed-metadata", statuses[i], GONE);
		for (int j = 0; j < 4; j++)
			fake_http_reply("/v1/secret/metadata/", 200, metadata(1));
		ck_assert_int_eq(poll_all(), 0);
		ck_assert_uint_eq(good, 2);
		ck_assert(fake_learned_note("list kv:secret/certs/", 0));
		ck_assert_int_eq(poll_all(), 0);
		ck_assert_uint_eq(fake_http_count("detailed"), i + 1);
	}
}
END_TEST

START_TEST(a_listing_that_takes_longer_than_its_worth_is_given_up)
{
	fake_item("certs/k000", KV_2);
	fake_item("certs/z", KV_2);
	for (int i = 0; i < 3; i++)
		fake_http_reply("detailed-metadata", 200, page(200 * i, 200));
	fake_http_reply("/v1/secret/metadata/certs/z", 200, metadata(1));
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 2);
	ck_assert(fake_learned_note("list kv:secret/certs/", 0));
}
END_TEST

START_TEST(a_listing_that_goes_in_circles_is_given_up)
{
	fake_item("certs/k000", KV_2);
	fake_item("certs/z", KV_2);
	for (int i = 0; i < 2; i++)
		fake_http_reply("detailed-metadata", 200, page(0, 200));
	fake_http_reply("/v1/secret/metadata/certs/z", 200, metadata(1));
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 2);
	ck_assert_uint_eq(fake_http_count(NULL), 3);
}
END_TEST

START_TEST(a_listing_that_makes_no_sense_is_given_up)
{
	static const char *const pages[] = { "{}", "{\"data\":{\"keys\":5}}", "{\"data\":{\"keys\":[5]}}" };

	fake_item("certs/a", KV_2);
	fake_item("certs/b", KV_2);
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		notes_clear(&fake_learned);
		fake_http_reply("detailed-metadata", 200, pages[i]);
		for (int j = 0; j < 2; j++)
			fake_http_reply("/v1/secret/metadata/", 200, metadata(1));
		ck_assert_int_eq(poll_all(), 0);
		ck_assert_uint_eq(good, 2);
	}
}
END_TEST

START_TEST(metadata_that_is_refused_is_no_failure_yet)
{
	struct kv_item *item = fake_item("certs/a", KV_2);

	fake_http_reply(NULL, 403, GONE);
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert(version_is_none(&item->newest));
	ck_assert(item->metadata_denied);
}
END_TEST

START_TEST(metadata_noted_as_refused_is_not_asked_for)
{
	struct kv_item *item = fake_item("certs/a", KV_2);

	notes_set(&fake_known, "metadata kv:secret/certs/a", 0, FAKE_NOW + 10);
	ck_assert_int_eq(poll_all(), 0);
	ck_assert_uint_eq(good, 1);
	ck_assert(version_is_none(&item->newest) && !item->metadata_denied);
	ck_assert_uint_eq(fake_http_count(NULL), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("kv-poll");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_certificate_in_a_directory_is_asked_for_by_itself);
	tcase_add_test(tests, several_are_found_in_one_page);
	tcase_add_test(tests, directories_and_lone_ones_are_asked_for_together);
	tcase_add_test(tests, pages_go_on_until_the_last_one_that_is_wanted);
	tcase_add_test(tests, what_a_listing_does_not_hold_is_asked_for_by_itself);
	tcase_add_test(tests, a_listing_that_is_refused_is_noted_and_not_tried_again);
	tcase_add_test(tests, a_listing_that_takes_longer_than_its_worth_is_given_up);
	tcase_add_test(tests, a_listing_that_goes_in_circles_is_given_up);
	tcase_add_test(tests, a_listing_that_makes_no_sense_is_given_up);
	tcase_add_test(tests, metadata_that_is_refused_is_no_failure_yet);
	tcase_add_test(tests, metadata_noted_as_refused_is_not_asked_for);
	return run_tests("kv-poll", tests);
}
