/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <time.h>

#include "fetch.h"
#include "file.h"
#include "gather.h"
#include "log.h"
#include "preflight.h"
#include "removal.h"
#include "report.h"
#include "rollout.h"
#include "sync.h"
#include "tidy.h"

/* --- What is here, and what it needs --- */

static void
look_and_plan(struct run *run, struct item *item)
{
	disk_clear(&item->disk);
	store_inspect(run->store, item->entry, &item->keeper, &run->state, item->owned,
	    &item->disk);
	plan_step(item->entry, item->owned, &item->disk, &run->manifest->agent,
	    words_contain(&run->options->names, item->entry->name), run->options->force, run->now,
	    &item->step);
}

/*
 * What the link points to was sentenced before a kill, or is replaced by something newer before its
 * services could judge it. It becomes a candidate first: that is what a link that did not go back
 * is known by.
 */
static void
go_back(struct run *run, struct item *item)
{
	struct owned *owned = item->owned;
	struct failure why;

	if (owned->intent != 0)
		owned->candidate = owned->intent;
	owned->intent = 0;
	if (run_save(run) == -1)
		return;
	if (store_switch(run->store, item->entry, &item->keeper, &run->state, owned,
	    owned->generation, &why) == -1)
		item_fail(run, item, PROBLEM_FAILED, &why);
	else
		look_and_plan(run, item);
}

/*
 * The link was moved by none of our runs, or the state is older than it: what the services hold is
 * not known.
 */
static void
owe_where_link_moved(struct run *run, const struct item *item)
{
	const struct owned *owned = item->owned;

	if (owned->generation == 0 || owned->generation == item->step.settled)
		return;
	for (size_t i = 0; i < owned->services.count; i++) {
		struct known_service *known =
		    state_find_service(&run->state, owned->services.items[i]);

		if (known != NULL)
			known->owed = true;
	}
}

static void
prepare_item(struct run *run, struct item *item)
{
	struct failure why;

	item->owned = state_find(&run->state, item->entry->name);
	owned_generations(item->owned, item->before);
	item->selected = run->options->names.count == 0 ||
	    words_contain(&run->options->names, item->entry->name);
	if (store_find_keeper(item->entry, &item->keeper, &why) == -1) {
		item_fail(run, item, PROBLEM_FAILED, &why);
		return;
	}
	look_and_plan(run, item);
	if (item->step.interrupted == INTERRUPTED_GO_BACK && item->selected && !run->options->dry_run)
		go_back(run, item);
	if (item->disk.foreign != NULL) {
		(void)failure_set(&why, FAILURE_DISK, "%s", item->disk.foreign);
		item_fail(run, item, PROBLEM_FAILED, &why);
	}
	owe_where_link_moved(run, item);
	item->owned->generation = item->step.settled;
	/* Listed again: what was to be deleted is wanted. */
	item->owned->deleting = false;
	if (item->step.interrupted == INTERRUPTED_FORGET)
		item->owned->intent = 0;
}

static void
prepare_items(struct run *run)
{
	const struct manifest *manifest = run->manifest;

	run->items = memory_new(manifest->entry_count, sizeof(*run->items));
	/* First all, since adding moves what pointers would point to. */
	for (size_t i = 0; i < manifest->entry_count; i++)
		(void)state_add(&run->state, manifest->entries[i].name);
	for (size_t i = 0; i < manifest->service_count; i++)
		(void)state_add_service(&run->state, &manifest->services[i]);
	for (size_t i = 0; i < manifest->entry_count; i++) {
		run->items[i].entry = &manifest->entries[i];
		prepare_item(run, &run->items[i]);
	}
}

static void
repair_item(struct run *run, struct item *item)
{
	const bool changes = item->disk.drifted || item->disk.link_lost;
	struct failure why;

	if (store_repair(run->store, item->entry, &item->keeper, &run->state, item->owned, &item->disk,
	    &why) == -1) {
		item_fail(run, item, PROBLEM_FAILED, &why);
	} else if (changes) {
		run->tally.repaired++;
		log_notice("%s: owner, mode or links set right", item->entry->name);
	}
	item->step.repair = item->step.record = false;
}

