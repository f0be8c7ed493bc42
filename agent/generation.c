/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "directory.h"
#include "store-internal.h"

#define DIRECTORY_MODE 0755
#define ORIGIN_MODE 0644
#define NUMBER_BYTES 12

/* --- Numbers and directories --- */

unsigned int
generation_number(const char *text)
{
	const size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9 || text[digits] != '\0' || *text == '0')
		return 0;
	return (unsigned int)strtoul(text, NULL, 10);
}

static const char *
number_text(unsigned int number, char text[NUMBER_BYTES])
{
	(void)snprintf(text, NUMBER_BYTES, "%u", number);
	return text;
}

enum found
generation_open_home(
    const struct store *store, const char *name, int *out_home, struct failure *why)
{
	const enum found found = directory_open(store->archive, name, out_home, why);

	if (found == FOUND_FAILED)
		(void)failure_prefix(why, "%s/archive", store->directory);
	return found;
}

static enum found
open_number(int home, unsigned int number, int *out_directory, struct failure *why)
{
	char text[NUMBER_BYTES];

	if (number == 0)
		return FOUND_ABSENT;
	return directory_open(home, number_text(number, text), out_directory, why);
}

enum found
generation_open_of(const struct store *store, const char *name, unsigned int number,
    int *out_directory, struct failure *why)
{
	int home;
	enum found found = generation_open_home(store, name, &home, why);

	if (found == FOUND_FILE) {
		found = open_number(home, number, out_directory, why);
		(void)close(home);
	}
	return found;
}

struct ownership
generation_ownership(const struct keeper *keeper, enum part part)
{
	return (struct ownership){
		.owner = keeper->owner, .group = keeper->group, .mode = keeper->modes[part],
	};
}

/* --- Reading and checking --- */

/* `directory` is that of the generation. */
static enum found
read_origin(int directory, struct origin *out_origin, struct stat *out_status, struct failure *why)
{
	struct secret text = { 0 };
	enum found found =
	    file_read_at(directory, ORIGIN_NAME, FILE_LIMIT_BYTES, &text, out_status, why);

	if (found == FOUND_FILE && origin_decode(text.bytes, text.size, out_origin, why) == -1)
		found = FOUND_ABSENT;
	secret_clear(&text);
	return found;
}

enum found
generation_read_origin(
    int home, unsigned int number, struct origin *out_origin, struct failure *why)
{
	int directory;
	enum found found = open_number(home, number, &directory, why);

	if (found == FOUND_FILE) {
		found = read_origin(directory, out_origin, NULL, why);
		(void)close(directory);
	}
	if (found == FOUND_FAILED)
		(void)failure_prefix(why, "generation %u", number);
	return found;
}

/* Of a directory or file of certlet's own. */
static bool
is_own(int descriptor, mode_t mode)
{
	const struct ownership own = file_own(mode);
	struct stat status;

	return fstat(descriptor, &status) == 0 && file_ownership_is(&status, &own);
}

/*
 * `origin` is the last file of a generation to be written: one that was not changed since holds
 * what it was written with, and need not be read. Its mtime tells, since a chown -R moves its
 * ctime; a clock that went back proves nothing. In the tick of the kernel's clock in which it was
 * written only this program wrote: store_close() waits until that is over.
 */
static bool
is_untouched(const struct stat *status, const struct stat *origin_status)
{
	const struct timespec *changed = &status->st_ctim, *written = &origin_status->st_mtim;

	return S_ISREG(status->st_mode) && written->tv_sec <= time(NULL) &&
	    (changed->tv_sec != written->tv_sec ? changed->tv_sec < written->tv_sec :
	    changed->tv_nsec <= written->tv_nsec);
}

static bool
check_part(int directory, const struct keeper *keeper, int part, const struct origin *origin,
    const struct stat *origin_status, struct check *check)
{
	const struct ownership wanted = generation_ownership(keeper, (enum part)part);
	const char *name = part_file_names[part], *written = origin->digests[part];
	char digest[DIGEST_BYTES];
	struct failure why;
	struct stat status;
	enum found found;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1) {
		check->unread |= keeper->parts[part] && errno != ENOENT;
		return !keeper->parts[part];
	}
	check->drifted |= !file_ownership_is(&status, &wanted);
	if (!keeper->parts[part])
		return true;
	if (is_untouched(&status, origin_status))
		return *written != '\0';
	found = file_digest_at(directory, name, digest, NULL, &why);
	check->unread |= found == FOUND_FAILED && S_ISREG(status.st_mode);
	return found == FOUND_FILE && strcmp(digest, written) == 0;
}

bool
generation_check(int home, unsigned int number, const struct keeper *keeper,
    struct origin *out_origin, struct check *out_check)
{
	const struct ownership own = file_own(ORIGIN_MODE);
	struct check check = { 0 };
	struct failure why;
	struct stat status;
	int directory = -1;
	enum found found =
	    home == -1 ? FOUND_ABSENT : open_number(home, number, &directory, &why);
	bool sound;

