/* SPDX-License-Identifier: ISC */
#include "file.c"

#include "unit/support/store_fixture.h"

static int
open_top(void)
{
	const int directory = open(its.top, O_RDONLY | O_DIRECTORY);

	ck_assert_int_ne(directory, -1);
	return directory;
}

static const struct ownership *
plain(mode_t mode)
{
	static struct ownership own;

	own = file_own(mode);
	return &own;
}

START_TEST(an_absent_file_is_not_one_that_cannot_be_read)
{
	struct secret bytes = { 0 };

	ck_assert_int_eq(file_read_path(at("none"), 10, &bytes, NULL, &its.why), FOUND_ABSENT);
	write_file(at("file"), "x");
	/* A file where a directory should be is no answer to "is it there?". */
	ck_assert_int_eq(file_read_path(at("file/below"), 10, &bytes, NULL, &its.why), FOUND_FAILED);
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ck_assert_ptr_null(bytes.bytes);
}
END_TEST

START_TEST(a_file_is_read_up_to_its_limit_and_not_beyond)
{
	struct secret bytes = { 0 };
	struct stat status;

	write_file(at("file"), "0123456789");
	ck_assert_int_eq(file_read_path(at("file"), 10, &bytes, &status, &its.why), FOUND_FILE);
	ck_assert_str_eq(bytes.bytes, "0123456789");
	ck_assert_int_eq(status.st_size, 10);
	ck_assert_int_eq(file_read_path(at("file"), 9, &bytes, NULL, &its.why), FOUND_FAILED);
	ASSERT_SAYS("larger than 9 bytes");
	ck_assert_str_eq(bytes.bytes, "0123456789");
	secret_clear(&bytes);
}
END_TEST

START_TEST(an_empty_file_has_bytes_too)
{
	struct secret bytes = { 0 };

	write_file(at("file"), "");
	ck_assert_int_eq(file_read_path(at("file"), 10, &bytes, NULL, &its.why), FOUND_FILE);
	ck_assert_uint_eq(bytes.size, 0);
	ck_assert_str_eq(bytes.bytes, "");
	secret_clear(&bytes);
}
END_TEST

START_TEST(neither_a_fifo_nor_a_directory_is_read_and_nothing_blocks)
{
	struct secret bytes = { 0 };

	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	ck_assert_int_eq(file_read_path(at("fifo"), 10, &bytes, NULL, &its.why), FOUND_FAILED);
	ASSERT_SAYS("no regular file");
	ck_assert_int_eq(file_read_path(at("out"), 10, &bytes, NULL, &its.why), FOUND_FAILED);
	ASSERT_SAYS("no regular file");
}
END_TEST

START_TEST(a_link_is_followed_in_a_path_and_not_in_a_directory)
{
	const int directory = open_top();
	struct secret bytes = { 0 };

	write_file(at("file"), "x");
	ck_assert_int_eq(symlink("file", at("link")), 0);
	ck_assert_int_eq(file_read_path(at("link"), 10, &bytes, NULL, &its.why), FOUND_FILE);
	ck_assert_int_eq(file_read_at(directory, "link", 10, &bytes, NULL, &its.why), FOUND_FAILED);
	ck_assert_int_eq(file_read_at(directory, "file", 10, &bytes, NULL, &its.why), FOUND_FILE);
	secret_clear(&bytes);
	(void)close(directory);
}
END_TEST

