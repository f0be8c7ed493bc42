/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <sys/stat.h>

#include "inifile.c"
#include "support/text_file.h"
#include "support/runner.h"

static struct inifile inifile;
static struct manifest_errors errors;

static void
read_bytes(const void *bytes, size_t size)
{
	char *file = text_file_of_bytes(bytes, size);

	inifile_clear(&inifile);
	manifest_errors_clear(&errors);
	ck_assert_int_eq(inifile_read(file, &inifile, &errors), INIFILE_READ);
	text_file_remove(file);
}

static void
read_lines(const char *lines)
{
	read_bytes(lines, strlen(lines));
}

static void
read_good(const char *lines)
{
	read_lines(lines);
	if (errors.count != 0)
		ck_abort_msg("line %u: %s", errors.items[0].line, errors.items[0].text);
}

/* Exactly one error, in that line, with these words in it. */
static void
refuse_bytes(const void *bytes, size_t size, unsigned int line, const char *words)
{
	read_bytes(bytes, size);
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_uint_eq(errors.items[0].line, line);
	if (strstr(errors.items[0].text, words) == NULL)
		ck_abort_msg("\"%s\" instead of \"%s\"", errors.items[0].text, words);
}

static void
refuse(const char *lines, unsigned int line, const char *words)
{
	refuse_bytes(lines, strlen(lines), line, words);
}

static const char *
value_of(size_t section, const char *key)
{
	const struct inifile_pair *pair = inifile_find(&inifile.sections[section], key);

	return pair != NULL ? pair->value : NULL;
}

START_TEST(sections_keys_and_values_come_with_their_lines)
{
	read_good("\n[vault]\naddress = https://a\n\n[certificate \t www]\nnames=a b\n[end]\n");
	ck_assert_uint_eq(inifile.section_count, 2);
	ck_assert_str_eq(inifile.sections[0].kind, "vault");
	ck_assert_ptr_null(inifile.sections[0].name);
	ck_assert_uint_eq(inifile.sections[0].line, 2);
	ck_assert_str_eq(inifile.sections[1].title, "certificate www");
	ck_assert_str_eq(inifile.sections[1].name, "www");
	ck_assert_uint_eq(inifile.sections[1].line, 5);
	ck_assert_uint_eq(inifile.sections[1].pairs[0].line, 6);
	ck_assert_str_eq(value_of(0, "address"), "https://a");
	ck_assert_str_eq(value_of(1, "names"), "a b");
	ck_assert_ptr_null(value_of(1, "address"));
}
END_TEST

START_TEST(blanks_around_keys_and_values_do_not_count)
{
	read_good("[a]\nkey\t =  \t one  two \t\nempty =\n[end]\n");
	ck_assert_str_eq(value_of(0, "key"), "one  two");
	ck_assert_str_eq(value_of(0, "empty"), "");
}
END_TEST

START_TEST(a_value_may_hold_what_separates_elsewhere)
{
	read_good("[a]\nkey = a=b:c [x] ]\n[end]\n");
	ck_assert_str_eq(value_of(0, "key"), "a=b:c [x] ]");
}
END_TEST

START_TEST(comments_begin_at_the_line_or_after_a_blank_and_only_there)
{
	read_good("; one\n# two\n[a] ; three\n  # four\nkey = x;y#z ; five\nmore = b\t# six\n"
	    "list =\n  one ; seven\n  # eight\n\n  two\n[end] # nine\n;ten\n \t\n");
	ck_assert_str_eq(value_of(0, "key"), "x;y#z");
	ck_assert_str_eq(value_of(0, "more"), "b");
	ck_assert_str_eq(value_of(0, "list"), "\none\ntwo");
}
END_TEST

START_TEST(a_value_that_goes_on_is_joined_by_newlines)
{
	read_good("[a]\nlist = one two\n\tthree\n  four five \nkey = x\n[end]\n");
	ck_assert_str_eq(value_of(0, "list"), "one two\nthree\nfour five");
	ck_assert_str_eq(value_of(0, "key"), "x");
	ck_assert_uint_eq(inifile.sections[0].pairs[0].line, 2);
}
END_TEST

