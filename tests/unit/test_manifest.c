/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest.c"
#include "support/manifest_text.h"
#include "support/runner.h"

START_TEST(all_defaults_are_those_of_the_manual)
{
	struct manifest *manifest = manifest_of("[certificate www.example.com]\n");
	const struct vault_settings *vault = &manifest->vault;
	const struct agent_settings *agent = &manifest->agent;
	const struct entry *entry = &manifest->entries[0];

	ck_assert_ptr_null(vault->ca_file);
	ck_assert_ptr_null(vault->tls_server_name);
	ck_assert_ptr_null(vault->proxy);
	ck_assert_ptr_null(vault->namespace);
	ck_assert_ptr_null(vault->auth_namespace);
	ck_assert_int_eq(vault->auth, AUTH_APPROLE);
	ck_assert_str_eq(vault->auth_mount, "approle");
	ck_assert_str_eq(vault->role_id_file, CERTLET_SYSCONFDIR "/role-id");
	ck_assert_str_eq(vault->secret_id_file, CERTLET_SYSCONFDIR "/secret-id");
	ck_assert_ptr_null(vault->token_file);
	ck_assert_ptr_null(vault->cert_role);
	ck_assert_str_eq(vault->kv_mount, "secret");
	ck_assert_int_eq(vault->kv_version, KV_AUTO);
	ck_assert_str_eq(vault->pki_mount, "pki");
	ck_assert_int_eq(vault->timeout, 10);
	ck_assert_int_eq(vault->deadline, 300);
	ck_assert_str_eq(agent->directory, CERTLET_SYSCONFDIR);
	ck_assert_str_eq(agent->state_directory, CERTLET_STATEDIR);
	ck_assert_str_eq(agent->run_directory, CERTLET_RUNDIR);
	ck_assert_str_eq(agent->user, "certlet");
	ck_assert_ptr_null(agent->metrics_file);
	ck_assert_int_eq(agent->warn, 25 * 86400);
	ck_assert_int_eq(agent->critical, 7 * 86400);
	ck_assert_int_eq(agent->stale, 86400);
	ck_assert_str_eq(entry->source, "kv:secret/certs/www.example.com");
	ck_assert_int_eq(entry->source_kind, SOURCE_KV);
	ck_assert_uint_eq(entry->names.count, 1);
	ck_assert_str_eq(entry->names.items[0], "www.example.com");
	ck_assert(!entry->any_name && !entry->fields_given && !entry->combined);
	ck_assert_ptr_null(entry->owner);
	ck_assert_ptr_null(entry->group);
	ck_assert_uint_eq(entry->cert_mode, 0644);
	ck_assert_uint_eq(entry->key_mode, 0600);
	ck_assert_int_eq(entry->install, INSTALL_SYMLINK);
	ck_assert_ptr_null(entry->trust_file);
	ck_assert_uint_eq(entry->services.count, 0);
	for (int part = 0; part < PART_COUNT; part++)
		ck_assert_ptr_null(entry->outputs[part]);
	manifest_free(manifest);
}
END_TEST

