/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.c"
#include "failure.h"
#include "support/runner.h"

/* The kernel's flags of the mapping that an address lies in (proc(5), smaps): " rd wr … dd ". */
static void
find_flags(const void *address, char flags[256])
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	bool inside = false;
	char line[512];

	flags[0] = '\0';
	ck_assert_ptr_nonnull(smaps);
	while (fgets(line, sizeof(line), smaps) != NULL) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)address >= start && (unsigned long)address < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			(void)snprintf(flags, 256, "%.250s", line + 8);
	}
	(void)fclose(smaps);
}

static bool
can_lock(void)
{
	struct rlimit limit;

	return geteuid() == 0 ||
	    (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= 64 * REGION_BYTES);
}

static bool
holds_only(const char *block, size_t room, int byte)
{
	for (size_t i = 0; i < room; i++)
		if (block[i] != byte)
			return false;
	return true;
}

START_TEST(what_is_given_back_is_wiped_and_taken_again)
{
	size_t room, again;
	char *block = arena_take(100, &room), *other;

	ck_assert_uint_eq(room, 128);
	ck_assert(holds_only(block, room, 0));
	memset(block, 'x', room);
	arena_give_back(block, room);
	for (size_t i = sizeof(struct free_block); i < room; i++)
		ck_assert_int_eq(block[i], 0);
	other = arena_take(65, &again);
	ck_assert_ptr_eq(other, block);
	ck_assert_uint_eq(again, room);
	ck_assert(holds_only(block, room, 0));
	arena_give_back(NULL, 0);
}
END_TEST

START_TEST(blocks_of_all_sizes_do_not_overlap)
{
	enum { COUNT = 40 };
	char *blocks[COUNT];
	size_t rooms[COUNT];

	for (int i = 0; i < COUNT; i++) {
		blocks[i] = arena_take((size_t)1 << (i % 20), &rooms[i]);
		memset(blocks[i], i + 1, rooms[i]);
	}
	for (int i = 0; i < COUNT; i++)
		ck_assert(holds_only(blocks[i], rooms[i], i + 1));
	for (int i = 0; i < COUNT; i++)
		arena_give_back(blocks[i], rooms[i]);
}
END_TEST

START_TEST(it_is_locked_and_in_no_core_dump)
{
	char flags[256];
	size_t room;

	find_flags(arena_take(1, &room), flags);
	ck_assert_msg(strstr(flags, " dd ") != NULL, "flags:%s", flags);
	if (can_lock())
		ck_assert_msg(strstr(flags, " lo ") != NULL, "flags:%s", flags);
	find_flags(arena_take(3 * REGION_BYTES, &room), flags);
	ck_assert_msg(strstr(flags, " dd ") != NULL, "flags:%s", flags);
}
END_TEST

START_TEST(a_child_locks_what_it_inherited)
{
	char flags[256];
	int status;
	size_t room;
	void *block;
	pid_t child;

	if (!can_lock())
		return;		/* there is nothing to see */
	block = arena_take(1, &room);
	if ((child = fork()) == 0) {
		find_flags(block, flags);
		if (strstr(flags, " lo ") != NULL || strstr(flags, " dd ") == NULL)
			_exit(1);
		arena_lock();
		find_flags(block, flags);
		_exit(strstr(flags, " lo ") != NULL ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(what_no_machine_has_ends_with_exit_code_5)
{
	size_t room;

	(void)arena_take(SIZE_MAX / 2, &room);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("arena");

	tcase_add_test(tests, what_is_given_back_is_wiped_and_taken_again);
	tcase_add_test(tests, blocks_of_all_sizes_do_not_overlap);
	tcase_add_test(tests, it_is_locked_and_in_no_core_dump);
	tcase_add_test(tests, a_child_locks_what_it_inherited);
	tcase_add_exit_test(tests, what_no_machine_has_ends_with_exit_code_5, EXIT_BROKEN);
	return run_tests("arena", tests);
}