START_TEST(a_value_goes_on_over_many_lines)
{
	char text[8192] = "[a]\nlist =\n";

	for (int i = 0; i < 200; i++)
		(void)snprintf(text + strlen(text), 32, "  name-%03d.example.com\n", i);
	strcat(text, "[end]\n");
	read_good(text);
	ck_assert_uint_eq(strlen(value_of(0, "list")), 200 * 21);
	ck_assert_ptr_nonnull(strstr(value_of(0, "list"), "\nname-199.example.com"));
}
END_TEST

START_TEST(long_section_names_are_two_sections_and_never_cut)
{
#define SIXTY "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	read_good("[certificate " SIXTY "1]\nkey = 1\n[certificate " SIXTY "2]\nkey = 2\n[end]\n");
	ck_assert_uint_eq(inifile.section_count, 2);
	ck_assert_str_eq(inifile.sections[0].name, SIXTY "1");
	ck_assert_str_eq(inifile.sections[1].name, SIXTY "2");
	ck_assert_str_eq(value_of(1, "key"), "2");
}
END_TEST

START_TEST(long_keys_are_never_cut)
{
	read_good("[a]\n" SIXTY "1 = x\n\ty\n" SIXTY "2 = z\n[end]\n");
	ck_assert_str_eq(value_of(0, SIXTY "1"), "x\ny");
	ck_assert_str_eq(value_of(0, SIXTY "2"), "z");
}
END_TEST

START_TEST(a_line_of_198_bytes_is_whole_and_one_of_199_is_an_error)
{
	char text[512] = "[a]\nk = ";

	memset(text + 8, 'v', 194);
	strcpy(text + 8 + 194, "\n[end]\n");
	read_good(text);
	ck_assert_uint_eq(strlen(value_of(0, "k")), 194);
	strcpy(text + 8 + 194, "v\n[end]\n");
	refuse(text, 2, "198 bytes");
}
END_TEST

START_TEST(a_comment_over_198_bytes_is_an_error_too)
{
	char text[512] = "[a]\n; ";

	memset(text + 6, 'v', 300);
	strcpy(text + 6 + 300, "\n[end]\n");
	refuse(text, 2, "198 bytes");
}
END_TEST

START_TEST(a_header_has_room_for_the_longest_name)
{
	char text[512] = "[certificate ";

	memset(text + 13, 'v', 253);
	strcpy(text + 13 + 253, "]\nk = 1\n[end]\n");
	read_good(text);
	ck_assert_uint_eq(strlen(inifile.sections[0].name), 253);
}
END_TEST

START_TEST(what_follows_a_line_that_is_left_out_is_not_taken_for_something_else)
{
	char text[1024] = "[a]\nk = 1\n[certificate ";

	memset(text + 23, 'v', 500);
	strcpy(text + 523, "]\nk = 2\n  more\n[b]\nk = 3\n[end]\n");
	refuse(text, 3, "198 bytes");
	ck_assert_uint_eq(inifile.section_count, 2);
	ck_assert_uint_eq(inifile.sections[0].pair_count, 1);
	ck_assert_str_eq(value_of(1, "k"), "3");
}
END_TEST

START_TEST(a_repeated_section_is_an_error_that_names_both_lines)
{
	refuse("[a x]\n[b]\n[a  x]\n[end]\n", 3, "[a x] again: it stands in line 1");
}
END_TEST

START_TEST(a_repeated_key_is_an_error_in_one_section_only)
{
	refuse("[a]\nk = 1\nl = 1\nk = 2\n[b]\nk = 3\n[end]\n", 4, "k again: it stands in line 2");
	refuse("[a]\nk\tl = 1\nk\tl = 2\n[end]\n", 3, "k?l again: it stands in line 2");
}
END_TEST

START_TEST(text_after_the_bracket_is_an_error)
{
	refuse("[a] b\n[end]\n", 1, "text after the ]");
	refuse("[a];b\n[end]\n", 1, "text after the ]");
	refuse("[a]]\n[end]\n", 1, "text after the ]");
}
END_TEST

START_TEST(a_header_without_its_bracket_is_an_error_and_so_is_one_without_a_word)
{
	refuse("[a\n[end]\n", 1, "does not end in ]");
	refuse("[]\n[end]\n", 1, "[SECTION]");
	refuse("[ ]\n[end]\n", 1, "[SECTION]");
	refuse("[a b c]\n[end]\n", 1, "no blank");
}
END_TEST

