/* SPDX-License-Identifier: ISC */
#include <sys/resource.h>

#include "generation.c"

#include "unit/support/store_fixture.h"

static int
open_home(void)
{
	int home = -1;

	ck_assert_int_eq(generation_open_home(its.store, NAME, &home, &its.why), FOUND_FILE);
	return home;
}

static bool
is_sound(unsigned int number, struct check *out_check)
{
	struct origin origin = { 0 };
	const int home = open_home();
	const bool sound = generation_check(home, number, &its.keeper, &origin, out_check);

	origin_clear(&origin);
	(void)close(home);
	return sound;
}

static bool
is_drifted(unsigned int number)
{
	struct check check;

	ck_assert(is_sound(number, &check) && !check.unread);
	return check.drifted;
}

static bool
is_lost(unsigned int number)
{
	struct check check;

	return !is_sound(number, &check) && !check.unread;
}

static int
repair_generation(unsigned int number)
{
	const int home = open_home();
	const int result = generation_repair(home, number, &its.keeper, &its.why);

	(void)close(home);
	return result;
}

START_TEST(only_a_plain_number_is_a_generation)
{
	ck_assert_uint_eq(generation_number("1"), 1);
	ck_assert_uint_eq(generation_number("999999999"), 999999999);
	ck_assert_uint_eq(generation_number("0"), 0);
	ck_assert_uint_eq(generation_number("01"), 0);
	ck_assert_uint_eq(generation_number(""), 0);
	ck_assert_uint_eq(generation_number("1a"), 0);
	ck_assert_uint_eq(generation_number("-1"), 0);
	ck_assert_uint_eq(generation_number("1/"), 0);
	ck_assert_uint_eq(generation_number("4294967297"), 0);
}
END_TEST

START_TEST(a_generation_is_written_whole_with_its_modes)
{
	its.entry.combined = true;
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), 0);
	ck_assert_uint_eq(write_generation("one"), 1);
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/1/cert.pem")), "one cert\n");
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/1/chain.pem")), "one chain\n");
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/1/fullchain.pem")), "one cert\none chain\n");
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/1/privkey.pem")), "one key\n");
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/1/combined.pem")),
	    "one key\none cert\none chain\n");
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME)), 0755);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1")), 0755);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/origin")), 0644);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/fullchain.pem")), 0644);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/privkey.pem")), 0600);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/combined.pem")), 0600);
	ck_assert(!is_drifted(1));
	ck_assert(!exists(at("dir/live/" NAME)));
}
END_TEST

START_TEST(combined_is_only_there_if_it_is_wanted)
{
	ck_assert_uint_eq(write_generation("one"), 1);
	ck_assert(!exists(at("dir/archive/" NAME "/1/combined.pem")));
	ck_assert(is_sound(1, NULL));
	its.keeper.parts[PART_COMBINED] = true;
	ck_assert(!is_sound(1, NULL));
}
END_TEST

START_TEST(a_number_is_never_used_twice)
{
	ck_assert_uint_eq(write_generation("one"), 1);
	ck_assert_int_eq(mkdir(at("dir/archive/" NAME "/7"), 0700), 0);
	write_file(at("dir/archive/" NAME "/8"), "a file");
	ck_assert_uint_eq(write_generation("two"), 9);
	/* What the state speaks of is used, too, though it is gone. */
	owned()->candidate = 20;
	ck_assert_uint_eq(write_generation("three"), 21);
}
END_TEST

START_TEST(half_a_generation_is_not_left_behind)
{
	struct failure before;
	struct secret parts[PART_COUNT] = { 0 };
	struct origin origin;
	unsigned int number = 0;

	if (geteuid() == 0)	/* may give files to anybody */
		return;
	its.keeper.owner = 0;
	fixture_origin(&origin, "one");
	ck_assert_int_eq(store_write(its.store, &its.entry, &its.keeper, NULL, parts, &origin,
	    &number, &before), -1);
	ck_assert_int_eq(before.kind, FAILURE_DISK);
	ck_assert_ptr_nonnull(strstr(before.text, "dir/archive/" NAME ": "));
	ck_assert(!exists(at("dir/archive/" NAME "/1")));
	ck_assert_uint_eq(number, 0);
	origin_clear(&origin);
}
END_TEST

