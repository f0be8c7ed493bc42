/* SPDX-License-Identifier: ISC */
/*
 * manifest-value: the text of a value in the manifest → what it means.
 *
 * Every parser has the same shape, so that the tables of manifest-keys.c can name it: it fills
 * *field and returns 0, or adds one error for each thing that is wrong and returns -1. Fields are
 * filled at most twice, by a preset and by the manifest: what was there is freed.
 */
#ifndef CERTLET_MANIFEST_VALUE_H
#define CERTLET_MANIFEST_VALUE_H

#include <stdbool.h>

#include "inifile.h"
#include "manifest.h"

#define VALUE_BLANKS " \t\n"	/* '\n': a list that goes on on an indented line */

/* Adds "KEY: …" for the line of the pair; returns -1. */
int value_wrong(const struct inifile_pair *pair, struct manifest_errors *errors,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The place of the value among the names, whose last is NULL; -1 when it is none of them. */
int value_choose(const struct inifile_pair *pair, const char *const names[],
    struct manifest_errors *errors);
/* Split at blanks. */
void value_words(const struct inifile_pair *pair, struct words *out_words);
/* -1 when a word stands there twice. */
int value_unique(const struct inifile_pair *pair, const struct words *words,
    struct manifest_errors *errors);
/* Into the field, in the place of what is there, or away where `result` is -1; returns that. */
int value_keep_words(int result, struct words *take_words, struct words *field);

#define VALUE_PARSER(name) \
	int name(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
VALUE_PARSER(value_word);		/* char *: no blank in it */
VALUE_PARSER(value_path);		/* char *: a file or directory by its absolute path */
VALUE_PARSER(value_account);		/* char *: a user or group by name or number */
VALUE_PARSER(value_mount);		/* char *: a mount of Vault's, or a namespace */
VALUE_PARSER(value_unit);		/* char *: a unit of systemd's */
VALUE_PARSER(value_mode);		/* mode_t */
VALUE_PARSER(value_key_mode);		/* mode_t: nothing for others */
VALUE_PARSER(value_duration);		/* long: seconds */
VALUE_PARSER(value_long_duration);	/* long: seconds, not 0 */
VALUE_PARSER(value_boolean);		/* bool */
VALUE_PARSER(value_command);		/* struct words: an argv */

/* In manifest-address.c: what can be talked to. */
VALUE_PARSER(value_addresses);		/* struct words: URLs */
VALUE_PARSER(value_proxy);		/* char *: a URL */
VALUE_PARSER(value_host_name);		/* char * */
VALUE_PARSER(value_verify);		/* struct service */

/* What is wrong with a path: of this machine, of Vault's. NULL: nothing. */
const char *value_path_problem(const char *path);
const char *value_vault_path_problem(const char *path);

/* Letters, digits, `.`, `-`, `_` and what is in `more`; at most 253; no `.` or `-` at the
 * beginning, no `.` at the end. */
bool value_is_name(const char *name, const char *more);

#endif
