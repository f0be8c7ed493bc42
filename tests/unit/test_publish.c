/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "publish.c"
#include "support/make_certificate.h"

/* --- A Vault that answers from a list, and remembers what it was asked --- */

static struct {
	long status;
	const char *text;	/* JSON; NULL: none */
} replies[4];
static size_t reply_count, asked;
static char *requests[4];	/* "GET secret/data/certs/NAME" */
static struct secret bodies[4];

struct vault {
	int nothing;
};

struct vault *
vault_open(const struct vault_settings *vault_settings, const struct credentials *credentials,
    struct failure *failure)
{
	(void)vault_settings, (void)credentials, (void)failure;
	return memory_new(1, sizeof(struct vault));
}

void
vault_close(struct vault *vault)
{
	free(vault);
}

int
vault_ask(struct vault *vault, const struct vault_ask *asks, size_t count, vault_done *done,
    void *context, struct failure *failure)
{
	struct vault_reply reply = { 0 };
	json_t *json = NULL;

	(void)vault;
	ck_assert_uint_eq(count, 1);
	ck_assert_msg(asked < 4, "asked too often: %s", asks->path);
	requests[asked] = memory_format("%s %s", asks->method, asks->path);
	if (asks->body != NULL)
		secret_set(&bodies[asked], asks->body->bytes, asks->body->size);
	ck_assert(asks->once == (asks->body != NULL));
	if (asked >= reply_count)
		return failure_set(failure, FAILURE_VAULT, "no answer");
	if (replies[asked].text != NULL)
		reply.json = json = json_loads(replies[asked].text, 0, NULL);
	reply.status = replies[asked].status;
	reply.good = reply.status < 300;
	if (!reply.good)
		failure_set(&reply.why, reply.status == 403 ? FAILURE_DENIED :
		    reply.status == 404 ? FAILURE_ABSENT : FAILURE_VAULT, "%ld: %s", reply.status,
		    replies[asked].text != NULL ? replies[asked].text : "");
	asked++;
	done(context, 0, &reply);
	json_decref(json);
	return 0;
}

static void
reply_with(long status, const char *text)
{
	replies[reply_count].status = status;
	replies[reply_count++].text = text;
}

/* --- A certificate in files --- */

static char directory[] = "/tmp/certlet-publish-XXXXXX";
static char *paths[3];	/* certificate, key, configuration */
static struct failure why;
static struct publish_options options;

static void
write_file(const char *path, const char *bytes)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fputs(bytes, file);
	fclose(file);
}

static void
write_certificate(struct wish wish)
{
	struct made made = make_certificate(wish, NULL);
	struct secret pem = { 0 };

	pem_add_certificate(&pem, made.certificate);
	write_file(paths[0], pem.bytes);
	secret_clear(&pem);
	pem_add_key(&pem, made.key);
	write_file(paths[1], pem.bytes);
	secret_clear(&pem);
	made_clear(&made);
}

static void
set_up(void)
{
	static const char *const names[] = { "cert.pem", "privkey.pem", "publish.ini" };

	ck_assert_ptr_nonnull(mkdtemp(directory));
	for (size_t i = 0; i < 3; i++)
		paths[i] = memory_format("%s/%s", directory, names[i]);
	write_certificate((struct wish){ 0 });
	write_file(paths[2], "[vault]\naddress = https://vault.example.com\n[end]\n");
	options = (struct publish_options){ .config_file = paths[2], .name = "www.example.com",
	    .cert_file = paths[0], .key_file = paths[1], .now = TEST_NOW };
	secret_set(&options.environment.token, "s.token", 7);
	log_open("test", LOG_LEVEL_QUIET);
}

static void
tear_down(void)
{
	for (size_t i = 0; i < 3; i++) {
		(void)unlink(paths[i]);
		free(paths[i]);
	}
	(void)rmdir(directory);
	for (size_t i = 0; i < 4; i++) {
		free(requests[i]);
		secret_clear(&bodies[i]);
	}
	secret_clear(&options.environment.token);
}

#define ABSENT "{\"errors\":[]}"
#define VERSION_2 "{\"data\":{\"options\":{\"version\":\"2\"}}}"
#define WRITTEN "{\"data\":{\"version\":5}}"

START_TEST(a_new_path_is_written_as_the_first_version)
{
	reply_with(404, ABSENT);
	reply_with(200, VERSION_2);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(publish_run(&options, &why) == 0, "%s", why.text);
	ck_assert_str_eq(requests[0], "GET secret/data/certs/www.example.com");
	ck_assert_str_eq(requests[1], "GET sys/internal/ui/mounts/secret/certs/www.example.com");
	ck_assert_str_eq(requests[2], "POST secret/data/certs/www.example.com");
	ck_assert_str_eq(requests[3], "POST secret/metadata/certs/www.example.com");
	ck_assert_ptr_nonnull(strstr(bodies[2].bytes, "\"cas\":0"));
	ck_assert_ptr_nonnull(strstr(bodies[3].bytes, "\"custom_metadata\":{\"fingerprint\""));
}
END_TEST

