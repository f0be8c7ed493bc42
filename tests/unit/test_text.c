/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "text.c"
#include "support/runner.h"

static void
check_text(char *take_found, const char *expected)
{
	ck_assert_str_eq(take_found, expected);
	free(take_found);
}

static char *
fold(const char *text, size_t indent, size_t width)
{
	char *folded;
	size_t size;
	FILE *out = open_memstream(&folded, &size);

	ck_assert_ptr_nonnull(out);
	text_fold(out, text, indent, width);
	(void)fclose(out);
	return folded;
}

START_TEST(a_text_that_fits_is_not_cut)
{
	check_text(text_cut_middle("www.example.com", 15), "www.example.com");
	check_text(text_cut_end("www.example.com", 0), "www.example.com");
}
END_TEST

START_TEST(the_ellipsis_takes_the_place_of_what_is_too_much)
{
	check_text(text_cut_middle("www.example.com", 9), "www.….com");
	check_text(text_cut_middle("www.example.com", 8), "www.…com");
	check_text(text_cut_end("www.example.com", 8), "www.exa…");
}
END_TEST

START_TEST(a_character_is_a_column_however_many_bytes_it_has)
{
	ck_assert_uint_eq(text_width("bücher"), 6);
	check_text(text_cut_end("büüücher", 4), "büü…");
	check_text(text_cut_middle("üüüüüüüü", 5), "üü…üü");
}
END_TEST

START_TEST(no_text_can_move_the_cursor)
{
	check_text(text_cut_end("a\033[2Jb\nc\x7f", 0), "a?[2Jb?c?");
	check_text(text_cut_end("a\xc2\x9b" "2Jb ä", 0), "a??2Jb ä");
}
END_TEST

START_TEST(lines_are_folded_at_blanks_and_indented)
{
	check_text(fold("one two three four five", 4, 26), "one two three four\n    five\n");
	check_text(fold("one two three", 4, 0), "one two three\n");
	check_text(fold("", 4, 80), "\n");
}
END_TEST

START_TEST(a_word_that_is_longer_than_the_line_is_split)
{
	check_text(fold("0123456789012345678901234", 2, 24), "0123456789012345678901\n  234\n");
}
END_TEST

START_TEST(a_terminal_too_narrow_to_read_is_taken_as_wider)
{
	check_text(fold("one two three four five", 4, 5), "one two three four\n    five\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("text");

	tcase_add_test(tests, a_text_that_fits_is_not_cut);
	tcase_add_test(tests, the_ellipsis_takes_the_place_of_what_is_too_much);
	tcase_add_test(tests, a_character_is_a_column_however_many_bytes_it_has);
	tcase_add_test(tests, no_text_can_move_the_cursor);
	tcase_add_test(tests, lines_are_folded_at_blanks_and_indented);
	tcase_add_test(tests, a_word_that_is_longer_than_the_line_is_split);
	tcase_add_test(tests, a_terminal_too_narrow_to_read_is_taken_as_wider);
	return run_tests("text", tests);
}
