/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "chain.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

static void
ck_assert_chain_is(const struct made *first, const struct made *second)
{
	struct secret expected = { 0 };

	if (first != NULL)
		pem_add_certificate(&expected, first->certificate);
	if (second != NULL)
		pem_add_certificate(&expected, second->certificate);
	ck_assert(secret_equal(&expected, &material.chain));
	secret_clear(&expected);
}

START_TEST(order_does_not_matter)
{
	pem_add_certificate(&text, root.certificate);
	pem_add_certificate(&text, upper.certificate);
	pem_add_key(&text, leaf.key);
	pem_add_certificate(&text, lower.certificate);
	pem_add_certificate(&text, leaf.certificate);
	ck_assert_read();
	ck_assert_chain_is(&lower, &upper);
}
END_TEST

START_TEST(the_root_is_left_out)
{
	struct made other = make_certificate((struct wish){ 0 }, &root);

	pem_add_certificate(&text, other.certificate);
	pem_add_certificate(&text, root.certificate);
	pem_add_key(&text, other.key);
	ck_assert_read();
	ck_assert_uint_eq(material.chain.size, 0);
	made_clear(&other);
}
END_TEST

START_TEST(an_unrelated_certificate_is_refused_by_name)
{
	struct made other = make_certificate((struct wish){ .subject = "Other" }, &root);

	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_certificate(&text, other.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("expected nothing but links of the chain (it ends at CN=Lower, signed by "
	    "CN=Upper), found CN=Other");
	made_clear(&other);
}
END_TEST

START_TEST(an_unrelated_root_is_refused_by_name)
{
	struct made other = make_certificate((struct wish){ .subject = "Else", .ca = true }, NULL);

	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, other.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("found CN=Else");
	made_clear(&other);
}
END_TEST

START_TEST(a_link_that_is_missing_in_the_middle_is_refused)
{
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, upper.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("(it ends at CN=www.example.com, signed by CN=Lower), found CN=Upper");
}
END_TEST

START_TEST(of_two_issuers_of_one_name_the_one_that_signed_is_taken)
{
	struct made old = make_certificate((struct wish){ .subject = "Lower", .ca = true }, &upper);

	pem_add_certificate(&text, old.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_certificate(&text, leaf.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_refused("found CN=Lower");
	ck_assert_msg(strstr(why.text, "ends at CN=Lower") != NULL, "%s", why.text);
	made_clear(&old);
}
END_TEST

START_TEST(a_root_that_is_also_cross_signed_is_a_link)
{
	struct made crossed = make_certificate((struct wish){ .subject = "Upper", .ca = true,
	    .own_key = upper.key }, NULL);

	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_certificate(&text, crossed.certificate);
	pem_add_certificate(&text, upper.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_read();
	ck_assert_chain_is(&lower, &upper);
	made_clear(&crossed);
}
END_TEST

START_TEST(a_circle_of_issuers_ends)
{
	struct made a = make_certificate((struct wish){ .subject = "A", .ca = true }, NULL);
	struct made b = make_certificate((struct wish){ .subject = "B", .ca = true }, &a);
	struct made c = make_certificate((struct wish){ .subject = "A", .ca = true,
	    .own_key = a.key }, &b);
	struct made end = make_certificate((struct wish){ 0 }, &c);

	pem_add_certificate(&text, end.certificate);
	pem_add_certificate(&text, b.certificate);
	pem_add_certificate(&text, c.certificate);
	pem_add_key(&text, end.key);
	ck_assert_read();
	ck_assert_chain_is(&c, &b);
	made_clear(&a);
	made_clear(&b);
	made_clear(&c);
	made_clear(&end);
}
END_TEST

START_TEST(a_self_signed_leaf_has_no_chain)
{
	struct made alone = make_certificate((struct wish){ 0 }, NULL);

	pem_add_certificate(&text, alone.certificate);
	pem_add_key(&text, alone.key);
	ck_assert_read();
	ck_assert_uint_eq(material.chain.size, 0);
	made_clear(&alone);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("chain");

	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_add_test(tests, order_does_not_matter);
	tcase_add_test(tests, the_root_is_left_out);
	tcase_add_test(tests, an_unrelated_certificate_is_refused_by_name);
	tcase_add_test(tests, an_unrelated_root_is_refused_by_name);
	tcase_add_test(tests, a_link_that_is_missing_in_the_middle_is_refused);
	tcase_add_test(tests, of_two_issuers_of_one_name_the_one_that_signed_is_taken);
	tcase_add_test(tests, a_root_that_is_also_cross_signed_is_a_link);
	tcase_add_test(tests, a_circle_of_issuers_ends);
	tcase_add_test(tests, a_self_signed_leaf_has_no_chain);
	return run_tests("chain", tests);
}
