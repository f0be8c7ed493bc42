/* SPDX-License-Identifier: ISC */
#include "adopt.c"

#include "unit/support/capture.h"

#include "unit/support/store_fixture.h"

/* The key goes to out/key.pem, where a file of others stands. */
static unsigned int
want_key_over(const char *text)
{
	its.state.directory = memory_text(at("state"));
	its.entry.adopt = true;
	give_output(PART_KEY, at("out/key.pem"));
	write_file(at("out/key.pem"), text);
	ck_assert_int_eq(chmod(at("out/key.pem"), 0640), 0);
	return write_generation("one");
}

static void
remove_certificate(void)
{
	ck_assert_int_eq(store_remove(its.store, &its.state, owned(), &its.why), 0);
	ck_assert(!exists(at("out/key.pem")));
}

static void
assert_adopted(const char *text)
{
	ck_assert_str_eq(read_file(at("state/adopted/1-privkey.pem")), text);
	ck_assert_uint_eq(mode_of(at("state/adopted/1-privkey.pem")), 0600);
	ck_assert_uint_eq(its.state.adopted_count, 1);
	ck_assert_str_eq(its.state.adopted[0].path, at("out/key.pem"));
	ck_assert_uint_eq(its.state.adopted[0].mode, 0640);
}

/* What the state on the disk says. */
static size_t
count_on_record(void)
{
	struct state state;
	size_t count;

	ck_assert_int_eq(state_read(at("state"), &state, &its.why), 0);
	count = state.adopted_count;
	state_clear(&state);
	return count;
}

static void
assert_not_adopted(const char *words)
{
	const unsigned int number = write_generation("one");

	ck_assert_int_eq(check_outputs(), -1);
	ASSERT_SAYS("a file that certlet did not make stands in the way of privkey.pem; move it away");
	ASSERT_SAYS(words);
	ck_assert_int_eq(try_switch(number), -1);
	ck_assert(!exists(at("state/adopted")));
}

START_TEST(a_file_that_stands_there_is_kept_and_replaced)
{
	const unsigned int number = want_key_over("mine");

	ck_assert_int_eq(check_outputs(), 0);
	ck_assert(!exists(at("state")));
	ck_assert_int_eq(try_switch(number), 0);
	assert_adopted("mine");
	ck_assert_uint_eq(count_on_record(), 1);
	ck_assert_str_eq(read_file(at("out/key.pem")), "one key\n");
	owned()->generation = number;
	assert_all_is_well(number);
}
END_TEST

START_TEST(so_it_is_for_copies)
{
	unsigned int number;

	its.entry.install = INSTALL_COPY;
	number = want_key_over("mine");
	ck_assert_int_eq(try_switch(number), 0);
	assert_adopted("mine");
	ck_assert_str_eq(read_file(at("out/key.pem")), "one key\n");
	ck_assert_uint_eq(mode_of(at("out/key.pem")), 0600);
	owned()->generation = number;
	assert_all_is_well(number);
}
END_TEST

START_TEST(without_adopt_it_is_named_with_a_word_on_adopt)
{
	(void)want_key_over("mine");
	its.entry.adopt = false;
	assert_not_adopted("or say adopt = yes");
	ck_assert_str_eq(read_file(at("out/key.pem")), "mine");
}
END_TEST

START_TEST(a_file_with_two_links_is_left)
{
	(void)want_key_over("mine");
	ck_assert_int_eq(link(at("out/key.pem"), at("out/second")), 0);
	assert_not_adopted("it has 2 links");
	its.entry.adopt = false;
	ck_assert_int_eq(check_outputs(), -1);
	ck_assert_ptr_null(strstr(its.why.text, "adopt"));
}
END_TEST

START_TEST(a_file_of_a_third_user_is_left)
{
	if (geteuid() != 0)
		return;
	(void)want_key_over("mine");
	ck_assert_int_eq(chown(at("out/key.pem"), 65534, 0), 0);
	assert_not_adopted("it belongs to user 65534");
	its.keeper.owner = 65534;
	ck_assert_int_eq(check_outputs(), 0);
}
END_TEST

START_TEST(what_is_larger_than_what_is_read_is_left)
{
	(void)want_key_over("mine");
	ck_assert_int_eq(truncate(at("out/key.pem"), FILE_LIMIT_BYTES + 1), 0);
	assert_not_adopted("larger than 4194304 bytes");
}
END_TEST

START_TEST(links_and_directories_are_never_adopted)
{
	(void)want_key_over("mine");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/elsewhere"), "mine");
	ck_assert_int_eq(symlink(at("out/elsewhere"), at("out/key.pem")), 0);
	ck_assert_int_eq(check_outputs(), -1);
	ASSERT_SAYS("a link that certlet did not make");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	ck_assert_int_eq(mkdir(at("out/key.pem"), 0755), 0);
	ck_assert_int_eq(check_outputs(), -1);
	ASSERT_SAYS("a directory");
}
END_TEST