START_TEST(a_deleted_version_is_what_the_check_and_set_names)
{
	reply_with(404, "{\"data\":{\"data\":null,\"metadata\":{\"version\":4}}}");
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(publish_run(&options, &why) == 0, "%s", why.text);
	ck_assert_ptr_nonnull(strstr(bodies[1].bytes, "\"cas\":4"));
}
END_TEST

START_TEST(a_404_without_a_body_is_a_new_path)
{
	reply_with(404, NULL);
	reply_with(403, NULL);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(publish_run(&options, &why) == 0, "%s", why.text);
}
END_TEST

START_TEST(a_mount_of_version_1_gets_no_key)
{
	reply_with(404, ABSENT);
	reply_with(200, "{\"data\":{\"options\":{\"version\":\"1\"}}}");
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_str_eq(why.text,
	    "expected secret to be a KV mount of version 2, found version 1");
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(a_mount_that_is_known_is_not_asked_about)
{
	write_file(paths[2],
	    "[vault]\naddress = https://vault.example.com\nkv_version = 2\n[end]\n");
	reply_with(404, ABSENT);
	reply_with(200, WRITTEN);
	reply_with(204, NULL);
	ck_assert_msg(publish_run(&options, &why) == 0, "%s", why.text);
}
END_TEST

START_TEST(kv_version_1_is_not_written)
{
	write_file(paths[2],
	    "[vault]\naddress = https://vault.example.com\nkv_version = 1\n[end]\n");
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(a_version_that_came_in_between_is_not_overwritten)
{
	reply_with(404, "{\"data\":{\"data\":null,\"metadata\":{\"version\":4}}}");
	reply_with(400, "{\"errors\":[\"check-and-set parameter did not match\"]}");
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_str_eq(why.text, "expected version 4 to be the newest still, found that another "
	    "one was published meanwhile: run again");
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(an_answer_without_a_version_is_a_failure)
{
	reply_with(404, "{\"data\":{\"data\":null,\"metadata\":{\"version\":4}}}");
	reply_with(204, NULL);
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
}
END_TEST

START_TEST(a_403_is_told_and_ends_it)
{
	reply_with(403, NULL);
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_DENIED);
	ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(no_answer_is_a_failure_of_vaults)
{
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_VAULT);
}
END_TEST

START_TEST(notes_that_are_refused_fail_after_the_certificate_was_published)
{
	reply_with(404, "{\"data\":{\"data\":null,\"metadata\":{\"version\":4}}}");
	reply_with(200, WRITTEN);
	reply_with(403, NULL);
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_DENIED);
	ck_assert_ptr_nonnull(strstr(why.text, "is published, its custom_metadata is not: 403"));
}
END_TEST

START_TEST(a_dry_run_only_reads)
{
	options.dry_run = true;
	reply_with(404, ABSENT);
	reply_with(200, VERSION_2);
	ck_assert_msg(publish_run(&options, &why) == 0, "%s", why.text);
	ck_assert_uint_eq(asked, 2);
}
END_TEST

START_TEST(a_refused_certificate_asks_vault_nothing)
{
	write_certificate((struct wish){ .not_after = TEST_NOW - 1 });
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_uint_eq(asked, 0);
}
END_TEST

START_TEST(a_missing_file_is_a_wrong_setup)
{
	(void)unlink(paths[1]);
	ck_assert_int_eq(publish_run(&options, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "privkey.pem is missing"));
}
END_TEST

START_TEST(a_name_is_read_as_the_manifest_reads_it)
{
	struct words names;

	names_of("WWW.example.com", &names);
	ck_assert_str_eq(names.items[0], "www.example.com");
	words_clear(&names);
	names_of("_wildcard.example.com", &names);
	ck_assert_str_eq(names.items[0], "*.example.com");
	words_clear(&names);
	names_of("mail_cluster", &names);
	ck_assert_uint_eq(names.count, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("publish");
	TCase *tests = tcase_create("publish");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_new_path_is_written_as_the_first_version);
	tcase_add_test(tests, a_deleted_version_is_what_the_check_and_set_names);
	tcase_add_test(tests, a_404_without_a_body_is_a_new_path);
	tcase_add_test(tests, a_mount_of_version_1_gets_no_key);
	tcase_add_test(tests, a_mount_that_is_known_is_not_asked_about);
	tcase_add_test(tests, kv_version_1_is_not_written);
	tcase_add_test(tests, a_version_that_came_in_between_is_not_overwritten);
	tcase_add_test(tests, an_answer_without_a_version_is_a_failure);
	tcase_add_test(tests, a_403_is_told_and_ends_it);
	tcase_add_test(tests, no_answer_is_a_failure_of_vaults);
	tcase_add_test(tests, notes_that_are_refused_fail_after_the_certificate_was_published);
	tcase_add_test(tests, a_dry_run_only_reads);
	tcase_add_test(tests, a_refused_certificate_asks_vault_nothing);
	tcase_add_test(tests, a_missing_file_is_a_wrong_setup);
	tcase_add_test(tests, a_name_is_read_as_the_manifest_reads_it);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
