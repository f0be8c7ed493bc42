/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "status-show.c"
#include "support/runner.h"
#include "support/status_file.h"

static struct status_file file;

static void
set_up(void)
{
	(void)setenv("TZ", "UTC", 1);
	status_file_begin(&file);
}

static void
tear_down(void)
{
	status_file_end(&file);
}

/* As --status NAME prints it on a terminal of that width; 0: into a pipe. name NULL: all. */
static char *
show(size_t width, const char *name)
{
	char *printed;
	size_t size;
	struct seen_status status;
	struct words names = { 0 };
	struct failure why;
	struct view view = { { open_memstream(&printed, &size), width, false }, &status, &names, TEST_NOW };

	if (name != NULL)
		words_add(&names, name);
	status_file_write(&file);
	ck_assert_int_eq(status_read(file.directory, TEST_NOW, &status, &why), 0);
	print_tables(&view);
	(void)fclose(view.paper.out);
	status_clear(&status);
	words_clear(&names);
	return printed;
}

static void
check_shows(char *take_printed, const char *expected)
{
	ck_assert_msg(strstr(take_printed, expected) != NULL, "expected\n%s\nin\n%s", expected,
	    take_printed);
	free(take_printed);
}

static size_t
widest_line(const char *printed)
{
	size_t widest = 0;

	while (*printed != '\0') {
		const size_t size = strcspn(printed, "\n");
		char *line = memory_text_n(printed, size);

		widest = text_width(line) > widest ? text_width(line) : widest;
		free(line);
		printed += size + (printed[size] == '\n');
	}
	return widest;
}

static void
add_problem(json_t *certificate, const char *problem, const char *error, time_t next)
{
	json_object_set_new(certificate, "problem", json_string(problem));
	json_object_set_new(certificate, "error", json_string(error));
	json_object_set_new(certificate, "error_time", test_time(TEST_NOW - 3 * 3600));
	json_object_set_new(certificate, "next_try", test_time(next));
}

START_TEST(one_sound_certificate_is_a_short_page)
{
	char *printed;

	status_file_add(&file, "www.example.com", 80);
	status_file_add_service(&file, "nginx", "ok", 0);
	printed = show(80, NULL);
	ck_assert_str_eq(printed,
	    "CERTIFICATE      STATE  EXPIRES                 VERSION  SERVICES\n"
	    "www.example.com  ok     2027-04-05, in 80 days  7        nginx\n"
	    "\n"
	    "SERVICE  STATE  LAST RELOAD                   SERVING\n"
	    "nginx    ok     2027-01-15 07:00, 60 min ago  -\n"
	    "\n"
	    "last run      2027-01-15 07:58, 2 min ago; exit 0, all is as wanted; 0.08 s\n"
	    "last success  2027-01-15 07:58, 2 min ago\n"
	    "Vault         https://vault1.example.com:8200, approle, credentials ok\n"
	    "sandbox       user\n");
	free(printed);
}
END_TEST

START_TEST(a_problem_stands_under_its_certificate_with_its_next_try)
{
	json_t *certificate = status_file_add(&file, "www.example.com", 80);

	add_problem(certificate, "refused", "version 8: expected the name a, found b", 0);
	check_shows(show(120, NULL),
	    "\n    refused since 2027-01-15 05:00: version 8: expected the name a, found b\n"
	    "    next try: with another version, or by certlet --sync\n");
	add_problem(certificate, "quarantined", "nginx did not like it", TEST_NOW + 3 * 3600);
	check_shows(show(120, NULL), "\n    rolled back since 2027-01-15 05:00: nginx did not like it\n"
	    "    next try: 2027-01-15 11:00, in 3 h\n");
	add_problem(certificate, "quarantined", "nginx did not like it", TEST_NOW - 60);
	check_shows(show(120, NULL), "    next try: at the next run\n");
}
END_TEST

