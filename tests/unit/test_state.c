/* SPDX-License-Identifier: ISC */
#include "state.c"

#include "unit/support/store_fixture.h"

START_TEST(a_missing_state_or_directory_is_an_empty_state)
{
	struct state state;

	ck_assert_int_eq(state_read(at("none"), &state, &its.why), 0);
	ck_assert_uint_eq(state.certificate_count, 0);
	ck_assert(!exists(at("none")));
	state_clear(&state);
	ck_assert_int_eq(state_read(at("out"), &state, &its.why), 0);
	state_clear(&state);
}
END_TEST

START_TEST(what_is_written_is_read_again_from_a_file_for_its_owner_alone)
{
	struct state state = { 0 }, found;

	state_add(&state, "www.example.test")->generation = 3;
	ck_assert_int_eq(state_write(at("lib/certlet"), &state, &its.why), 0);
	ck_assert_uint_eq(mode_of(at("lib/certlet")), 0755);
	ck_assert_uint_eq(mode_of(at("lib/certlet/state.json")), 0600);
	ck_assert_int_eq(state_read(at("lib/certlet"), &found, &its.why), 0);
	ck_assert_uint_eq(state_find(&found, "www.example.test")->generation, 3);
	ck_assert(!exists(at("lib/certlet/.state.json.certlet")));
	state_clear(&state);
	state_clear(&found);
}
END_TEST

static void
assert_unreadable(const char *words)
{
	struct state state;

	its.why = (struct failure){ 0 };
	ck_assert_int_eq(state_read(at("out"), &state, &its.why), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_INTERNAL);
	ASSERT_SAYS(at("out/state.json"));
	ASSERT_SAYS(words);
}

START_TEST(a_broken_state_is_an_error_that_names_the_file)
{
	write_file(at("out/state.json"), "{\"schema\":1,");
	assert_unreadable("line 1");
	ck_assert_int_eq(unlink(at("out/state.json")), 0);
	ck_assert_int_eq(symlink("elsewhere", at("out/state.json")), 0);
	assert_unreadable("open state.json");
	ck_assert_int_eq(unlink(at("out/state.json")), 0);
	ck_assert_int_eq(mkdir(at("out/state.json"), 0700), 0);
	assert_unreadable("no regular file");
}
END_TEST

START_TEST(a_state_that_others_could_have_written_is_not_believed)
{
	write_file(at("out/state.json"), "{\"schema\":1}");
	ck_assert_int_eq(chmod(at("out/state.json"), 0620), 0);
	assert_unreadable("can be written by others");
	ck_assert_int_eq(chmod(at("out/state.json"), 0600), 0);
	ck_assert_int_eq(chmod(at("out"), 0775), 0);
	assert_unreadable("is writable by its group");
}
END_TEST

START_TEST(a_state_that_cannot_be_written_is_an_error_of_certlet)
{
	const struct state state = { 0 };

	write_file(at("file"), "x");
	ck_assert_int_eq(state_write(at("file/below"), &state, &its.why), -1);
	ck_assert_int_eq(its.why.kind, FAILURE_INTERNAL);
	ASSERT_SAYS("file/below/state.json");
}
END_TEST

START_TEST(a_removed_state_leaves_nothing)
{
	const struct state state = { 0 };

	ck_assert_int_eq(state_write(at("out"), &state, &its.why), 0);
	write_file(at("out/.state.json.certlet"), "half");
	ck_assert_int_eq(state_remove_file(at("out"), &its.why), 0);
	ck_assert(!exists(at("out/state.json")));
	ck_assert(!exists(at("out/.state.json.certlet")));
	ck_assert_int_eq(state_remove_file(at("none"), &its.why), 0);
}
END_TEST

START_TEST(a_state_that_cannot_be_removed_is_named)
{
	ck_assert_int_eq(mkdir(at("out/state.json"), 0700), 0);
	ck_assert_int_eq(state_remove_file(at("out"), &its.why), -1);
	ASSERT_SAYS("/out: remove state.json: Is a directory");
}
END_TEST

