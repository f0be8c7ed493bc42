/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "manifest-address.c"
#include "support/pair.h"
#include "support/runner.h"

static struct words addresses;
static struct service service;

#define ADDRESS(value) ACCEPT(value_addresses, value, &addresses)
#define NO_ADDRESS(value, words) REFUSE(value_addresses, value, &addresses, words)
#define VERIFY(value) ACCEPT(value_verify, value, &service)
#define NO_VERIFY(value, words) REFUSE(value_verify, value, &service, words)

START_TEST(addresses_keep_their_order_and_lose_their_last_slash)
{
	ADDRESS("https://b.example.com:8200/ https://a.example.com/vault/\n\thttps://[2001:db8::1]:8200");
	ck_assert_uint_eq(addresses.count, 3);
	ck_assert_str_eq(addresses.items[0], "https://b.example.com:8200");
	ck_assert_str_eq(addresses.items[1], "https://a.example.com/vault");
	ck_assert_str_eq(addresses.items[2], "https://[2001:db8::1]:8200");
}
END_TEST

START_TEST(https_goes_anywhere_and_http_only_to_loopback)
{
	ADDRESS("https://192.0.2.1 http://127.0.0.1:8200 http://127.9.9.9 http://[::1]:8200 "
	    "http://localhost");
	NO_ADDRESS("http://vault.example.com", "loopback only");
	NO_ADDRESS("http://192.0.2.1:8200", "loopback only");
	NO_ADDRESS("http://[::2]", "loopback only");
	NO_ADDRESS("http://127.0.0.1.example.com", "loopback only");
	NO_ADDRESS("http://127.example.com", "loopback only");
	NO_ADDRESS("http://localhost.example.com", "loopback only");
}
END_TEST

START_TEST(a_unix_socket_is_named_by_its_absolute_path)
{
	ADDRESS("unix:///run/vault/agent.sock");
	ck_assert_str_eq(addresses.items[0], "unix:///run/vault/agent.sock");
	NO_ADDRESS("unix://run/vault.sock", "not an absolute path");
	NO_ADDRESS("unix:///run/../x", ". or ..");
	NO_ADDRESS("unix:/run/x", "neither https://");
}
END_TEST

START_TEST(other_schemes_are_no_addresses)
{
	NO_ADDRESS("ftp://vault.example.com", "neither https://");
	NO_ADDRESS("vault.example.com:8200", "neither https://");
	NO_ADDRESS("HTTPS://vault.example.com", "neither https://");
	NO_ADDRESS("https:/vault.example.com", "neither https://");
}
END_TEST

START_TEST(an_address_has_no_user_and_the_password_is_not_repeated)
{
	struct parsed parsed = parse_pair(value_addresses, "https://u:SECRET@vault.example.com",
	    &addresses);

	ck_assert_int_eq(parsed.result, -1);
	ck_assert_ptr_nonnull(strstr(parsed.errors.items[0].text, "names a user"));
	ck_assert_ptr_null(strstr(parsed.errors.items[0].text, "SECRET"));
	manifest_errors_clear(&parsed.errors);
}
END_TEST

START_TEST(an_address_has_no_query_and_no_fragment)
{
	NO_ADDRESS("https://vault.example.com/?a=b", "query");
	NO_ADDRESS("https://vault.example.com?a", "query");
	NO_ADDRESS("https://vault.example.com/#a", "fragment");
}
END_TEST

START_TEST(an_address_has_a_host_and_a_good_port)
{
	NO_ADDRESS("https://", "host name");
	NO_ADDRESS("https:///v1", "host name");
	NO_ADDRESS("https://:8200", "host name");
	NO_ADDRESS("https://va_ult.example.com", "host name");
	NO_ADDRESS("https://*.example.com", "host name");
	NO_ADDRESS("https://1.2.3.999", "host name");
	NO_ADDRESS("https://[1.2.3.4]", "host name");
	NO_ADDRESS("https://[zz]", "host name");
	NO_ADDRESS("https://[::1", "without its ]");
	NO_ADDRESS("https://::1", "[ ]");
	NO_ADDRESS("https://2001:db8::1:8200", "[ ]");
	NO_ADDRESS("https://a:1:2", "more than one colon");
	NO_ADDRESS("https://vault.example.com:", "no port");
	NO_ADDRESS("https://vault.example.com:0", "no port");
	NO_ADDRESS("https://vault.example.com:65536", "no port");
	NO_ADDRESS("https://vault.example.com:82a", "no port");
	NO_ADDRESS("https://vault.example.com:000001", "no port");
	NO_ADDRESS("https://[::1]8200", "no port");
	ADDRESS("https://vault.example.com:65535");
}
END_TEST

START_TEST(the_path_of_an_address_has_no_detours)
{
	NO_ADDRESS("https://vault.example.com/a/../b", ". or ..");
	NO_ADDRESS("https://vault.example.com//a", "two slashes");
	NO_ADDRESS("https://vault.example.com/a\\b", "percent-encoded");
	NO_ADDRESS("https://vault.example.com/f\xc3\xbcr", "percent-encoded");
}
END_TEST

START_TEST(an_address_that_stands_twice_is_refused)
{
	NO_ADDRESS("https://a.example.com https://a.example.com/", "twice");
}
END_TEST

