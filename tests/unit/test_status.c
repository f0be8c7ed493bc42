/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>

#include "status.c"
#include "support/runner.h"
#include "support/status_file.h"

static char directory[] = "/tmp/certlet-status-XXXXXX";
static struct manifest manifest;
static struct entry entry;
static struct service service;
static struct state state;
static struct owned owned;
static struct known_service known;
static struct origin origin;
static struct words sandbox;
static struct status_run run;

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	entry = (struct entry){ .name = "www.example.com", .source = "kv:secret/certs/www.example.com" };
	words_add(&entry.services, "nginx");
	service = (struct service){ .name = "nginx" };
	manifest = (struct manifest){
		.file = "/etc/certlet/manifest.ini", .entries = &entry, .entry_count = 1,
		.services = &service, .service_count = 1,
		.agent = { .state_directory = directory, .warn = 25 * TEST_DAY, .critical = 7 * TEST_DAY,
		    .stale = TEST_DAY },
	};
	words_add(&manifest.vault.addresses, "https://vault1.example.com:8200");
	known = (struct known_service){ .service = service, .last_reload = TEST_NOW - 60 };
	state = (struct state){ .services = &known, .service_count = 1, .last_success = TEST_NOW };
	owned = (struct owned){ .name = "www.example.com", .offered = { 8, "2027-01-14T00:00:00Z" } };
	origin = (struct origin){
		.source = entry.source, .version = { 7, "2027-01-10T00:00:00Z" },
		.installed = TEST_NOW - TEST_DAY,
		.leaf = { .fingerprint = "ab12", .serial = "03a0", .issuer = "CN=R11",
		    .not_before = TEST_NOW - 10 * TEST_DAY, .not_after = TEST_NOW + 80 * TEST_DAY },
	};
	words_add(&origin.leaf.names, "www.example.com");
	words_add(&sandbox, "user");
	run = (struct status_run){
		.time = TEST_NOW, .seconds = 0.0800123, .requests = 3, .sandbox = &sandbox,
	};
}

static void
tear_down(void)
{
	struct failure why;

	ck_assert_int_eq(status_remove(directory, &why), 0);
	ck_assert_int_eq(rmdir(directory), 0);
	words_clear(&entry.services);
	words_clear(&manifest.vault.addresses);
	words_clear(&origin.leaf.names);
	words_clear(&sandbox);
	notes_clear(&state.notes);
}

static json_t *
write_and_load(const struct status_certificate *certificate, size_t count)
{
	struct failure why = { 0 };
	json_t *document;
	char path[128];

	ck_assert_msg(status_write(&manifest, &state, certificate, count, &run, &why) == 0, "%s", why.text);
	(void)snprintf(path, sizeof(path), "%s/status.json", directory);
	document = json_load_file(path, 0, NULL);
	ck_assert_ptr_nonnull(document);
	return document;
}

static void
check_is(json_t *take_found, const char *expected)
{
	char *found = json_dumps(take_found, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));

	ck_assert_str_eq(found, expected);
	free(found);
	json_decref(take_found);
}

START_TEST(the_file_has_the_keys_of_the_contract_in_their_order)
{
	const struct status_certificate certificate = { &entry, &owned, &origin, 12 };

	check_is(write_and_load(&certificate, 1),
	    "{\"schema\":1,\"certlet\":\"" PACKAGE_VERSION "\",\"manifest\":\"/etc/certlet/manifest.ini\","
	    "\"sandbox\":[\"user\"],"
	    "\"vault\":{\"address\":\"https://vault1.example.com:8200\",\"auth\":\"approle\","
	    "\"credentials\":\"unknown\",\"secret_id_expires\":null,\"notes\":[]},"
	    "\"thresholds\":{\"warn\":2160000,\"critical\":604800,\"stale\":86400},"
	    "\"last_sync\":{\"time\":\"2027-01-15T08:00:00Z\",\"exit\":0,\"seconds\":0.08,\"requests\":3,"
	    "\"error\":null},\"last_success\":\"2027-01-15T08:00:00Z\","
	    "\"certificates\":[{\"name\":\"www.example.com\",\"state\":\"ok\",\"problem\":null,"
	    "\"error\":null,\"error_time\":null,\"next_try\":null,"
	    "\"source\":\"kv:secret/certs/www.example.com\",\"version\":7,\"offered_version\":8,"
	    "\"serial\":\"03a0\",\"fingerprint\":\"ab12\",\"issuer\":\"CN=R11\","
	    "\"names\":[\"www.example.com\"],\"not_before\":\"2027-01-05T08:00:00Z\","
	    "\"not_after\":\"2027-04-05T08:00:00Z\",\"installed\":\"2027-01-14T08:00:00Z\","
	    "\"generation\":12,\"services\":[\"nginx\"],\"wanted\":true}],"
	    "\"services\":[{\"name\":\"nginx\",\"state\":\"ok\",\"reload_owed\":false,"
	    "\"last_reload\":\"2027-01-15T07:59:00Z\",\"serving\":null,\"error\":null}]}");
}
END_TEST

