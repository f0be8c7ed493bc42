/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>

#include "bundle-write.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

static void
fill_text(void)
{
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_key(&text, leaf.key);
}

START_TEST(what_is_written_has_lf_and_64_columns)
{
	const struct secret *const parts[] = { &material.cert, &material.chain, &material.key };

	fill_text();
	ck_assert_read();
	for (size_t i = 0; i < 3; i++) {
		ck_assert_ptr_null(strchr(parts[i]->bytes, '\r'));
		ck_assert_int_eq(parts[i]->bytes[parts[i]->size - 1], '\n');
		ck_assert_uint_eq(strcspn(strchr(parts[i]->bytes, '\n') + 1, "\n"), 64);
	}
	ck_assert_int_eq(strncmp(material.key.bytes, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
}
END_TEST

START_TEST(what_is_written_is_read_again_as_the_same)
{
	struct material first;

	fill_text();
	ck_assert_read();
	first = material;
	material = (struct material){ 0 };
	secret_clear(&text);
	secret_append(&text, first.key.bytes, first.key.size);
	secret_append(&text, first.chain.bytes, first.chain.size);
	secret_append(&text, first.cert.bytes, first.cert.size);
	ck_assert_read();
	ck_assert(secret_equal(&first.cert, &material.cert));
	ck_assert(secret_equal(&first.chain, &material.chain));
	ck_assert(secret_equal(&first.key, &material.key));
	ck_assert_str_eq(first.leaf.fingerprint, material.leaf.fingerprint);
	material_clear(&first);
}
END_TEST

START_TEST(cleared_material_is_empty)
{
	fill_text();
	ck_assert_read();
	material_clear(&material);
	ck_assert_ptr_null(material.key.bytes);
	ck_assert_ptr_null(material.leaf.serial);
	material_clear(&material);
}
END_TEST

START_TEST(a_fingerprint_needs_a_certificate)
{
	char fingerprint[FINGERPRINT_BYTES];

	ck_assert_int_eq(bundle_fingerprint("junk", 4, fingerprint, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_int_eq(bundle_fingerprint("", 0, fingerprint, &why), -1);
	pem_add_encrypted_key(&text, leaf.key);
	ck_assert_int_eq(bundle_fingerprint(text.bytes, text.size, fingerprint, &why), -1);
	pem_add_certificate(&text, leaf.certificate);
	ck_assert_int_eq(bundle_fingerprint(text.bytes, text.size, fingerprint, &why), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("bundle-write");

	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	tcase_add_test(tests, what_is_written_has_lf_and_64_columns);
	tcase_add_test(tests, what_is_written_is_read_again_as_the_same);
	tcase_add_test(tests, cleared_material_is_empty);
	tcase_add_test(tests, a_fingerprint_needs_a_certificate);
	return run_tests("bundle-write", tests);
}
