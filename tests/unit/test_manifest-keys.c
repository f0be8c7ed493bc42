/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest-keys.c"
#include "support/manifest_text.h"
#include "support/runner.h"

#define CERTIFICATE(lines) "[certificate www.example.com]\n" lines

START_TEST(every_key_name_is_short_enough_to_be_suggested)
{
	for (int kind = 0; kind < SECTION_KINDS; kind++)
		for (size_t i = 0; i < section_types[kind].key_count; i++)
			ck_assert_uint_le(strlen(section_types[kind].keys[i].name), LONGEST_KEY);
}
END_TEST

START_TEST(an_unknown_key_is_an_error_in_every_section)
{
	refuse_text("[vault]\naddress = https://a\nservices = nginx\n[end]\n", 3,
	    "services: is no key of [vault]");
	refuse("[agent]\nx = 1\n", 4, "x: is no key of [agent]");
	refuse(CERTIFICATE("address = x\n"), 4, "is no key of [certificate NAME]");
	refuse("[service nginx]\nx = 1\n", 4, "is no key of [service NAME]");
}
END_TEST

START_TEST(a_typo_is_answered_with_the_nearest_key)
{
	refuse(CERTIFICATE("key_mod = 0600\n"), 4, "did you mean key_mode?");
	refuse(CERTIFICATE("keymode = 0600\n"), 4, "did you mean key_mode?");
	refuse(CERTIFICATE("servcies = nginx\n"), 4, "did you mean services?");
	refuse(CERTIFICATE("Names = a.example\n"), 4, "did you mean names?");
	refuse("[service nginx]\nrelaod = /bin/true\n", 4, "did you mean reload?");
}
END_TEST

START_TEST(a_key_like_no_other_is_answered_without_a_suggestion)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(manifest_of_presets(VAULT_SECTION "[agent]\ncolour = blue\n[end]\n", NULL, &errors));
	ck_assert_str_eq(errors.items[0].text, "colour: is no key of [agent]");
	manifest_errors_clear(&errors);
	/* Two changes make half of another word. */
	ck_assert_ptr_null(manifest_of_presets(VAULT_SECTION "[agent]\nbail = x\n[end]\n", NULL, &errors));
	ck_assert_str_eq(errors.items[0].text, "bail: is no key of [agent]");
	manifest_errors_clear(&errors);
	refuse("[agent]\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = x\n", 4,
	    "is no key");
}
END_TEST

START_TEST(an_unknown_section_is_an_error)
{
	refuse("[certificates www]\n", 3, "[certificates www] is no section");
	refuse("[Vault]\n", 3, "[Vault] is no section");
}
END_TEST

START_TEST(sections_have_a_name_exactly_where_they_need_one)
{
	refuse("[agent x]\n", 3, "[agent x] takes no NAME");
	refuse("[certificate]\n", 3, "[certificate] lacks its NAME");
	refuse("[service]\n", 3, "[service] lacks its NAME");
}
END_TEST

START_TEST(an_empty_value_is_an_error)
{
	refuse(CERTIFICATE("group =\n"), 4, "group: has no value");
	refuse(CERTIFICATE("services = ; none\n"), 4, "services: has no value");
}
END_TEST

START_TEST(only_lists_and_commands_go_on_on_indented_lines)
{
	struct manifest *manifest = manifest_of(CERTIFICATE("names =\n  a.example\n  b.example\n"
	    "services =\n nginx\nfields = key:k\n cert:c\n")
	    "[service nginx]\ntest = /bin/true\n  -a\n");

	ck_assert_uint_eq(manifest->entries[0].names.count, 2);
	ck_assert_str_eq(manifest->entries[0].fields[PART_CERT], "c");
	ck_assert_str_eq(manifest->services[0].test.items[1], "-a");
	manifest_free(manifest);
	refuse(CERTIFICATE("group = ssl\n  cert\n"), 4, "group: goes on");
	refuse(CERTIFICATE("source =\n  kv:a\n"), 4, "source: goes on");
	refuse(CERTIFICATE("install = copy\n  copy\n"), 4, "install: goes on");
}
END_TEST

START_TEST(keys_of_a_later_version_are_accepted_at_their_default_only)
{
	static const char *const lines[][2] = {
		{ "wait = 0s", "wait = 1h" },
		{ "window = always", "window = Mon..Fri 08:00-18:00" },
		{ "", "pkcs12_path = /etc/x.p12" }, { "", "pkcs12_password_file = /etc/password" },
	};
	char text[256];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		(void)snprintf(text, sizeof(text), CERTIFICATE("%s\n"), lines[i][0]);
		manifest_free(manifest_of(text));
		(void)snprintf(text, sizeof(text), CERTIFICATE("%s\n"), lines[i][1]);
		refuse(text, 4, "not supported by this version");
	}
	manifest_free(manifest_of("[agent]\nwait = 0s\nwindow = always\n"
	    "[service x]\nwindow = always\n"));
	refuse("[agent]\nwait = 1s\n", 4, "only its default 0s");
	refuse("[agent]\nwindow = 08:00-09:00\n", 4, "only its default always");
	refuse("[service x]\nwindow = 08:00-09:00\n", 4, "not supported by this version");
}
END_TEST

