/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "adopt.h"
#include "credentials.h"
#include "file.h"
#include "lock.h"
#include "log.h"
#include "manifest.h"
#include "metrics.h"
#include "purge.h"
#include "removal.h"
#include "report.h"
#include "status.h"
#include "wrapping.h"

/* Caller frees. NULL: it has errors; none at all has not. */
static struct manifest *
read_settings(const char *file, struct failure *why)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_read(file, NULL, &errors);

	if (manifest == NULL && errors.absent) {
		manifest = manifest_compiled_in(file);
	} else if (manifest == NULL) {
		report_manifest_errors(file, &errors);
		(void)failure_set(why, FAILURE_MANIFEST, "%s has %zu error%s; nothing was changed", file,
		    errors.count, errors.count == 1 ? "" : "s");
	}
	manifest_errors_clear(&errors);
	return manifest;
}

/* Nothing is left that a later installation could stumble over; the state goes last, so that what
 * went wrong can be done again. */
static int
forget_everything(struct store *store, const struct agent_settings *agent, struct state *state,
    struct failure *why)
{
	if (metrics_settle(state, NULL, why) == -1 ||
	    store_remove_directories(store, why) == -1 ||
	    status_remove(agent->state_directory, why) == -1)
		return -1;
	return state_remove_file(agent->state_directory, why);
}

/* What is deleted must not be told of as installed. */
static enum exit_code
tell_what_is_left(const struct manifest *manifest, const struct state *state,
    const struct store *store, time_t now, enum exit_code code)
{
	struct failure why;

	if (report_purge(manifest, state, store, now, code, &why) == 0)
		return code;
	log_error("%s", why.text);
	return exit_code_worse(code, EXIT_PARTLY);
}

static enum exit_code
purge(const struct manifest *manifest, bool force, bool restore, struct failure *why)
{
	const struct agent_settings *agent = &manifest->agent;
	struct state state = { 0 };
	struct store *store = NULL;
	struct words names = { 0 };
	struct removal removal = {
		.state = &state, .state_directory = agent->state_directory, .force = force,
		.now = time(NULL),
	};
	enum exit_code code = EXIT_WANTED;
	bool something_left = false;

	if (state_read(agent->state_directory, &state, why) == -1 ||
	    store_open(agent->directory, false, &store, why) == -1)
		goto failed;
	if (credentials_forget_token(agent->run_directory, why) == -1) {
		log_error("%s", why->text);
		something_left = true;
	}
	removal.store = store;
	for (size_t i = 0; i < state.certificate_count; i++)
		words_add(&names, state.certificates[i].name);
	if (removal_run(&removal, &names, why) == -1)
		goto failed;
	if (wrapping_forget(&state, why) == -1) {
		log_error("%s", why->text);
		something_left = true;
	}
	/* What is put back must not be taken for an output that others replaced. */
	if (state.adopted_count != 0 && state_write(agent->state_directory, &state, why) == -1)
		goto failed;
	if (!adopt_return(&state, restore))
		something_left = true;
	if (removal.kept == 0 && !something_left) {
		if (forget_everything(store, agent, &state, why) == -1)
			goto failed;
		log_notice("%u certificate%s removed, nothing is left", removal.deleted,
		    removal.deleted == 1 ? "" : "s");
	} else {
		if (state_write(agent->state_directory, &state, why) == -1)
			goto failed;
		log_warning("%u removed, %u left", removal.deleted, removal.kept);
		code = EXIT_PARTLY;
	}
	goto out;
failed:
	log_error("%s", why->text);
	code = failure_exit_code(why->kind);
out:
	if (code != EXIT_WANTED && store != NULL)
		code = tell_what_is_left(manifest, &state, store, removal.now, code);
	words_clear(&names);
	store_close(store);
	state_clear(&state);
	return code;
}

enum exit_code
purge_run(const char *manifest_file, bool force, bool restore)
{
	struct failure why;
	enum exit_code code;
	int lock = -1;
	struct manifest *manifest = read_settings(manifest_file, &why);

	if (manifest == NULL ||
	    lock_take(manifest->agent.run_directory, LOCK_NAME, &lock, &why) == -1) {
		log_error("%s", why.text);
		code = failure_exit_code(why.kind);
	} else {
		code = purge(manifest, force, restore, &why);
	}
	file_close(lock);
	manifest_free(manifest);
	return code;
}
