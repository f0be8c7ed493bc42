/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "store-internal.h"

struct inspection {
	struct store *store;
	const struct entry *entry;
	const struct keeper *keeper;
	const struct state *state;
	const struct owned *owned;
	int home;		/* -1: there is none */
	struct disk *disk;
};

/*
 * The link is the truth where it leads to something whole, even if someone bent it by hand to
 * another generation. The settled one counts also when it is damaged; and so does, without a
 * settled one (the state was lost), whatever says of itself where it came from.
 */
static bool
counts(const struct inspection *inspection, unsigned int number)
{
	const struct owned *owned = inspection->owned;

	if (inspection->disk->sound)
		return true;
	if (owned != NULL && owned->generation != 0)
		return number == owned->generation;
	return inspection->disk->origin.source != NULL;
}

static void
look_at_live(const struct inspection *inspection)
{
	struct disk *disk = inspection->disk;
	const unsigned int settled = inspection->owned != NULL ? inspection->owned->generation : 0;
	struct failure why;
	unsigned int number;
	const enum live_link link =
	    generation_read_live(inspection->store, inspection->entry->name, &number, &why);

	if (link == LIVE_NO_LINK)
		disk->foreign = why;
	else if (link == LIVE_ELSEWHERE && settled == 0 &&
	    (inspection->owned == NULL || inspection->owned->intent == 0))
		(void)failure_set(&disk->foreign, FAILURE_DISK, "live/%s is a link that certlet did "
		    "not make; move it away", inspection->entry->name);
	disk->link_lost = link == LIVE_ELSEWHERE || (link == LIVE_ABSENT && settled != 0);
	if (link == LIVE_OWN) {
		disk->sound = generation_check(inspection->home, number, inspection->keeper,
		    &disk->origin, &disk->drifted);
		if (counts(inspection, number)) {
			disk->live = number;
			return;
		}
		origin_clear(&disk->origin);
		disk->link_lost = true;
	}
	disk->drifted = false;
	disk->sound = generation_check(inspection->home, settled, inspection->keeper, &disk->origin,
	    &disk->drifted);
	disk->drifted |= disk->link_lost && disk->sound;
}

static void
look_at_outputs(const struct inspection *inspection)
{
	struct disk *disk = inspection->disk;
	const struct origin *origin = disk->origin.source != NULL ? &disk->origin : NULL;
	struct outputs outputs;
	struct failure why;

	if (outputs_open(&outputs, inspection->store, inspection->entry, inspection->keeper,
	    inspection->state, inspection->owned, origin, &why) == -1) {
		if (disk->foreign.kind == FAILURE_NONE)
			disk->foreign = why;
	} else if (origin != NULL) {
		disk->drifted |= !outputs_are_right(&outputs);
	}
	outputs_close(&outputs);
}

void
store_inspect(struct store *store, const struct entry *entry, const struct keeper *keeper,
    const struct state *state, const struct owned *owned, struct disk *out_disk)
{
	struct inspection inspection = { .store = store, .entry = entry, .keeper = keeper,
	    .state = state, .owned = owned, .home = -1, .disk = out_disk };
	struct failure why;

	*out_disk = (struct disk){ 0 };
	if (generation_open_home(store, entry->name, &inspection.home, &why) == FOUND_FAILED)
		out_disk->foreign = why;
	look_at_live(&inspection);
	look_at_outputs(&inspection);
	if (owned != NULL) {
		out_disk->candidate_sound = generation_check(
		    inspection.home, owned->candidate, keeper, &out_disk->candidate, NULL);
		out_disk->intent_sound = generation_check(inspection.home, owned->intent, keeper,
		    &out_disk->intent, NULL);
	}
	if (inspection.home != -1)
		(void)close(inspection.home);
}

void
disk_clear(struct disk *disk)
{
	origin_clear(&disk->origin);
	origin_clear(&disk->candidate);
	origin_clear(&disk->intent);
	*disk = (struct disk){ 0 };
}
