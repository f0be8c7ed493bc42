/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "findings.h"
#include "memory.h"
#include "text.h"
#include "times.h"

#define FINDINGS_MOST 5
#define DAY_SECONDS 86400L

static const char *const result_names[] = {
	[CHECK_OK] = "OK", [CHECK_WARNING] = "WARNING", [CHECK_CRITICAL] = "CRITICAL",
	[CHECK_UNKNOWN] = "UNKNOWN",
};

/* The bar separates what people read from the figures of the plugin. */
static char *
readable(const char *words, size_t most)
{
	char *copy = text_cut_end(words != NULL ? words : "", most);

	for (char *c = copy; *c != '\0'; c++)
		if (*c == '|')
			*c = '/';
	return copy;
}

char *
findings_words(const char *words)
{
	return readable(words, FINDINGS_WORDS_MOST);
}

char *
findings_expiry(const char *name, time_t not_after, time_t now)
{
	char about[TIMES_TEXT_BYTES];

	return not_after > now ?
	    memory_format("%s expires in %s", name, times_about(not_after - now, about)) :
	    memory_format("%s expired %s ago", name, times_about(now - not_after, about));
}

void
findings_add(struct findings *findings, enum check_result level, char *take_words)
{
	findings->items = memory_grow(findings->items, findings->count + 1,
	    sizeof(*findings->items));
	findings->items[findings->count++] = (struct finding){ level, readable(take_words, 0) };
	free(take_words);
}

void
findings_count(struct findings *findings, enum check_result level, const char *name,
    time_t not_after)
{
	findings->certificates++;
	findings->critical += level == CHECK_CRITICAL;
	findings->warning += level == CHECK_WARNING;
	if (not_after == 0 || (findings->first != NULL && findings->first_expiry <= not_after))
		return;
	findings->first = name;
	findings->first_expiry = not_after;
}

void
findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		free(findings->items[i].words);
	free(findings->items);
	*findings = (struct findings){ 0 };
}

/* The critical ones before the others, each kind in the order in which they were added. */
static void
print_items(const struct findings *findings)
{
	size_t printed = 0;

	for (int level = CHECK_CRITICAL; level >= CHECK_WARNING; level--)
		for (size_t i = 0; i < findings->count && printed < FINDINGS_MOST; i++)
			if ((int)findings->items[i].level == level)
				printf("%s%s", printed++ == 0 ? "" : "; ",
				    findings->items[i].words);
	if (findings->count > printed)
		printf(" and %zu more", findings->count - printed);
}

static void
print_figures(const struct findings *findings, time_t now)
{
	printf(" | certificates=%zu critical=%zu warning=%zu", findings->certificates,
	    findings->critical, findings->warning);
	if (findings->first != NULL)
		printf(" first_expiry_days=%ld",
		    (long)(findings->first_expiry - now) / DAY_SECONDS);
	(void)putchar('\n');
}

static void
print_all_is_well(const struct findings *findings, time_t now)
{
	char about[TIMES_TEXT_BYTES], *name = readable(findings->first, 0);

	printf("%zu certificate%s", findings->certificates,
	    findings->certificates == 1 ? "" : "s");
	if (findings->first != NULL)
		printf(", %s expires first, in %s", name,
		    times_about(findings->first_expiry - now, about));
	free(name);
}

enum check_result
findings_worst(const struct findings *findings)
{
	enum check_result worst = CHECK_OK;

	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].level > worst)
			worst = findings->items[i].level;
	return worst;
}

enum check_result
findings_print(const struct findings *findings, time_t now)
{
	const enum check_result worst = findings_worst(findings);

	printf("CERTLET %s - ", result_names[worst]);
	if (worst == CHECK_OK)
		print_all_is_well(findings, now);
	else {
		if (findings->critical + findings->warning != 0)
			printf("%zu of %zu certificates: ", findings->critical + findings->warning,
			    findings->certificates);
		print_items(findings);
	}
	print_figures(findings, now);
	return worst;
}

enum check_result
findings_print_unknown(const char *why)
{
	char *words = findings_words(why);

	printf("CERTLET %s - %s\n", result_names[CHECK_UNKNOWN], words);
	free(words);
	return CHECK_UNKNOWN;
}
