/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "publish-environment.c"
#include "support/runner.h"

static struct publish_environment environment;

static void
set_up(void)
{
	(void)clearenv();
}

static void
tear_down(void)
{
	publish_environment_clear(&environment);
}

START_TEST(what_is_taken_is_gone_from_the_environment)
{
	setenv("VAULT_ADDR", "https://vault.example.com", 1);
	setenv("VAULT_TOKEN", " s.token\n", 1);
	setenv("RENEWED_LINEAGE", "/etc/letsencrypt/live/www", 1);
	setenv("SSLKEYLOGFILE", "/tmp/x", 1);
	setenv("NO_COLOR", "1", 1);
	publish_environment_take(&environment);
	ck_assert_str_eq(environment.address, "https://vault.example.com");
	ck_assert_str_eq(environment.token.bytes, "s.token");
	ck_assert_str_eq(environment.lineage, "/etc/letsencrypt/live/www");
	ck_assert_ptr_null(environment.proxy);
	ck_assert_ptr_null(getenv("VAULT_TOKEN"));
	ck_assert_ptr_null(getenv("SSLKEYLOGFILE"));
	ck_assert_str_eq(getenv("NO_COLOR"), "1");
}
END_TEST

START_TEST(bao_goes_before_vault_even_empty)
{
	setenv("VAULT_ADDR", "https://vault.example.com", 1);
	setenv("BAO_ADDR", "", 1);
	setenv("VAULT_NAMESPACE", "other", 1);
	setenv("BAO_NAMESPACE", "/team/web//", 1);
	setenv("RENEWED_LINEAGE", "", 1);
	publish_environment_take(&environment);
	ck_assert_ptr_null(environment.address);
	ck_assert_str_eq(environment.namespace, "team/web");
	ck_assert_ptr_null(environment.lineage);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-environment");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_taken_is_gone_from_the_environment);
	tcase_add_test(tests, bao_goes_before_vault_even_empty);
	return run_tests("publish-environment", tests);
}