START_TEST(the_end_of_the_secret_id_is_told_where_it_is_known)
{
	json_t *document;

	manifest.vault.secret_id_file = (char *)"/etc/certlet/secret-id";
	state.wrapped = (struct wrapped){
		.file = manifest.vault.secret_id_file, .expires = TEST_NOW + 3600,
	};
	document = write_and_load(NULL, 0);
	check_is(json_incref(json_object_get(json_object_get(document, "vault"), "secret_id_expires")),
	    "\"2027-01-15T09:00:00Z\"");
	json_decref(document);
}
END_TEST

START_TEST(what_is_unknown_is_null)
{
	const struct status_certificate certificate = { .entry = &entry };
	json_t *document, *found;

	state.service_count = 0;
	state.last_success = 0;
	document = write_and_load(&certificate, 1);
	found = json_incref(json_array_get(json_object_get(document, "certificates"), 0));
	check_is(found, "{\"name\":\"www.example.com\",\"state\":\"missing\",\"problem\":null,"
	    "\"error\":null,\"error_time\":null,\"next_try\":null,"
	    "\"source\":\"kv:secret/certs/www.example.com\",\"version\":null,\"offered_version\":null,"
	    "\"serial\":null,\"fingerprint\":null,\"issuer\":null,\"names\":null,\"not_before\":null,"
	    "\"not_after\":null,\"installed\":null,\"generation\":null,\"services\":[\"nginx\"],"
	    "\"wanted\":true}");
	check_is(json_incref(json_object_get(document, "services")), "[{\"name\":\"nginx\","
	    "\"state\":null,\"reload_owed\":false,\"last_reload\":null,\"serving\":null,\"error\":null}]");
	check_is(json_incref(json_object_get(document, "last_success")), "null");
	json_decref(document);
}
END_TEST

static const char *
state_with(time_t not_before, time_t not_after)
{
	const struct status_certificate certificate = { &entry, &owned, &origin, 12 };
	static char found[16];
	json_t *document;

	origin.leaf.not_before = not_before;
	origin.leaf.not_after = not_after;
	document = write_and_load(&certificate, 1);
	(void)snprintf(found, sizeof(found), "%s", json_string_value(json_object_get(json_array_get(
	    json_object_get(document, "certificates"), 0), "state")));
	json_decref(document);
	return found;
}

START_TEST(the_state_follows_the_dates)
{
	const time_t before = TEST_NOW - 70 * TEST_DAY;

	ck_assert_str_eq(state_with(before, TEST_NOW + 25 * TEST_DAY), "ok");
	ck_assert_str_eq(state_with(before, TEST_NOW + 25 * TEST_DAY - 1), "expiring");
	ck_assert_str_eq(state_with(before, TEST_NOW), "expired");
	/* A life of 10 days: a fifth of it. */
	ck_assert_str_eq(state_with(TEST_NOW - 8 * TEST_DAY, TEST_NOW + 2 * TEST_DAY), "ok");
	ck_assert_str_eq(state_with(TEST_NOW - 8 * TEST_DAY - 60, TEST_NOW + 2 * TEST_DAY - 60), "expiring");
}
END_TEST

