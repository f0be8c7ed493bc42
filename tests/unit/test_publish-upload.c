/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "publish-upload.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

#define REPLIES_MOST 16

/* --- A Vault that answers from a list, and remembers what it was asked --- */

static struct {
	long status;
	char *text;	/* JSON; NULL: none */
} replies[REPLIES_MOST];
static size_t reply_count, asked;
static char *requests[REPLIES_MOST];	/* "GET secret/data/certs/NAME" */
static struct secret bodies[REPLIES_MOST];

struct vault {
	int nothing;
};

struct vault *
vault_open(const struct vault_settings *vault_settings, const struct credentials *credentials,
    struct failure *failure)
{
	(void)vault_settings, (void)credentials, (void)failure;
	return memory_new(1, sizeof(struct vault));
}

void
vault_close(struct vault *vault)
{
	free(vault);
}

static int
answer(const struct vault_ask *ask, size_t index, vault_done *done, void *context,
    struct failure *failure)
{
	struct vault_reply reply = { 0 };
	json_t *json = NULL;

	ck_assert_msg(asked < REPLIES_MOST, "asked too often: %s", ask->path);
	requests[asked] = memory_format("%s %s", ask->method, ask->path);
	if (ask->body != NULL)
		secret_set(&bodies[asked], ask->body->bytes, ask->body->size);
	if (asked >= reply_count)
		return failure_set(failure, FAILURE_VAULT, "no answer");
	if (replies[asked].text != NULL)
		reply.json = json = json_loads(replies[asked].text, 0, NULL);
	reply.status = replies[asked].status;
	reply.good = reply.status < 300;
	if (!reply.good)
		failure_set(&reply.why, reply.status == 403 ? FAILURE_DENIED :
		    reply.status == 404 ? FAILURE_ABSENT : FAILURE_VAULT, "%ld: %s", reply.status,
		    replies[asked].text != NULL ? replies[asked].text : "");
	asked++;
	done(context, index, &reply);
	json_decref(json);
	return 0;
}

int
vault_ask(struct vault *vault, const struct vault_ask *asks, size_t count, vault_done *done,
    void *context, struct failure *failure)
{
	(void)vault;
	for (size_t i = 0; i < count; i++)
		if (answer(&asks[i], i, done, context, failure) == -1)
			return -1;
	return 0;
}

static void
reply_with(long status, const char *json)
{
	replies[reply_count].status = status;
	replies[reply_count++].text = memory_text(json);
}

/* --- What is uploaded --- */

static struct manifest manifest;
static struct publish_settings settings = { .manifest = &manifest };
static struct publish_rules rules;
static struct publish_item items[2];
static const size_t one = 1;

static void
make_item(struct publish_item *item, const char *name)
{
	*item = (struct publish_item){ .name = memory_text(name), .step = STEP_METADATA };
	secret_set(&item->material.cert, material.cert.bytes, material.cert.size);
	secret_set(&item->material.chain, material.chain.bytes, material.chain.size);
	secret_set(&item->material.key, material.key.bytes, material.key.size);
	leaf_copy(&item->material.leaf, &material.leaf);
	ck_assert_int_eq(edition_describe(bundle, &material, &item->edition, &why), 0);
}

static void
set_up(void)
{
	fixture_set_up();
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_read();
	make_item(&items[0], "www.example.com");
	make_item(&items[1], "www.example.org");
	manifest.vault.kv_mount = (char *)"secret";
	manifest.agent.critical = 7 * TEST_DAY;
	rules = (struct publish_rules){ .now = TEST_NOW };
	log_open("test", LOG_LEVEL_QUIET);
}

static void
tear_down(void)
{
	publish_item_clear(&items[0]);
	publish_item_clear(&items[1]);
	for (size_t i = 0; i < REPLIES_MOST; i++) {
		free(requests[i]);
		free(replies[i].text);
		secret_clear(&bodies[i]);
	}
	fixture_tear_down();
}

static int
upload(size_t count)
{
	return publish_upload(&settings, &rules, items, count, &why);
}

#define ABSENT "{\"errors\":[]}"
#define VERSION_2 "{\"data\":{\"options\":{\"version\":\"2\"}}}"
#define WRITTEN "{\"data\":{\"version\":5}}"
#define DELETED "{\"data\":{\"current_version\":4,\"versions\":{\"4\":{\"destroyed\":true}}}}"

