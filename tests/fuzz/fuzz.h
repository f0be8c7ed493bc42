/* SPDX-License-Identifier: ISC */
/*
 * fuzz: what the targets share. Each fuzz_X.c gives the bytes of an input to one parser and aborts
 * where a promise of its header is broken. libFuzzer calls it (configure --enable-fuzzing), else
 * replay.c does, for each stored input.
 */
#ifndef CERTLET_TESTS_FUZZ_H
#define CERTLET_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FUZZ_NOW ((time_t)1800000000)	/* 2027-01-15T08:00:00Z, when the made certificates are good */

#define MUST(promise) do {								\
	if (!(promise)) {								\
		(void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #promise);	\
		abort();								\
	}										\
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Stands in for the C library's: an input must mean the same on every day. */
time_t
time(time_t *out_now)
{
	if (out_now != NULL)
		*out_now = FUZZ_NOW;
	return FUZZ_NOW;
}

/* What is told to people: one line that moves no cursor. */
static inline bool
fuzz_is_line(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

#endif
