/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <string.h>

#include "table.c"
#include "support/runner.h"

static const struct table_column columns[] = {
	{ "NAME", TABLE_MIDDLE }, { "STATE", TABLE_WHOLE }, { "SERVICES", TABLE_END },
};

/* Two rows, the second one with these cells. */
static char *
print(size_t width, bool colours, const char *name, const char *services)
{
	char *printed;
	size_t size;
	struct paper paper = { open_memstream(&printed, &size), width, colours };
	struct table *table = table_new(&paper, columns, 3);

	table_add(table, (const char *const[]){ "a", "ok", "nginx" }, COLOUR_GREEN);
	table_add(table, (const char *const[]){ name, "missing", services }, COLOUR_RED);
	table_print_titles(table);
	table_print_row(table, 0);
	table_print_row(table, 1);
	table_free(table);
	(void)fclose(paper.out);
	return printed;
}

static void
check_text(char *take_found, const char *expected)
{
	ck_assert_str_eq(take_found, expected);
	free(take_found);
}

START_TEST(columns_are_as_wide_as_their_widest_cell)
{
	check_text(print(80, false, "b.example", "-"),
	    "NAME       STATE    SERVICES\n"
	    "a          ok       nginx\n"
	    "b.example  missing  -\n");
}
END_TEST

START_TEST(on_a_terminal_names_are_cut_last_and_in_their_middle)
{
	check_text(print(36, false, "averylongname.example.com", "nginx haproxy postfix"),
	    "NAME             STATE    SERVICES\n"
	    "a                ok       nginx\n"
	    "averylo…ple.com  missing  nginx hap…\n");
	check_text(print(50, false, "averylongname.example.com", "nginx haproxy postfix"),
	    "NAME                       STATE    SERVICES\n"
	    "a                          ok       nginx\n"
	    "averylongname.example.com  missing  nginx haproxy…\n");
}
END_TEST

START_TEST(without_a_terminal_nothing_is_cut_and_one_long_name_does_not_widen_the_rest)
{
	char name[254], *printed;

	(void)memset(name, 'x', 253);
	name[253] = '\0';
	printed = print(0, false, name, "nginx haproxy postfix");
	ck_assert_ptr_ne(strstr(printed, name), NULL);
	ck_assert_ptr_eq(strstr(printed, "…"), NULL);
	ck_assert_uint_lt(strcspn(printed, "\n"), 100);
	free(printed);
}
END_TEST

START_TEST(only_the_state_is_coloured)
{
	check_text(print(80, true, "b", "-"),
	    "NAME  STATE    SERVICES\n"
	    "a     \033[32mok\033[0m       nginx\n"
	    "b     \033[31mmissing\033[0m  -\n");
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("table");

	tcase_add_test(tests, columns_are_as_wide_as_their_widest_cell);
	tcase_add_test(tests, on_a_terminal_names_are_cut_last_and_in_their_middle);
	tcase_add_test(tests, without_a_terminal_nothing_is_cut_and_one_long_name_does_not_widen_the_rest);
	tcase_add_test(tests, only_the_state_is_coloured);
	return run_tests("table", tests);
}