/* GET metadata of a secret whose newest version is 4; notes NULL: nothing is noted. */
static void
reply_with_metadata(json_t *notes)
{
	json_t *json = json_pack("{s:{s:i, s:{s:{s:s, s:s, s:b}}, s:o?}}", "data",
	    "current_version", 4, "versions", "4", "created_time", "2027-01-01T00:00:00Z",
	    "deletion_time", "", "destroyed", 0, "custom_metadata", notes);
	char *dumped = json_dumps(json, 0);

	reply_with(200, dumped);
	free(dumped);
	json_decref(json);
}

/* GET data of version 4, which holds the item's certificate. */
static void
reply_with_data(const struct publish_item *item)
{
	struct secret body = { 0 };
	json_t *request, *json;
	char *dumped;

	publish_secret_data(&item->material, 3, &body);
	request = json_loadb(body.bytes, body.size, 0, NULL);
	json = json_pack("{s:{s:O, s:{s:i}}}", "data", "data", json_object_get(request, "data"),
	    "metadata", "version", 4);
	reply_with(200, dumped = json_dumps(json, 0));
	free(dumped);
	json_decref(json);
	json_decref(request);
	secret_clear(&body);
}

/* An item's certificate, but begun earlier or later, and with other content. */
static json_t *
notes_of_another(long seconds)
{
	struct edition other = items[0].edition;

	other.leaf.not_before += seconds;
	other.leaf.fingerprint[0] = other.leaf.fingerprint[0] == 'a' ? 'b' : 'a';
	other.content[0] = other.content[0] == 'a' ? 'b' : 'a';
	return publish_notes_write(&other, 4, 2);
}

static json_t *
body_of(size_t index)
{
	json_t *json = json_loadb(bodies[index].bytes, bodies[index].size, 0, NULL);

	ck_assert_ptr_nonnull(json);
	return json;
}

static void
expect_note(size_t index, const char *key, const char *expected)
{
	json_t *body = body_of(index);

	ck_assert_pstr_eq(json_string_value(json_object_get(
	    json_object_get(body, "custom_metadata"), key)), expected);
	json_decref(body);
}

START_TEST(a_new_path_is_written_as_the_first_version)
{
	reply_with(404, ABSENT);
	reply_with(200, VERSION_2);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_str_eq(requests[0], "GET secret/metadata/certs/www.example.com");
	ck_assert_str_eq(requests[1], "GET sys/internal/ui/mounts/secret");
	ck_assert_str_eq(requests[2], "POST secret/data/certs/www.example.com");
	ck_assert_str_eq(requests[3], "POST secret/metadata/certs/www.example.com");
	ck_assert_ptr_nonnull(strstr(bodies[2].bytes, "\"cas\":0"));
	expect_note(3, "fingerprint", items[0].edition.leaf.fingerprint);
	expect_note(3, "version", "5");
	expect_note(3, "key_since", "5");
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
	ck_assert_uint_eq(items[0].version, 5);
}
END_TEST

START_TEST(what_is_noted_of_the_newest_version_is_not_read)
{
	reply_with_metadata(publish_notes_write(&items[0].edition, 4, 4));
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_int_eq(items[0].outcome, OUTCOME_UNCHANGED);
	ck_assert_uint_eq(items[0].version, 4);
	ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(notes_of_an_earlier_version_are_not_believed)
{
	reply_with_metadata(publish_notes_write(&items[0].edition, 3, 3));
	reply_with_data(&items[0]);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_str_eq(requests[1], "GET secret/data/certs/www.example.com");
	ck_assert_str_eq(requests[2], "POST secret/metadata/certs/www.example.com");
	expect_note(2, "version", "4");
	ck_assert_int_eq(items[0].outcome, OUTCOME_UNCHANGED);
}
END_TEST

START_TEST(a_new_version_comes_after_the_one_that_is_noted)
{
	reply_with_metadata(notes_of_another(-TEST_DAY));
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_str_eq(requests[1], "POST secret/data/certs/www.example.com");
	ck_assert_ptr_nonnull(strstr(bodies[1].bytes, "\"cas\":4"));
	expect_note(2, "key_since", "2");
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
}
END_TEST

START_TEST(an_older_certificate_is_refused_and_taken_by_force)
{
	reply_with_metadata(notes_of_another(TEST_DAY));
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].outcome, OUTCOME_FAILED);
	ck_assert_int_eq(items[0].why.kind, FAILURE_REFUSED);
	ck_assert_ptr_nonnull(strstr(items[0].why.text, "no older than the published one"));
	ck_assert_uint_eq(asked, 1);
	items[0].step = STEP_METADATA;
	rules.force = true;
	reply_with_metadata(notes_of_another(TEST_DAY));
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
}
END_TEST

