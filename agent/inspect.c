/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

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

/* Of the generation that counts as installed, unless the link leads to another one that is whole. */
static void
check(const struct inspection *inspection, unsigned int number)
{
	struct disk *disk = inspection->disk;
	struct check found;

	disk->sound = generation_check(inspection->home, number, inspection->keeper, &disk->origin,
	    &found);
	disk->drifted = found.drifted;
	disk->unread = found.unread;
}

/* The first word counts. */
static void
call_foreign(struct disk *disk, const struct failure *why)
{
	if (disk->foreign == NULL)
		disk->foreign = memory_text(why->text);
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
		call_foreign(disk, &why);
	else if (link == LIVE_ELSEWHERE && settled == 0 &&
	    (inspection->owned == NULL || inspection->owned->intent == 0))
		disk->foreign = memory_format("live/%s is a link that certlet did not make; move it "
		    "away", inspection->entry->name);
	disk->link_lost = link == LIVE_ELSEWHERE || (link == LIVE_ABSENT && settled != 0);
	if (link == LIVE_OWN) {
		check(inspection, number);
		if (counts(inspection, number)) {
			disk->live = number;
			return;
		}
		origin_clear(&disk->origin);
		disk->link_lost = true;
	}
	check(inspection, settled);
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
	    inspection->state, inspection->owned, origin, &why) == 0) {
		if (origin != NULL)
			outputs_judge(&outputs, disk);
		for (size_t i = 0; i < outputs.count; i++)
			if (outputs.places[i].standing == STANDS_ADOPTABLE)
				words_add(&disk->adoptable, outputs.places[i].path);
	} else {
		call_foreign(disk, &why);
	}
	disk->behind &= disk->sound && !disk->link_lost;
	outputs_close(&outputs);
}

static struct origin *
find_sound(const struct inspection *inspection, unsigned int number)
{
	struct origin *origin;

	if (number == 0)
		return NULL;
	origin = memory_new(1, sizeof(*origin));
	if (generation_check(inspection->home, number, inspection->keeper, origin, NULL))
		return origin;
	origin_free(origin);
	return NULL;
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
		call_foreign(out_disk, &why);
	look_at_live(&inspection);
	look_at_outputs(&inspection);
	if (owned != NULL) {
		out_disk->candidate = find_sound(&inspection, owned->candidate);
		out_disk->intent = find_sound(&inspection, owned->intent);
	}
	file_close(inspection.home);
}

void
disk_clear(struct disk *disk)
{
	free(disk->foreign);
	words_clear(&disk->adoptable);
	origin_clear(&disk->origin);
	origin_free(disk->candidate);
	origin_free(disk->intent);
	*disk = (struct disk){ 0 };
}
