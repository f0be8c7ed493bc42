/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest-check.c"
#include "support/manifest_text.h"
#include "support/runner.h"

#define TWO(first, second) \
	"[certificate a.example]\n" first "\n[certificate b.example]\n" second "\n"

START_TEST(an_address_is_required)
{
	refuse_text("[vault]\ntimeout = 5s\n[end]\n", 1, "address: missing");
	refuse_text("[agent]\n[end]\n", 0, "address: missing");
	refuse_text("[vault]\naddress = ftp://a\n[end]\n", 2, "neither https://");
}
END_TEST

START_TEST(a_method_of_login_needs_its_files)
{
	struct manifest_errors errors = { 0 };

	refuse_text("[vault]\naddress = https://a\nauth = token\n[end]\n", 3, "needs token_file");
	refuse_text("[vault]\naddress = https://a\nclient_cert_file = /a\nauth = cert\n[end]\n", 4,
	    "needs client_key_file");
	refuse_text("[vault]\naddress = https://a\nclient_key_file = /a\nauth = cert\n[end]\n", 4,
	    "needs client_cert_file");
	ck_assert_ptr_null(manifest_of_presets("[vault]\naddress = https://a\nauth = cert\n[end]\n",
	    NULL, &errors));
	ck_assert_uint_eq(errors.count, 2);
	manifest_errors_clear(&errors);
	manifest_free(manifest_of_presets("[vault]\naddress = https://a\nauth = cert\n"
	    "client_cert_file = /a\nclient_key_file = /b\n[end]\n", NULL, &errors));
	manifest_free(manifest_of_presets("[vault]\naddress = https://a\nauth = token\n"
	    "token_file = /a\n[end]\n", NULL, &errors));
	ck_assert_uint_eq(errors.count, 0);
}
END_TEST

START_TEST(a_secret_id_is_not_unwrapped_into_the_file_of_its_token)
{
	refuse_text("[vault]\naddress = https://a\nsecret_id_file = /a\nwrapped_secret_id_file = /a\n"
	    "[end]\n", 4, "is secret_id_file, into which it is unwrapped");
	refuse_text("[vault]\naddress = https://a\nwrapped_secret_id_file = " CERTLET_SYSCONFDIR
	    "/secret-id\n[end]\n", 3, "is secret_id_file, into which it is unwrapped");
}
END_TEST

START_TEST(a_certificate_is_not_critical_before_it_is_warned_of)
{
	refuse("[agent]\nwarn = 3d\ncritical = 4d\n", 5, "critical: is more than warn");
	refuse("[agent]\ncritical = 26d\n", 4, "critical: is more than warn");
	refuse("[agent]\nwarn = 6d\n", 3, "critical: is more than warn");
	manifest_free(manifest_of("[agent]\nwarn = 3d\ncritical = 3d\n"));
}
END_TEST

START_TEST(a_certificate_has_a_name_that_can_be_a_directory)
{
	refuse("[certificate ../x]\nnames = a.example\n", 3, "its NAME is");
	refuse("[certificate .x]\nnames = a.example\n", 3, "its NAME is");
	refuse("[certificate -x]\nnames = a.example\n", 3, "its NAME is");
	refuse("[certificate x.]\nnames = a.example\n", 3, "its NAME is");
	refuse("[certificate *.x]\nnames = a.example\n", 3, "its NAME is");
	manifest_free(manifest_of("[certificate X_1-y.z]\nnames = a.example\n"));
}
END_TEST

START_TEST(a_name_that_is_no_host_name_needs_names)
{
	refuse("[certificate web_1]\n", 3, "needs `names`");
	refuse("[certificate _wildcard.a_b]\n", 3, "needs `names`");
	refuse("[certificate web_1]\nnames = a_b\n", 4, "a_b is no host name");
	manifest_free(manifest_of("[certificate web_1]\nnames = any\n"));
}
END_TEST

