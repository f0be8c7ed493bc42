/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "complaint.c"
#include "support/runner.h"

static struct credentials credentials;
static struct secret token;

static void
set_up(void)
{
	secret_set(&credentials.secret_id, "the-secret-id", 13);
	secret_set(&credentials.role_id, "the-role-id", 11);
	secret_set(&token, "hvs.token", 9);
}

static void
tear_down(void)
{
	credentials_clear(&credentials);
	secret_clear(&token);
}

static const char *
complain(const char *body)
{
	static char text[COMPLAINT_BYTES];
	struct secret bytes = { 0 };
	json_t *json;

	secret_set(&bytes, body, strlen(body));
	json = json_loadb(bytes.bytes, bytes.size, 0, NULL);
	complaint_make(json, &bytes, &credentials, &token, text);
	json_decref(json);
	secret_clear(&bytes);
	return text;
}

START_TEST(errors_become_one_line)
{
	ck_assert_str_eq(complain("{\"errors\":[\"1 error occurred:\\n\\t* permission denied\\n\\n\"]}"),
	    "1 error occurred: * permission denied");
	ck_assert_str_eq(complain("{\"errors\":[\"one\",\"two\",3]}"), "one; two");
	ck_assert_str_eq(complain("{\"errors\":[]}"), "");
}
END_TEST

START_TEST(warnings_and_the_request_are_told_where_there_are_no_errors)
{
	ck_assert_str_eq(complain("{\"request_id\":\"0a1b-2c\",\"warnings\":[\"Invalid path\"]}"),
	    "Invalid path (request 0a1b-2c)");
	ck_assert_str_eq(complain("{\"request_id\":\"0a1b-2c\"}"), "(request 0a1b-2c)");
	ck_assert_str_eq(complain("{\"request_id\":\"not an id\"}"), "");
}
END_TEST

START_TEST(plain_text_is_told_and_html_is_not)
{
	ck_assert_str_eq(complain("Client sent an HTTP request to an HTTPS server.\n"),
	    "Client sent an HTTP request to an HTTPS server.");
	ck_assert_str_eq(complain("<html>\n<body>"), "");
	ck_assert_str_eq(complain(""), "");
}
END_TEST

START_TEST(our_secrets_are_blanked_out)
{
	ck_assert_str_eq(complain("{\"errors\":[\"invalid secret_id \\\"the-secret-id\\\" of the-role-id, hvs.token\"]}"),
	    "invalid secret_id \"*************\" of ***********, *********");
	ck_assert_str_eq(complain("the-secret-idthe-secret-id"), "**************************");
}
END_TEST

START_TEST(no_byte_of_a_server_moves_a_cursor)
{
	ck_assert_str_eq(complain("{\"errors\":[\"\\u001b[2J\\u009bx\\u202ey\"]}"), "[2J??x???y");
}
END_TEST

START_TEST(a_long_complaint_is_cut_and_the_request_still_told)
{
	char body[3000] = "{\"request_id\":\"abc\",\"errors\":[\"";
	const char *text;

	memset(body + strlen(body), 'x', 2000);
	(void)strcat(body, "\"]}");
	text = complain(body);
	ck_assert_uint_lt(strlen(text), COMPLAINT_BYTES);
	ck_assert_ptr_nonnull(strstr(text, "(request abc)"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("complaint");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, errors_become_one_line);
	tcase_add_test(tests, warnings_and_the_request_are_told_where_there_are_no_errors);
	tcase_add_test(tests, plain_text_is_told_and_html_is_not);
	tcase_add_test(tests, our_secrets_are_blanked_out);
	tcase_add_test(tests, no_byte_of_a_server_moves_a_cursor);
	tcase_add_test(tests, a_long_complaint_is_cut_and_the_request_still_told);
	return run_tests("complaint", tests);
}
