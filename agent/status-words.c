/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "status-words.h"
#include "times.h"

#define DAY_SECONDS 86400L
#define FINGERPRINT_SHOWN 16

struct problem_words {
	const char *name, *words;
	const char *next;	/* what happens next where no time is set for it */
};

static const struct problem_words problems[] = {
	{ "failed", "failed", "at every run" },
	{ "refused", "refused", "with another version, or by certlet --sync" },
	{ "quarantined", "rolled back", "by certlet --sync" },
	{ "waiting", "waiting", "at every run" },
	{ "still_used", "still used", "at every run; certlet --sync NAME --force deletes it now" },
};

static const char *const exit_words[] = {
	[EXIT_WANTED] = "all is as wanted",
	[EXIT_SETUP] = "nothing was touched",
	[EXIT_PARTLY] = "some certificate or service is not as wanted",
	[EXIT_VAULT] = "Vault gave no answer or did not let us in",
	[EXIT_LOCKED] = "another run held the lock",
	[EXIT_BROKEN] = "certlet itself failed",
};

char *
status_words_time(time_t when, time_t now, bool brief)
{
	char date[TIMES_TEXT_BYTES], about[TIMES_TEXT_BYTES];
	const long distance = (long)(when - now);

	if (when == 0)
		return memory_text("-");
	(void)times_local(when, date);
	if (brief && labs(distance) >= 2 * DAY_SECONDS)
		date[strcspn(date, " ")] = '\0';
	if (distance == 0)
		return memory_format("%s, now", date);
	return distance > 0 ? memory_format("%s, in %s", date, times_about(distance, about)) :
	    memory_format("%s, %s ago", date, times_about(-distance, about));
}

char *
status_words_version(const struct seen_certificate *seen)
{
	if (seen->version == 0)
		return memory_text("-");
	if (seen->offered_version == 0 || seen->offered_version == seen->version)
		return memory_format("%ld", seen->version);
	return memory_format("%ld (Vault: %ld)", seen->version, seen->offered_version);
}

static struct problem_words
find_problem(const char *name)
{
	for (size_t i = 0; i < sizeof(problems) / sizeof(*problems); i++)
		if (strcmp(problems[i].name, name) == 0)
			return problems[i];
	return (struct problem_words){ name, name, "at every run" };
}

char *
status_words_problem(const struct seen_certificate *seen)
{
	const struct problem_words problem = find_problem(seen->problem);
	const char *error = seen->error != NULL ? seen->error : "";
	const char *colon = seen->error != NULL ? ": " : "";
	char since[TIMES_TEXT_BYTES];

	return seen->error_time == 0 ? memory_format("%s%s%s", problem.words, colon, error) :
	    memory_format("%s since %s%s%s", problem.words, times_local(seen->error_time, since),
	    colon, error);
}

char *
status_words_next_try(const struct seen_certificate *seen, time_t now)
{
	char *when, *words;

	if (seen->next_try == 0)
		return memory_format("next try: %s", find_problem(seen->problem).next);
	/* The time has come: the next run, whenever that is. */
	if (seen->next_try <= now)
		return memory_text("next try: at the next run");
	when = status_words_time(seen->next_try, now, /* brief= */ false);
	words = memory_format("next try: %s", when);
	free(when);
	return words;
}

char *
status_words_serving(const struct seen_status *status, const char *fingerprint)
{
	if (fingerprint == NULL)
		return memory_text("-");
	for (size_t i = 0; i < status->certificate_count; i++) {
		const struct seen_certificate *seen = &status->certificates[i];

		if (seen->fingerprint != NULL && strcmp(seen->fingerprint, fingerprint) == 0)
			return memory_text(seen->name);
	}
	return memory_format("another one, %.*s…", FINGERPRINT_SHOWN, fingerprint);
}

char *
status_words_credentials(const struct seen_status *status, time_t now)
{
	const char *word = status->credentials != NULL ? status->credentials : "unknown";
	char *when, *words;

	if (status->secret_id_expires == 0)
		return memory_text(word);
	when = status_words_time(status->secret_id_expires, now, /* brief= */ true);
	words = memory_format("%s, secret-id until %s", word, when);
	free(when);
	return words;
}

char *
status_words_run(const struct seen_status *status, time_t now)
{
	const size_t code = (size_t)status->exit;
	const char *meaning = code < sizeof(exit_words) / sizeof(*exit_words) ?
	    exit_words[code] : "?";
	char *words = status_words_time(status->last_run, now, /* brief= */ false);

	memory_append(&words, "; exit %ld, %s; %.2f s", status->exit, meaning, status->seconds);
	return words;
}

char *
status_words_success(const struct seen_status *status, time_t now)
{
	char *words;

	if (status->last_success == 0)
		return memory_text("never");
	words = status_words_time(status->last_success, now, /* brief= */ false);
	if (status->stale)
		memory_append(&words, " (%s)", status->last_success > now ? "the clock was ahead then" :
		    "too long: does the timer run, is Vault there?");
	return words;
}

char *
status_words_sandbox(const struct seen_status *status)
{
	char *layers = words_join(&status->sandbox, " ", SIZE_MAX, "none");

	if (!words_contain(&status->sandbox, "user"))
		memory_append(&layers, " (runs without dropping its user)");
	return layers;
}