START_TEST(every_key_of_the_settings_is_read)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_of_presets("[vault]\naddress = https://a https://b\n"
	    "ca_file = /ca\ntls_server_name = v.example\nproxy = http://p.example:1\nnamespace = n/1\n"
	    "auth_namespace = n\nauth = cert\nauth_mount = puppet\nrole_id_file = /r\n"
	    "secret_id_file = /s\nwrapped_secret_id_file = /w\nclient_cert_file = /cc\nclient_key_file = /ck\ncert_role = node\n"
	    "token_file = /t\nkv_mount = kv\nkv_version = 2\npki_mount = p\ntimeout = 3s\n"
	    "deadline = 1m\n[agent]\ndirectory = /d\nstate_directory = /sd\nrun_directory = /rd\n"
	    "user = nobody\nwarn = 20d\ncritical = 5d\nstale = 6h\n[end]\n", NULL, &errors);
	const struct vault_settings *vault = &manifest->vault;
	const struct agent_settings *agent = &manifest->agent;

	ck_assert_uint_eq(vault->addresses.count, 2);
	ck_assert_str_eq(vault->ca_file, "/ca");
	ck_assert_str_eq(vault->tls_server_name, "v.example");
	ck_assert_str_eq(vault->proxy, "http://p.example:1");
	ck_assert_str_eq(vault->namespace, "n/1");
	ck_assert_str_eq(vault->auth_namespace, "n");
	ck_assert_int_eq(vault->auth, AUTH_CERT);
	ck_assert_str_eq(vault->auth_mount, "puppet");
	ck_assert_str_eq(vault->role_id_file, "/r");
	ck_assert_str_eq(vault->secret_id_file, "/s");
	ck_assert_str_eq(vault->wrapped_secret_id_file, "/w");
	ck_assert_str_eq(vault->client_cert_file, "/cc");
	ck_assert_str_eq(vault->client_key_file, "/ck");
	ck_assert_str_eq(vault->cert_role, "node");
	ck_assert_str_eq(vault->token_file, "/t");
	ck_assert_str_eq(vault->kv_mount, "kv");
	ck_assert_int_eq(vault->kv_version, KV_2);
	ck_assert_str_eq(vault->pki_mount, "p");
	ck_assert_int_eq(vault->timeout, 3);
	ck_assert_int_eq(vault->deadline, 60);
	ck_assert_str_eq(agent->directory, "/d");
	ck_assert_str_eq(agent->state_directory, "/sd");
	ck_assert_str_eq(agent->run_directory, "/rd");
	ck_assert_str_eq(agent->user, "nobody");
	ck_assert_int_eq(agent->warn, 20 * 86400);
	ck_assert_int_eq(agent->critical, 5 * 86400);
	ck_assert_int_eq(agent->stale, 6 * 3600);
	manifest_free(manifest);
}
END_TEST

START_TEST(every_key_of_a_certificate_is_read)
{
	struct manifest *manifest = manifest_of("[certificate www.example.com]\n"
	    "source = kv:a/b\nkv_mount = m\nkv_version = 1\nnamespace = n\nnames = a.example\n"
	    "fields = chain:x fullchain:y\nowner = o\ngroup = 33\ncert_mode = 0444\nkey_mode = 0440\n"
	    "cert_path = /o/c\nkey_path = /o/k\nchain_path = /o/ch\nfullchain_path = /o/f\n"
	    "combined = yes\ninstall = copy\ntrust_file = /trust\nservices = nginx\n");
	const struct entry *entry = &manifest->entries[0];

	ck_assert_str_eq(entry->name, "www.example.com");
	ck_assert_uint_eq(entry->line, 3);
	ck_assert_str_eq(entry->path, "a/b");
	ck_assert_str_eq(entry->mount, "m");
	ck_assert_int_eq(entry->kv_version, KV_1);
	ck_assert_str_eq(entry->namespace, "n");
	ck_assert_str_eq(entry->source, "kv:n/m/a/b");
	ck_assert_str_eq(entry->names.items[0], "a.example");
	ck_assert_str_eq(entry->fields[PART_CHAIN], "x");
	ck_assert_str_eq(entry->fields[PART_FULLCHAIN], "y");
	ck_assert_str_eq(entry->owner, "o");
	ck_assert_str_eq(entry->group, "33");
	ck_assert_uint_eq(entry->cert_mode, 0444);
	ck_assert_uint_eq(entry->key_mode, 0440);
	ck_assert_str_eq(entry->outputs[PART_CERT], "/o/c");
	ck_assert_str_eq(entry->outputs[PART_KEY], "/o/k");
	ck_assert_str_eq(entry->outputs[PART_CHAIN], "/o/ch");
	ck_assert_str_eq(entry->outputs[PART_FULLCHAIN], "/o/f");
	ck_assert_ptr_null(entry->outputs[PART_COMBINED]);
	ck_assert(entry->combined);
	ck_assert_int_eq(entry->install, INSTALL_COPY);
	ck_assert_str_eq(entry->trust_file, "/trust");
	ck_assert_str_eq(entry->services.items[0], "nginx");
	manifest_free(manifest);
}
END_TEST

