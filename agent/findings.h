/* SPDX-License-Identifier: ISC */
/*
 * findings: the one line by which a plugin tells Nagios and Icinga what needs attention:
 * "CERTLET WARNING - 1 of 3 certificates: … | certificates=3 …".
 */
#ifndef CERTLET_FINDINGS_H
#define CERTLET_FINDINGS_H

#include <stddef.h>
#include <time.h>

#define FINDINGS_WORDS_MOST 120	/* columns of one error: the line goes into a text message */

/* What is printed as the plugin's exit code. */
enum check_result { CHECK_OK = 0, CHECK_WARNING = 1, CHECK_CRITICAL = 2, CHECK_UNKNOWN = 3 };

struct findings {
	struct finding {
		enum check_result level;
		char *words;
	} *items;
	size_t count;
	size_t certificates, critical, warning;	/* all, and those of that level */
	const char *first;		/* to expire; NULL: none; borrowed */
	time_t first_expiry;
};

void findings_add(struct findings *findings, enum check_result level, char *take_words);
/* One of `certificates`, which lives until then. 0: it is not known, or there is none. */
void findings_count(struct findings *findings, enum check_result level, const char *name,
    time_t not_after);
void findings_clear(struct findings *findings);

/* Words as they can stand in the line: cut, without the bar that would end it. Caller frees. */
char *findings_words(const char *words);
/* "NAME expires in 5 days", "NAME expired 3 h ago". Caller frees. */
char *findings_expiry(const char *name, time_t not_after, time_t now);

enum check_result findings_worst(const struct findings *findings);
/* The line, to standard output; the worst level. */
enum check_result findings_print(const struct findings *findings, time_t now);
/* The line of a check that came to nothing. */
enum check_result findings_print_unknown(const char *why);

#endif
