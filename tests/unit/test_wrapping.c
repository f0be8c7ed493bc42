/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "wrapping.c"
#include "support/capture.h"
#include "support/store_fixture.h"

/* What the process that unwraps comes to; `state_meanwhile`: what was on the disk when it was started. */
static struct {
	const char *secret_id;
	time_t expires;
	struct failure why;
	bool fails;
	bool breaks_state;	/* the state cannot be written any more */
	unsigned int calls;
	struct state state_meanwhile;
} fake;

static struct manifest manifest;
static struct state state;
static struct failure refusal, why;
static const struct sandbox sandbox;

int
fetch_unwrap(const struct manifest *settings, const struct sandbox *box,
    const struct credentials *credentials, struct unwrapped *out_unwrapped, struct failure *reason)
{
	(void)settings;
	(void)box;
	fake.calls++;
	ck_assert_str_eq(credentials->token.bytes, "hvs.token");
	state_clear(&fake.state_meanwhile);
	ck_assert_int_eq(state_read(at("state"), &fake.state_meanwhile, reason), 0);
	if (fake.breaks_state) {
		ck_assert_int_eq(rename(at("state"), at("elsewhere")), 0);
		write_file(at("state"), "no directory");
	}
	if (fake.fails)
		return failure_set(reason, FAILURE_INTERNAL, "the fetch process crashed");
	*out_unwrapped = (struct unwrapped){ .expires = fake.expires, .why = fake.why };
	if (fake.why.kind == FAILURE_NONE)
		secret_set(&out_unwrapped->secret_id, fake.secret_id, strlen(fake.secret_id));
	return 0;
}

void
unwrapped_clear(struct unwrapped *unwrapped)
{
	secret_clear(&unwrapped->secret_id);
}

static void
put_token(const char *token)
{
	write_file(at("wrapped"), token);
	ck_assert_int_eq(chmod(at("wrapped"), 0600), 0);
}

static void
set_up(void)
{
	fixture_set_up();
	manifest.vault.wrapped_secret_id_file = strdup(at("wrapped"));
	manifest.vault.secret_id_file = strdup(at("out/secret-id"));
	manifest.agent.state_directory = strdup(at("state"));
	fake.secret_id = "0a1b";
	put_token("hvs.token\n");
}

static void
tear_down(void)
{
	state_clear(&state);
	state_clear(&fake.state_meanwhile);
	free(manifest.vault.wrapped_secret_id_file);
	free(manifest.vault.secret_id_file);
	free(manifest.agent.state_directory);
	fixture_tear_down();
}

/* As a run that begins now: it knows what is on the disk. */
static int
take_if(bool dry_run)
{
	struct credentials credentials;
	int result;

	state_clear(&state);
	ck_assert_int_eq(state_read(at("state"), &state, &why), 0);
	ck_assert_int_eq(credentials_read_wrapping(&manifest.vault, &credentials, &why), 0);
	result = wrapping_take(&manifest, &sandbox, &credentials, &state, dry_run, &refusal, &why);
	credentials_clear(&credentials);
	return result;
}

static int
take(void)
{
	return take_if(/* dry_run= */ false);
}

START_TEST(the_secret_id_is_written_for_its_owner_alone_and_remembered)
{
	fake.expires = 1900000000;
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
	ck_assert_str_eq(read_file(at("out/secret-id")), "0a1b\n");
	ck_assert_uint_eq(mode_of(at("out/secret-id")), 0600);
	state_clear(&state);
	ck_assert_int_eq(state_read(at("state"), &state, &why), 0);
	ck_assert_ptr_null(state.wrapped.error);
	ck_assert_str_eq(state.wrapped.file, at("out/secret-id"));
	ck_assert_int_eq(state.wrapped.expires, 1900000000);
	ck_assert_int_le(time(NULL) - state.wrapped.begins, 5);
}
END_TEST

START_TEST(the_state_knows_of_the_token_before_it_is_used)
{
	ck_assert_int_eq(take(), 0);
	ck_assert_str_eq(fake.state_meanwhile.wrapped.token, state.wrapped.token);
	ck_assert_str_eq(fake.state_meanwhile.wrapped.error, STOPPED);
}
END_TEST

