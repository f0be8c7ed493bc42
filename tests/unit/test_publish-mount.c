/* SPDX-License-Identifier: ISC */
#include "publish-mount.c"
#include "support/fake_vault.h"
#include "support/runner.h"

static void
set_up(void)
{
	fake_settings.kv_mount = (char *)"secret";
	fake_settings.kv_version = KV_AUTO;
	fake_vault_open();
}

static int
check_mount(void)
{
	return publish_mount_check(fake_kv.vault, &fake_settings, &why);
}

START_TEST(version_2_is_fine)
{
	fake_http_reply("sys/internal/ui/mounts/secret", 200,
	    "{\"data\":{\"options\":{\"version\":\"2\"}}}");
	ck_assert_int_eq(check_mount(), 0);
}
END_TEST

START_TEST(version_1_and_other_kinds_are_refused)
{
	fake_http_reply(NULL, 200, "{\"data\":{\"options\":{\"version\":\"1\"}}}");
	fake_http_reply(NULL, 200, "{\"data\":{\"options\":null}}");
	ck_assert_int_eq(check_mount(), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_str_eq(why.text, "expected secret to be a KV mount of version 2, found version 1");
	ck_assert_int_eq(check_mount(), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "found another kind"));
}
END_TEST

START_TEST(a_server_that_does_not_tell_is_believed)
{
	fake_http_reply(NULL, 403, "{\"errors\":[]}");
	ck_assert_int_eq(check_mount(), 0);
}
END_TEST

START_TEST(what_is_configured_is_not_asked_for)
{
	fake_settings.kv_version = KV_2;
	ck_assert_int_eq(check_mount(), 0);
	fake_settings.kv_version = KV_1;
	ck_assert_int_eq(check_mount(), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_uint_eq(fake_http_count(NULL), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-mount");

	tcase_add_checked_fixture(tests, set_up, fake_vault_close);
	tcase_add_test(tests, version_2_is_fine);
	tcase_add_test(tests, version_1_and_other_kinds_are_refused);
	tcase_add_test(tests, a_server_that_does_not_tell_is_believed);
	tcase_add_test(tests, what_is_configured_is_not_asked_for);
	return run_tests("publish-mount", tests);
}
