/* SPDX-License-Identifier: ISC */
#include "outputs.c"

#include "unit/support/store_fixture.h"

static bool
is_behind(void)
{
	struct disk disk = inspect();
	const bool behind = disk.behind;

	disk_clear(&disk);
	return behind;
}

/* Copies of certificate and key. */
static void
want_copies(void)
{
	its.entry.install = INSTALL_COPY;
	give_output(PART_CERT, at("out/cert.pem"));
	give_output(PART_KEY, at("out/key.pem"));
}

static void
assert_in_the_way(const char *path, const char *what)
{
	its.why = (struct failure){ 0 };
	ck_assert_int_eq(check_outputs(), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ASSERT_SAYS(path);
	ASSERT_SAYS(what);
	ASSERT_SAYS("stands in the way of cert.pem; move it away");
}

START_TEST(an_output_is_an_absolute_link_into_live)
{
	char *wanted = memory_format("%s/live/" NAME "/fullchain.pem", its.directory);

	give_output(PART_FULLCHAIN, at("out/web.pem"));
	ck_assert_int_eq(check_outputs(), 0);
	(void)install("one");
	ck_assert_str_eq(read_link(at("out/web.pem")), wanted);
	ck_assert_str_eq(read_file(at("out/web.pem")), "one cert\none chain\n");
	ck_assert_ptr_nonnull(owned_find_output(owned(), at("out/web.pem")));
	assert_all_is_well(1);
	free(wanted);
}
END_TEST

START_TEST(a_right_output_is_not_touched)
{
	struct stat link, copy;

	give_output(PART_CHAIN, at("out/chain.pem"));
	(void)install("one");
	link = look_at(at("out/chain.pem"));
	(void)install("two");
	ck_assert_uint_eq(look_at(at("out/chain.pem")).st_ino, link.st_ino);
	ck_assert_int_eq(look_at(at("out/chain.pem")).st_ctim.tv_nsec, link.st_ctim.tv_nsec);
	its.entry.install = INSTALL_COPY;
	ck_assert_int_eq(repair(), 0);
	copy = look_at(at("out/chain.pem"));
	ck_assert_int_eq(try_switch(2), 0);
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_eq(look_at(at("out/chain.pem")).st_ino, copy.st_ino);
	ck_assert_int_eq(look_at(at("out/chain.pem")).st_ctim.tv_nsec, copy.st_ctim.tv_nsec);
}
END_TEST

START_TEST(what_others_made_is_named_and_left)
{
	const char *path = at("out/cert.pem");
	const unsigned int number = write_generation("one");

	give_output(PART_CERT, path);
	write_file(path, "mine");
	assert_in_the_way(path, "a file that certlet did not make");
	ck_assert_int_eq(try_switch(number), -1);
	ck_assert_str_eq(read_file(path), "mine");
	ck_assert(!exists(at("dir/live/" NAME)));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/nowhere", path), 0);
	assert_in_the_way(path, "a link that certlet did not make");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	assert_in_the_way(path, "a directory");
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	assert_in_the_way(path, "something");
	ck_assert_int_eq(try_switch(number), -1);
	ck_assert(exists(path));
}
END_TEST

START_TEST(the_same_holds_for_copies)
{
	const char *path = at("out/cert.pem");

	want_copies();
	write_file(path, "mine");
	assert_in_the_way(path, "a file that certlet did not make");
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/nowhere", path), 0);
	assert_in_the_way(path, "a link that certlet did not make");
}
END_TEST

START_TEST(a_link_of_somebody_else_into_live_is_not_ours)
{
	char *target = memory_format("%s/live/" NAME "/cert.pem", its.directory);
	const char *path = at("out/cert.pem");

	if (geteuid() != 0)
		goto out;
	give_output(PART_CERT, path);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_eq(check_outputs(), 0);
	/* He could turn it elsewhere at any time. */
	ck_assert_int_eq(lchown(path, 4321, 4321), 0);
	assert_in_the_way(path, "a link that certlet did not make");
out:
	free(target);
}
END_TEST

START_TEST(a_directory_that_is_missing_or_not_safe_fails_the_certificate)
{
	give_output(PART_CERT, at("none/cert.pem"));
	ck_assert_int_eq(check_outputs(), -1);
	ASSERT_SAYS("/none does not exist");
	ck_assert_int_eq(its.why.kind, FAILURE_DISK);
	ck_assert_int_eq(chmod(at("out"), 0775), 0);
	give_output(PART_CERT, at("out/cert.pem"));
	ck_assert_int_eq(check_outputs(), -1);
	ASSERT_SAYS("/out is writable by its group");
}
END_TEST

START_TEST(copies_are_files_with_the_modes_of_the_entry)
{
	want_copies();
	(void)install("one");
	ck_assert_str_eq(read_file(at("out/cert.pem")), "one cert\n");
	ck_assert(S_ISREG(look_at(at("out/key.pem")).st_mode));
	ck_assert_uint_eq(mode_of(at("out/cert.pem")), 0644);
	ck_assert_uint_eq(mode_of(at("out/key.pem")), 0600);
	assert_all_is_well(1);
	(void)install("two");
	ck_assert_str_eq(read_file(at("out/key.pem")), "two key\n");
	ck_assert(!exists(at("out/.key.pem.certlet")));
	assert_all_is_well(2);
}
END_TEST

START_TEST(a_copy_is_never_written_to_nor_chmodded_in_place)
{
	struct stat before;
	struct disk disk;

	want_copies();
	(void)install("one");
	before = look_at(at("out/cert.pem"));
	ck_assert_int_eq(link(at("out/cert.pem"), at("second")), 0);
	ck_assert_int_eq(chmod(at("second"), 0600), 0);
	disk = inspect();
	ck_assert(disk.drifted);
	disk_clear(&disk);
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_ne(look_at(at("out/cert.pem")).st_ino, before.st_ino);
	ck_assert_uint_eq(mode_of(at("out/cert.pem")), 0644);
	ck_assert_uint_eq(mode_of(at("second")), 0600);
	assert_all_is_well(1);
}
END_TEST

START_TEST(a_copy_that_was_edited_is_still_ours)
{
	want_copies();
	(void)install("one");
	write_file(at("out/cert.pem"), "edited");
	ck_assert_int_eq(check_outputs(), 0);
	ck_assert(is_behind());
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "one cert\n");
	ck_assert(!is_behind());
}
END_TEST

