/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <unistd.h>

#include "publish-list-show.c"
#include "support/runner.h"
#include "support/status_file.h"

static struct held items[4];
static struct repository repository = { .items = items, .whole = true };
static struct vault_settings vault = { .kv_mount = (char *)"secret" };
static const struct shelf shelf = {
	.repository = &repository, .vault = &vault, .warn = 25 * TEST_DAY,
	.critical = 7 * TEST_DAY, .now = TEST_NOW,
};

/* A certificate of `life` days that ends in `days`. */
static struct held *
add(const char *name, long life, long days)
{
	struct held *held = &items[repository.count++];
	struct leaf *leaf = &held->notes.edition.leaf;

	held->name = memory_text(name);
	held->version = 3;
	held->notes.key_since = 3;
	leaf->not_after = TEST_NOW + days * TEST_DAY;
	leaf->not_before = leaf->not_after - life * TEST_DAY;
	leaf->issuer = memory_text("CN=E6");
	leaf->serial = memory_text("0a");
	words_add(&leaf->names, name);
	return held;
}

static struct held *
add_unknown(const char *name)
{
	struct held *held = &items[repository.count++];

	held->name = memory_text(name);
	held->version = 2;
	(void)failure_set(&held->why, FAILURE_ABSENT, "nothing is noted of it");
	return held;
}

static void
set_up(void)
{
	setenv("TZ", "UTC", 1);
}

static void
tear_down(void)
{
	for (size_t i = 0; i < repository.count; i++) {
		free(items[i].name);
		publish_notes_clear(&items[i].notes);
	}
}

static const char *
print(void (*show)(const struct shelf *))
{
	capture_begin(STDOUT_FILENO);
	show(&shelf);
	return capture_end(STDOUT_FILENO);
}

START_TEST(the_thresholds_make_the_state)
{
	static const struct { long life, days; enum held_state state; } cases[] = {
		{ 90, 26, HELD_OK }, { 90, 24, HELD_EXPIRING }, { 90, 6, HELD_CRITICAL },
		{ 90, 0, HELD_EXPIRED }, { 90, -5, HELD_EXPIRED },
		/* a fifth and a tenth of a short life */
		{ 50, 11, HELD_OK }, { 50, 9, HELD_EXPIRING }, { 50, 4, HELD_CRITICAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_int_eq(state_of(&shelf, add("a", cases[i].life, cases[i].days)),
		    cases[i].state);
		tear_down();
		memset(items, 0, sizeof(items));
		repository.count = 0;
	}
	ck_assert_int_eq(state_of(&shelf, add_unknown("b")), HELD_UNKNOWN);
	add("c", 90, 80)->deleted = true;
	ck_assert_int_eq(state_of(&shelf, &items[1]), HELD_DELETED);
}
END_TEST

START_TEST(the_table_tells_keys_that_are_the_same_for_long)
{
	add("a.example.com", 90, 80);
	add("b.example.com", 90, 20)->notes.key_since = 1;
	add_unknown("legacy");
	ck_assert_str_eq(print(list_show_table),
	    "CERTIFICATE    STATE     EXPIRES                 VERSION  KEY      ISSUER\n"
	    "a.example.com  ok        2027-04-05, in 80 days  3        new      CN=E6\n"
	    "b.example.com  expiring  2027-02-04, in 20 days  3        since 1  CN=E6\n"
	    "legacy         unknown   -                       2        -        -\n"
	    "    nothing is noted of it\n"
	    "\n"
	    "2 of 3 certificates need attention\n");
}
END_TEST

START_TEST(json_has_null_for_what_is_not_known)
{
	json_t *document, *certificates, *unknown;

	add("a.example.com", 90, 20)->notes.key_since = 1;
	add_unknown("legacy");
	document = json_loads(print(list_show_json), 0, NULL);
	ck_assert_ptr_nonnull(document);
	certificates = json_object_get(document, "certificates");
	ck_assert_uint_eq(json_array_size(certificates), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(certificates, 0),
	    "days_left")), 20);
	ck_assert(json_is_true(json_object_get(json_array_get(certificates, 0), "key_reused")));
	unknown = json_array_get(certificates, 1);
	ck_assert_str_eq(json_string_value(json_object_get(unknown, "state")), "unknown");
	ck_assert(json_is_null(json_object_get(unknown, "not_after")));
	ck_assert(json_is_null(json_object_get(unknown, "key_reused")));
	json_decref(document);
}
END_TEST

START_TEST(the_line_of_the_plugin_names_what_needs_attention)
{
	enum check_result result;

	add("a.example.com", 90, 80);
	add("b.example.com", 90, 20);
	add_unknown("legacy");
	add("gone", 90, 3)->deleted = true;
	capture_begin(STDOUT_FILENO);
	result = list_show_check(&shelf, true);
	ck_assert_str_eq(capture_end(STDOUT_FILENO), "CERTLET WARNING - 2 of 3 certificates: "
	    "b.example.com expires in 20 days; legacy is unknown: nothing is noted of it | "
	    "certificates=3 critical=0 warning=2 first_expiry_days=20\n");
	ck_assert_int_eq(result, CHECK_WARNING);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("publish-list-show");

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, the_thresholds_make_the_state);
	tcase_add_test(tests, the_table_tells_keys_that_are_the_same_for_long);
	tcase_add_test(tests, json_has_null_for_what_is_not_known);
	tcase_add_test(tests, the_line_of_the_plugin_names_what_needs_attention);
	return run_tests("publish-list-show", tests);
}
