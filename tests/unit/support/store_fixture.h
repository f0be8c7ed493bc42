/* SPDX-License-Identifier: ISC */
/*
 * store_fixture: a directory of a test's own with a store in it, and one certificate that may be
 * installed there, its files being short texts. For tests of what the store keeps on the disk.
 */
#ifndef CERTLET_TESTS_STORE_FIXTURE_H
#define CERTLET_TESTS_STORE_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store-internal.h"
#include "unit/support/runner.h"

#define NAME "www.example.test"

static struct fixture {
	char top[64];		/* what is outside of DIR lies here: outputs */
	char *directory;	/* DIR */
	struct store *store;
	struct entry entry;
	struct keeper keeper;
	struct state state;
	struct failure why;
} its;

/* The path below the fixture's directory; the last few stay valid. */
__attribute__((unused, format(printf, 1, 2))) static const char *
at(const char *format, ...)
{
	static char paths[8][512];
	static unsigned int last;
	char *path = paths[++last % 8];
	va_list arguments;
	int length;

	length = snprintf(path, 512, "%s/", its.top);
	va_start(arguments, format);
	(void)vsnprintf(path + length, 512 - (size_t)length, format, arguments);
	va_end(arguments);
	return path;
}

__attribute__((unused)) static struct owned *
owned(void)
{
	return state_add(&its.state, NAME);
}

