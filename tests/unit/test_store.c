/* SPDX-License-Identifier: ISC */
#include "store.c"

#include "unit/support/store_fixture.h"

#define SOMEBODY 4321	/* who runs no test */

START_TEST(a_store_is_made_with_its_directories)
{
	ck_assert_uint_eq(mode_of(at("dir")), 0755);
	ck_assert_uint_eq(mode_of(at("dir/live")), 0755);
	ck_assert_uint_eq(mode_of(at("dir/archive")), 0755);
}
END_TEST

START_TEST(a_store_is_not_reached_through_a_link)
{
	struct store *store;

	ck_assert_int_eq(mkdir(at("other"), 0755), 0);
	ck_assert_int_eq(symlink(at("out"), at("other/live")), 0);
	ck_assert_int_eq(store_open(at("other"), true, &store, &its.why), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_SETUP);
	ASSERT_SAYS("other: live is no directory; move it away");
}
END_TEST

START_TEST(a_store_in_a_directory_of_all_is_refused)
{
	struct store *store;

	ck_assert_int_eq(chmod(at("out"), 0777), 0);
	ck_assert_int_eq(store_open(at("out/dir"), true, &store, &its.why), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_SETUP);
	ASSERT_SAYS("/out is writable by everyone");
}
END_TEST

START_TEST(an_entry_without_owner_belongs_to_who_runs_certlet)
{
	ck_assert_uint_eq(its.keeper.owner, geteuid());
	ck_assert_uint_eq(its.keeper.group, getegid());
	ck_assert_uint_eq(its.keeper.modes[PART_KEY], 0600);
	ck_assert_uint_eq(its.keeper.modes[PART_COMBINED], 0600);
	ck_assert_uint_eq(its.keeper.modes[PART_FULLCHAIN], 0644);
	ck_assert(its.keeper.parts[PART_CHAIN] && !its.keeper.parts[PART_COMBINED]);
}
END_TEST

START_TEST(an_output_of_combined_makes_it_wanted)
{
	give_output(PART_COMBINED, "/x");
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), 0);
	ck_assert(its.keeper.parts[PART_COMBINED]);
}
END_TEST

START_TEST(owners_are_names_or_numbers)
{
	if (geteuid() != 0)
		return;
	its.entry.owner = (char *)"daemon";
	its.entry.group = (char *)"4711";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), 0);
	ck_assert_uint_eq(its.keeper.owner, getpwnam("daemon")->pw_uid);
	ck_assert_uint_eq(its.keeper.group, 4711);
	its.entry.owner = (char *)"4710";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), 0);
	ck_assert_uint_eq(its.keeper.owner, 4710);
}
END_TEST

START_TEST(an_unknown_owner_fails_the_entry)
{
	its.entry.owner = (char *)"no-such-user";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ASSERT_SAYS("there is no user no-such-user");
	its.entry.owner = NULL;
	its.entry.group = (char *)"no-such-group";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), -1);
	ASSERT_SAYS("there is no group no-such-group");
	its.entry.group = (char *)"4294967295";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), -1);
}
END_TEST

START_TEST(an_ordinary_user_cannot_give_files_to_others)
{
	const bool root = geteuid() == 0;

	ck_assert(!root || seteuid(SOMEBODY) == 0);
	its.entry.owner = (char *)"root";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ASSERT_SAYS("owner: certlet, run by an ordinary user, cannot give files to root");
	its.entry.owner = NULL;
	its.entry.group = (char *)"4322";
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), -1);
	ASSERT_SAYS("group: certlet, run by an ordinary user, cannot give files to 4322");
	ck_assert(!root || seteuid(0) == 0);
}
END_TEST

