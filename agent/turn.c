/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "service.h"
#include "turn.h"
#include "verify.h"

bool
visit_uses(const struct visit *visit, const struct item *item)
{
	return words_contain(&item->entry->services, visit->service->name);
}

/* A change of this service that is in place and not sentenced. */
static bool
stands(const struct item *item, const struct visit *visit)
{
	return item->to != 0 && item->in_place && visit_uses(visit, item);
}

static void
note_service_failure(struct visit *visit, const struct failure *why)
{
	visit->known->failed = true;
	memory_replace(&visit->known->error, why->text);
	log_error("service %s: %s", visit->service->name, why->text);
}

void
visit_note_success(struct visit *visit)
{
	visit->known->failed = false;
	memory_replace(&visit->known->error, NULL);
}

void
turn_move(struct rollout *rollout, struct item *item, unsigned int generation)
{
	struct run *run = rollout->run;
	struct failure why;

	if (store_switch(run->store, item->entry, &item->keeper, &run->state, item->owned,
	    generation, &why) == -1) {
		item_fail(run, item, PROBLEM_FAILED, &why);
		item->stuck |= item->in_place && generation == item->from;
	} else {
		item->in_place = generation == item->to;
		item->stuck = false;
	}
}

/* Whoever else took a certificate that goes back has to read the old one again. */
static void
owe_elsewhere(struct rollout *rollout, const struct item *item, const struct visit *by)
{
	for (size_t i = 0; i < rollout->count; i++) {
		struct visit *other = &rollout->visits[i];

		if (other != by && other->runs && visit_uses(other, item)) {
			other->known->owed = true;
			other->owed_before = true;
			other->owed_again = other->done;
		}
	}
}

static void
sentence(struct rollout *rollout, struct item *item, struct visit *visit, struct failure *why)
{
	(void)failure_prefix(why, "service %s", visit->service->name);
	item_fail(rollout->run, item, PROBLEM_FAILED, why);
	turn_move(rollout, item, item->from);
	if (item->from != 0)
		owe_elsewhere(rollout, item, visit);
}

struct search {
	struct rollout *rollout;
	struct visit *visit;
	bool *suspect;		/* by item */
	bool stuck;		/* one of them could not go back: it may be the guilty one */
	bool cured;
};

static void
take_back(struct search *search)
{
	const struct run *run = search->rollout->run;

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		if (!(search->suspect[i] = stands(item, search->visit)))
			continue;
		turn_move(search->rollout, item, item->from);
		search->stuck |= item->stuck;
	}
}

/* What is installed for the first time is never taken back; others stay out till they can be judged. */
static void
bring_in(struct search *search, bool newcomers_only)
{
	const struct run *run = search->rollout->run;

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		if (search->suspect[i] && !item->in_place && (item->from == 0 || !newcomers_only))
			turn_move(search->rollout, item, item->to);
	}
}

/* False: the test could not be asked. */
static bool
judge_one(struct search *search, struct item *item)
{
	struct failure why;

	turn_move(search->rollout, item, item->to);
	switch (service_test(search->visit->service, &why)) {
	case SERVICE_YES:
		return true;
	case SERVICE_UNASKED:
		turn_move(search->rollout, item, item->from);
		return false;
	case SERVICE_NO:
		break;
	}
	sentence(search->rollout, item, search->visit, &why);
	search->cured &= item->from != 0 && !item->stuck;
	return true;
}

static bool
judge_all(struct search *search)
{
	const struct run *run = search->rollout->run;

	for (int newcomers = 0; newcomers <= 1; newcomers++)
		for (size_t i = 0; i < run->manifest->entry_count; i++)
			if (search->suspect[i] && (run->items[i].from == 0) == newcomers &&
			    !judge_one(search, &run->items[i]))
				return false;
	return true;
}

/*
 * The test fails since the swap. Everything of this service goes back (what is installed for the
 * first time has nothing to go back to: its link is absent meanwhile), then comes in again one by
 * one, the renewed first. If the test fails even so, the fault came from elsewhere. Returns whether
 * the test passes in the end.
 */
