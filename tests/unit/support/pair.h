/* SPDX-License-Identifier: ISC */
/* pair: one value of a manifest, given to one parser. */
#ifndef CERTLET_TESTS_PAIR_H
#define CERTLET_TESTS_PAIR_H

#include <check.h>
#include <string.h>

#include "inifile.h"

struct parsed {
	struct manifest_errors errors;
	int result;
};

static inline struct parsed
parse_pair(int (*parse)(const struct inifile_pair *, void *, struct manifest_errors *),
    const char *value, void *field)
{
	const struct inifile_pair pair = { (char *)"key", (char *)value, 7 };
	struct parsed parsed = { 0 };

	parsed.result = parse(&pair, field, &parsed.errors);
	return parsed;
}

#define ACCEPT(parse, value, field) do { \
	struct parsed parsed_ = parse_pair(parse, value, field); \
	if (parsed_.errors.count != 0) \
		ck_abort_msg("%s", parsed_.errors.items[0].text); \
	ck_assert_int_eq(parsed_.result, 0); \
} while (0)

/* One error, with these words, and the field is left as it was. */
#define REFUSE(parse, value, field, words) do { \
	struct parsed parsed_ = parse_pair(parse, value, field); \
	ck_assert_int_eq(parsed_.result, -1); \
	ck_assert_uint_eq(parsed_.errors.count, 1); \
	ck_assert_uint_eq(parsed_.errors.items[0].line, 7); \
	ck_assert_int_eq(strncmp(parsed_.errors.items[0].text, "key: ", 5), 0); \
	if (strstr(parsed_.errors.items[0].text, words) == NULL) \
		ck_abort_msg("\"%s\" instead of \"%s\"", parsed_.errors.items[0].text, words); \
	manifest_errors_clear(&parsed_.errors); \
} while (0)

#endif
