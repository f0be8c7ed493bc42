/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adopt.h"
#include "directory.h"
#include "log.h"
#include "store-internal.h"

#define DIRECTORY_NAME "adopted"
#define MODE_BITS 07777

/* --- What may be adopted --- */

/* In words, why not; NULL: it may be. Caller frees. */
static char *
find_objection(const struct keeper *keeper, const struct stat *status, const char *digest)
{
	if (!S_ISREG(status->st_mode))
		return memory_text("it is no regular file");
	if (status->st_nlink != 1)
		return memory_format("it has %lu links", (unsigned long)status->st_nlink);
	if (status->st_uid != 0 && status->st_uid != keeper->owner)
		return memory_format("it belongs to user %lu, not to root or to the owner of the "
		    "certificate", (unsigned long)status->st_uid);
	/* An ordinary user could not give it back. */
	if (geteuid() != 0 && status->st_uid != geteuid())
		return memory_text("certlet, run by an ordinary user, could not give it back");
	if (*digest == '\0')
		return memory_format("it cannot be read, or is larger than %d bytes", FILE_LIMIT_BYTES);
	return NULL;
}

int
adopt_judge(const struct outputs *outputs, const struct place *place, const struct stat *status,
    const char *digest, struct failure *why)
{
	char *objection = find_objection(outputs->keeper, status, digest);
	const bool fits = objection == NULL;

	if (fits && outputs->entry->adopt)
		return 0;
	(void)failure_set(why, FAILURE_DISK, "a file that certlet did not make stands in the way of "
	    "%s; move it away%s%s", part_file_names[place->part],
	    outputs->entry->adopt ? ": it is not adopted, because " :
	    fits ? ", or say adopt = yes, which keeps it until certlet --purge" : "",
	    outputs->entry->adopt ? objection : "");
	free(objection);
	return -1;
}

/* --- Keeping --- */

static struct adopted *
find_record(const struct state *state, const char *path, const char *digest)
{
	for (size_t i = 0; i < state->adopted_count; i++)
		if (strcmp(state->adopted[i].path, path) == 0 &&
		    strcmp(state->adopted[i].digest, digest) == 0)
			return &state->adopted[i];
	return NULL;
}

static bool
is_taken(const struct state *state, const char *kept)
{
	for (size_t i = 0; i < state->adopted_count; i++)
		if (strcmp(state->adopted[i].kept, kept) == 0)
			return true;
	return false;
}

/* Its record, which becomes the last one of its path; the same file adopted again has one already. */
static struct adopted *
put_on_record(struct state *state, const struct place *place, const struct stat *status,
    const char *digest)
{
	struct adopted *known = find_record(state, place->path, digest);
	struct adopted record = {
		.path = memory_text(place->path),
		.kept = known != NULL ? memory_text(known->kept) : NULL,
		.owner = status->st_uid, .group = status->st_gid,
		.mode = status->st_mode & MODE_BITS,
	};

	(void)snprintf(record.digest, sizeof(record.digest), "%s", digest);
	for (unsigned int i = 1; record.kept == NULL; i++) {
		record.kept = memory_format("%u-%s", i, part_file_names[place->part]);
		if (is_taken(state, record.kept)) {
			free(record.kept);
			record.kept = NULL;
		}
	}
	if (known != NULL)
		state_drop_adopted(state, known);
	return state_add_adopted(state, &record);
}

static int
keep_file(const struct state *state, const struct adopted *record, const struct secret *bytes,
    struct failure *why)
{
	const struct ownership own = file_own(0600);
	int above, kept = -1, result = -1;

	if (directory_make_safe(state->directory, &above, why) == -1)
		return -1;
	if (directory_make(above, DIRECTORY_NAME, &kept, why) == 0)
		result = file_replace(kept, record->kept, bytes->bytes, bytes->size, &own, why);
	if (result == 0)
		log_notice("%s: what stood there is kept as %s/" DIRECTORY_NAME "/%s", record->path,
		    state->directory, record->kept);
	file_close(kept);
	(void)close(above);
	return result == -1 ? failure_prefix(why, "%s", state->directory) : 0;
}

/* On record first: what is kept is never forgotten, and a record without its file is one of a run
 * that was killed before anything was replaced. */
static int
keep_one(const struct outputs *outputs, const struct place *place, struct state *state,
    struct failure *why)
{
	char digest[DIGEST_BYTES];
	struct secret bytes = { 0 };
	struct stat status;
	int result = -1;

	switch (file_read_at(place->directory, place->name, FILE_LIMIT_BYTES, &bytes, &status, why)) {
	case FOUND_ABSENT:
		return 0;
	case FOUND_FAILED:
		return -1;
	case FOUND_FILE:
		break;
	}
	file_digest(bytes.bytes, bytes.size, digest);
	if (adopt_judge(outputs, place, &status, digest, why) == 0) {
		const struct adopted *record = put_on_record(state, place, &status, digest);

		if (state_write(state->directory, state, why) == 0)
			result = keep_file(state, record, &bytes, why);
	}
	secret_clear(&bytes);
	return result;
}

