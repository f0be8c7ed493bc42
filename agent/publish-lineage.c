/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory.h"
#include "log.h"
#include "publish-lineage.h"

#define README "README"
#define SUFFIX_LENGTH 5	/* of "-0001" */

char *
lineage_name(const char *directory)
{
	size_t end = strlen(directory), start;

	while (end > 0 && directory[end - 1] == '/')
		end--;
	for (start = end; start > 0 && directory[start - 1] != '/'; start--)
		;
	return memory_text_n(directory + start, end - start);
}

/* Only with the zero in front: mail-2026 may be what an administrator called it. */
char *
lineage_duplicated(const char *name)
{
	const size_t length = strlen(name);
	const char *suffix = length > SUFFIX_LENGTH ? name + length - SUFFIX_LENGTH : "";

	if (suffix[0] != '-' || suffix[1] != '0' ||
	    strspn(suffix + 1, "0123456789") != SUFFIX_LENGTH - 1)
		return NULL;
	return memory_text_n(name, length - SUFFIX_LENGTH);
}

static int
compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

static bool
is_directory(int parent, const char *name)
{
	struct stat status;

	return fstatat(parent, name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

int
lineage_list(const char *directory, struct words *out_names, struct failure *why)
{
	const int parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct words all = { 0 };
	int result = -1;

	*out_names = (struct words){ 0 };
	if (parent == -1)
		return failure_errno(why, FAILURE_SETUP, "open %s", directory);
	if (directory_list(parent, &all, why) == -1) {
		why->kind = FAILURE_SETUP;
		(void)failure_prefix(why, "%s", directory);
		goto out;
	}
	for (size_t i = 0; i < all.count; i++)
		if (is_directory(parent, all.items[i]))
			words_add(out_names, all.items[i]);
		else if (strcmp(all.items[i], README) != 0)
			log_warning("%s/%s is no directory: it is passed over", directory,
			    all.items[i]);
	if (out_names->count != 0)
		qsort(out_names->items, out_names->count, sizeof(*out_names->items), compare);
	result = 0;
out:
	words_clear(&all);
	(void)close(parent);
	return result;
}