START_TEST(a_copy_is_not_looked_at_through_a_directory_that_is_not_safe)
{
	want_copies();
	(void)install("one");
	write_file(at("out/cert.pem"), "edited");
	ck_assert(is_behind());
	ck_assert_int_eq(chmod(at("out"), 0777), 0);
	ck_assert(!is_behind());
	ck_assert_int_eq(repair(), -1);
	ASSERT_SAYS("/out is writable by everyone");
	ck_assert_str_eq(read_file(at("out/cert.pem")), "edited");
}
END_TEST

START_TEST(a_copy_with_another_mode_has_drifted_but_is_not_behind)
{
	struct disk disk;

	want_copies();
	(void)install("one");
	ck_assert_int_eq(chmod(at("out/key.pem"), 0640), 0);
	disk = inspect();
	ck_assert(disk.drifted && !disk.behind);
	disk_clear(&disk);
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_eq(mode_of(at("out/key.pem")), 0600);
	assert_all_is_well(1);
}
END_TEST

START_TEST(outputs_that_only_the_state_lost_have_not_drifted)
{
	struct disk disk;
	struct stat before;

	give_output(PART_CERT, at("out/web.pem"));
	(void)install("one");
	state_clear(&its.state);
	before = look_at(at("out/web.pem"));
	disk = inspect();
	ck_assert(disk.unrecorded && !disk.drifted && !disk.behind);
	ck_assert_int_eq(repair_as(&disk), 0);
	disk_clear(&disk);
	ck_assert_uint_eq(look_at(at("out/web.pem")).st_ino, before.st_ino);
	assert_all_is_well(1);
}
END_TEST

START_TEST(a_file_that_took_the_place_of_a_copy_is_not_ours)
{
	want_copies();
	(void)install("one");
	write_file(at("mine"), "mine");
	ck_assert_int_eq(rename(at("mine"), at("out/cert.pem")), 0);
	assert_in_the_way(at("out/cert.pem"), "a file");
	/* Not even if it got the inode of the one that was removed. */
	ck_assert_int_eq(unlink(at("out/cert.pem")), 0);
	write_file(at("out/cert.pem"), "mine");
	assert_in_the_way(at("out/cert.pem"), "a file");
	ck_assert_int_eq(repair(), -1);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "mine");
}
END_TEST