/* Roll-forward of copies comes before everything else: a key without its certificate is a broken pair. */
static void
repair(struct run *run)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++)
		if (run->items[i].failed == FAILURE_NONE && run->items[i].disk.behind)
			repair_item(run, &run->items[i]);
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		if (item->failed == FAILURE_NONE && item->selected && !item->step.damaged &&
		    (item->step.repair || item->step.record))
			repair_item(run, item);
	}
}

/* --- The talk with Vault --- */

static bool
anything_to_ask(const struct run *run)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++)
		if (run->items[i].selected && run->items[i].step.ask &&
		    run->items[i].failed == FAILURE_NONE)
			return true;
	return false;
}

static void
note_credentials(struct run *run)
{
	static const char *const words[] = { "unknown", "ok", "missing", "expiring", "refused" };
	enum credentials_state found = run->summary.credentials;

	if (found != CREDENTIALS_MISSING && run->wrapping.kind == FAILURE_LOGIN)
		found = CREDENTIALS_REFUSED;
	else if (found == CREDENTIALS_OK &&
	    wrapped_is_expiring(&run->state.wrapped, &run->manifest->vault, run->now))
		found = CREDENTIALS_EXPIRING;
	if (found != CREDENTIALS_UNKNOWN)
		memory_replace(&run->state.credentials, words[found]);
}

static void
note_talk(struct run *run, const struct credentials *credentials)
{
	struct fetch_summary *summary = &run->summary;
	struct failure why;

	for (size_t i = 0; i < summary->notes.count; i++)
		notes_set(&run->state.notes, summary->notes.items[i].subject,
		    summary->notes.items[i].value, summary->notes.items[i].until);
	notes_drop_old(&run->state.notes, run->now);
	if (summary->let_in)
		run->state.last_success = run->now;
	note_credentials(run);
	if (summary->address >= 0 && (size_t)summary->address < run->manifest->vault.addresses.count)
		memory_replace(&run->state.address,
		    run->manifest->vault.addresses.items[summary->address]);
	if (summary->away.kind != FAILURE_NONE)
		log_error("%s", summary->away.text);
	/* The reason behind the other one, and the one for which somebody has to do something. */
	if (run->wrapping.kind == FAILURE_LOGIN) {
		log_error("%s", run->wrapping.text);
		summary->away = run->wrapping;
	}
	if (run->options->dry_run)
		return;
	if (summary->drop_token &&
	    credentials_forget_token(run->manifest->agent.run_directory, &why) == -1)
		log_warning("the refused token is not forgotten: %s", why.text);
	if (summary->token.size != 0 && credentials_keep_token(run->manifest, credentials,
	    &summary->token, summary->token_expires, &why) == -1)
		log_warning("the token is not kept for the next run: %s", why.text);
}

static void
talk(struct run *run, struct fetch *fetch, const struct credentials *credentials)
{
	if (gather_run(run, fetch) == -1)
		return;
	if (fetch == NULL && (anything_to_ask(run) || run->wrapping.kind != FAILURE_NONE)) {
		run->summary.away = credentials->missing;
		if (credentials->missing.kind == FAILURE_LOGIN)
			run->summary.credentials = CREDENTIALS_MISSING;
		run->summary.address = -1;
	}
	note_talk(run, credentials);
}

/* --- Services and deletions --- */

static void
note_new_services(struct run *run, struct item *item)
{
	const struct words *services = &item->entry->services;

	for (size_t i = 0; i < services->count; i++)
		if (item_has_new_service(item, services->items[i]))
			state_find_service(&run->state, services->items[i])->owed = true;
	words_clear(&item->owned->services);
	words_copy(&item->owned->services, services);
}

static void
roll_out(struct run *run)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		/* Its services did not judge it yet, and what replaces it must not be judged by its faults. */
		if (item->fetched && item->from != 0 && item->owned->intent != 0 &&
		    item->disk.live == item->owned->intent)
			go_back(run, item);
		if (item->selected)
			note_new_services(run, item);
	}
	(void)rollout_run(run);
}

