/* SPDX-License-Identifier: ISC */
#include "inspect.c"

#include "unit/support/store_fixture.h"

START_TEST(a_certificate_that_was_never_installed_is_nothing)
{
	struct disk disk = inspect();

	ck_assert_uint_eq(disk.live, 0);
	ck_assert(!disk.link_lost && !disk.sound && !disk.drifted);
	ck_assert_ptr_null(disk.foreign);
	ck_assert_ptr_null(disk.origin.source);
	disk_clear(&disk);
	store_inspect(its.store, &its.entry, &its.keeper, &its.state, NULL, &disk);
	ck_assert_uint_eq(disk.live, 0);
	disk_clear(&disk);
}
END_TEST

START_TEST(a_store_that_is_not_there_is_an_empty_one)
{
	struct disk disk;

	store_close(its.store);
	ck_assert_int_eq(store_open(at("none"), false, &its.store, &its.why), 0);
	disk = inspect();
	ck_assert_uint_eq(disk.live, 0);
	ck_assert_ptr_null(disk.foreign);
	ck_assert(!exists(at("none")));
	disk_clear(&disk);
}
END_TEST

START_TEST(an_installed_one_says_where_it_is_from)
{
	struct disk disk;

	(void)install("one");
	assert_all_is_well(1);
	disk = inspect();
	ck_assert_str_eq(disk.origin.source, its.entry.source);
	ck_assert_uint_eq(disk.origin.version.number, 1);
	disk_clear(&disk);
}
END_TEST

START_TEST(a_damaged_one_is_live_and_not_sound)
{
	struct disk disk;

	(void)install("one");
	write_file(at("dir/archive/" NAME "/1/cert.pem"), "other");
	disk = inspect();
	ck_assert_uint_eq(disk.live, 1);
	ck_assert(!disk.sound);
	ck_assert_ptr_nonnull(disk.origin.source);
	disk_clear(&disk);
}
END_TEST

START_TEST(a_lost_link_leaves_the_settled_one_known)
{
	struct disk disk;

	(void)install("one");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	disk = inspect();
	ck_assert_uint_eq(disk.live, 0);
	ck_assert(disk.link_lost && disk.sound && disk.drifted);
	ck_assert_str_eq(disk.origin.source, its.entry.source);
	disk_clear(&disk);
}
END_TEST

START_TEST(a_link_bent_to_another_whole_generation_is_the_truth)
{
	(void)install("one");
	(void)install("two");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	ck_assert_int_eq(symlink("../archive/" NAME "/1", at("dir/live/" NAME)), 0);
	assert_all_is_well(1);
}
END_TEST

START_TEST(a_link_bent_to_anything_else_is_lost)
{
	static const char *const targets[] = { "/etc", "../archive/" NAME "/9", "../archive/" NAME "/1",
		"nowhere" };
	struct disk disk;

	(void)install("one");
	(void)install("two");
	write_file(at("dir/archive/" NAME "/1/cert.pem"), "damaged");
	for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
		ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
		ck_assert_int_eq(symlink(targets[i], at("dir/live/" NAME)), 0);
		disk = inspect();
		ck_assert_uint_eq(disk.live, 0);
		ck_assert(disk.link_lost && disk.sound && disk.drifted);
		ck_assert_str_eq(disk.origin.source, its.entry.source);
		disk_clear(&disk);
	}
}
END_TEST

START_TEST(what_is_no_link_is_foreign)
{
	struct disk disk;

	(void)install("one");
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	write_file(at("dir/live/" NAME), "mine");
	disk = inspect();
	ck_assert_ptr_nonnull(disk.foreign);
	ck_assert(!disk.link_lost);
	ck_assert_uint_eq(disk.live, 0);
	disk_clear(&disk);
}
END_TEST

START_TEST(an_archive_through_a_link_is_foreign)
{
	struct disk disk;

	ck_assert_int_eq(symlink(at("out"), at("dir/archive/" NAME)), 0);
	disk = inspect();
	ck_assert_ptr_nonnull(disk.foreign);
	ck_assert_ptr_nonnull(strstr(disk.foreign, "is no directory; move it away"));
	disk_clear(&disk);
}
END_TEST

