/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "log.h"
#include "metrics.h"
#include "plan.h"
#include "tidy.h"

/* An old key that cannot be removed is not as wanted; files of others beside it are their matter. */
static void
prune(struct run *run, struct item *item)
{
	unsigned int keep[OWNED_GENERATIONS];
	struct failure why;

	owned_generations(item->owned, keep);
	if (!run->state.unfinished && memcmp(keep, item->before, sizeof(keep)) == 0)
		return;
	if (store_prune(run->store, item->entry->name, keep, OWNED_GENERATIONS, &why) == 0)
		return;
	if (why.kind == FAILURE_FOREIGN) {
		log_warning("%s: %s", item->entry->name, why.text);
		return;
	}
	item_fail(run, item, PROBLEM_FAILED, &why);
	item->unpruned = true;
}

/* Outputs that the manifest does not name any more. */
static bool
has_stale_outputs(const struct item *item)
{
	for (size_t i = 0; i < item->owned->output_count; i++) {
		const struct output *output = &item->owned->outputs[i];
		const char *wanted = item->entry->outputs[output->part];

		if (wanted == NULL || strcmp(wanted, output->path) != 0)
			return true;
	}
	return false;
}

/* What passes to another certificate stays until that one is there (rule 14). */
static void
drop_outputs(struct run *run, struct item *item)
{
	struct failure why;
	const char *path;

	if (!has_stale_outputs(item) ||
	    plan_heir(run->manifest, &run->state, item->owned, &path) != NULL ||
	    store_drop_outputs(run->store, item->entry, &run->state, item->owned, &why) == 0)
		return;
	if (has_stale_outputs(item))
		item_fail(run, item, PROBLEM_FAILED, &why);
	else
		log_warning("%s: %s", item->entry->name, why.text);
}

static void
tidy_item(struct run *run, struct item *item)
{
	struct owned *owned = item->owned;

	drop_outputs(run, item);
	prune(run, item);
	/* Not answered because Vault is away: the problem of the last answer is still the problem. */
	if (item->failed == FAILURE_NONE && !item->asked) {
		owned_set_problem(owned, PROBLEM_NONE, NULL, run->now);
		owned->next_try = 0;
	}
}

void
tidy_run(struct run *run)
{
	struct failure why;
	bool unpruned = false;

	if (metrics_settle(&run->state, run->manifest->agent.metrics_file, &why) == -1) {
		log_error("%s", why.text);
		run->tally.kept++;
	}

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		if (run->items[i].selected)
			tidy_item(run, &run->items[i]);
		unpruned |= run->items[i].unpruned;
	}
	/* What could not be removed, or was not looked at, is for a later run. */
	run->state.unfinished = unpruned ||
	    (run->options->names.count != 0 && run->state.unfinished);
	for (size_t i = run->state.service_count; i-- > 0;) {
		const char *name = run->state.services[i].service.name;
		bool used = manifest_find_service(run->manifest, name) != NULL;

		for (size_t j = 0; !used && j < run->state.certificate_count; j++)
			used = words_contain(&run->state.certificates[j].services, name);
		if (!used)
			state_remove_service(&run->state, name);
	}
}
