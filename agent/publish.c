/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "lock.h"
#include "log.h"
#include "manifest.h"
#include "memory.h"
#include "paths.h"
#include "publish.h"
#include "publish-lineage.h"
#include "publish-metrics.h"
#include "publish-settings.h"
#include "publish-upload.h"

#define PUBLISH_LOCK_NAME "publish.lock"	/* in the run directory, beside the agent's */

struct items {
	struct publish_item *items;
	size_t count;
};

/* --- What is to be published --- */

static const char name_rule[] = "a NAME is up to 253 letters, digits, `.`, `-` and `_`, no `.` or "
    "`-` at its beginning, no `.` at its end";

static void
read_item(const struct publish_options *options, const struct publish_source *source,
    struct publish_item *item)
{
	struct failure why;

	if (!manifest_name_is_valid(item->name))
		(void)failure_set(&why, FAILURE_USAGE, "%s", name_rule);
	else if (publish_source_read(source, item->name, options->now, &item->material,
	    &item->edition, &why) == 0) {
		item->step = STEP_METADATA;
		return;
	}
	publish_item_fail(item, &why);
}

/* By the lineage that it is. */
static void
name_item(struct publish_item *item, const char *lineage)
{
	if ((item->name = lineage_duplicated(lineage)) != NULL)
		item->duplicate = memory_text(lineage);
	else
		item->name = memory_text(lineage);
}

static void
read_one(const struct publish_options *options, struct items *out_items)
{
	struct publish_item *item = memory_new(1, sizeof(*item));
	char *lineage;

	*out_items = (struct items){ item, 1 };
	if (options->name != NULL)
		item->name = memory_text(options->name);
	else {
		name_item(item, lineage = lineage_name(options->source.directory));
		free(lineage);
	}
	if (manifest_name_is_valid(item->name) && !publish_source_knows_names(item->name))
		log_notice("%s is no host name: the names of the certificate are not judged",
		    item->name);
	read_item(options, &options->source, item);
}

static int
read_all(const struct publish_options *options, struct items *out_items, struct failure *why)
{
	struct words names = { 0 };

	if (lineage_list(options->all, &names, why) == -1)
		return -1;
	out_items->items = memory_new(names.count, sizeof(*out_items->items));
	for (size_t i = 0; i < names.count; i++) {
		struct publish_item *item = &out_items->items[out_items->count++];
		char *directory = memory_format("%s/%s", options->all, names.items[i]);
		const struct publish_source source = { .directory = directory };

		log_progress("%zu of %zu lineages read", i, names.count);
		name_item(item, names.items[i]);
		read_item(options, &source, item);
		free(directory);
	}
	words_clear(&names);
	return 0;
}

/* --- What came of it --- */

static size_t
count_outcome(const struct items *items, enum publish_outcome outcome)
{
	size_t count = 0;

	for (size_t i = 0; i < items->count; i++)
		count += items->items[i].outcome == outcome;
	return count;
}

/* What is wrong with one of many leaves the others as wanted. */
static enum exit_code
code_of(const struct publish_item *item, bool one)
{
	const enum exit_code code = item->outcome != OUTCOME_FAILED ? EXIT_WANTED :
	    failure_exit_code(item->why.kind);

	return code == EXIT_SETUP && !one ? EXIT_PARTLY : code;
}

/* A failure of the whole is told once. */
static enum exit_code
report_items(const struct items *items, const struct failure *whole, bool one)
{
	enum exit_code code = EXIT_WANTED;
	size_t untold = 0;

	for (size_t i = 0; i < items->count; i++) {
		const struct publish_item *item = &items->items[i];

		code = exit_code_worse(code, code_of(item, one));
		if (item->outcome == OUTCOME_FAILED &&
		    (one || strcmp(item->why.text, whole->text) != 0))
			log_error("%s: %s", publish_item_label(item), item->why.text);
		else
			untold += item->outcome == OUTCOME_FAILED;
	}
	if (untold != 0)
		log_error("%zu of %zu certificates were not compared: %s", untold, items->count,
		    whole->text);
	return whole->kind == FAILURE_NONE ? code :
	    exit_code_worse(code, failure_exit_code(whole->kind));
}

