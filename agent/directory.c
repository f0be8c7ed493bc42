/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "log.h"

#define LINKS_FOLLOWED 40	/* as the kernel does, path_resolution(7) */

/* --- The walk to a directory of others --- */

struct walk {
	uid_t trusted;
	bool make;		/* what is missing */
	int directory;		/* where we stand, O_PATH */
	bool is_ours;		/* nobody but root and whoever runs certlet makes names there */
	char *done, *rest;	/* the path up to here, and what is left of it */
	unsigned int links;
};

static bool
is_ours(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

static bool
is_trusted(const struct walk *walk, uid_t owner)
{
	return is_ours(owner) || owner == walk->trusted;
}

static int
check_owner(
    const struct walk *walk, const struct stat *status, const char *path, struct failure *why)
{
	if (is_trusted(walk, status->st_uid))
		return 0;
	return failure_set(why, FAILURE_DISK, "%s belongs to user %lu, who could replace what is "
	    "written below it", path, (unsigned long)status->st_uid);
}

/* The owner of a sticky directory may still rename what is in it: only the others may not. */
static int
check_directory(const struct walk *walk, const struct stat *status, struct failure *why)
{
	const char *path = *walk->done != '\0' ? walk->done : "/";

	if (!S_ISDIR(status->st_mode))
		return failure_set(why, FAILURE_DISK, "%s is no directory", path);
	if (check_owner(walk, status, path, why) == -1)
		return -1;
	if ((status->st_mode & (S_IWGRP | S_IWOTH)) != 0 && (status->st_mode & S_ISVTX) == 0)
		return failure_set(why, FAILURE_DISK,
		    "%s is writable by %s, who could replace what is written below it", path,
		    (status->st_mode & S_IWOTH) != 0 ? "everyone" : "its group");
	return 0;
}

/* Takes the descriptor. */
static int
stand_in(struct walk *walk, int take_directory, struct failure *why)
{
	struct stat status;

	file_close(walk->directory);
	walk->directory = take_directory;
	if (fstat(take_directory, &status) == -1)
		return failure_errno(why, FAILURE_DISK, "look at %s", walk->done);
	walk->is_ours = is_ours(status.st_uid) && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
	return check_directory(walk, &status, why);
}

static int
start_at_root(struct walk *walk, struct failure *why)
{
	const int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	memory_replace(&walk->done, "");
	return root == -1 ? failure_errno(why, FAILURE_DISK, "open /") : stand_in(walk, root, why);
}

/*
 * A link is as good as those who may change it: its owner, and who may write where we stand. Whom we
 * trust to own a directory must not choose by a link which of root's is written to.
 */
static int
follow(
    struct walk *walk, int link, const struct stat *status, const char *path, struct failure *why)
{
	char *target;
	int result = 0;

	if (check_owner(walk, status, path, why) == -1)
		return -1;
	if (!is_ours(status->st_uid) || !walk->is_ours)
		return failure_set(why, FAILURE_DISK, "%s is a link that others than root could have "
		    "made; name the directory that it leads to", path);
	if (++walk->links > LINKS_FOLLOWED)
		return failure_set(why, FAILURE_DISK, "%s: too many links", path);
	if ((target = file_read_link(link, "")) == NULL)
		return failure_errno(why, FAILURE_DISK, "read the link %s", path);
	if (*target == '/')
		result = start_at_root(walk, why);
	memory_put(&walk->rest, memory_format("%s/%s", target, walk->rest));
	free(target);
	return result;
}

/* What is made cannot be made durable through O_PATH. */
static int
make_here(const struct walk *walk, const char *name, struct failure *why)
{
	const int here = openat(walk->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int made, result;

	if (here == -1)
		return failure_errno(why, FAILURE_DISK, "open %s/", walk->done);
	if ((result = directory_make(here, name, &made, why)) == 0)
		(void)close(made);
	else
		(void)failure_prefix(why, "%s", walk->done);
	(void)close(here);
	return result;
}

static enum found
enter(struct walk *walk, const char *name, struct failure *why)
{
	char *path = memory_format("%s/%s", walk->done, name);
	enum found found = FOUND_FAILED;
	struct stat status;
	int next = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (next == -1 && errno == ENOENT && walk->make) {
		if (make_here(walk, name, why) == -1)
			goto out;
		next = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (next == -1 && errno == ENOENT) {
		(void)failure_set(why, FAILURE_DISK, "%s does not exist", path);
		found = FOUND_ABSENT;
	} else if (next == -1 || fstat(next, &status) == -1) {
		(void)failure_errno(why, FAILURE_DISK, "open %s", path);
	} else if (S_ISLNK(status.st_mode)) {
		if (follow(walk, next, &status, path, why) == 0)
			found = FOUND_FILE;
	} else {
		memory_append(&walk->done, "/%s", name);
		if (stand_in(walk, next, why) == 0)
			found = FOUND_FILE;
		next = -1;
	}
out:
	file_close(next);
	free(path);
	return found;
}

/* Cuts the first component off the rest of the path; NULL at its end. Caller frees. */
static char *
next_component(struct walk *walk)
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	const size_t length = strcspn(start, "/");
	char *name;

	if (length == 0)
		return NULL;
	name = memory_text_n(start, length);
	memory_replace(&walk->rest, start + length);
	return name;
}

static enum found
walk_to(const char *path, uid_t trusted, bool make, int *out_directory, struct failure *why)
{
	struct walk walk = { .trusted = trusted, .make = make, .directory = -1,
	    .rest = memory_text(path) };
	enum found found = FOUND_FAILED;
	char *name;

	if (*path != '/') {
		(void)failure_set(why, FAILURE_DISK, "%s is no absolute path", path);
		goto out;
	}
	if (start_at_root(&walk, why) == -1)
		goto out;
	found = FOUND_FILE;
	while (found == FOUND_FILE && (name = next_component(&walk)) != NULL) {
		found = enter(&walk, name, why);
		free(name);
	}
	if (found != FOUND_FILE)
		goto out;
	*out_directory = openat(walk.directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out_directory == -1) {
		(void)failure_errno(why, FAILURE_DISK, "open %s", path);
		found = FOUND_FAILED;
	}
out:
	file_close(walk.directory);
	free(walk.done);
	free(walk.rest);
	return found;
}

enum found
directory_open_safe(const char *path, uid_t trusted, int *out_directory, struct failure *why)
{
	return walk_to(path, trusted, /* make= */ false, out_directory, why);
}

char *
directory_above(const char *path)
{
	const char *slash = strrchr(path, '/');

	return memory_text_n(path, slash == path ? 1 : (size_t)(slash - path));
}

enum found
directory_open_above(const char *path, uid_t trusted, int *out_directory, const char **out_name,
    struct failure *why)
{
	char *above = directory_above(path);
	const enum found found = directory_open_safe(above, trusted, out_directory, why);

	*out_name = strrchr(path, '/') + 1;
	free(above);
	return found;
}

int
directory_make_safe(const char *path, int *out_directory, struct failure *why)
{
	return walk_to(path, geteuid(), /* make= */ true, out_directory, why) == FOUND_FILE ? 0 : -1;
}

int
directory_write(const char *path, const char *name, const char *text, mode_t mode,
    struct failure *why)
{
	const struct ownership own = file_own(mode);
	int directory, result = directory_make_safe(path, &directory, why);

	if (result == 0) {
		result = file_replace(directory, name, text, strlen(text), &own, why);
		(void)close(directory);
	}
	return result == -1 ? failure_prefix(why, "%s/%s", path, name) : 0;
}

int
directory_remove_file(const char *path, const char *name, struct failure *why)
{
	int directory, result = -1;
	const enum found found = directory_open_safe(path, geteuid(), &directory, why);

	if (found != FOUND_FILE)
		return found == FOUND_ABSENT ? 0 : -1;
	if (file_clear_leftover(directory, name, geteuid(), why) == 0)
		result = file_remove(directory, name, why);
	(void)close(directory);
	return result == -1 ? failure_prefix(why, "%s", path) : 0;
}

/* --- Directories of certlet's own --- */

enum found
directory_open(int parent, const char *name, int *out_directory, struct failure *why)
{
	int directory;

	if (parent == -1)
		return FOUND_ABSENT;
	directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory != -1) {
		*out_directory = directory;
		return FOUND_FILE;
	}
	if (errno == ENOENT)
		return FOUND_ABSENT;
	if (errno == ENOTDIR || errno == ELOOP)
		(void)failure_set(why, FAILURE_DISK, "%s is no directory; move it away", name);
	else
		(void)failure_errno(why, FAILURE_DISK, "open %s", name);
	return FOUND_FAILED;
}

int
directory_make(int parent, const char *name, int *out_directory, struct failure *why)
{
	const struct ownership own = file_own(0755);
	const bool made = mkdirat(parent, name, 0755) == 0;
	int directory = -1;

	if (!made && errno != EEXIST)
		return failure_errno(why, FAILURE_DISK, "make %s", name);
	switch (directory_open(parent, name, &directory, why)) {
	case FOUND_FILE:
		break;
	case FOUND_ABSENT:
		return failure_set(why, FAILURE_DISK, "%s vanished", name);
	case FOUND_FAILED:
		return -1;
	}
	/* The umask, or a set-group-id parent, may have made it something else. */
	if (made && (file_set_ownership(directory, &own, why) == -1 ||
	    file_sync_directory(parent, why) == -1)) {
		(void)close(directory);
		return failure_prefix(why, "%s", name);
	}
	*out_directory = directory;
	return 0;
}

int
directory_list(int directory, struct words *out_names, struct failure *why)
{
	/* A descriptor of its own: fdopendir() takes it, and it has its own position. */
	const int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again != -1 ? fdopendir(again) : NULL;
	const struct dirent *found;
	int result = 0;

	if (stream == NULL) {
		result = failure_errno(why, FAILURE_DISK, "list a directory");
		file_close(again);
		return result;
	}
	while (errno = 0, (found = readdir(stream)) != NULL)
		if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
			words_add(out_names, found->d_name);
	if (errno != 0) {
		result = failure_errno(why, FAILURE_DISK, "list a directory");
		words_clear(out_names);
	}
	(void)closedir(stream);
	return result;
}

int
directory_remove(int parent, const char *name, const char *where, struct failure *why)
{
	if (unlinkat(parent, name, AT_REMOVEDIR) == 0)
		return file_sync_directory(parent, why) == 0 ? 0 : failure_prefix(why, "%s", where);
	if (errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST && errno != EBUSY)
		return failure_errno(why, FAILURE_DISK, "remove %s/%s", where, name);
	log_warning("%s/%s is left: %s", where, name, strerror(errno));
	return 0;
}

int
directory_not_removed(int directory, struct failure *why)
{
	struct words names = { 0 };

	if (errno != ENOTEMPTY && errno != EEXIST)
		return failure_errno(why, FAILURE_DISK, "remove it");
	if (directory_list(directory, &names, why) == -1)
		return -1;
	(void)failure_set(why, FAILURE_FOREIGN, "%s in it was not made by certlet; move it away",
	    names.count != 0 ? names.items[0] : "something");
	words_clear(&names);
	return -1;
}
