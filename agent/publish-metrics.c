/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "judge.h"
#include "memory.h"
#include "publish-metrics.h"

/* A text that grows; running out of memory ends the program. */
struct page {
	FILE *out;
	char *text;
	size_t size;
};

static void
page_begin(struct page *page)
{
	*page = (struct page){ 0 };
	page->out = memory_must(open_memstream(&page->text, &page->size));
}

static int
write_text(const char *path, const struct page *page, struct failure *why)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	char *directory = slash == NULL ? memory_text(".") : slash == path ? memory_text("/") :
	    memory_text_n(path, (size_t)(slash - path));
	const struct ownership own = file_own(0644);
	const int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = parent == -1 ? failure_errno(why, FAILURE_DISK, "open %s", directory) :
	    file_replace(parent, name, page->text, page->size, &own, why);

	if (parent != -1)
		(void)close(parent);
	free(directory);
	return result == -1 ? failure_prefix(why, "metrics file %s", path) : 0;
}

static int
page_write(struct page *page, const char *path, struct failure *why)
{
	int result;

	(void)memory_must(fclose(page->out) == 0 ? page->text : NULL);
	result = write_text(path, page, why);
	free(page->text);
	return result;
}

/* What a metric is, which stands before its first sample. */
static void
begin_metric(struct page *page, const char *name, const char *help)
{
	(void)fprintf(page->out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void
put_number(struct page *page, const char *name, const char *help, long long value)
{
	begin_metric(page, name, help);
	(void)fprintf(page->out, "%s %lld\n", name, value);
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
	struct page page;

	page_begin(&page);
	put_number(&page, "certlet_publish_last_run_timestamp_seconds",
	    "When certlet-publish --all ran last.", account->time);
	put_number(&page, "certlet_publish_last_run_exit_code",
	    "What it came to: 0 all is up to date in Vault, see certlet-publish(8).",
	    account->code);
	begin_metric(&page, certificates, "Lineages of that run by what it came to.");
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		(void)fprintf(page.out, "%s{result=\"%s\"} %zu\n", certificates, counts[i].result,
		    counts[i].count);
	return page_write(&page, path, why);
}

/* --- What the repository holds --- */

/* Names come from Vault, where they may be anything. */
static void
put_label(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\n')
			(void)fputs("\\n", out);
		else {
			if (*text == '"' || *text == '\\')
				(void)fputc('\\', out);
			(void)fputc(*text, out);
		}
}

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
put_column(struct page *page, const struct shelf *shelf, const struct column *column)
{
	char *name = memory_format("certlet_published_%s", column->name);

	begin_metric(page, name, column->help);
	for (size_t i = 0; i < shelf->repository->count; i++) {
		const struct held *held = &shelf->repository->items[i];

		if (held->deleted || (held->why.kind != FAILURE_NONE && !column->of_unknown))
			continue;
		(void)fprintf(page->out, "%s{name=\"", name);
		put_label(page->out, held->name);
		(void)fprintf(page->out, "\"} %lld\n", column->get(shelf, held));
	}
	free(name);
}

int
publish_metrics_write_list(const char *path, const struct shelf *shelf, struct failure *why)
{
	struct page page;

	page_begin(&page);
	put_number(&page, "certlet_published_list_timestamp_seconds",
	    "When certlet-publish --list looked.", shelf->now);
	for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
		put_column(&page, shelf, &columns[i]);
	return page_write(&page, path, why);
}