START_TEST(a_header_with_a_blank_beside_a_bracket_is_an_error)
{
	refuse("[ a ]\n[end]\n", 1, "beside a bracket");
	refuse("[\ta b]\n[end]\n", 1, "beside a bracket");
	refuse("[a b ]\n[end]\n", 1, "beside a bracket");
	refuse("[a]\n[ end]\n[end]\n", 2, "beside a bracket");
}
END_TEST

START_TEST(keys_below_a_broken_header_do_not_fall_into_the_section_before)
{
	refuse("[a]\nk = 1\n[b\nk = 2\n[end]\n", 3, "does not end in ]");
	ck_assert_uint_eq(inifile.sections[0].pair_count, 1);
}
END_TEST

START_TEST(an_indented_line_that_looks_like_a_header_is_an_error)
{
	refuse("[a]\nlist = x\n  [b]\n[end]\n", 3, "looks like a section header");
	refuse("[a]\nlist = x\n\t[b\n[end]\n", 3, "looks like a section header");
}
END_TEST

START_TEST(an_indented_line_that_looks_like_a_key_is_an_error)
{
	refuse("[a]\nlist = x\n  key = y\n[end]\n", 3, "looks like a key");
	refuse("[a]\nlist = x\n  key=y\n[end]\n", 3, "looks like a key");
	refuse("[a]\n  key = y\n[end]\n", 2, "looks like a key");
	refuse("[a]\nlist = x\n  = y\n[end]\n", 3, "looks like a key");
	refuse("[a]\nlist = x\n  key = y\n  z\n[end]\n", 3, "looks like a key");
	ck_assert_str_eq(value_of(0, "list"), "x");
}
END_TEST

START_TEST(an_indented_line_may_hold_an_option_with_an_equals_sign)
{
	read_good("[a]\nk = /bin/x\n  --file=/etc/x\n[end]\n");
	ck_assert_str_eq(value_of(0, "k"), "/bin/x\n--file=/etc/x");
}
END_TEST

START_TEST(an_indented_line_needs_something_to_go_on)
{
	refuse("  x\n[a]\n[end]\n", 1, "goes on nothing");
	refuse("[a]\n  x\n[end]\n", 2, "goes on nothing");
	refuse("[a]\nk = 1\n[b]\n  x\n[end]\n", 4, "goes on nothing");
}
END_TEST

START_TEST(a_key_before_the_first_section_is_told_once)
{
	refuse("k = 1\nl = 2\n[a]\n[end]\n", 1, "before the first [SECTION]");
}
END_TEST

START_TEST(a_line_that_is_no_pair_is_an_error_and_is_not_repeated)
{
	refuse("[a]\nhvs.SECRET\n[end]\n", 2, "neither [SECTION] nor KEY = VALUE");
	ck_assert_ptr_null(strstr(errors.items[0].text, "SECRET"));
	refuse("[a]\n= x\n[end]\n", 2, "neither");
	refuse("[a]\nkey : x\n[end]\n", 2, "neither");
	refuse("[a]\nkey : x = y\n[end]\n", 2, "neither");
	refuse("[a]\nk = 1\njunk\n  more\n[end]\n", 3, "neither");
	ck_assert_str_eq(value_of(0, "k"), "1");
	refuse("hvs.SECRET\n[end]\n", 1, "before the first");
	ck_assert_ptr_null(strstr(errors.items[0].text, "SECRET"));
}
END_TEST

START_TEST(a_nul_is_an_error)
{
	static const char text[] = "[a]\nk = x\0y\n[end]\n";

	refuse_bytes(text, sizeof(text) - 1, 2, "NUL");
}
END_TEST

START_TEST(a_control_character_is_an_error)
{
	refuse("[a]\nk = x\033[31m\n[end]\n", 2, "control character");
	refuse("[a]\nk = x\x7f\n[end]\n", 2, "control character");
	refuse("[a]\nk = x\xc2\x9by\n[end]\n", 2, "control character");
	refuse("[a]\nk = x\ry\n[end]\n", 2, "control character");
}
END_TEST

START_TEST(text_is_utf8)
{
	read_good("[a]\nk = f\xc3\xbcr\n[end]\n");
	ck_assert_str_eq(value_of(0, "k"), "f\xc3\xbcr");
	refuse("[a]\nk = f\xfcr\n[end]\n", 2, "not UTF-8");
	refuse("[a]\nk = \xc0\xaf\n[end]\n", 2, "not UTF-8");
	refuse("[a]\nk = \xed\xa0\x80\n[end]\n", 2, "not UTF-8");
	refuse("[a]\nk = \xc3\n[end]\n", 2, "not UTF-8");
}
END_TEST

