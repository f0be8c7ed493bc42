/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "wire.c"
#include "support/runner.h"
#include "support/answers.h"

static struct frame frame;
static struct answer answer, got;
static struct fetch_summary summary, told;

static void
set_up(void)
{
	answer = good_answer();
	summary = (struct fetch_summary){ .let_in = true, .address = 1, .requests = 3,
	    .credentials = CREDENTIALS_OK };
}

static void
tear_down(void)
{
	frame_clear(&frame);
	answer_clear(&answer);
	answer_clear(&got);
	fetch_summary_clear(&summary);
	fetch_summary_clear(&told);
}

static bool
passes(void)
{
	answer_clear(&got);
	wire_put_answer(&frame, &answer);
	return wire_take_answer(&frame, &got);
}

static bool
is_told(void)
{
	fetch_summary_clear(&told);
	wire_put_summary(&frame, &summary);
	return wire_take_summary(&frame, 2, &told);
}

START_TEST(a_question_comes_out_as_it_went_in)
{
	struct question question = { .entry = 5, .damaged = true, .have_leaf = true, .has_trust = true };
	struct question out;

	question.installed = (struct version){ 7, "2026-01-02T03:04:05.678Z" };
	question.spared[1] = (struct version){ 0, "sha256:00ff" };
	leaf_copy(&question.leaf, &answer.material.leaf);
	secret_set(&question.trust, "PEM", 3);
	wire_put_question(&frame, &question);
	ck_assert(wire_take_question(&frame, &out));
	ck_assert_uint_eq(out.entry, 5);
	ck_assert(version_equal(&out.installed, &question.installed));
	ck_assert(version_equal(&out.spared[1], &question.spared[1]));
	ck_assert(out.damaged && !out.force && out.have_leaf && out.has_trust);
	ck_assert_uint_eq(out.leaf.names.count, question.leaf.names.count);
	ck_assert_str_eq(out.leaf.names.items[0], question.leaf.names.items[0]);
	ck_assert_str_eq(out.trust.bytes, "PEM");
	clear_question(&question);
	clear_question(&out);
}
END_TEST

START_TEST(an_answer_comes_out_as_it_went_in)
{
	answer.notice = memory_text("an older certificate");
	answer.retry = 1800000000;
	ck_assert(passes());
	ck_assert_uint_eq(got.entry, 3);
	ck_assert_int_eq(got.kind, ANSWER_MATERIAL);
	ck_assert(version_equal(&got.got, &answer.got));
	ck_assert(secret_equal(&got.material.key, &answer.material.key));
	ck_assert(secret_equal(&got.material.cert, &answer.material.cert));
	ck_assert_uint_eq(got.material.chain.size, 0);
	ck_assert_str_eq(got.material.leaf.issuer, "CN=\xc3\x9c");
	ck_assert_str_eq(got.notice, "an older certificate");
	ck_assert_int_eq(got.retry, 1800000000);
}
END_TEST

START_TEST(a_frame_that_is_cut_anywhere_is_no_answer)
{
	ck_assert(passes());
	for (size_t size = 0; size < frame.bytes.size; size++) {
		struct frame cut = { .type = WIRE_ANSWER };
		struct answer none = { 0 };

		secret_set(&cut.bytes, frame.bytes.bytes, size);
		ck_assert_msg(!wire_take_answer(&cut, &none), "%zu", size);
		frame_clear(&cut);
	}
}
END_TEST

START_TEST(a_frame_with_a_byte_too_many_or_of_another_type_is_no_answer)
{
	wire_put_answer(&frame, &answer);
	secret_append(&frame.bytes, "x", 1);
	ck_assert(!wire_take_answer(&frame, &got));
	wire_put_answer(&frame, &answer);
	frame.type = WIRE_SUMMARY;
	ck_assert(!wire_take_answer(&frame, &got));
}
END_TEST