START_TEST(a_deleted_version_is_what_the_check_and_set_names)
{
	reply_with(200, DELETED);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_str_eq(requests[1], "POST secret/data/certs/www.example.com");
	ck_assert_ptr_nonnull(strstr(bodies[1].bytes, "\"cas\":4"));
}
END_TEST

START_TEST(where_metadata_is_denied_the_data_tells)
{
	reply_with(403, NULL);
	reply_with(404, "{\"data\":{\"data\":null,\"metadata\":{\"version\":4}}}");
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_ptr_nonnull(strstr(bodies[2].bytes, "\"cas\":4"));
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
}
END_TEST

START_TEST(a_404_without_a_body_is_a_new_path)
{
	reply_with(404, NULL);
	reply_with(403, NULL);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
}
END_TEST

START_TEST(a_mount_of_version_1_gets_no_key)
{
	reply_with(404, ABSENT);
	reply_with(200, "{\"data\":{\"options\":{\"version\":\"1\"}}}");
	ck_assert_int_eq(upload(one), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_str_eq(why.text,
	    "expected secret to be a KV mount of version 2, found version 1");
	ck_assert_int_eq(items[0].outcome, OUTCOME_FAILED);
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(a_mount_that_is_known_is_not_asked_about)
{
	manifest.vault.kv_version = KV_2;
	reply_with(404, ABSENT);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
}
END_TEST

START_TEST(kv_version_1_is_not_written)
{
	manifest.vault.kv_version = KV_1;
	ck_assert_int_eq(upload(one), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_uint_eq(asked, 0);
}
END_TEST

#define CONFLICT "{\"errors\":[\"check-and-set parameter did not match\"]}"

START_TEST(what_came_in_between_is_looked_at_again)
{
	reply_with_metadata(notes_of_another(-TEST_DAY));
	reply_with(400, CONFLICT);
	reply_with_metadata(publish_notes_write(&items[0].edition, 4, 4));
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_int_eq(items[0].outcome, OUTCOME_UNCHANGED);
	ck_assert_uint_eq(asked, 3);
}
END_TEST

START_TEST(three_versions_that_come_in_between_are_enough)
{
	for (int i = 0; i < TRIES_MOST; i++) {
		reply_with(200, DELETED);
		reply_with(400, CONFLICT);
	}
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].why.kind, FAILURE_REFUSED);
	ck_assert_ptr_nonnull(strstr(items[0].why.text, "published meanwhile, 3 times: run again"));
	ck_assert_uint_eq(asked, 6);
}
END_TEST

START_TEST(an_answer_without_a_version_is_a_failure)
{
	reply_with(200, DELETED);
	reply_with(204, NULL);
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].why.kind, FAILURE_VAULT);
}
END_TEST

START_TEST(one_that_is_denied_does_not_hold_up_the_other)
{
	reply_with(403, NULL);
	reply_with(200, DELETED);
	reply_with(403, NULL);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(upload(2) == 0, "%s", why.text);
	ck_assert_int_eq(items[0].why.kind, FAILURE_DENIED);
	ck_assert_int_eq(items[1].outcome, OUTCOME_PUBLISHED);
}
END_TEST

START_TEST(no_answer_is_the_failure_of_all_that_were_not_done)
{
	reply_with_metadata(publish_notes_write(&items[0].edition, 4, 4));
	ck_assert_int_eq(upload(2), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
	ck_assert_int_eq(items[1].why.kind, FAILURE_VAULT);
}
END_TEST

START_TEST(notes_that_are_refused_fail_after_the_certificate_was_published)
{
	reply_with(200, DELETED);
	reply_with(200, WRITTEN);
	reply_with(403, NULL);
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].why.kind, FAILURE_DENIED);
	ck_assert_ptr_nonnull(strstr(items[0].why.text,
	    "is published, its custom_metadata is not: 403"));
}
END_TEST