START_TEST(a_byte_order_mark_is_an_error)
{
	read_lines("\xef\xbb\xbf[a]\n[b]\n[end]\n");
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_uint_eq(errors.items[0].line, 1);
	read_lines("[a]\n\xef\xbb\xbfkey = x\n[end]\n");
	ck_assert_uint_ne(errors.count, 0);
}
END_TEST

START_TEST(carriage_returns_are_one_error_and_the_rest_is_read)
{
	refuse("[a]\r\nk = 1\r\n[end]\r\n", 1, "carriage return");
	ck_assert_str_eq(value_of(0, "k"), "1");
}
END_TEST

START_TEST(a_last_line_without_a_newline_is_an_error)
{
	refuse("[a]\nk = 1\n[end]", 3, "does not end in a newline");
}
END_TEST

START_TEST(a_file_without_its_end_is_an_error)
{
	refuse("[a]\nk = 1\n", 2, "no [end]");
	refuse("", 0, "no [end]");
	refuse("[a]\n; [end]\n", 2, "no [end]");
	read_lines("[a]\n [end]\n");
	ck_assert_uint_eq(errors.count, 2);
	refuse("[a]\n[end x]\n", 2, "no [end]");
}
END_TEST

START_TEST(a_file_cut_short_at_any_byte_is_never_good)
{
	static const char text[] = "[vault]\naddress = https://a\n\n[certificate www]\nnames = a\n  b\n[end]\n";

	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		read_bytes(text, size);
		ck_assert_uint_ne(errors.count, 0);
	}
	read_good(text);
}
END_TEST

START_TEST(anything_but_blanks_and_comments_after_the_end_is_an_error)
{
	read_good("[a]\n[end]\n\n  \n; x\n  # y\n");
	refuse("[a]\n[end]\n[b]\nk = 1\n", 3, "after [end]");
	refuse("[a]\n[end]\n  x\n", 3, "after [end]");
	refuse("[a]\n[end]\n[end]\n", 3, "after [end]");
}
END_TEST

START_TEST(all_errors_are_told_in_one_go)
{
	read_lines("[a\nk = 1\n[b]\nx\nk = 1\nk = 2\n  z = 1\n");
	ck_assert_uint_eq(errors.count, 5);
	for (size_t i = 0; i < 4; i++)
		ck_assert_uint_eq(errors.items[i].line, ((unsigned int []){ 1, 4, 6, 7 })[i]);
}
END_TEST

START_TEST(an_absent_file_is_told_apart_from_one_that_cannot_be_read)
{
	ck_assert_int_eq(inifile_read("/nonexistent/file", &inifile, &errors), INIFILE_ABSENT);
	ck_assert_int_eq(inifile_read("/tmp", &inifile, &errors), INIFILE_FAILED);
	ck_assert_uint_eq(errors.count, 2);
	ck_assert_uint_eq(errors.items[0].line, 0);
	ck_assert_uint_eq(inifile.section_count, 0);
}
END_TEST

START_TEST(a_fifo_does_not_hold_up_the_run)
{
	char directory[] = "/tmp/certlet-test-XXXXXX", path[64];

	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/fifo", directory);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(inifile_read(path, &inifile, &errors), INIFILE_FAILED);
	(void)unlink(path);
	(void)rmdir(directory);
}
END_TEST

START_TEST(a_file_over_the_limit_is_not_read)
{
	char *file = text_file("");

	ck_assert_int_eq(truncate(file, INIFILE_LIMIT_BYTES + 1), 0);
	ck_assert_int_eq(inifile_read(file, &inifile, &errors), INIFILE_FAILED);
	text_file_remove(file);
}
END_TEST

START_TEST(a_link_to_the_manifest_is_followed)
{
	char *file = text_file("[a]\n[end]\n"), path[64];

	(void)snprintf(path, sizeof(path), "%s.link", file);
	ck_assert_int_eq(symlink(file, path), 0);
	ck_assert_int_eq(inifile_read(path, &inifile, &errors), INIFILE_READ);
	ck_assert_uint_eq(errors.count, 0);
	(void)unlink(path);
	text_file_remove(file);
}
END_TEST