START_TEST(fullchain_and_combined_are_composed)
{
	struct material material = { 0 };
	struct secret parts[PART_COUNT] = { 0 };

	secret_set(&material.cert, "C", 1);
	secret_set(&material.key, "K", 1);
	store_compose(&material, &its.keeper, parts);
	ck_assert_str_eq(parts[PART_FULLCHAIN].bytes, "C");
	ck_assert_uint_eq(parts[PART_CHAIN].size, 0);
	ck_assert_ptr_null(parts[PART_COMBINED].bytes);
	for (int part = 0; part < PART_COUNT; part++)
		secret_clear(&parts[part]);
	its.keeper.parts[PART_COMBINED] = true;
	secret_set(&material.chain, "I", 1);
	store_compose(&material, &its.keeper, parts);
	ck_assert_str_eq(parts[PART_FULLCHAIN].bytes, "CI");
	ck_assert_str_eq(parts[PART_COMBINED].bytes, "KCI");
	for (int part = 0; part < PART_COUNT; part++)
		secret_clear(&parts[part]);
	secret_clear(&material.cert);
	secret_clear(&material.chain);
	secret_clear(&material.key);
}
END_TEST

START_TEST(a_switch_changes_all_files_by_one_link)
{
	int before, file;
	char text[16] = "";

	(void)install("one");
	ck_assert_str_eq(read_link(at("dir/live/" NAME)), "../archive/" NAME "/1");
	before = open(at("dir/live/" NAME), O_RDONLY | O_DIRECTORY);
	(void)install("two");
	ck_assert_str_eq(read_link(at("dir/live/" NAME)), "../archive/" NAME "/2");
	ck_assert_str_eq(read_file(at("dir/live/" NAME "/cert.pem")), "two cert\n");
	/* Who had the directory open still has the old pair. */
	ck_assert_int_ne(file = openat(before, "privkey.pem", O_RDONLY), -1);
	ck_assert_int_gt(read(file, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, "one key\n");
	(void)close(file);
	(void)close(before);
	ck_assert_int_eq(try_switch(1), 0);
	ck_assert_str_eq(read_file(at("dir/live/" NAME "/privkey.pem")), "one key\n");
}
END_TEST

START_TEST(a_damaged_generation_never_goes_live)
{
	(void)install("one");
	(void)write_generation("two");
	write_file(at("dir/archive/" NAME "/2/privkey.pem"), "one key\n");
	ck_assert_int_eq(try_switch(2), -1);
	ASSERT_SAYS("/dir/archive/" NAME "/2 is damaged");
	ck_assert_int_eq(try_switch(3), -1);
	ck_assert_str_eq(read_link(at("dir/live/" NAME)), "../archive/" NAME "/1");
}
END_TEST

START_TEST(what_stands_in_the_place_of_the_link_is_left)
{
	const unsigned int number = write_generation("one");

	write_file(at("dir/live/" NAME), "mine");
	ck_assert_int_eq(try_switch(number), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ck_assert_int_eq(try_switch(0), -1);
	ck_assert_str_eq(read_file(at("dir/live/" NAME)), "mine");
}
END_TEST

START_TEST(a_bent_link_is_set_right)
{
	(void)install("one");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(symlink("/etc", at("dir/live/" NAME)), 0);
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_link(at("dir/live/" NAME)), "../archive/" NAME "/1");
	assert_all_is_well(1);
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(repair(), 0);
	assert_all_is_well(1);
}
END_TEST

START_TEST(a_repair_touches_only_what_is_wrong)
{
	struct stat link, key;

	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	link = look_at(at("dir/live/" NAME));
	key = look_at(at("dir/archive/" NAME "/1/privkey.pem"));
	ck_assert_int_eq(chmod(at("dir/archive/" NAME "/1/cert.pem"), 0666), 0);
	ck_assert_int_eq(unlink(at("out/cert.pem")), 0);
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_eq(look_at(at("dir/live/" NAME)).st_ino, link.st_ino);
	ck_assert_int_eq(look_at(at("dir/archive/" NAME "/1/privkey.pem")).st_ctim.tv_nsec,
	    key.st_ctim.tv_nsec);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/cert.pem")), 0644);
	assert_all_is_well(1);
}
END_TEST

START_TEST(a_damaged_generation_is_not_linked_again_nor_copied)
{
	its.entry.install = INSTALL_COPY;
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	write_file(at("dir/archive/" NAME "/1/cert.pem"), "damaged");
	write_file(at("out/cert.pem"), "damaged, too");
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "damaged, too");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(repair(), 0);
	ck_assert(!exists(at("dir/live/" NAME)));
}
END_TEST

