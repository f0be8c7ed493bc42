/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdlib.h>

#include "kv-fields.c"
#include "support/runner.h"

static struct entry entry;
static struct kv_texts texts;
static struct failure why;

static void
tear_down(void)
{
	kv_texts_clear(&texts);
}

static int
pick(const char *text)
{
	json_t *data = json_loads(text, 0, NULL);
	int result;

	ck_assert_msg(data != NULL, "%s", text);
	kv_texts_clear(&texts);
	result = kv_fields_pick(data, &entry, &texts, &why);
	json_decref(data);
	return result;
}

static const char *
text_of(enum part part)
{
	return texts.items[part].size != 0 ? texts.items[part].bytes : "";
}

START_TEST(known_layouts_are_read)
{
	static const struct { const char *data, *cert, *key, *chain, *fullchain; } layouts[] = {
		{ "{\"cert\":\"C\",\"chain\":\"H\",\"fullchain\":\"F\",\"privkey\":\"K\"}", "C", "K", "H", "F" },
		{ "{\"crt\":\"C\",\"key\":\"K\",\"bundle\":\"H\"}", "C", "K", "H", "" },
		{ "{\"tls.crt\":\"C\",\"tls.key\":\"K\"}", "C", "K", "", "" },
		{ "{\"certificate\":\"C\",\"private_key\":\"K\",\"ca_chain\":[\"H\",\"I\"],\"issuing_ca\":\"J\"}",
		    "C", "K", "H\nI\n", "" },
		{ "{\"certificate\":\"C\",\"private_key\":\"K\",\"ca_chain\":null,\"issuing_ca\":\"J\"}",
		    "C", "K", "J", "" },
		{ "{\"fullchain\":[\"C\",\"H\"],\"key\":\"K\"}", "", "K", "", "C\nH\n" },
		{ "{\"cert\":\"\",\"crt\":\"C\",\"key\":\"K\",\"serial\":5,\"other\":{}}", "C", "K", "", "" },
	};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		ck_assert_msg(pick(layouts[i].data) == 0, "%s: %s", layouts[i].data, why.text);
		ck_assert_str_eq(text_of(PART_CERT), layouts[i].cert);
		ck_assert_str_eq(text_of(PART_KEY), layouts[i].key);
		ck_assert_str_eq(text_of(PART_CHAIN), layouts[i].chain);
		ck_assert_str_eq(text_of(PART_FULLCHAIN), layouts[i].fullchain);
	}
}
END_TEST

START_TEST(a_missing_field_is_named_with_the_names_that_are_there)
{
	ck_assert_int_eq(pick("{\"cert\":\"C\",\"secret\":\"VALUE\"}"), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_str_eq(why.text,
	    "expected a field privkey, key, private_key or tls.key, found: cert, secret");
	ck_assert_int_eq(pick("{\"key\":\"K\"}"), -1);
	ck_assert_str_eq(why.text,
	    "expected a field cert, crt, certificate, tls.crt or fullchain, found: key");
	ck_assert_int_eq(pick("{}"), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "found: none"));
	ck_assert_uint_eq(texts.items[PART_CERT].size, 0);
}
END_TEST

START_TEST(a_crowd_of_fields_is_not_listed_whole)
{
	char data[8192] = "{";

	for (int i = 0; i < 100; i++)
		(void)sprintf(data + strlen(data), "\"a_name_that_is_rather_long_for_a_field_%03d\":\"\",", i);
	(void)strcat(data, "\"z\":1}");
	ck_assert_int_eq(pick(data), -1);
	ck_assert_ptr_nonnull(strstr(why.text, ", ..."));
}
END_TEST

START_TEST(a_value_that_is_no_text_is_refused)
{
	ck_assert_int_eq(pick("{\"cert\":5,\"key\":\"K\"}"), -1);
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
	ck_assert_int_eq(pick("{\"cert\":[\"C\"],\"key\":\"K\"}"), -1);
	ck_assert_ptr_nonnull(strstr(why.text, "a list"));
	ck_assert_int_eq(pick("{\"cert\":\"C\",\"key\":\"K\",\"chain\":[5]}"), -1);
}
END_TEST

START_TEST(fields_that_are_told_are_the_only_ones)
{
	entry.fields_given = true;
	entry.fields[PART_FULLCHAIN] = (char *)"x";
	entry.fields[PART_KEY] = (char *)"y";
	ck_assert_int_eq(pick("{\"x\":\"F\",\"y\":\"K\",\"cert\":\"C\"}"), 0);
	ck_assert_str_eq(text_of(PART_FULLCHAIN), "F");
	ck_assert_str_eq(text_of(PART_CERT), "");
	ck_assert_int_eq(pick("{\"x\":\"F\",\"cert\":\"C\"}"), -1);
	ck_assert_str_eq(why.text, "expected a field y, found: x, cert");
}
END_TEST

START_TEST(a_field_that_was_told_and_is_no_text_is_refused)
{
	entry.fields_given = true;
	entry.fields[PART_CERT] = (char *)"x";
	entry.fields[PART_KEY] = (char *)"y";
	ck_assert_int_eq(pick("{\"x\":\"C\",\"y\":[\"K\"]}"), -1);
	ck_assert_str_eq(why.text, "expected text in the field y, found a list");
	ck_assert_int_eq(why.kind, FAILURE_REFUSED);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("kv-fields");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, known_layouts_are_read);
	tcase_add_test(tests, a_missing_field_is_named_with_the_names_that_are_there);
	tcase_add_test(tests, a_crowd_of_fields_is_not_listed_whole);
	tcase_add_test(tests, a_value_that_is_no_text_is_refused);
	tcase_add_test(tests, fields_that_are_told_are_the_only_ones);
	tcase_add_test(tests, a_field_that_was_told_and_is_no_text_is_refused);
	return run_tests("kv-fields", tests);
}
