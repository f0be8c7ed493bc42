/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "store-internal.h"

/* For those who go on after a failure: all are told, and one of ours counts. Starts with NONE. */
static void
add_failure(struct failure *why, const struct failure *more)
{
	const struct failure before = *why;
	const enum failure_kind kind =
	    before.kind == FAILURE_FOREIGN ? more->kind : before.kind;

	if (before.kind == FAILURE_NONE)
		*why = *more;
	else
		(void)failure_set(why, kind, "%s; %s", before.text, more->text);
}

/* --- Outputs --- */

/* The owner of its key, who may own directories above its outputs; the manifest may be silent. */
static uid_t
find_owner(const struct store *store, const struct owned *owned)
{
	uid_t owner = geteuid();
	unsigned int number = 0;
	int directory = -1;
	struct failure why;
	struct stat status;

	if (generation_read_live(store, owned->name, &number, &why) != LIVE_OWN)
		number = owned->generation;
	if (generation_open_of(store, owned->name, number, &directory, &why) == FOUND_FILE &&
	    fstatat(directory, part_file_names[PART_KEY], &status, AT_SYMLINK_NOFOLLOW) == 0)
		owner = status.st_uid;
	file_close(directory);
	return owner;
}

static int
copy_back(struct store *store, const struct owned *other, enum part part, int directory,
    const char *name, struct failure *why)
{
	struct secret bytes = { 0 };
	struct stat status;
	unsigned int number = 0;
	int generation = -1, result = -1;

	(void)generation_read_live(store, other->name, &number, why);
	if (generation_open_of(store, other->name, number, &generation, why) == FOUND_FILE &&
	    file_read_at(generation, part_file_names[part], FILE_LIMIT_BYTES, &bytes, &status, why)
	    == FOUND_FILE) {
		const struct ownership same = {
			.owner = status.st_uid, .group = status.st_gid,
			.mode = status.st_mode & 07777,
		};

		result = file_replace(directory, name, bytes.bytes, bytes.size, &same, why);
	} else {
		(void)failure_set(why, FAILURE_DISK, "%s of %s cannot be read",
		    part_file_names[part], other->name);
	}
	file_close(generation);
	secret_clear(&bytes);
	return result;
}

/* Rule 14 undone: what the old certificate served is not taken from it by one that did not pass. */
static int
give_back(struct store *store, const struct owned *other, const struct output *output,
    int directory, const char *name, struct failure *why)
{
	char *target;
	int result;

	if (output->copy)
		return copy_back(store, other, output->part, directory, name, why);
	target = outputs_link_target(store, other->name, output->part);
	result = file_replace_link(directory, name, target, why);
	free(target);
	return result;
}

enum fate { FATE_REMOVE, FATE_GIVE_BACK };

enum clearing {
	CLEARED,
	CLEARING_LEFT,	/* what is there is of others: there is nothing more to do */
	CLEARING_OWED,	/* it is ours, and could not be cleared */
};

static enum clearing
clear_place(struct store *store, const struct state *state, const struct owned *owned,
    const struct output *output, enum fate fate, int directory, const char *name,
    struct failure *why)
{
	const struct owned *other;
	const struct output *its = outputs_find_other(state, owned->name, output->path, &other);

	int result = 0;

	switch (outputs_find_maker(store, state, owned, output, directory, name)) {
	case MAKER_SELF:
		result = fate == FATE_GIVE_BACK && its != NULL ?
		    give_back(store, other, its, directory, name, why) :
		    file_remove(directory, name, why);
		break;
	case MAKER_FOREIGN:
		(void)failure_set(why, FAILURE_DISK, "was not made by certlet, and is left");
		return CLEARING_LEFT;
	case MAKER_UNKNOWN:
		result = failure_set(why, FAILURE_DISK, "it cannot be told whose it is");
		break;
	case MAKER_NONE:
	case MAKER_ANOTHER:
		break;
	}
	return result == 0 ? CLEARED : CLEARING_OWED;
}

/* What others put there is told once: the record of it goes. What is owed stays on record. */
static int
take_output(struct store *store, const struct state *state, struct owned *owned, size_t index,
    enum fate fate, uid_t trusted, struct failure *why)
{
	const struct output *output = &owned->outputs[index];
	char *path = memory_text(output->path);
	enum clearing clearing;
	const char *name;
	int directory, result = 0;

	switch (directory_open_above(path, trusted, &directory, &name, why)) {
	case FOUND_FILE:
		result = file_clear_leftover(directory, name, trusted, why);
		clearing = clear_place(store, state, owned, output, fate, directory, name, why);
		(void)close(directory);
		if (clearing != CLEARED)
			result = -1;
		if (clearing != CLEARING_OWED)
			owned_drop_output(owned, path);
		break;
	case FOUND_ABSENT:
		owned_drop_output(owned, path);
		break;
	case FOUND_FAILED:
		result = -1;
		break;
	}
	if (result == -1)
		(void)failure_prefix(why, "%s", path);
	free(path);
	return result;
}

static bool
is_named(const struct entry *entry, const char *path)
{
	for (int part = 0; entry != NULL && part < PART_COUNT; part++)
		if (entry->outputs[part] != NULL && strcmp(entry->outputs[part], path) == 0)
			return true;
	return false;
}

