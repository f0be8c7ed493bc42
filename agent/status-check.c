/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "findings.h"
#include "memory.h"
#include "status.h"
#include "status-read.h"
#include "times.h"

/* "WHAT: ERROR", or WHAT alone. */
static void
add(struct findings *findings, enum check_result level, char *take_what, const char *error)
{
	char *words = findings_words(error);

	if (*words != '\0')
		memory_append(&take_what, ": %s", words);
	free(words);
	findings_add(findings, level, take_what);
}

static void
find_certificate(struct findings *findings, const struct seen_certificate *seen, time_t now)
{
	char *state;

	findings_count(findings, seen->level, seen->name, seen->wanted ? seen->not_after : 0);
	if (seen->level == CHECK_OK)
		return;
	state = seen->state == STATUS_MISSING ? memory_format("%s is missing", seen->name) :
	    findings_expiry(seen->name, seen->not_after, now);
	if (seen->problem != NULL)
		memory_append(&state, ", %s", seen->problem);
	add(findings, seen->level, state, seen->problem != NULL ? seen->error : NULL);
}

static void
find_service(struct findings *findings, const struct seen_service *seen)
{
	if (seen->level != CHECK_OK)
		add(findings, seen->level, memory_format("service %s %s", seen->name,
		    seen->level == CHECK_CRITICAL ? "failed" : "is owed a reload"), seen->error);
}

static void
find_run(struct findings *findings, const struct seen_status *status, time_t now)
{
	char about[TIMES_TEXT_BYTES], *what;

	if (status->run_level == CHECK_OK)
		return;
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
	add(findings, status->run_level, what, status->error);
}

/* What the timer cannot mend: somebody has to make new ones. */
static void
find_credentials(struct findings *findings, const struct seen_status *status)
{
	const char *word = status->credentials != NULL ? status->credentials : "";

	if (strcmp(word, "expiring") == 0)
		add(findings, CHECK_WARNING, memory_text("credentials expiring"), NULL);
	else if (strcmp(word, "refused") == 0)
		add(findings, CHECK_WARNING, memory_text("credentials refused"), status->error);
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

enum check_result
status_check(const char *state_directory, time_t now)
{
	struct seen_status status = { 0 };
	struct findings findings;
	enum check_result result;
	struct failure why;

	if (status_read(state_directory, now, &status, &why) == -1)
		return findings_print_unknown(why.text);
	findings = find_all(&status, now);
	result = findings_print(&findings, now);
	findings_clear(&findings);
	status_clear(&status);
	return result;
}
