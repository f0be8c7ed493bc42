/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "plan.h"

#define QUARANTINE_FIRST_SECONDS 3600L
#define QUARANTINE_LONGEST_SECONDS 86400L

char *
plan_judging_keys(const struct entry *entry)
{
	char *keys = memory_text(entry->any_name ? "names any" : "names");

	for (size_t i = 0; !entry->any_name && i < entry->names.count; i++)
		memory_append(&keys, " %s", entry->names.items[i]);
	for (int part = 0; part < PART_COUNT; part++)
		if (entry->fields[part] != NULL)
			memory_append(&keys, "; %s %s", part_file_names[part], entry->fields[part]);
	if (entry->trust_file != NULL)
		memory_append(&keys, "; trust %s", entry->trust_file);
	return keys;
}

bool
plan_is_critical(const struct leaf *leaf, const struct agent_settings *agent, time_t now)
{
	return leaf->not_after - now < judge_threshold(agent->critical, 10, leaf);
}

long
plan_quarantine_pause(long before, const struct leaf *leaf)
{
	const long tenth = (long)(leaf->not_after - leaf->not_before) / 10;

	if (before == 0)
		return tenth < QUARANTINE_FIRST_SECONDS ? tenth : QUARANTINE_FIRST_SECONDS;
	return before < QUARANTINE_LONGEST_SECONDS / 2 ? 2 * before : QUARANTINE_LONGEST_SECONDS;
}

/* What the disk and the entry say of a generation that was judged once: does that judgement still hold? */
static bool
still_judged(const struct entry *entry, const struct owned *owned, const struct origin *origin,
    const char *keys)
{
	return origin->source != NULL && strcmp(origin->source, entry->source) == 0 &&
	    owned != NULL && owned->judged_by != NULL && strcmp(owned->judged_by, keys) == 0;
}

static bool
is_in_quarantine(const struct owned *owned, const struct version *version, bool critical, bool lifted,
    time_t now)
{
	const struct quarantine *quarantine = &owned->quarantine;

	return !version_is_none(&quarantine->version) &&
	    version_equal(&quarantine->version, version) && !lifted && now < quarantine->until &&
	    !(critical && !quarantine->critical);
}

static bool
refusal_holds(const struct owned *owned, const struct entry *entry, const char *keys, bool critical,
    bool lifted, time_t now)
{
	const struct refusal *refused = &owned->refused;

	return !version_is_none(&refused->version) && !lifted &&
	    refused->source != NULL && strcmp(refused->source, entry->source) == 0 &&
	    refused->judged_by != NULL && strcmp(refused->judged_by, keys) == 0 &&
	    !(refused->retry != 0 && now >= refused->retry) && !(critical && !refused->critical);
}

/*
 * The intent was written before the link moved and is crossed out after the services took it: where
 * it is still there, the link says how far the killed run came. What is sentenced becomes a
 * candidate before the link goes back: a link to a candidate was on its way.
 */
static enum interrupted
find_interrupted(const struct owned *owned, const struct disk *disk)
{
	if (owned == NULL)
		return INTERRUPTED_NOT;
	if (owned->intent != 0)
		return disk->intent != NULL ? INTERRUPTED_RESUME : INTERRUPTED_FORGET;
	return owned->generation != 0 && owned->candidate != 0 && disk->live == owned->candidate ?
	    INTERRUPTED_GO_BACK : INTERRUPTED_NOT;
}

/* The link is believed, but not where it was on its way. */
static unsigned int
find_settled(const struct owned *owned, const struct disk *disk, enum interrupted interrupted)
{
	if (owned == NULL || (disk->live != 0 && disk->live != owned->intent &&
	    interrupted != INTERRUPTED_GO_BACK))
		return disk->live;
	return owned->generation;
}

static void
make_question(const struct entry *entry, const struct owned *owned, const struct disk *disk,
    const char *keys, struct step *step)
{
	struct question *question = &step->question;
	size_t spared = 0;

	if (step->interrupted != INTERRUPTED_GO_BACK &&
	    still_judged(entry, owned, &disk->origin, keys))
		question->installed = disk->origin.version;
	question->damaged = step->damaged;
	if (step->interrupted == INTERRUPTED_RESUME)
		question->spared[spared++] = disk->intent->version;
	if (step->candidate_kept)
		question->spared[spared++] = disk->candidate->version;
	if (step->refusal_holds)
		question->spared[spared++] = owned->refused.version;
}

void
plan_step(const struct entry *entry, const struct owned *owned, const struct disk *disk,
    const struct agent_settings *agent, bool lifted, bool force, time_t now, struct step *out_step)
{
	const bool known = disk->origin.source != NULL;
	const bool critical = known && plan_is_critical(&disk->origin.leaf, agent, now);
	char *keys = plan_judging_keys(entry);
	bool here;

	*out_step = (struct step){ .ask = entry->source_kind == SOURCE_KV };
	out_step->interrupted = find_interrupted(owned, disk);
	out_step->settled = find_settled(owned, disk, out_step->interrupted);
	out_step->refusal_holds = owned != NULL &&
	    refusal_holds(owned, entry, keys, critical, lifted, now);
	out_step->damaged = out_step->settled != 0 && !disk->sound;
	/* A first install that was killed stands there, but has no settled generation yet. */
	here = out_step->settled != 0 || disk->live != 0;
	out_step->repair = here && (disk->drifted || disk->link_lost);
	out_step->record = here && disk->unrecorded;
	out_step->candidate_kept = owned != NULL && disk->candidate != NULL &&
	    still_judged(entry, owned, disk->candidate, keys) &&
	    disk->candidate->leaf.not_after > now;
	out_step->candidate_due = out_step->candidate_kept &&
	    !is_in_quarantine(owned, &disk->candidate->version, critical, lifted, now);
	out_step->question.force = force;
	make_question(entry, owned, disk, keys, out_step);
	free(keys);
}

const struct entry *
plan_heir(const struct manifest *manifest, const struct state *state, const struct owned *owned,
    const char **out_path)
{
	for (size_t i = 0; i < owned->output_count; i++) {
		const char *path = owned->outputs[i].path;

		for (size_t j = 0; j < manifest->entry_count; j++) {
			const struct entry *entry = &manifest->entries[j];

			for (int part = 0; part < PART_COUNT; part++) {
				if (entry->outputs[part] == NULL ||
				    strcmp(entry->outputs[part], path) != 0 ||
				    owned_find_output(state_find(state, entry->name), path) != NULL)
					continue;
				*out_path = path;
				return entry;
			}
		}
	}
	return NULL;
}