START_TEST(an_unlisted_certificate_and_one_of_kv_1_are_told)
{
	const struct status_certificate certificate = { NULL, &owned, &origin, 12 };
	json_t *document, *found;

	owned.problem = PROBLEM_STILL_USED;
	owned.error = "nginx still needs it";
	owned.error_time = TEST_NOW - 60;
	origin.version.number = owned.offered.number = 0;
	document = write_and_load(&certificate, 1);
	found = json_array_get(json_object_get(document, "certificates"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(found, "problem")), "still_used");
	ck_assert_str_eq(json_string_value(json_object_get(found, "error_time")), "2027-01-15T07:59:00Z");
	ck_assert(json_is_null(json_object_get(found, "version")));
	ck_assert(json_is_null(json_object_get(found, "offered_version")));
	ck_assert(json_is_false(json_object_get(found, "wanted")));
	json_decref(document);
}
END_TEST

START_TEST(a_policy_without_metadata_is_a_sentence)
{
	json_t *document, *notes;

	notes_set(&state.notes, "metadata kv:secret/certs/a", 0, TEST_NOW + 60);
	notes_set(&state.notes, "metadata kv:secret/certs/old", 0, TEST_NOW - 60);
	notes_set(&state.notes, "kv-version secret", 2, TEST_NOW + 60);
	document = write_and_load(NULL, 0);
	notes = json_object_get(json_object_get(document, "vault"), "notes");
	ck_assert_uint_eq(json_array_size(notes), 1);
	ck_assert_ptr_ne(strstr(json_string_value(json_array_get(notes, 0)), "kv:secret/certs/a:"), NULL);
	json_decref(document);
}
END_TEST

START_TEST(words_that_are_not_utf_8_are_told_without_what_cannot_be)
{
	json_t *document;

	run.error = "caf\xe9: no";
	document = write_and_load(NULL, 0);
	ck_assert_str_eq(json_string_value(json_object_get(json_object_get(document, "last_sync"),
	    "error")), "caf?: no");
	json_decref(document);
}
END_TEST

START_TEST(everybody_may_read_it_whatever_the_umask)
{
	struct stat status;
	char path[128];

	(void)umask(077);
	json_decref(write_and_load(NULL, 0));
	(void)snprintf(path, sizeof(path), "%s/status.json", directory);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0644);
}
END_TEST

START_TEST(a_state_directory_that_cannot_be_is_certlets_own_failure)
{
	struct failure why = { 0 };

	manifest.agent.state_directory = "/dev/null";
	ck_assert_int_eq(status_write(&manifest, &state, NULL, 0, &run, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_INTERNAL);
	ck_assert_str_eq(why.text, "/dev/null/status.json: /dev/null is no directory");
}
END_TEST

START_TEST(what_was_written_can_be_read)
{
	const struct status_certificate certificate = { &entry, &owned, &origin, 12 };
	struct seen_status seen;
	struct failure why;

	json_decref(write_and_load(&certificate, 1));
	ck_assert_int_eq(status_read(directory, TEST_NOW, &seen, &why), 0);
	ck_assert_uint_eq(seen.certificate_count, 1);
	ck_assert_str_eq(seen.certificates[0].name, "www.example.com");
	ck_assert_int_eq(seen.certificates[0].level, CHECK_OK);
	ck_assert(seen.certificates[0].wanted);
	ck_assert_int_eq(seen.certificates[0].not_after, origin.leaf.not_after);
	ck_assert_uint_eq(seen.service_count, 1);
	ck_assert_int_eq(seen.run_level, CHECK_OK);
	status_clear(&seen);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("status");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_file_has_the_keys_of_the_contract_in_their_order);
	tcase_add_test(tests, the_end_of_the_secret_id_is_told_where_it_is_known);
	tcase_add_test(tests, what_is_unknown_is_null);
	tcase_add_test(tests, the_state_follows_the_dates);
	tcase_add_test(tests, an_unlisted_certificate_and_one_of_kv_1_are_told);
	tcase_add_test(tests, a_policy_without_metadata_is_a_sentence);
	tcase_add_test(tests, words_that_are_not_utf_8_are_told_without_what_cannot_be);
	tcase_add_test(tests, everybody_may_read_it_whatever_the_umask);
	tcase_add_test(tests, a_state_directory_that_cannot_be_is_certlets_own_failure);
	tcase_add_test(tests, what_was_written_can_be_read);
	return run_tests("status", tests);
}
