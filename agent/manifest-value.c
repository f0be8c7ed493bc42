/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "manifest-value.h"
#include "set.h"
#include "times.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LARGEST_ACCOUNT 4294967294ul	/* the next one, (uid_t)-1, means "leave as it is" */

int
value_wrong(const struct inifile_pair *pair, struct manifest_errors *errors,
    const char *format, ...)
{
	char text[FAILURE_TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return manifest_errors_add(errors, pair->line, "%s: %s", pair->key, text);
}

void
value_words(const struct inifile_pair *pair, struct words *out_words)
{
	*out_words = (struct words){ 0 };
	words_split(out_words, pair->value, VALUE_BLANKS);
}

int
value_unique(const struct inifile_pair *pair, const struct words *words,
    struct manifest_errors *errors)
{
	struct set seen = { 0 };
	int result = 0;

	for (size_t i = 0; i < words->count; i++) {
		bool is_new;

		set_add(&seen, words->items[i], i, &is_new);
		if (!is_new)
			result = value_wrong(pair, errors, "%s stands twice in the list",
			    words->items[i]);
	}
	set_clear(&seen);
	return result;
}

int
value_keep_words(int result, struct words *take_words, struct words *field)
{
	words_clear(result == -1 ? take_words : field);
	if (result == 0)
		*field = *take_words;
	return result;
}

int
value_choose(const struct inifile_pair *pair, const char *const names[],
    struct manifest_errors *errors)
{
	char accepted[256] = "";
	size_t length = 0;

	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(pair->value, names[i]) == 0)
			return i;
		length += (size_t)snprintf(accepted + length, sizeof(accepted) - length, "%s%s",
		    i == 0 ? "" : names[i + 1] != NULL ? ", " : " or ", names[i]);
	}
	return value_wrong(pair, errors, "%s is not accepted; it is %s", pair->value, accepted);
}

int
value_word(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	if (strpbrk(pair->value, VALUE_BLANKS) != NULL)
		return value_wrong(pair, errors, "%s has a blank in it; it is one word",
		    pair->value);
	memory_replace(field, pair->value);
	return 0;
}

/* Whether a part of the path, between its slashes, is this one. */
static bool
has_part(const char *path, const char *part)
{
	const size_t part_length = strlen(part);
	size_t length;

	for (;; path += length + 1) {
		length = strcspn(path, "/");
		if (length == part_length && strncmp(path, part, length) == 0)
			return true;
		if (path[length] == '\0')
			return false;
	}
}

const char *
value_path_problem(const char *path)
{
	if (path[0] != '/')
		return "is not an absolute path";
	if (path[strlen(path) - 1] == '/')
		return "ends in a slash";
	if (has_part(path + 1, ""))
		return "has two slashes in a row";
	if (has_part(path, ".") || has_part(path, ".."))
		return "has a part that is . or ..";
	return NULL;
}

int
value_path(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	const char *problem = value_path_problem(pair->value);

	/* Not shown where it may be the secret itself that the file should hold. */
	if (problem != NULL)
		return value_wrong(pair, errors, "%s %s; as in /etc/certlet/file",
		    pair->value[0] == '/' ? pair->value : "the value", problem);
	memory_replace(field, pair->value);
	return 0;
}

int
value_account(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	const char *value = pair->value;

	if (value[strspn(value, DIGITS)] == '\0') {
		if (strtoul(value, NULL, 10) > LARGEST_ACCOUNT)
			return value_wrong(pair, errors, "%s is no number of a user or group; "
			    "0 to %lu", value, LARGEST_ACCOUNT);
	} else if (value[0] == '-' || strpbrk(value, VALUE_BLANKS ":,/") != NULL) {
		return value_wrong(pair, errors, "%s is neither a name nor a number", value);
	}
	memory_replace(field, value);
	return 0;
}

const char *
value_vault_path_problem(const char *path)
{
	if (has_part(path, ""))
		return "has an empty part: a slash at an end, or two in a row";
	if (has_part(path, ".") || has_part(path, ".."))
		return "has a part that is . or ..";
	if (path[strlen(path) - 1] == '.')
		return "ends in a period, which Vault refuses";
	/* A policy that names it would give more than this path (VAULT.md 2.4). */
	if (path[strlen(path) - 1] == '*' || has_part(path, "+") || strstr(path, "+*") != NULL ||
	    strstr(path, "{{") != NULL || strstr(path, "}}") != NULL)
		return "holds a wildcard of Vault's policies";
	return NULL;
}