START_TEST(nothing_is_replaced_when_it_cannot_be_kept)
{
	const unsigned int number = want_key_over("mine");

	ck_assert_int_eq(mkdir(at("state"), 0755), 0);
	ck_assert_int_eq(chmod(at("state"), 0755), 0);
	write_file(at("state/adopted"), "no directory");
	ck_assert_int_eq(try_switch(number), -1);
	ASSERT_SAYS("out/key.pem");
	ck_assert_str_eq(read_file(at("out/key.pem")), "mine");
	ck_assert(!exists(at("dir/live/" NAME)));
	ck_assert_int_eq(unlink(at("state/adopted")), 0);
	ck_assert_int_eq(symlink("../out", at("state/adopted")), 0);
	ck_assert_int_eq(try_switch(number), -1);
	ASSERT_SAYS("state: adopted is no directory; move it away");
	ck_assert_int_eq(unlink(at("state/adopted")), 0);
	ck_assert_int_eq(try_switch(number), 0);
	assert_adopted("mine");
}
END_TEST

START_TEST(the_same_file_is_kept_once_and_another_one_beside_it)
{
	unsigned int number = want_key_over("mine");

	ck_assert_int_eq(try_switch(number), 0);
	owned()->generation = number;
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/key.pem"), "mine");
	ck_assert_int_eq(chmod(at("out/key.pem"), 0640), 0);
	ck_assert_int_eq(repair(), 0);
	assert_adopted("mine");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("out/key.pem"), "other");
	ck_assert_int_eq(repair(), 0);
	ck_assert_uint_eq(its.state.adopted_count, 2);
	ck_assert_str_eq(read_file(at("state/adopted/2-privkey.pem")), "other");
	remove_certificate();
	ck_assert(adopt_return(&its.state, true));
	ck_assert_str_eq(read_file(at("out/key.pem")), "other");
	ck_assert(!exists(at("state/adopted")));
}
END_TEST

START_TEST(it_goes_back_with_its_owner_and_mode)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	ck_assert(adopt_return(&its.state, true));
	assert_adopted("mine");		/* an output still stands there */
	remove_certificate();
	assert_adopted("mine");
	ck_assert(adopt_return(&its.state, true));
	ck_assert_str_eq(read_file(at("out/key.pem")), "mine");
	ck_assert_uint_eq(mode_of(at("out/key.pem")), 0640);
	ck_assert_uint_eq(its.state.adopted_count, 0);
	ck_assert(!exists(at("state/adopted")));
}
END_TEST

START_TEST(without_restore_it_goes)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	ck_assert(adopt_return(&its.state, false));
	ck_assert(!exists(at("out/key.pem")));
	ck_assert(!exists(at("state/adopted")));
}
END_TEST

START_TEST(it_is_not_looked_for_through_a_link)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	ck_assert_int_eq(rename(at("state/adopted"), at("elsewhere")), 0);
	ck_assert_int_eq(symlink("../elsewhere", at("state/adopted")), 0);
	ck_assert(!adopt_return(&its.state, true));
	ck_assert(exists(at("elsewhere/1-privkey.pem")));
	ck_assert(!exists(at("out/key.pem")));
	ck_assert_uint_eq(its.state.adopted_count, 1);
}
END_TEST

START_TEST(it_is_put_over_nothing_else)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	write_file(at("out/key.pem"), "of others");
	ck_assert(!adopt_return(&its.state, true));
	ck_assert_str_eq(read_file(at("out/key.pem")), "of others");
	assert_adopted("mine");
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	write_file(at("state/adopted/1-privkey.pem"), "changed");
	ck_assert(!adopt_return(&its.state, true));
	ck_assert(!exists(at("out/key.pem")));
	ck_assert(adopt_return(&its.state, false));
}
END_TEST

START_TEST(what_a_killed_run_put_back_is_done)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	write_file(at("out/key.pem"), "mine");
	ck_assert(adopt_return(&its.state, true));
	ck_assert_str_eq(read_file(at("out/key.pem")), "mine");
	ck_assert(!exists(at("state/adopted")));
}
END_TEST

START_TEST(a_record_without_its_file_is_of_a_killed_run)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	ck_assert_int_eq(unlink(at("state/adopted/1-privkey.pem")), 0);
	ck_assert(adopt_return(&its.state, true));
	ck_assert(!exists(at("out/key.pem")));
	ck_assert_uint_eq(its.state.adopted_count, 0);
}
END_TEST

START_TEST(an_ordinary_user_adopts_only_what_he_could_give_back)
{
	const struct stat of_root = { .st_mode = S_IFREG | 0644, .st_nlink = 1, .st_uid = 0 };
	const bool root = geteuid() == 0;
	char *objection;

	ck_assert_ptr_null(root ? find_objection(&its.keeper, &of_root, "digest") : NULL);
	ck_assert(!root || seteuid(4321) == 0);
	objection = find_objection(&its.keeper, &of_root, "digest");
	ck_assert(!root || seteuid(0) == 0);
	ck_assert_str_eq(objection, "certlet, run by an ordinary user, could not give it back");
	free(objection);
}
END_TEST

