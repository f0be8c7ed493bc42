/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>

#include "service.h"

/* The seam: whether systemd runs here. */
static bool systemd_here;
#define service_systemd_runs() systemd_here
#include "doctor.c"
#undef service_systemd_runs
#include "support/runner.h"
#include "support/status_file.h"

static char home[64], ca[128], role_id[128], secret_id[128];
static struct entry entry;
static struct service service;
static struct manifest manifest;

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	(void)fputs(text, file);
	(void)fclose(file);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* A machine that lacks nothing, for a manifest of one certificate and one service. */
static void
set_up(void)
{
	(void)strcpy(home, "/tmp/certlet-doctor-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", home);
	(void)snprintf(role_id, sizeof(role_id), "%s/role-id", home);
	(void)snprintf(secret_id, sizeof(secret_id), "%s/secret-id", home);
	put(ca, "-----BEGIN CERTIFICATE-----\n", 0644);
	put(role_id, "a role\n", 0644);
	put(secret_id, "hvs.a-secret\n", 0600);
	entry = (struct entry){ .name = "www.example.com" };
	service = (struct service){
		.name = "nginx", .unit = "nginx.service", .own_active = true, .own_reload = true,
		.timeout = 5,
	};
	words_add(&service.active, "/bin/true");
	words_add(&service.test, "/bin/true");
	words_add(&service.reload, "/bin/true");
	manifest = (struct manifest){
		.vault = { .ca_file = ca, .role_id_file = role_id, .secret_id_file = secret_id },
		.agent = { .directory = home, .state_directory = home, .run_directory = home,
		    .user = "nobody" },
		.entries = &entry, .entry_count = 1, .services = &service, .service_count = 1,
	};
}

static void
tear_down(void)
{
	(void)unlink(ca);
	(void)unlink(role_id);
	(void)unlink(secret_id);
	ck_assert_int_eq(rmdir(home), 0);
	words_clear(&service.active);
	words_clear(&service.test);
	words_clear(&service.reload);
}

static void
check_says(size_t count, const char *expected)
{
	const char *printed;
	size_t lacking;

	capture_begin(STDERR_FILENO);
	lacking = doctor_examine(&manifest);
	printed = capture_end(STDERR_FILENO);
	ck_assert_msg(lacking == count, "expected %zu lines, found %zu: %s", count, lacking, printed);
	ck_assert_msg(strstr(printed, expected) != NULL, "expected %s in %s", expected, printed);
	ck_assert_ptr_eq(strstr(printed, "hvs."), NULL);
}

START_TEST(a_machine_that_lacks_nothing_is_not_complained_of)
{
	check_says(0, "");
}
END_TEST

START_TEST(missing_empty_and_readable_credentials_are_told)
{
	ck_assert_int_eq(unlink(ca), 0);
	check_says(1, "ca_file /tmp/certlet-doctor-");
	put(ca, " \n", 0644);
	check_says(1, "ca.pem holds no certificate\n");
	put(ca, "a CA\n", 0644);
	check_says(1, "ca.pem holds no certificate\n");
	put(ca, "-----BEGIN CERTIFICATE-----\n", 0644);
	put(secret_id, "hvs.a-secret\n", 0640);
	check_says(1, "secret-id: mode 0640 lets its group read it\n");
	put(secret_id, "hvs.a-secret\n", 0604);
	check_says(1, "secret-id: mode 0604 lets others read it\n");
	ck_assert_int_eq(unlink(role_id), 0);
	check_says(2, "role-id: missing\n");
}
END_TEST

START_TEST(a_wrapping_token_stands_in_for_a_secret_id)
{
	static char wrapped[160];

	(void)snprintf(wrapped, sizeof(wrapped), "%s/wrapped", home);
	manifest.vault.wrapped_secret_id_file = wrapped;
	check_says(0, "");
	ck_assert_int_eq(unlink(secret_id), 0);
	check_says(1, "secret_id_file /tmp/certlet-doctor-");
	put(wrapped, "hvs.a-token\n", 0600);
	check_says(0, "");
	put(wrapped, "hvs.a-token\n", 0640);
	check_says(1, "wrapped: mode 0640 lets its group read it\n");
	ck_assert_int_eq(unlink(wrapped), 0);
}
END_TEST

START_TEST(a_clients_key_may_be_read_by_its_group_only)
{
	manifest.vault.auth = AUTH_CERT;
	manifest.vault.client_cert_file = ca;
	manifest.vault.client_key_file = role_id;
	check_says(1, "role-id: mode 0644 lets others read it\n");
	ck_assert_int_eq(chmod(role_id, 0640), 0);
	check_says(0, "");
}
END_TEST

START_TEST(a_token_file_may_be_read_by_nobody_else)
{
	manifest.vault.auth = AUTH_TOKEN;
	manifest.vault.token_file = secret_id;
	check_says(0, "");
	ck_assert_int_eq(chmod(secret_id, 0640), 0);
	check_says(1, "token_file /tmp/certlet-doctor-");
}
END_TEST

