/* SPDX-License-Identifier: ISC */
#include "publish-repository.c"
#include "support/fake_http.h"
#include "support/runner.h"

#define NOW ((time_t)1800000000)
#define EMPTY "{\"errors\":[]}"
#define VERSION_2 "{\"data\":{\"options\":{\"version\":\"2\"}}}"
#define INFO(version, notes) "{\"current_version\":" version ",\"versions\":{\"" version \
	"\":{\"created_time\":\"2027-01-01T00:00:00Z\",\"deletion_time\":\"\",\"destroyed\":false}}," \
	"\"custom_metadata\":" notes "}"
#define NOTES(version) "{\"not_after\":\"2027-04-14T08:00:00Z\",\"version\":\"" version "\"}"
#define DELETED "{\"current_version\":2,\"versions\":{\"2\":{\"destroyed\":true}}}"

static struct manifest manifest;
static struct publish_settings settings = { .manifest = &manifest };
static struct repository repository;
static struct failure why;

static void
set_up(void)
{
	words_add(&manifest.vault.addresses, "https://vault.test");
	manifest.vault.auth = AUTH_TOKEN;
	manifest.vault.kv_mount = (char *)"secret";
	manifest.vault.timeout = manifest.vault.deadline = 10;
	secret_set(&settings.credentials.token, "s.given", 7);
	log_open("test", LOG_LEVEL_QUIET);
}

static void
tear_down(void)
{
	repository_clear(&repository);
	words_clear(&manifest.vault.addresses);
	credentials_clear(&settings.credentials);
}

static int
read_all(void)
{
	return repository_read(&settings, NOW, &repository, &why);
}

static void
expect_item(size_t index, const char *name, uint64_t version, bool known)
{
	ck_assert_uint_lt(index, repository.count);
	ck_assert_str_eq(repository.items[index].name, name);
	ck_assert_uint_eq(repository.items[index].version, version);
	ck_assert_int_eq(repository.items[index].why.kind == FAILURE_NONE, known);
}

START_TEST(one_list_tells_of_all)
{
	fake_http_reply("detailed-metadata/certs/?list=true&limit=200", 200,
	    "{\"data\":{\"keys\":[\"b\",\"a\"],\"key_info\":{\"b\":" INFO("3", NOTES("3"))
	    ",\"a\":" INFO("1", NOTES("1")) "}}}");
	ck_assert_msg(read_all() == 0, "%s", why.text);
	ck_assert_uint_eq(repository.count, 2);
	ck_assert(repository.whole);
	expect_item(0, "a", 1, true);
	expect_item(1, "b", 3, true);
	ck_assert_int_eq(repository.items[0].notes.edition.leaf.not_after, 1807689600);
	ck_assert_uint_eq(fake_http_count(NULL), 1);
}
END_TEST

START_TEST(where_it_is_denied_each_is_asked_for)
{
	fake_http_reply("/detailed-metadata/", 403, EMPTY);
	fake_http_reply("/metadata/certs/?list=true", 200,
	    "{\"data\":{\"keys\":[\"a\",\"team/\"]}}");
	fake_http_reply("/detailed-metadata/certs/team/", 403, EMPTY);
	fake_http_reply("/metadata/certs/a", 200, "{\"data\":" INFO("2", NOTES("2")) "}");
	fake_http_reply("/metadata/certs/team/?list=true", 200, "{\"data\":{\"keys\":[\"b\"]}}");
	fake_http_reply("/metadata/certs/team/b", 200, "{\"data\":" INFO("4", "null") "}");
	ck_assert_msg(read_all() == 0, "%s", why.text);
	ck_assert_uint_eq(repository.count, 2);
	expect_item(0, "a", 2, true);
	expect_item(1, "team/b", 4, false);
	ck_assert_ptr_nonnull(strstr(repository.items[1].why.text, "nothing is noted"));
	ck_assert(repository.whole);
	ck_assert_uint_eq(fake_http_count("/data/"), 0);
}
END_TEST

START_TEST(pages_follow_one_another)
{
	char *page = memory_text("{\"data\":{\"key_info\":{},\"keys\":["), *longer;

	for (int i = 0; i < KV_PAGE_KEYS; i++) {
		longer = memory_format("%s%s\"n%03d/\"", page, i == 0 ? "" : ",", i);
		free(page);
		page = longer;
	}
	longer = memory_format("%s]}}", page);
	free(page);
	fake_http_reply("certs/?list=true&limit=200", 200, longer);
	fake_http_reply("certs/?list=true&limit=200&after=n199/", 200, longer);
	for (int i = 0; i < 4 * KV_PAGE_KEYS; i++)
		fake_http_reply("/certs/n", 404, EMPTY);
	fake_http_reply("sys/internal/ui/mounts/secret", 200, VERSION_2);
	ck_assert_msg(read_all() == 0, "%s", why.text);
	/* the second page ends where the first did, and nobody asks for a third */
	ck_assert_uint_eq(fake_http_count("certs/?list"), 2);
	free(longer);
}
END_TEST