START_TEST(without_a_state_the_link_is_still_ours)
{
	struct disk disk;

	(void)install("one");
	state_clear(&its.state);
	assert_all_is_well(1);
	store_inspect(its.store, &its.entry, &its.keeper, &its.state, NULL, &disk);
	ck_assert_uint_eq(disk.live, 1);
	disk_clear(&disk);
	/* Damaged, it says at least what it was. */
	write_file(at("dir/archive/" NAME "/1/cert.pem"), "damaged");
	disk = inspect();
	ck_assert_uint_eq(disk.live, 1);
	ck_assert(!disk.sound);
	disk_clear(&disk);
}
END_TEST

START_TEST(a_link_to_a_damaged_intent_is_lost_and_the_settled_one_is_whole)
{
	struct disk disk;

	(void)install("one");
	owned()->intent = write_generation("two");
	ck_assert_int_eq(try_switch(2), 0);
	disk = inspect();
	ck_assert_uint_eq(disk.live, 2);
	ck_assert(disk.intent != NULL && disk.sound);
	disk_clear(&disk);
	write_file(at("dir/archive/" NAME "/2/privkey.pem"), "damaged");
	disk = inspect();
	ck_assert_uint_eq(disk.live, 0);
	ck_assert(disk.link_lost && disk.sound && disk.intent == NULL);
	disk_clear(&disk);
}
END_TEST

START_TEST(a_candidate_is_looked_at_too)
{
	struct disk disk;

	(void)install("one");
	owned()->candidate = write_generation("two");
	disk = inspect();
	ck_assert_ptr_nonnull(disk.candidate);
	ck_assert_ptr_nonnull(disk.candidate->source);
	disk_clear(&disk);
	ck_assert_int_eq(unlink(at("dir/archive/" NAME "/2/origin")), 0);
	disk = inspect();
	ck_assert_ptr_null(disk.candidate);
	disk_clear(&disk);
}
END_TEST

START_TEST(an_output_that_is_missing_is_drift_and_one_of_others_is_foreign)
{
	struct disk disk;

	(void)install("one");
	give_output(PART_CERT, at("out/cert.pem"));
	disk = inspect();
	ck_assert(disk.drifted);
	ck_assert_ptr_null(disk.foreign);
	disk_clear(&disk);
	write_file(at("out/cert.pem"), "mine");
	disk = inspect();
	ck_assert_ptr_nonnull(disk.foreign);
	disk_clear(&disk);
}
END_TEST

START_TEST(looking_changes_nothing)
{
	struct timespec before;
	struct disk disk;

	(void)install("one");
	ck_assert_int_eq(chmod(at("dir/archive/" NAME "/1/cert.pem"), 0600), 0);
	ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	before = look_at(at("dir/archive/" NAME "/1/cert.pem")).st_ctim;
	disk = inspect();
	ck_assert(disk.drifted);
	ck_assert(!exists(at("dir/live/" NAME)));
	ck_assert_int_eq(look_at(at("dir/archive/" NAME "/1/cert.pem")).st_ctim.tv_nsec, before.tv_nsec);
	disk_clear(&disk);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("inspect");

	tcase_add_test(tests, a_certificate_that_was_never_installed_is_nothing);
	tcase_add_test(tests, a_store_that_is_not_there_is_an_empty_one);
	tcase_add_test(tests, an_installed_one_says_where_it_is_from);
	tcase_add_test(tests, a_damaged_one_is_live_and_not_sound);
	tcase_add_test(tests, a_lost_link_leaves_the_settled_one_known);
	tcase_add_test(tests, a_link_bent_to_another_whole_generation_is_the_truth);
	tcase_add_test(tests, a_link_bent_to_anything_else_is_lost);
	tcase_add_test(tests, what_is_no_link_is_foreign);
	tcase_add_test(tests, an_archive_through_a_link_is_foreign);
	tcase_add_test(tests, without_a_state_the_link_is_still_ours);
	tcase_add_test(tests, a_link_to_a_damaged_intent_is_lost_and_the_settled_one_is_whole);
	tcase_add_test(tests, a_candidate_is_looked_at_too);
	tcase_add_test(tests, an_output_that_is_missing_is_drift_and_one_of_others_is_foreign);
	tcase_add_test(tests, looking_changes_nothing);
	return run_tests("inspect", tests);
}
