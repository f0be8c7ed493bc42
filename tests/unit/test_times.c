/* SPDX-License-Identifier: ISC */
#include <check.h>

#include "times.c"
#include "support/runner.h"

START_TEST(a_time_is_written_as_rfc3339_in_utc)
{
	char text[TIMES_TEXT_BYTES];

	ck_assert_str_eq(times_rfc3339(1795456800, text), "2026-11-23T18:00:00Z");
	ck_assert_str_eq(times_rfc3339(4102444800, text), "2100-01-01T00:00:00Z");
	ck_assert_str_eq(times_rfc3339(0, text), "");
}
END_TEST

START_TEST(a_time_of_any_year_is_written_so_that_it_can_be_read_or_not_at_all)
{
	static const char *const texts[] = { "0000-01-01T00:00:00Z", "0577-11-23T18:00:00Z",
		"1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z" };
	char text[TIMES_TEXT_BYTES];
	time_t when;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		ck_assert(times_parse_rfc3339(texts[i], &when, NULL));
		ck_assert_str_eq(times_rfc3339(when, text), texts[i]);
	}
	ck_assert_str_eq(times_rfc3339(when + 1, text), "");
	ck_assert(times_parse_rfc3339("0000-01-01T00:00:00+00:01", &when, NULL));
	ck_assert_str_eq(times_rfc3339(when, text), "");
}
END_TEST

START_TEST(what_vault_writes_is_read_with_its_nanoseconds)
{
	time_t when;
	long nanoseconds;

	ck_assert(times_parse_rfc3339("2026-11-23T18:00:00.123456789Z", &when, &nanoseconds));
	ck_assert_int_eq(when, 1795456800);
	ck_assert_int_eq(nanoseconds, 123456789);
	ck_assert(times_parse_rfc3339("2026-11-23T18:00:00.5Z", &when, &nanoseconds));
	ck_assert_int_eq(nanoseconds, 500000000);
	ck_assert(times_parse_rfc3339("2026-11-23T18:00:00Z", &when, NULL));
}
END_TEST

START_TEST(an_offset_is_taken_into_account)
{
	time_t when;

	ck_assert(times_parse_rfc3339("2026-11-23T19:30:00+01:30", &when, NULL));
	ck_assert_int_eq(when, 1795456800);
	ck_assert(times_parse_rfc3339("2026-11-23T10:00:00-08:00", &when, NULL));
	ck_assert_int_eq(when, 1795456800);
}
END_TEST

START_TEST(what_is_no_time_is_refused)
{
	static const char *const texts[] = {
		"", "2026", "2026-11-23", "2026-11-23T18:00:00", "2026-11-23 18:00:00Z",
		"2026-13-23T18:00:00Z", "2026-11-23T25:00:00Z", "2026-11-23T18:00:00.Z",
		"2026-11-23T18:00:00Zx", "2026-11-23T18:00:00+0100", "sha256:00",
	};
	time_t when;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		ck_assert_msg(!times_parse_rfc3339(texts[i], &when, NULL), "%s", texts[i]);
}
END_TEST

START_TEST(durations_have_one_number_and_one_unit)
{
	static const char *const wrong[] = {
		"", "s", "10", "10w", "1h30m", "-1s", " 1s", "1s ", "1.5h", "99999999999s", "40000d",
	};
	long seconds;

	ck_assert(times_parse_duration("30s", &seconds) && seconds == 30);
	ck_assert(times_parse_duration("10m", &seconds) && seconds == 600);
	ck_assert(times_parse_duration("12h", &seconds) && seconds == 43200);
	ck_assert(times_parse_duration("25d", &seconds) && seconds == 2160000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		ck_assert_msg(!times_parse_duration(wrong[i], &seconds), "%s", wrong[i]);
}
END_TEST

START_TEST(people_get_the_unit_they_need)
{
	char text[TIMES_TEXT_BYTES];

	ck_assert_str_eq(times_about(90 * 86400, text), "90 days");
	ck_assert_str_eq(times_about(86400, text), "24 h");
	ck_assert_str_eq(times_about(3600, text), "60 min");
	ck_assert_str_eq(times_about(59, text), "59 s");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("times");

	tcase_add_test(tests, a_time_is_written_as_rfc3339_in_utc);
	tcase_add_test(tests, a_time_of_any_year_is_written_so_that_it_can_be_read_or_not_at_all);
	tcase_add_test(tests, what_vault_writes_is_read_with_its_nanoseconds);
	tcase_add_test(tests, an_offset_is_taken_into_account);
	tcase_add_test(tests, what_is_no_time_is_refused);
	tcase_add_test(tests, durations_have_one_number_and_one_unit);
	tcase_add_test(tests, people_get_the_unit_they_need);
	return run_tests("times", tests);
}