START_TEST(certificates_are_kept_in_order_and_found)
{
	static const char *const names[] = { "m", "a", "z", "b", "m" };
	struct state state = { 0 };

	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(state_add(&state, names[i])->name, names[i]);
	ck_assert_uint_eq(state.certificate_count, 4);
	ck_assert_str_eq(state.certificates[0].name, "a");
	ck_assert_str_eq(state.certificates[3].name, "z");
	for (size_t i = 0; i < 5; i++)
		ck_assert_str_eq(state_find(&state, names[i])->name, names[i]);
	ck_assert_ptr_null(state_find(&state, "c"));
	state_remove(&state, "b");
	state_remove(&state, "none");
	ck_assert_ptr_null(state_find(&state, "b"));
	ck_assert_uint_eq(state.certificate_count, 3);
	ck_assert_str_eq(state.certificates[1].name, "m");
	state_clear(&state);
	ck_assert_ptr_null(state_find(&state, "a"));
	state_remove(&state, "a");
}
END_TEST

START_TEST(a_service_added_again_has_its_new_commands_and_its_old_debts)
{
	struct service service = { .name = (char *)"nginx", .timeout = 30 };
	struct state state = { 0 };

	state_add_service(&state, &service)->owed = true;
	service.name = (char *)"haproxy";
	(void)state_add_service(&state, &service);
	service.name = (char *)"nginx";
	service.timeout = 10;
	ck_assert(state_add_service(&state, &service)->owed);
	ck_assert_uint_eq(state.service_count, 2);
	ck_assert_str_eq(state.services[0].service.name, "haproxy");
	ck_assert_int_eq(state_find_service(&state, "nginx")->service.timeout, 10);
	state_remove_service(&state, "haproxy");
	state_remove_service(&state, "none");
	ck_assert_uint_eq(state.service_count, 1);
	ck_assert_ptr_nonnull(state_find_service(&state, "nginx"));
	state_clear(&state);
}
END_TEST

START_TEST(an_output_of_the_same_path_replaces_the_other)
{
	struct output output = { .part = PART_CERT, .path = (char *)"/a" };

	owned_add_output(owned(), &output);
	output.path = (char *)"/b";
	owned_add_output(owned(), &output);
	output.path = (char *)"/a";
	output.part = PART_KEY;
	owned_add_output(owned(), &output);
	ck_assert_uint_eq(owned()->output_count, 2);
	ck_assert_int_eq(owned()->outputs[0].part, PART_KEY);
	owned_drop_output(owned(), "/a");
	owned_drop_output(owned(), "/c");
	ck_assert_ptr_null(owned_find_output(owned(), "/a"));
	ck_assert_ptr_nonnull(owned_find_output(owned(), "/b"));
}
END_TEST

START_TEST(a_problem_comes_and_goes_with_its_words)
{
	owned_set_problem(owned(), PROBLEM_FAILED, "disk full", 5);
	ck_assert_str_eq(owned()->error, "disk full");
	ck_assert_int_eq(owned()->error_time, 5);
	/* Its own words may be said again. */
	owned_set_problem(owned(), PROBLEM_FAILED, owned()->error, 6);
	ck_assert_str_eq(owned()->error, "disk full");
	owned_set_problem(owned(), PROBLEM_NONE, NULL, 7);
	ck_assert_ptr_null(owned()->error);
	ck_assert_int_eq(owned()->error_time, 0);
}
END_TEST

START_TEST(what_a_clock_that_was_ahead_noted_does_not_last)
{
	struct state state = { 0 };
	struct owned *owned = state_add(&state, "www.example.test");
	const struct version version = { 8, "2026-11-23T18:00:00Z" };

	owned->refused = (struct refusal){ .version = version, .time = 1000 };
	owned->quarantine = (struct quarantine){ .version = version, .until = 4600, .pause = 3600 };
	state_forget_future(&state, 1000);
	ck_assert(version_equal(&owned->refused.version, &version));
	ck_assert_int_eq(owned->quarantine.until, 4600);
	state_forget_future(&state, 999);
	ck_assert(version_is_none(&owned->refused.version));
	ck_assert_int_eq(owned->quarantine.until, 999);
	ck_assert(version_equal(&owned->quarantine.version, &version));
	state_clear(&state);
}
END_TEST

