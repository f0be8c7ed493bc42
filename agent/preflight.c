/* SPDX-License-Identifier: ISC */
#include <sys/stat.h>
#include <time.h>

#include "lock.h"
#include "preflight.h"
#include "report.h"
#include "wrapping.h"

static int
read_manifest(struct run *run, struct failure *why)
{
	struct manifest_errors errors = { 0 };
	const char *file = run->options->manifest_file;

	if ((run->manifest = manifest_read(file, NULL, &errors)) == NULL) {
		report_manifest_errors(file, &errors);
		(void)failure_set(why, FAILURE_MANIFEST, "%s has %zu error%s; nothing was changed", file,
		    errors.count, errors.count == 1 ? "" : "s");
		manifest_errors_clear(&errors);
		return -1;
	}
	if (run->manifest->entry_count == 0)
		return failure_set(why, FAILURE_MANIFEST, "%s lists no certificate; nothing was "
		    "changed. To remove all that certlet installed, use certlet --purge", file);
	return 0;
}

/*
 * Whoever held the lock before us may have acted on a newer manifest than the one we read: ours is
 * read again if it is another file now.
 */
static int
lock_and_read_manifest(struct run *run, int *out_lock, struct failure *why)
{
	const struct stat *before;
	struct stat after;

	if (read_manifest(run, why) == -1)
		return -1;
	if (run->options->dry_run)
		return 0;
	if (lock_take(run->manifest->agent.run_directory, LOCK_NAME, out_lock, why) == -1)
		return -1;
	run->now = time(NULL);
	before = &run->manifest->status;
	if (stat(run->options->manifest_file, &after) == 0 && before->st_ino == after.st_ino &&
	    before->st_dev == after.st_dev && before->st_size == after.st_size &&
	    before->st_mtim.tv_sec == after.st_mtim.tv_sec &&
	    before->st_mtim.tv_nsec == after.st_mtim.tv_nsec)
		return 0;
	manifest_free(run->manifest);
	return read_manifest(run, why);
}

static int
check_names(const struct run *run, struct failure *why)
{
	const struct words *names = &run->options->names;

	for (size_t i = 0; i < names->count; i++)
		if (manifest_find_entry(run->manifest, names->items[i]) == NULL &&
		    state_find(&run->state, names->items[i]) == NULL)
			return failure_set(why, FAILURE_USAGE,
			    "%s is neither in %s nor installed", names->items[i], run->manifest->file);
	return 0;
}

/* All that the set-up may be wrong in. The directories last: they are made where they are missing. */
static int
look_and_open(struct run *run, struct credentials *out_credentials, struct credentials *out_wrapping,
    struct failure *why)
{
	const struct manifest *manifest = run->manifest;
	const struct agent_settings *agent = &manifest->agent;

	if (sandbox_prepare(agent->user, &run->sandbox, why) == -1 ||
	    credentials_read(manifest, out_credentials, why) == -1 ||
	    credentials_read_wrapping(&manifest->vault, out_wrapping, why) == -1 ||
	    state_read(agent->state_directory, &run->state, why) == -1 ||
	    check_names(run, why) == -1)
		return -1;
	return store_open(agent->directory, !run->options->dry_run, &run->store, why);
}

int
preflight_run(struct run *run, struct credentials *out_credentials, int *out_lock,
    struct failure *why)
{
	struct credentials wrapping = { 0 };
	int result = -1;

	if (lock_and_read_manifest(run, out_lock, why) == -1 ||
	    look_and_open(run, out_credentials, &wrapping, why) == -1 ||
	    wrapping_take(run->manifest, &run->sandbox, &wrapping, &run->state, run->options->dry_run,
	    &run->wrapping, why) == -1)
		goto out;
	if (run->state.wrapped.token != NULL) {
		credentials_clear(out_credentials);
		if (credentials_read(run->manifest, out_credentials, why) == -1)
			goto out;
	}
	state_forget_future(&run->state, run->now);
	/* Nothing answered a moment ago. */
	if (run->wrapping.kind == FAILURE_VAULT)
		out_credentials->missing = run->wrapping;
	result = 0;
out:
	credentials_clear(&wrapping);
	return result;
}
