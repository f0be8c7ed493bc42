/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "exposition.h"
#include "file.h"
#include "judge.h"
#include "memory.h"
#include "publish-metrics.h"

static int
write_text(const char *path, const char *text, struct failure *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *directory = slash == NULL ? memory_text(".") : slash == path ? memory_text("/") :
	    memory_text_n(path, (size_t)(slash - path));
	const struct ownership own = file_own(0644);
	const int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = parent == -1 ? failure_errno(why, FAILURE_DISK, "open %s", directory) :
	    file_replace(parent, name, text, strlen(text), &own, why);

	file_close(parent);
	free(directory);
	return result == -1 ? failure_prefix(why, "metrics file %s", path) : 0;
}

static int
end_and_write(struct exposition *page, const char *path, struct failure *why)
{
	char *text = exposition_end(page);
	const int result = write_text(path, text, why);

	free(text);
	return result;
}

static void
put_number(struct exposition *page, const char *name, const char *help, long long value)
{
	exposition_metric(page, name, help);
	exposition_sample(page, name, NULL, NULL, (double)value);
}

/* --- A run of --all --- */

int
publish_metrics_write_run(const char *path, const struct publish_account *account,
    struct failure *why)
{
	static const char certificates[] = "certlet_publish_certificates";
	const struct { const char *result; size_t count; } counts[] = {
		{ "published", account->published }, { "unchanged", account->unchanged },
		{ "failed", account->failed },
	};
	struct exposition page;

	exposition_begin(&page, NULL);
	put_number(&page, "certlet_publish_last_run_timestamp_seconds",
	    "When certlet-publish --all ran last.", account->time);
	put_number(&page, "certlet_publish_last_run_exit_code",
	    "What it came to: 0 all is up to date in Vault, see certlet-publish(8).",
	    account->code);
	exposition_metric(&page, certificates, "Lineages of that run by what it came to.");
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		exposition_sample(&page, certificates, &(struct label){ "result", counts[i].result },
		    NULL, (double)counts[i].count);
	return end_and_write(&page, path, why);
}

/* --- What the repository holds --- */

static const struct column {
	const char *name, *help;
	enum {
		COLUMN_KNOWN, COLUMN_VERSION, COLUMN_NOT_BEFORE, COLUMN_NOT_AFTER, COLUMN_WARN,
		COLUMN_CRITICAL, COLUMN_KEY_VERSIONS
	} value;
} columns[] = {
	{ "known", "Whether certlet-publish noted what this secret holds.", COLUMN_KNOWN },
	{ "version", "The newest version.", COLUMN_VERSION },
	{ "not_before_timestamp_seconds", "When the certificate began.", COLUMN_NOT_BEFORE },
	{ "not_after_timestamp_seconds", "When the certificate ends.", COLUMN_NOT_AFTER },
	{ "warn_seconds", "How long before its end it needs attention.", COLUMN_WARN },
	{ "critical_seconds", "How long before its end it needs it at once.",
	    COLUMN_CRITICAL },
	{ "key_versions", "For how many versions the key has been the same; 0: not known.",
	    COLUMN_KEY_VERSIONS },
};

static double
value_of(const struct column *column, const struct shelf *shelf, const struct held *held)
{
	const struct leaf *leaf = &held->notes.edition.leaf;

	switch (column->value) {
	case COLUMN_KNOWN:
		return held->why.kind == FAILURE_NONE;
	case COLUMN_VERSION:
		return (double)held->version;
	case COLUMN_NOT_BEFORE:
		return (double)leaf->not_before;
	case COLUMN_NOT_AFTER:
		return (double)leaf->not_after;
	case COLUMN_WARN:
		return (double)judge_threshold(shelf->warn, 5, leaf);
	case COLUMN_CRITICAL:
		return (double)judge_threshold(shelf->critical, 10, leaf);
	case COLUMN_KEY_VERSIONS:
		break;
	}
	return held->notes.key_since == 0 ? 0 : (double)(held->version - held->notes.key_since + 1);
}

/* Of what nothing is noted, no more is known than its version. */
static bool
is_told(const struct column *column, const struct held *held)
{
	return !held->deleted && (held->why.kind == FAILURE_NONE || column->value <= COLUMN_VERSION);
}

static void
put_column(struct exposition *page, const struct shelf *shelf, const struct column *column)
{
	char *name = memory_format("certlet_published_%s", column->name);

	exposition_metric(page, name, column->help);
	for (size_t i = 0; i < shelf->repository->count; i++) {
		const struct held *held = &shelf->repository->items[i];

		if (is_told(column, held))
			exposition_sample(page, name, &(struct label){ "name", held->name }, NULL,
			    value_of(column, shelf, held));
	}
	free(name);
}

int
publish_metrics_write_list(const char *path, const struct shelf *shelf, struct failure *why)
{
	struct exposition page;

	exposition_begin(&page, NULL);
	put_number(&page, "certlet_published_list_timestamp_seconds",
	    "When certlet-publish --list looked.", shelf->now);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		put_column(&page, shelf, &columns[i]);
	return end_and_write(&page, path, why);
}