START_TEST(a_metrics_file_is_one_that_node_exporter_reads)
{
	struct manifest *manifest = manifest_of("[agent]\nmetrics_file = /var/lib/x.prom\n");

	ck_assert_str_eq(manifest->agent.metrics_file, "/var/lib/x.prom");
	manifest_free(manifest);
	refuse("[agent]\nmetrics_file = /var/lib/x.txt\n", 4, "does not end in .prom");
	refuse("[agent]\nmetrics_file = /var/lib/.prom\n", 4, "does not end in .prom");
	refuse("[agent]\nmetrics_file = .prom\n", 4, "does not end in .prom");
	refuse("[agent]\nmetrics_file = lib/x.prom\n", 4, "metrics_file: ");
	refuse("[agent]\nmetrics_file = /etc/certlet/live/x.prom\n", 4, "no output may stand there");
}
END_TEST

START_TEST(a_certificate_adopts_as_the_agent_does_unless_it_says)
{
	struct manifest *manifest = manifest_of(CERTIFICATE("adopt = no\n")
	    "[agent]\nadopt = yes\n[certificate other]\nnames = any\n");

	ck_assert(!manifest->entries[0].adopt);
	ck_assert(manifest->entries[1].adopt);
	manifest_free(manifest);
	refuse(CERTIFICATE("adopt = maybe\n"), 4, "adopt: ");
}
END_TEST

START_TEST(a_pki_source_is_of_a_later_version)
{
	refuse(CERTIFICATE("source = pki:web\n"), 4, "pki: is not supported by this version");
	refuse(CERTIFICATE("source = pki:web\nkey_type = ec-p256\nrenew = 2/3\nrevoke = no\n"
	    "pki_mount = pki\n"), 4, "pki: is not supported by this version");
}
END_TEST

START_TEST(pki_keys_are_judged_with_a_pki_source)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(manifest_of_presets(VAULT_SECTION CERTIFICATE("ttl = 30m\nkey_type = rsa\n"
	    "source = pki:web\n") "[end]\n", PRESETS, &errors));
	ck_assert_uint_eq(errors.count, 3);
	find_error(&errors, 4, "ttl: is not supported by this version");
	find_error(&errors, 5, "only its default ec-p256");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(a_pki_key_on_a_kv_certificate_is_an_error_even_at_its_default)
{
	static const char *const lines[] = {
		"ttl = 30m", "key_type = ec-p256", "ip_names = 192.0.2.1", "renew = 2/3",
		"revoke = no", "pki_mount = pki",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		(void)snprintf(text, sizeof(text), CERTIFICATE("%s\n"), lines[i]);
		refuse(text, 4, "for a pki: source only");
		(void)snprintf(text, sizeof(text), CERTIFICATE("%s\nsource = kv:a\n"), lines[i]);
		refuse(text, 4, "for a pki: source only");
	}
}
END_TEST

START_TEST(a_source_is_kv_and_a_path)
{
	struct manifest *manifest = manifest_of(CERTIFICATE("source = kv:a/b c/d\n"));

	ck_assert_str_eq(manifest->entries[0].path, "a/b c/d");
	manifest_free(manifest);
	refuse(CERTIFICATE("source = certs/www\n"), 4, "neither kv:PATH nor pki:ROLE");
	refuse(CERTIFICATE("source = kv:\n"), 4, "neither kv:PATH nor pki:ROLE");
	refuse(CERTIFICATE("source = kv:/a\n"), 4, "empty part");
	refuse(CERTIFICATE("source = kv:a/\n"), 4, "empty part");
	refuse(CERTIFICATE("source = kv:a//b\n"), 4, "empty part");
	refuse(CERTIFICATE("source = kv:a/../b\n"), 4, ". or ..");
	refuse(CERTIFICATE("source = kv:a/./b\n"), 4, ". or ..");
	refuse(CERTIFICATE("source = kv:a.\n"), 4, "period");
	refuse(CERTIFICATE("source = kv:a/*\n"), 4, "wildcard");
}
END_TEST

