/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "origin.c"
#include "support/runner.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct origin
make_origin(void)
{
	struct origin origin = { .source = memory_text("kv:team/secret/certs/www"),
		.version = { 7, "2026-11-23T18:00:00.5Z" }, .installed = 1790000000,
		.leaf = { .fingerprint = HEX, .serial = memory_text("00ff"),
		.issuer = memory_text("CN=Zwischenstelle Süd,O=Test"), .not_before = 1780000000,
		.not_after = 1800000000, .key_type = KEY_ED25519 },
		.digests = { [PART_CERT] = HEX, [PART_KEY] = HEX } };

	words_add(&origin.leaf.names, "www.example.test");
	words_add(&origin.leaf.names, "*.example.test");
	return origin;
}

static void
assert_equal(const struct origin *a, const struct origin *b)
{
	ck_assert_str_eq(a->source, b->source);
	ck_assert(version_equal(&a->version, &b->version));
	ck_assert_int_eq(a->installed, b->installed);
	ck_assert_str_eq(a->leaf.fingerprint, b->leaf.fingerprint);
	ck_assert_str_eq(a->leaf.serial, b->leaf.serial);
	ck_assert_str_eq(a->leaf.issuer, b->leaf.issuer);
	ck_assert_uint_eq(a->leaf.names.count, b->leaf.names.count);
	for (size_t i = 0; i < a->leaf.names.count; i++)
		ck_assert_str_eq(a->leaf.names.items[i], b->leaf.names.items[i]);
	ck_assert_int_eq(a->leaf.not_before, b->leaf.not_before);
	ck_assert_int_eq(a->leaf.not_after, b->leaf.not_after);
	ck_assert_int_eq(a->leaf.key_type, b->leaf.key_type);
	ck_assert_int_eq(memcmp(a->digests, b->digests, sizeof(a->digests)), 0);
}

START_TEST(what_is_encoded_is_decoded_the_same)
{
	struct origin origin = make_origin(), found = { 0 };
	struct failure why;
	char *text = origin_encode(&origin);

	ck_assert_int_eq(origin_decode(text, strlen(text), &found, &why), 0);
	assert_equal(&origin, &found);
	origin_clear(&origin);
	origin_clear(&found);
	free(text);
}
END_TEST

START_TEST(a_certificate_without_issuer_and_one_of_kv_1_come_back_too)
{
	struct origin origin = make_origin(), found = { 0 };
	struct failure why;
	char *text;

	free(origin.leaf.issuer);
	origin.leaf.issuer = memory_text("");
	origin.version = (struct version){ 0, "sha256:" HEX };
	text = origin_encode(&origin);
	ck_assert_int_eq(origin_decode(text, strlen(text), &found, &why), 0);
	assert_equal(&origin, &found);
	origin_clear(&origin);
	origin_clear(&found);
	free(text);
}
END_TEST

START_TEST(it_is_one_line)
{
	struct origin origin = make_origin();
	char *text = origin_encode(&origin);

	ck_assert_ptr_nonnull(strstr(text, "\"source\": \"kv:team/secret/certs/www\""));
	ck_assert_ptr_nonnull(strstr(text, "\"not_after\": \"2027-01-15T08:00:00Z\""));
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	origin_clear(&origin);
	free(text);
}
END_TEST

/* The encoded text with one piece of it replaced. */
static void
assert_refused(const char *piece, const char *by)
{
	struct origin origin = make_origin(), found = { 0 };
	struct failure why = { 0 };
	char *text = origin_encode(&origin), *place = strstr(text, piece), *broken;

	ck_assert_ptr_nonnull(place);
	*place = '\0';
	broken = memory_format("%s%s%s", text, by, place + strlen(piece));
	ck_assert_int_eq(origin_decode(broken, strlen(broken), &found, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_DISK);
	ck_assert_ptr_nonnull(strstr(why.text, "is not what certlet wrote"));
	ck_assert_ptr_null(found.source);
	origin_clear(&origin);
	free(text);
	free(broken);
}

START_TEST(what_is_broken_is_no_origin)
{
	struct origin found = { 0 };
	struct failure why;

	assert_refused("{", "[");
	assert_refused("\"schema\": 1", "\"schema\": 2");
	assert_refused("\"source\"", "\"sauce\"");
	assert_refused("\"version\": 7", "\"version\": \"7\"");
	assert_refused("\"created_time\"", "\"x\"");
	assert_refused("\"fingerprint\": \"0", "\"fingerprint\": \"X");
	assert_refused("\"cert.pem\": \"01", "\"cert.pem\": \"1");
	assert_refused("\"serial\"", "\"x\"");
	assert_refused("2027-01-15T08:00:00Z", "2027-01-15");
	assert_refused("\"not_after\"", "\"x\"");
	assert_refused("\"sha256\": {", "\"sha256\": [], \"x\": {");
	ck_assert_int_eq(origin_decode("", 0, &found, &why), -1);
	ck_assert_int_eq(origin_decode("{}", 2, &found, &why), -1);
}
END_TEST

START_TEST(a_member_that_a_later_version_added_does_no_harm)
{
	struct origin origin = make_origin(), found = { 0 };
	struct failure why;
	char *text = origin_encode(&origin), *longer = memory_format("{\"colour\": [1],%s", text + 1);

	ck_assert_int_eq(origin_decode(longer, strlen(longer), &found, &why), 0);
	assert_equal(&origin, &found);
	origin_clear(&origin);
	origin_clear(&found);
	free(text);
	free(longer);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("origin");

	tcase_add_test(tests, what_is_encoded_is_decoded_the_same);
	tcase_add_test(tests, a_certificate_without_issuer_and_one_of_kv_1_come_back_too);
	tcase_add_test(tests, it_is_one_line);
	tcase_add_test(tests, what_is_broken_is_no_origin);
	tcase_add_test(tests, a_member_that_a_later_version_added_does_no_harm);
	return run_tests("origin", tests);
}
