/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "exposition.h"
#include "log.h"
#include "metrics.h"

#define FIRST_LINE "Written by certlet --sync, anew at each run; certlet --purge removes it."
#define FILE_BEGINS "# " FIRST_LINE "\n"
#define SIZE_MOST (64UL * 1024 * 1024)

/* --- What is told --- */

/* A member of what was seen. */
struct column {
	const char *name, *help;
	enum { TIME, NUMBER, COUNT, FLAG, SECONDS } kind;	/* no sample for a time or number of 0 */
	size_t offset;
};

#define OF_CERTIFICATE(member) offsetof(struct seen_certificate, member)
#define OF_SERVICE(member) offsetof(struct seen_service, member)
#define OF_RUN(member) offsetof(struct seen_status, member)

static const struct column run_columns[] = {
	{ "certlet_last_sync_timestamp_seconds", "When the last run began.", TIME, OF_RUN(last_run) },
	{ "certlet_last_sync_exit_code", "What it came to: 0 all is as wanted, see certlet(8).", COUNT,
	    OF_RUN(exit) },
	{ "certlet_last_sync_duration_seconds", "How long it took.", SECONDS, OF_RUN(seconds) },
	{ "certlet_last_sync_requests", "How many requests it sent to Vault.", COUNT,
	    OF_RUN(requests) },
	{ "certlet_last_success_timestamp_seconds",
	    "When Vault last let a run in, or there was nothing to ask.", TIME, OF_RUN(last_success) },
	{ "certlet_stale_seconds", "How long after that it needs attention.", NUMBER,
	    OF_RUN(stale_after) },
	{ "certlet_secret_id_expires_timestamp_seconds", "When the secret-id ends, if it is known.",
	    TIME, OF_RUN(secret_id_expires) },
};

static const struct column certificate_columns[] = {
	{ "certlet_certificate_not_before_timestamp_seconds", "When the installed one began.", TIME,
	    OF_CERTIFICATE(not_before) },
	{ "certlet_certificate_not_after_timestamp_seconds", "When the installed one ends.", TIME,
	    OF_CERTIFICATE(not_after) },
	{ "certlet_certificate_warn_seconds", "How long before its end it needs attention.", NUMBER,
	    OF_CERTIFICATE(warn) },
	{ "certlet_certificate_critical_seconds", "How long before its end it needs it at once.",
	    NUMBER, OF_CERTIFICATE(critical) },
	{ "certlet_certificate_installed_timestamp_seconds", "When it was installed.", TIME,
	    OF_CERTIFICATE(installed) },
	{ "certlet_certificate_version", "The version of its secret.", NUMBER,
	    OF_CERTIFICATE(version) },
	{ "certlet_certificate_offered_version", "The version that Vault had last.", NUMBER,
	    OF_CERTIFICATE(offered_version) },
	{ "certlet_certificate_wanted", "Whether the manifest lists it.", FLAG,
	    OF_CERTIFICATE(wanted) },
};

static const struct column service_columns[] = {
	{ "certlet_service_reload_owed", "Whether a reload is owed.", FLAG, OF_SERVICE(reload_owed) },
	{ "certlet_service_last_reload_timestamp_seconds", "When a reload last succeeded.", TIME,
	    OF_SERVICE(last_reload) },
};

/* One sample for each word that could be said, 1 for the one that is. */
static const struct choice {
	const char *name, *help, *label;
	const char *const *words;
	size_t count;
} credentials_choice = {
	"certlet_credentials", "What is known of what it logs in with.", "state",
	(const char *const[]){ "ok", "missing", "expiring", "refused", "unknown" }, 5,
}, state_choice = {
	"certlet_certificate_state", "How much of its life is left, as the last run saw it.", "state",
	status_state_names, STATUS_STATES,
}, problem_choice = {
	"certlet_certificate_problem", "What is wrong with it; all 0: nothing.", "problem",
	problem_names, PROBLEM_COUNT,
}, service_choice = {
	"certlet_service_state", "How its last test, reload and verification ended.", "state",
	service_state_names, SERVICE_STATES,
};

static void
put_column(struct exposition *page, const struct column *column, const void *seen,
    const struct label *of)
{
	const void *member = (const char *)seen + column->offset;
	double value = 0;

	switch (column->kind) {
	case TIME:
		value = (double)*(const time_t *)member;
		break;
	case NUMBER:
	case COUNT:
		value = (double)*(const long *)member;
		break;
	case FLAG:
		value = *(const bool *)member;
		break;
	case SECONDS:
		value = *(const double *)member;
		break;
	}
	if (value != 0 || (column->kind != TIME && column->kind != NUMBER))
		exposition_sample(page, column->name, of, NULL, value);
}

static void
put_choice(struct exposition *page, const struct choice *choice, const char *word,
    const struct label *of)
{
	for (size_t i = 0; i < choice->count; i++) {
		const struct label said = { choice->label, choice->words[i] };

		/* No problem is no word. */
		if (said.value != NULL)
			exposition_sample(page, choice->name, of, &said,
			    word != NULL && strcmp(word, said.value) == 0);
	}
}

static void
put_run(struct exposition *page, const struct seen_status *status)
{
	const struct label version = { "version", PACKAGE_VERSION };

	exposition_metric(page, "certlet_info", "The version of certlet that wrote this.");
	exposition_sample(page, "certlet_info", &version, NULL, 1);
	for (size_t i = 0; i < sizeof(run_columns) / sizeof(*run_columns); i++) {
		exposition_metric(page, run_columns[i].name, run_columns[i].help);
		put_column(page, &run_columns[i], status, NULL);
	}
	exposition_metric(page, credentials_choice.name, credentials_choice.help);
	put_choice(page, &credentials_choice, status->credentials, NULL);
}

