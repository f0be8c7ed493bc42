/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "file.h"

#define BLOCK_BYTES 4096
#define MODE_BITS 07777

/* --- Reading --- */

/* O_NONBLOCK: a FIFO in the place of a file must not stop the run. */
static enum found
open_regular(int directory, const char *name, int flags, size_t limit, int *out_file,
    struct stat *out_status, struct failure *why)
{
	const int file =
	    openat(directory, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);

	if (file == -1 && errno == ENOENT)
		return FOUND_ABSENT;
	if (file == -1) {
		(void)failure_errno(why, FAILURE_DISK, "open %s", name);
		return FOUND_FAILED;
	}
	if (fstat(file, out_status) == -1) {
		(void)failure_errno(why, FAILURE_DISK, "look at %s", name);
	} else if (!S_ISREG(out_status->st_mode)) {
		(void)failure_set(why, FAILURE_DISK, "%s is no regular file", name);
	} else if (out_status->st_size < 0 || (uintmax_t)out_status->st_size > limit) {
		(void)failure_set(why, FAILURE_DISK, "%s is larger than %zu bytes", name, limit);
	} else {
		*out_file = file;
		return FOUND_FILE;
	}
	(void)close(file);
	return FOUND_FAILED;
}

static ssize_t
read_block(int file, char block[BLOCK_BYTES])
{
	ssize_t count;

	do
		count = read(file, block, BLOCK_BYTES);
	while (count == -1 && errno == EINTR);
	return count;
}

static int
read_all(int file, const char *name, size_t limit, struct secret *bytes, struct failure *why)
{
	char block[BLOCK_BYTES];
	ssize_t count;
	int result = 0;

	while ((count = read_block(file, block)) > 0 && (size_t)count <= limit - bytes->size)
		secret_append(bytes, block, (size_t)count);
	OPENSSL_cleanse(block, sizeof(block));
	if (count == -1)
		result = failure_errno(why, FAILURE_DISK, "read %s", name);
	else if (count > 0)
		result = failure_set(why, FAILURE_DISK, "%s is larger than %zu bytes", name, limit);
	return result;
}

static enum found
read_regular(int directory, const char *name, int flags, size_t limit, struct secret *out_bytes,
    struct stat *out_status, struct failure *why)
{
	struct secret bytes = { 0 };
	struct stat status;
	int file = -1;
	enum found found = open_regular(directory, name, flags, limit, &file, &status, why);

	if (found != FOUND_FILE)
		return found;
	/* An empty file has bytes too: "". */
	secret_set(&bytes, NULL, 0);
	if (read_all(file, name, limit, &bytes, why) == -1) {
		secret_clear(&bytes);
		found = FOUND_FAILED;
	} else {
		secret_move(out_bytes, &bytes);
		if (out_status != NULL)
			*out_status = status;
	}
	(void)close(file);
	return found;
}

enum found
file_read_path(const char *path, size_t limit, struct secret *out_bytes, struct stat *out_status,
    struct failure *why)
{
	return read_regular(AT_FDCWD, path, 0, limit, out_bytes, out_status, why);
}

enum found
file_read_at(int directory, const char *name, size_t limit, struct secret *out_bytes,
    struct stat *out_status, struct failure *why)
{
	return read_regular(directory, name, O_NOFOLLOW, limit, out_bytes, out_status, why);
}

/* --- Digests --- */

static const EVP_MD *
sha256(void)
{
	static EVP_MD *digest;	/* fetching it costs more than hashing a certificate */

	if (digest == NULL)
		digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	return digest;
}

static void
write_hex(const unsigned char *bytes, char digest[DIGEST_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < (DIGEST_BYTES - 1) / 2; i++) {
		digest[2 * i] = digits[bytes[i] >> 4];
		digest[2 * i + 1] = digits[bytes[i] & 15];
	}
	digest[DIGEST_BYTES - 1] = '\0';
}

void
file_digest(const void *bytes, size_t size, char digest[DIGEST_BYTES])
{
	static const char message[] = "certlet: this OpenSSL has no SHA-256\n";
	unsigned char raw[EVP_MAX_MD_SIZE];

	if (sha256() == NULL ||
	    EVP_Digest(size != 0 ? bytes : "", size, raw, NULL, sha256(), NULL) != 1) {
		(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
		_exit(EXIT_BROKEN);
	}
	write_hex(raw, digest);
}

enum found
file_digest_at(int directory, const char *name, char digest[DIGEST_BYTES], struct stat *out_status,
    struct failure *why)
{
	struct secret bytes = { 0 };
	const enum found found =
	    file_read_at(directory, name, FILE_LIMIT_BYTES, &bytes, out_status, why);

	if (found == FOUND_FILE)
		file_digest(bytes.bytes, bytes.size, digest);
	secret_clear(&bytes);
	return found;
}

/* --- Owner and mode --- */

struct ownership
file_own(mode_t mode)
{
	return (struct ownership){ .owner = geteuid(), .group = getegid(), .mode = mode };
}

bool
file_ownership_is(const struct stat *status, const struct ownership *wanted)
{
	return status->st_uid == wanted->owner && status->st_gid == wanted->group &&
	    (status->st_mode & MODE_BITS) == wanted->mode;
}

int
file_set_ownership(int file, const struct ownership *wanted, struct failure *why)
{
	struct stat status;
	mode_t mode;

	if (fstat(file, &status) == -1)
		return failure_errno(why, FAILURE_DISK, "look at its owner");
	mode = status.st_mode & MODE_BITS;
	if (status.st_uid != wanted->owner || status.st_gid != wanted->group) {
		/* A new group must not get, for a moment, what only the old one was allowed. */
		if ((mode & wanted->mode) != mode && fchmod(file, mode & wanted->mode) == -1)
			return failure_errno(why, FAILURE_DISK, "set its mode");
		mode &= wanted->mode;
		if (fchown(file, wanted->owner, wanted->group) == -1)
			return failure_errno(why, FAILURE_DISK, "give it to user %lu and group %lu",
			    (unsigned long)wanted->owner, (unsigned long)wanted->group);
	}
	if (mode != wanted->mode && fchmod(file, wanted->mode) == -1)
		return failure_errno(why, FAILURE_DISK, "set its mode");
	return 0;
}

/* --- Writing --- */

static int
write_all(int file, const char *bytes, size_t size)
{
	while (size > 0) {
		const ssize_t count = write(file, bytes, size);

		if (count == -1 && errno != EINTR)
			return -1;
		if (count > 0) {
			bytes += count;
			size -= (size_t)count;
		}
	}
	return 0;
}

int
file_create(int directory, const char *name, const void *bytes, size_t size,
    const struct ownership *ownership, struct failure *why)
{
	int file, result = -1;

	file = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file == -1)
		return failure_errno(why, FAILURE_DISK, "create %s", name);
	if (write_all(file, bytes, size) == -1)
		(void)failure_errno(why, FAILURE_DISK, "write %s", name);
	else if (file_set_ownership(file, ownership, why) == -1)
		(void)failure_prefix(why, "%s", name);
	else if (fsync(file) == -1)
		(void)failure_errno(why, FAILURE_DISK, "write %s", name);
	else
		result = 0;
	(void)close(file);
	if (result == -1)
		(void)unlinkat(directory, name, 0);
	return result;
}