/* What libinih would do if it had been built otherwise. */
START_TEST(a_value_that_libinih_changed_is_refused)
{
	struct inifile one = { .sections = memory_new(1, sizeof(*one.sections)), .section_count = 1 };
	struct reader reader = { .handed = "key = whole", .section = one.sections, .errors = &errors };

	ck_assert_int_eq(keep_pair(&reader, "", "key", "who"), 0);
	ck_assert_int_eq(keep_pair(&reader, "", "ey", "whole"), 0);
	ck_assert_uint_eq(one.sections->pair_count, 0);
	ck_assert_int_eq(keep_pair(&reader, "", "key", "whole"), 1);
	ck_assert_int_eq(keep_pair(&reader, "", "key", "whole"), 0);
	ck_assert_uint_eq(one.sections->pair_count, 1);
	set_clear(&reader.keys);
	inifile_clear(&one);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("inifile");

	tcase_add_test(tests, sections_keys_and_values_come_with_their_lines);
	tcase_add_test(tests, blanks_around_keys_and_values_do_not_count);
	tcase_add_test(tests, a_value_may_hold_what_separates_elsewhere);
	tcase_add_test(tests, comments_begin_at_the_line_or_after_a_blank_and_only_there);
	tcase_add_test(tests, a_value_that_goes_on_is_joined_by_newlines);
	tcase_add_test(tests, a_value_goes_on_over_many_lines);
	tcase_add_test(tests, long_section_names_are_two_sections_and_never_cut);
	tcase_add_test(tests, long_keys_are_never_cut);
	tcase_add_test(tests, a_line_of_198_bytes_is_whole_and_one_of_199_is_an_error);
	tcase_add_test(tests, a_comment_over_198_bytes_is_an_error_too);
	tcase_add_test(tests, a_header_has_room_for_the_longest_name);
	tcase_add_test(tests, what_follows_a_line_that_is_left_out_is_not_taken_for_something_else);
	tcase_add_test(tests, a_repeated_section_is_an_error_that_names_both_lines);
	tcase_add_test(tests, a_repeated_key_is_an_error_in_one_section_only);
	tcase_add_test(tests, text_after_the_bracket_is_an_error);
	tcase_add_test(tests, a_header_without_its_bracket_is_an_error_and_so_is_one_without_a_word);
	tcase_add_test(tests, a_header_with_a_blank_beside_a_bracket_is_an_error);
	tcase_add_test(tests, keys_below_a_broken_header_do_not_fall_into_the_section_before);
	tcase_add_test(tests, an_indented_line_that_looks_like_a_header_is_an_error);
	tcase_add_test(tests, an_indented_line_that_looks_like_a_key_is_an_error);
	tcase_add_test(tests, an_indented_line_may_hold_an_option_with_an_equals_sign);
	tcase_add_test(tests, an_indented_line_needs_something_to_go_on);
	tcase_add_test(tests, a_key_before_the_first_section_is_told_once);
	tcase_add_test(tests, a_line_that_is_no_pair_is_an_error_and_is_not_repeated);
	tcase_add_test(tests, a_nul_is_an_error);
	tcase_add_test(tests, a_control_character_is_an_error);
	tcase_add_test(tests, text_is_utf8);
	tcase_add_test(tests, a_byte_order_mark_is_an_error);
	tcase_add_test(tests, carriage_returns_are_one_error_and_the_rest_is_read);
	tcase_add_test(tests, a_last_line_without_a_newline_is_an_error);
	tcase_add_test(tests, a_file_without_its_end_is_an_error);
	tcase_add_test(tests, a_file_cut_short_at_any_byte_is_never_good);
	tcase_add_test(tests, anything_but_blanks_and_comments_after_the_end_is_an_error);
	tcase_add_test(tests, all_errors_are_told_in_one_go);
	tcase_add_test(tests, an_absent_file_is_told_apart_from_one_that_cannot_be_read);
	tcase_add_test(tests, a_fifo_does_not_hold_up_the_run);
	tcase_add_test(tests, a_file_over_the_limit_is_not_read);
	tcase_add_test(tests, a_link_to_the_manifest_is_followed);
	tcase_add_test(tests, a_value_that_libinih_changed_is_refused);
	return run_tests("inifile", tests);
}
