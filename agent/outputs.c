/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "adopt.h"
#include "directory.h"
#include "store-internal.h"

/* The key goes first: a service that reads a new certificate with an old key would fail. */
static const enum part order[PART_COUNT] =
    { PART_KEY, PART_COMBINED, PART_CERT, PART_CHAIN, PART_FULLCHAIN };

/* --- Whose is it? --- */

char *
outputs_link_target(const struct store *store, const char *name, enum part part)
{
	return memory_format("%s/live/%s/%s", store->directory, name, part_file_names[part]);
}

static bool
points_below(const char *target, const char *directory, const char *below)
{
	const size_t length = strlen(directory);

	return strncmp(target, directory, length) == 0 &&
	    strncmp(target + length, below, strlen(below)) == 0;
}

/* Whether a link leads to what the store has live: of the certificate, or of any (name NULL). */
static bool
is_link_of(const struct store *store, const char *target, const char *name)
{
	char *below = name != NULL ? memory_format("/live/%s/", name) : memory_text("/live/");
	const bool result = points_below(target, store->directory, below);

	free(below);
	return result;
}

/* What a file is known by: its inode, and when that was made. */
static int
identify(int directory, const char *name, struct output *output)
{
	struct statx found;

	if (statx(directory, name, AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &found) == -1)
		return -1;
	output->device = makedev(found.stx_dev_major, found.stx_dev_minor);
	output->inode = found.stx_ino;
	output->born = (found.stx_mask & STATX_BTIME) == 0 ? 0 :
	    (uint64_t)found.stx_btime.tv_sec * 1000000000 + found.stx_btime.tv_nsec;
	return 0;
}

static bool
is_recorded(const struct output *output, int directory, const char *name)
{
	struct output found;

	return output != NULL && output->copy && identify(directory, name, &found) == 0 &&
	    output->device == found.device && output->inode == found.inode &&
	    output->born == found.born;
}

/*
 * A copy whose inode nobody wrote down is ours if it holds what one of our generations holds: it
 * came back from a backup, or the run that made it was killed.
 */
static enum found
find_generation(const struct store *store, const char *name, const struct owned *owned,
    enum part part, const char *digest, struct failure *why)
{
	unsigned int numbers[1 + OWNED_GENERATIONS] = { 0 };
	enum found found;
	int home;

	/* What could not be read, and a part that a generation does not have, are nothing alike. */
	if (*digest == '\0')
		return FOUND_ABSENT;
	if ((found = generation_open_home(store, name, &home, why)) != FOUND_FILE)
		return found;
	found = FOUND_ABSENT;
	if (generation_read_live(store, name, &numbers[0], why) == LIVE_NO_LINK)
		found = FOUND_FAILED;
	if (owned != NULL)
		owned_generations(owned, numbers + 1);
	for (size_t i = 0; i <= OWNED_GENERATIONS && found != FOUND_FILE; i++) {
		struct origin origin = { 0 };
		const enum found read = generation_read_origin(home, numbers[i], &origin, why);

		if (read == FOUND_FAILED)
			found = FOUND_FAILED;
		else if (read == FOUND_FILE && strcmp(origin.digests[part], digest) == 0)
			found = FOUND_FILE;
		origin_clear(&origin);
	}
	(void)close(home);
	return found;
}

const struct output *
outputs_find_other(const struct state *state, const char *name, const char *path,
    const struct owned **out_other)
{
	for (size_t i = 0; i < state->certificate_count; i++) {
		const struct owned *other = &state->certificates[i];
		const struct output *output = owned_find_output(other, path);

		if (strcmp(other->name, name) == 0 || output == NULL)
			continue;
		*out_other = other;
		return output;
	}
	return NULL;
}

/* FILE: made by certlet, for this certificate or for another one that handed it over (rule 14). */
static enum found
find_own_copy(const struct outputs *outputs, const struct place *place, const struct state *state,
    const struct owned *owned, const char *digest, struct failure *why)
{
	const char *name = outputs->entry->name;
	const struct owned *other;
	const struct output *its = outputs_find_other(state, name, place->path, &other);
	const enum found found =
	    find_generation(outputs->store, name, owned, place->part, digest, why);

	if (found != FOUND_ABSENT || its == NULL)
		return found;
	if (is_recorded(its, place->directory, place->name))
		return FOUND_FILE;
	return find_generation(outputs->store, other->name, other, its->part, digest, why);
}

