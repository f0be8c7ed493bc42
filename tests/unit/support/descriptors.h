/* SPDX-License-Identifier: ISC */
/* descriptors: lets a program run out of file descriptors, as if a run had leaked them. */
#ifndef CERTLET_TESTS_DESCRIPTORS_H
#define CERTLET_TESTS_DESCRIPTORS_H

#include <check.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit descriptors_before;

/* No more than `spare` can be opened until descriptors_give_back(). */
static inline void
descriptors_take(unsigned int spare)
{
	const int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct rlimit few;

	ck_assert_int_ne(first, -1);
	ck_assert_int_eq(close(first), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &descriptors_before), 0);
	few = (struct rlimit){ (rlim_t)first + spare, descriptors_before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static inline void
descriptors_give_back(void)
{
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors_before), 0);
}

#endif
