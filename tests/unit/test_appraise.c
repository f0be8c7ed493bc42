/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "appraise.c"
#include "support/make_certificate.h"
#include "support/runner.h"

static const struct agent_settings agent = { .critical = 7 * TEST_DAY };
static const struct version offered = { 7, "2026-01-02T03:04:05Z" };
static struct entry entry = { .source = (char *)"kv:secret/certs/www" };
static struct kv_item item = { .entry = &entry, .version = KV_2 };
static struct question question;
static struct answer answer;
static struct made made;
static struct failure why;

static void
set_up(void)
{
	const time_t now = time(NULL);
	const struct wish wish = { .not_before = now - TEST_DAY, .not_after = now + 80 * TEST_DAY };

	made = make_certificate(wish, NULL);
	words_add(&entry.names, "www.example.com");
}

static void
tear_down(void)
{
	made_clear(&made);
	answer_clear(&answer);
	leaf_clear(&question.leaf);
	secret_clear(&question.trust);
	question = (struct question){ 0 };
	words_clear(&entry.names);
}

static int
appraise(const char *cert_field)
{
	struct secret cert = { 0 }, key = { 0 };
	json_t *data;
	int result;

	pem_add_certificate(&cert, made.certificate);
	pem_add_key(&key, made.key);
	data = json_pack("{s:s,s:s}", cert_field, cert.bytes, "privkey", key.bytes);
	answer_clear(&answer);
	result = appraise_secret(&agent, &question, &item, &offered, data, &answer, &why);
	json_decref(data);
	secret_clear(&cert);
	secret_clear(&key);
	return result;
}

START_TEST(a_good_secret_becomes_material)
{
	ck_assert_msg(appraise("cert") == 0, "%s", why.text);
	ck_assert_uint_ne(answer.material.cert.size, 0);
	ck_assert_uint_ne(answer.material.key.size, 0);
	ck_assert(words_contain(&answer.material.leaf.names, "www.example.com"));
}
END_TEST

START_TEST(every_refusal_names_source_and_version)
{
	static const char start[] = "kv:secret/certs/www, version 7: ";

	ck_assert_int_eq(appraise("elsewhere"), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_ptr_eq(strstr(why.text, start), why.text);
	words_add(&entry.names, "api.example.com");
	ck_assert_int_eq(appraise("cert"), -1);
	ck_assert_ptr_eq(strstr(why.text, start), why.text);
	item.version = KV_1;
	ck_assert_int_eq(appraise("cert"), -1);
	ck_assert_ptr_null(strstr(why.text, "version"));
}
END_TEST

START_TEST(any_name_will_do_when_the_manifest_says_so)
{
	words_add(&entry.names, "api.example.com");
	entry.any_name = true;
	ck_assert_msg(appraise("cert") == 0, "%s", why.text);
}
END_TEST

START_TEST(a_step_back_is_refused_for_the_same_source_and_taken_by_force)
{
	question.installed = (struct version){ 9, "2026-05-02T03:04:05Z" };
	question.have_leaf = true;
	memset(question.leaf.fingerprint, 'b', FINGERPRINT_BYTES - 1);
	question.leaf.not_before = time(NULL) - 2 * TEST_DAY;
	question.leaf.not_after = time(NULL) + 70 * TEST_DAY;
	ck_assert_int_eq(appraise("cert"), -1);
	question.force = true;
	ck_assert_msg(appraise("cert") == 0, "%s", why.text);
	question.force = false;
	question.installed = (struct version){ 0 };
	ck_assert_msg(appraise("cert") == 0, "%s", why.text);
}
END_TEST

START_TEST(a_trust_file_without_its_root_refuses)
{
	const struct made other = make_certificate((struct wish){ .subject = "another root", .ca = true,
	    .not_after = time(NULL) + 80 * TEST_DAY, .not_before = time(NULL) - TEST_DAY }, NULL);

	question.has_trust = true;
	pem_add_certificate(&question.trust, other.certificate);
	ck_assert_int_eq(appraise("cert"), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	made_clear((struct made *)&other);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("appraise");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_good_secret_becomes_material);
	tcase_add_test(tests, every_refusal_names_source_and_version);
	tcase_add_test(tests, any_name_will_do_when_the_manifest_says_so);
	tcase_add_test(tests, a_step_back_is_refused_for_the_same_source_and_taken_by_force);
	tcase_add_test(tests, a_trust_file_without_its_root_refuses);
	return run_tests("appraise", tests);
}
