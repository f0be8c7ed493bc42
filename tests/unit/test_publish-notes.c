/* SPDX-License-Identifier: ISC */
#include "publish-notes.c"
#include "support/bundle_fixture.h"
#include "support/runner.h"

static struct edition edition;
static struct publish_notes notes;

static void
set_up(void)
{
	fixture_set_up();
	pem_add_certificate(&text, leaf.certificate);
	pem_add_certificate(&text, lower.certificate);
	pem_add_key(&text, leaf.key);
	ck_assert_read();
	ck_assert_int_eq(edition_describe(bundle, &material, &edition, &why), 0);
}

static void
tear_down(void)
{
	publish_notes_clear(&notes);
	edition_clear(&edition);
	fixture_tear_down();
}

START_TEST(what_is_noted_is_read_back)
{
	json_t *written = publish_notes_write(&edition, 7, 3);

	publish_notes_read(written, &notes);
	ck_assert_str_eq(notes.edition.leaf.fingerprint, material.leaf.fingerprint);
	ck_assert_str_eq(notes.edition.leaf.serial, material.leaf.serial);
	ck_assert_str_eq(notes.edition.leaf.issuer, material.leaf.issuer);
	ck_assert_str_eq(notes.edition.leaf.names.items[0], "www.example.com");
	ck_assert_int_eq(notes.edition.leaf.not_before, material.leaf.not_before);
	ck_assert_int_eq(notes.edition.leaf.not_after, material.leaf.not_after);
	ck_assert_str_eq(notes.edition.content, edition.content);
	ck_assert_str_eq(notes.edition.key_id, edition.key_id);
	ck_assert_uint_eq(notes.version, 7);
	ck_assert_uint_eq(notes.key_since, 3);
	json_decref(written);
}
END_TEST

START_TEST(the_same_key_has_the_same_id_in_another_certificate)
{
	struct made again = make_certificate((struct wish){ .own_key = leaf.key }, &lower);
	char key_id[DIGEST_BYTES];

	ck_assert_int_eq(describe_key(again.certificate, key_id, &why), 0);
	ck_assert_str_eq(key_id, edition.key_id);
	ck_assert_int_eq(describe_key(lower.certificate, key_id, &why), 0);
	ck_assert_str_ne(key_id, edition.key_id);
	made_clear(&again);
}
END_TEST

START_TEST(another_chain_is_other_content)
{
	struct edition other;

	secret_clear(&material.chain);
	secret_set(&material.chain, "", 0);
	ck_assert_int_eq(edition_describe(bundle, &material, &other, &why), 0);
	ck_assert_str_ne(other.content, edition.content);
	ck_assert_str_eq(other.leaf.fingerprint, edition.leaf.fingerprint);
	edition_clear(&other);
}
END_TEST

START_TEST(nonsense_is_not_known)
{
	json_t *nonsense = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s}",
	    "fingerprint", "0123", "content", "x", "not_after", "soon",
	    "not_before", "2027-01-01", "serial", 5, "version", "-1", "key_since", "3x");

	publish_notes_read(nonsense, &notes);
	ck_assert_str_eq(notes.edition.leaf.fingerprint, "");
	ck_assert_str_eq(notes.edition.content, "");
	ck_assert_str_eq(notes.edition.leaf.serial, "");
	ck_assert_int_eq(notes.edition.leaf.not_after, 0);
	ck_assert_int_eq(notes.edition.leaf.not_before, 0);
	ck_assert_uint_eq(notes.version, 0);
	ck_assert_uint_eq(notes.key_since, 0);
	json_decref(nonsense);
}
END_TEST

START_TEST(no_notes_are_no_notes)
{
	publish_notes_read(NULL, &notes);
	ck_assert_str_eq(notes.edition.leaf.fingerprint, "");
	ck_assert_uint_eq(notes.edition.leaf.names.count, 0);
}
END_TEST

START_TEST(names_are_noted_whole_and_counted_where_there_is_no_room)
{
	struct words names = { 0 };
	char *joined;

	ck_assert_str_eq(joined = join_names(&names), "");
	free(joined);
	for (int i = 0; i < 50; i++)
		words_add(&names, "0123456789.0123456789");
	joined = join_names(&names);
	ck_assert_uint_le(strlen(joined), NOTE_BYTES_MOST);
	ck_assert_str_eq(strrchr(joined, ' '), " +28");
	ck_assert_uint_eq(strlen(joined), 22 * 22 - 1 + 4);
	free(joined);
	words_clear(&names);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-notes");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_noted_is_read_back);
	tcase_add_test(tests, the_same_key_has_the_same_id_in_another_certificate);
	tcase_add_test(tests, another_chain_is_other_content);
	tcase_add_test(tests, nonsense_is_not_known);
	tcase_add_test(tests, no_notes_are_no_notes);
	tcase_add_test(tests, names_are_noted_whole_and_counted_where_there_is_no_room);
	return run_tests("publish-notes", tests);
}