static bool
find_guilty(struct rollout *rollout, struct visit *visit)
{
	struct search search = {
		.rollout = rollout, .visit = visit, .cured = true,
		.suspect = memory_new(rollout->run->manifest->entry_count, sizeof(*search.suspect)),
	};
	struct failure why;

	take_back(&search);
	switch (service_test(visit->service, &why)) {
	case SERVICE_YES:
		visit->cut_short = !judge_all(&search);
		bring_in(&search, /* newcomers_only= */ true);
		break;
	case SERVICE_NO:
		bring_in(&search, /* newcomers_only= */ search.stuck);
		search.cured = false;
		break;
	case SERVICE_UNASKED:
		bring_in(&search, /* newcomers_only= */ true);
		visit->cut_short = true;
		break;
	}
	free(search.suspect);
	return search.cured && !visit->cut_short;
}

/* --- Step 4: the reload, once, and the way back when it fails. --- */

static enum service_answer
reload(struct visit *visit, struct run *run, struct failure *why)
{
	const enum service_answer answer = service_reload(visit->service, why);

	if (answer != SERVICE_YES)
		return answer;
	visit->known->last_reload = time(NULL);
	visit->known->owed = false;
	run->tally.reloaded++;
	visit_note_success(visit);
	log_notice("service %s: reloaded", visit->service->name);
	return answer;
}

static void
put_in_quarantine(struct run *run, struct item *item, const struct failure *why)
{
	struct quarantine *quarantine = &item->owned->quarantine;
	const bool again = version_equal(&quarantine->version, &item->target.version);

	memory_replace(&quarantine->words, why->text);
	quarantine->pause = plan_quarantine_pause(again ? quarantine->pause : 0, &item->target.leaf);
	quarantine->version = item->target.version;
	quarantine->until = run->now + quarantine->pause;
	quarantine->critical = item->disk.origin.source != NULL &&
	    plan_is_critical(&item->disk.origin.leaf, &run->manifest->agent, run->now);
	item_fail(run, item, PROBLEM_QUARANTINED, why);
	item->owned->next_try = quarantine->until;
}

/*
 * Everything renewed for this service goes back and it is reloaded again. All that follows from
 * it is written down first: a run killed here leaves a link to a candidate, which goes back then.
 */
static void
undo_reload(struct rollout *rollout, struct visit *visit, struct failure *why)
{
	struct run *run = rollout->run;
	const size_t count = run->manifest->entry_count;
	bool *renewed = memory_new(count, sizeof(*renewed));
	struct failure again, words = *why;
	bool any = false;

	visit->known->owed = true;
	note_service_failure(visit, why);
	(void)failure_prefix(&words, "service %s", visit->service->name);
	for (size_t i = 0; i < count; i++) {
		struct item *item = &run->items[i];

		/* What is installed for the first time is as wanted: it is the service that lacks its reload. */
		if (!stands(item, visit) || item->from == 0)
			continue;
		any = renewed[i] = true;
		put_in_quarantine(run, item, &words);
		item->owned->intent = 0;
		item->owned->candidate = item->to;
		owe_elsewhere(rollout, item, visit);
	}
	if (!any)
		goto out;
	/* Where it cannot be written, this is done all the same: the next run may only try once more. */
	(void)run_save(run);
	for (size_t i = 0; i < count; i++)
		if (renewed[i])
			turn_move(rollout, &run->items[i], run->items[i].from);
	if (reload(visit, run, &again) != SERVICE_YES) {
		(void)failure_prefix(&again, "after going back");
		note_service_failure(visit, &again);
	}
out:
	free(renewed);
}

/* --- Step 5: what the port serves now. --- */

/* The leaf that the link of an item points to now; NULL: none that is known. */
static const struct leaf *
live_leaf(const struct item *item)
{
	if (item->in_place)
		return &item->target.leaf;
	return item->disk.origin.source != NULL ? &item->disk.origin.leaf : NULL;
}