START_TEST(two_certificates_that_write_one_path_are_an_error)
{
	refuse(TWO("cert_path = /a/x", "key_path = /a/x"), 6,
	    "key_path: /a/x is what cert_path of [certificate a.example] writes already, in line 4");
}
END_TEST

START_TEST(two_parts_of_one_certificate_on_one_path_are_an_error)
{
	refuse("[certificate a.example]\nkey_path = /a/x\ncert_path = /a/x\n", 5, "in line 4");
}
END_TEST

START_TEST(a_path_below_the_file_of_another_is_an_error)
{
	refuse(TWO("cert_path = /a/x", "cert_path = /a/x/y"), 6, "one is a directory of the other");
	refuse(TWO("cert_path = /a/x/y/z", "cert_path = /a/x"), 6, "one is a directory of the other");
	/* '-' and '.' sort before '/': they must not come between. */
	refuse("[certificate a.example]\ncert_path = /a/x\nkey_path = /a/x-1\nchain_path = /a/x.pem\n"
	    "fullchain_path = /a/x/y\n", 7, "one is a directory of the other");
	manifest_free(manifest_of(TWO("cert_path = /a/x", "cert_path = /a/xy")));
	manifest_free(manifest_of(TWO("cert_path = /a/x/1", "cert_path = /a/x/2")));
}
END_TEST

START_TEST(each_clash_is_told)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(manifest_of_presets(VAULT_SECTION "[certificate a.example]\ncert_path = /a\n"
	    "key_path = /a\nchain_path = /a/b\nfullchain_path = /c\ncombined_path = /c\n[end]\n",
	    NULL, &errors));
	ck_assert_uint_eq(errors.count, 3);
	find_error(&errors, 5, "/a is what");
	find_error(&errors, 6, "/a/b and /a");
	find_error(&errors, 8, "/c is what");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(an_output_inside_the_directories_of_certlet_is_an_error)
{
	refuse("[agent]\ndirectory = /srv/tls\n[certificate a.example]\n"
	    "cert_path = /srv/tls/archive/x\n", 6, "inside /srv/tls/archive");
	refuse("[certificate a.example]\nkey_path = " CERTLET_SYSCONFDIR "/live/b.example/x\n", 4,
	    "inside " CERTLET_SYSCONFDIR "/live");
	refuse("[certificate a.example]\nkey_path = " CERTLET_SYSCONFDIR "/live\n", 4,
	    "inside " CERTLET_SYSCONFDIR "/live");
	manifest_free(manifest_of("[certificate a.example]\nkey_path = " CERTLET_SYSCONFDIR "/alive/x\n"
	    "cert_path = " CERTLET_SYSCONFDIR "/lives\n"));
}
END_TEST

START_TEST(an_output_among_what_certlet_keeps_for_itself_is_an_error)
{
	refuse("[certificate a.example]\nkey_path = " CERTLET_STATEDIR "/state.json\n", 4,
	    "inside " CERTLET_STATEDIR ",");
	refuse("[agent]\nstate_directory = /srv/state\n[certificate a.example]\n"
	    "key_path = /srv/state/adopted/x\n", 6, "inside /srv/state,");
	refuse("[certificate a.example]\nkey_path = " CERTLET_RUNDIR "/lock\n", 4,
	    "inside " CERTLET_RUNDIR ",");
	refuse("[agent]\nrun_directory = /srv/run/certlet\n[certificate a.example]\n"
	    "key_path = /srv/run\n", 6, "/srv/run/certlet is in it");
}
END_TEST

