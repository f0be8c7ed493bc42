/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <stdio.h>

#include "notes.c"
#include "support/runner.h"

#define NOW 1000000

static struct notes notes;

static void
tear_down(void)
{
	notes_clear(&notes);
}

START_TEST(a_note_is_found_until_its_time_is_over)
{
	notes_set(&notes, "kv-version secret", 2, NOW + 10);
	ck_assert_uint_eq(notes_find(&notes, "kv-version secret", NOW + 9)->value, 2);
	ck_assert_ptr_null(notes_find(&notes, "kv-version secret", NOW + 10));
	ck_assert_ptr_null(notes_find(&notes, "kv-version other", NOW));
}
END_TEST

START_TEST(a_note_of_a_clock_that_went_back_is_not_believed_for_months)
{
	notes_set(&notes, "list x", 0, NOW + NOTES_BELIEVED_SECONDS + 1);
	ck_assert_ptr_null(notes_find(&notes, "list x", NOW));
}
END_TEST

START_TEST(a_note_that_is_set_again_is_one_note)
{
	notes_set(&notes, "list x", 0, NOW + 1);
	notes_set(&notes, "list x", 1, NOW + 2);
	ck_assert_uint_eq(notes.count, 1);
	ck_assert_uint_eq(notes_find(&notes, "list x", NOW)->value, 1);
}
END_TEST

START_TEST(old_notes_are_dropped_and_the_others_stay)
{
	notes_set(&notes, "a", 1, NOW - 1);
	notes_set(&notes, "b", 2, NOW + 1);
	notes_set(&notes, "c", 3, NOW);
	notes_drop_old(&notes, NOW);
	ck_assert_uint_eq(notes.count, 1);
	ck_assert_uint_eq(notes_find(&notes, "b", NOW)->value, 2);
}
END_TEST

START_TEST(more_notes_than_a_run_can_learn_are_forgotten)
{
	char subject[32];

	for (int i = 0; i <= NOTES_MOST; i++) {
		if (i == NOTES_MOST)
			notes_drop_old(&notes, NOW);
		ck_assert_uint_eq(notes.count, i);
		(void)snprintf(subject, sizeof(subject), "metadata %d", i);
		notes.items = memory_grow(notes.items, notes.count + 1, sizeof(*notes.items));
		notes.items[notes.count++] = (struct note){ memory_text(subject), 0, NOW + 1 };
	}
	notes_drop_old(&notes, NOW);
	ck_assert_uint_eq(notes.count, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("notes");

	tcase_add_checked_fixture(tests, NULL, tear_down);
	tcase_add_test(tests, more_notes_than_a_run_can_learn_are_forgotten);
	tcase_add_test(tests, a_note_is_found_until_its_time_is_over);
	tcase_add_test(tests, a_note_of_a_clock_that_went_back_is_not_believed_for_months);
	tcase_add_test(tests, a_note_that_is_set_again_is_one_note);
	tcase_add_test(tests, old_notes_are_dropped_and_the_others_stay);
	return run_tests("notes", tests);
}
