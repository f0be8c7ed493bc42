/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adopt.h"
#include "directory.h"
#include "store-internal.h"

/* --- Opening --- */

static int
open_below(int root, const char *name, bool create, int *out_directory, struct failure *why)
{
	if (create)
		return directory_make(root, name, out_directory, why);
	return directory_open(root, name, out_directory, why) == FOUND_FAILED ? -1 : 0;
}

int
store_open(const char *directory, bool create, struct store **out_store, struct failure *why)
{
	struct store *store = memory_new(1, sizeof(*store));
	int result = -1;

	*store = (struct store){
		.directory = memory_text(directory), .root = -1, .live = -1, .archive = -1,
	};
	if (create ? directory_make_safe(directory, &store->root, why) == -1 :
	    directory_open_safe(directory, geteuid(), &store->root, why) == FOUND_FAILED)
		goto out;
	if (open_below(store->root, "live", create, &store->live, why) == -1 ||
	    open_below(store->root, "archive", create, &store->archive, why) == -1) {
		(void)failure_prefix(why, "%s", directory);
		goto out;
	}
	*out_store = store;
	store = NULL;
	result = 0;
out:
	if (result == -1)
		why->kind = FAILURE_SETUP;
	store_close(store);
	return result;
}

/* What others write in the tick in which an `origin` was written would not be seen as drift. */
static void
wait_out_tick(void)
{
	struct timespec tick;

	if (clock_getres(CLOCK_REALTIME_COARSE, &tick) == 0)
		(void)nanosleep(&tick, NULL);
}

void
store_close(struct store *store)
{
	if (store == NULL)
		return;
	if (store->written)
		wait_out_tick();
	file_close(store->root);
	file_close(store->live);
	file_close(store->archive);
	free(store->directory);
	free(store);
}

void
store_paths(const struct store *store, const struct owned *owned, char **out_archive,
    struct words *out_copies)
{
	*out_archive = memory_format("%s/archive/%s", store->directory, owned->name);
	for (size_t i = 0; i < owned->output_count; i++)
		if (owned->outputs[i].copy)
			words_add(out_copies, owned->outputs[i].path);
}

bool
store_read_installed(
    const struct store *store, const struct owned *owned, struct origin *out_origin)
{
	struct failure why;
	unsigned int number;
	bool found = false;
	int home = -1;

	if (generation_read_live(store, owned->name, &number, &why) == LIVE_OWN &&
	    generation_open_home(store, owned->name, &home, &why) == FOUND_FILE)
		found = generation_read_origin(home, number, out_origin, &why) == FOUND_FILE;
	file_close(home);
	return found;
}

/* --- Owners --- */

static bool
is_number(const char *text, unsigned long *out_number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*out_number = strtoul(text, &end, 10);
	/* (uid_t)-1 means "nobody in particular" to chown(2). */
	return *end == '\0' && errno == 0 && *out_number < UINT_MAX;
}

static int
find_owner(const char *owner, uid_t *out_owner, struct failure *why)
{
	const struct passwd *user;
	unsigned long number;

	*out_owner = geteuid();
	if (owner == NULL)
		return 0;
	if (is_number(owner, &number))
		*out_owner = (uid_t)number;
	else if (errno = 0, (user = getpwnam(owner)) != NULL)
		*out_owner = user->pw_uid;
	else
		return failure_set(why, FAILURE_DISK, "owner: there is no user %s", owner);
	if (geteuid() != 0 && *out_owner != geteuid())
		return failure_set(why, FAILURE_DISK,
		    "owner: certlet, run by an ordinary user, cannot give files to %s", owner);
	return 0;
}

static int
find_group(const char *group, gid_t *out_group, struct failure *why)
{
	const struct group *entry;
	unsigned long number;

	*out_group = getegid();
	if (group == NULL)
		return 0;
	if (is_number(group, &number))
		*out_group = (gid_t)number;
	else if ((entry = getgrnam(group)) != NULL)
		*out_group = entry->gr_gid;
	else
		return failure_set(why, FAILURE_DISK, "group: there is no group %s", group);
	if (geteuid() != 0 && *out_group != getegid() && group_member(*out_group) == 0)
		return failure_set(why, FAILURE_DISK,
		    "group: certlet, run by an ordinary user, cannot give files to %s", group);
	return 0;
}

int
store_find_keeper(const struct entry *entry, struct keeper *out_keeper, struct failure *why)
{
	struct keeper keeper = { 0 };

	if (find_owner(entry->owner, &keeper.owner, why) == -1 ||
	    find_group(entry->group, &keeper.group, why) == -1)
		return -1;
	for (int part = 0; part < PART_COUNT; part++) {
		keeper.modes[part] =
		    part_is_private((enum part)part) ? entry->key_mode : entry->cert_mode;
		keeper.parts[part] = part != PART_COMBINED || entry->combined ||
		    entry->outputs[PART_COMBINED] != NULL;
	}
	*out_keeper = keeper;
	return 0;
}