START_TEST(what_vanishes_is_not_kept_and_what_is_no_file_any_more_is_in_the_way)
{
	struct outputs outputs;

	(void)want_key_over("mine");
	ck_assert_int_eq(outputs_open(&outputs, its.store, &its.entry, &its.keeper, &its.state, owned(),
	    NULL, &its.why), 0);
	ck_assert_int_eq(unlink(at("out/key.pem")), 0);
	ck_assert_int_eq(adopt_keep(&outputs, &its.state, &its.why), 0);
	ck_assert_uint_eq(its.state.adopted_count, 0);
	ck_assert_int_eq(mkdir(at("out/key.pem"), 0755), 0);
	ck_assert_int_eq(adopt_keep(&outputs, &its.state, &its.why), -1);
	ASSERT_SAYS("out/key.pem: key.pem is no regular file");
	ck_assert_uint_eq(its.state.adopted_count, 0);
	outputs_close(&outputs);
}
END_TEST

START_TEST(nothing_is_put_back_into_a_directory_that_is_not_safe)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	ck_assert_int_eq(chmod(at("out"), 0777), 0);
	capture_begin(STDERR_FILENO);
	ck_assert(!adopt_return(&its.state, true));
	ck_assert_ptr_nonnull(strstr(capture_end(STDERR_FILENO), "/out is writable by everyone"));
	ck_assert(!exists(at("out/key.pem")));
	assert_adopted("mine");
	ck_assert_int_eq(chmod(at("out"), 0755), 0);
	ck_assert(adopt_return(&its.state, true));
	ck_assert_str_eq(read_file(at("out/key.pem")), "mine");
}
END_TEST

START_TEST(what_stands_in_the_place_of_what_was_kept_is_left)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	ck_assert_int_eq(unlink(at("state/adopted/1-privkey.pem")), 0);
	ck_assert_int_eq(mkdir(at("state/adopted/1-privkey.pem"), 0755), 0);
	for (int back = 0; back < 2; back++) {
		ck_assert(!adopt_return(&its.state, back));
		ck_assert_uint_eq(its.state.adopted_count, 1);
	}
	ck_assert_int_eq(rmdir(at("state/adopted/1-privkey.pem")), 0);
	write_file(at("state/adopted/notes"), "of others");
	ck_assert(adopt_return(&its.state, true));
	ck_assert_str_eq(read_file(at("state/adopted/notes")), "of others");
	ck_assert_uint_eq(its.state.adopted_count, 0);
}
END_TEST

START_TEST(records_go_with_the_directory_of_what_was_kept_but_not_when_something_else_is_there)
{
	ck_assert_int_eq(try_switch(want_key_over("mine")), 0);
	remove_certificate();
	ck_assert_int_eq(rename(at("state/adopted"), at("moved")), 0);
	write_file(at("state/adopted"), "of others");
	ck_assert(!adopt_return(&its.state, true));
	ck_assert_uint_eq(its.state.adopted_count, 1);
	ck_assert_int_eq(unlink(at("state/adopted")), 0);
	ck_assert(adopt_return(&its.state, true));
	ck_assert_uint_eq(its.state.adopted_count, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("adopt");

	tcase_add_test(tests, a_file_that_stands_there_is_kept_and_replaced);
	tcase_add_test(tests, so_it_is_for_copies);
	tcase_add_test(tests, without_adopt_it_is_named_with_a_word_on_adopt);
	tcase_add_test(tests, a_file_with_two_links_is_left);
	tcase_add_test(tests, a_file_of_a_third_user_is_left);
	tcase_add_test(tests, what_is_larger_than_what_is_read_is_left);
	tcase_add_test(tests, links_and_directories_are_never_adopted);
	tcase_add_test(tests, nothing_is_replaced_when_it_cannot_be_kept);
	tcase_add_test(tests, the_same_file_is_kept_once_and_another_one_beside_it);
	tcase_add_test(tests, it_goes_back_with_its_owner_and_mode);
	tcase_add_test(tests, without_restore_it_goes);
	tcase_add_test(tests, it_is_not_looked_for_through_a_link);
	tcase_add_test(tests, it_is_put_over_nothing_else);
	tcase_add_test(tests, what_a_killed_run_put_back_is_done);
	tcase_add_test(tests, a_record_without_its_file_is_of_a_killed_run);
	tcase_add_test(tests, an_ordinary_user_adopts_only_what_he_could_give_back);
	tcase_add_test(tests, what_vanishes_is_not_kept_and_what_is_no_file_any_more_is_in_the_way);
	tcase_add_test(tests, nothing_is_put_back_into_a_directory_that_is_not_safe);
	tcase_add_test(tests, what_stands_in_the_place_of_what_was_kept_is_left);
	tcase_add_test(tests, records_go_with_the_directory_of_what_was_kept_but_not_when_something_else_is_there);
	return run_tests("adopt", tests);
}
