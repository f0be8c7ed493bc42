/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "publish-source.c"
#include "support/make_certificate.h"
#include "support/runner.h"

static char directory[] = "/tmp/certlet-source-XXXXXX";
static char *cert_file, *key_file, *password_file;
static struct publish_source source;
static struct material material;
static struct edition edition;
static struct failure why;

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
	write_file(cert_file, pem.bytes);
	secret_clear(&pem);
	pem_add_key(&pem, made.key);
	write_file(key_file, pem.bytes);
	secret_clear(&pem);
	made_clear(&made);
}

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	cert_file = memory_format("%s/cert.pem", directory);
	key_file = memory_format("%s/privkey.pem", directory);
	password_file = memory_format("%s/password", directory);
	umask(077);
	write_certificate((struct wish){ 0 });
	source = (struct publish_source){ .directory = directory };
	log_open("test", LOG_LEVEL_QUIET);
}

static void
tear_down(void)
{
	char *const files[] = { cert_file, key_file, password_file };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		(void)unlink(files[i]);
		free(files[i]);
	}
	(void)rmdir(directory);
	material_clear(&material);
	edition_clear(&edition);
}

static int
read_as(const char *name)
{
	return publish_source_read(&source, name, TEST_NOW, &material, &edition, &why);
}

START_TEST(a_directory_needs_no_chain)
{
	ck_assert_msg(read_as("www.example.com") == 0, "%s", why.text);
	ck_assert_str_eq(edition.leaf.fingerprint, material.leaf.fingerprint);
}
END_TEST

START_TEST(a_chain_that_is_asked_for_has_to_be_there)
{
	source = (struct publish_source){
		.cert_file = cert_file, .key_file = key_file, .chain_file = "/nonexistent/chain.pem",
	};
	ck_assert_int_eq(read_as("www.example.com"), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	source.chain_file = NULL;
	ck_assert_msg(read_as("www.example.com") == 0, "%s", why.text);
}
END_TEST

START_TEST(a_missing_file_is_a_wrong_setup)
{
	(void)unlink(key_file);
	ck_assert_int_eq(read_as("www.example.com"), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "privkey.pem is missing"));
}
END_TEST

START_TEST(an_expired_certificate_and_another_name_are_refused)
{
	ck_assert_int_eq(read_as("other.example.com"), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	write_certificate((struct wish){ .not_after = TEST_NOW - 1 });
	ck_assert_int_eq(read_as("www.example.com"), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
}
END_TEST

START_TEST(a_password_is_the_first_line_and_nobody_elses)
{
	struct secret password = { 0 };

	write_file(password_file, "two words \r\nnot this\n");
	ck_assert_int_eq(read_password(password_file, &password, &why), 0);
	ck_assert_str_eq(password.bytes, "two words ");
	secret_clear(&password);
	ck_assert_int_eq(chmod(password_file, 0640), 0);
	ck_assert_int_eq(read_password(password_file, &password, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "has mode 0640"));
	ck_assert_uint_eq(password.size, 0);
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
	ck_assert(publish_source_knows_names("www.example.com"));
	ck_assert(!publish_source_knows_names("mail_cluster"));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_a_wrong_setup)
{
	struct secret password = { 0 };

	ck_assert_int_eq(unlink(cert_file), 0);
	ck_assert_int_eq(mkdir(cert_file, 0700), 0);
	ck_assert_int_eq(read_as("www.example.com"), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "cert.pem is no regular file"));
	ck_assert_int_eq(rmdir(cert_file), 0);
	ck_assert_int_eq(read_password(password_file, &password, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "password is missing"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-source");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_directory_needs_no_chain);
	tcase_add_test(tests, a_chain_that_is_asked_for_has_to_be_there);
	tcase_add_test(tests, a_missing_file_is_a_wrong_setup);
	tcase_add_test(tests, an_expired_certificate_and_another_name_are_refused);
	tcase_add_test(tests, a_password_is_the_first_line_and_nobody_elses);
	tcase_add_test(tests, a_name_is_read_as_the_manifest_reads_it);
	tcase_add_test(tests, a_file_that_cannot_be_read_is_a_wrong_setup);
	return run_tests("publish-source", tests);
}