	if (found == FOUND_FILE)
		found = read_origin(directory, out_origin, &status, &why);
	if ((sound = found == FOUND_FILE)) {
		check.drifted = !is_own(home, DIRECTORY_MODE) ||
		    !is_own(directory, DIRECTORY_MODE) || !file_ownership_is(&status, &own);
		for (int part = 0; part < PART_COUNT; part++)
			sound &= check_part(directory, keeper, part, out_origin, &status, &check);
	}
	check.unread |= found == FOUND_FAILED;
	if (out_check != NULL)
		*out_check = check;
	file_close(directory);
	return sound;
}

int
generation_read_part(int home, unsigned int number, const struct origin *origin, enum part part,
    struct secret *out_bytes, struct failure *why)
{
	char digest[DIGEST_BYTES] = "";
	int directory, result = -1;

	if (open_number(home, number, &directory, why) != FOUND_FILE)
		return failure_set(why, FAILURE_DISK, "generation %u cannot be read", number);
	if (file_read_at(directory, part_file_names[part], FILE_LIMIT_BYTES, out_bytes,
	    /* out_status= */ NULL, why) == FOUND_FILE)
		file_digest(out_bytes->bytes, out_bytes->size, digest);
	if (*digest != '\0' && strcmp(digest, origin->digests[part]) == 0)
		result = 0;
	else
		(void)failure_set(why, FAILURE_DISK, "%s of generation %u is damaged",
		    part_file_names[part], number);
	(void)close(directory);
	return result;
}

/* --- The link --- */

/* "../archive/NAME/N" and nothing else, so that moving DIR as a whole does no harm. */
static unsigned int
parse_target(const char *target, const char *name)
{
	char *prefix = memory_format("../archive/%s/", name);
	const size_t length = strlen(prefix);
	const unsigned int number =
	    strncmp(target, prefix, length) == 0 ? generation_number(target + length) : 0;

	free(prefix);
	return number;
}

enum live_link
generation_read_live(const struct store *store, const char *name, unsigned int *out_number,
    struct failure *why)
{
	char *target;

	*out_number = 0;
	if (store->live == -1)
		return LIVE_ABSENT;
	if ((target = file_read_link(store->live, name)) != NULL) {
		*out_number = parse_target(target, name);
		free(target);
		return *out_number != 0 ? LIVE_OWN : LIVE_ELSEWHERE;
	}
	if (errno == ENOENT)
		return LIVE_ABSENT;
	if (errno == EINVAL)
		(void)failure_set(why, FAILURE_DISK,
		    "%s/live/%s is no link and was not made by certlet; move it away",
		    store->directory, name);
	else
		(void)failure_errno(why, FAILURE_DISK, "read the link %s/live/%s",
		    store->directory, name);
	return LIVE_NO_LINK;
}

/* --- Writing --- */

static int
find_newest(int home, const struct owned *owned, unsigned int *out_number, struct failure *why)
{
	unsigned int newest = 0;
	struct words names = { 0 };

	if (directory_list(home, &names, why) == -1)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (generation_number(names.items[i]) > newest)
			newest = generation_number(names.items[i]);
	words_clear(&names);
	if (owned != NULL) {
		unsigned int known[OWNED_GENERATIONS];

		owned_generations(owned, known);
		for (size_t i = 0; i < OWNED_GENERATIONS; i++)
			if (known[i] > newest)
				newest = known[i];
	}
	*out_number = newest;
	return 0;
}

static int
write_origin(int directory, const struct origin *origin, struct failure *why)
{
	const struct ownership own = file_own(ORIGIN_MODE);
	char *text = origin_encode(origin);
	const int result = file_replace(directory, ORIGIN_NAME, text, strlen(text), &own, why);

	free(text);
	return result;
}

static int
write_files(int directory, const struct keeper *keeper, const struct secret parts[PART_COUNT],
    const struct origin *origin, struct failure *why)
{
	for (int part = 0; part < PART_COUNT; part++) {
		const struct ownership wanted = generation_ownership(keeper, (enum part)part);

		if (keeper->parts[part] && file_create(directory, part_file_names[part],
		    parts[part].bytes, parts[part].size, &wanted, why) == -1)
			return -1;
	}
	return write_origin(directory, origin, why);
}

static void
fill_origin(
    struct origin *origin, const struct keeper *keeper, const struct secret parts[PART_COUNT])
{
	origin->installed = time(NULL);
	for (int part = 0; part < PART_COUNT; part++) {
		origin->digests[part][0] = '\0';
		if (keeper->parts[part])
			file_digest(parts[part].bytes, parts[part].size, origin->digests[part]);
	}
}