START_TEST(what_was_changed_is_not_sound)
{
	ck_assert_uint_eq(write_generation("one"), 1);
	ck_assert(is_sound(1, NULL));
	ck_assert(is_lost(2));
	write_file(at("dir/archive/" NAME "/1/chain.pem"), "one chaim\n");
	ck_assert(is_lost(1));
	write_file(at("dir/archive/" NAME "/1/chain.pem"), "one chain\n");
	ck_assert(is_sound(1, NULL));
	ck_assert_int_eq(rename(at("dir/archive/" NAME "/1/chain.pem"), at("chain")), 0);
	ck_assert(is_lost(1));
	ck_assert_int_eq(symlink(at("chain"), at("dir/archive/" NAME "/1/chain.pem")), 0);
	ck_assert(is_lost(1));
	ck_assert_int_eq(rename(at("chain"), at("dir/archive/" NAME "/1/chain.pem")), 0);
	ck_assert(is_sound(1, NULL));
	write_file(at("dir/archive/" NAME "/1/origin"), "{}");
	ck_assert(is_lost(1));
}
END_TEST

START_TEST(what_an_error_kept_from_us_is_not_called_lost)
{
	struct check check = { .drifted = true };
	struct origin origin = { 0 };
	struct rlimit limit;
	int home;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(write_generation("one"), 1);
	home = open_home();
	for (int left = 0; left < 2; left++) {	/* not for the directory, then not for what is in it */
		limit.rlim_cur = (rlim_t)(home + 1 + left);
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		ck_assert(!generation_check(home, 1, &its.keeper, &origin, &check));
		ck_assert(check.unread && !check.drifted);
	}
	ck_assert(!generation_check(-1, 1, &its.keeper, &origin, &check));
	ck_assert(!check.unread);
}
END_TEST

START_TEST(a_change_is_found_though_all_files_were_chowned_after_it)
{
	ck_assert_uint_eq(write_generation("one"), 1);
	ck_assert_int_eq(usleep(20000), 0);	/* some ticks of the kernel's clock */
	write_file(at("dir/archive/" NAME "/1/cert.pem"), "other\n");
	ck_assert_int_eq(usleep(20000), 0);
	ck_assert_int_eq(chmod(at("dir/archive/" NAME "/1/origin"), 0644), 0);
	ck_assert(!is_sound(1, NULL));
}
END_TEST

START_TEST(owner_and_mode_are_set_right_in_place)
{
	ino_t key;

	ck_assert_uint_eq(write_generation("one"), 1);
	key = look_at(at("dir/archive/" NAME "/1/privkey.pem")).st_ino;
	ck_assert_int_eq(chmod(at("dir/archive/" NAME "/1/privkey.pem"), 0644), 0);
	ck_assert(is_drifted(1));
	ck_assert_int_eq(repair_generation(1), 0);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/privkey.pem")), 0600);
	ck_assert_uint_eq(look_at(at("dir/archive/" NAME "/1/privkey.pem")).st_ino, key);
	for (size_t i = 0; i < 3; i++) {
		static const char *const paths[] = { "dir/archive/" NAME, "dir/archive/" NAME "/1",
			"dir/archive/" NAME "/1/origin" };
		const mode_t mode = mode_of(at("%s", paths[i]));

		ck_assert_int_eq(chmod(at("%s", paths[i]), mode | 022), 0);
		ck_assert(is_drifted(1));
		ck_assert_int_eq(repair_generation(1), 0);
		ck_assert_uint_eq(mode_of(at("%s", paths[i])), mode);
	}
	ck_assert(!is_drifted(1));
}
END_TEST

START_TEST(a_changed_group_of_the_entry_is_given)
{
	if (geteuid() != 0)
		return;
	ck_assert_uint_eq(write_generation("one"), 1);
	its.keeper.group = 12;
	its.keeper.modes[PART_KEY] = 0640;
	ck_assert(is_drifted(1));
	ck_assert_int_eq(repair_generation(1), 0);
	ck_assert_uint_eq(look_at(at("dir/archive/" NAME "/1/privkey.pem")).st_gid, 12);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/privkey.pem")), 0640);
	ck_assert_uint_eq(look_at(at("dir/archive/" NAME "/1/origin")).st_gid, 0);
	ck_assert(!is_drifted(1));
}
END_TEST