START_TEST(a_token_is_tried_once)
{
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
	ck_assert_uint_eq(fake.calls, 1);
}
END_TEST

START_TEST(a_refusal_lasts_until_there_is_another_token)
{
	(void)failure_set(&fake.why, FAILURE_LOGIN, "possible interception");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(take(), 0);
		ck_assert_int_eq(refusal.kind, FAILURE_LOGIN);
		ck_assert_ptr_nonnull(strstr(refusal.text, "/wrapped: possible interception"));
	}
	ck_assert_uint_eq(fake.calls, 1);
	ck_assert(!exists(at("out/secret-id")));
	free(state.wrapped.token);
	state.wrapped.token = memory_text("of another one");
	ck_assert_int_eq(state_write(at("state"), &state, &why), 0);
	fake.why.kind = FAILURE_NONE;
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
	ck_assert_str_eq(read_file(at("out/secret-id")), "0a1b\n");
}
END_TEST

START_TEST(a_token_that_was_not_judged_is_tried_again)
{
	(void)failure_set(&fake.why, FAILURE_VAULT, "nobody there");
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_VAULT);
	(void)failure_set(&fake.why, FAILURE_DENIED, "not from here");
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_LOGIN);
	fake.why.kind = FAILURE_NONE;
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
	ck_assert_uint_eq(fake.calls, 3);
}
END_TEST

START_TEST(a_process_that_crashes_may_have_spent_the_token)
{
	fake.fails = true;
	ck_assert_int_eq(take(), -1);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(refusal.text, STOPPED));
	ck_assert_uint_eq(fake.calls, 1);
}
END_TEST

