/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "fields.c"
#include "support/runner.h"

struct sample {
	struct version version;
	char *text, line[4];
	struct words words;
	enum { MOOD_NONE, MOOD_GOOD } mood;
	uint64_t number;
	unsigned int small;
	long seconds;
	bool flag;
	time_t time;
};

static const char *const moods[] = { NULL, "good" };

static const struct field sample_fields[] = {
	FIELDS_OF_VERSION(struct sample, version),
	FIELD(TEXT, struct sample, text),
	FIELD(LINE, struct sample, line),
	FIELD(WORDS, struct sample, words),
	{ "mood", FIELD_CHOICE, offsetof(struct sample, mood), 2, moods },
	FIELD(NUMBER, struct sample, number),
	FIELD(SMALL_NUMBER, struct sample, small),
	FIELD(SECONDS, struct sample, seconds),
	FIELD(FLAG, struct sample, flag),
	FIELD(TIME, struct sample, time),
	{ 0 }
};

/* Through a text and back, as a file does. */
static json_t *
again(json_t *take_object)
{
	char *text = json_dumps(take_object, JSON_COMPACT);
	json_t *object = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(object);
	free(text);
	json_decref(take_object);
	return object;
}

START_TEST(what_is_nothing_is_left_out)
{
	const struct sample nothing = { .text = (char *)"" };
	json_t *object = json_object();

	fields_put_text(object, "text", NULL);
	fields_put_all(object, sample_fields, &nothing);
	fields_put(object, "object", json_object());
	ck_assert_uint_eq(json_object_size(object), 0);
	json_decref(object);
}
END_TEST

START_TEST(what_is_put_comes_back)
{
	struct sample sample = {
		.version = { UINT64_MAX, "2026-11-23T18:00:00.123456789Z" }, .text = (char *)"grün",
		.line = "abc", .mood = MOOD_GOOD, .number = UINT64_MAX, .small = INT_MAX, .seconds = 30,
		.flag = true, .time = 1800000000,
	}, same = { 0 };
	const char *wrong = NULL;
	json_t *object = json_object();

	words_add(&sample.words, "/usr/sbin/nginx");
	words_add(&sample.words, "");
	fields_put_all(object, sample_fields, &sample);
	object = again(object);
	fields_get_all(object, sample_fields, &same, &wrong);
	ck_assert_str_eq(same.text, "grün");
	ck_assert_str_eq(same.line, "abc");
	ck_assert_int_eq(same.mood, MOOD_GOOD);
	ck_assert(same.number == UINT64_MAX);
	ck_assert_uint_eq(same.small, INT_MAX);
	ck_assert_int_eq(same.seconds, 30);
	ck_assert(same.flag);
	ck_assert_int_eq(same.time, 1800000000);
	ck_assert_uint_eq(same.words.count, sample.words.count);
	for (size_t i = 0; i < sample.words.count; i++)
		ck_assert_str_eq(same.words.items[i], sample.words.items[i]);
	ck_assert(version_equal(&same.version, &sample.version));
	ck_assert_ptr_null(wrong);
	free(same.text);
	words_clear(&sample.words);
	words_clear(&same.words);
	json_decref(object);
}
END_TEST

START_TEST(a_word_of_a_later_version_leaves_a_choice_as_it_was)
{
	json_t *object = json_pack("{s:s}", "mood", "bored");
	struct sample sample = { .mood = MOOD_GOOD };
	const char *wrong = NULL;

	fields_get_all(object, sample_fields, &sample, &wrong);
	ck_assert_int_eq(sample.mood, MOOD_GOOD);
	ck_assert_ptr_null(wrong);
	json_decref(object);
}
END_TEST

START_TEST(a_text_that_is_no_utf8_is_still_kept_as_far_as_it_can_be)
{
	const char *wrong = NULL;
	json_t *object = json_object();
	char *text;

	fields_put_text(object, "text", "a\xff" "b\xc3");
	object = again(object);
	text = fields_text(object, "text", &wrong);
	ck_assert_str_eq(text, "a?b?");
	free(text);
	json_decref(object);
}
END_TEST

START_TEST(the_first_member_of_a_wrong_type_is_named)
{
	static const char document[] = "{\"text\":1,\"number\":\"1\",\"flag\":0,\"time\":\"soon\","
	    "\"words\":[\"a\",1],\"line\":\"abcd\",\"small\":-1,\"object\":[],\"list\":{}}";
	json_t *object = json_loads(document, 0, NULL);
	struct words words;
	char line[4];

#define WRONG(key, call) do { const char *wrong = NULL; call; \
	ck_assert_ptr_nonnull(wrong); ck_assert_str_eq(wrong, key); } while (0)
	WRONG("text", ck_assert_ptr_null(fields_text(object, "text", &wrong)));
	WRONG("number", (void)get_number(object, "number", &wrong));
	WRONG("flag", (void)get_flag(object, "flag", &wrong));
	WRONG("time", (void)fields_time(object, "time", &wrong));
	WRONG("words", words = fields_words(object, "words", &wrong));
	words_clear(&words);
	WRONG("line", get_line(object, "line", line, sizeof(line), &wrong));
	WRONG("small", (void)get_small_number(object, "small", &wrong));
	WRONG("object", (void)fields_object(object, "object", &wrong));
	WRONG("list", (void)fields_list(object, "list", &wrong));
	WRONG("text", (void)fields_text(object, "text", &wrong); (void)fields_time(object, "time", &wrong));
#undef WRONG
	ck_assert_int_eq(fields_time(object, "time", /* wrong= */ NULL), 0);
	json_decref(object);
}
END_TEST

START_TEST(a_missing_member_or_a_null_is_nothing_and_not_wrong)
{
	json_t *object = json_loads("{\"text\":null}", 0, NULL);
	const char *wrong = NULL;

	ck_assert_ptr_null(fields_text(object, "text", &wrong));
	ck_assert_ptr_null(fields_text(object, "other", &wrong));
	ck_assert_ptr_null(fields_text(/* object= */ NULL, "other", &wrong));
	ck_assert_int_eq(fields_time(object, "other", &wrong), 0);
	ck_assert(!get_flag(object, "text", &wrong));
	ck_assert_ptr_null(fields_list(object, "other", &wrong));
	ck_assert_ptr_null(wrong);
	json_decref(object);
}
END_TEST

START_TEST(a_secret_is_dumped_as_json_without_an_end_of_line)
{
	json_t *object = json_pack("{s:s, s:i}", "secret", "a\"b", "number", 7);
	struct secret text = { 0 };

	fields_dump(object, JSON_COMPACT | JSON_SORT_KEYS, &text);
	ck_assert_str_eq(text.bytes, "{\"number\":7,\"secret\":\"a\\\"b\"}");
	ck_assert_uint_eq(text.size, strlen(text.bytes));
	secret_clear(&text);
	json_decref(object);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("fields");

	tcase_add_test(tests, what_is_nothing_is_left_out);
	tcase_add_test(tests, what_is_put_comes_back);
	tcase_add_test(tests, a_word_of_a_later_version_leaves_a_choice_as_it_was);
	tcase_add_test(tests, a_text_that_is_no_utf8_is_still_kept_as_far_as_it_can_be);
	tcase_add_test(tests, the_first_member_of_a_wrong_type_is_named);
	tcase_add_test(tests, a_missing_member_or_a_null_is_nothing_and_not_wrong);
	tcase_add_test(tests, a_secret_is_dumped_as_json_without_an_end_of_line);
	return run_tests("fields", tests);
}