START_TEST(the_example_of_the_design_is_a_manifest)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_of_presets("[vault]\n"
	    "address        = https://vault1.example.com:8200 https://vault2.example.com:8200\n"
	    "ca_file        = /etc/certlet/vault-ca.pem\n"
	    "auth           = approle            ; approle | cert | token\n"
	    "\n"
	    "[certificate www.example.com]\n"
	    "source   = kv:certs/www.example.com ; the default is kv:certs/NAME\n"
	    "names    = www.example.com *.example.com\n"
	    "group    = ssl-cert\n"
	    "key_mode = 0640\n"
	    "services = nginx haproxy\n"
	    "\n"
	    "[service nginx]\n"
	    "test   = /usr/sbin/nginx -t\n"
	    "reload = /usr/bin/systemctl reload nginx.service\n"
	    "verify = 127.0.0.1:443\n"
	    "[end]\n", "[service haproxy]\n[end]\n", &errors);

	ck_assert_ptr_nonnull(manifest);
	ck_assert_uint_eq(manifest->service_count, 2);
	ck_assert_uint_eq(manifest->vault.addresses.count, 2);
	manifest_free(manifest);
}
END_TEST

/* A file of the tree; make says where that is. Caller frees. */
static char *
tree_file(const char *name)
{
	const char *top = getenv("srcdir");

	return memory_format("%s/%s", top != NULL ? top : ".", name);
}

/* The text without the `;` of the keys that are commented out. */
static char *
uncomment(const char *file)
{
	FILE *in = fopen(file, "r");
	char *text = memory_new(1, 65536), *end = text, line[256];

	ck_assert_ptr_nonnull(in);
	while (fgets(line, sizeof(line), in) != NULL) {
		const size_t word = line[0] == ';' ? strspn(line + 1, "abcdefghijklmnopqrstuvwxyz0_") : 0;

		end = stpcpy(end, word != 0 && strncmp(line + 1 + word, " = ", 3) == 0 ? line + 1 : line);
	}
	(void)fclose(in);
	return text;
}

START_TEST(the_sample_is_a_manifest_with_and_without_what_is_commented_out)
{
	char *sample = tree_file("etc/certlet.ini"), *presets = tree_file("etc/services.ini");
	char *text = uncomment(sample), *whole = text_file(text);
	const char *const files[] = { sample, whole };

	for (size_t i = 0; i < 2; i++) {
		struct manifest_errors errors = { 0 };
		struct manifest *manifest = manifest_read(files[i], presets, &errors);

		if (manifest == NULL)
			ck_abort_msg("line %u: %s", errors.items[0].line, errors.items[0].text);
		ck_assert_uint_eq(manifest->entry_count, 3);
		ck_assert_ptr_nonnull(manifest_find_service(manifest, "nginx"));
		manifest_free(manifest);
	}
	text_file_remove(whole);
	free(text);
	free(sample);
	free(presets);
}
END_TEST

START_TEST(every_shipped_preset_is_good)
{
	char *presets = tree_file("etc/services.ini"), *file = text_file(VAULT_SECTION
	    "[certificate a.example]\nservices = nginx haproxy apache2 httpd postfix dovecot exim4 slapd\n"
	    "  postgresql\n[end]\n");
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_read(file, presets, &errors);

	if (manifest == NULL)
		ck_abort_msg("%s", errors.items[0].text);
	ck_assert_uint_eq(manifest->service_count, 9);
	manifest_free(manifest);
	text_file_remove(file);
	free(presets);
}
END_TEST

START_TEST(settings_may_stand_below_the_certificates_they_are_for)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_of_presets("[certificate a.example]\n[vault]\n"
	    "address = https://a\nkv_mount = kv\nkv_version = 1\nnamespace = team\n[end]\n", NULL,
	    &errors);
	const struct entry *entry = &manifest->entries[0];

	ck_assert_str_eq(entry->source, "kv:team/kv/certs/a.example");
	ck_assert_int_eq(entry->kv_version, KV_1);
	manifest_free(manifest);
}
END_TEST