static void
note_serving(struct visit *visit, const char *fingerprint)
{
	if (*fingerprint != '\0')
		memory_replace(&visit->known->serving, fingerprint);
}

/* Returns whether this answer means that the reload failed. */
static bool
verify_item(struct rollout *rollout, struct visit *visit, size_t index, struct failure *why)
{
	const struct item *item = &rollout->run->items[index];
	const char *before = visit->served_before != NULL ? visit->served_before[index] : "";
	char found[FINGERPRINT_BYTES] = "";
	const enum verify_result result = verify_wait(&rollout->run->sandbox, visit->service,
	    live_leaf(item), before, found, why);

	note_serving(visit, found);
	if (result == VERIFY_NEW)
		return false;
	(void)failure_prefix(why, "verify %s", item->entry->name);
	if (result == VERIFY_SILENT && stands(item, visit) && *before != '\0')
		return true;
	note_service_failure(visit, why);
	/* Another leaf may be someone's decision; anything else is cured by a reload, some day. */
	visit->known->owed |= result != VERIFY_OTHER;
	return false;
}

static void
verify(struct rollout *rollout, struct visit *visit, bool all)
{
	struct run *run = rollout->run;
	struct failure why;

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		const struct item *item = &run->items[i];
		const struct leaf *leaf = live_leaf(item);

		if (!visit_uses(visit, item) || leaf == NULL || (!stands(item, visit) && !all) ||
		    !verify_applies(visit->service, leaf))
			continue;
		if (verify_item(rollout, visit, i, &why)) {
			undo_reload(rollout, visit, &why);
			return;
		}
	}
}

/* --- One service after the other. --- */

static size_t
count_standing(const struct rollout *rollout, const struct visit *visit)
{
	size_t standing = 0;

	for (size_t i = 0; i < rollout->run->manifest->entry_count; i++)
		standing += stands(&rollout->run->items[i], visit);
	return standing;
}

void
turn_take(struct rollout *rollout, struct visit *visit, bool changes)
{
	struct run *run = rollout->run;
	struct failure why;
	const enum service_answer answer = service_test(visit->service, &why);

	visit->cut_short |= answer == SERVICE_UNASKED;
	if (answer == SERVICE_UNASKED || (answer == SERVICE_NO &&
	    (!changes || count_standing(rollout, visit) == 0 || visit->failed_before ||
	    !find_guilty(rollout, visit)))) {
		visit->known->owed = true;
		note_service_failure(visit, &why);
		return;
	}
	if (!visit->owed_before && count_standing(rollout, visit) == 0) {
		visit->known->owed = false;
		visit_note_success(visit);
		return;
	}
	switch (reload(visit, run, &why)) {
	case SERVICE_YES:
		if (visit->service->verify_host != NULL)
			verify(rollout, visit, visit->owed_before);
		return;
	case SERVICE_NO:
		if (changes) {
			undo_reload(rollout, visit, &why);
			return;
		}
		break;
	case SERVICE_UNASKED:
		visit->cut_short = true;
		break;
	}
	note_service_failure(visit, &why);
}

void
turn_recheck(struct rollout *rollout, struct visit *visit)
{
	const struct run *run = rollout->run;
	struct failure why;

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		const struct leaf *leaf = live_leaf(&run->items[i]);
		char found[FINGERPRINT_BYTES] = "";

		if (!visit_uses(visit, &run->items[i]) || leaf == NULL ||
		    !verify_applies(visit->service, leaf))
			continue;
		if (!verify_ask(&run->sandbox, visit->service, leaf, found, &why) ||
		    strcmp(found, leaf->fingerprint) != 0) {
			log_warning("service %s: still does not serve %s", visit->service->name,
			    run->items[i].entry->name);
			return;
		}
		note_serving(visit, found);
	}
	visit_note_success(visit);
}