START_TEST(an_output_in_the_place_of_a_credential_is_an_error)
{
	static const char *const keys[] = {
		"role_id_file", "secret_id_file", "wrapped_secret_id_file", "token_file",
	};
	char *text, *words;

	refuse("[certificate a.example]\nkey_path = " CERTLET_SYSCONFDIR "/secret-id\n", 4,
	    CERTLET_SYSCONFDIR "/secret-id is secret_id_file; no output");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		text = memory_format("%s = /srv/own/x\n[certificate a.example]\ncert_path = /srv/own/x\n",
		    keys[i]);
		words = memory_format("/srv/own/x is %s; no output", keys[i]);
		refuse(text, 5, words);
		free(text);
		free(words);
		text = memory_format("%s = /srv/own/x\n[certificate a.example]\ncert_path = /srv/own\n",
		    keys[i]);
		refuse(text, 5, "/srv/own is a directory: /srv/own/x, ");
		free(text);
	}
}
END_TEST

START_TEST(an_output_in_the_place_of_the_manifest_is_an_error)
{
	struct manifest_errors errors = { 0 };
	char *file = text_file(VAULT_SECTION);
	FILE *stream = fopen(file, "a");

	ck_assert_int_gt(fprintf(stream, "[certificate a.example]\nkey_path = %s\n[end]\n", file), 0);
	ck_assert_int_eq(fclose(stream), 0);
	ck_assert_ptr_null(manifest_read(file, "/nonexistent/services.ini", &errors));
	find_error(&errors, 4, "is the manifest; no output");
	ck_assert_uint_eq(errors.count, 1);
	manifest_errors_clear(&errors);
	text_file_remove(file);
}
END_TEST

START_TEST(an_output_that_is_the_directory_or_above_it_is_an_error)
{
	refuse("[certificate a.example]\nkey_path = " CERTLET_SYSCONFDIR "\n", 4, "is a directory");
	refuse("[agent]\ndirectory = /srv/tls\n[certificate a.example]\nkey_path = /srv\n", 6,
	    "is a directory");
}
END_TEST

START_TEST(outputs_of_many_certificates_are_compared_in_good_time)
{
	const size_t count = 1000;
	char *text = malloc(count * 128 + 256), *end = stpcpy(text, VAULT_SECTION);
	struct manifest_errors errors = { 0 };

	for (size_t i = 0; i < count; i++)
		end += snprintf(end, 128, "[certificate www%zu.example]\ncert_path = /a/%zu/c\n"
		    "key_path = /a/%zu/k\n", i, i, i % (count - 1));
	strcpy(end, "[end]\n");
	ck_assert_ptr_null(manifest_of_presets(text, NULL, &errors));
	ck_assert_uint_eq(errors.count, 1);
	find_error(&errors, 3 * count + 2, "/a/0/k is what key_path of [certificate www0.example]");
	manifest_errors_clear(&errors);
	free(text);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest-check");

	tcase_add_test(tests, an_address_is_required);
	tcase_add_test(tests, a_method_of_login_needs_its_files);
	tcase_add_test(tests, a_secret_id_is_not_unwrapped_into_the_file_of_its_token);
	tcase_add_test(tests, a_certificate_is_not_critical_before_it_is_warned_of);
	tcase_add_test(tests, a_certificate_has_a_name_that_can_be_a_directory);
	tcase_add_test(tests, a_name_that_is_no_host_name_needs_names);
	tcase_add_test(tests, two_certificates_that_write_one_path_are_an_error);
	tcase_add_test(tests, two_parts_of_one_certificate_on_one_path_are_an_error);
	tcase_add_test(tests, a_path_below_the_file_of_another_is_an_error);
	tcase_add_test(tests, each_clash_is_told);
	tcase_add_test(tests, an_output_inside_the_directories_of_certlet_is_an_error);
	tcase_add_test(tests, an_output_among_what_certlet_keeps_for_itself_is_an_error);
	tcase_add_test(tests, an_output_in_the_place_of_a_credential_is_an_error);
	tcase_add_test(tests, an_output_in_the_place_of_the_manifest_is_an_error);
	tcase_add_test(tests, an_output_that_is_the_directory_or_above_it_is_an_error);
	tcase_add_test(tests, outputs_of_many_certificates_are_compared_in_good_time);
	return run_tests("manifest-check", tests);
}