START_TEST(names_are_host_names_in_lower_case)
{
	struct manifest *manifest =
	    manifest_of(CERTIFICATE("names = WWW.Example.COM *.Example.com 192.0.2.1\n"));
	const struct entry *entry = &manifest->entries[0];

	ck_assert_uint_eq(entry->names.count, 3);
	ck_assert_str_eq(entry->names.items[0], "www.example.com");
	ck_assert_str_eq(entry->names.items[1], "*.example.com");
	ck_assert(!entry->any_name);
	manifest_free(manifest);
	refuse(CERTIFICATE("names = a.example a_b.example\n"), 4, "a_b.example is no host name");
	refuse(CERTIFICATE("names = a.*.example\n"), 4, "no host name");
	refuse(CERTIFICATE("names = a.example A.example\n"), 4, "a.example stands twice");
}
END_TEST

START_TEST(any_stands_alone_and_means_that_names_are_not_checked)
{
	struct manifest *manifest = manifest_of(CERTIFICATE("names = any\n"));

	ck_assert(manifest->entries[0].any_name);
	ck_assert_uint_eq(manifest->entries[0].names.count, 0);
	manifest_free(manifest);
	refuse(CERTIFICATE("names = a.example any\n"), 4, "any stands alone");
}
END_TEST

START_TEST(fields_name_each_part_once)
{
	struct manifest *manifest = manifest_of(CERTIFICATE("fields = cert:tls.crt key:a:b\n"));
	const struct entry *entry = &manifest->entries[0];

	ck_assert(entry->fields_given);
	ck_assert_str_eq(entry->fields[PART_CERT], "tls.crt");
	ck_assert_str_eq(entry->fields[PART_KEY], "a:b");
	ck_assert_ptr_null(entry->fields[PART_CHAIN]);
	manifest_free(manifest);
	refuse(CERTIFICATE("fields = cert:a cert:b\n"), 4, "second field");
	refuse(CERTIFICATE("fields = cert:\n"), 4, "names no field");
	refuse(CERTIFICATE("fields = privkey:a\n"), 4, "none of cert:FIELD");
	refuse(CERTIFICATE("fields = a\n"), 4, "none of cert:FIELD");
}
END_TEST

START_TEST(words_from_a_fixed_list_are_named_when_another_is_given)
{
	refuse(CERTIFICATE("install = hardlink\n"), 4, "symlink or copy");
	refuse(CERTIFICATE("kv_version = 3\n"), 4, "auto, 1 or 2");
	refuse(CERTIFICATE("combined = on\n"), 4, "no or yes");
	refuse_text("[vault]\naddress = https://a\nauth = ldap\n[end]\n", 3, "approle, cert or token");
}
END_TEST

START_TEST(a_service_listed_twice_is_an_error)
{
	refuse(CERTIFICATE("services = nginx postfix nginx\n"), 4, "nginx stands twice");
}
END_TEST

START_TEST(distance_counts_changes)
{
	ck_assert_uint_eq(distance("", "abc"), 3);
	ck_assert_uint_eq(distance("abc", "abc"), 0);
	ck_assert_uint_eq(distance("abcd", "abc"), 1);
	ck_assert_uint_eq(distance("axc", "abc"), 1);
	ck_assert_uint_eq(distance("bac", "abc"), 2);
	ck_assert_uint_eq(distance("kitten", "sitting"), 3);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest-keys");

	tcase_add_test(tests, every_key_name_is_short_enough_to_be_suggested);
	tcase_add_test(tests, an_unknown_key_is_an_error_in_every_section);
	tcase_add_test(tests, a_typo_is_answered_with_the_nearest_key);
	tcase_add_test(tests, a_key_like_no_other_is_answered_without_a_suggestion);
	tcase_add_test(tests, an_unknown_section_is_an_error);
	tcase_add_test(tests, sections_have_a_name_exactly_where_they_need_one);
	tcase_add_test(tests, an_empty_value_is_an_error);
	tcase_add_test(tests, only_lists_and_commands_go_on_on_indented_lines);
	tcase_add_test(tests, keys_of_a_later_version_are_accepted_at_their_default_only);
	tcase_add_test(tests, a_metrics_file_is_one_that_node_exporter_reads);
	tcase_add_test(tests, a_certificate_adopts_as_the_agent_does_unless_it_says);
	tcase_add_test(tests, a_pki_source_is_of_a_later_version);
	tcase_add_test(tests, pki_keys_are_judged_with_a_pki_source);
	tcase_add_test(tests, a_pki_key_on_a_kv_certificate_is_an_error_even_at_its_default);
	tcase_add_test(tests, a_source_is_kv_and_a_path);
	tcase_add_test(tests, names_are_host_names_in_lower_case);
	tcase_add_test(tests, any_stands_alone_and_means_that_names_are_not_checked);
	tcase_add_test(tests, fields_name_each_part_once);
	tcase_add_test(tests, words_from_a_fixed_list_are_named_when_another_is_given);
	tcase_add_test(tests, a_service_listed_twice_is_an_error);
	tcase_add_test(tests, distance_counts_changes);
	return run_tests("manifest-keys", tests);
}