START_TEST(the_state_of_a_service_is_the_first_that_applies)
{
	struct known_service known = { 0 };

	ck_assert_int_eq(known_service_state(&known), SERVICE_OK);
	known.owed = true;
	ck_assert_int_eq(known_service_state(&known), SERVICE_OWED);
	known.failed = true;
	ck_assert_int_eq(known_service_state(&known), SERVICE_FAILED);
	known.inactive = true;
	ck_assert_int_eq(known_service_state(&known), SERVICE_INACTIVE);
	known.unmanaged = true;
	ck_assert_int_eq(known_service_state(&known), SERVICE_UNMANAGED);
}
END_TEST

START_TEST(a_secret_id_is_expiring_in_the_last_third_of_its_life)
{
	struct vault_settings vault = { .auth = AUTH_APPROLE, .secret_id_file = (char *)"/s" };
	struct wrapped wrapped = { .file = (char *)"/s", .begins = 1000, .expires = 4000 };

	ck_assert_int_eq(wrapped_expires(&wrapped, &vault), 4000);
	ck_assert(!wrapped_is_expiring(&wrapped, &vault, 2999));
	ck_assert(wrapped_is_expiring(&wrapped, &vault, 3000));
	ck_assert(wrapped_is_expiring(&wrapped, &vault, 5000));
	wrapped.expires = 0;
	ck_assert(!wrapped_is_expiring(&wrapped, &vault, 5000));
}
END_TEST

START_TEST(nothing_is_known_of_the_end_of_another_secret_id)
{
	struct vault_settings vault = { .auth = AUTH_APPROLE, .secret_id_file = (char *)"/other" };
	struct wrapped wrapped = { .file = (char *)"/s", .begins = 1000, .expires = 4000 };

	ck_assert_int_eq(wrapped_expires(&wrapped, &vault), 0);
	ck_assert(!wrapped_is_expiring(&wrapped, &vault, 5000));
	vault.secret_id_file = wrapped.file;
	vault.auth = AUTH_CERT;
	ck_assert_int_eq(wrapped_expires(&wrapped, &vault), 0);
	wrapped.file = NULL;
	vault.auth = AUTH_APPROLE;
	ck_assert_int_eq(wrapped_expires(&wrapped, &vault), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = fixture_case("state");

	tcase_add_test(tests, a_missing_state_or_directory_is_an_empty_state);
	tcase_add_test(tests, what_is_written_is_read_again_from_a_file_for_its_owner_alone);
	tcase_add_test(tests, a_broken_state_is_an_error_that_names_the_file);
	tcase_add_test(tests, a_state_that_others_could_have_written_is_not_believed);
	tcase_add_test(tests, a_state_that_cannot_be_written_is_an_error_of_certlet);
	tcase_add_test(tests, a_removed_state_leaves_nothing);
	tcase_add_test(tests, a_state_that_cannot_be_removed_is_named);
	tcase_add_test(tests, certificates_are_kept_in_order_and_found);
	tcase_add_test(tests, a_service_added_again_has_its_new_commands_and_its_old_debts);
	tcase_add_test(tests, an_output_of_the_same_path_replaces_the_other);
	tcase_add_test(tests, a_problem_comes_and_goes_with_its_words);
	tcase_add_test(tests, what_a_clock_that_was_ahead_noted_does_not_last);
	tcase_add_test(tests, the_state_of_a_service_is_the_first_that_applies);
	tcase_add_test(tests, a_secret_id_is_expiring_in_the_last_third_of_its_life);
	tcase_add_test(tests, nothing_is_known_of_the_end_of_another_secret_id);
	return run_tests("state", tests);
}