START_TEST(each_wrong_address_is_told)
{
	struct parsed parsed = parse_pair(value_addresses, "ftp://a http://b.example.com https://c",
	    &addresses);

	ck_assert_int_eq(parsed.result, -1);
	ck_assert_uint_eq(parsed.errors.count, 2);
	manifest_errors_clear(&parsed.errors);
}
END_TEST

START_TEST(a_proxy_has_a_scheme_a_host_and_a_port)
{
	char *proxy = NULL;

	ACCEPT(value_proxy, "http://proxy.example.com:3128", &proxy);
	ACCEPT(value_proxy, "socks5h://127.0.0.1:1080", &proxy);
	REFUSE(value_proxy, "proxy.example.com:3128", &proxy, "is none of");
	REFUSE(value_proxy, "http://proxy.example.com", &proxy, "no port");
	REFUSE(value_proxy, "http://proxy.example.com:3128/x", &proxy, "path");
	REFUSE(value_proxy, "http://u:p@proxy.example.com:3128", &proxy, "a URL names a user");
	ck_assert_str_eq(proxy, "socks5h://127.0.0.1:1080");
	free(proxy);
}
END_TEST

START_TEST(a_host_name_is_neither_a_wildcard_nor_an_address)
{
	char *name = NULL;

	ACCEPT(value_host_name, "vault.example.com", &name);
	REFUSE(value_host_name, "*.example.com", &name, "no host name");
	REFUSE(value_host_name, "192.0.2.1", &name, "no host name");
	REFUSE(value_host_name, "a b", &name, "no host name");
	ck_assert_str_eq(name, "vault.example.com");
	free(name);
}
END_TEST

START_TEST(verify_names_host_and_port)
{
	VERIFY("127.0.0.1:443");
	ck_assert_str_eq(service.verify_host, "127.0.0.1");
	ck_assert_str_eq(service.verify_port, "443");
	ck_assert_ptr_null(service.verify_sni);
	ck_assert_int_eq(service.verify_starttls, STARTTLS_NONE);
	VERIFY("[::1]:8443");
	ck_assert_str_eq(service.verify_host, "::1");
	NO_VERIFY("127.0.0.1", "no port");
	NO_VERIFY("[::1]", "no port");
	NO_VERIFY("::1:443", "IPv6 address");
	NO_VERIFY(":443", "host name");
	NO_VERIFY("a:https", "no port");
	NO_VERIFY("*.a.example:443", "host name");
	ck_assert_str_eq(service.verify_host, "::1");
}
END_TEST

START_TEST(verify_may_name_sni_and_starttls_in_any_order)
{
	VERIFY("mail.example.com:25 starttls=smtp sni=mx.example.com");
	ck_assert_str_eq(service.verify_sni, "mx.example.com");
	ck_assert_int_eq(service.verify_starttls, STARTTLS_SMTP);
	VERIFY("a:143 starttls=imap");
	ck_assert_int_eq(service.verify_starttls, STARTTLS_IMAP);
	ck_assert_ptr_null(service.verify_sni);
	VERIFY("a:110 starttls=pop3");
	ck_assert_int_eq(service.verify_starttls, STARTTLS_POP3);
	VERIFY("a:443");
	ck_assert_int_eq(service.verify_starttls, STARTTLS_NONE);
}
END_TEST

START_TEST(other_options_of_verify_are_refused)
{
	NO_VERIFY("a:25 starttls=ldap", "smtp, imap and pop3");
	NO_VERIFY("a:25 starttls=", "smtp, imap and pop3");
	NO_VERIFY("a:25 STARTTLS", "neither sni=NAME nor starttls=");
	NO_VERIFY("a:25 sni=", "does not name a host");
	NO_VERIFY("a:25 sni=*.a.example", "does not name a host");
	NO_VERIFY("a:25 sni=192.0.2.1", "does not name a host");
	NO_VERIFY("a:25 sni=a.example sni=b.example", "second sni=");
	NO_VERIFY("a:25 starttls=smtp starttls=imap", "second starttls=");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("manifest-address");

	tcase_add_test(tests, addresses_keep_their_order_and_lose_their_last_slash);
	tcase_add_test(tests, https_goes_anywhere_and_http_only_to_loopback);
	tcase_add_test(tests, a_unix_socket_is_named_by_its_absolute_path);
	tcase_add_test(tests, other_schemes_are_no_addresses);
	tcase_add_test(tests, an_address_has_no_user_and_the_password_is_not_repeated);
	tcase_add_test(tests, an_address_has_no_query_and_no_fragment);
	tcase_add_test(tests, an_address_has_a_host_and_a_good_port);
	tcase_add_test(tests, the_path_of_an_address_has_no_detours);
	tcase_add_test(tests, an_address_that_stands_twice_is_refused);
	tcase_add_test(tests, each_wrong_address_is_told);
	tcase_add_test(tests, a_proxy_has_a_scheme_a_host_and_a_port);
	tcase_add_test(tests, a_host_name_is_neither_a_wildcard_nor_an_address);
	tcase_add_test(tests, verify_names_host_and_port);
	tcase_add_test(tests, verify_may_name_sni_and_starttls_in_any_order);
	tcase_add_test(tests, other_options_of_verify_are_refused);
	return run_tests("manifest-address", tests);
}
