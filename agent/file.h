/* SPDX-License-Identifier: ISC */
/*
 * file: the one place for opening safely, reading with a bound, and writing atomically.
 *
 * Every function but one works on a directory descriptor (directory.h) and one name in it; no path
 * is looked up twice. Failures are of kind FAILURE_DISK and name the name; callers add where.
 */
#ifndef CERTLET_FILE_H
#define CERTLET_FILE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "failure.h"
#include "origin.h"
#include "secret.h"

#define FILE_LIMIT_BYTES (4 * 1024 * 1024)

/* Absent is never reached by could-not-read. */
enum found { FOUND_FILE, FOUND_ABSENT, FOUND_FAILED };

/* Opens a path of the manifest's or the set-up's (a credential, the CA file), follows links, never
 * blocks on a FIFO, refuses what is no regular file or is larger than `limit`. out_status may be
 * NULL. */
enum found file_read_path(const char *path, size_t limit, struct secret *out_bytes,
    struct stat *out_status, struct failure *why);
/* The same for a name in a directory, O_NOFOLLOW. */
enum found file_read_at(int directory, const char *name, size_t limit, struct secret *out_bytes,
    struct stat *out_status, struct failure *why);
enum found file_digest_at(int directory, const char *name, char digest[DIGEST_BYTES],
    struct stat *out_status, struct failure *why);
void file_digest(const void *bytes, size_t size, char digest[DIGEST_BYTES]);

struct ownership {
	uid_t owner;
	gid_t group;
	mode_t mode;
};

struct ownership file_own(mode_t mode);	/* of whoever runs certlet: root, as a rule */
bool file_ownership_is(const struct stat *status, const struct ownership *wanted);
/* By the descriptor, and only what is not so already. On the way it never grants what neither the
 * old nor the new owner and mode grant. */
int file_set_ownership(int file, const struct ownership *wanted, struct failure *why);

/* Creates `name` (O_EXCL, O_NOFOLLOW), writes, sets owner and mode on the descriptor, fsyncs. */
int file_create(int directory, const char *name, const void *bytes, size_t size,
    const struct ownership *ownership, struct failure *why);

/*
 * file_replace() is file_prepare(), which is file_create() under a dot name in the same directory,
 * and file_commit(): rename over `name`, fsync of the directory. file_abandon() instead of the
 * latter takes the dot name away; it may be called at any time.
 */
int file_replace(int directory, const char *name, const void *bytes, size_t size,
    const struct ownership *ownership, struct failure *why);
int file_prepare(int directory, const char *name, const void *bytes, size_t size,
    const struct ownership *ownership, struct failure *why);
int file_commit(int directory, const char *name, struct failure *why);
void file_abandon(int directory, const char *name);

/* A relative or absolute symlink, put in place by ONE rename; the directory is fsynced. */
int file_replace_link(int directory, const char *name, const char *target, struct failure *why);
/* The target, or NULL when `name` is no symlink (errno EINVAL) or absent (ENOENT). Caller frees. */
char *file_read_link(int directory, const char *name);

/*
 * What a killed run left under the dot name of `name` is removed: a file or a link that belongs to
 * whoever runs certlet or to `owner`. Anything else there is named and left.
 */
int file_clear_leftover(int directory, const char *name, uid_t owner, struct failure *why);
bool file_has_leftover(int directory, const char *name);
/* Whether that is a whole file of this digest, which file_commit() would put in place. */
bool file_leftover_is(int directory, const char *name, const char digest[DIGEST_BYTES]);

/* Removes a name that is no directory, durably; absent is fine. */
int file_remove(int directory, const char *name, struct failure *why);
void file_close(int descriptor);	/* -1 is allowed: there is none */
int file_sync_directory(int directory, struct failure *why);

#endif