START_TEST(material_must_look_like_pem)
{
	static const char *const keys[] = {
		"", "x", CERT, KEY KEY, "-----BEGIN RSA PRIVATE KEY-----\nQUJD\n-----END RSA PRIVATE KEY-----\n",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		secret_set(&answer.material.key, keys[i], strlen(keys[i]));
		ck_assert_msg(!passes(), "%s", keys[i]);
	}
	secret_set(&answer.material.key, KEY, strlen(KEY));
	ck_assert(passes());
	secret_set(&answer.material.cert, CERT CERT, strlen(CERT CERT));
	ck_assert(!passes());
	secret_set(&answer.material.cert, CERT, strlen(CERT));
	secret_set(&answer.material.chain, CERT CERT, strlen(CERT CERT));
	ck_assert(passes());
	secret_set(&answer.material.chain, KEY, strlen(KEY));
	ck_assert(!passes());
}
END_TEST

START_TEST(fixed_fields_have_their_letters)
{
	struct leaf *leaf = &answer.material.leaf;

	leaf->fingerprint[0] = 'G';
	ck_assert(!passes());
	leaf->fingerprint[0] = 'A';	/* upper case */
	ck_assert(!passes());
	leaf->fingerprint[0] = '\0';
	ck_assert(!passes());
	leaf->fingerprint[0] = 'a';
	ck_assert(passes());
	leaf->serial[0] = '-';
	ck_assert(!passes());
	leaf->serial[0] = '\0';
	ck_assert(!passes());
	leaf->serial[0] = '1';
	leaf->names.items[0][0] = '/';
	ck_assert(!passes());
	leaf->names.items[0][0] = '\0';
	ck_assert(!passes());
	leaf->names.items[0][0] = '*';
	ck_assert(passes());
	(void)strcpy(answer.got.created, "2026\n");
	ck_assert(!passes());
	answer.got.created[0] = '\0';
	ck_assert(!passes());
}
END_TEST

START_TEST(numbers_out_of_range_are_refused)
{
	answer.kind = (enum answer_kind)4;
	ck_assert(!passes());
	answer.kind = ANSWER_MATERIAL;
	answer.material.leaf.key_type = (enum key_type)9;
	ck_assert(!passes());
	answer.material.leaf.key_type = KEY_EC;
	answer.material.leaf.not_after = (time_t)TIME_MOST + 1;
	ck_assert(!passes());
}
END_TEST

START_TEST(a_kind_of_answer_has_its_kinds_of_failure)
{
	static const struct { enum answer_kind answer; enum failure_kind failure; bool fits; } pairs[] = {
		{ ANSWER_UNCHANGED, FAILURE_NONE, true }, { ANSWER_UNCHANGED, FAILURE_REFUSED, false },
		{ ANSWER_MATERIAL, FAILURE_NONE, true }, { ANSWER_MATERIAL, FAILURE_REFUSED, true },
		{ ANSWER_MATERIAL, FAILURE_DENIED, false },
		{ ANSWER_REFUSED, FAILURE_REFUSED, true }, { ANSWER_REFUSED, FAILURE_NONE, false },
		{ ANSWER_REFUSED, FAILURE_DENIED, false },
		{ ANSWER_FAILED, FAILURE_DENIED, true }, { ANSWER_FAILED, FAILURE_ABSENT, true },
		{ ANSWER_FAILED, FAILURE_VAULT, true }, { ANSWER_FAILED, FAILURE_REFUSED, true },
		{ ANSWER_FAILED, FAILURE_NONE, false }, { ANSWER_FAILED, FAILURE_SETUP, false },
		{ ANSWER_FAILED, FAILURE_INTERNAL, false }, { ANSWER_FAILED, FAILURE_LOCKED, false },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		answer.kind = pairs[i].answer;
		answer.why = (struct failure){ .kind = pairs[i].failure, .text = "why" };
		ck_assert_msg(passes() == pairs[i].fits, "%zu", i);
	}
}
END_TEST