/*
 * Where `name` is prepared: one known name, so that what a killed run left is found again. Two long
 * names may share it, which does no harm: there is one run at a time, and it prepares names of one
 * directory that differ in their beginning.
 */
struct dot_name {
	char text[NAME_MAX + 1];
};

static struct dot_name
dot_name(const char *name)
{
	struct dot_name dot;

	(void)snprintf(dot.text, sizeof(dot.text), ".%.240s.certlet", name);
	return dot;
}

bool
file_has_leftover(int directory, const char *name)
{
	struct stat status;

	return fstatat(directory, dot_name(name).text, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

bool
file_leftover_is(int directory, const char *name, const char digest[DIGEST_BYTES])
{
	const struct dot_name dot = dot_name(name);
	char found[DIGEST_BYTES];
	struct failure ignored;

	return file_digest_at(directory, dot.text, found, NULL, &ignored) == FOUND_FILE &&
	    strcmp(found, digest) == 0;
}

int
file_clear_leftover(int directory, const char *name, uid_t owner, struct failure *why)
{
	const struct dot_name dot = dot_name(name);
	struct stat status;

	if (fstatat(directory, dot.text, &status, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 :
		    failure_errno(why, FAILURE_DISK, "look at %s", dot.text);
	if ((!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) ||
	    (status.st_uid != geteuid() && status.st_uid != owner))
		return failure_set(why, FAILURE_DISK, "%s stands in the way of %s; move it away",
		    dot.text, name);
	return file_remove(directory, dot.text, why);
}

int
file_prepare(int directory, const char *name, const void *bytes, size_t size,
    const struct ownership *ownership, struct failure *why)
{
	if (file_clear_leftover(directory, name, ownership->owner, why) == -1)
		return -1;
	return file_create(directory, dot_name(name).text, bytes, size, ownership, why);
}

int
file_commit(int directory, const char *name, struct failure *why)
{
	if (renameat(directory, dot_name(name).text, directory, name) == -1) {
		(void)failure_errno(why, FAILURE_DISK, "put the new %s in place", name);
		file_abandon(directory, name);
		return -1;
	}
	return file_sync_directory(directory, why);
}

void
file_abandon(int directory, const char *name)
{
	(void)unlinkat(directory, dot_name(name).text, 0);
}

int
file_replace(int directory, const char *name, const void *bytes, size_t size,
    const struct ownership *ownership, struct failure *why)
{
	if (file_prepare(directory, name, bytes, size, ownership, why) == -1)
		return -1;
	return file_commit(directory, name, why);
}

int
file_remove(int directory, const char *name, struct failure *why)
{
	if (unlinkat(directory, name, 0) == -1)
		return errno == ENOENT ? 0 : failure_errno(why, FAILURE_DISK, "remove %s", name);
	return file_sync_directory(directory, why);
}

int
file_sync_directory(int directory, struct failure *why)
{
	/* EINVAL: a file system on which there is nothing to sync in a directory. */
	if (fsync(directory) == -1 && errno != EINVAL)
		return failure_errno(why, FAILURE_DISK, "make a directory durable");
	return 0;
}

void
file_close(int descriptor)
{
	if (descriptor != -1)
		(void)close(descriptor);
}

/* --- Links --- */

int
file_replace_link(int directory, const char *name, const char *target, struct failure *why)
{
	if (file_clear_leftover(directory, name, geteuid(), why) == -1)
		return -1;
	if (symlinkat(target, directory, dot_name(name).text) == -1)
		return failure_errno(why, FAILURE_DISK, "make the link %s", name);
	return file_commit(directory, name, why);
}

char *
file_read_link(int directory, const char *name)
{
	char target[PATH_MAX];
	const ssize_t length = readlinkat(directory, name, target, sizeof(target));

	if (length == -1)
		return NULL;
	if ((size_t)length == sizeof(target)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return memory_text_n(target, (size_t)length);
}
