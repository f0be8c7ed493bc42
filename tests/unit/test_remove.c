/* SPDX-License-Identifier: ISC */
#include "remove.c"

#include "unit/support/store_fixture.h"

static int
drop_outputs(const struct entry *entry)
{
	return store_drop_outputs(its.store, entry, &its.state, owned(), &its.why);
}

static int
remove_all(void)
{
	return store_remove(its.store, &its.state, owned(), &its.why);
}

static void
assert_gone(void)
{
	ck_assert(!exists(at("dir/live/" NAME)));
	ck_assert(!exists(at("dir/archive/" NAME)));
	ck_assert_uint_eq(owned()->output_count, 0);
}

START_TEST(only_outputs_that_are_no_longer_named_are_dropped)
{
	give_output(PART_CERT, at("out/cert.pem"));
	give_output(PART_KEY, at("out/key.pem"));
	(void)install("one");
	give_output(PART_KEY, NULL);
	ck_assert_int_eq(drop_outputs(&its.entry), 0);
	ck_assert(exists(at("out/cert.pem")));
	ck_assert(!exists(at("out/key.pem")));
	ck_assert_uint_eq(owned()->output_count, 1);
	/* The path has changed its part only. */
	give_output(PART_CERT, NULL);
	give_output(PART_CHAIN, at("out/cert.pem"));
	ck_assert_int_eq(drop_outputs(&its.entry), 0);
	ck_assert(exists(at("out/cert.pem")));
}
END_TEST

START_TEST(a_file_that_others_put_at_an_output_is_told_once_and_left)
{
	its.entry.install = INSTALL_COPY;
	give_output(PART_CERT, at("out/cert.pem"));
	give_output(PART_KEY, at("out/key.pem"));
	(void)install("one");
	write_file(at("mine"), "mine");
	ck_assert_int_eq(rename(at("mine"), at("out/cert.pem")), 0);
	ck_assert_int_eq(drop_outputs(NULL), -1);
	ASSERT_SAYS("out/cert.pem: was not made by certlet, and is left");
	ck_assert_str_eq(read_file(at("out/cert.pem")), "mine");
	ck_assert(!exists(at("out/key.pem")));
	ck_assert_int_eq(drop_outputs(NULL), 0);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "mine");
}
END_TEST

START_TEST(a_copy_that_was_edited_or_restored_is_removed)
{
	its.entry.install = INSTALL_COPY;
	give_output(PART_CERT, at("out/cert.pem"));
	give_output(PART_KEY, at("out/key.pem"));
	(void)install("one");
	write_file(at("out/cert.pem"), "edited");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/key.pem"), "one key\n");
	ck_assert_int_eq(remove_all(), 0);
	ck_assert(!exists(at("out/cert.pem")));
	ck_assert(!exists(at("out/key.pem")));
	assert_gone();
}
END_TEST

START_TEST(a_copy_that_cannot_be_told_stays_with_the_generation_that_it_is_known_by)
{
	its.entry.install = INSTALL_COPY;
	give_output(PART_KEY, at("out/key.pem"));
	(void)install("one");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/key.pem"), "one key\n");
	ck_assert_int_eq(rename(at("dir/archive/" NAME "/1"), at("aside")), 0);
	write_file(at("dir/archive/" NAME "/1"), "in the way");
	ck_assert_int_eq(remove_all(), -1);
	ASSERT_SAYS("out/key.pem: it cannot be told whose it is");
	ck_assert(exists(at("out/key.pem")));
	ck_assert_int_eq(unlink(at("dir/archive/" NAME "/1")), 0);
	ck_assert_int_eq(rename(at("aside"), at("dir/archive/" NAME "/1")), 0);
	ck_assert_int_eq(remove_all(), 0);
	ck_assert(!exists(at("out/key.pem")));
	assert_gone();
}
END_TEST

START_TEST(outputs_that_vanished_with_their_directory_are_forgotten)
{
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	ck_assert_int_eq(unlink(at("out/cert.pem")), 0);
	ck_assert_int_eq(rmdir(at("out")), 0);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
}
END_TEST

START_TEST(a_directory_that_is_no_longer_safe_keeps_the_output)
{
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	ck_assert_int_eq(chmod(at("out"), 0777), 0);
	ck_assert_int_eq(remove_all(), -1);
	ASSERT_SAYS("/out is writable by everyone");
	ck_assert(exists(at("out/cert.pem")));
	ck_assert(!exists(at("dir/archive/" NAME)));
	ck_assert_int_eq(chmod(at("out"), 0755), 0);
	ck_assert_int_eq(remove_all(), 0);
	ck_assert(!exists(at("out/cert.pem")));
	assert_gone();
}
END_TEST

