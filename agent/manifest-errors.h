/* SPDX-License-Identifier: ISC */
/*
 * manifest-errors: all that is wrong with a manifest, collected while it is read so that it is
 * told in one go.
 */
#ifndef CERTLET_MANIFEST_ERRORS_H
#define CERTLET_MANIFEST_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

struct manifest_error {
	unsigned int line;	/* 0: of the whole file */
	char *text;		/* one line, printable, without file and line */
};

struct manifest_errors {	/* {0}: none */
	struct manifest_error *items;
	size_t count;
	bool absent;		/* there is no such file, which is one of the errors */
};

/* Returns -1, so that `return manifest_errors_add(…)` reports and fails. */
int manifest_errors_add(struct manifest_errors *errors, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Those of another file, which is named in front of each; they count as of the whole manifest. */
void manifest_errors_add_file(struct manifest_errors *errors, const char *file,
    const struct manifest_errors *from);
void manifest_errors_sort(struct manifest_errors *errors);	/* by line, then by text */
void manifest_errors_clear(struct manifest_errors *errors);

#endif