START_TEST(a_generation_that_cannot_be_opened_is_a_failed_repair)
{
	struct disk disk;

	(void)install("one");
	disk = inspect();
	ck_assert_int_eq(rename(at("dir/archive/" NAME), at("moved")), 0);
	ck_assert_int_eq(repair_as(&disk), -1);
	ASSERT_SAYS("/dir/archive/" NAME " vanished");
	ck_assert_int_eq(symlink(at("moved"), at("dir/archive/" NAME)), 0);
	ck_assert_int_eq(repair_as(&disk), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ASSERT_SAYS("no directory");
	disk_clear(&disk);
}
END_TEST

START_TEST(the_first_generation_can_be_taken_away_again)
{
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	owned()->generation = 0;
	ck_assert_int_eq(try_switch(0), 0);
	ck_assert(!exists(at("dir/live/" NAME)));
	ck_assert(!exists(at("out/cert.pem")));
	ck_assert_uint_eq(owned()->output_count, 0);
	ck_assert(exists(at("dir/archive/" NAME "/1/cert.pem")));
	ck_assert_int_eq(try_switch(1), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "one cert\n");
}
END_TEST

START_TEST(paths_are_those_that_would_vanish)
{
	struct words copies = { 0 };
	char *archive;

	its.entry.install = INSTALL_COPY;
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	store_paths(its.store, owned(), &archive, &copies);
	ck_assert_str_eq(archive, at("dir/archive/" NAME));
	ck_assert_uint_eq(copies.count, 1);
	ck_assert_str_eq(copies.items[0], at("out/cert.pem"));
	words_clear(&copies);
	free(archive);
}
END_TEST

START_TEST(a_link_that_cannot_be_taken_away_keeps_its_outputs)
{
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(mkdir(at("dir/live/" NAME), 0755), 0);
	ck_assert_int_eq(take_away(its.store, &its.state, owned(), &its.why), -1);
	ASSERT_SAYS("/dir/live: remove " NAME);
	ck_assert(exists(at("out/cert.pem")));
}
END_TEST

START_TEST(a_file_of_a_generation_that_cannot_be_set_right_is_named)
{
	struct disk disk;

	(void)install("one");
	disk = inspect();
	ck_assert_int_eq(rename(at("dir/archive/" NAME "/1"), at("moved")), 0);
	ck_assert_int_eq(repair_as(&disk), -1);
	ASSERT_SAYS("/dir/archive/" NAME ": generation 1 cannot be opened");
	disk_clear(&disk);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("store");

	tcase_add_test(tests, a_store_is_made_with_its_directories);
	tcase_add_test(tests, a_store_is_not_reached_through_a_link);
	tcase_add_test(tests, a_store_in_a_directory_of_all_is_refused);
	tcase_add_test(tests, an_entry_without_owner_belongs_to_who_runs_certlet);
	tcase_add_test(tests, an_output_of_combined_makes_it_wanted);
	tcase_add_test(tests, owners_are_names_or_numbers);
	tcase_add_test(tests, an_unknown_owner_fails_the_entry);
	tcase_add_test(tests, an_ordinary_user_cannot_give_files_to_others);
	tcase_add_test(tests, fullchain_and_combined_are_composed);
	tcase_add_test(tests, a_switch_changes_all_files_by_one_link);
	tcase_add_test(tests, a_damaged_generation_never_goes_live);
	tcase_add_test(tests, what_stands_in_the_place_of_the_link_is_left);
	tcase_add_test(tests, a_bent_link_is_set_right);
	tcase_add_test(tests, a_repair_touches_only_what_is_wrong);
	tcase_add_test(tests, a_damaged_generation_is_not_linked_again_nor_copied);
	tcase_add_test(tests, a_generation_that_cannot_be_opened_is_a_failed_repair);
	tcase_add_test(tests, the_first_generation_can_be_taken_away_again);
	tcase_add_test(tests, paths_are_those_that_would_vanish);
	tcase_add_test(tests, a_link_that_cannot_be_taken_away_keeps_its_outputs);
	tcase_add_test(tests, a_file_of_a_generation_that_cannot_be_set_right_is_named);
	return run_tests("store", tests);
}
