/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

	if (parent != -1)
		(void)close(parent);
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

static long long
get_known(const struct shelf *shelf, const struct held *held)
{
	(void)shelf;
	return held->why.kind == FAILURE_NONE;
}

static long long
get_version(const struct shelf *shelf, const struct held *held)
{
	(void)shelf;
	return (long long)held->version;
}

static long long
get_not_before(const struct shelf *shelf, const struct held *held)
{
	(void)shelf;
	return held->notes.edition.leaf.not_before;
}

static long long
get_not_after(const struct shelf *shelf, const struct held *held)
{
	(void)shelf;
	return held->notes.edition.leaf.not_after;
}

static long long
get_warn(const struct shelf *shelf, const struct held *held)
{
	return judge_threshold(shelf->warn, 5, &held->notes.edition.leaf);
}

static long long
get_critical(const struct shelf *shelf, const struct held *held)
{
	return judge_threshold(shelf->critical, 10, &held->notes.edition.leaf);
}

static long long
get_key_versions(const struct shelf *shelf, const struct held *held)
{
	(void)shelf;
	return held->notes.key_since == 0 ? 0 :
	    (long long)(held->version - held->notes.key_since) + 1;
}

static const struct column {
	const char *name, *help;
	long long (*get)(const struct shelf *shelf, const struct held *held);
	bool of_unknown;	/* also where nothing is noted */
} columns[] = {
	{ "known", "Whether certlet-publish noted what this secret holds.", get_known, true },
	{ "version", "The newest version.", get_version, true },
	{ "not_before_timestamp_seconds", "When the certificate began.", get_not_before, false },
	{ "not_after_timestamp_seconds", "When the certificate ends.", get_not_after, false },
	{ "warn_seconds", "How long before its end it needs attention.", get_warn, false },
	{ "critical_seconds", "How long before its end it needs it at once.", get_critical, false },
	{ "key_versions", "For how many versions the key has been the same; 0: not known.",
	    get_key_versions, false },
};

static void
put_column(struct exposition *page, const struct shelf *shelf, const struct column *column)
{
	char *name = memory_format("certlet_published_%s", column->name);

	exposition_metric(page, name, column->help);
	for (size_t i = 0; i < shelf->repository->count; i++) {
		const struct held *held = &shelf->repository->items[i];

		if (held->deleted || (held->why.kind != FAILURE_NONE && !column->of_unknown))
			continue;
		exposition_sample(page, name, &(struct label){ "name", held->name }, NULL,
		    (double)column->get(shelf, held));
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