START_TEST(what_needs_attention_is_said_last)
{
	char name[32];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "n%02d.example.com", i);
		status_file_add(&file, name, i == 20 || i == 50 || i == 80 ? 5 : 60);
	}
	status_file_add_service(&file, "nginx", "failed", 0);
	check_shows(show(0, NULL), "\n3 of 100 certificates need attention: n20.example.com, "
	    "n50.example.com, n80.example.com\n1 of 1 service needs attention: nginx\n");
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal)
{
	char name[254], *printed;
	json_t *certificate, *names = json_array();

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 50 == 49 ? '.' : 'x';
	name[sizeof(name) - 1] = '\0';
	certificate = status_file_add(&file, name, 5);
	for (int i = 0; i < 60; i++)
		json_array_append_new(names, json_string(name + 253 - 10 - i % 20));
	json_object_set_new(certificate, "names", names);
	add_problem(certificate, "failed", "write privkey.pem: No space left on device", 0);
	status_file_add(&file, "www.example.com", -5);
	for (size_t width = 70; width < 200; width += 13) {
		printed = show(width, width % 2 ? name : NULL);
		ck_assert_msg(widest_line(printed) <= width, "%zu: %s", width, printed);
		ck_assert_ptr_ne(strstr(printed, "…"), NULL);
		free(printed);
	}
	printed = show(0, name);
	ck_assert_ptr_ne(strstr(printed, name), NULL);
	ck_assert_ptr_eq(strstr(printed, "…"), NULL);
	free(printed);
}
END_TEST

START_TEST(a_name_shows_its_details_and_its_services_only)
{
	char *printed;

	status_file_add(&file, "www.example.com", 80);
	json_object_set_new(status_file_add(&file, "other.example.com", 80), "services",
	    json_pack("[s]", "haproxy"));
	status_file_add_service(&file, "nginx", "ok", 0);
	status_file_add_service(&file, "haproxy", "ok", 0);
	printed = show(120, "www.example.com");
	ck_assert_ptr_eq(strstr(printed, "other.example.com"), NULL);
	ck_assert_ptr_eq(strstr(printed, "haproxy"), NULL);
	check_shows(printed,
	    "    source        kv:secret/certs/www.example.com\n"
	    "    issuer        CN=R11,O=Let's Encrypt,C=US\n"
	    "    serial        03a0\n"
	    "    fingerprint   abcdef0123456789\n"
	    "    names         www.example.com\n"
	    "    services      nginx\n"
	    "    valid         from 2027-01-05 08:00 to 2027-04-05 08:00\n"
	    "    installed     2027-01-15 07:00, generation 12\n");
}
END_TEST

START_TEST(missing_expired_unlisted_and_offered_are_said)
{
	json_t *missing = status_file_add(&file, "missing.example.com", 80);
	json_t *old = status_file_add(&file, "old.example.com", 80);

	json_object_set_new(missing, "not_after", json_null());
	json_object_set_new(missing, "version", json_null());
	json_object_set_new(old, "wanted", json_false());
	json_object_set_new(status_file_add(&file, "gone.example.com", -5), "offered_version",
	    json_integer(8));
	check_shows(show(0, NULL), "missing.example.com  missing   -                       -");
	check_shows(show(0, NULL), "old.example.com      unlisted  ");
	check_shows(show(0, NULL), "\n    not in the manifest any more: to be deleted\n");
	check_shows(show(0, NULL), "expired   2027-01-10, 5 days ago  7 (Vault: 8)  nginx\n");
}
END_TEST

START_TEST(what_a_service_serves_is_said_by_the_name_of_the_certificate)
{
	json_t *service = status_file_add_service(&file, "nginx", "owed", 1);

	status_file_add(&file, "www.example.com", 80);
	json_object_set_new(service, "serving", json_string("abcdef0123456789"));
	json_object_set_new(service, "error", json_string("nginx -s reload: exit status 1"));
	check_shows(show(0, NULL), "60 min ago  www.example.com\n    nginx -s reload: exit status 1\n"
	    "    a reload is owed; next try: at every run\n");
	json_object_set_new(service, "serving", json_string("0123456789abcdef0123"));
	check_shows(show(0, NULL), "another one, 0123456789abcdef…\n");
}
END_TEST