START_TEST(notes_of_another_version_are_told_not_to_fit)
{
	fake_http_reply(NULL, 200, "{\"data\":{\"keys\":[\"a\",\"b\"],\"key_info\":{\"a\":"
	    INFO("3", NOTES("2")) ",\"b\":" DELETED "}}}");
	ck_assert_msg(read_all() == 0, "%s", why.text);
	expect_item(0, "a", 3, false);
	ck_assert_ptr_nonnull(strstr(repository.items[0].why.text, "what is noted is version 2"));
	expect_item(1, "b", 2, true);
	ck_assert(repository.items[1].deleted);
}
END_TEST

START_TEST(nothing_is_fine_on_a_mount_of_version_2)
{
	fake_http_reply("/detailed-metadata/", 404, EMPTY);
	fake_http_reply("sys/internal/ui/mounts/secret", 200, VERSION_2);
	ck_assert_msg(read_all() == 0, "%s", why.text);
	ck_assert_uint_eq(repository.count, 0);
}
END_TEST

START_TEST(a_list_that_is_denied_is_no_empty_one)
{
	fake_http_reply("/detailed-metadata/", 403, EMPTY);
	fake_http_reply("/metadata/", 403, EMPTY);
	ck_assert_int_eq(read_all(), -1);
	ck_assert_int_eq(why.kind, FAILURE_DENIED);
}
END_TEST

START_TEST(a_mount_that_is_not_there_is_no_empty_one)
{
	fake_http_reply("/detailed-metadata/", 404, "{\"errors\":[\"no handler for route\"]}");
	fake_http_reply("/metadata/", 404, "{\"errors\":[\"no handler for route\"]}");
	ck_assert_int_eq(read_all(), -1);
	ck_assert_int_eq(why.kind, FAILURE_ABSENT);
}
END_TEST

START_TEST(what_is_denied_below_is_named)
{
	fake_http_reply("/detailed-metadata/certs/?", 200,
	    "{\"data\":{\"keys\":[\"a\",\"team/\"],\"key_info\":{}}}");
	fake_http_reply("/detailed-metadata/certs/team/", 403, EMPTY);
	fake_http_reply("/metadata/certs/a", 403, EMPTY);
	fake_http_reply("/metadata/certs/team/?list=true", 403, EMPTY);
	ck_assert_msg(read_all() == 0, "%s", why.text);
	expect_item(0, "a", 0, false);
	expect_item(1, "team/", 0, false);
	ck_assert(!repository.whole);
}
END_TEST

START_TEST(metadata_that_is_none_is_told_of_that_one)
{
	fake_http_reply("detailed-metadata/certs/", 200, "{\"data\":{\"keys\":[\"a\",\"b\"],\"key_info\":{"
	    "\"a\":{\"current_version\":\"3\"},\"b\":" INFO("1", NOTES("1")) "}}}");
	fake_http_reply("/metadata/certs/a", 200, "{\"data\":{\"current_version\":\"3\"}}");
	(void)read_all();
	ck_assert_uint_eq(repository.count, 2);
	expect_item(0, "a", 0, false);
	expect_item(1, "b", 1, true);
	ck_assert(!repository.whole);
}
END_TEST

START_TEST(an_answer_without_a_list_is_no_empty_one)
{
	fake_http_reply("/detailed-metadata/", 403, EMPTY);
	fake_http_reply("/metadata/certs/?list=true", 200, "{\"data\":{}}");
	ck_assert_int_eq(read_all(), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
	ck_assert_ptr_nonnull(strstr(why.text, "expected a list of names below secret/metadata/certs/"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-repository");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_list_tells_of_all);
	tcase_add_test(tests, where_it_is_denied_each_is_asked_for);
	tcase_add_test(tests, pages_follow_one_another);
	tcase_add_test(tests, notes_of_another_version_are_told_not_to_fit);
	tcase_add_test(tests, nothing_is_fine_on_a_mount_of_version_2);
	tcase_add_test(tests, a_list_that_is_denied_is_no_empty_one);
	tcase_add_test(tests, a_mount_that_is_not_there_is_no_empty_one);
	tcase_add_test(tests, what_is_denied_below_is_named);
	tcase_add_test(tests, metadata_that_is_none_is_told_of_that_one);
	tcase_add_test(tests, an_answer_without_a_list_is_no_empty_one);
	return run_tests("publish-repository", tests);
}