/* --- Contents --- */

static void
compose(struct secret *out, const struct secret *first, const struct secret *second,
    const struct secret *third)
{
	secret_set(out, NULL, 0);
	if (first != NULL)
		secret_append(out, first->bytes, first->size);
	secret_append(out, second->bytes, second->size);
	secret_append(out, third->bytes, third->size);
}

void
store_compose(const struct material *material, const struct keeper *keeper,
    struct secret out_parts[PART_COUNT])
{
	secret_set(&out_parts[PART_CERT], material->cert.bytes, material->cert.size);
	secret_set(&out_parts[PART_CHAIN], material->chain.bytes, material->chain.size);
	secret_set(&out_parts[PART_KEY], material->key.bytes, material->key.size);
	compose(&out_parts[PART_FULLCHAIN], NULL, &material->cert, &material->chain);
	if (keeper->parts[PART_COMBINED])
		compose(&out_parts[PART_COMBINED], &material->key, &material->cert,
		    &material->chain);
}

/* --- Switching and repairing --- */

static int
point_live(struct store *store, const char *name, unsigned int generation, struct failure *why)
{
	char *target = memory_format("../archive/%s/%u", name, generation);
	const int result = file_replace_link(store->live, name, target, why);

	free(target);
	return result == -1 ? failure_prefix(why, "%s/live", store->directory) : 0;
}

/* The link first is gone, then the outputs: a service never reads a copy of what is not live. */
static int
take_away(struct store *store, const struct state *state, struct owned *owned, struct failure *why)
{
	if (file_remove(store->live, owned->name, why) == -1)
		return failure_prefix(why, "%s/live", store->directory);
	return store_withdraw_outputs(store, state, owned, why);
}

/* With `relink`, the link moves after all that may fail for want of space has been written. */
static int
put_in_place(struct store *store, const struct entry *entry, const struct keeper *keeper,
    struct state *state, struct owned *owned, int home, unsigned int generation,
    const struct origin *origin, bool relink, struct failure *why)
{
	struct outputs outputs;
	int result = -1;

	if (outputs_open(&outputs, store, entry, keeper, state, owned, origin, why) == 0 &&
	    outputs_prepare(&outputs, home, generation, origin, why) == 0 &&
	    adopt_keep(&outputs, state, why) == 0 &&
	    (!relink || point_live(store, entry->name, generation, why) == 0))
		result = outputs_commit(&outputs, owned, why);
	outputs_close(&outputs);
	return result;
}

int
store_switch(struct store *store, const struct entry *entry, const struct keeper *keeper,
    struct state *state, struct owned *owned, unsigned int generation, struct failure *why)
{
	struct origin origin = { 0 };
	unsigned int before;
	int home = -1, result = -1;

	if (generation_read_live(store, entry->name, &before, why) == LIVE_NO_LINK)
		return -1;
	if (generation == 0)
		return take_away(store, state, owned, why);
	if (generation_open_home(store, entry->name, &home, why) == FOUND_FILE &&
	    generation_check(home, generation, keeper, &origin, NULL))
		result = put_in_place(store, entry, keeper, state, owned, home, generation, &origin,
		    before != generation, why);
	else
		(void)failure_set(why, FAILURE_DISK, "%s/archive/%s/%u is damaged",
		    store->directory, entry->name, generation);
	origin_clear(&origin);
	file_close(home);
	return result;
}

int
store_repair(struct store *store, const struct entry *entry, const struct keeper *keeper,
    struct state *state, struct owned *owned, const struct disk *disk, struct failure *why)
{
	const unsigned int number = disk->live != 0 ? disk->live : owned->generation;
	int home = -1, result = -1;

	if (disk->foreign != NULL)
		return failure_set(why, FAILURE_DISK, "%s", disk->foreign);
	/* What is damaged goes nowhere else: a new generation will come. */
	if (number == 0 || !disk->sound)
		return 0;
	if (generation_open_home(store, entry->name, &home, why) == FOUND_ABSENT)
		(void)failure_set(why, FAILURE_DISK, "%s/archive/%s vanished", store->directory,
		    entry->name);
	else if (home != -1 && generation_repair(home, number, keeper, why) == -1)
		(void)failure_prefix(why, "%s/archive/%s", store->directory, entry->name);
	else if (home != -1)
		result = put_in_place(store, entry, keeper, state, owned, home, number,
		    &disk->origin, disk->link_lost, why);
	file_close(home);
	return result;
}
