/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fetch.h"
#include "gather.h"
#include "log.h"

/* --- Questions --- */

static int
read_trust(const struct entry *entry, struct secret *out_trust, struct failure *why)
{
	switch (file_read_path(entry->trust_file, FILE_LIMIT_BYTES, out_trust, NULL, why)) {
	case FOUND_FILE:
		return 0;
	case FOUND_ABSENT:
		return failure_set(why, FAILURE_DISK, "trust_file %s does not exist", entry->trust_file);
	case FOUND_FAILED:
		break;
	}
	return failure_prefix(why, "trust_file");
}

static int
ask(struct run *run, struct fetch *fetch, struct item *item)
{
	struct question question = item->step.question;
	struct failure why;
	int result = 0;

	question.entry = (uint32_t)(item - run->items);
	if (item->disk.origin.source != NULL && item->step.settled != 0) {
		question.have_leaf = true;
		question.leaf = item->disk.origin.leaf;
	}
	if (item->entry->trust_file != NULL) {
		if (read_trust(item->entry, &question.trust, &why) == -1) {
			item_fail(run, item, PROBLEM_FAILED, &why);
			goto out;
		}
		question.has_trust = true;
	}
	if ((result = fetch_ask(fetch, &question, &run->broken)) == 0)
		item->asked = true;
out:
	secret_clear(&question.trust);
	return result;
}

static int
ask_all(struct run *run, struct fetch *fetch)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		/* Nothing is fetched for what could not be put in its place: that has failed. */
		if (item->selected && item->step.ask && item->failed == FAILURE_NONE &&
		    ask(run, fetch, item) == -1)
			return -1;
	}
	return fetch_go(fetch, &run->broken);
}

/* --- Answers --- */

/* The very content that is installed came as another version: only what is known of it changes. */
static bool
is_installed_content(const struct item *item, const struct secret parts[PART_COUNT])
{
	if (item->step.settled == 0 || item->disk.live != item->step.settled || !item->disk.sound)
		return false;
	for (int part = 0; part < PART_COUNT; part++) {
		char digest[DIGEST_BYTES];

		if (!item->keeper.parts[part])
			continue;
		file_digest(parts[part].bytes, parts[part].size, digest);
		if (strcmp(digest, item->disk.origin.digests[part]) != 0)
			return false;
	}
	return true;
}

static int
note_version(struct run *run, struct item *item, struct origin *origin, struct failure *why)
{
	if (version_equal(&origin->version, &item->disk.origin.version) &&
	    strcmp(origin->source, item->disk.origin.source) == 0)
		return 0;
	memcpy(origin->digests, item->disk.origin.digests, sizeof(origin->digests));
	origin->installed = item->disk.origin.installed;
	if (store_rewrite_origin(run->store, item->entry->name, item->step.settled, origin, why) == -1)
		return -1;
	log_detail("%s: version %llu holds what is installed already", item->entry->name,
	    (unsigned long long)origin->version.number);
	origin_clear(&item->disk.origin);
	item->disk.origin = *origin;
	*origin = (struct origin){ 0 };
	return 0;
}

/* A killed run may leave half of a generation: the next one has to know that it may be there. */
static int
begin_writing(struct run *run, struct failure *why)
{
	if (run->state.unfinished)
		return 0;
	run->state.unfinished = true;
	if (run_save(run) == 0)
		return 0;
	*why = run->broken;
	return -1;
}

/* `origin` goes over to the item when it becomes a change. */
static int
keep_material(struct run *run, struct item *item, const struct answer *answer, struct failure *why)
{
	struct secret parts[PART_COUNT] = { 0 };
	struct origin origin = { .version = answer->got, .installed = run->now };
	unsigned int generation;
	int result = -1;

	origin.source = memory_text(item->entry->source);
	leaf_copy(&origin.leaf, &answer->material.leaf);
	store_compose(&answer->material, &item->keeper, parts);
	if (is_installed_content(item, parts)) {
		result = run->options->dry_run ? 0 : note_version(run, item, &origin, why);
		goto out;
	}
	if (!run->options->dry_run) {
		if (begin_writing(run, why) == -1 || store_write(run->store, item->entry,
		    &item->keeper, item->owned, parts, &origin, &generation, why) == -1)
			goto out;
		item->to = generation;
		item->fetched = true;
	}
	origin_clear(&item->target);
	item->target = origin;
	origin = (struct origin){ 0 };
	/* There is no going back to what is damaged; to what an error kept from us, there is. */
	item->from = item->step.damaged && !item->disk.unread ? 0 : item->step.settled;
	item->in_place = false;
	item->pending = true;
	result = 0;
out:
	if (result == 0)
		memory_put(&item->owned->judged_by, plan_judging_keys(item->entry));
	for (int part = 0; part < PART_COUNT; part++)
		secret_clear(&parts[part]);
	origin_clear(&origin);
	return result;
}

static void
take_refusal(struct run *run, struct item *item, const struct answer *answer)
{
	struct refusal *refused = &item->owned->refused;

	free(refused->source);
	free(refused->judged_by);
	free(refused->words);
	*refused = (struct refusal){
		.version = answer->offered,
		.source = memory_text(item->entry->source),
		.judged_by = plan_judging_keys(item->entry),
		/* Not that of the run: the clock may have been set since, and the child judged by it. */
		.time = time(NULL),
		.retry = answer->retry,
		.words = memory_text(answer->why.text),
		.critical = item->disk.origin.source != NULL &&
		    plan_is_critical(&item->disk.origin.leaf, &run->manifest->agent, run->now),
	};
	item->owned->next_try = answer->retry;
	item_fail(run, item, PROBLEM_REFUSED, &answer->why);
}

