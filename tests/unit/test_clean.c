/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <string.h>

#include "clean.c"
#include "support/runner.h"

static const char *const bad[] = {
	"\x1b[2J", "a\nb", "\x7f", "\xc2\x9b", "\xc2", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
	"\xf4\x90\x80\x80", "\xff", "a\xe2\x82", "\x80",
	"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\xa8", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa9",
};

START_TEST(utf_8_without_control_characters_is_clean)
{
	ck_assert(clean_check(""));
	ck_assert(clean_check("plain text ~"));
	ck_assert(clean_check("\xc3\xbc \xe2\x82\xac \xf0\x9f\x94\x91"));
	ck_assert(clean_check("\xc2\xa0"));
	ck_assert(clean_check("\xe2\x80\x90 \xe2\x80\xaf \xe2\x81\xa5 \xe2\x81\xaa"));
}
END_TEST

START_TEST(what_is_not_is_found_and_can_be_made_so)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[16];

		ck_assert_msg(!clean_check(bad[i]), "text %zu", i);
		(void)strcpy(text, bad[i]);
		clean_make(text);
		ck_assert_msg(clean_check(text), "text %zu", i);
		ck_assert_uint_eq(strlen(text), strlen(bad[i]));
	}
}
END_TEST

START_TEST(a_text_cut_within_a_character_loses_only_that)
{
	char text[] = "ab\xe2\x82";

	clean_make(text);
	ck_assert_str_eq(text, "ab??");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("clean");

	tcase_add_test(tests, utf_8_without_control_characters_is_clean);
	tcase_add_test(tests, what_is_not_is_found_and_can_be_made_so);
	tcase_add_test(tests, a_text_cut_within_a_character_loses_only_that);
	return run_tests("clean", tests);
}