/* The same path is an output of a newer certificate, which may hold the very same content. */
static void
hand_over_as(enum install install_as, const char *word)
{
	struct entry other = its.entry;
	struct owned *its_owned;

	its.entry.install = install_as;
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("same");
	its_owned = state_add(&its.state, "new.example.test");
	other.name = (char *)"new.example.test";
	other.install = install_as;
	other.outputs[PART_CERT] = (char *)at("out/cert.pem");
	its_owned->generation = write_generation_of(&other, its_owned, word);
	if (store_switch(its.store, &other, &its.keeper, &its.state, its_owned, its_owned->generation,
	    &its.why) == -1)
		ck_abort_msg("%s", its.why.text);
}

static void
hand_over(enum install install_as)
{
	hand_over_as(install_as, "same");
}

START_TEST(an_output_that_passed_to_another_stays)
{
	hand_over(INSTALL_SYMLINK);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
	ck_assert_str_eq(read_file(at("out/cert.pem")), "same cert\n");
}
END_TEST

START_TEST(a_copy_that_passed_to_another_stays)
{
	hand_over(INSTALL_COPY);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
	ck_assert_str_eq(read_file(at("out/cert.pem")), "same cert\n");
}
END_TEST

START_TEST(two_that_had_the_same_output_leave_nothing)
{
	for (int kind = 0; kind < 4; kind++) {
		hand_over(kind & 1 ? INSTALL_COPY : INSTALL_SYMLINK);
		if (kind & 2)
			ck_assert_int_eq(remove_all(), 0);
		ck_assert_int_eq(store_remove(its.store, &its.state,
		    state_find(&its.state, "new.example.test"), &its.why), 0);
		ck_assert_int_eq(remove_all(), 0);
		ck_assert(!exists(at("out/cert.pem")));
		state_clear(&its.state);
	}
}
END_TEST

START_TEST(pruning_keeps_what_it_is_told_and_what_is_live)
{
	const unsigned int keep[] = { 2, 0, 4, 0 };

	for (int i = 0; i < 5; i++)
		(void)write_generation("one");
	ck_assert_int_eq(try_switch(3), 0);
	/* Half-written ones, and what others put there. */
	ck_assert_int_eq(unlink(at("dir/archive/" NAME "/5/origin")), 0);
	write_file(at("dir/archive/" NAME "/5/.origin.certlet"), "half");
	ck_assert_int_eq(mkdir(at("dir/archive/" NAME "/README"), 0755), 0);
	ck_assert_int_eq(store_prune(its.store, NAME, keep, 4, &its.why), 0);
	ck_assert(!exists(at("dir/archive/" NAME "/1")));
	ck_assert(exists(at("dir/archive/" NAME "/2")));
	ck_assert(exists(at("dir/archive/" NAME "/3")));
	ck_assert(exists(at("dir/archive/" NAME "/4")));
	ck_assert(!exists(at("dir/archive/" NAME "/5")));
	ck_assert(exists(at("dir/archive/" NAME "/README")));
	ck_assert_int_eq(store_prune(its.store, "none", keep, 4, &its.why), 0);
}
END_TEST

START_TEST(pruning_goes_on_after_what_it_has_to_leave)
{
	for (int i = 0; i < 3; i++)
		(void)write_generation("one");
	write_file(at("dir/archive/" NAME "/1/mine"), "mine");
	write_file(at("dir/archive/" NAME "/2/mine"), "mine");
	ck_assert_int_eq(store_prune(its.store, NAME, NULL, 0, &its.why), -1);
	ASSERT_SAYS("generation 1: mine in it was not made by certlet");
	ASSERT_SAYS("generation 2: mine in it was not made by certlet");
	ck_assert(exists(at("dir/archive/" NAME "/1/mine")));
	ck_assert(!exists(at("dir/archive/" NAME "/3")));
}
END_TEST

START_TEST(a_removed_certificate_leaves_nothing)
{
	its.entry.combined = true;
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), 0);
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	(void)install("two");
	ck_assert_int_eq(symlink("x", at("dir/live/." NAME ".certlet")), 0);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
	ck_assert(!exists(at("out/cert.pem")));
	ck_assert(!exists(at("dir/live/." NAME ".certlet")));
	ck_assert_int_eq(remove_all(), 0);
	ck_assert_int_eq(store_remove_directories(its.store, &its.why), 0);
	ck_assert(!exists(at("dir/live")));
	ck_assert(!exists(at("dir/archive")));
	ck_assert(exists(at("dir")));
}
END_TEST

