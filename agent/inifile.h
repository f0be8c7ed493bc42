/* SPDX-License-Identifier: ISC */
/*
 * inifile: the line reader in front of libinih, and the one file that knows it.
 *
 * libinih splits keys from values. It would also cut section names at 49 bytes and lines at 200,
 * take an indented [section] for a value, and know no [end]: sections, comments, line numbers and
 * limits are ours. Nothing is ever shortened: what libinih cannot take is an error.
 *
 * Not called ini.h: that is the name of libinih's own header.
 */
#ifndef CERTLET_INIFILE_H
#define CERTLET_INIFILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "manifest-errors.h"

#define INIFILE_LIMIT_BYTES (16 * 1024 * 1024)
#define INIFILE_LINE_BYTES 198	/* libinih has room for 200: the newline and a NUL are among them */
#define INIFILE_HEADER_BYTES 400	/* libinih never sees a header, and a NAME has up to 253 */

struct inifile_pair {
	char *key;
	char *value;		/* the lines of a value that goes on are joined by '\n' */
	unsigned int line;	/* of the key */
};

struct inifile_section {
	char *title;		/* as between its brackets: "certificate www.example.com" */
	char *kind, *name;	/* "certificate", "www.example.com"; name NULL: none */
	unsigned int line;	/* of the header */
	struct inifile_pair *pairs;
	size_t pair_count;
};

struct inifile {
	struct inifile_section *sections;
	size_t section_count;
	struct stat status;	/* of the file that was read */
};

enum inifile_answer { INIFILE_READ, INIFILE_ABSENT, INIFILE_FAILED };

/*
 * Reads a regular file up to its [end]. INIFILE_READ: *out_inifile holds what could be understood
 * (caller clears) and *errors has one more error for each thing that could not. Otherwise *errors
 * has one more, which says why the file could not be read, and *out_inifile is empty.
 */
enum inifile_answer inifile_read(const char *file, struct inifile *out_inifile,
    struct manifest_errors *errors);
void inifile_clear(struct inifile *inifile);

/* The last of that key, as it counts; NULL: not given. */
const struct inifile_pair *inifile_find(const struct inifile_section *section, const char *key);

#endif
