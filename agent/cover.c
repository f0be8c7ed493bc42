/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>

#include "command.h"
#include "cover.h"
#include "service.h"

#define COVER_FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct covered {
	const char *archive;
	const struct words *copies;
};

/* A directory or file that is gone already need not be covered. */
static int
cover_archive(const char *archive)
{
	if (mount("tmpfs", archive, "tmpfs", COVER_FLAGS, "size=4k,mode=755") == -1)
		return errno == ENOENT ? 0 : -1;
	return 0;
}

/*
 * With /dev/null, and MS_NODEV so that it cannot be opened: an empty file would do for programs
 * that only open what they are told. Those that read a whole directory pass over it.
 */
static int
cover_copy(const char *copy)
{
	if (mount("/dev/null", copy, NULL, MS_BIND, NULL) == -1)
		return errno == ENOENT ? 0 : -1;
	return mount(NULL, copy, NULL, MS_REMOUNT | MS_BIND | COVER_FLAGS, NULL);
}

/* Runs between fork and exec. systemd makes all mounts shared: MS_PRIVATE keeps these inside. */
static int
cover(void *context)
{
	const struct covered *covered = context;

	if (unshare(CLONE_NEWNS) == -1 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    cover_archive(covered->archive) == -1)
		return -1;
	for (size_t i = 0; i < covered->copies->count; i++)
		if (cover_copy(covered->copies->items[i]) == -1)
			return -1;
	return 0;
}

static enum cover_result
test_without(const struct service *service, struct covered *covered, struct failure *why)
{
	switch (command_run(&service->test, service->timeout, cover, covered, why)) {
	case COMMAND_PASSED:
		return COVER_FREE;
	case COMMAND_FAILED:
	case COMMAND_TIMED_OUT:
		(void)failure_prefix(why, "service %s still needs it", service->name);
		return COVER_USED;
	case COMMAND_NOT_RUN:
	case COMMAND_NOT_STARTED:
		break;
	}
	(void)failure_prefix(why, "service %s may need it, which cannot be tried here",
	    service->name);
	return COVER_UNKNOWN;
}

enum cover_result
cover_test(const struct service *service, const char *archive, const struct words *copies,
    struct failure *why)
{
	struct covered covered = { archive, copies };
	enum cover_result result;

	if (!service_has_test(service) || service_condition(service) != CONDITION_RUNS)
		return COVER_FREE;
	result = COVER_USED;
	if (service_test(service, why) != SERVICE_YES)
		(void)failure_prefix(why, "service %s: its test fails even with the files",
		    service->name);
	else
		result = test_without(service, &covered, why);
	if (result != COVER_FREE)
		why->kind = FAILURE_USED;
	return result;
}