static inline void
fixture_set_up(void)
{
	its = (struct fixture){ .entry = { .name = (char *)NAME,
	    .source = (char *)"kv:secret/certs/" NAME, .cert_mode = 0644, .key_mode = 0600 } };
	(void)umask(077);	/* modes must not depend on it */
	(void)snprintf(its.top, sizeof(its.top), "/tmp/certlet-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(its.top));
	its.directory = strdup(at("dir"));
	ck_assert_int_eq(mkdir(at("out"), 0755), 0);
	ck_assert_int_eq(chmod(at("out"), 0755), 0);
	if (store_open(its.directory, true, &its.store, &its.why) == -1)
		ck_abort_msg("%s", its.why.text);
	ck_assert_int_eq(store_find_keeper(&its.entry, &its.keeper, &its.why), 0);
}

static inline int
fixture_remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

static inline void
fixture_tear_down(void)
{
	store_close(its.store);
	state_clear(&its.state);
	for (int part = 0; part < PART_COUNT; part++)
		free(its.entry.outputs[part]);
	free(its.directory);
	(void)nftw(its.top, fixture_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

__attribute__((unused)) static void
give_output(enum part part, const char *path)
{
	free(its.entry.outputs[part]);
	its.entry.outputs[part] = path != NULL ? strdup(path) : NULL;
}

/* --- What lies there --- */

__attribute__((unused)) static void
write_file(const char *path, const char *text)
{
	const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	ck_assert_int_ne(file, -1);
	ck_assert_int_eq(write(file, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(file);
}

/* "" when it is not there. */
__attribute__((unused)) static const char *
read_file(const char *path)
{
	static char text[256];
	const int file = open(path, O_RDONLY);
	ssize_t length;

	text[0] = '\0';
	if (file == -1)
		return text;
	ck_assert_int_ge((length = read(file, text, sizeof(text) - 1)), 0);
	text[length] = '\0';
	(void)close(file);
	return text;
}

/* The target; "" when it is no link. */
__attribute__((unused)) static const char *
read_link(const char *path)
{
	static char target[512];
	const ssize_t length = readlink(path, target, sizeof(target) - 1);

	target[length > 0 ? length : 0] = '\0';
	return target;
}

__attribute__((unused)) static bool
exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

__attribute__((unused)) static struct stat
look_at(const char *path)
{
	struct stat status;

	ck_assert_int_eq(lstat(path, &status), 0);
	return status;
}

__attribute__((unused)) static mode_t
mode_of(const char *path)
{
	return look_at(path).st_mode & 07777;
}

/* --- What the store does --- */

static inline void
fixture_origin(struct origin *origin, const char *word)
{
	*origin = (struct origin){ .source = memory_text(its.entry.source),
	    .version = { 1, "2026-11-23T18:00:00Z" },
	    .leaf = { .serial = memory_text("03ab"), .issuer = memory_text("CN=Test"),
	    .not_before = 1700000000, .not_after = 1800000000 } };
	file_digest(word, strlen(word), origin->leaf.fingerprint);
}

/* A generation whose files say "WORD cert\n" and so on; returns its number. */
__attribute__((unused)) static unsigned int
write_generation_of(const struct entry *entry, const struct owned *its_owned, const char *word)
{
	struct secret parts[PART_COUNT] = { 0 };
	struct material material = { 0 };
	struct origin origin;
	unsigned int number = 0;
	char text[3][64];

	(void)snprintf(text[0], sizeof(text[0]), "%s cert\n", word);
	(void)snprintf(text[1], sizeof(text[1]), "%s chain\n", word);
	(void)snprintf(text[2], sizeof(text[2]), "%s key\n", word);
	secret_set(&material.cert, text[0], strlen(text[0]));
	secret_set(&material.chain, text[1], strlen(text[1]));
	secret_set(&material.key, text[2], strlen(text[2]));
	store_compose(&material, &its.keeper, parts);
	fixture_origin(&origin, word);
	if (store_write(its.store, entry, &its.keeper, its_owned, parts, &origin, &number,
	    &its.why) == -1)
		ck_abort_msg("%s", its.why.text);
	for (int part = 0; part < PART_COUNT; part++)
		secret_clear(&parts[part]);
	secret_clear(&material.cert);
	secret_clear(&material.chain);
	secret_clear(&material.key);
	origin_clear(&origin);
	return number;
}

__attribute__((unused)) static unsigned int
write_generation(const char *word)
{
	return write_generation_of(&its.entry, owned(), word);
}

__attribute__((unused)) static int
try_switch(unsigned int generation)
{
	return store_switch(its.store, &its.entry, &its.keeper, &its.state, owned(), generation,
	    &its.why);
}

/* Writes, switches and settles. */
__attribute__((unused)) static unsigned int
install(const char *word)
{
	const unsigned int number = write_generation(word);

	if (try_switch(number) == -1)
		ck_abort_msg("%s", its.why.text);
	owned()->generation = number;
	return number;
}

/* Whether all outputs of the entry could be written. */
__attribute__((unused)) static int
check_outputs(void)
{
	struct outputs outputs;
	const int result = outputs_open(&outputs, its.store, &its.entry, &its.keeper, &its.state,
	    state_find(&its.state, NAME), NULL, &its.why);

	outputs_close(&outputs);
	return result;
}

/* The caller clears it. */
__attribute__((unused)) static struct disk
inspect(void)
{
	struct disk disk;

	store_inspect(its.store, &its.entry, &its.keeper, &its.state, owned(), &disk);
	return disk;
}

__attribute__((unused)) static int
repair_as(const struct disk *disk)
{
	return store_repair(its.store, &its.entry, &its.keeper, &its.state, owned(), disk, &its.why);
}

__attribute__((unused)) static int
repair(void)
{
	struct disk disk = inspect();
	const int result = repair_as(&disk);

	disk_clear(&disk);
	return result;
}

/* Nothing is wrong, and a repair has nothing to do. */
__attribute__((unused)) static void
assert_all_is_well(unsigned int live)
{
	struct disk disk = inspect();

	if (disk.foreign != NULL)
		ck_abort_msg("%s", disk.foreign);
	ck_assert_uint_eq(disk.live, live);
	ck_assert(disk.sound);
	ck_assert(!disk.drifted && !disk.behind && !disk.unrecorded);
	ck_assert(!disk.link_lost);
	disk_clear(&disk);
}

#define ASSERT_SAYS(words) do { \
	if (strstr(its.why.text, words) == NULL) \
		ck_abort_msg("\"%s\" instead of \"%s\"", its.why.text, words); \
} while (0)

static inline TCase *
fixture_case(const char *name)
{
	TCase *tests = tcase_create(name);

	tcase_add_checked_fixture(tests, fixture_set_up, fixture_tear_down);
	return tests;
}

#endif