START_TEST(a_copy_that_came_back_from_a_backup_is_ours_and_not_touched)
{
	ino_t restored;

	want_copies();
	(void)install("one");
	ck_assert_int_eq(rename(at("out/cert.pem"), at("old")), 0);
	write_file(at("out/cert.pem"), "one cert\n");
	ck_assert_int_eq(chmod(at("out/cert.pem"), 0644), 0);
	restored = look_at(at("out/cert.pem")).st_ino;
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_eq(look_at(at("out/cert.pem")).st_ino, restored);
	assert_all_is_well(1);
}
END_TEST

START_TEST(copies_of_a_killed_run_are_ours_before_they_are_recorded)
{
	want_copies();
	(void)install("one");
	owned()->intent = write_generation("two");
	/* Killed after the link and the key: the state speaks of the old files. */
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(symlink("../archive/" NAME "/2", at("dir/live/" NAME)), 0);
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/key.pem"), "two key\n");
	ck_assert(is_behind());
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "two cert\n");
	ck_assert(!is_behind());
	assert_all_is_well(2);
}
END_TEST

START_TEST(copies_of_a_killed_first_install_are_ours_without_any_record)
{
	want_copies();
	owned()->intent = write_generation("one");
	ck_assert_int_eq(symlink("../archive/" NAME "/1", at("dir/live/" NAME)), 0);
	write_file(at("out/key.pem"), "one key\n");
	ck_assert(is_behind());
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_eq(mode_of(at("out/key.pem")), 0600);
	assert_all_is_well(1);
}
END_TEST

START_TEST(the_key_goes_first_and_nothing_follows_it_if_it_fails)
{
	struct outputs outputs;
	struct origin origin = { 0 };
	int home = -1;

	want_copies();
	(void)install("one");
	(void)write_generation("two");
	ck_assert_int_eq(generation_open_home(its.store, NAME, &home, &its.why), FOUND_FILE);
	ck_assert_int_eq(generation_read_origin(home, 2, &origin, &its.why), FOUND_FILE);
	ck_assert_int_eq(outputs_open(&outputs, its.store, &its.entry, &its.keeper, &its.state, owned(),
	    &origin, &its.why), 0);
	ck_assert_int_eq(outputs.places[0].part, PART_KEY);
	ck_assert_int_eq(outputs_prepare(&outputs, home, 2, &origin, &its.why), 0);
	ck_assert_str_eq(read_file(at("out/key.pem")), "one key\n");
	ck_assert_str_eq(read_file(at("out/.key.pem.certlet")), "two key\n");
	ck_assert_uint_eq(mode_of(at("out/.key.pem.certlet")), 0600);
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	ck_assert_int_eq(mkdir(at("out/key.pem"), 0755), 0);
	ck_assert_int_eq(outputs_commit(&outputs, owned(), &its.why), -1);
	outputs_close(&outputs);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "one cert\n");
	ck_assert(!exists(at("out/.cert.pem.certlet")));
	ck_assert(!exists(at("out/.key.pem.certlet")));
	origin_clear(&origin);
	(void)close(home);
}
END_TEST

START_TEST(nothing_moves_when_one_copy_cannot_be_prepared)
{
	want_copies();
	(void)install("one");
	ck_assert_int_eq(mkdir(at("out/.cert.pem.certlet"), 0755), 0);
	ck_assert_int_eq(try_switch(write_generation("two")), -1);
	ASSERT_SAYS(".cert.pem.certlet stands in the way of cert.pem");
	ck_assert_str_eq(read_link(at("dir/live/" NAME)), "../archive/" NAME "/1");
	ck_assert_str_eq(read_file(at("out/key.pem")), "one key\n");
	ck_assert(!exists(at("out/.key.pem.certlet")));
}
END_TEST

START_TEST(what_a_killed_run_left_beside_an_output_is_cleared)
{
	struct disk disk;

	want_copies();
	(void)install("one");
	write_file(at("out/.key.pem.certlet"), "half");
	disk = inspect();
	ck_assert(disk.drifted);
	disk_clear(&disk);
	ck_assert_int_eq(repair(), 0);
	ck_assert(!exists(at("out/.key.pem.certlet")));
	assert_all_is_well(1);
}
END_TEST

START_TEST(links_become_copies_and_copies_links)
{
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	its.entry.install = INSTALL_COPY;
	ck_assert_int_eq(check_outputs(), 0);
	ck_assert_int_eq(repair(), 0);
	ck_assert(S_ISREG(look_at(at("out/cert.pem")).st_mode));
	assert_all_is_well(1);
	its.entry.install = INSTALL_SYMLINK;
	ck_assert_int_eq(check_outputs(), 0);
	ck_assert_int_eq(repair(), 0);
	ck_assert(S_ISLNK(look_at(at("out/cert.pem")).st_mode));
	assert_all_is_well(1);
	ck_assert_uint_eq(owned()->output_count, 1);
	ck_assert(!owned()->outputs[0].copy);
}
END_TEST

