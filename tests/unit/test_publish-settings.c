/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The seam: there is no configuration at its usual place. */
#define access(path, mode) (errno = ENOENT, -1)
#include "publish-settings.c"
#include "support/runner.h"
#undef access

static struct publish_environment environment;
static struct publish_settings settings;
static struct failure why;
static char config[] = "/tmp/certlet-publish-XXXXXX";

static void
write_config(const char *text)
{
	FILE *file;

	close(mkstemp(config));
	file = fopen(config, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void
tear_down(void)
{
	publish_settings_clear(&settings);
	secret_clear(&environment.token);
	unlink(config);
}

#define VAULT "[vault]\naddress = https://vault.example.com:8200\n"

START_TEST(a_ca_file_that_cannot_be_read_is_a_wrong_setup)
{
	write_config(VAULT "ca_file = /dev/null\nnamespace = team\nauth = token\n"
	    "token_file = /nonexistent\n[end]\n");
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_str_eq(settings.manifest->vault.namespace, "team");
	ck_assert_str_eq(settings.manifest->vault.addresses.items[0],
	    "https://vault.example.com:8200");
}
END_TEST

START_TEST(errors_of_a_configuration_are_counted)
{
	write_config("[vault]\nbogus = 1\nauth = nothing\n[end]\n");
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_MANIFEST);
	ck_assert_ptr_nonnull(strstr(why.text, "3 errors in "));
}
END_TEST

START_TEST(the_environment_fills_in_what_is_not_said)
{
	write_config(VAULT "[end]\n");
	environment.namespace = (char *)"team/web";
	environment.address = (char *)"https://other.example.com";
	environment.tls_server_name = (char *)"vault.test";
	secret_set(&environment.token, "s.token", 7);
	ck_assert_msg(publish_settings_read(config, &environment, &settings, &why) == 0, "%s",
	    why.text);
	ck_assert_str_eq(settings.manifest->vault.addresses.items[0],
	    "https://vault.example.com:8200");
	ck_assert_str_eq(settings.manifest->vault.namespace, "team/web");
	ck_assert_str_eq(settings.manifest->vault.auth_namespace, "team/web");
	ck_assert_str_eq(settings.manifest->vault.tls_server_name, "vault.test");
	ck_assert_int_eq(settings.manifest->vault.auth, AUTH_TOKEN);
	ck_assert(secret_equal(&settings.credentials.token, &environment.token));
}
END_TEST

START_TEST(a_configured_login_goes_before_the_token)
{
	write_config(VAULT "role_id_file = /nonexistent\n[end]\n");
	secret_set(&environment.token, "s.token", 7);
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), 0);
	ck_assert_int_eq(settings.manifest->vault.auth, AUTH_APPROLE);
	ck_assert_uint_eq(settings.credentials.token.size, 0);
	ck_assert_int_eq(settings.credentials.missing.kind, FAILURE_LOGIN);
}
END_TEST

START_TEST(the_environment_is_judged_as_the_manifest_is)
{
	write_config(VAULT "[end]\n");
	secret_set(&environment.token, "s.token", 7);
	environment.tls_server_name = (char *)"no host name";
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "VAULT_TLS_SERVER_NAME: no host name is no"));
}
END_TEST

START_TEST(a_token_with_a_line_feed_is_no_header)
{
	write_config(VAULT "[end]\n");
	secret_set(&environment.token, "s.a\nb", 5);
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_null(strstr(why.text, "s.a"));
}
END_TEST

START_TEST(an_address_a_namespace_or_a_proxy_of_the_environment_that_is_none_is_refused)
{
	write_config(VAULT "[end]\n");
	secret_set(&environment.token, "s.token", 7);
	environment.address = (char *)"vault.example.com";
	ck_assert_int_eq(publish_settings_read(NULL, &environment, &settings, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "BAO_ADDR or VAULT_ADDR: "));
	publish_settings_clear(&settings);
	environment.address = NULL;
	environment.namespace = (char *)"no name space";
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "BAO_NAMESPACE or VAULT_NAMESPACE: "));
	publish_settings_clear(&settings);
	environment.namespace = NULL;
	environment.proxy = (char *)"no proxy";
	ck_assert_int_eq(publish_settings_read(config, &environment, &settings, &why), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "BAO_PROXY_ADDR or VAULT_PROXY_ADDR: "));
	environment.proxy = NULL;
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-settings");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, a_ca_file_that_cannot_be_read_is_a_wrong_setup);
	tcase_add_test(tests, errors_of_a_configuration_are_counted);
	tcase_add_test(tests, the_environment_fills_in_what_is_not_said);
	tcase_add_test(tests, a_configured_login_goes_before_the_token);
	tcase_add_test(tests, the_environment_is_judged_as_the_manifest_is);
	tcase_add_test(tests, a_token_with_a_line_feed_is_no_header);
	tcase_add_test(tests, an_address_a_namespace_or_a_proxy_of_the_environment_that_is_none_is_refused);
	return run_tests("publish-settings", tests);
}