int
value_mount(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	const char *problem = value_vault_path_problem(pair->value);

	for (const char *c = pair->value; *c != '\0' && problem == NULL; c++)
		if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
			problem = "has a blank or a character beyond ASCII in it";
	if (problem != NULL)
		return value_wrong(pair, errors, "%s %s; as in secret or team/secret", pair->value,
		    problem);
	memory_replace(field, pair->value);
	return 0;
}

bool
value_is_name(const char *name, const char *more)
{
	const size_t length = strlen(name);

	if (length == 0 || length > 253 || strchr(".-", name[0]) != NULL || name[length - 1] == '.')
		return false;
	for (const char *c = name; *c != '\0'; c++)
		if (strchr(LETTERS DIGITS ".-_", *c) == NULL && strchr(more, *c) == NULL)
			return false;
	return true;
}

int
value_unit(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	if (!value_is_name(pair->value, ":@\\"))
		return value_wrong(pair, errors, "%s is no name of a unit; as in nginx.service",
		    pair->value);
	memory_replace(field, pair->value);
	return 0;
}

int
value_mode(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	const size_t digits = strspn(pair->value, "01234567");
	unsigned long mode;

	if (digits < 3 || digits > 4 || pair->value[digits] != '\0' ||
	    (mode = strtoul(pair->value, NULL, 8)) > 0777)
		return value_wrong(pair, errors, "%s is no mode; three or four octal digits up to "
		    "0777, as in 0640", pair->value);
	*(mode_t *)field = (mode_t)mode;
	return 0;
}

int
value_key_mode(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	mode_t mode;

	if (value_mode(pair, &mode, errors) == -1)
		return -1;
	if ((mode & 0007) != 0)
		return value_wrong(pair, errors, "%s %s; 0600 or 0640 are usual", pair->value,
		    (mode & 0004) != 0 ? "lets others read the key" : "has a bit for others");
	*(mode_t *)field = mode;
	return 0;
}

int
value_duration(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	if (!times_parse_duration(pair->value, field))
		return value_wrong(pair, errors, "%s is no duration; a number and s, m, h or d, as "
		    "in 30s or 25d, up to a hundred years", pair->value);
	return 0;
}

int
value_long_duration(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	long seconds;

	if (value_duration(pair, &seconds, errors) == -1)
		return -1;
	if (seconds == 0)
		return value_wrong(pair, errors, "%s is no time at all; 1s or more", pair->value);
	*(long *)field = seconds;
	return 0;
}

int
value_boolean(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	static const char *const names[] = { "no", "yes", NULL };
	const int choice = value_choose(pair, names, errors);

	if (choice == -1)
		return -1;
	*(bool *)field = choice == 1;
	return 0;
}

/* False when a quote is not closed before its line ends. */
static bool
split_command(const char *text, struct words *words)
{
	char *word = memory_new(strlen(text) + 1, 1);
	size_t length = 0;
	bool in_word = false;
	char quote = '\0';

	for (; *text != '\0' && (quote == '\0' || *text != '\n'); text++) {
		if (quote == '\0' && strchr(VALUE_BLANKS, *text) != NULL) {
			word[length] = '\0';
			if (in_word)
				words_add(words, word);
			in_word = false;
			length = 0;
			continue;
		}
		in_word = true;
		if (quote == '\0' ? *text == '\'' || *text == '"' : *text == quote)
			quote = quote == '\0' ? *text : '\0';
		else
			word[length++] = *text;
	}
	word[length] = '\0';
	if (in_word)
		words_add(words, word);
	free(word);
	return quote == '\0';
}

int
value_command(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct words words = { 0 };
	int result = 0;

	if (!split_command(pair->value, &words))
		result = value_wrong(pair, errors, "a quote that is not closed on its line");
	else if (words.items[0][0] != '/')
		result = value_wrong(pair, errors, "%s is not an absolute path; a command begins "
		    "with one, and no shell runs it", words.items[0]);
	return value_keep_words(result, &words, field);
}