int
store_write(struct store *store, const struct entry *entry, const struct keeper *keeper,
    const struct owned *owned, const struct secret parts[PART_COUNT], struct origin *origin,
    unsigned int *out_generation, struct failure *why)
{
	int home = -1, directory = -1, result = -1;
	char text[NUMBER_BYTES];
	unsigned int number = 0;
	struct failure second;

	if (directory_make(store->archive, entry->name, &home, why) == -1 ||
	    find_newest(home, owned, &number, why) == -1)
		goto out;
	(void)number_text(++number, text);
	if (directory_make(home, text, &directory, why) == -1)
		goto out;
	fill_origin(origin, keeper, parts);
	if (write_files(directory, keeper, parts, origin, why) == -1) {
		/* A full disk is not helped by half a generation. */
		(void)generation_remove(home, number, &second);
		goto out;
	}
	*out_generation = number;
	store->written = true;
	result = 0;
out:
	file_close(directory);
	file_close(home);
	return result == -1 ?
	    failure_prefix(why, "%s/archive/%s", store->directory, entry->name) : 0;
}

int
store_rewrite_origin(struct store *store, const char *name, unsigned int generation,
    const struct origin *origin, struct failure *why)
{
	int directory, result = -1;

	if (generation_open_of(store, name, generation, &directory, why) == FOUND_FILE) {
		result = write_origin(directory, origin, why);
		(void)close(directory);
	} else {
		(void)failure_set(why, FAILURE_DISK, "it cannot be opened");
	}
	store->written = true;
	return result == -1 ? failure_prefix(why, "%s/archive/%s/%u", store->directory, name,
	    generation) : 0;
}

/* --- Repairing --- */

/* A file with a second name is not changed, since the other name is not ours: a new one is made. */
static int
renew_file(int directory, const char *name, const struct ownership *wanted, struct failure *why)
{
	struct secret bytes = { 0 };
	int result = -1;

	switch (file_read_at(directory, name, FILE_LIMIT_BYTES, &bytes, NULL, why)) {
	case FOUND_FILE:
		result = file_replace(directory, name, bytes.bytes, bytes.size, wanted, why);
		break;
	case FOUND_ABSENT:
		result = failure_set(why, FAILURE_DISK, "it vanished");
		break;
	case FOUND_FAILED:
		break;
	}
	secret_clear(&bytes);
	return result;
}

/* What is missing or no regular file is damage, which a new generation cures. */
static int
repair_file(int directory, const char *name, const struct ownership *wanted, struct failure *why)
{
	const int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	int result = 0;

	if (file == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 :
		    failure_errno(why, FAILURE_DISK, "open %s", name);
	if (fstat(file, &status) == -1)
		result = failure_errno(why, FAILURE_DISK, "look at %s", name);
	else if (S_ISREG(status.st_mode) && !file_ownership_is(&status, wanted))
		result = status.st_nlink > 1 ? renew_file(directory, name, wanted, why) :
		    file_set_ownership(file, wanted, why);
	(void)close(file);
	return result == -1 ? failure_prefix(why, "%s", name) : 0;
}

int
generation_repair(int home, unsigned int number, const struct keeper *keeper, struct failure *why)
{
	const struct ownership own_directory = file_own(DIRECTORY_MODE);
	const struct ownership own = file_own(ORIGIN_MODE);
	int directory, result;

	if (open_number(home, number, &directory, why) != FOUND_FILE)
		return failure_set(why, FAILURE_DISK, "generation %u cannot be opened", number);
	if ((result = file_set_ownership(home, &own_directory, why)) == 0 &&
	    (result = file_set_ownership(directory, &own_directory, why)) == 0)
		result = repair_file(directory, ORIGIN_NAME, &own, why);
	for (int part = 0; part < PART_COUNT && result == 0; part++) {
		const struct ownership wanted = generation_ownership(keeper, (enum part)part);

		result = repair_file(directory, part_file_names[part], &wanted, why);
	}
	(void)close(directory);
	return result == -1 ? failure_prefix(why, "generation %u", number) : 0;
}

/* --- Removing --- */

static int
remove_known_files(int directory, struct failure *why)
{
	for (int part = 0; part <= PART_COUNT; part++) {
		const char *name = part < PART_COUNT ? part_file_names[part] : ORIGIN_NAME;

		file_abandon(directory, name);
		if (unlinkat(directory, name, 0) == -1 && errno != ENOENT)
			return failure_errno(why, FAILURE_DISK, "remove %s", name);
	}
	return 0;
}

int
generation_remove(int home, unsigned int number, struct failure *why)
{
	char text[NUMBER_BYTES];
	int directory, result;
	const enum found found = open_number(home, number, &directory, why);

	if (found != FOUND_FILE)
		return found == FOUND_ABSENT ? 0 : -1;
	if ((result = remove_known_files(directory, why)) == 0 &&
	    unlinkat(home, number_text(number, text), AT_REMOVEDIR) == -1)
		result = directory_not_removed(directory, why);
	(void)close(directory);
	if (result == -1)
		return failure_prefix(why, "generation %u", number);
	return file_sync_directory(home, why);
}