START_TEST(digests_of_bytes_and_of_a_file_are_those_of_sha256)
{
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	const int directory = open_top();
	char digest[DIGEST_BYTES];
	struct stat status;

	file_digest("abc", 3, digest);
	ck_assert_str_eq(digest, abc);
	file_digest(NULL, 0, digest);
	ck_assert_str_eq(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	write_file(at("file"), "abc");
	ck_assert_int_eq(file_digest_at(directory, "file", digest, &status, &its.why), FOUND_FILE);
	ck_assert_str_eq(digest, abc);
	ck_assert_int_eq(file_digest_at(directory, "none", digest, &status, &its.why), FOUND_ABSENT);
	(void)close(directory);
}
END_TEST

START_TEST(a_file_is_created_with_its_mode_whatever_the_umask)
{
	const int directory = open_top();

	(void)umask(0777);
	ck_assert_int_eq(file_create(directory, "file", "text", 4, plain(0644), &its.why), 0);
	(void)umask(0);
	ck_assert_int_eq(file_create(directory, "key", "text", 4, plain(0600), &its.why), 0);
	ck_assert_uint_eq(mode_of(at("file")), 0644);
	ck_assert_uint_eq(mode_of(at("key")), 0600);
	ck_assert_str_eq(read_file(at("file")), "text");
	(void)close(directory);
}
END_TEST

START_TEST(creating_never_writes_to_what_is_there_nor_through_a_link)
{
	const int directory = open_top();

	write_file(at("file"), "mine");
	ck_assert_int_eq(symlink("file", at("link")), 0);
	ck_assert_int_eq(symlink("nowhere", at("dangling")), 0);
	ck_assert_int_eq(file_create(directory, "file", "x", 1, plain(0600), &its.why), -1);
	ck_assert_int_eq(file_create(directory, "link", "x", 1, plain(0600), &its.why), -1);
	ck_assert_int_eq(file_create(directory, "dangling", "x", 1, plain(0600), &its.why), -1);
	ck_assert_str_eq(read_file(at("file")), "mine");
	ck_assert(!exists(at("nowhere")));
	(void)close(directory);
}
END_TEST

START_TEST(replacing_makes_a_new_file_and_leaves_nothing_beside_it)
{
	const int directory = open_top();
	ino_t before;

	write_file(at("file"), "old");
	before = look_at(at("file")).st_ino;
	ck_assert_int_eq(file_replace(directory, "file", "new", 3, plain(0640), &its.why), 0);
	ck_assert_str_eq(read_file(at("file")), "new");
	ck_assert_uint_eq(mode_of(at("file")), 0640);
	ck_assert_uint_ne(look_at(at("file")).st_ino, before);
	ck_assert(!file_has_leftover(directory, "file"));
	(void)close(directory);
}
END_TEST

START_TEST(a_failed_replacement_leaves_what_was_there)
{
	const int directory = open_top();

	ck_assert_int_eq(mkdir(at("name"), 0700), 0);
	write_file(at("name/inside"), "x");
	ck_assert_int_eq(file_replace(directory, "name", "new", 3, plain(0600), &its.why), -1);
	ck_assert_int_eq(file_replace_link(directory, "name", "target", &its.why), -1);
	ck_assert(exists(at("name/inside")));
	ck_assert(!file_has_leftover(directory, "name"));
	(void)close(directory);
}
END_TEST

START_TEST(what_a_killed_run_left_is_found_again_and_replaced)
{
	const int directory = open_top();

	ck_assert_int_eq(file_prepare(directory, "file", "half", 4, plain(0600), &its.why), 0);
	ck_assert(file_has_leftover(directory, "file"));
	ck_assert(!exists(at("file")));
	ck_assert_int_eq(file_replace(directory, "file", "whole", 5, plain(0600), &its.why), 0);
	ck_assert_str_eq(read_file(at("file")), "whole");
	ck_assert(!file_has_leftover(directory, "file"));
	ck_assert_int_eq(file_prepare(directory, "file", "half", 4, plain(0600), &its.why), 0);
	ck_assert_int_eq(file_replace_link(directory, "file", "target", &its.why), 0);
	ck_assert_str_eq(read_link(at("file")), "target");
	ck_assert(!file_has_leftover(directory, "file"));
	(void)close(directory);
}
END_TEST

START_TEST(what_a_killed_run_left_is_known_by_its_digest)
{
	const int directory = open_top();
	char whole[DIGEST_BYTES];

	file_digest("whole", 5, whole);
	ck_assert(!file_leftover_is(directory, "file", whole));
	ck_assert_int_eq(file_prepare(directory, "file", "whol", 4, plain(0600), &its.why), 0);
	ck_assert(!file_leftover_is(directory, "file", whole));
	ck_assert_int_eq(file_prepare(directory, "file", "whole", 5, plain(0600), &its.why), 0);
	ck_assert(file_leftover_is(directory, "file", whole));
	ck_assert_int_eq(file_commit(directory, "file", &its.why), 0);
	ck_assert(!file_leftover_is(directory, "file", whole));
	(void)close(directory);
}
END_TEST

START_TEST(a_directory_under_the_dot_name_is_named_and_left)
{
	const int directory = open_top();

	ck_assert_int_eq(mkdir(at(".file.certlet"), 0700), 0);
	ck_assert_int_eq(file_replace(directory, "file", "x", 1, plain(0600), &its.why), -1);
	ASSERT_SAYS(".file.certlet stands in the way of file; move it away");
	ck_assert(exists(at(".file.certlet")));
	(void)close(directory);
}
END_TEST

START_TEST(the_longest_name_can_be_replaced)
{
	const int directory = open_top();
	char name[NAME_MAX + 1];

	memset(name, 'a', NAME_MAX);
	name[NAME_MAX] = '\0';
	ck_assert_int_eq(file_replace(directory, name, "x", 1, plain(0600), &its.why), 0);
	ck_assert(exists(at("%s", name)));
	(void)close(directory);
}
END_TEST

START_TEST(a_link_is_put_in_the_place_of_another_at_once)
{
	const int directory = open_top();
	char *target;

	ck_assert_int_eq(file_replace_link(directory, "link", "one", &its.why), 0);
	ck_assert_int_eq(file_replace_link(directory, "link", "two", &its.why), 0);
	ck_assert_ptr_nonnull(target = file_read_link(directory, "link"));
	ck_assert_str_eq(target, "two");
	free(target);
	ck_assert_ptr_null(file_read_link(directory, "none"));
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_ptr_null(file_read_link(directory, "out"));
	ck_assert_int_eq(errno, EINVAL);
	(void)close(directory);
}
END_TEST

START_TEST(a_right_mode_is_not_set_again)
{
	struct stat before;
	int file;

	write_file(at("file"), "x");
	ck_assert_int_eq(chmod(at("file"), 0640), 0);
	before = look_at(at("file"));
	file = open(at("file"), O_RDONLY);
	ck_assert_int_eq(file_set_ownership(file, plain(0640), &its.why), 0);
	ck_assert_int_eq(look_at(at("file")).st_ctim.tv_nsec, before.st_ctim.tv_nsec);
	ck_assert_int_eq(file_set_ownership(file, plain(0600), &its.why), 0);
	ck_assert_uint_eq(mode_of(at("file")), 0600);
	(void)close(file);
}
END_TEST

START_TEST(root_gives_a_file_to_another_owner)
{
	const struct ownership wanted = { .owner = 12, .group = 34, .mode = 0640 };
	const int directory = open_top();
	struct stat status;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(file_create(directory, "file", "x", 1, &wanted, &its.why), 0);
	status = look_at(at("file"));
	ck_assert(file_ownership_is(&status, &wanted));
	ck_assert_uint_eq(status.st_uid, 12);
	ck_assert_uint_eq(status.st_gid, 34);
	(void)close(directory);
}
END_TEST

START_TEST(a_file_that_cannot_be_given_away_is_not_left_behind)
{
	const struct ownership wanted = { .owner = 0, .group = 0, .mode = 0640 };
	const int directory = open_top();

	if (geteuid() == 0)
		return;
	ck_assert_int_eq(file_create(directory, "file", "x", 1, &wanted, &its.why), -1);
	ASSERT_SAYS("give it to user 0");
	ck_assert(!exists(at("file")));
	(void)close(directory);
}
END_TEST

/* A file that grows has no more to say than one that was large from the beginning: /proc says 0. */
START_TEST(a_file_that_turns_out_larger_than_its_size_is_refused)
{
	struct secret bytes = { 0 };

	ck_assert_int_eq(file_read_path("/proc/self/status", 10, &bytes, NULL, &its.why),
	    FOUND_FAILED);
	ASSERT_SAYS("/proc/self/status is larger than 10 bytes");
	ck_assert_ptr_null(bytes.bytes);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("file");

	tcase_add_test(tests, an_absent_file_is_not_one_that_cannot_be_read);
	tcase_add_test(tests, a_file_is_read_up_to_its_limit_and_not_beyond);
	tcase_add_test(tests, an_empty_file_has_bytes_too);
	tcase_add_test(tests, neither_a_fifo_nor_a_directory_is_read_and_nothing_blocks);
	tcase_add_test(tests, a_link_is_followed_in_a_path_and_not_in_a_directory);
	tcase_add_test(tests, digests_of_bytes_and_of_a_file_are_those_of_sha256);
	tcase_add_test(tests, a_file_is_created_with_its_mode_whatever_the_umask);
	tcase_add_test(tests, creating_never_writes_to_what_is_there_nor_through_a_link);
	tcase_add_test(tests, replacing_makes_a_new_file_and_leaves_nothing_beside_it);
	tcase_add_test(tests, a_failed_replacement_leaves_what_was_there);
	tcase_add_test(tests, what_a_killed_run_left_is_found_again_and_replaced);
	tcase_add_test(tests, what_a_killed_run_left_is_known_by_its_digest);
	tcase_add_test(tests, a_directory_under_the_dot_name_is_named_and_left);
	tcase_add_test(tests, the_longest_name_can_be_replaced);
	tcase_add_test(tests, a_link_is_put_in_the_place_of_another_at_once);
	tcase_add_test(tests, a_right_mode_is_not_set_again);
	tcase_add_test(tests, root_gives_a_file_to_another_owner);
	tcase_add_test(tests, a_file_that_cannot_be_given_away_is_not_left_behind);
	tcase_add_test(tests, a_file_that_turns_out_larger_than_its_size_is_refused);
	return run_tests("file", tests);
}
