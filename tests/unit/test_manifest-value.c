/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest-value.c"
#include "support/pair.h"
#include "support/runner.h"

START_TEST(a_path_is_absolute_and_has_no_detours)
{
	char *path = NULL;

	ACCEPT(value_path, "/etc/my certs/x.pem", &path);
	ck_assert_str_eq(path, "/etc/my certs/x.pem");
	ACCEPT(value_path, "/etc/..x/.y", &path);
	ck_assert_str_eq(path, "/etc/..x/.y");
	REFUSE(value_path, "etc/x", &path, "not an absolute path");
	REFUSE(value_path, "/etc/../x", &path, ". or ..");
	REFUSE(value_path, "/etc/..", &path, ". or ..");
	REFUSE(value_path, "/./x", &path, ". or ..");
	REFUSE(value_path, "/etc//x", &path, "two slashes");
	REFUSE(value_path, "//etc", &path, "two slashes");
	REFUSE(value_path, "/etc/", &path, "ends in a slash");
	REFUSE(value_path, "/", &path, "ends in a slash");
	ck_assert_str_eq(path, "/etc/..x/.y");
	free(path);
}
END_TEST

START_TEST(a_secret_in_the_place_of_its_file_is_not_repeated)
{
	const struct inifile_pair pair = { (char *)"token_file", (char *)"hvs.SECRET", 1 };
	struct manifest_errors errors = { 0 };
	char *path = NULL;

	ck_assert_int_eq(value_path(&pair, &path, &errors), -1);
	ck_assert_ptr_null(strstr(errors.items[0].text, "SECRET"));
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(an_account_is_a_name_or_a_number)
{
	char *account = NULL;

	ACCEPT(value_account, "www-data", &account);
	ACCEPT(value_account, "0", &account);
	ACCEPT(value_account, "4294967294", &account);
	ACCEPT(value_account, "user@domain.example", &account);
	REFUSE(value_account, "4294967295", &account, "0 to 4294967294");
	REFUSE(value_account, "99999999999999999999", &account, "0 to 4294967294");
	REFUSE(value_account, "-1", &account, "neither a name nor a number");
	REFUSE(value_account, "a b", &account, "neither a name nor a number");
	REFUSE(value_account, "root:root", &account, "neither a name nor a number");
	ck_assert_str_eq(account, "user@domain.example");
	free(account);
}
END_TEST

START_TEST(a_mode_is_octal_and_within_0777)
{
	mode_t mode = 1;

	ACCEPT(value_mode, "0644", &mode);
	ck_assert_uint_eq(mode, 0644);
	ACCEPT(value_mode, "640", &mode);
	ck_assert_uint_eq(mode, 0640);
	ACCEPT(value_mode, "0777", &mode);
	REFUSE(value_mode, "1777", &mode, "0777");
	REFUSE(value_mode, "4644", &mode, "0777");
	REFUSE(value_mode, "0888", &mode, "octal");
	REFUSE(value_mode, "u=rw", &mode, "octal");
	REFUSE(value_mode, "0644 ", &mode, "octal");
	REFUSE(value_mode, "00644", &mode, "octal");
	REFUSE(value_mode, "44", &mode, "octal");
	ck_assert_uint_eq(mode, 0777);
}
END_TEST

START_TEST(a_key_mode_with_any_bit_for_others_is_refused)
{
	mode_t mode = 1;

	ACCEPT(value_key_mode, "0640", &mode);
	ck_assert_uint_eq(mode, 0640);
	ACCEPT(value_key_mode, "0400", &mode);
	REFUSE(value_key_mode, "0644", &mode, "0644 lets others read the key; 0600 or 0640 are usual");
	REFUSE(value_key_mode, "0602", &mode, "others; 0600 or 0640 are usual");
	REFUSE(value_key_mode, "0601", &mode, "others");
	REFUSE(value_key_mode, "2640", &mode, "0777");
	ck_assert_uint_eq(mode, 0400);
}
END_TEST

START_TEST(durations_have_a_unit)
{
	long seconds = -1;

	ACCEPT(value_duration, "30s", &seconds);
	ck_assert_int_eq(seconds, 30);
	ACCEPT(value_duration, "10m", &seconds);
	ck_assert_int_eq(seconds, 600);
	ACCEPT(value_duration, "12h", &seconds);
	ck_assert_int_eq(seconds, 43200);
	ACCEPT(value_duration, "25d", &seconds);
	ck_assert_int_eq(seconds, 2160000);
	ACCEPT(value_duration, "0s", &seconds);
	REFUSE(value_duration, "10", &seconds, "as in 30s or 25d");
	REFUSE(value_duration, "-1s", &seconds, "no duration");
	REFUSE(value_duration, "1h30m", &seconds, "no duration");
	REFUSE(value_duration, "1w", &seconds, "no duration");
	REFUSE(value_duration, "99999999d", &seconds, "no duration");
	ck_assert_int_eq(seconds, 0);
}
END_TEST

START_TEST(a_time_to_wait_is_not_zero)
{
	long seconds = 5;

	ACCEPT(value_long_duration, "1s", &seconds);
	REFUSE(value_long_duration, "0s", &seconds, "1s or more");
	REFUSE(value_long_duration, "0d", &seconds, "1s or more");
	ck_assert_int_eq(seconds, 1);
}
END_TEST

START_TEST(booleans_are_yes_and_no)
{
	bool value = false;

	ACCEPT(value_boolean, "yes", &value);
	ck_assert(value);
	ACCEPT(value_boolean, "no", &value);
	ck_assert(!value);
	REFUSE(value_boolean, "true", &value, "no or yes");
	REFUSE(value_boolean, "Yes", &value, "no or yes");
	REFUSE(value_boolean, "1", &value, "no or yes");
}
END_TEST

START_TEST(a_mount_is_a_path_of_vaults_without_blanks)
{
	char *mount = NULL;

	ACCEPT(value_mount, "secret", &mount);
	ACCEPT(value_mount, "team/secret", &mount);
	REFUSE(value_mount, "secret/", &mount, "empty part");
	REFUSE(value_mount, "/secret", &mount, "empty part");
	REFUSE(value_mount, "a//b", &mount, "empty part");
	REFUSE(value_mount, "a/../b", &mount, ". or ..");
	REFUSE(value_mount, ".", &mount, ". or ..");
	REFUSE(value_mount, "a.", &mount, "ends in a period");
	REFUSE(value_mount, "a b", &mount, "blank");
	REFUSE(value_mount, "f\xc3\xbcr", &mount, "ASCII");
	ck_assert_str_eq(mount, "team/secret");
	free(mount);
}
END_TEST

START_TEST(a_path_that_a_policy_would_take_for_a_pattern_is_refused)
{
	ck_assert_ptr_null(value_vault_path_problem("certs/*.example.com"));
	ck_assert_ptr_null(value_vault_path_problem("certs/a+b"));
	ck_assert_ptr_nonnull(value_vault_path_problem("certs/*"));
	ck_assert_ptr_nonnull(value_vault_path_problem("certs/www*"));
	ck_assert_ptr_nonnull(value_vault_path_problem("certs/+/www"));
	ck_assert_ptr_nonnull(value_vault_path_problem("+"));
	ck_assert_ptr_nonnull(value_vault_path_problem("certs/a+*b"));
	ck_assert_ptr_nonnull(value_vault_path_problem("certs/{{identity.entity.name}}"));
}
END_TEST

START_TEST(one_word_has_no_blank)
{
	char *word = NULL;

	ACCEPT(value_word, "puppet", &word);
	REFUSE(value_word, "a b", &word, "blank");
	ck_assert_str_eq(word, "puppet");
	free(word);
}
END_TEST

START_TEST(a_unit_is_no_option_and_no_path)
{
	char *unit = NULL;

	ACCEPT(value_unit, "postgresql@15-main.service", &unit);
	REFUSE(value_unit, "--now", &unit, "no name of a unit");
	REFUSE(value_unit, "a/b.service", &unit, "no name of a unit");
	REFUSE(value_unit, "a b.service", &unit, "no name of a unit");
	free(unit);
}
END_TEST

START_TEST(names_are_letters_digits_dots_dashes_and_underlines)
{
	char name[256];

	ck_assert(value_is_name("www.example.com", ""));
	ck_assert(value_is_name("_wildcard.Example.com", ""));
	ck_assert(value_is_name("a-", ""));
	ck_assert(!value_is_name("", ""));
	ck_assert(!value_is_name(".a", ""));
	ck_assert(!value_is_name("-a", ""));
	ck_assert(!value_is_name("a.", ""));
	ck_assert(!value_is_name("a/b", ""));
	ck_assert(!value_is_name("a b", ""));
	ck_assert(!value_is_name("*.a", ""));
	ck_assert(!value_is_name("f\xc3\xbcr", ""));
	ck_assert(!value_is_name("a@b", ""));
	ck_assert(value_is_name("a@b", "@"));
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	ck_assert(value_is_name(name, ""));
	name[253] = 'a';
	name[254] = '\0';
	ck_assert(!value_is_name(name, ""));
}
END_TEST

static void
expect_command(const char *text, const char *const words[])
{
	struct words command = { 0 };
	size_t count = 0;

	ACCEPT(value_command, text, &command);
	for (; words[count] != NULL; count++) {
		ck_assert_uint_gt(command.count, count);
		ck_assert_str_eq(command.items[count], words[count]);
	}
	ck_assert_uint_eq(command.count, count);
	words_clear(&command);
}

#define COMMAND(text, ...) expect_command(text, (const char *const []){ __VA_ARGS__, NULL })

START_TEST(a_command_is_split_at_blanks)
{
	COMMAND("/usr/sbin/nginx -t", "/usr/sbin/nginx", "-t");
	COMMAND("/a \t  b\n c", "/a", "b", "c");
	COMMAND("/a", "/a");
}
END_TEST

START_TEST(quotes_keep_blanks_together_and_are_removed)
{
	COMMAND("/bin/sh -c 'a  b'", "/bin/sh", "-c", "a  b");
	COMMAND("/a \"b c\"", "/a", "b c");
	COMMAND("/a b' 'c\" \"d", "/a", "b c d");
	COMMAND("/a ''", "/a", "");
	COMMAND("'/a b' c", "/a b", "c");
	COMMAND("/a \"it's\" '\"'", "/a", "it's", "\"");
}
END_TEST

START_TEST(nothing_in_a_command_is_escaped_or_expanded)
{
	COMMAND("/a \\n $HOME ~ * `x` a\\ b", "/a", "\\n", "$HOME", "~", "*", "`x`", "a\\", "b");
	COMMAND("/a 'b\\' c", "/a", "b\\", "c");
}
END_TEST

START_TEST(a_quote_that_is_not_closed_is_refused)
{
	struct words command = { 0 };

	REFUSE(value_command, "/a 'b", &command, "not closed");
	REFUSE(value_command, "/a \"b'", &command, "not closed");
	REFUSE(value_command, "/a 'b\nc'", &command, "not closed");
	ck_assert_uint_eq(command.count, 0);
}
END_TEST

START_TEST(a_command_begins_with_an_absolute_path)
{
	struct words command = { 0 };

	REFUSE(value_command, "nginx -t", &command, "not an absolute path");
	REFUSE(value_command, "./nginx", &command, "not an absolute path");
	REFUSE(value_command, "'' x", &command, "not an absolute path");
	ck_assert_uint_eq(command.count, 0);
}
END_TEST

START_TEST(a_second_value_replaces_the_first)
{
	struct words command = { 0 };
	char *word = NULL;

	ACCEPT(value_command, "/a b", &command);
	ACCEPT(value_command, "/c", &command);
	ck_assert_uint_eq(command.count, 1);
	ck_assert_str_eq(command.items[0], "/c");
	ACCEPT(value_word, "a", &word);
	ACCEPT(value_word, "b", &word);
	ck_assert_str_eq(word, "b");
	words_clear(&command);
	free(word);
}
END_TEST

START_TEST(a_word_that_stands_twice_in_a_list_is_told)
{
	const struct inifile_pair pair = { (char *)"key", (char *)"a b\na  c b a", 7 };
	struct manifest_errors errors = { 0 };
	struct words words;

	value_words(&pair, &words);
	ck_assert_uint_eq(words.count, 6);
	ck_assert_int_eq(value_unique(&pair, &words, &errors), -1);
	ck_assert_uint_eq(errors.count, 3);
	ck_assert_str_eq(errors.items[0].text, "key: a stands twice in the list");
	words_clear(&words);
	manifest_errors_clear(&errors);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest-value");

	tcase_add_test(tests, a_path_is_absolute_and_has_no_detours);
	tcase_add_test(tests, a_secret_in_the_place_of_its_file_is_not_repeated);
	tcase_add_test(tests, an_account_is_a_name_or_a_number);
	tcase_add_test(tests, a_mode_is_octal_and_within_0777);
	tcase_add_test(tests, a_key_mode_with_any_bit_for_others_is_refused);
	tcase_add_test(tests, durations_have_a_unit);
	tcase_add_test(tests, a_time_to_wait_is_not_zero);
	tcase_add_test(tests, booleans_are_yes_and_no);
	tcase_add_test(tests, a_mount_is_a_path_of_vaults_without_blanks);
	tcase_add_test(tests, a_path_that_a_policy_would_take_for_a_pattern_is_refused);
	tcase_add_test(tests, one_word_has_no_blank);
	tcase_add_test(tests, a_unit_is_no_option_and_no_path);
	tcase_add_test(tests, names_are_letters_digits_dots_dashes_and_underlines);
	tcase_add_test(tests, a_command_is_split_at_blanks);
	tcase_add_test(tests, quotes_keep_blanks_together_and_are_removed);
	tcase_add_test(tests, nothing_in_a_command_is_escaped_or_expanded);
	tcase_add_test(tests, a_quote_that_is_not_closed_is_refused);
	tcase_add_test(tests, a_command_begins_with_an_absolute_path);
	tcase_add_test(tests, a_second_value_replaces_the_first);
	tcase_add_test(tests, a_word_that_stands_twice_in_a_list_is_told);
	return run_tests("manifest-value", tests);
}
