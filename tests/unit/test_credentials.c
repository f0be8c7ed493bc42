/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "credentials.c"
#include "support/runner.h"

static char directory[] = "/tmp/certlet-credentials-XXXXXX";
static char paths[8][128];
static size_t path_count;
#define CA_PEM "-----BEGIN CERTIFICATE-----\n"

static struct manifest manifest;
static struct credentials credentials;
static struct failure why;

static char *
path_of(const char *name)
{
	char *path = paths[path_count++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static char *
put(const char *name, mode_t mode, const char *text)
{
	char *path = path_of(name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	return path;
}

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	manifest.agent.run_directory = directory;
	manifest.vault.auth = AUTH_APPROLE;
	manifest.vault.auth_mount = (char *)"approle";
	words_add(&manifest.vault.addresses, "https://vault.test");
	manifest.vault.role_id_file = put("role-id", 0644, "role\n");
	manifest.vault.secret_id_file = put("secret-id", 0600, " secret \n\n");
}

static void
tear_down(void)
{
	static const char *const names[] = {
		"role-id", "secret-id", "token", "ca", "cert", "key", "given", "wrapped",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlink(path_of(names[i]));
	(void)rmdir(directory);
	credentials_clear(&credentials);
	words_clear(&manifest.vault.addresses);
}

static int
read_again(void)
{
	credentials_clear(&credentials);
	return credentials_read(&manifest, &credentials, &why);
}

START_TEST(blanks_around_a_credential_are_no_part_of_it)
{
	ck_assert_int_eq(read_again(), 0);
	ck_assert_str_eq(credentials.role_id.bytes, "role");
	ck_assert_str_eq(credentials.secret_id.bytes, "secret");
	ck_assert_int_eq(credentials.missing.kind, FAILURE_NONE);
	ck_assert_uint_eq(credentials.ca.size, 0);
}
END_TEST

START_TEST(a_secret_id_that_others_can_read_is_a_wrong_set_up)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0660, 0601 };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		ck_assert_int_eq(chmod(manifest.vault.secret_id_file, modes[i]), 0);
		ck_assert_int_eq(read_again(), -1);
		ck_assert_int_eq(why.kind, FAILURE_SETUP);
		ck_assert_uint_eq(credentials.secret_id.size, 0);
	}
	ck_assert_int_eq(chmod(manifest.vault.secret_id_file, 0400), 0);
	ck_assert_int_eq(read_again(), 0);
}
END_TEST

START_TEST(a_missing_or_empty_credential_is_told_and_is_no_wrong_set_up)
{
	(void)put("secret-id", 0600, "\n");
	ck_assert_int_eq(read_again(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(credentials.missing.text, "is empty"));
	(void)unlink(manifest.vault.secret_id_file);
	ck_assert_int_eq(read_again(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_LOGIN);
	ck_assert_ptr_nonnull(strstr(credentials.missing.text, "secret-id is missing"));
}
END_TEST

static int
read_wrapping(void)
{
	credentials_clear(&credentials);
	return credentials_read_wrapping(&manifest.vault, &credentials, &why);
}

START_TEST(a_wrapping_token_is_as_secret_as_a_secret_id)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0601 };

	manifest.vault.ca_file = put("ca", 0644, CA_PEM);
	manifest.vault.wrapped_secret_id_file = put("wrapped", 0600, " s.token \n");
	ck_assert_int_eq(read_wrapping(), 0);
	ck_assert_str_eq(credentials.token.bytes, "s.token");
	ck_assert_str_eq(credentials.ca.bytes, CA_PEM);
	ck_assert_uint_eq(credentials.role_id.size + credentials.secret_id.size, 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		(void)put("wrapped", modes[i], "s.token\n");
		ck_assert_int_eq(read_wrapping(), -1);
		ck_assert_int_eq(why.kind, FAILURE_SETUP);
		ck_assert_uint_eq(credentials.token.size, 0);
	}
}
END_TEST

