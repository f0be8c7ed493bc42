/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "memory.c"
#include "support/runner.h"

START_TEST(words_are_an_argv)
{
	struct words words = { 0 };

	words_add(&words, "/usr/sbin/nginx");
	words_add(&words, "-t");
	ck_assert_str_eq(words.items[1], "-t");
	ck_assert_ptr_null(words.items[2]);
	ck_assert(words_contain(&words, "-t") && !words_contain(&words, "-T"));
	words_clear(&words);
}
END_TEST

START_TEST(a_text_is_split_at_runs_of_blanks)
{
	struct words words = { 0 };

	words_split(&words, " \tone two\n\n three ", " \t\n");
	ck_assert_uint_eq(words.count, 3);
	ck_assert_str_eq(words.items[0], "one");
	ck_assert_str_eq(words.items[1], "two");
	ck_assert_str_eq(words.items[2], "three");
	words_split(&words, "", " ");
	words_split(&words, "  ", " ");
	ck_assert_uint_eq(words.count, 3);
	words_clear(&words);
}
END_TEST

START_TEST(a_copy_of_words_is_its_own)
{
	struct words words = { 0 }, copy;

	words_add(&words, "a");
	words_copy(&copy, &words);
	words_add(&copy, "b");
	ck_assert_uint_eq(words.count, 1);
	ck_assert_str_eq(words.items[0], "a");
	ck_assert_uint_eq(copy.count, 2);
	ck_assert_str_eq(copy.items[0], "a");
	words_clear(&words);
	words_clear(&copy);
}
END_TEST

START_TEST(a_text_is_replaced_by_a_copy_of_another_or_of_a_part_of_itself)
{
	char *text = NULL;

	memory_replace(&text, "first");
	ck_assert_str_eq(text, "first");
	memory_replace(&text, text + 2);
	ck_assert_str_eq(text, "rst");
	memory_replace(&text, NULL);
	ck_assert_ptr_null(text);
}
END_TEST

START_TEST(formatted_text_has_room_for_all_of_it)
{
	char *text = memory_format("%s-%0100d", "a", 7);

	ck_assert_uint_eq(strlen(text), 102);
	free(text);
	ck_assert_ptr_null(memory_text(NULL));
}
END_TEST

START_TEST(a_text_is_appended_to_also_what_is_made_of_it)
{
	char *text = memory_text("a");

	memory_append(&text, ", %s-%d", text, 7);
	ck_assert_str_eq(text, "a, a-7");
	free(text);
}
END_TEST

START_TEST(words_are_joined_as_many_as_are_wanted_and_the_rest_is_counted)
{
	struct words words = { 0 };
	char *text = words_join(&words, ", ", 2, "none");

	ck_assert_str_eq(text, "none");
	free(text);
	words_add(&words, "a");
	words_add(&words, "b");
	text = words_join(&words, ", ", 2, "none");
	ck_assert_str_eq(text, "a, b");
	free(text);
	words_add(&words, "c");
	text = words_join(&words, " ", 2, "none");
	ck_assert_str_eq(text, "a b and 1 more");
	free(text);
	words_clear(&words);
}
END_TEST

START_TEST(running_out_of_memory_ends_with_exit_code_5)
{
	(void)memory_grow(NULL, SIZE_MAX, 2);
}
END_TEST

static volatile size_t too_much = PTRDIFF_MAX;
static void *volatile kept;	/* or the compiler leaves the whole out */

START_TEST(a_library_that_runs_out_of_memory_ends_the_program_too)
{
	kept = memory_take(too_much);
}
END_TEST

START_TEST(a_library_that_asks_for_more_than_there_is_ends_the_program_too)
{
	kept = memory_retake(memory_take(1), too_much);
}
END_TEST

START_TEST(what_libraries_take_is_theirs_to_change_and_to_free)
{
	char *block = memory_take(0);

	ck_assert_ptr_nonnull(block);
	block = memory_retake(block, 2);
	block[1] = 'x';
	ck_assert_ptr_null(memory_retake(block, 0));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("memory");

	tcase_add_test(tests, words_are_an_argv);
	tcase_add_test(tests, a_text_is_split_at_runs_of_blanks);
	tcase_add_test(tests, a_copy_of_words_is_its_own);
	tcase_add_test(tests, a_text_is_replaced_by_a_copy_of_another_or_of_a_part_of_itself);
	tcase_add_test(tests, formatted_text_has_room_for_all_of_it);
	tcase_add_test(tests, a_text_is_appended_to_also_what_is_made_of_it);
	tcase_add_test(tests, words_are_joined_as_many_as_are_wanted_and_the_rest_is_counted);
	tcase_add_exit_test(tests, running_out_of_memory_ends_with_exit_code_5, EXIT_BROKEN);
	tcase_add_exit_test(tests, a_library_that_runs_out_of_memory_ends_the_program_too, EXIT_BROKEN);
	tcase_add_exit_test(
	    tests, a_library_that_asks_for_more_than_there_is_ends_the_program_too, EXIT_BROKEN);
	tcase_add_test(tests, what_libraries_take_is_theirs_to_change_and_to_free);
	return run_tests("memory", tests);
}