static void
delete_unlisted(struct run *run)
{
	struct removal removal = {
		.store = run->store, .state = &run->state, .manifest = run->manifest,
		.state_directory = run->manifest->agent.state_directory,
		.force = run->options->force, .now = run->now,
	};
	struct words names = { 0 };

	for (size_t i = 0; i < run->state.certificate_count; i++) {
		const char *name = run->state.certificates[i].name;

		if (manifest_find_entry(run->manifest, name) == NULL &&
		    (run->options->names.count == 0 || words_contain(&run->options->names, name)))
			words_add(&names, name);
	}
	if (run->options->dry_run)
		report_deletions(&names);
	else
		(void)removal_run(&removal, &names, &run->broken);
	run->tally.deleted = removal.deleted;
	run->tally.kept = removal.kept;
	words_clear(&names);
	/* Deleting moved what the items pointed to. */
	for (size_t i = 0; i < run->manifest->entry_count; i++)
		run->items[i].owned = state_find(&run->state, run->items[i].entry->name);
}

/* --- The end --- */

static enum exit_code
run_exit_code(const struct run *run)
{
	enum exit_code code = failure_exit_code(run->summary.away.kind);
	size_t services;

	for (size_t i = 0; i < run->manifest->entry_count; i++)
		if (run->items[i].selected && run->items[i].failed != FAILURE_NONE)
			code = exit_code_worse(code, EXIT_PARTLY);
	if (run_services_lacking(run, &services) != 0 || run->tally.kept != 0)
		code = exit_code_worse(code, EXIT_PARTLY);
	return exit_code_worse(code, failure_exit_code(run->broken.kind));
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

static void
free_run(struct run *run)
{
	for (size_t i = 0; run->items != NULL && i < run->manifest->entry_count; i++) {
		disk_clear(&run->items[i].disk);
		origin_clear(&run->items[i].target);
	}
	free(run->items);
	fetch_summary_clear(&run->summary);
	store_close(run->store);
	state_clear(&run->state);
	manifest_free(run->manifest);
}

/* Everything of a run once the set-up is known to be right. */
static enum exit_code
go(struct run *run, struct credentials *credentials)
{
	const bool dry = run->options->dry_run;
	struct fetch *fetch = NULL;
	struct timespec start;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	if (credentials->missing.kind == FAILURE_NONE)
		(void)fetch_start(run->manifest, &run->sandbox, credentials, &run->state.notes, &fetch,
		    &run->broken);
	prepare_items(run);
	if (run->broken.kind != FAILURE_NONE)
		goto out;
	if (!dry)
		repair(run);
	talk(run, fetch, credentials);
	/* The processes that are forked from here on, verify's too, know no secret. */
	fetch_free(fetch);
	fetch = NULL;
	credentials_clear(credentials);
	secret_clear(&run->summary.token);
	if (dry)
		report_changes(run);
	else
		roll_out(run);
	if (run->broken.kind == FAILURE_NONE)
		delete_unlisted(run);
	if (!dry && run->broken.kind == FAILURE_NONE) {
		tidy_run(run);
		(void)run_save(run);
	}
out:
	fetch_free(fetch);
	if (run->broken.kind != FAILURE_NONE)
		log_error("%s", run->broken.text);
	return report_end(run, run_exit_code(run), seconds_since(&start));
}

/* Without a state, what is on disk can still be told; monitoring would go on believing the last run. */
static enum exit_code
tell_of_failure(struct run *run, const struct failure *why)
{
	struct failure second;

	run->broken = *why;
	if (run->options->dry_run || (run->store == NULL &&
	    store_open(run->manifest->agent.directory, false, &run->store, &second) == -1))
		return EXIT_BROKEN;
	prepare_items(run);
	return report_end(run, EXIT_BROKEN, 0);
}

enum exit_code
sync_run(const struct sync_options *options)
{
	struct run run = { .options = options, .now = time(NULL), .summary.address = -1 };
	struct credentials credentials = { 0 };
	enum exit_code code;
	struct failure why;
	int lock = -1;

	if (preflight_run(&run, &credentials, &lock, &why) == -1) {
		log_error("%s", why.text);
		code = failure_exit_code(why.kind);
		if (code == EXIT_BROKEN && lock != -1)
			code = tell_of_failure(&run, &why);
	} else {
		code = go(&run, &credentials);
	}
	credentials_clear(&credentials);
	free_run(&run);
	file_close(lock);
	return code;
}
