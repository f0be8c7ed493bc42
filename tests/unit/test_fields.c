/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "fields.c"

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
	const struct words none = { 0 };
	const struct version no_version = { 0 };
	json_t *object = json_object();

	fields_put_text(object, "text", NULL);
	fields_put_text(object, "text", "");
	fields_put_number(object, "number", 0);
	fields_put_flag(object, "flag", false);
	fields_put_time(object, "time", 0);
	fields_put_words(object, "words", &none);
	fields_put_version(object, &no_version);
	fields_put(object, "object", json_object());
	ck_assert_uint_eq(json_object_size(object), 0);
	json_decref(object);
}
END_TEST

START_TEST(what_is_put_comes_back)
{
	struct version version = { UINT64_MAX, "2026-11-23T18:00:00.123456789Z" }, same;
	struct words words = { 0 }, found;
	const char *wrong = NULL;
	json_t *object = json_object();
	char line[4], *text;

	words_add(&words, "/usr/sbin/nginx");
	words_add(&words, "");
	fields_put_text(object, "text", "grün");
	fields_put_text(object, "line", "abc");
	fields_put_number(object, "number", UINT64_MAX);
	fields_put_flag(object, "flag", true);
	fields_put_time(object, "time", 1800000000);
	fields_put_words(object, "words", &words);
	fields_put_version(object, &version);
	object = again(object);
	text = fields_text(object, "text", &wrong);
	ck_assert_str_eq(text, "grün");
	fields_line(object, "line", line, sizeof(line), &wrong);
	ck_assert_str_eq(line, "abc");
	ck_assert(fields_number(object, "number", &wrong) == UINT64_MAX);
	ck_assert(fields_flag(object, "flag", &wrong));
	ck_assert_int_eq(fields_time(object, "time", &wrong), 1800000000);
	fields_words(object, "words", &found, &wrong);
	ck_assert_uint_eq(found.count, words.count);
	for (size_t i = 0; i < words.count; i++)
		ck_assert_str_eq(found.items[i], words.items[i]);
	fields_version(object, &same, &wrong);
	ck_assert(version_equal(&version, &same));
	ck_assert_ptr_null(wrong);
	free(text);
	words_clear(&words);
	words_clear(&found);
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
	WRONG("number", (void)fields_number(object, "number", &wrong));
	WRONG("flag", (void)fields_flag(object, "flag", &wrong));
	WRONG("time", (void)fields_time(object, "time", &wrong));
	WRONG("words", fields_words(object, "words", &words, &wrong));
	words_clear(&words);
	WRONG("line", fields_line(object, "line", line, sizeof(line), &wrong));
	WRONG("small", (void)fields_small_number(object, "small", &wrong));
	WRONG("object", (void)fields_object(object, "object", &wrong));
	WRONG("list", (void)fields_list(object, "list", &wrong));
	WRONG("text", (void)fields_text(object, "text", &wrong); (void)fields_time(object, "time", &wrong));
#undef WRONG
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
	ck_assert(!fields_flag(object, "text", &wrong));
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
	Suite *suite = suite_create("fields");
	TCase *tests = tcase_create("fields");
	SRunner *runner;
	int failed;

	tcase_add_test(tests, what_is_nothing_is_left_out);
	tcase_add_test(tests, what_is_put_comes_back);
	tcase_add_test(tests, a_text_that_is_no_utf8_is_still_kept_as_far_as_it_can_be);
	tcase_add_test(tests, the_first_member_of_a_wrong_type_is_named);
	tcase_add_test(tests, a_missing_member_or_a_null_is_nothing_and_not_wrong);
	tcase_add_test(tests, a_secret_is_dumped_as_json_without_an_end_of_line);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
