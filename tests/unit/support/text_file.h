/* SPDX-License-Identifier: ISC */
/* text_file: a file of a test's own with a given content, gone when the test program ends. */
#ifndef CERTLET_TESTS_TEXT_FILE_H
#define CERTLET_TESTS_TEXT_FILE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The path of a new file; caller frees and unlinks (text_file_remove). */
static inline char *
text_file_of_bytes(const void *bytes, size_t size)
{
	char path[] = "/tmp/certlet-test-XXXXXX";
	const int file = mkstemp(path);

	ck_assert_int_ne(file, -1);
	ck_assert_int_eq(write(file, bytes, size), (ssize_t)size);
	(void)close(file);
	return strdup(path);
}

static inline char *
text_file(const char *text)
{
	return text_file_of_bytes(text, strlen(text));
}

static inline void
text_file_remove(char *take_path)
{
	(void)unlink(take_path);
	free(take_path);
}

#endif