START_TEST(an_output_that_names_another_file_now_is_turned)
{
	give_output(PART_CERT, at("out/x.pem"));
	(void)install("one");
	give_output(PART_CERT, NULL);
	give_output(PART_FULLCHAIN, at("out/x.pem"));
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_file(at("out/x.pem")), "one cert\none chain\n");
	assert_all_is_well(1);
	its.entry.install = INSTALL_COPY;
	ck_assert_int_eq(repair(), 0);
	give_output(PART_FULLCHAIN, NULL);
	give_output(PART_CHAIN, at("out/x.pem"));
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_file(at("out/x.pem")), "one chain\n");
	assert_all_is_well(1);
}
END_TEST

/* Another certificate, installed with the output out/cert.pem, that is not wanted any more. */
static struct entry
install_other(enum install install_as)
{
	struct entry other = its.entry;
	struct owned *its_owned = state_add(&its.state, "old.example.test");

	other.name = (char *)"old.example.test";
	other.install = install_as;
	other.outputs[PART_CERT] = (char *)at("out/cert.pem");
	its_owned->generation = write_generation_of(&other, its_owned, "old");
	if (store_switch(its.store, &other, &its.keeper, &its.state, its_owned, its_owned->generation,
	    &its.why) == -1)
		ck_abort_msg("%s", its.why.text);
	return other;
}

START_TEST(an_output_passes_from_another_certificate)
{
	for (int kind = 0; kind < 4; kind++) {
		const unsigned int number = write_generation("new");

		(void)install_other(kind & 1 ? INSTALL_COPY : INSTALL_SYMLINK);
		its.entry.install = kind & 2 ? INSTALL_COPY : INSTALL_SYMLINK;
		give_output(PART_CERT, at("out/cert.pem"));
		if (check_outputs() == -1)
			ck_abort_msg("%s", its.why.text);
		ck_assert_str_eq(read_file(at("out/cert.pem")), "old cert\n");
		ck_assert_int_eq(try_switch(number), 0);
		ck_assert_str_eq(read_file(at("out/cert.pem")), "new cert\n");
		owned()->generation = number;
		assert_all_is_well(number);
		/* Until it is settled, it can be given back. */
		if (try_switch(0) == -1)
			ck_abort_msg("%s", its.why.text);
		owned()->generation = 0;
		ck_assert_str_eq(read_file(at("out/cert.pem")), "old cert\n");
		ck_assert_int_eq(S_ISREG(look_at(at("out/cert.pem")).st_mode), kind & 1);
	}
}
END_TEST

START_TEST(a_certificate_that_is_installed_already_takes_an_output_by_repair)
{
	struct disk disk;

	(void)install("new");
	(void)install_other(INSTALL_COPY);
	its.entry.install = INSTALL_COPY;
	give_output(PART_CERT, at("out/cert.pem"));
	disk = inspect();
	ck_assert_ptr_null(disk.foreign);
	ck_assert(disk.drifted);
	disk_clear(&disk);
	ck_assert_int_eq(repair(), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "new cert\n");
}
END_TEST

START_TEST(a_copy_is_not_ours_by_a_link_that_cannot_be_read)
{
	want_copies();
	(void)install("one");
	while (owned()->output_count != 0)
		owned_drop_output(owned(), owned()->outputs[0].path);
	ck_assert_int_eq(check_outputs(), 0);
	owned()->generation = 0;
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(mkdir(at("dir/live/" NAME), 0755), 0);
	ck_assert_int_eq(check_outputs(), -1);
	ASSERT_SAYS("it cannot be told whose it is");
	ck_assert_str_eq(read_file(at("out/cert.pem")), "one cert\n");
}
END_TEST

START_TEST(a_copy_of_another_that_came_back_from_a_backup_passes_too)
{
	const unsigned int number = write_generation("new");

	(void)install_other(INSTALL_COPY);
	write_file(at("restored"), "old cert\n");
	ck_assert_int_eq(rename(at("restored"), at("out/cert.pem")), 0);
	want_copies();
	ck_assert_int_eq(check_outputs(), 0);
	ck_assert_int_eq(try_switch(number), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "new cert\n");
}
END_TEST

