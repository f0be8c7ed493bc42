/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
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