START_TEST(a_dry_run_only_reads)
{
	rules.dry_run = true;
	reply_with(404, ABSENT);
	reply_with(200, VERSION_2);
	ck_assert_msg(upload(one) == 0, "%s", why.text);
	ck_assert_int_eq(items[0].outcome, OUTCOME_PUBLISHED);
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(a_duplicate_is_compared_but_never_written)
{
	items[0].duplicate = memory_text("www.example.com-0001");
	reply_with_metadata(notes_of_another(-TEST_DAY));
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].why.kind, FAILURE_REFUSED);
	ck_assert_ptr_nonnull(strstr(items[0].why.text, "--cert-name www.example.com-0001)"));
	items[0].step = STEP_METADATA;
	reply_with_metadata(publish_notes_write(&items[0].edition, 4, 4));
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].outcome, OUTCOME_UNCHANGED);
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(nobody_is_asked_about_items_that_failed_before)
{
	failure_set(&why, FAILURE_SETUP, "cert.pem is missing");
	publish_item_fail(&items[0], &why);
	ck_assert_int_eq(upload(one), 0);
	ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(answers_that_are_none_are_failures_and_nothing_is_written)
{
	static const struct { long status; const char *metadata; } cases[] = {
		{ 405, ABSENT }, { 200, "{\"data\":{\"current_version\":\"4\"}}" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		items[0].why.kind = FAILURE_NONE;
		items[0].step = STEP_METADATA;
		reply_with(cases[i].status, cases[i].metadata);
		ck_assert_int_eq(upload(one), 0);
		ck_assert_int_eq(items[0].why.kind, FAILURE_VAULT);
	}
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(data_that_is_none_is_a_failure_and_nothing_is_written)
{
	reply_with(403, ABSENT);
	reply_with(200, "{\"data\":{\"metadata\":{\"version\":\"4\"}}}");
	ck_assert_int_eq(upload(one), 0);
	ck_assert_int_eq(items[0].why.kind, FAILURE_VAULT);
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(a_certificate_whose_notes_got_no_answer_is_published_all_the_same)
{
	reply_with(200, DELETED);
	reply_with(200, WRITTEN);
	ck_assert_int_eq(upload(one), -1);
	ck_assert_int_eq(items[0].why.kind, FAILURE_VAULT);
	ck_assert_ptr_nonnull(strstr(items[0].why.text, "is published, its custom_metadata is not: no answer"));
	ck_assert_uint_eq(items[0].version, 5);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-upload");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_new_path_is_written_as_the_first_version);
	tcase_add_test(tests, what_is_noted_of_the_newest_version_is_not_read);
	tcase_add_test(tests, notes_of_an_earlier_version_are_not_believed);
	tcase_add_test(tests, a_new_version_comes_after_the_one_that_is_noted);
	tcase_add_test(tests, an_older_certificate_is_refused_and_taken_by_force);
	tcase_add_test(tests, a_deleted_version_is_what_the_check_and_set_names);
	tcase_add_test(tests, where_metadata_is_denied_the_data_tells);
	tcase_add_test(tests, a_404_without_a_body_is_a_new_path);
	tcase_add_test(tests, a_mount_of_version_1_gets_no_key);
	tcase_add_test(tests, a_mount_that_is_known_is_not_asked_about);
	tcase_add_test(tests, kv_version_1_is_not_written);
	tcase_add_test(tests, what_came_in_between_is_looked_at_again);
	tcase_add_test(tests, three_versions_that_come_in_between_are_enough);
	tcase_add_test(tests, an_answer_without_a_version_is_a_failure);
	tcase_add_test(tests, one_that_is_denied_does_not_hold_up_the_other);
	tcase_add_test(tests, no_answer_is_the_failure_of_all_that_were_not_done);
	tcase_add_test(tests, notes_that_are_refused_fail_after_the_certificate_was_published);
	tcase_add_test(tests, a_dry_run_only_reads);
	tcase_add_test(tests, a_duplicate_is_compared_but_never_written);
	tcase_add_test(tests, nobody_is_asked_about_items_that_failed_before);
	tcase_add_test(tests, answers_that_are_none_are_failures_and_nothing_is_written);
	tcase_add_test(tests, data_that_is_none_is_a_failure_and_nothing_is_written);
	tcase_add_test(tests, a_certificate_whose_notes_got_no_answer_is_published_all_the_same);
	return run_tests("publish-upload", tests);
}
