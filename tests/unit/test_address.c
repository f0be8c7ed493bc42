/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "address.c"
#include "support/runner.h"

static struct words texts;
static struct address_list list;

static void
set_up(void)
{
	words_add(&texts, "https://one.example.com:8200");
	words_add(&texts, "https://two.example.com/base");
	words_add(&texts, "http://127.0.0.1:8100");
	words_add(&texts, "unix:///run/vault.sock");
	address_list_read(&texts, &list);
}

static void
tear_down(void)
{
	address_list_clear(&list);
	words_clear(&texts);
}

START_TEST(a_path_goes_behind_v1_and_the_base_of_the_address_stays)
{
	const struct vault_ask ask = { .path = "secret/data/a b", .query = "version=3" };
	char *url = address_url(&list.items[1], &ask);

	ck_assert_str_eq(url, "https://two.example.com/base/v1/secret/data/a%20b?version=3");
	free(url);
}
END_TEST

START_TEST(a_unix_socket_is_asked_as_localhost)
{
	const struct vault_ask ask = { .path = "x" };
	char *url = address_url(&list.items[3], &ask);

	ck_assert_str_eq(url, "http://localhost/v1/x");
	ck_assert_str_eq(list.items[3].unix_socket, "/run/vault.sock");
	ck_assert_int_eq(list.items[3].port, 0);
	free(url);
}
END_TEST

START_TEST(a_complaint_can_be_taken_back)
{
	address_complain(&list.items[0], "sealed");
	address_complain(&list.items[0], "still sealed");
	ck_assert_str_eq(list.items[0].complaint, "still sealed");
	address_complain(&list.items[0], NULL);
	ck_assert_ptr_null(list.items[0].complaint);
}
END_TEST

#define FROM "https://one.example.com:8200/v1/secret/data/x?version=1"

START_TEST(a_redirect_to_the_same_path_at_a_configured_port_is_followed)
{
	ck_assert_ptr_null(address_judge_redirect(&list, FROM,
	    "https://leader.example.com:8200/v1/secret/data/x?version=1"));
	ck_assert_ptr_null(address_judge_redirect(&list, FROM,
	    "https://leader.example.com/prefix/v1/secret/data/x?version=1"));
	ck_assert_ptr_null(address_judge_redirect(&list, "http://127.0.0.1:8100/v1/x",
	    "http://127.0.0.2:8100/v1/x"));
	ck_assert_ptr_null(address_judge_redirect(&list, "http://127.0.0.1:8100/v1/x",
	    "https://leader.example.com:8200/v1/x"));
}
END_TEST

START_TEST(no_other_redirect_is)
{
	static const struct { const char *from, *to; } bad[] = {
		{ FROM, NULL },
		{ FROM, "" },
		{ FROM, "ftp://leader.example.com:8200/v1/secret/data/x?version=1" },
		{ FROM, "http://leader.example.com:8200/v1/secret/data/x?version=1" },
		{ FROM, "http://127.0.0.1:8100/v1/secret/data/x?version=1" },
		{ FROM, "https://leader.example.com:9/v1/secret/data/x?version=1" },
		{ FROM, "https://leader.example.com:8200/v1/secret/data/y?version=1" },
		{ FROM, "https://leader.example.com:8200/v1/secret/data/x" },
		{ FROM, "https://leader.example.com:8200/v1/secret/data/x?version=2" },
		{ FROM, "https://leader.example.com:8200/ui/" },
		{ FROM, "https://a:b@leader.example.com:8200/v1/secret/data/x?version=1" },
		{ "http://127.0.0.1:8100/v1/x", "http://leader.example.com:8100/v1/x" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(address_judge_redirect(&list, bad[i].from, bad[i].to) != NULL, "%zu", i);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("address");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, a_path_goes_behind_v1_and_the_base_of_the_address_stays);
	tcase_add_test(tests, a_unix_socket_is_asked_as_localhost);
	tcase_add_test(tests, a_complaint_can_be_taken_back);
	tcase_add_test(tests, a_redirect_to_the_same_path_at_a_configured_port_is_followed);
	tcase_add_test(tests, no_other_redirect_is);
	return run_tests("address", tests);
}
