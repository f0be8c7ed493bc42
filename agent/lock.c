/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "directory.h"
#include "lock.h"
#include "log.h"

#define PAUSE_NANOSECONDS (100L * 1000 * 1000)

static enum found
make_directory(const char *path, int *out_directory, struct failure *why)
{
	const char *name;
	int above;
	enum found found = directory_open_above(path, geteuid(), &above, &name, why);

	if (found != FOUND_FILE)
		return found;
	if (mkdirat(above, name, 0700) == -1 && errno != EEXIST) {
		(void)failure_errno(why, FAILURE_SETUP, "create %s", path);
		found = FOUND_FAILED;
	} else {
		found = directory_open(above, name, out_directory, why);
	}
	(void)close(above);
	return found;
}

/* Whoever could replace the lock or the cached token could be root: the directory must be ours. */
static int
open_directory(const char *path, struct failure *why)
{
	struct stat status;
	int directory;
	enum found found;

	*why = (struct failure){ 0 };
	found = directory_open_safe(path, geteuid(), &directory, why);
	if (found == FOUND_ABSENT)
		found = make_directory(path, &directory, why);
	if (found != FOUND_FILE) {
		why->kind = FAILURE_SETUP;
		return failure_prefix(why, "run_directory");
	}
	if (fstat(directory, &status) == -1 || status.st_uid != geteuid() ||
	    (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		(void)close(directory);
		return failure_set(why, FAILURE_SETUP, "run_directory %s belongs to another user or "
		    "is writable by others; expected mode 0700 and owner %lu", path,
		    (unsigned long)geteuid());
	}
	return directory;
}

static int
wait_for(int file, const char *run_directory, const char *name, struct failure *why)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NANOSECONDS };
	struct timespec start, now;
	bool told = false;

	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	while (flock(file, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return failure_errno(why, FAILURE_INTERNAL, "lock %s/%s", run_directory,
			    name);
		if (!told && log_on_terminal())
			log_notice("another run holds %s/%s; waiting", run_directory, name);
		told = true;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - start.tv_sec >= LOCK_WAIT_SECONDS)
			return failure_set(why, FAILURE_LOCKED, "another run has held %s/%s for %d s",
			    run_directory, name, LOCK_WAIT_SECONDS);
		(void)nanosleep(&pause, NULL);
	}
	return 0;
}

int
lock_take(const char *run_directory, const char *name, int *out_lock, struct failure *why)
{
	const int directory = open_directory(run_directory, why);
	int file;

	if (directory == -1)
		return -1;
	file = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	(void)close(directory);
	if (file == -1)
		return failure_errno(why, FAILURE_SETUP, "open %s/%s", run_directory, name);
	if (wait_for(file, run_directory, name, why) == -1) {
		(void)close(file);
		return -1;
	}
	*out_lock = file;
	return 0;
}
