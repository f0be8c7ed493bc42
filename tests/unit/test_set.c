/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>

#include "set.c"
#include "support/runner.h"

START_TEST(a_word_keeps_the_number_under_which_it_came_first)
{
	struct set set = { 0 };
	bool is_new;

	ck_assert_uint_eq(set_add(&set, "nginx", 3, &is_new)->number, 3);
	ck_assert(is_new);
	ck_assert_uint_eq(set_add(&set, "nginx", 8, &is_new)->number, 3);
	ck_assert(!is_new);
	ck_assert_uint_eq(set.count, 1);
	set_clear(&set);
}
END_TEST

START_TEST(equal_words_are_one_wherever_they_are_stored)
{
	char word[] = "nginx";
	struct set set = { 0 };
	bool is_new;

	set_add(&set, "nginx", 1, NULL);
	set_add(&set, word, 2, &is_new);
	ck_assert(!is_new);
	set_clear(&set);
}
END_TEST

START_TEST(a_thousand_words_are_all_found_again)
{
	static char words[1000][16];
	struct set set = { 0 };

	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(words[i], sizeof(words[i]), "word-%zu", i);
		set_add(&set, words[i], i, NULL);
	}
	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(set_find(&set, words[i])->number, i);
	ck_assert_uint_eq(set.count, 1000);
	ck_assert_ptr_null(set_find(&set, "word-1000"));
	set_clear(&set);
}
END_TEST

START_TEST(nothing_is_found_in_the_empty_set)
{
	struct set set = { 0 };

	ck_assert_ptr_null(set_find(&set, "nginx"));
	set_clear(&set);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("set");

	tcase_add_test(tests, a_word_keeps_the_number_under_which_it_came_first);
	tcase_add_test(tests, equal_words_are_one_wherever_they_are_stored);
	tcase_add_test(tests, a_thousand_words_are_all_found_again);
	tcase_add_test(tests, nothing_is_found_in_the_empty_set);
	return run_tests("set", tests);
}