START_TEST(what_a_killed_run_prepared_is_put_in_place)
{
	const struct ownership own = file_own(0600);
	const int directory = open(at("out"), O_RDONLY | O_DIRECTORY);

	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(unlink(at("out/secret-id")), 0);
	ck_assert_int_eq(file_prepare(directory, "secret-id", "0a1b\n", 5, &own, &why), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_str_eq(read_file(at("out/secret-id")), "0a1b\n");
	ck_assert(!file_has_leftover(directory, "secret-id"));
	(void)close(directory);
}
END_TEST

START_TEST(what_is_half_or_of_others_is_not_put_in_place)
{
	const struct ownership own = file_own(0600);
	const int directory = open(at("out"), O_RDONLY | O_DIRECTORY);

	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(file_prepare(directory, "secret-id", "0a", 2, &own, &why), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_str_eq(read_file(at("out/secret-id")), "0a1b\n");
	ck_assert_ptr_nonnull(state.wrapped.file);
	ck_assert(!file_has_leftover(directory, "secret-id"));
	write_file(at("out/secret-id"), "of others\n");
	ck_assert_int_eq(take(), 0);
	ck_assert_str_eq(read_file(at("out/secret-id")), "of others\n");
	ck_assert_ptr_null(state.wrapped.file);
	(void)close(directory);
}
END_TEST

START_TEST(a_token_is_not_spent_when_the_secret_id_has_no_place)
{
	ck_assert_int_eq(mkdir(at("out/secret-id"), 0700), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(refusal.text, "no regular file"));
	ck_assert_int_eq(rmdir(at("out/secret-id")), 0);
	ck_assert_int_eq(rmdir(at("out")), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_ptr_nonnull(strstr(refusal.text, "there is no place for it"));
	ck_assert_uint_eq(fake.calls, 0);
	ck_assert_int_eq(mkdir(at("out"), 0700), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
}
END_TEST

START_TEST(another_method_of_login_has_no_use_for_it)
{
	manifest.vault.auth = AUTH_CERT;
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
	ck_assert_uint_eq(fake.calls, 0);
	manifest.vault.auth = AUTH_APPROLE;
}
END_TEST

START_TEST(a_dry_run_touches_nothing)
{
	ck_assert_int_eq(take_if(/* dry_run= */ true), 0);
	ck_assert_uint_eq(fake.calls, 0);
	ck_assert(!exists(at("state")));
}
END_TEST

START_TEST(only_the_secret_id_that_was_written_is_removed)
{
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(wrapping_forget(&state, &why), 0);
	ck_assert(!exists(at("out/secret-id")));
	ck_assert_ptr_null(state.wrapped.token);
	write_file(at("out/secret-id"), "of others\n");
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(wrapping_forget(&state, &why), 0);
	ck_assert_str_eq(read_file(at("out/secret-id")), "of others\n");
}
END_TEST

START_TEST(a_secret_id_whose_directory_is_gone_is_forgotten)
{
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(unlink(at("out/secret-id")), 0);
	ck_assert_int_eq(rmdir(at("out")), 0);
	ck_assert_int_eq(wrapping_forget(&state, &why), 0);
	ck_assert_ptr_null(state.wrapped.file);
}
END_TEST

START_TEST(a_secret_id_that_cannot_be_removed_is_not_forgotten)
{
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(unlink(at("out/secret-id")), 0);
	ck_assert_int_eq(mkdir(at("out/secret-id"), 0700), 0);
	ck_assert_int_eq(wrapping_forget(&state, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, at("out")));
	ck_assert_ptr_nonnull(strstr(why.text, "remove secret-id"));
	ck_assert_str_eq(state.wrapped.file, at("out/secret-id"));
}
END_TEST

START_TEST(what_stands_in_the_way_of_a_secret_id_is_named_before_the_token_is_spent)
{
	ck_assert_int_eq(mkdir(at("out/.secret-id.certlet"), 0700), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(refusal.text, ".secret-id.certlet stands in the way"));
	ck_assert_uint_eq(fake.calls, 0);
	ck_assert_int_eq(rmdir(at("out/.secret-id.certlet")), 0);
	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
}
END_TEST

START_TEST(what_stands_in_the_way_later_is_named_and_harms_nothing)
{
	const char *printed;

	ck_assert_int_eq(take(), 0);
	ck_assert_int_eq(mkdir(at("out/.secret-id.certlet"), 0700), 0);
	capture_begin(STDERR_FILENO);
	ck_assert_int_eq(take(), 0);
	printed = capture_end(STDERR_FILENO);
	ck_assert_ptr_nonnull(strstr(printed, ".secret-id.certlet stands in the way"));
	ck_assert_int_eq(refusal.kind, FAILURE_NONE);
	ck_assert_str_eq(state.wrapped.file, at("out/secret-id"));
}
END_TEST

START_TEST(a_secret_id_that_the_state_cannot_know_of_is_not_put_in_place)
{
	fake.breaks_state = true;
	ck_assert_int_eq(take(), -1);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
	ck_assert(!exists(at("out/secret-id")));
	ck_assert_str_eq(read_file(at("out/.secret-id.certlet")), "0a1b\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("wrapping");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_secret_id_is_written_for_its_owner_alone_and_remembered);
	tcase_add_test(tests, the_state_knows_of_the_token_before_it_is_used);
	tcase_add_test(tests, a_token_is_tried_once);
	tcase_add_test(tests, a_refusal_lasts_until_there_is_another_token);
	tcase_add_test(tests, a_token_that_was_not_judged_is_tried_again);
	tcase_add_test(tests, a_process_that_crashes_may_have_spent_the_token);
	tcase_add_test(tests, what_a_killed_run_prepared_is_put_in_place);
	tcase_add_test(tests, what_is_half_or_of_others_is_not_put_in_place);
	tcase_add_test(tests, a_token_is_not_spent_when_the_secret_id_has_no_place);
	tcase_add_test(tests, another_method_of_login_has_no_use_for_it);
	tcase_add_test(tests, a_dry_run_touches_nothing);
	tcase_add_test(tests, only_the_secret_id_that_was_written_is_removed);
	tcase_add_test(tests, a_secret_id_whose_directory_is_gone_is_forgotten);
	tcase_add_test(tests, a_secret_id_that_cannot_be_removed_is_not_forgotten);
	tcase_add_test(tests, what_stands_in_the_way_of_a_secret_id_is_named_before_the_token_is_spent);
	tcase_add_test(tests, what_stands_in_the_way_later_is_named_and_harms_nothing);
	tcase_add_test(tests, a_secret_id_that_the_state_cannot_know_of_is_not_put_in_place);
	return run_tests("wrapping", tests);
}
