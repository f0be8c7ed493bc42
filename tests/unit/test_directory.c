/* SPDX-License-Identifier: ISC */
#include "directory.c"

#include "unit/support/store_fixture.h"
#include "unit/support/descriptors.h"

#define SOMEBODY 4321	/* who runs no test */

static enum found
open_safe(const char *path, uid_t trusted_user)
{
	int directory;
	const enum found found = directory_open_safe(path, trusted_user, &directory, &its.why);

	if (found == FOUND_FILE)
		(void)close(directory);
	return found;
}

START_TEST(a_directory_of_our_own_below_a_sticky_one_is_safe)
{
	ck_assert_int_eq(open_safe(its.top, geteuid()), FOUND_FILE);
	ck_assert_int_eq(open_safe("/", geteuid()), FOUND_FILE);
	ck_assert_int_eq(open_safe("/tmp", geteuid()), FOUND_FILE);
	ck_assert_int_eq(open_safe(at("out//./../out/"), geteuid()), FOUND_FILE);
}
END_TEST

START_TEST(a_directory_that_others_may_write_to_is_named)
{
	ck_assert_int_eq(mkdir(at("out/below"), 0755), 0);
	ck_assert_int_eq(chmod(at("out"), 0775), 0);
	ck_assert_int_eq(open_safe(at("out/below"), geteuid()), FOUND_FAILED);
	ASSERT_SAYS("/out is writable by its group");
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ck_assert_int_eq(chmod(at("out"), 0757), 0);
	ck_assert_int_eq(open_safe(at("out/below"), geteuid()), FOUND_FAILED);
	ASSERT_SAYS("/out is writable by everyone");
	ck_assert_int_eq(chmod(at("out"), 01777), 0);
	ck_assert_int_eq(open_safe(at("out/below"), geteuid()), FOUND_FILE);
}
END_TEST

START_TEST(a_directory_of_somebody_else_is_safe_only_if_he_is_trusted)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(at("out"), SOMEBODY, SOMEBODY), 0);
	ck_assert_int_eq(open_safe(at("out"), 0), FOUND_FAILED);
	ASSERT_SAYS("/out belongs to user 4321");
	ck_assert_int_eq(open_safe(at("out"), SOMEBODY), FOUND_FILE);
	/* Sticky or not: its owner may rename what is in it. */
	ck_assert_int_eq(chmod(at("out"), 01777), 0);
	ck_assert_int_eq(open_safe(at("out"), 0), FOUND_FAILED);
}
END_TEST

START_TEST(a_link_of_our_own_is_followed_to_where_it_is_safe)
{
	ck_assert_int_eq(symlink("out", at("relative")), 0);
	ck_assert_int_eq(symlink(at("out"), at("absolute")), 0);
	ck_assert_int_eq(mkdir(at("out/below"), 0755), 0);
	ck_assert_int_eq(open_safe(at("relative/below"), geteuid()), FOUND_FILE);
	ck_assert_int_eq(open_safe(at("absolute/below"), geteuid()), FOUND_FILE);
	ck_assert_int_eq(chmod(at("out"), 0777), 0);
	ck_assert_int_eq(open_safe(at("relative/below"), geteuid()), FOUND_FAILED);
	ASSERT_SAYS("/out is writable by everyone");
	ck_assert_int_eq(open_safe(at("absolute/below"), geteuid()), FOUND_FAILED);
}
END_TEST

START_TEST(a_link_of_somebody_else_is_not_followed)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(symlink("out", at("link")), 0);
	ck_assert_int_eq(lchown(at("link"), SOMEBODY, SOMEBODY), 0);
	ck_assert_int_eq(open_safe(at("link"), 0), FOUND_FAILED);
	ASSERT_SAYS("/link belongs to user 4321");
}
END_TEST

/* Else the owner of a certificate would have root write into any directory of root's. */
START_TEST(a_link_that_a_trusted_user_could_have_made_is_not_followed)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(mkdir(at("roots"), 0755), 0);
	ck_assert_int_eq(symlink(at("roots"), at("out/link")), 0);
	ck_assert_int_eq(open_safe(at("out/link"), SOMEBODY), FOUND_FILE);
	ck_assert_int_eq(lchown(at("out/link"), SOMEBODY, SOMEBODY), 0);
	ck_assert_int_eq(open_safe(at("out/link"), SOMEBODY), FOUND_FAILED);
	ASSERT_SAYS("/out/link is a link that others than root could have made");
	/* Root's own link, which he may have moved here. */
	ck_assert_int_eq(lchown(at("out/link"), 0, 0), 0);
	ck_assert_int_eq(chown(at("out"), SOMEBODY, SOMEBODY), 0);
	ck_assert_int_eq(open_safe(at("out/link"), SOMEBODY), FOUND_FAILED);
	ck_assert_int_eq(chown(at("out"), 0, 0), 0);
	ck_assert_int_eq(chmod(at("out"), 01777), 0);
	ck_assert_int_eq(open_safe(at("out/link"), SOMEBODY), FOUND_FAILED);
}
END_TEST

