/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>

#include "name.c"
#include "support/runner.h"

START_TEST(host_names_are_valid)
{
	ck_assert(name_is_valid("www.example.com"));
	ck_assert(name_is_valid("WWW.Example.COM"));
	ck_assert(name_is_valid("web"));
	ck_assert(name_is_valid("a-b.3com.example"));
	ck_assert(name_is_valid("xn--bcher-kva.example"));
}
END_TEST

START_TEST(a_wildcard_is_the_whole_first_label)
{
	ck_assert(name_is_valid("*.example.com"));
	ck_assert(!name_is_valid("*"));
	ck_assert(!name_is_valid("w*.example.com"));
	ck_assert(!name_is_valid("www.*.com"));
	ck_assert(!name_is_valid("*.*.com"));
	ck_assert(!name_is_valid("*."));
}
END_TEST

START_TEST(other_words_are_not_valid)
{
	ck_assert(!name_is_valid(""));
	ck_assert(!name_is_valid("."));
	ck_assert(!name_is_valid(".example.com"));
	ck_assert(!name_is_valid("example.com."));
	ck_assert(!name_is_valid("a..b"));
	ck_assert(!name_is_valid("-a.example"));
	ck_assert(!name_is_valid("a-.example"));
	ck_assert(!name_is_valid("a_b.example"));
	ck_assert(!name_is_valid("a b.example"));
	ck_assert(!name_is_valid("b\xc3\xbc""cher.example"));
	ck_assert(!name_is_valid("any:"));
}
END_TEST

START_TEST(labels_and_names_have_a_greatest_length)
{
	char label[65] = "", name[260] = "";

	memset(label, 'a', 63);
	ck_assert(name_is_valid(label));
	label[63] = 'a';
	ck_assert(!name_is_valid(label));
	for (size_t i = 0; i < 253; i++)
		name[i] = i % 2 == 0 ? 'a' : '.';
	ck_assert(name_is_valid(name));
	strcat(name, ".a");
	ck_assert(!name_is_valid(name));
}
END_TEST

START_TEST(addresses_are_valid_and_mistaken_ones_are_not)
{
	ck_assert(name_is_valid("192.0.2.1") && name_is_address("192.0.2.1"));
	ck_assert(name_is_valid("2001:db8::1") && name_is_address("2001:db8::1"));
	ck_assert(!name_is_valid("192.0.2.999"));
	ck_assert(!name_is_valid("192.0.2"));
	ck_assert(!name_is_address("www.example.com"));
	ck_assert(!name_is_valid("[2001:db8::1]"));
}
END_TEST

START_TEST(the_text_of_an_address_has_a_known_size)
{
	const unsigned char bytes[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	char *text;

	ck_assert_str_eq(text = name_of_address(bytes, 16), "2001:db8::1");
	free(text);
	ck_assert_str_eq(text = name_of_address(bytes, 4), "32.1.13.184");
	free(text);
	ck_assert_ptr_null(name_of_address(bytes, 8));
	ck_assert_ptr_null(name_of_address(bytes, 0));
}
END_TEST

START_TEST(equal_names_cover_without_regard_to_case)
{
	ck_assert(name_covers("www.example.com", "www.example.com"));
	ck_assert(name_covers("WWW.example.com", "www.EXAMPLE.com"));
	ck_assert(!name_covers("www.example.com", "example.com"));
	ck_assert(!name_covers("example.com", "www.example.com"));
}
END_TEST

START_TEST(a_wildcard_covers_one_label)
{
	ck_assert(name_covers("*.example.com", "www.example.com"));
	ck_assert(name_covers("*.EXAMPLE.com", "www.example.COM"));
}
END_TEST

START_TEST(a_wildcard_does_not_cover_two_labels)
{
	ck_assert(!name_covers("*.example.com", "a.b.example.com"));
}
END_TEST

START_TEST(a_wildcard_does_not_cover_its_own_domain)
{
	ck_assert(!name_covers("*.example.com", "example.com"));
	ck_assert(!name_covers("*.example.com", ".example.com"));
}
END_TEST

START_TEST(a_wanted_wildcard_is_covered_by_the_same_wildcard_only)
{
	ck_assert(name_covers("*.example.com", "*.example.com"));
	ck_assert(!name_covers("www.example.com", "*.example.com"));
	ck_assert(!name_covers("*.example.com", "*.a.example.com"));
	ck_assert(!name_covers("*.com", "*.example.com"));
	ck_assert(!name_covers("*.*.com", "*.example.com"));
}
END_TEST

START_TEST(a_wildcard_within_a_label_covers_nothing)
{
	ck_assert(!name_covers("w*.example.com", "www.example.com"));
	ck_assert(!name_covers("www.*.com", "www.example.com"));
	ck_assert(!name_covers("*", "www"));
}
END_TEST

START_TEST(addresses_cover_by_equality_only)
{
	ck_assert(name_covers("192.0.2.1", "192.0.2.1"));
	ck_assert(name_covers("2001:db8::1", "2001:DB8:0::1"));
	ck_assert(!name_covers("192.0.2.1", "192.0.2.2"));
	ck_assert(!name_covers("*.0.2.1", "192.0.2.1"));
	ck_assert(!name_covers("::ffff:192.0.2.1", "192.0.2.1"));
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("name");

	tcase_add_test(tests, host_names_are_valid);
	tcase_add_test(tests, a_wildcard_is_the_whole_first_label);
	tcase_add_test(tests, other_words_are_not_valid);
	tcase_add_test(tests, labels_and_names_have_a_greatest_length);
	tcase_add_test(tests, addresses_are_valid_and_mistaken_ones_are_not);
	tcase_add_test(tests, the_text_of_an_address_has_a_known_size);
	tcase_add_test(tests, equal_names_cover_without_regard_to_case);
	tcase_add_test(tests, a_wildcard_covers_one_label);
	tcase_add_test(tests, a_wildcard_does_not_cover_two_labels);
	tcase_add_test(tests, a_wildcard_does_not_cover_its_own_domain);
	tcase_add_test(tests, a_wanted_wildcard_is_covered_by_the_same_wildcard_only);
	tcase_add_test(tests, a_wildcard_within_a_label_covers_nothing);
	tcase_add_test(tests, addresses_cover_by_equality_only);
	return run_tests("name", tests);
}