static enum maker
maker_of(const struct owned *one, const char *path)
{
	const int directory = open(at("out"), O_RDONLY | O_DIRECTORY);
	const enum maker maker = outputs_find_maker(its.store, &its.state, one,
	    owned_find_output(one, path), directory, strrchr(path, '/') + 1);

	(void)close(directory);
	return maker;
}

START_TEST(of_two_that_had_a_path_neither_takes_what_was_put_there_since)
{
	const struct owned *old;

	want_copies();
	(void)install("new");
	(void)install_other(INSTALL_COPY);
	old = state_find(&its.state, "old.example.test");
	write_file(at("restored"), "old cert\n");
	ck_assert_int_eq(rename(at("restored"), at("out/cert.pem")), 0);
	ck_assert_int_eq(maker_of(old, at("out/cert.pem")), MAKER_ANOTHER);
	ck_assert_int_eq(maker_of(owned(), at("out/cert.pem")), MAKER_ANOTHER);
}
END_TEST

START_TEST(what_cannot_be_read_may_be_ours_and_what_is_no_file_is_not)
{
	want_copies();
	(void)install("one");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/key.pem"), "");
	ck_assert_int_eq(truncate(at("out/key.pem"), FILE_LIMIT_BYTES + 1), 0);
	ck_assert_int_eq(rename(at("out/key.pem"), at("large")), 0);
	ck_assert_int_eq(rename(at("large"), at("out/key.pem")), 0);
	ck_assert_int_eq(maker_of(owned(), at("out/key.pem")), MAKER_UNKNOWN);
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	ck_assert_int_eq(maker_of(owned(), at("out/key.pem")), MAKER_NONE);
	ck_assert_int_eq(mkdir(at("out/key.pem"), 0755), 0);
	ck_assert_int_eq(maker_of(owned(), at("out/key.pem")), MAKER_FOREIGN);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("outputs");

	tcase_add_test(tests, an_output_is_an_absolute_link_into_live);
	tcase_add_test(tests, a_right_output_is_not_touched);
	tcase_add_test(tests, what_others_made_is_named_and_left);
	tcase_add_test(tests, the_same_holds_for_copies);
	tcase_add_test(tests, a_link_of_somebody_else_into_live_is_not_ours);
	tcase_add_test(tests, a_directory_that_is_missing_or_not_safe_fails_the_certificate);
	tcase_add_test(tests, copies_are_files_with_the_modes_of_the_entry);
	tcase_add_test(tests, a_copy_is_never_written_to_nor_chmodded_in_place);
	tcase_add_test(tests, a_copy_that_was_edited_is_still_ours);
	tcase_add_test(tests, a_copy_is_not_looked_at_through_a_directory_that_is_not_safe);
	tcase_add_test(tests, a_copy_with_another_mode_has_drifted_but_is_not_behind);
	tcase_add_test(tests, outputs_that_only_the_state_lost_have_not_drifted);
	tcase_add_test(tests, a_file_that_took_the_place_of_a_copy_is_not_ours);
	tcase_add_test(tests, a_copy_that_came_back_from_a_backup_is_ours_and_not_touched);
	tcase_add_test(tests, copies_of_a_killed_run_are_ours_before_they_are_recorded);
	tcase_add_test(tests, copies_of_a_killed_first_install_are_ours_without_any_record);
	tcase_add_test(tests, the_key_goes_first_and_nothing_follows_it_if_it_fails);
	tcase_add_test(tests, nothing_moves_when_one_copy_cannot_be_prepared);
	tcase_add_test(tests, what_a_killed_run_left_beside_an_output_is_cleared);
	tcase_add_test(tests, links_become_copies_and_copies_links);
	tcase_add_test(tests, an_output_that_names_another_file_now_is_turned);
	tcase_add_test(tests, an_output_passes_from_another_certificate);
	tcase_add_test(tests, a_certificate_that_is_installed_already_takes_an_output_by_repair);
	tcase_add_test(tests, a_copy_is_not_ours_by_a_link_that_cannot_be_read);
	tcase_add_test(tests, a_copy_of_another_that_came_back_from_a_backup_passes_too);
	tcase_add_test(tests, of_two_that_had_a_path_neither_takes_what_was_put_there_since);
	tcase_add_test(tests, what_cannot_be_read_may_be_ours_and_what_is_no_file_is_not);
	return run_tests("outputs", tests);
}
