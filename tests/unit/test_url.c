/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "url.c"
#include "support/runner.h"

START_TEST(a_url_comes_apart)
{
	struct url url;

	ck_assert(url_split("https://vault.example.com:8200/base/v1/x?list=true", &url));
	ck_assert(url.https && !url.loopback);
	ck_assert_str_eq(url.host, "vault.example.com");
	ck_assert_int_eq(url.port, 8200);
	ck_assert_str_eq(url.path, "/base/v1/x");
	ck_assert_str_eq(url.query, "list=true");
	url_clear(&url);
}
END_TEST

START_TEST(a_port_that_is_not_named_is_the_schemes_own)
{
	struct url url;

	ck_assert(url_split("https://a", &url));
	ck_assert_int_eq(url.port, 443);
	ck_assert_ptr_null(url.query);
	url_clear(&url);
	ck_assert(url_split("http://a", &url));
	ck_assert_int_eq(url.port, 80);
	url_clear(&url);
}
END_TEST

START_TEST(loopback_is_known_in_all_its_forms)
{
	static const char *const texts[] = {
		"http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:8200", "http://LOCALHOST",
	};
	struct url url;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		ck_assert(url_split(texts[i], &url));
		ck_assert_msg(url.loopback, "%s", texts[i]);
		url_clear(&url);
	}
}
END_TEST

START_TEST(other_schemes_and_users_are_no_urls_of_ours)
{
	static const char *const texts[] = {
		"ftp://a", "file:///etc/passwd", "https://user@a", "https://user:word@a", "", "/v1/x", "https://",
	};
	struct url url;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(!url_split(texts[i], &url), "%s", texts[i]);
}
END_TEST

START_TEST(the_host_alone_is_exchanged)
{
	char *url = url_with_host("https://[fd00::1]:8200/base/v1/x?a=b%20c", "vault.example.com");

	ck_assert_str_eq(url, "https://vault.example.com:8200/base/v1/x?a=b%20c");
	free(url);
}
END_TEST

START_TEST(a_path_is_encoded_but_for_its_slashes)
{
	char *encoded = url_encode("certs/a-b._~/\xc3\xbc? #%&=+*:@");

	ck_assert_str_eq(encoded, "certs/a-b._~/%C3%BC%3F%20%23%25%26%3D%2B%2A%3A%40");
	free(encoded);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("url");

	tcase_add_test(tests, a_url_comes_apart);
	tcase_add_test(tests, a_port_that_is_not_named_is_the_schemes_own);
	tcase_add_test(tests, loopback_is_known_in_all_its_forms);
	tcase_add_test(tests, other_schemes_and_users_are_no_urls_of_ours);
	tcase_add_test(tests, the_host_alone_is_exchanged);
	tcase_add_test(tests, a_path_is_encoded_but_for_its_slashes);
	return run_tests("url", tests);
}