static void
put_certificates(struct exposition *page, const struct seen_status *status)
{
	static const struct choice *const choices[] = { &state_choice, &problem_choice };

	for (size_t i = 0; i < sizeof(certificate_columns) / sizeof(*certificate_columns); i++) {
		const struct column *column = &certificate_columns[i];

		exposition_metric(page, column->name, column->help);
		for (size_t j = 0; j < status->certificate_count; j++) {
			const struct seen_certificate *seen = &status->certificates[j];

			put_column(page, column, seen, &(struct label){ "name", seen->name });
		}
	}
	for (size_t i = 0; i < sizeof(choices) / sizeof(*choices); i++) {
		exposition_metric(page, choices[i]->name, choices[i]->help);
		for (size_t j = 0; j < status->certificate_count; j++) {
			const struct seen_certificate *seen = &status->certificates[j];

			put_choice(page, choices[i], choices[i] == &problem_choice ? seen->problem :
			    status_state_names[seen->state], &(struct label){ "name", seen->name });
		}
	}
}

static void
put_services(struct exposition *page, const struct seen_status *status)
{
	for (size_t i = 0; i < sizeof(service_columns) / sizeof(*service_columns); i++) {
		exposition_metric(page, service_columns[i].name, service_columns[i].help);
		for (size_t j = 0; j < status->service_count; j++)
			put_column(page, &service_columns[i], &status->services[j],
			    &(struct label){ "service", status->services[j].name });
	}
	exposition_metric(page, service_choice.name, service_choice.help);
	for (size_t j = 0; j < status->service_count; j++)
		put_choice(page, &service_choice, status->services[j].state,
		    &(struct label){ "service", status->services[j].name });
}

/* Caller frees. */
static char *
metrics_text(const struct seen_status *status)
{
	struct exposition page;

	exposition_begin(&page, FIRST_LINE);
	put_run(&page, status);
	put_certificates(&page, status);
	put_services(&page, status);
	return exposition_end(&page);
}

/* --- The file --- */

enum found
metrics_open_directory(
    const char *path, int *out_directory, const char **out_name, struct failure *why)
{
	char *above = directory_above(path);
	uid_t trusted = geteuid();
	struct stat status;

	/* Only whom to trust is looked up by the path: what is opened then is judged by that. */
	if (stat(above, &status) == 0)
		trusted = status.st_uid;
	free(above);
	return directory_open_above(path, trusted, out_directory, out_name, why);
}

/* FILE: it is certlet's. FAILED: it is not, or that cannot be told. */
static enum found
find_ours(int directory, const char *name, struct failure *why)
{
	struct secret text = { 0 };
	struct stat status;
	enum found found;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode)) {
		(void)failure_set(why, FAILURE_FOREIGN,
		    "something that certlet did not make stands in the way; move it away");
		return FOUND_FAILED;
	}
	found = file_read_at(directory, name, SIZE_MOST, &text, NULL, why);
	if (found == FOUND_FILE && (text.size < strlen(FILE_BEGINS) ||
	    memcmp(text.bytes, FILE_BEGINS, strlen(FILE_BEGINS)) != 0)) {
		(void)failure_set(why, FAILURE_FOREIGN,
		    "a file that certlet did not make stands in the way; move it away");
		found = FOUND_FAILED;
	}
	secret_clear(&text);
	return found;
}

static int
write_text(const char *path, const char *text, struct failure *why)
{
	const struct ownership own = file_own(0644);
	int directory = -1, result = -1;
	const char *name;

	if (metrics_open_directory(path, &directory, &name, why) == FOUND_FILE &&
	    find_ours(directory, name, why) != FOUND_FAILED)
		result = file_replace(directory, name, text, strlen(text), &own, why);
	file_close(directory);
	return result;
}

int
metrics_write(const char *path, const struct seen_status *status, struct failure *why)
{
	char *text = metrics_text(status);
	const int result = write_text(path, text, why);

	free(text);
	return result == -1 ? failure_prefix(why, "metrics_file %s", path) : 0;
}

/* What others put there, and a directory that is gone, are no work of ours. */
static int
remove_one(const char *path, struct failure *why)
{
	int directory = -1, result;
	enum found found;
	const char *name;

	if ((found = metrics_open_directory(path, &directory, &name, why)) != FOUND_FILE)
		return found == FOUND_ABSENT ? 0 : -1;
	if ((result = file_clear_leftover(directory, name, geteuid(), why)) == 0) {
		found = find_ours(directory, name, why);
		if (found == FOUND_FILE)
			result = file_remove(directory, name, why);
		else if (found == FOUND_FAILED && why->kind == FAILURE_FOREIGN)
			log_warning("%s was not made by certlet, and is left", path);
		else if (found == FOUND_FAILED)
			result = -1;
	}
	(void)close(directory);
	return result;
}

int
metrics_settle(struct state *state, const char *path, struct failure *why)
{
	struct words left = { 0 };
	int result = 0;

	for (size_t i = 0; i < state->metrics_files.count; i++) {
		const char *known = state->metrics_files.items[i];

		if (path != NULL && strcmp(known, path) == 0)
			continue;
		if (remove_one(known, why) == -1) {
			result = failure_prefix(why, "metrics_file %s", known);
			words_add(&left, known);
		}
	}
	if (path != NULL)
		words_add(&left, path);
	words_clear(&state->metrics_files);
	state->metrics_files = left;
	return result;
}