START_TEST(a_file_with_a_second_name_is_replaced_and_not_changed)
{
	ck_assert_uint_eq(write_generation("one"), 1);
	ck_assert_int_eq(link(at("dir/archive/" NAME "/1/privkey.pem"), at("second")), 0);
	ck_assert(!is_drifted(1));
	ck_assert_int_eq(chmod(at("second"), 0640), 0);
	ck_assert_int_eq(repair_generation(1), 0);
	ck_assert_uint_eq(mode_of(at("second")), 0640);
	ck_assert_uint_eq(mode_of(at("dir/archive/" NAME "/1/privkey.pem")), 0600);
	ck_assert(!is_drifted(1));
}
END_TEST

START_TEST(an_origin_can_be_written_anew_and_the_rest_stays)
{
	struct origin origin = { 0 };
	const struct stat *before;
	struct stat key;
	int home;

	ck_assert_uint_eq(write_generation("one"), 1);
	key = look_at(at("dir/archive/" NAME "/1/privkey.pem"));
	before = &key;
	home = open_home();
	ck_assert_int_eq(generation_read_origin(home, 1, &origin, &its.why), FOUND_FILE);
	ck_assert_int_eq(generation_read_origin(home, 2, &origin, &its.why), FOUND_ABSENT);
	origin.version.number = 8;
	ck_assert_int_eq(store_rewrite_origin(its.store, NAME, 1, &origin, &its.why), 0);
	ck_assert_int_eq(store_rewrite_origin(its.store, NAME, 2, &origin, &its.why), -1);
	origin_clear(&origin);
	ck_assert_int_eq(generation_read_origin(home, 1, &origin, &its.why), FOUND_FILE);
	ck_assert_uint_eq(origin.version.number, 8);
	ck_assert(!is_drifted(1));
	ck_assert_uint_eq(look_at(at("dir/archive/" NAME "/1/privkey.pem")).st_ino, before->st_ino);
	origin_clear(&origin);
	(void)close(home);
}
END_TEST

START_TEST(a_damaged_file_is_not_handed_on)
{
	struct secret bytes = { 0 };
	struct origin origin = { 0 };
	int home;

	ck_assert_uint_eq(write_generation("one"), 1);
	home = open_home();
	ck_assert_int_eq(generation_read_origin(home, 1, &origin, &its.why), FOUND_FILE);
	ck_assert_int_eq(generation_read_part(home, 1, &origin, PART_CERT, &bytes, &its.why), 0);
	ck_assert_str_eq(bytes.bytes, "one cert\n");
	write_file(at("dir/archive/" NAME "/1/cert.pem"), "other");
	ck_assert_int_eq(generation_read_part(home, 1, &origin, PART_CERT, &bytes, &its.why), -1);
	ASSERT_SAYS("cert.pem of generation 1 is damaged");
	origin_clear(&origin);
	secret_clear(&bytes);
	(void)close(home);
}
END_TEST

START_TEST(only_known_files_are_removed)
{
	int home;

	ck_assert_uint_eq(write_generation("one"), 1);
	write_file(at("dir/archive/" NAME "/1/.privkey.pem.certlet"), "half");
	write_file(at("dir/archive/" NAME "/1/notes.txt"), "mine");
	home = open_home();
	ck_assert_int_eq(generation_remove(home, 1, &its.why), -1);
	ASSERT_SAYS("notes.txt in it was not made by certlet; move it away");
	ck_assert(!exists(at("dir/archive/" NAME "/1/privkey.pem")));
	ck_assert(!exists(at("dir/archive/" NAME "/1/.privkey.pem.certlet")));
	ck_assert_str_eq(read_file(at("dir/archive/" NAME "/1/notes.txt")), "mine");
	ck_assert_int_eq(unlink(at("dir/archive/" NAME "/1/notes.txt")), 0);
	ck_assert_int_eq(generation_remove(home, 1, &its.why), 0);
	ck_assert(!exists(at("dir/archive/" NAME "/1")));
	ck_assert_int_eq(generation_remove(home, 1, &its.why), 0);
	(void)close(home);
}
END_TEST

START_TEST(nothing_is_removed_through_a_link)
{
	int home;

	ck_assert_uint_eq(write_generation("one"), 1);
	write_file(at("out/cert.pem"), "mine");
	ck_assert_int_eq(symlink(at("out"), at("dir/archive/" NAME "/2")), 0);
	home = open_home();
	ck_assert_int_eq(generation_remove(home, 2, &its.why), -1);
	ck_assert_str_eq(read_file(at("out/cert.pem")), "mine");
	(void)close(home);
}
END_TEST