START_TEST(only_a_failed_answer_may_have_no_version)
{
	answer.offered = (struct version){ 0 };
	ck_assert(!passes());
	answer.kind = ANSWER_UNCHANGED;
	ck_assert(!passes());
	answer.kind = ANSWER_FAILED;
	(void)failure_set(&answer.why, FAILURE_DENIED, "status 403");
	ck_assert(passes());
}
END_TEST

START_TEST(texts_are_made_clean_by_the_child_and_must_be_for_the_parent)
{
	struct failure why;

	answer.notice = memory_text("a\x1b[2J\xc3");
	ck_assert(passes());
	ck_assert_str_eq(got.notice, "a?[2J?");
	frame_begin(&frame, WIRE_ANSWER);
	frame_put_number(&frame, FAILURE_DENIED);
	frame_put_text(&frame, "a\x1b[2J");
	take_failure(&frame, &why);
	ck_assert(frame.broken);
}
END_TEST

START_TEST(a_summary_comes_out_as_it_went_in)
{
	secret_set(&summary.token, "hvb.x", 5);
	summary.token_expires = 1800000000;
	(void)failure_set(&summary.away, FAILURE_VAULT, "sealed");
	notes_set(&summary.notes, "list kv:secret/certs/", 0, time(NULL) + 100);
	ck_assert(is_told());
	ck_assert(told.let_in && !told.drop_token);
	ck_assert_int_eq(told.address, 1);
	ck_assert_uint_eq(told.requests, 3);
	ck_assert_str_eq(told.token.bytes, "hvb.x");
	ck_assert_str_eq(told.away.text, "sealed");
	ck_assert_uint_eq(told.notes.count, 1);
	summary.address = -1;
	ck_assert(is_told());
	ck_assert_int_eq(told.address, -1);
}
END_TEST

START_TEST(a_summary_that_reaches_too_far_is_refused)
{
	summary.address = 2;
	ck_assert(!is_told());
	summary.address = 0;
	summary.away = (struct failure){ .kind = FAILURE_SETUP, .text = "x" };
	ck_assert(!is_told());
	summary.away = (struct failure){ 0 };
	secret_set(&summary.token, "a\nb", 3);
	ck_assert(!is_told());
	secret_clear(&summary.token);
	notes_set(&summary.notes, "anything else", 0, time(NULL));
	ck_assert(!is_told());
	notes_clear(&summary.notes);
	notes_set(&summary.notes, "kv-version secret", 3, time(NULL));
	ck_assert(!is_told());
	notes_set(&summary.notes, "kv-version secret", 2, time(NULL) + 10 * NOTES_BELIEVED_SECONDS);
	ck_assert(!is_told());
	notes_set(&summary.notes, "kv-version secret", 2, time(NULL));
	ck_assert(is_told());
}
END_TEST

static struct unwrapped unwrapped, out;

static bool
is_handed_over(void)
{
	unwrapped_clear(&out);
	wire_put_unwrapped(&frame, &unwrapped);
	return wire_take_unwrapped(&frame, &out);
}

START_TEST(a_secret_id_comes_out_as_it_went_in)
{
	unwrapped = (struct unwrapped){ .expires = 1800000000, .uses = 5 };
	secret_set(&unwrapped.secret_id, "0a1b-2c3d", 9);
	ck_assert(is_handed_over());
	ck_assert_str_eq(out.secret_id.bytes, "0a1b-2c3d");
	ck_assert_int_eq(out.expires, 1800000000);
	ck_assert_uint_eq(out.uses, 5);
	ck_assert_int_eq(out.why.kind, FAILURE_NONE);
	unwrapped_clear(&unwrapped);
	(void)failure_set(&unwrapped.why, FAILURE_LOGIN, "it was used");
	ck_assert(is_handed_over());
	ck_assert_str_eq(out.why.text, "it was used");
	ck_assert_uint_eq(out.secret_id.size, 0);
}
END_TEST

