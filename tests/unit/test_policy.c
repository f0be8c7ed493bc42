/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "policy.c"
#include "support/manifest_text.h"
#include "support/runner.h"

#define RULE(path) "path \"" path "\" {\n  capabilities = [\"read\"]\n}\n"

static void
expect_policy_of(struct manifest *take_manifest, const char *expected)
{
	char *text = policy_text(take_manifest);

	ck_assert_str_eq(text, expected);
	free(text);
	manifest_free(take_manifest);
}

/* All but the first line, which is always the same. */
static void
expect_policy(const char *sections, const char *expected)
{
	char *text = memory_format("# certlet --policy: what the manifest needs, and no more\n%s",
	    expected);

	expect_policy_of(manifest_of(sections), text);
	free(text);
}

START_TEST(version_2_needs_data_and_metadata)
{
	expect_policy("[certificate a.example]\nkv_version = 2\n",
	    "\n# a.example\n"
	    RULE("secret/data/certs/a.example") RULE("secret/metadata/certs/a.example"));
}
END_TEST

START_TEST(version_1_needs_the_path_itself)
{
	expect_policy("[certificate a.example]\nkv_version = 1\nkv_mount = kv/one\nsource = kv:x\n",
	    "\n# a.example\n" RULE("kv/one/x"));
}
END_TEST

START_TEST(an_unknown_version_is_taken_for_version_2)
{
	expect_policy("[certificate a.example]\n",
	    "\n# a.example\n"
	    RULE("secret/data/certs/a.example") RULE("secret/metadata/certs/a.example"));
}
END_TEST

START_TEST(no_path_is_said_twice)
{
	expect_policy("[certificate a.example]\nkv_version = 1\nsource = kv:x\n"
	    "[certificate b.example]\nkv_version = 1\nsource = kv:x\n"
	    "[certificate c.example]\nkv_version = 1\nsource = kv:y\n",
	    "\n# a.example\n" RULE("secret/x") "\n# c.example\n" RULE("secret/y"));
}
END_TEST

START_TEST(nothing_is_listed_or_written)
{
	struct manifest *manifest = manifest_of("[certificate a.example]\n");
	char *text = policy_text(manifest);

	ck_assert_ptr_null(strstr(text, "list"));
	ck_assert_ptr_null(strstr(text, "update"));
	ck_assert_ptr_null(strchr(text, '*'));
	free(text);
	manifest_free(manifest);
}
END_TEST

START_TEST(quotes_backslashes_and_interpolations_are_quoted)
{
	expect_policy("[certificate a.example]\nkv_version = 1\nsource = kv:a \"b\" \\c ${d} $e {f}\n",
	    "\n# a.example\n" RULE("secret/a \\\"b\\\" \\\\c \\u0024{d} $e {f}"));
}
END_TEST

START_TEST(paths_begin_at_the_namespace_of_the_login)
{
	expect_policy("[certificate a.example]\nkv_version = 1\nsource = kv:x\nnamespace = team/one\n",
	    "\n# a.example\n" RULE("team/one/secret/x"));
}
END_TEST

static struct manifest *
manifest_in(const char *settings, const char *certificate)
{
	struct manifest_errors errors = { 0 };
	char *text = memory_format("[vault]\naddress = https://a\nkv_version = 1\n%s\n"
	    "[certificate a.example]\nsource = kv:x\n%s\n[end]\n", settings, certificate);
	struct manifest *manifest = manifest_of_presets(text, NULL, &errors);

	ck_assert_ptr_nonnull(manifest);
	free(text);
	return manifest;
}

#define HEAD "# certlet --policy: what the manifest needs, and no more\n"

START_TEST(the_namespace_of_the_policy_is_said)
{
	expect_policy_of(manifest_in("namespace = team", ""),
	    HEAD "# namespace team: write it there, where the login is\n"
	    "\n# a.example\n" RULE("secret/x"));
	expect_policy_of(manifest_in("namespace = team", "namespace = team/sub"),
	    HEAD "# namespace team: write it there, where the login is\n"
	    "\n# a.example\n" RULE("sub/secret/x"));
	expect_policy_of(manifest_in("namespace = team/sub\nauth_namespace = team", ""),
	    HEAD "# namespace team: write it there, where the login is\n"
	    "\n# a.example\n" RULE("sub/secret/x"));
}
END_TEST

START_TEST(a_namespace_out_of_reach_is_said_and_given_no_rule)
{
	static const char *const foreign[] = { "namespace = other", "namespace = teams", "namespace = othe/r" };

	for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		struct manifest *manifest = manifest_in("namespace = team", foreign[i]);
		char *text = policy_text(manifest);

		ck_assert_ptr_null(strstr(text, "path "));
		ck_assert_ptr_nonnull(strstr(text, "# a.example is in namespace "));
		ck_assert_ptr_nonnull(strstr(text, manifest->entries[0].source));
		free(text);
		manifest_free(manifest);
	}
}
END_TEST

START_TEST(a_manifest_without_certificates_needs_nothing)
{
	expect_policy("", "");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("policy");

	tcase_add_test(tests, version_2_needs_data_and_metadata);
	tcase_add_test(tests, version_1_needs_the_path_itself);
	tcase_add_test(tests, an_unknown_version_is_taken_for_version_2);
	tcase_add_test(tests, no_path_is_said_twice);
	tcase_add_test(tests, nothing_is_listed_or_written);
	tcase_add_test(tests, quotes_backslashes_and_interpolations_are_quoted);
	tcase_add_test(tests, paths_begin_at_the_namespace_of_the_login);
	tcase_add_test(tests, the_namespace_of_the_policy_is_said);
	tcase_add_test(tests, a_namespace_out_of_reach_is_said_and_given_no_rule);
	tcase_add_test(tests, a_manifest_without_certificates_needs_nothing);
	return run_tests("policy", tests);
}