/* Nothing new came; a candidate is of no use where the repository went back to what is installed. */
static void
take_unchanged(struct item *item, const struct version *offered)
{
	if (version_equal(offered, &item->step.question.installed))
		item->step.candidate_kept = item->step.candidate_due = false;
}

static void
take_answer(struct run *run, struct answer *answer)
{
	struct item *item = &run->items[answer->entry];
	struct failure why = answer->why;

	item->asked = false;
	if (answer->kind != ANSWER_FAILED || !version_is_none(&answer->offered))
		item->owned->offered = answer->offered;
	if (answer->notice != NULL)
		log_notice("%s: %s", item->entry->name, answer->notice);
	switch (answer->kind) {
	case ANSWER_UNCHANGED:
		take_unchanged(item, &answer->offered);
		break;
	case ANSWER_MATERIAL:
		/* What was damaged came again as it was; what is offered instead may have been refused. */
		if (why.kind == FAILURE_REFUSED)
			take_refusal(run, item, answer);
		if (keep_material(run, item, answer, &why) == -1)
			item_fail(run, item, PROBLEM_FAILED, &why);
		break;
	case ANSWER_REFUSED:
		take_refusal(run, item, answer);
		break;
	case ANSWER_FAILED:
		item_fail(run, item, PROBLEM_FAILED, &why);
		break;
	}
}

/* The child failed: what it delivered is not trusted, and the next run asks again. */
static void
throw_away(struct run *run)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		struct item *item = &run->items[i];

		if (!item->fetched)
			continue;
		item->to = 0;
		item->fetched = item->pending = false;
		origin_clear(&item->target);
		/* What is installed was not judged by the keys of now. */
		memory_replace(&item->owned->judged_by, NULL);
	}
}

static size_t
count_asked(const struct run *run)
{
	size_t count = 0;

	for (size_t i = 0; i < run->manifest->entry_count; i++)
		count += run->items[i].asked;
	return count;
}

static int
take_answers(struct run *run, struct fetch *fetch)
{
	const size_t asked = count_asked(run);
	size_t taken = 0;

	for (;;) {
		struct answer answer = { 0 };
		const enum fetch_event event = fetch_next(fetch, &answer, &run->summary, &run->broken);

		if (event == FETCH_ANSWER) {
			take_answer(run, &answer);
			log_progress("%zu of %zu certificates asked for", ++taken, asked);
		}
		answer_clear(&answer);
		if (event == FETCH_END)
			return 0;
		if (event == FETCH_BROKEN) {
			throw_away(run);
			return -1;
		}
	}
}

/* --- What is on the disk already and waits --- */

static void
resume(struct item *item, unsigned int generation, struct origin **take_target)
{
	item->from = item->owned->generation;
	item->to = generation;
	item->in_place = item->disk.live == generation;
	item->pending = true;
	origin_clear(&item->target);
	item->target = **take_target;
	free(*take_target);
	*take_target = NULL;
}

/* What was told when it happened, and lasts. */
static void
hold(struct run *run, struct item *item, enum problem problem, const char *words)
{
	item->failed = FAILURE_REFUSED;
	log_warning("%s: still %s: %s", item->entry->name, problem_names[problem],
	    words != NULL ? words : "");
	/* `words` may be those that go. */
	if (item->owned->problem != problem)
		owned_set_problem(item->owned, problem, words, run->now);
}

/* A version on disk that waits, while another one takes its place today. */
static void
hold_candidate(struct run *run, struct item *item)
{
	struct quarantine *quarantine = &item->owned->quarantine;

	if (!version_equal(&quarantine->version, &item->disk.candidate->version)) {
		hold(run, item, PROBLEM_FAILED, item->owned->error);
		return;
	}
	/* One that is due is tried in the next run. */
	if (item->step.candidate_due)
		quarantine->until = run->now;
	hold(run, item, PROBLEM_QUARANTINED, quarantine->words);
	item->owned->next_try = quarantine->until;
}

static void
take_from_disk(struct run *run, struct item *item)
{
	struct owned *owned = item->owned;
	/* What was damaged and came again says nothing of the version that waits or was refused. */
	const bool cured = item->pending &&
	    version_equal(&item->target.version, &item->step.question.installed);

	if (!item->selected)
		return;
	if (!item->step.candidate_kept || (item->pending && !cured))
		owned->candidate = 0;
	if ((item->pending && !cured) || item->failed == FAILURE_DISK)
		return;
	if (!cured && item->step.interrupted == INTERRUPTED_RESUME)
		resume(item, owned->intent, &item->disk.intent);
	else if (!cured && item->step.candidate_due)
		resume(item, owned->candidate, &item->disk.candidate);
	if (item->failed != FAILURE_NONE || (item->pending && item->to == owned->candidate))
		return;
	if (item->step.candidate_kept)
		hold_candidate(run, item);
	else if (item->step.refusal_holds &&
	    version_equal(&owned->offered, &owned->refused.version))
		hold(run, item, PROBLEM_REFUSED, owned->refused.words);
}

int
gather_run(struct run *run, struct fetch *fetch)
{
	const bool broken = fetch != NULL &&
	    (ask_all(run, fetch) == -1 || take_answers(run, fetch) == -1);

	for (size_t i = 0; i < run->manifest->entry_count; i++)
		take_from_disk(run, &run->items[i]);
	return broken ? -1 : 0;
}