START_TEST(a_unit_that_systemd_does_not_know_is_told)
{
	service.unit = "certlet-test-nosuchunit.service";
	ck_assert_uint_eq(examine_unit(&service), 1);
}
END_TEST

START_TEST(a_missing_user_owner_or_group_is_told)
{
	if (geteuid() != 0)
		return;		/* an ordinary user becomes nobody else */
	manifest.agent.user = "nosuchuser";
	check_says(1, "nosuchuser");
	manifest.agent.user = "nobody";
	entry.owner = "nosuchowner";
	check_says(1, "certificate www.example.com: ");
	entry.owner = NULL;
	entry.group = "nosuchgroup";
	check_says(1, "nosuchgroup");
}
END_TEST

START_TEST(an_output_directory_must_be_there_and_safe)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/tls/www.pem", home);
	entry.outputs[PART_CERT] = path;
	check_says(1, "certificate www.example.com: cert_path: /tmp/certlet-doctor-");
	(void)snprintf(path, sizeof(path), "%s/www.pem", home);
	check_says(0, "");
	ck_assert_int_eq(chmod(home, 0777), 0);
	/* DIR, the state's, the run's and that of cert_path. */
	check_says(4, "is writable by everyone");
}
END_TEST

START_TEST(directories_that_certlet_makes_itself_may_be_missing)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/lib/certlet", home);
	manifest.agent.directory = manifest.agent.state_directory = manifest.agent.run_directory = path;
	check_says(0, "");
}
END_TEST

START_TEST(a_missing_trust_file_is_told)
{
	entry.trust_file = "/nonexistent/roots.pem";
	check_says(1, "certificate www.example.com: trust_file /nonexistent/roots.pem: missing\n");
	entry.trust_file = "/etc";
	check_says(1, "certificate www.example.com: trust_file: /etc is no regular file\n");
}
END_TEST

START_TEST(a_program_of_a_service_that_is_missing_is_told)
{
	words_clear(&service.test);
	words_add(&service.test, "/nonexistent/nginx");
	check_says(1, "service nginx: test: /nonexistent/nginx: No such file or directory\n");
	words_clear(&service.reload);
	words_add(&service.reload, "/nonexistent/reload");
	check_says(2, "service nginx: reload: /nonexistent/reload: ");
}
END_TEST

START_TEST(without_systemd_the_stand_ins_are_looked_at_and_no_unit)
{
	service.own_active = service.own_reload = false;
	service.unit = "certlet-test-nosuchunit.service";
	words_add(&service.active_sysv, "/nonexistent/active");
	words_add(&service.reload_sysv, "/nonexistent/reload");
	systemd_here = false;
	check_says(2, "service nginx: active_sysv: /nonexistent/active: No such file or directory\n");
	check_says(2, "service nginx: reload_sysv: /nonexistent/reload: No such file or directory\n");
	service.own_active = service.own_reload = true;
	check_says(0, "");
	words_clear(&service.active_sysv);
	words_clear(&service.reload_sysv);
}
END_TEST

START_TEST(with_systemd_the_unit_is_looked_for_unless_both_commands_are_spelled_out)
{
	systemd_here = true;
	service.unit = "certlet-test-nosuchunit.service";
	words_add(&service.active_sysv, "/nonexistent/active");
	check_says(0, "");
	words_clear(&service.active);
	service.own_active = false;
	check_says(1, "systemd knows no unit certlet-test-nosuchunit.service\n");
	words_clear(&service.active_sysv);
	systemd_here = false;
}
END_TEST

START_TEST(a_metrics_file_needs_a_directory_that_is_safe)
{
	char *file = memory_format("%s/certlet.prom", home);

	manifest.agent.metrics_file = file;
	check_says(0, "");
	ck_assert_int_eq(chmod(home, 0777), 0);
	check_says(4, "metrics_file: ");
	ck_assert_int_eq(chmod(home, 0700), 0);
	free(file);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("doctor");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_machine_that_lacks_nothing_is_not_complained_of);
	tcase_add_test(tests, missing_empty_and_readable_credentials_are_told);
	tcase_add_test(tests, a_wrapping_token_stands_in_for_a_secret_id);
	tcase_add_test(tests, a_clients_key_may_be_read_by_its_group_only);
	tcase_add_test(tests, a_token_file_may_be_read_by_nobody_else);
	tcase_add_test(tests, a_unit_that_systemd_does_not_know_is_told);
	tcase_add_test(tests, a_missing_user_owner_or_group_is_told);
	tcase_add_test(tests, an_output_directory_must_be_there_and_safe);
	tcase_add_test(tests, directories_that_certlet_makes_itself_may_be_missing);
	tcase_add_test(tests, a_missing_trust_file_is_told);
	tcase_add_test(tests, a_program_of_a_service_that_is_missing_is_told);
	tcase_add_test(tests, without_systemd_the_stand_ins_are_looked_at_and_no_unit);
	tcase_add_test(tests, with_systemd_the_unit_is_looked_for_unless_both_commands_are_spelled_out);
	tcase_add_test(tests, a_metrics_file_needs_a_directory_that_is_safe);
	return run_tests("doctor", tests);
}