START_TEST(a_live_link_is_ours_only_if_it_says_so_exactly)
{
	static const struct { const char *target; enum live_link link; } cases[] = {
		{ "../archive/" NAME "/3", LIVE_OWN },
		{ "../archive/" NAME "/3/", LIVE_ELSEWHERE },
		{ "../archive/" NAME "/x", LIVE_ELSEWHERE },
		{ "../archive/other/3", LIVE_ELSEWHERE },
		{ "/etc/archive/" NAME "/3", LIVE_ELSEWHERE },
		{ "../archive/" NAME, LIVE_ELSEWHERE },
	};
	unsigned int number;

	ck_assert_int_eq(generation_read_live(its.store, NAME, &number, &its.why), LIVE_ABSENT);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_int_eq(symlink(cases[i].target, at("dir/live/" NAME)), 0);
		ck_assert_int_eq(generation_read_live(its.store, NAME, &number, &its.why),
		    cases[i].link);
		ck_assert_uint_eq(number, cases[i].link == LIVE_OWN ? 3 : 0);
		ck_assert_int_eq(unlink(at("dir/live/" NAME)), 0);
	}
	ck_assert_int_eq(mkdir(at("dir/live/" NAME), 0700), 0);
	ck_assert_int_eq(generation_read_live(its.store, NAME, &number, &its.why), LIVE_NO_LINK);
	ASSERT_SAYS("is no link and was not made by certlet; move it away");
}
END_TEST

START_TEST(a_combined_file_that_is_not_wanted_any_more_is_no_damage)
{
	its.keeper.parts[PART_COMBINED] = true;
	ck_assert_uint_eq(write_generation("one"), 1);
	its.keeper.parts[PART_COMBINED] = false;
	ck_assert(!is_drifted(1));
	write_file(at("dir/archive/" NAME "/1/combined.pem"), "changed");
	ck_assert(!is_drifted(1));
	ck_assert_int_eq(chmod(at("dir/archive/" NAME "/1/combined.pem"), 0644), 0);
	ck_assert(is_drifted(1));
}
END_TEST

START_TEST(a_generation_that_is_not_there_is_neither_handed_on_nor_repaired)
{
	struct secret bytes = { 0 };
	struct origin origin = { 0 };
	int home;

	ck_assert_uint_eq(write_generation("one"), 1);
	home = open_home();
	ck_assert_int_eq(generation_read_part(home, 2, &origin, PART_CERT, &bytes, &its.why), -1);
	ASSERT_SAYS("generation 2 cannot be read");
	ck_assert_ptr_null(bytes.bytes);
	ck_assert_int_eq(repair_generation(2), -1);
	ASSERT_SAYS("generation 2 cannot be opened");
	(void)close(home);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("generation");

	tcase_add_test(tests, only_a_plain_number_is_a_generation);
	tcase_add_test(tests, a_generation_is_written_whole_with_its_modes);
	tcase_add_test(tests, combined_is_only_there_if_it_is_wanted);
	tcase_add_test(tests, a_number_is_never_used_twice);
	tcase_add_test(tests, half_a_generation_is_not_left_behind);
	tcase_add_test(tests, what_was_changed_is_not_sound);
	tcase_add_test(tests, what_an_error_kept_from_us_is_not_called_lost);
	tcase_add_test(tests, a_change_is_found_though_all_files_were_chowned_after_it);
	tcase_add_test(tests, owner_and_mode_are_set_right_in_place);
	tcase_add_test(tests, a_changed_group_of_the_entry_is_given);
	tcase_add_test(tests, a_file_with_a_second_name_is_replaced_and_not_changed);
	tcase_add_test(tests, an_origin_can_be_written_anew_and_the_rest_stays);
	tcase_add_test(tests, a_damaged_file_is_not_handed_on);
	tcase_add_test(tests, only_known_files_are_removed);
	tcase_add_test(tests, nothing_is_removed_through_a_link);
	tcase_add_test(tests, a_live_link_is_ours_only_if_it_says_so_exactly);
	tcase_add_test(tests, a_combined_file_that_is_not_wanted_any_more_is_no_damage);
	tcase_add_test(tests, a_generation_that_is_not_there_is_neither_handed_on_nor_repaired);
	return run_tests("generation", tests);
}