START_TEST(the_mount_of_a_login_is_called_as_its_method)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_of_presets("[vault]\naddress = https://a\nauth = cert\n"
	    "client_cert_file = /a\nclient_key_file = /b\nnamespace = n\n[end]\n", NULL, &errors);

	ck_assert_str_eq(manifest->vault.auth_mount, "cert");
	ck_assert_str_eq(manifest->vault.auth_namespace, "n");
	manifest_free(manifest);
}
END_TEST

START_TEST(a_wildcard_in_a_name_is_written_out)
{
	struct manifest *manifest = manifest_of("[certificate _wildcard.Example.com]\n");

	ck_assert_str_eq(manifest->entries[0].name, "_wildcard.Example.com");
	ck_assert_str_eq(manifest->entries[0].names.items[0], "*.example.com");
	ck_assert_str_eq(manifest->entries[0].source, "kv:secret/certs/_wildcard.Example.com");
	manifest_free(manifest);
}
END_TEST

START_TEST(a_combined_path_implies_combined)
{
	struct manifest *manifest = manifest_of("[certificate a.example]\ncombined_path = /a\n");

	ck_assert(manifest->entries[0].combined);
	manifest_free(manifest);
}
END_TEST

START_TEST(entries_keep_their_order_and_are_found_by_name)
{
	struct manifest *manifest =
	    manifest_of("[certificate b.example]\n[certificate c.example]\n[certificate a.example]\n");

	ck_assert_uint_eq(manifest->entry_count, 3);
	ck_assert_str_eq(manifest->entries[0].name, "b.example");
	ck_assert_str_eq(manifest->entries[2].name, "a.example");
	ck_assert_ptr_eq(manifest_find_entry(manifest, "a.example"), &manifest->entries[2]);
	ck_assert_ptr_eq(manifest_find_entry(manifest, "c.example"), &manifest->entries[1]);
	ck_assert_ptr_null(manifest_find_entry(manifest, "d.example"));
	ck_assert_ptr_null(manifest_find_service(manifest, "nginx"));
	manifest_free(manifest);
}
END_TEST

START_TEST(a_manifest_without_certificates_is_one)
{
	struct manifest *manifest = manifest_of("");

	ck_assert_uint_eq(manifest->entry_count, 0);
	ck_assert_ptr_null(manifest_find_entry(manifest, "a"));
	manifest_free(manifest);
}
END_TEST

START_TEST(a_manifest_that_cannot_be_read_is_an_error_of_the_whole_file)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(manifest_read("/nonexistent/manifest.ini", NULL, &errors));
	ck_assert_uint_eq(errors.count, 1);
	ck_assert_uint_eq(errors.items[0].line, 0);
	manifest_errors_clear(&errors);
	ck_assert_ptr_null(manifest_read("/tmp", NULL, &errors));
	ck_assert_uint_eq(errors.count, 1);
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(all_errors_come_in_one_go_and_in_order)
{
	struct manifest_errors errors = { 0 };

	ck_assert_ptr_null(manifest_of_presets("[vault]\nadress = x\n[agent]\nwarn = 25\n"
	    "[certificate .a]\nkey_mode = 0666\nservices = a b\n  [x]\n[certificate .a]\n"
	    "[service c]\ntest = x\n", PRESETS, &errors));
	ck_assert_uint_eq(errors.count, 12);
	for (size_t i = 1; i < errors.count; i++)
		ck_assert_uint_le(errors.items[i - 1].line, errors.items[i].line);
	find_error(&errors, 1, "address: missing");
	find_error(&errors, 2, "did you mean address?");
	find_error(&errors, 4, "warn: 25 is no duration");
	find_error(&errors, 5, "its NAME");
	find_error(&errors, 6, "0666 lets others read the key");
	find_error(&errors, 7, "services: a is neither");
	find_error(&errors, 7, "services: b is neither");
	find_error(&errors, 8, "looks like a section header");
	find_error(&errors, 9, "again");
	find_error(&errors, 11, "not an absolute path");
	find_error(&errors, 11, "no [end]");
	manifest_errors_clear(&errors);
}
END_TEST

