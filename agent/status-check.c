/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "status.h"
#include "status-read.h"
#include "text.h"
#include "times.h"

#define FINDINGS_MOST 5
#define WORDS_MOST 120		/* columns of one error: the line goes into a text message */
#define DAY_SECONDS 86400L

struct finding {
	enum check_result level;
	char *words;
};

struct findings {
	struct finding *items;
	size_t count;
	size_t critical, warning;	/* certificates */
};

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

static void
add_finding(struct findings *findings, enum check_result level, char *take_words)
{
	findings->items = memory_grow(findings->items, findings->count + 1,
	    sizeof(*findings->items));
	findings->items[findings->count++] = (struct finding){ level, readable(take_words, 0) };
	free(take_words);
}

static char *
describe_state(const struct seen_certificate *seen, time_t now)
{
	char about[TIMES_TEXT_BYTES];

	switch (seen->state) {
	case STATUS_MISSING:
		return memory_format("%s is missing", seen->name);
	case STATUS_EXPIRED:
		return memory_format("%s expired %s ago", seen->name,
		    times_about(now - seen->not_after, about));
	case STATUS_OK:
	case STATUS_EXPIRING:
	case STATUS_STATES:
		break;
	}
	return memory_format("%s expires in %s", seen->name,
	    times_about(seen->not_after - now, about));
}

static void
find_certificate(struct findings *findings, const struct seen_certificate *seen, time_t now)
{
	char *state, *words;

	if (seen->level == CHECK_OK)
		return;
	findings->critical += seen->level == CHECK_CRITICAL;
	findings->warning += seen->level == CHECK_WARNING;
	state = describe_state(seen, now);
	words = readable(seen->error, WORDS_MOST);
	if (seen->problem == NULL)
		add_finding(findings, seen->level, memory_text(state));
	else
		add_finding(findings, seen->level, memory_format("%s, %s%s%s", state, seen->problem,
		    *words != '\0' ? ": " : "", words));
	free(state);
	free(words);
}

static void
find_service(struct findings *findings, const struct seen_service *seen)
{
	char *words;

	if (seen->level == CHECK_OK)
		return;
	words = readable(seen->error, WORDS_MOST);
	add_finding(findings, seen->level, memory_format("service %s %s%s%s", seen->name,
	    seen->level == CHECK_CRITICAL ? "failed" : "is owed a reload",
	    *words != '\0' ? ": " : "", words));
	free(words);
}

static void
find_run(struct findings *findings, const struct seen_status *status, time_t now)
{
	char about[TIMES_TEXT_BYTES], *what, *words;

	if (status->run_level == CHECK_OK)
		return;
	words = readable(status->error, WORDS_MOST);
	if (status->exit == EXIT_BROKEN)
		what = memory_text("the last run failed");
	else if (status->last_success == 0)
		what = memory_text("no run has succeeded yet");
	else if (status->last_success > now)
		what = memory_format("the last success was noted by a clock that was %s ahead",
		    times_about(status->last_success - now, about));
	else
		what = memory_format("no run has succeeded for %s",
		    times_about(now - status->last_success, about));
	add_finding(findings, status->run_level, memory_format("%s%s%s", what,
	    *words != '\0' ? ": " : "", words));
	free(what);
	free(words);
}

/* What the timer cannot mend: somebody has to make new ones. */
static void
find_credentials(struct findings *findings, const struct seen_status *status)
{
	const char *word = status->credentials != NULL ? status->credentials : "";
	const bool expiring = strcmp(word, "expiring") == 0;
	char *words;

	if (!expiring && strcmp(word, "refused") != 0)
		return;
	words = readable(expiring ? NULL : status->error, WORDS_MOST);
	add_finding(findings, CHECK_WARNING, memory_format("credentials %s%s%s", word,
	    *words != '\0' ? ": " : "", words));
	free(words);
}

static struct findings
find_all(const struct seen_status *status, time_t now)
{
	struct findings findings = { 0 };

	for (size_t i = 0; i < status->certificate_count; i++)
		find_certificate(&findings, &status->certificates[i], now);
	for (size_t i = 0; i < status->service_count; i++)
		find_service(&findings, &status->services[i]);
	find_credentials(&findings, status);
	find_run(&findings, status, now);
	return findings;
}

/* The critical ones before the others, each kind in the order of the manifest. */
static void
print_findings(const struct findings *findings)
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

/* NULL: none is installed. */
static const struct seen_certificate *
find_first_to_expire(const struct seen_status *status)
{
	const struct seen_certificate *first = NULL;

	for (size_t i = 0; i < status->certificate_count; i++) {
		const struct seen_certificate *seen = &status->certificates[i];

		if (seen->wanted && seen->not_after != 0 &&
		    (first == NULL || seen->not_after < first->not_after))
			first = seen;
	}
	return first;
}

static void
print_figures(const struct seen_status *status, const struct findings *findings, time_t now)
{
	const struct seen_certificate *first = find_first_to_expire(status);

	printf(" | certificates=%zu critical=%zu warning=%zu", status->certificate_count,
	    findings->critical, findings->warning);
	if (first != NULL)
		printf(" first_expiry_days=%ld", (long)(first->not_after - now) / DAY_SECONDS);
	(void)putchar('\n');
}

static void
print_all_is_well(const struct seen_status *status, time_t now)
{
	const struct seen_certificate *first = find_first_to_expire(status);
	char about[TIMES_TEXT_BYTES], *name = readable(first != NULL ? first->name : NULL, 0);

	printf("%zu certificate%s", status->certificate_count,
	    status->certificate_count == 1 ? "" : "s");
	if (first != NULL)
		printf(", %s expires first, in %s", name,
		    times_about(first->not_after - now, about));
	free(name);
}

static enum check_result
print_line(const struct seen_status *status, time_t now)
{
	struct findings findings = find_all(status, now);
	enum check_result worst = CHECK_OK;

	for (size_t i = 0; i < findings.count; i++)
		if (findings.items[i].level > worst)
			worst = findings.items[i].level;
	printf("CERTLET %s - ", result_names[worst]);
	if (worst == CHECK_OK)
		print_all_is_well(status, now);
	else {
		if (findings.critical + findings.warning != 0)
			printf("%zu of %zu certificates: ", findings.critical + findings.warning,
			    status->certificate_count);
		print_findings(&findings);
	}
	print_figures(status, &findings, now);
	for (size_t i = 0; i < findings.count; i++)
		free(findings.items[i].words);
	free(findings.items);
	return worst;
}

enum check_result
status_check(const char *state_directory, time_t now)
{
	struct seen_status status = { 0 };
	enum check_result result;
	struct failure why;

	if (status_read(state_directory, now, &status, &why) == -1) {
		char *words = readable(why.text, WORDS_MOST);

		printf("CERTLET %s - %s\n", result_names[CHECK_UNKNOWN], words);
		free(words);
		return CHECK_UNKNOWN;
	}
	result = print_line(&status, now);
	status_clear(&status);
	return result;
}