START_TEST(no_wrapping_token_is_nothing_amiss_but_one_that_cannot_be_read_is)
{
	manifest.vault.wrapped_secret_id_file = path_of("wrapped");
	ck_assert_int_eq(read_wrapping(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_NONE);
	(void)put("wrapped", 0600, "\n");
	ck_assert_int_eq(read_wrapping(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_NONE);
	ck_assert_uint_eq(credentials.token.size, 0);
	(void)put("wrapped", 0600, "s.token and more\n");
	ck_assert_int_eq(read_wrapping(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_LOGIN);
	credentials.missing = (struct failure){ 0 };
	manifest.vault.wrapped_secret_id_file = directory;
	ck_assert_int_eq(read_wrapping(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_LOGIN);
}
END_TEST

START_TEST(a_ca_file_must_be_there_and_hold_a_certificate)
{
	manifest.vault.ca_file = path_of("ca");
	ck_assert_int_eq(read_again(), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	(void)put("ca", 0644, "");
	ck_assert_int_eq(read_again(), -1);
	(void)put("ca", 0644, "PRIVATE KEY-----\n");
	ck_assert_int_eq(read_again(), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	(void)put("ca", 0644, CA_PEM);
	ck_assert_int_eq(read_again(), 0);
	ck_assert_str_eq(credentials.ca.bytes, CA_PEM);
	manifest.vault.ca_file = directory;
	ck_assert_int_eq(read_again(), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
}
END_TEST

START_TEST(a_client_key_may_be_its_groups_but_not_the_worlds)
{
	manifest.vault.auth = AUTH_CERT;
	manifest.vault.client_cert_file = put("cert", 0644, "C");
	manifest.vault.client_key_file = put("key", 0640, "K");
	ck_assert_int_eq(read_again(), 0);
	ck_assert_str_eq(credentials.client_key.bytes, "K");
	ck_assert_uint_eq(credentials.secret_id.size, 0);
	ck_assert_int_eq(chmod(manifest.vault.client_key_file, 0644), 0);
	ck_assert_int_eq(read_again(), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
}
END_TEST

START_TEST(a_token_file_holds_one_token)
{
	manifest.vault.auth = AUTH_TOKEN;
	manifest.vault.token_file = put("given", 0600, "s.token\n");
	ck_assert_int_eq(read_again(), 0);
	ck_assert_str_eq(credentials.token.bytes, "s.token");
	(void)put("given", 0600, "s.token\ns.other\n");
	ck_assert_int_eq(read_again(), 0);
	ck_assert_int_eq(credentials.missing.kind, FAILURE_LOGIN);
	ck_assert_ptr_null(strstr(credentials.missing.text, "s."));
}
END_TEST

static void
keep(const char *token, time_t lifetime)
{
	struct secret secret = { 0 };

	ck_assert_int_eq(read_again(), 0);
	secret_set(&secret, token, strlen(token));
	ck_assert_msg(credentials_keep_token(&manifest, &credentials, &secret, time(NULL) + lifetime,
	    &why) == 0, "%s", why.text);
	secret_clear(&secret);
	ck_assert_int_eq(read_again(), 0);
}

START_TEST(a_kept_token_comes_back_and_only_its_owner_can_read_it)
{
	struct stat status;

	keep("b.token", 1000);
	ck_assert_str_eq(credentials.cached_token.bytes, "b.token");
	ck_assert_int_eq(stat(path_of("token"), &status), 0);
	ck_assert_int_eq(status.st_mode & 07777, 0600);
}
END_TEST

START_TEST(a_kept_token_without_a_minute_left_is_none)
{
	keep("b.token", 58);
	ck_assert_uint_eq(credentials.cached_token.size, 0);
}
END_TEST

START_TEST(a_kept_token_of_another_identity_or_place_is_none)
{
	keep("b.token", 1000);
	manifest.vault.namespace = (char *)"team";
	ck_assert_int_eq(read_again(), 0);
	ck_assert_uint_eq(credentials.cached_token.size, 0);
	manifest.vault.namespace = NULL;
	ck_assert_int_eq(read_again(), 0);
	ck_assert_uint_ne(credentials.cached_token.size, 0);
	words_add(&manifest.vault.addresses, "https://other.test");
	ck_assert_int_eq(read_again(), 0);
	ck_assert_uint_eq(credentials.cached_token.size, 0);
	keep("b.token", 1000);
	(void)put("secret-id", 0600, "another\n");
	ck_assert_int_eq(read_again(), 0);
	ck_assert_uint_eq(credentials.cached_token.size, 0);
}
END_TEST

START_TEST(a_file_that_is_not_as_certlet_writes_it_holds_no_token)
{
	static const char *const texts[] = { "", "\n", "x", "99999999999 abc", "99999999999 abc b.token\n" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		(void)put("token", 0600, texts[i]);
		ck_assert_int_eq(read_again(), 0);
		ck_assert_msg(credentials.cached_token.size == 0, "%s", texts[i]);
	}
	keep("b.token", 1000);
	ck_assert_int_eq(chmod(path_of("token"), 0644), 0);
	ck_assert_int_eq(read_again(), 0);
	ck_assert_uint_eq(credentials.cached_token.size, 0);
}
END_TEST

START_TEST(a_forgotten_token_is_gone)
{
	keep("b.token", 1000);
	ck_assert_int_eq(credentials_forget_token(directory, &why), 0);
	ck_assert_int_eq(read_again(), 0);
	ck_assert_uint_eq(credentials.cached_token.size, 0);
	ck_assert_int_eq(credentials_forget_token(directory, &why), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("credentials");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, blanks_around_a_credential_are_no_part_of_it);
	tcase_add_test(tests, a_secret_id_that_others_can_read_is_a_wrong_set_up);
	tcase_add_test(tests, a_missing_or_empty_credential_is_told_and_is_no_wrong_set_up);
	tcase_add_test(tests, a_wrapping_token_is_as_secret_as_a_secret_id);
	tcase_add_test(tests, no_wrapping_token_is_nothing_amiss_but_one_that_cannot_be_read_is);
	tcase_add_test(tests, a_ca_file_must_be_there_and_hold_a_certificate);
	tcase_add_test(tests, a_client_key_may_be_its_groups_but_not_the_worlds);
	tcase_add_test(tests, a_token_file_holds_one_token);
	tcase_add_test(tests, a_kept_token_comes_back_and_only_its_owner_can_read_it);
	tcase_add_test(tests, a_kept_token_without_a_minute_left_is_none);
	tcase_add_test(tests, a_kept_token_of_another_identity_or_place_is_none);
	tcase_add_test(tests, a_file_that_is_not_as_certlet_writes_it_holds_no_token);
	tcase_add_test(tests, a_forgotten_token_is_gone);
	return run_tests("credentials", tests);
}
