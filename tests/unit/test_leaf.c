/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>

#include "leaf.c"
#include "support/make_certificate.h"
#include "support/runner.h"

static struct leaf
describe(struct wish wish)
{
	struct made made = make_certificate(wish, NULL);
	struct failure why;
	struct leaf leaf;

	ck_assert_msg(leaf_describe(made.certificate, &leaf, &why) == 0, "%s", why.text);
	made_clear(&made);
	return leaf;
}

START_TEST(a_leaf_is_described_in_fixed_fields)
{
	struct leaf leaf = describe((struct wish){ .serial = 0x3a1, .names = "DNS:A.example" });

	ck_assert_uint_eq(strspn(leaf.fingerprint, "0123456789abcdef"), FINGERPRINT_BYTES - 1);
	ck_assert_str_eq(leaf.serial, "03a1");
	ck_assert_str_eq(leaf.issuer, "CN=www.example.com");
	ck_assert_uint_eq(leaf.names.count, 1);
	ck_assert_str_eq(leaf.names.items[0], "a.example");
	ck_assert_int_eq(leaf.not_before, TEST_NOW - TEST_DAY);
	ck_assert_int_eq(leaf.not_after, TEST_NOW + 89 * TEST_DAY);
	ck_assert_int_eq(leaf.key_type, KEY_EC);
	leaf_clear(&leaf);
}
END_TEST

START_TEST(what_cannot_be_described_is_refused)
{
	struct made made = make_certificate((struct wish){ .names = "DNS:a b" }, NULL);
	struct failure why;
	struct leaf leaf;

	ck_assert_int_eq(leaf_describe(made.certificate, &leaf, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	made_clear(&made);
}
END_TEST

START_TEST(a_copy_lives_without_its_original)
{
	struct leaf leaf = describe((struct wish){ 0 }), copy;
	char fingerprint[FINGERPRINT_BYTES];

	memcpy(fingerprint, leaf.fingerprint, sizeof(fingerprint));
	leaf_copy(&copy, &leaf);
	leaf_clear(&leaf);
	ck_assert_ptr_null(leaf.serial);
	ck_assert_str_eq(copy.fingerprint, fingerprint);
	ck_assert_str_eq(copy.issuer, "CN=www.example.com");
	ck_assert_str_eq(copy.names.items[0], "www.example.com");
	leaf_clear(&copy);
	leaf_clear(&copy);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("leaf");

	tcase_add_test(tests, a_leaf_is_described_in_fixed_fields);
	tcase_add_test(tests, what_cannot_be_described_is_refused);
	tcase_add_test(tests, a_copy_lives_without_its_original);
	return run_tests("leaf", tests);
}