static enum maker
find_maker_of_link(const struct store *store, const struct owned *owned, int directory,
    const char *name)
{
	char *target = file_read_link(directory, name);
	enum maker maker = MAKER_FOREIGN;

	if (target == NULL)
		return errno == ENOENT ? MAKER_NONE : MAKER_UNKNOWN;
	if (is_link_of(store, target, owned->name))
		maker = MAKER_SELF;
	else if (is_link_of(store, target, NULL))
		maker = MAKER_ANOTHER;
	free(target);
	return maker;
}

enum maker
outputs_find_maker(const struct store *store, const struct state *state, const struct owned *owned,
    const struct output *output, int directory, const char *name)
{
	const struct owned *other;
	const struct output *its = outputs_find_other(state, owned->name, output->path, &other);
	char digest[DIGEST_BYTES];
	struct failure why;
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? MAKER_NONE : MAKER_UNKNOWN;
	if (S_ISLNK(status.st_mode))
		return find_maker_of_link(store, owned, directory, name);
	/* A file that was right already when it passed is known to both: it is the other's now. */
	if (is_recorded(its, directory, name))
		return MAKER_ANOTHER;
	if (is_recorded(output, directory, name))
		return MAKER_SELF;
	/* Two certificates may hold the same: the digest tells only where there is no other. */
	if (its != NULL)
		return MAKER_ANOTHER;
	if (!output->copy)
		return MAKER_FOREIGN;
	if (file_digest_at(directory, name, digest, &status, &why) != FOUND_FILE)
		return S_ISREG(status.st_mode) ? MAKER_UNKNOWN : MAKER_FOREIGN;
	switch (find_generation(store, owned->name, owned, output->part, digest, &why)) {
	case FOUND_FILE:
		return MAKER_SELF;
	case FOUND_ABSENT:
		return MAKER_FOREIGN;
	case FOUND_FAILED:
		break;
	}
	return MAKER_UNKNOWN;
}

/* --- Looking --- */

static int
stands_in_the_way(const struct place *place, const char *what, struct failure *why)
{
	return failure_set(why, FAILURE_DISK, "%s stands in the way of %s; move it away", what,
	    part_file_names[place->part]);
}

static int
look_at_link(struct outputs *outputs, struct place *place, const struct output *recorded,
    const struct stat *status, struct failure *why)
{
	char *target = file_read_link(place->directory, place->name), *wanted;
	const bool own = status->st_uid == 0 || status->st_uid == geteuid();
	int result = 0;

	if (target == NULL)
		return failure_errno(why, FAILURE_DISK, "read the link %s", place->name);
	wanted = outputs_link_target(outputs->store, outputs->entry->name, place->part);
	if (!own || !is_link_of(outputs->store, target, NULL))
		result = stands_in_the_way(place, "a link that certlet did not make", why);
	else if (outputs->entry->install != INSTALL_SYMLINK || strcmp(target, wanted) != 0)
		place->standing = STANDS_BENT;
	else if (recorded == NULL || recorded->copy || recorded->part != place->part)
		place->standing = STANDS_UNKNOWN;
	free(target);
	free(wanted);
	return result;
}

static int
look_at_file(struct outputs *outputs, struct place *place, const struct state *state,
    const struct owned *owned, const struct origin *origin, struct failure *why)
{
	const struct ownership wanted = generation_ownership(outputs->keeper, place->part);
	const struct output *recorded = owned_find_output(owned, place->path);
	char digest[DIGEST_BYTES] = "";
	struct stat status;
	bool known;

	if (file_digest_at(place->directory, place->name, digest, &status, why) != FOUND_FILE &&
	    fstatat(place->directory, place->name, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return failure_errno(why, FAILURE_DISK, "look at it");
	known = is_recorded(recorded, place->directory, place->name);
	if (!known) {
		switch (find_own_copy(outputs, place, state, owned, digest, why)) {
		case FOUND_FILE:
			break;
		case FOUND_ABSENT:
			place->standing = STANDS_ADOPTABLE;
			return adopt_judge(outputs, place, &status, digest, why);
		case FOUND_FAILED:
			return failure_prefix(why, "it cannot be told whose it is");
		}
	}
	if (outputs->entry->install != INSTALL_COPY || origin == NULL ||
	    strcmp(digest, origin->digests[place->part]) != 0)
		place->standing = STANDS_BENT;
	else if (!file_ownership_is(&status, &wanted))
		place->standing = STANDS_DRIFTED;
	else if (!known || recorded->part != place->part)
		place->standing = STANDS_UNKNOWN;
	return 0;
}

static int
look(struct outputs *outputs, struct place *place, const struct state *state,
    const struct owned *owned, const struct origin *origin, struct failure *why)
{
	struct stat status;

	place->leftover = file_has_leftover(place->directory, place->name);
	if (fstatat(place->directory, place->name, &status, AT_SYMLINK_NOFOLLOW) == -1) {
		place->standing = STANDS_MISSING;
		return errno == ENOENT ? 0 : failure_errno(why, FAILURE_DISK, "look at it");
	}
	if (S_ISLNK(status.st_mode))
		return look_at_link(outputs, place, owned_find_output(owned, place->path), &status, why);
	if (S_ISREG(status.st_mode))
		return look_at_file(outputs, place, state, owned, origin, why);
	return stands_in_the_way(place, S_ISDIR(status.st_mode) ? "a directory" : "something", why);
}

int
outputs_open(struct outputs *outputs, struct store *store, const struct entry *entry,
    const struct keeper *keeper, const struct state *state, const struct owned *owned,
    const struct origin *origin, struct failure *why)
{
	*outputs = (struct outputs){ .store = store, .entry = entry, .keeper = keeper };
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct place *place = &outputs->places[outputs->count];
		const char *path = entry->outputs[order[i]];

		if (path == NULL)
			continue;
		*place = (struct place){ .part = order[i], .path = path, .directory = -1 };
		if (directory_open_above(path, keeper->owner, &place->directory, &place->name, why) !=
		    FOUND_FILE)
			return failure_prefix(why, "%s", path);
		outputs->count++;
		if (look(outputs, place, state, owned, origin, why) == -1)
			return failure_prefix(why, "%s", path);
	}
	return 0;
}

void
outputs_close(struct outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct place *place = &outputs->places[i];

		if (place->prepared)
			file_abandon(place->directory, place->name);
		(void)close(place->directory);
	}
	outputs->count = 0;
}