static int
take_outputs(struct store *store, const struct entry *entry, const struct state *state,
    struct owned *owned, enum fate fate, struct failure *why)
{
	const uid_t trusted = find_owner(store, owned);

	*why = (struct failure){ 0 };
	for (size_t i = owned->output_count; i-- > 0;) {
		struct failure second;

		if (!is_named(entry, owned->outputs[i].path) &&
		    take_output(store, state, owned, i, fate, trusted, &second) == -1)
			add_failure(why, &second);
	}
	return why->kind == FAILURE_NONE ? 0 : -1;
}

int
store_withdraw_outputs(struct store *store, const struct state *state, struct owned *owned,
    struct failure *why)
{
	return take_outputs(store, NULL, state, owned, FATE_GIVE_BACK, why);
}

int
store_drop_outputs(struct store *store, const struct entry *entry, const struct state *state,
    struct owned *owned, struct failure *why)
{
	return take_outputs(store, entry, state, owned, FATE_REMOVE, why);
}

/* --- Generations --- */

static bool
is_kept(unsigned int number, const unsigned int keep[], size_t keep_count)
{
	for (size_t i = 0; i < keep_count; i++)
		if (keep[i] == number)
			return true;
	return false;
}

/* Goes on after a failure. */
static void
remove_generations(int home, const unsigned int keep[], size_t keep_count, struct failure *why)
{
	struct words names = { 0 };
	struct failure second;

	if (directory_list(home, &names, &second) == -1)
		add_failure(why, &second);
	for (size_t i = 0; i < names.count; i++) {
		const unsigned int number = generation_number(names.items[i]);

		if (number != 0 && !is_kept(number, keep, keep_count) &&
		    generation_remove(home, number, &second) == -1)
			add_failure(why, &second);
	}
	words_clear(&names);
}

int
store_prune(struct store *store, const char *name, const unsigned int keep[], size_t keep_count,
    struct failure *why)
{
	unsigned int *kept = memory_new(keep_count + 1, sizeof(*kept));
	struct failure second;
	int home;

	*why = (struct failure){ 0 };
	for (size_t i = 0; i < keep_count; i++)
		kept[i] = keep[i];
	/* Whatever the caller believes: what the link points to is in use. */
	(void)generation_read_live(store, name, &kept[keep_count], &second);
	switch (generation_open_home(store, name, &home, &second)) {
	case FOUND_FILE:
		remove_generations(home, kept, keep_count + 1, why);
		(void)close(home);
		break;
	case FOUND_ABSENT:
		break;
	case FOUND_FAILED:
		add_failure(why, &second);
		break;
	}
	free(kept);
	return why->kind == FAILURE_NONE ? 0 :
	    failure_prefix(why, "%s/archive/%s", store->directory, name);
}

/* What was named inside of it says already why it stays. */
static int
remove_home(struct store *store, const char *name, struct failure *why)
{
	int home = -1, result = 0;
	enum found found;

	*why = (struct failure){ 0 };
	if ((found = generation_open_home(store, name, &home, why)) != FOUND_FILE)
		return found == FOUND_ABSENT ? 0 : -1;
	remove_generations(home, NULL, 0, why);
	if (why->kind != FAILURE_NONE)
		result = -1;
	else if (unlinkat(store->archive, name, AT_REMOVEDIR) == -1)
		result = directory_not_removed(home, why);
	else
		result = file_sync_directory(store->archive, why);
	(void)close(home);
	return result == -1 ?
	    failure_prefix(why, "%s/archive/%s", store->directory, name) : 0;
}

/* --- All of it --- */

static void
remove_live(struct store *store, const char *name, struct failure *why)
{
	struct failure second;
	unsigned int number;

	if (store->live == -1)
		return;
	file_abandon(store->live, name);
	switch (generation_read_live(store, name, &number, &second)) {
	case LIVE_OWN:
		if (file_remove(store->live, name, &second) == -1)
			add_failure(why, &second);
		break;
	case LIVE_ABSENT:
		break;
	case LIVE_NO_LINK:
		add_failure(why, &second);
		break;
	case LIVE_ELSEWHERE:
		(void)failure_set(&second, FAILURE_DISK,
		    "%s/live/%s was not made by certlet, and is left; move it away",
		    store->directory, name);
		add_failure(why, &second);
		break;
	}
}

static bool
has_copy(const struct owned *owned)
{
	for (size_t i = 0; i < owned->output_count; i++)
		if (owned->outputs[i].copy)
			return true;
	return false;
}

int
store_remove(struct store *store, const struct state *state, struct owned *owned,
    struct failure *why)
{
	struct failure second;

	(void)take_outputs(store, NULL, state, owned, FATE_REMOVE, why);
	remove_live(store, owned->name, why);
	/* A copy is known by its generations: they stay as long as one does. */
	if (!has_copy(owned) && remove_home(store, owned->name, &second) == -1)
		add_failure(why, &second);
	return why->kind == FAILURE_NONE ? 0 : -1;
}

int
store_remove_directories(struct store *store, struct failure *why)
{
	static const char *const names[] = { "live", "archive" };
	struct failure second;

	*why = (struct failure){ 0 };
	for (size_t i = 0; store->root != -1 && i < sizeof(names) / sizeof(*names); i++)
		if (directory_remove(store->root, names[i], store->directory, &second) == -1)
			add_failure(why, &second);
	return why->kind == FAILURE_NONE ? 0 : -1;
}