START_TEST(links_in_a_circle_end)
{
	ck_assert_int_eq(symlink("two", at("one")), 0);
	ck_assert_int_eq(symlink("one", at("two")), 0);
	ck_assert_int_eq(open_safe(at("one"), geteuid()), FOUND_FAILED);
	ASSERT_SAYS("too many links");
}
END_TEST

START_TEST(what_is_missing_or_no_directory_is_told)
{
	ck_assert_int_eq(open_safe(at("none/below"), geteuid()), FOUND_ABSENT);
	ASSERT_SAYS("/none does not exist");
	write_file(at("file"), "x");
	ck_assert_int_eq(open_safe(at("file"), geteuid()), FOUND_FAILED);
	ASSERT_SAYS("/file is no directory");
	ck_assert_int_eq(open_safe("relative", geteuid()), FOUND_FAILED);
}
END_TEST

static int
make(const char *path)
{
	int directory;
	const int result = directory_make_safe(path, &directory, &its.why);

	if (result == 0)
		(void)close(directory);
	return result;
}

START_TEST(a_path_is_made_with_all_above_it_whatever_the_umask)
{
	ck_assert_int_eq(make(at("one/two/three")), 0);
	ck_assert_uint_eq(mode_of(at("one")), 0755);
	ck_assert_uint_eq(mode_of(at("one/two/three")), 0755);
	ck_assert_int_eq(chmod(at("one/two"), 0700), 0);
	ck_assert_int_eq(make(at("one/two/three")), 0);
	ck_assert_uint_eq(mode_of(at("one/two")), 0700);
	ck_assert_uint_eq(umask(077), 077);
	write_file(at("file"), "x");
	ck_assert_int_eq(make(at("file/below")), -1);
	ASSERT_SAYS("/file is no directory");
}
END_TEST

START_TEST(nothing_is_made_in_a_directory_that_is_not_safe)
{
	ck_assert_int_eq(chmod(at("out"), 0777), 0);
	ck_assert_int_eq(make(at("out/one/two")), -1);
	ASSERT_SAYS("/out is writable by everyone");
	ck_assert(!exists(at("out/one")));
	ck_assert_int_eq(directory_write(at("out/one"), "file", "x", 0600, &its.why), -1);
	ck_assert(!exists(at("out/one")));
}
END_TEST

START_TEST(a_text_is_written_with_its_directory_and_mode)
{
	ck_assert_int_eq(directory_write(at("one"), "file", "words", 0640, &its.why), 0);
	ck_assert_str_eq(read_file(at("one/file")), "words");
	ck_assert_uint_eq(mode_of(at("one/file")), 0640);
}
END_TEST

START_TEST(a_directory_of_our_own_is_never_reached_through_a_link)
{
	const int top = open(its.top, O_RDONLY | O_DIRECTORY);
	int directory = -1;

	ck_assert_int_eq(symlink("out", at("link")), 0);
	write_file(at("file"), "x");
	ck_assert_int_eq(directory_open(top, "link", &directory, &its.why), FOUND_FAILED);
	ck_assert_int_eq(directory_make(top, "link", &directory, &its.why), -1);
	ck_assert_int_eq(directory_make(top, "file", &directory, &its.why), -1);
	ASSERT_SAYS("file is no directory; move it away");
	ck_assert_int_eq(directory_open(top, "none", &directory, &its.why), FOUND_ABSENT);
	ck_assert_int_eq(directory_open(-1, "out", &directory, &its.why), FOUND_ABSENT);
	ck_assert_int_eq(directory, -1);
	ck_assert_int_eq(directory_make(top, "new", &directory, &its.why), 0);
	ck_assert_uint_eq(mode_of(at("new")), 0755);
	(void)close(directory);
	(void)close(top);
}
END_TEST