START_TEST(the_directories_are_found_in_a_manifest_with_errors)
{
	char *file = text_file("[vault]\nx = 1\n[agent]\nstate_directory = /s\ndirectory = relative\n"
	    "run_directory = /r\n[certificate");
	struct agent_settings agent;

	manifest_read_agent(file, &agent);
	ck_assert_str_eq(agent.state_directory, "/s");
	ck_assert_str_eq(agent.run_directory, "/r");
	ck_assert_str_eq(agent.directory, CERTLET_SYSCONFDIR);
	agent_settings_clear(&agent);
	text_file_remove(file);
}
END_TEST

START_TEST(without_a_manifest_the_directories_are_those_compiled_in)
{
	struct agent_settings agent;

	manifest_read_agent("/nonexistent/manifest.ini", &agent);
	ck_assert_str_eq(agent.state_directory, CERTLET_STATEDIR);
	ck_assert_int_eq(agent.stale, 86400);
	agent_settings_clear(&agent);
	manifest_read_agent("/tmp", &agent);
	ck_assert_str_eq(agent.state_directory, CERTLET_STATEDIR);
	agent_settings_clear(&agent);
}
END_TEST

START_TEST(a_manifest_that_is_absent_is_told_from_one_that_cannot_be_read)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest;

	ck_assert_ptr_null(manifest_read("/nonexistent/manifest.ini", NULL, &errors));
	ck_assert(errors.absent && errors.count == 1);
	manifest_errors_clear(&errors);
	ck_assert_ptr_null(manifest_read("/tmp", NULL, &errors));
	ck_assert(!errors.absent && errors.count == 1);
	manifest_errors_clear(&errors);
	manifest = manifest_compiled_in("/nonexistent/manifest.ini");
	ck_assert_str_eq(manifest->agent.directory, CERTLET_SYSCONFDIR);
	ck_assert_ptr_null(manifest_find_entry(manifest, "a.example"));
	manifest_free(manifest);
}
END_TEST

START_TEST(keys_and_combined_files_are_private)
{
	ck_assert(part_is_private(PART_KEY) && part_is_private(PART_COMBINED));
	ck_assert(!part_is_private(PART_CERT) && !part_is_private(PART_CHAIN) &&
	    !part_is_private(PART_FULLCHAIN));
}
END_TEST

START_TEST(no_manifest_can_be_freed)
{
	manifest_free(NULL);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest");

	tcase_add_test(tests, all_defaults_are_those_of_the_manual);
	tcase_add_test(tests, every_key_of_the_settings_is_read);
	tcase_add_test(tests, every_key_of_a_certificate_is_read);
	tcase_add_test(tests, the_example_of_the_design_is_a_manifest);
	tcase_add_test(tests, the_sample_is_a_manifest_with_and_without_what_is_commented_out);
	tcase_add_test(tests, every_shipped_preset_is_good);
	tcase_add_test(tests, settings_may_stand_below_the_certificates_they_are_for);
	tcase_add_test(tests, the_mount_of_a_login_is_called_as_its_method);
	tcase_add_test(tests, a_wildcard_in_a_name_is_written_out);
	tcase_add_test(tests, a_combined_path_implies_combined);
	tcase_add_test(tests, entries_keep_their_order_and_are_found_by_name);
	tcase_add_test(tests, a_manifest_without_certificates_is_one);
	tcase_add_test(tests, a_manifest_that_cannot_be_read_is_an_error_of_the_whole_file);
	tcase_add_test(tests, all_errors_come_in_one_go_and_in_order);
	tcase_add_test(tests, the_directories_are_found_in_a_manifest_with_errors);
	tcase_add_test(tests, without_a_manifest_the_directories_are_those_compiled_in);
	tcase_add_test(tests, a_manifest_that_is_absent_is_told_from_one_that_cannot_be_read);
	tcase_add_test(tests, keys_and_combined_files_are_private);
	tcase_add_test(tests, no_manifest_can_be_freed);
	return run_tests("manifest", tests);
}