START_TEST(a_secret_id_that_is_none_is_not_taken)
{
	static const char *const wrong[] = { "", "a b", "a\nb", "\xc3\xbc", "\x7f" };
	char *endless = memory_new(LOGIN_TOKEN_BYTES_MOST + 2, 1);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		secret_set(&unwrapped.secret_id, wrong[i], strlen(wrong[i]));
		ck_assert_msg(!is_handed_over() && out.secret_id.size == 0, "%s", wrong[i]);
	}
	memset(endless, 'a', LOGIN_TOKEN_BYTES_MOST + 1);
	secret_set(&unwrapped.secret_id, endless, LOGIN_TOKEN_BYTES_MOST + 1);
	ck_assert(!is_handed_over());
	secret_set(&unwrapped.secret_id, endless, LOGIN_TOKEN_BYTES_MOST);
	ck_assert(is_handed_over());
	(void)failure_set(&unwrapped.why, FAILURE_LOGIN, "both");
	ck_assert(!is_handed_over());
	unwrapped_clear(&unwrapped);
	unwrapped_clear(&out);
	free(endless);
}
END_TEST

START_TEST(a_failure_to_unwrap_is_of_three_kinds)
{
	for (int kind = FAILURE_USAGE; kind < FAILURE_KINDS; kind++) {
		(void)failure_set(&unwrapped.why, (enum failure_kind)kind, "why");
		ck_assert(is_handed_over() == (kind == FAILURE_LOGIN || kind == FAILURE_VAULT ||
		    kind == FAILURE_DENIED));
	}
	frame_begin(&frame, WIRE_SUMMARY);
	ck_assert(!wire_take_unwrapped(&frame, &out));
}
END_TEST

START_TEST(a_certificate_of_too_many_names_or_with_an_endless_issuer_is_refused_before_it_is_sent)
{
	struct leaf *leaf = &answer.material.leaf;
	struct failure why;
	char *issuer = leaf->issuer;

	leaf->issuer = memory_new(ISSUER_BYTES_MOST + 2, 1);
	memset(leaf->issuer, 'x', ISSUER_BYTES_MOST + 1);
	ck_assert_int_eq(wire_check_material(&answer.material, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "whose issuer or serial number is that long"));
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	free(leaf->issuer);
	leaf->issuer = issuer;
	ck_assert_int_eq(wire_check_material(&answer.material, &why), 0);
	while (leaf->names.count <= NAMES_MOST)
		words_add(&leaf->names, "www.example.test");
	ck_assert_int_eq(wire_check_material(&answer.material, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "of that many names"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("wire");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_question_comes_out_as_it_went_in);
	tcase_add_test(tests, an_answer_comes_out_as_it_went_in);
	tcase_add_test(tests, a_frame_that_is_cut_anywhere_is_no_answer);
	tcase_add_test(tests, a_frame_with_a_byte_too_many_or_of_another_type_is_no_answer);
	tcase_add_test(tests, material_must_look_like_pem);
	tcase_add_test(tests, fixed_fields_have_their_letters);
	tcase_add_test(tests, numbers_out_of_range_are_refused);
	tcase_add_test(tests, a_kind_of_answer_has_its_kinds_of_failure);
	tcase_add_test(tests, only_a_failed_answer_may_have_no_version);
	tcase_add_test(tests, texts_are_made_clean_by_the_child_and_must_be_for_the_parent);
	tcase_add_test(tests, a_summary_comes_out_as_it_went_in);
	tcase_add_test(tests, a_summary_that_reaches_too_far_is_refused);
	tcase_add_test(tests, a_secret_id_comes_out_as_it_went_in);
	tcase_add_test(tests, a_secret_id_that_is_none_is_not_taken);
	tcase_add_test(tests, a_failure_to_unwrap_is_of_three_kinds);
	tcase_add_test(tests, a_certificate_of_too_many_names_or_with_an_endless_issuer_is_refused_before_it_is_sent);
	return run_tests("wire", tests);
}