START_TEST(a_directory_with_something_in_it_is_left_and_one_that_is_missing_is_gone)
{
	const int top = open(its.top, O_RDONLY | O_DIRECTORY);

	write_file(at("out/mine"), "");
	ck_assert_int_eq(directory_remove(top, "out", its.top, &its.why), 0);
	ck_assert(exists(at("out/mine")));
	ck_assert_int_eq(unlink(at("out/mine")), 0);
	ck_assert_int_eq(directory_remove(top, "out", its.top, &its.why), 0);
	ck_assert(!exists(at("out")));
	ck_assert_int_eq(directory_remove(top, "out", its.top, &its.why), 0);
	write_file(at("out"), "");
	ck_assert_int_eq(directory_remove(top, "out", its.top, &its.why), -1);
	ASSERT_SAYS("/out: Not a directory");
	(void)close(top);
}
END_TEST

START_TEST(a_list_holds_all_names_and_can_be_made_again)
{
	const int out = open(at("out"), O_RDONLY | O_DIRECTORY);

	write_file(at("out/.one"), "");
	write_file(at("out/two"), "");
	for (int i = 0; i < 2; i++) {
		struct words names = { 0 };

		ck_assert_int_eq(directory_list(out, &names, &its.why), 0);
		ck_assert_uint_eq(names.count, 2);
		ck_assert(words_contain(&names, ".one"));
		ck_assert(words_contain(&names, "two"));
		words_clear(&names);
	}
	(void)close(out);
}
END_TEST

START_TEST(what_cannot_be_made_is_named)
{
	int directory;

	ck_assert_int_eq(directory_make_safe("/proc/certlet/run", &directory, &its.why), -1);
	ASSERT_SAYS("/proc: make certlet");
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
}
END_TEST

START_TEST(a_file_is_removed_with_what_a_killed_run_left_and_missing_ones_are_fine)
{
	write_file(at("out/file"), "x");
	write_file(at("out/.file.certlet"), "x");
	ck_assert_int_eq(directory_remove_file(at("out"), "file", &its.why), 0);
	ck_assert(!exists(at("out/file")) && !exists(at("out/.file.certlet")));
	ck_assert_int_eq(directory_remove_file(at("out"), "file", &its.why), 0);
	ck_assert_int_eq(directory_remove_file(at("none"), "file", &its.why), 0);
	write_file(at("file"), "x");
	ck_assert_int_eq(directory_remove_file(at("file"), "file", &its.why), -1);
	ASSERT_SAYS("/file is no directory");
}
END_TEST

START_TEST(why_a_directory_stays_is_told)
{
	const int out = open(at("out"), O_RDONLY | O_DIRECTORY);

	errno = EBUSY;
	ck_assert_int_eq(directory_not_removed(out, &its.why), -1);
	ASSERT_SAYS("remove it: Device or resource busy");
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	write_file(at("out/mine"), "x");
	ck_assert_int_eq(rmdir(at("out")), -1);
	ck_assert_int_eq(directory_not_removed(out, &its.why), -1);
	ASSERT_SAYS("mine in it was not made by certlet");
	ck_assert_int_eq(its.why.kind, FAILURE_FOREIGN);
	descriptors_take(0);
	errno = ENOTEMPTY;
	ck_assert_int_eq(directory_not_removed(out, &its.why), -1);
	descriptors_give_back();
	ASSERT_SAYS("list a directory");
	(void)close(out);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("directory");

	tcase_add_test(tests, a_directory_of_our_own_below_a_sticky_one_is_safe);
	tcase_add_test(tests, a_directory_that_others_may_write_to_is_named);
	tcase_add_test(tests, a_directory_of_somebody_else_is_safe_only_if_he_is_trusted);
	tcase_add_test(tests, a_link_of_our_own_is_followed_to_where_it_is_safe);
	tcase_add_test(tests, a_link_of_somebody_else_is_not_followed);
	tcase_add_test(tests, a_link_that_a_trusted_user_could_have_made_is_not_followed);
	tcase_add_test(tests, links_in_a_circle_end);
	tcase_add_test(tests, what_is_missing_or_no_directory_is_told);
	tcase_add_test(tests, a_path_is_made_with_all_above_it_whatever_the_umask);
	tcase_add_test(tests, nothing_is_made_in_a_directory_that_is_not_safe);
	tcase_add_test(tests, a_text_is_written_with_its_directory_and_mode);
	tcase_add_test(tests, a_directory_of_our_own_is_never_reached_through_a_link);
	tcase_add_test(tests, a_directory_with_something_in_it_is_left_and_one_that_is_missing_is_gone);
	tcase_add_test(tests, a_list_holds_all_names_and_can_be_made_again);
	tcase_add_test(tests, what_cannot_be_made_is_named);
	tcase_add_test(tests, a_file_is_removed_with_what_a_killed_run_left_and_missing_ones_are_fine);
	tcase_add_test(tests, why_a_directory_stays_is_told);
	return run_tests("directory", tests);
}
