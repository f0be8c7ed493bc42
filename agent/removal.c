/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "cover.h"
#include "log.h"
#include "plan.h"
#include "removal.h"

static void
keep(struct removal *removal, struct owned *owned, enum problem problem, const struct failure *why)
{
	owned_set_problem(owned, problem, why->text, removal->now);
	log_error("%s: not deleted: %s", owned->name, why->text);
	removal->kept++;
}

/* Rule 13. Without --force "I cannot tell" means that it stays. */
static bool
is_used(struct removal *removal, const struct owned *owned, struct failure *why)
{
	char *archive = NULL;
	struct words copies = { 0 };
	bool used = false;

	store_paths(removal->store, owned, &archive, &copies);
	for (size_t i = 0; i < owned->services.count && !used; i++) {
		const struct known_service *known =
		    state_find_service(removal->state, owned->services.items[i]);

		used = known != NULL &&
		    cover_test(&known->service, archive, &copies, why) != COVER_FREE;
	}
	free(archive);
	words_clear(&copies);
	return used;
}

static bool
may_go(struct removal *removal, struct owned *owned)
{
	const struct entry *heir;
	struct failure why;
	const char *path;

	if (removal->manifest != NULL &&
	    (heir = plan_heir(removal->manifest, removal->state, owned, &path)) != NULL)
		(void)failure_set(&why, FAILURE_USED, "%s passes to %s, which is not installed there yet",
		    path, heir->name);
	else if (removal->force || owned->deleting ||
	    (owned->generation == 0 && owned->intent == 0) || !is_used(removal, owned, &why))
		return true;
	keep(removal, owned, PROBLEM_STILL_USED, &why);
	return false;
}

static void
take_away(struct removal *removal, const char *name)
{
	struct owned *owned = state_find(removal->state, name);
	const bool was_installed = owned->generation != 0;
	struct failure why;

	if (store_remove(removal->store, removal->state, owned, &why) == -1) {
		keep(removal, owned, PROBLEM_FAILED, &why);
		return;
	}
	if (was_installed) {
		log_notice("%s: deleted", name);
		removal->deleted++;
	}
	state_remove(removal->state, name);
}

int
removal_run(struct removal *removal, const struct words *names, struct failure *why)
{
	struct words going = { 0 };
	int result = -1;

	for (size_t i = 0; i < names->count; i++) {
		struct owned *owned = state_find(removal->state, names->items[i]);

		if (owned == NULL || !may_go(removal, owned))
			continue;
		owned->deleting = true;
		words_add(&going, names->items[i]);
	}
	if (going.count != 0 && state_write(removal->state_directory, removal->state, why) == -1)
		goto out;
	for (size_t i = 0; i < going.count; i++)
		take_away(removal, going.items[i]);
	result = 0;
out:
	words_clear(&going);
	return result;
}