static void
report_unchanged(const struct items *items)
{
	const struct publish_item *item = items->items;

	if (item->outcome == OUTCOME_UNCHANGED)
		log_notice("%s: unchanged, version %llu", publish_item_label(item),
		    (unsigned long long)item->version);
}

static void
report_summary(const struct items *items, const char *directory, bool dry_run)
{
	const size_t published = count_outcome(items, OUTCOME_PUBLISHED);
	const size_t failed = count_outcome(items, OUTCOME_FAILED);
	const char *plural = items->count == 1 ? "" : "s";

	if (items->count == 0)
		log_notice("there is no lineage below %s", directory);
	else if (published + failed == 0)
		log_notice("%zu certificate%s below %s: up to date in Vault", items->count, plural,
		    directory);
	else
		log_notice("%zu certificate%s below %s: %zu %s, %zu unchanged, %zu not as wanted",
		    items->count, plural, directory, published,
		    dry_run ? "to be published" : "published",
		    items->count - published - failed, failed);
}

/* --- The whole --- */

/* The default directory is root's. Who has none is kept apart from others by check-and-set. */
static int
take_lock(const struct publish_options *options, const struct agent_settings *agent,
    int *out_lock, struct failure *why)
{
	if (options->dry_run || agent->run_directory == NULL ||
	    (geteuid() != 0 && strcmp(agent->run_directory, CERTLET_RUNDIR) == 0))
		return 0;
	return lock_take(agent->run_directory, PUBLISH_LOCK_NAME, out_lock, why);
}

static enum exit_code
publish_items(const struct publish_options *options, const struct publish_settings *settings,
    struct items *items)
{
	const struct publish_rules rules = { options->force, options->dry_run, options->now };
	const bool one = options->all == NULL;
	struct failure why = { 0 };
	enum exit_code code;

	(void)publish_upload(settings, &rules, items->items, items->count, &why);
	if (one)
		report_unchanged(items);
	code = report_items(items, &why, one);
	if (!one)
		report_summary(items, options->all, options->dry_run);
	return code;
}

static enum exit_code
publish(const struct publish_options *options, struct items *items)
{
	struct publish_settings settings = { 0 };
	struct failure why = { 0 };
	enum exit_code code;
	int lock = -1;

	if (options->name != NULL && !manifest_name_is_valid(options->name)) {
		log_error("%s: %s", options->name, name_rule);
		return EXIT_SETUP;
	}
	if (publish_settings_read(options->config_file, options->environment, &settings,
	    &why) == -1 ||
	    take_lock(options, &settings.manifest->agent, &lock, &why) == -1 ||
	    (options->all != NULL && read_all(options, items, &why) == -1)) {
		log_error("%s", why.text);
		code = failure_exit_code(why.kind);
	} else {
		if (options->all == NULL)
			read_one(options, items);
		code = publish_items(options, &settings, items);
	}
	file_close(lock);
	publish_settings_clear(&settings);
	return code;
}

enum exit_code
publish_run(const struct publish_options *options)
{
	struct items items = { 0 };
	enum exit_code code = publish(options, &items);
	struct failure why;

	if (options->metrics_file != NULL && !options->dry_run) {
		const struct publish_account account = {
			.time = options->now, .code = code,
			.published = count_outcome(&items, OUTCOME_PUBLISHED),
			.unchanged = count_outcome(&items, OUTCOME_UNCHANGED),
			.failed = count_outcome(&items, OUTCOME_FAILED),
		};

		if (publish_metrics_write_run(options->metrics_file, &account, &why) == -1) {
			log_error("%s", why.text);
			code = exit_code_worse(code, failure_exit_code(why.kind));
		}
	}
	for (size_t i = 0; i < items.count; i++)
		publish_item_clear(&items.items[i]);
	free(items.items);
	return code;
}