int
adopt_keep(const struct outputs *outputs, struct state *state, struct failure *why)
{
	for (size_t i = 0; i < outputs->count; i++) {
		const struct place *place = &outputs->places[i];

		if (place->standing == STANDS_ADOPTABLE &&
		    keep_one(outputs, place, state, why) == -1)
			return failure_prefix(why, "%s", place->path);
	}
	return 0;
}

/* --- Giving back --- */

static bool
is_output(const struct state *state, const char *path)
{
	for (size_t i = 0; i < state->certificate_count; i++)
		if (owned_find_output(&state->certificates[i], path) != NULL)
			return true;
	return false;
}

static bool
is_last_of_its_path(const struct state *state, size_t index)
{
	for (size_t i = index + 1; i < state->adopted_count; i++)
		if (strcmp(state->adopted[i].path, state->adopted[index].path) == 0)
			return false;
	return true;
}

/* What a run that was killed put back already is there, whole. */
static enum found
find_at_place(const struct adopted *record, int directory, const char *name, struct failure *why)
{
	char digest[DIGEST_BYTES];
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			return FOUND_ABSENT;
		(void)failure_errno(why, FAILURE_DISK, "look at it");
		return FOUND_FAILED;
	}
	if (S_ISREG(status.st_mode) &&
	    file_digest_at(directory, name, digest, &status, why) == FOUND_FILE &&
	    strcmp(digest, record->digest) == 0)
		return FOUND_FILE;
	(void)failure_set(why, FAILURE_DISK, "something else stands there; move it away, or go without "
	    "--restore");
	return FOUND_FAILED;
}

static int
put_back_bytes(const struct adopted *record, const struct secret *bytes, struct failure *why)
{
	const struct ownership same = { .owner = record->owner, .group = record->group,
	    .mode = record->mode };
	char digest[DIGEST_BYTES];
	const char *name;
	int directory, result = -1;

	file_digest(bytes->bytes, bytes->size, digest);
	if (strcmp(digest, record->digest) != 0)
		return failure_set(why, FAILURE_DISK, "what was kept of it was changed since");
	if (directory_open_above(record->path, record->owner, &directory, &name, why) != FOUND_FILE)
		return -1;
	switch (find_at_place(record, directory, name, why)) {
	case FOUND_FILE:
		result = 0;
		break;
	case FOUND_ABSENT:
		result = file_replace(directory, name, bytes->bytes, bytes->size, &same, why);
		if (result == 0)
			log_notice("%s: put back", record->path);
		break;
	case FOUND_FAILED:
		break;
	}
	(void)close(directory);
	return result;
}

/* Without its file, a record is of a run that was killed: before it was kept, or after it was back. */
static int
put_back(const struct adopted *record, int kept, struct failure *why)
{
	struct secret bytes = { 0 };
	int result = -1;

	switch (file_read_at(kept, record->kept, FILE_LIMIT_BYTES, &bytes, NULL, why)) {
	case FOUND_FILE:
		result = put_back_bytes(record, &bytes, why);
		break;
	case FOUND_ABSENT:
		result = 0;
		break;
	case FOUND_FAILED:
		break;
	}
	secret_clear(&bytes);
	return result;
}

static int
return_one(const struct adopted *record, int kept, bool back, struct failure *why)
{
	if (back && put_back(record, kept, why) == -1)
		return failure_prefix(why, "%s: not put back", record->path);
	if (file_clear_leftover(kept, record->kept, geteuid(), why) == -1 ||
	    file_remove(kept, record->kept, why) == -1)
		return failure_prefix(why, "what was kept of %s", record->path);
	return 0;
}

static bool
return_all(struct state *state, int kept, bool back)
{
	bool all = true;
	struct failure why;

	/* From the oldest on: the last one of a path stays on record until it is back. */
	for (size_t i = 0; i < state->adopted_count;) {
		struct adopted *record = &state->adopted[i];
		const bool waits = is_output(state, record->path);

		if (!waits &&
		    return_one(record, kept, back && is_last_of_its_path(state, i), &why) == 0) {
			state_drop_adopted(state, record);
			continue;
		}
		if (!waits) {
			log_error("%s", why.text);
			all = false;
		}
		i++;
	}
	return all;
}

bool
adopt_return(struct state *state, bool put_back)
{
	int above = -1, kept = -1;
	bool all = true;
	enum found found;
	struct failure why;

	if (state->directory == NULL)
		return true;
	found = directory_open_safe(state->directory, geteuid(), &above, &why);
	if (found == FOUND_FILE)
		found = directory_open(above, DIRECTORY_NAME, &kept, &why);
	switch (found) {
	case FOUND_FILE:
		all = return_all(state, kept, put_back);
		(void)close(kept);
		if (state->adopted_count == 0 &&
		    directory_remove(above, DIRECTORY_NAME, state->directory, &why) == -1)
			found = FOUND_FAILED;
		break;
	case FOUND_ABSENT:
		/* Nothing was kept of what is on record. */
		while (state->adopted_count != 0)
			state_drop_adopted(state, &state->adopted[0]);
		break;
	case FOUND_FAILED:
		break;
	}
	if (found == FOUND_FAILED)
		log_error("%s", why.text);
	file_close(above);
	return all && found != FOUND_FAILED;
}
