/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "log.h"
#include "rollout.h"
#include "service.h"
#include "turn.h"
#include "verify.h"

/* --- Step 1 and 2: who runs, and whose configuration is in order before anything changes. --- */

static void
ask_before(struct rollout *rollout, struct visit *visit)
{
	struct run *run = rollout->run;
	struct failure why;
	bool resumed = false;

	for (size_t i = 0; i < run->manifest->entry_count; i++)
		resumed |= run->items[i].in_place && visit_uses(visit, &run->items[i]);
	/* A killed run had asked already: what stands now cannot tell whose fault a failure is, but
	 * find_guilty() can. */
	if (!resumed && service_test(visit->service, &why) == SERVICE_NO)
		visit->failed_before = true;
	if (visit->service->verify_host == NULL)
		return;
	visit->served_before = memory_new(run->manifest->entry_count, FINGERPRINT_BYTES);
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		const struct item *item = &run->items[i];
		if (item->to != 0 && visit_uses(visit, item) &&
		    verify_applies(visit->service, &item->target.leaf))
			(void)verify_ask(&run->sandbox, visit->service, &item->target.leaf,
			    visit->served_before[i], &why);
	}
}

static void
find_condition(struct visit *visit)
{
	const enum service_condition condition = service_condition(visit->service);
	struct known_service *known = visit->known;

	visit->runs = condition == CONDITION_RUNS;
	known->inactive = condition == CONDITION_INACTIVE;
	known->unmanaged = condition == CONDITION_UNMANAGED;
	if (visit->runs)
		return;
	if (known->owed)
		log_notice("service %s: %s, its owed reload is crossed out", visit->service->name,
		    known->inactive ? "does not run" : "is not managed here");
	known->owed = false;
	visit_note_success(visit);
}

static void
prepare_visits(struct rollout *rollout)
{
	struct run *run = rollout->run;

	rollout->count = run->manifest->service_count;
	rollout->visits = memory_new(rollout->count, sizeof(*rollout->visits));
	for (size_t i = 0; i < rollout->count; i++) {
		struct visit *visit = &rollout->visits[i];

		visit->service = &run->manifest->services[i];
		visit->known = state_find_service(&run->state, visit->service->name);
		visit->owed_before = visit->known->owed;
		for (size_t j = 0; j < run->manifest->entry_count; j++)
			visit->changes |= run->items[j].to != 0 && visit_uses(visit, &run->items[j]);
		visit->recheck = !visit->changes && !visit->known->owed && visit->known->failed;
		if (!visit->changes && !visit->known->owed && !visit->recheck)
			continue;
		find_condition(visit);
		visit->owed_before = visit->known->owed;
		if (visit->runs && visit->changes)
			ask_before(rollout, visit);
	}
}

/* --- Step 3: the swap. --- */

static int
write_intents(struct rollout *rollout)
{
	struct run *run = rollout->run;

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		if (item->to == 0)
			continue;
		rollout->any = true;
		item->owned->generation = item->from;
		item->owned->intent = item->to;
	}
	for (size_t i = 0; i < rollout->count; i++)
		if (rollout->visits[i].runs && rollout->visits[i].changes)
			rollout->visits[i].known->owed = true;
	return rollout->any ? run_save(run) : 0;
}

static void
swap_all(struct rollout *rollout)
{
	for (size_t i = 0; i < rollout->run->manifest->entry_count; i++) {
		struct item *item = &rollout->run->items[i];

		if (item->to == 0 || item->in_place)
			continue;
		turn_move(rollout, item, item->to);
		/* The link may have moved before an output could not follow. */
		if (!item->in_place && item->from != 0)
			turn_move(rollout, item, item->from);
	}
}

static int
take_turns(struct rollout *rollout)
{
	/* The second round is for reloads that became owed by a certificate going back after the turn. */
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < rollout->count; i++) {
			struct visit *visit = &rollout->visits[i];

			if (!visit->runs || (round == 1 && !visit->owed_again))
				continue;
			if (visit->recheck)
				turn_recheck(rollout, visit);
			else
				turn_take(rollout, visit, round == 0);
			visit->done = true;
			if (run_save(rollout->run) == -1)
				return -1;
		}
	}
	return 0;
}

/*
 * The intent stays, as if the run had been killed there: its services did not come to judge it, or
 * it is new and did not come to its place (its link may have, its outputs not).
 */
static bool
is_open(const struct rollout *rollout, const struct item *item)
{
	bool open = item->from == 0 && !item->in_place;

	for (size_t i = 0; i < rollout->count; i++)
		open |= rollout->visits[i].cut_short && visit_uses(&rollout->visits[i], item);
	return open && item->owned->intent != 0 && !item->stuck;
}

/* Damage was cured; another version is still to be tried again. */
static bool
waits(const struct item *item)
{
	return item->owned->candidate != 0 && item->owned->candidate != item->to;
}

/*
 * Crosses out the intents: what stands is settled, what went back waits as a candidate. A link to a
 * candidate is known by that: it goes back in the next run.
 */
static void
settle(const struct rollout *rollout)
{
	const struct run *run = rollout->run;

	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		if (item->to == 0 || is_open(rollout, item))
			continue;
		item->owned->intent = 0;
		if (item->in_place && !item->stuck) {
			item->owned->generation = item->to;
			if (waits(item))
				continue;
			item->owned->candidate = 0;
			free(item->owned->quarantine.words);
			item->owned->quarantine = (struct quarantine){ 0 };
		} else {
			item->owned->candidate = item->to;
		}
	}
}

/* A generation has passed when none of its services lacks anything. */
static void
note_passed(struct run *run)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		const struct item *item = &run->items[i];
		bool lacking = item->owned->generation == 0;

		for (size_t j = 0; j < item->entry->services.count; j++) {
			const struct known_service *known =
			    state_find_service(&run->state, item->entry->services.items[j]);

			lacking |= known->owed || known->failed;
		}
		if (!lacking)
			item->owned->passed = item->owned->generation;
	}
}

int
rollout_run(struct run *run)
{
	struct rollout rollout = { .run = run };
	int result = -1;

	prepare_visits(&rollout);
	if (write_intents(&rollout) == -1)
		goto out;
	swap_all(&rollout);
	if (take_turns(&rollout) == -1)
		goto out;
	settle(&rollout);
	note_passed(run);
	/* Before anything is pruned: a run that finds a state has to find the generations it speaks of. */
	result = rollout.any ? run_save(run) : 0;
out:
	for (size_t i = 0; i < rollout.count; i++)
		free(rollout.visits[i].served_before);
	free(rollout.visits);
	return result;
}