START_TEST(what_others_left_in_the_archive_is_named_and_the_rest_goes)
{
	(void)install("one");
	(void)install("two");
	write_file(at("dir/archive/" NAME "/1/mine"), "mine");
	write_file(at("dir/archive/" NAME "/README"), "mine");
	ck_assert_int_eq(remove_all(), -1);
	ASSERT_SAYS("mine in it was not made by certlet");
	ck_assert(!exists(at("dir/live/" NAME)));
	ck_assert(!exists(at("dir/archive/" NAME "/2")));
	ck_assert(!exists(at("dir/archive/" NAME "/1/privkey.pem")));
	ck_assert_int_eq(unlink(at("dir/archive/" NAME "/1/mine")), 0);
	ck_assert_int_eq(remove_all(), -1);
	ASSERT_SAYS("/archive/" NAME ": README in it was not made by certlet; move it away");
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/README")), "mine");
	ck_assert_int_eq(store_remove_directories(its.store, &its.why), 0);
	ck_assert(exists(at("dir/archive/" NAME "/README")));
	ck_assert_int_eq(unlink(at("dir/archive/" NAME "/README")), 0);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
}
END_TEST

START_TEST(a_link_that_leads_elsewhere_is_left)
{
	(void)install("one");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(symlink("/etc", at("dir/live/" NAME)), 0);
	ck_assert_int_eq(remove_all(), -1);
	ASSERT_SAYS("dir/live/" NAME " was not made by certlet, and is left; move it away");
	ck_assert_str_eq(read_link(at("dir/live/" NAME)), "/etc");
	ck_assert(!exists(at("dir/archive/" NAME)));
}
END_TEST

START_TEST(an_owner_of_the_key_may_own_the_directory_of_its_outputs)
{
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(chown(at("out"), 12, 12), 0);
	its.keeper.owner = 12;
	give_output(PART_CERT, at("out/cert.pem"));
	(void)install("one");
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
	ck_assert(!exists(at("out/cert.pem")));
}
END_TEST

START_TEST(what_stands_in_the_place_of_the_link_or_the_archive_is_left_and_named)
{
	(void)install("one");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(mkdir(at("dir/live/" NAME), 0755), 0);
	ck_assert_int_eq(rename(at("dir/archive/" NAME), at("moved")), 0);
	write_file(at("dir/archive/" NAME), "mine");
	ck_assert_int_eq(remove_all(), -1);
	ASSERT_SAYS("/live/" NAME " is no link and was not made by certlet");
	ASSERT_SAYS(NAME " is no directory; move it away");
	ck_assert(exists(at("dir/live/" NAME)) && exists(at("dir/archive/" NAME)));
	ck_assert_int_eq(rmdir(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(unlink(at("dir/archive/" NAME)), 0);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
}
END_TEST

START_TEST(what_is_gone_with_the_directory_of_links_is_gone)
{
	(void)install("one");
	store_close(its.store);
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(rmdir(at("dir/live")), 0);
	ck_assert_int_eq(store_open(its.directory, /* make= */ false, &its.store, &its.why), 0);
	ck_assert_int_eq(remove_all(), 0);
	assert_gone();
}
END_TEST

START_TEST(a_copy_that_cannot_be_given_back_is_told)
{
	hand_over_as(INSTALL_COPY, "new");
	ck_assert_int_eq(rename(at("dir/archive/" NAME "/1/cert.pem"), at("moved")), 0);
	ck_assert_int_eq(store_withdraw_outputs(its.store, &its.state,
	    state_find(&its.state, "new.example.test"), &its.why), -1);
	ASSERT_SAYS("out/cert.pem: cert.pem of " NAME " cannot be read");
	ck_assert_str_eq(read_file(at("out/cert.pem")), "new cert\n");
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("remove");

	tcase_add_test(tests, only_outputs_that_are_no_longer_named_are_dropped);
	tcase_add_test(tests, a_file_that_others_put_at_an_output_is_told_once_and_left);
	tcase_add_test(tests, a_copy_that_was_edited_or_restored_is_removed);
	tcase_add_test(tests,
	    a_copy_that_cannot_be_told_stays_with_the_generation_that_it_is_known_by);
	tcase_add_test(tests, outputs_that_vanished_with_their_directory_are_forgotten);
	tcase_add_test(tests, a_directory_that_is_no_longer_safe_keeps_the_output);
	tcase_add_test(tests, an_output_that_passed_to_another_stays);
	tcase_add_test(tests, a_copy_that_passed_to_another_stays);
	tcase_add_test(tests, two_that_had_the_same_output_leave_nothing);
	tcase_add_test(tests, pruning_keeps_what_it_is_told_and_what_is_live);
	tcase_add_test(tests, pruning_goes_on_after_what_it_has_to_leave);
	tcase_add_test(tests, a_removed_certificate_leaves_nothing);
	tcase_add_test(tests, what_others_left_in_the_archive_is_named_and_the_rest_goes);
	tcase_add_test(tests, a_link_that_leads_elsewhere_is_left);
	tcase_add_test(tests, an_owner_of_the_key_may_own_the_directory_of_its_outputs);
	tcase_add_test(tests, what_stands_in_the_place_of_the_link_or_the_archive_is_left_and_named);
	tcase_add_test(tests, what_is_gone_with_the_directory_of_links_is_gone);
	tcase_add_test(tests, a_copy_that_cannot_be_given_back_is_told);
	return run_tests("remove", tests);
}