START_TEST(the_footer_says_what_weakens_the_run)
{
	json_t *vault = json_object_get(file.document, "vault");
	json_t *run = json_object_get(file.document, "last_sync");

	json_object_set_new(file.document, "sandbox", json_array());
	json_object_set_new(vault, "notes", json_pack("[s]", "the policy is short"));
	json_object_set_new(run, "exit", json_integer(3));
	json_object_set_new(run, "error", json_string("connection refused"));
	json_object_set_new(file.document, "last_success", test_time(TEST_NOW - 3 * TEST_DAY));
	check_shows(show(0, NULL), "exit 3, Vault gave no answer or did not let us in; 0.08 s\n"
	    "              connection refused\n"
	    "last success  2027-01-12 08:00, 3 days ago (too long: does the timer run, is Vault there?)\n"
	    "Vault         https://vault1.example.com:8200, approle, credentials ok\n"
	    "notes         the policy is short\n"
	    "sandbox       none (runs without dropping its user)\n");
}
END_TEST

START_TEST(an_unknown_name_is_an_error_that_says_so)
{
	struct words names = { 0 };
	struct failure why;

	status_file_add(&file, "www.example.com", 80);
	status_file_write(&file);
	words_add(&names, "ww.example.com");
	ck_assert_int_eq(status_show(file.directory, &names, false, TEST_NOW, &why), -1);
	ck_assert_ptr_eq(strstr(why.text, "no certificate ww.example.com: "), why.text);
	ck_assert_int_eq(failure_exit_code(why.kind), EXIT_SETUP);
	words_clear(&names);
}
END_TEST

START_TEST(json_is_the_file_as_it_is_or_the_named_certificates_of_it)
{
	struct words names = { 0 };
	struct failure why;
	const char *printed;
	char *expected;

	status_file_add(&file, "www.example.com", 80);
	status_file_add(&file, "other.example.com", 80);
	status_file_write(&file);
	expected = json_dumps(file.document, STATUS_JSON_FLAGS);
	capture_begin(STDOUT_FILENO);
	ck_assert_int_eq(status_show(file.directory, &names, true, TEST_NOW, &why), 0);
	printed = capture_end(STDOUT_FILENO);
	ck_assert_int_eq(strncmp(printed, expected, strlen(expected)), 0);
	ck_assert_str_eq(printed + strlen(expected), "\n");
	free(expected);

	words_add(&names, "other.example.com");
	capture_begin(STDOUT_FILENO);
	ck_assert_int_eq(status_show(file.directory, &names, true, TEST_NOW, &why), 0);
	printed = capture_end(STDOUT_FILENO);
	ck_assert_ptr_eq(strstr(printed, "\"name\": \"www.example.com\""), NULL);
	ck_assert_ptr_ne(strstr(printed, "other.example.com"), NULL);
	words_clear(&names);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("status-show");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_sound_certificate_is_a_short_page);
	tcase_add_test(tests, a_problem_stands_under_its_certificate_with_its_next_try);
	tcase_add_test(tests, what_needs_attention_is_said_last);
	tcase_add_test(tests, no_line_is_wider_than_the_terminal);
	tcase_add_test(tests, a_name_shows_its_details_and_its_services_only);
	tcase_add_test(tests, missing_expired_unlisted_and_offered_are_said);
	tcase_add_test(tests, what_a_service_serves_is_said_by_the_name_of_the_certificate);
	tcase_add_test(tests, the_footer_says_what_weakens_the_run);
	tcase_add_test(tests, an_unknown_name_is_an_error_that_says_so);
	tcase_add_test(tests, json_is_the_file_as_it_is_or_the_named_certificates_of_it);
	return run_tests("status-show", tests);
}