static bool
is_due(const struct place *place)
{
	return place->standing != STANDS_RIGHT && place->standing != STANDS_UNKNOWN;
}

void
outputs_judge(const struct outputs *outputs, struct disk *disk)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct place *place = &outputs->places[i];

		disk->unrecorded |= place->standing == STANDS_UNKNOWN;
		disk->drifted |= is_due(place) || place->leftover;
		disk->behind |= outputs->entry->install == INSTALL_COPY && is_due(place) &&
		    place->standing != STANDS_DRIFTED;
	}
}

/* --- Making --- */

static int
prepare_copy(struct outputs *outputs, struct place *place, int home, unsigned int number,
    const struct origin *origin, struct failure *why)
{
	const struct ownership wanted = generation_ownership(outputs->keeper, place->part);
	struct secret bytes = { 0 };
	int result = generation_read_part(home, number, origin, place->part, &bytes, why);

	if (result == 0)
		result = file_prepare(
		    place->directory, place->name, bytes.bytes, bytes.size, &wanted, why);
	place->prepared = result == 0;
	secret_clear(&bytes);
	return result;
}

int
outputs_prepare(struct outputs *outputs, int home, unsigned int number, const struct origin *origin,
    struct failure *why)
{
	for (size_t i = 0; i < outputs->count; i++) {
		struct place *place = &outputs->places[i];

		if ((place->leftover && file_clear_leftover(place->directory, place->name,
		    outputs->keeper->owner, why) == -1) ||
		    (is_due(place) && outputs->entry->install == INSTALL_COPY &&
		    prepare_copy(outputs, place, home, number, origin, why) == -1))
			return failure_prefix(why, "%s", place->path);
	}
	return 0;
}

static int
commit_copy(struct place *place, struct output *output, struct failure *why)
{
	if (place->prepared && file_commit(place->directory, place->name, why) == -1)
		return -1;
	place->prepared = false;
	if (identify(place->directory, place->name, output) == -1)
		return failure_errno(why, FAILURE_DISK, "look at it");
	return 0;
}

static int
commit_link(const struct outputs *outputs, const struct place *place, struct failure *why)
{
	char *target;
	int result;

	if (!is_due(place))
		return 0;
	target = outputs_link_target(outputs->store, outputs->entry->name, place->part);
	result = file_replace_link(place->directory, place->name, target, why);
	free(target);
	return result;
}

int
outputs_commit(struct outputs *outputs, struct owned *owned, struct failure *why)
{
	const bool copy = outputs->entry->install == INSTALL_COPY;

	for (size_t i = 0; i < outputs->count; i++) {
		struct place *place = &outputs->places[i];
		struct output output = { .part = place->part, .copy = copy };
		int result;

		if (copy)
			result = commit_copy(place, &output, why);
		else
			result = commit_link(outputs, place, why);
		if (result == -1)
			return failure_prefix(why, "%s", place->path);
		output.path = (char *)place->path;
		owned_add_output(owned, &output);
	}
	return 0;
}
