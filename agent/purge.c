/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "credentials.h"
#include "lock.h"
#include "log.h"
#include "manifest.h"
#include "purge.h"
#include "removal.h"
#include "report.h"
#include "status.h"
#include "wrapping.h"

/* The agent's directories: of the manifest, or compiled in when there is none. */
static int
read_settings(const char *file, struct manifest **out_manifest, struct agent_settings *out_agent,
    struct failure *why)
{
	struct manifest_errors errors = { 0 };

	*out_manifest = NULL;
	if (access(file, F_OK) == -1 && errno == ENOENT) {
		manifest_read_agent(file, out_agent);
		return 0;
	}
	if ((*out_manifest = manifest_read(file, NULL, &errors)) == NULL) {
		report_manifest_errors(file, &errors);
		(void)failure_set(why, FAILURE_MANIFEST, "%s has %zu error%s; nothing was changed", file,
		    errors.count, errors.count == 1 ? "" : "s");
		manifest_errors_clear(&errors);
		return -1;
	}
	manifest_read_agent(file, out_agent);
	return 0;
}

/* Nothing is left that a later installation could stumble over. */
static void
forget_everything(struct store *store, const struct agent_settings *agent)
{
	state_remove_file(agent->state_directory);
	status_remove(agent->state_directory);
	store_remove_directories(store);
}

static enum exit_code
purge(const struct agent_settings *agent, bool force, struct failure *why)
{
	struct state state = { 0 };
	struct store *store = NULL;
	struct words names = { 0 };
	struct removal removal = {
		.state = &state, .state_directory = agent->state_directory, .force = force,
		.now = time(NULL),
	};
	enum exit_code code = EXIT_WANTED;
	bool secret_left = false;

	credentials_forget_token(agent->run_directory);
	if (state_read(agent->state_directory, &state, why) == -1 ||
	    store_open(agent->directory, false, &store, why) == -1)
		goto failed;
	removal.store = store;
	for (size_t i = 0; i < state.certificate_count; i++)
		words_add(&names, state.certificates[i].name);
	if (removal_run(&removal, &names, why) == -1)
		goto failed;
	if (wrapping_forget(&state, why) == -1) {
		log_error("%s", why->text);
		secret_left = true;
	}
	if (removal.kept == 0 && !secret_left) {
		forget_everything(store, agent);
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
	words_clear(&names);
	store_close(store);
	state_clear(&state);
	return code;
}

enum exit_code
purge_run(const char *manifest_file, bool force)
{
	struct manifest *manifest = NULL;
	struct agent_settings agent = { 0 };
	struct failure why;
	enum exit_code code;
	int lock = -1;

	if (read_settings(manifest_file, &manifest, &agent, &why) == -1 ||
	    lock_take(agent.run_directory, &lock, &why) == -1) {
		log_error("%s", why.text);
		code = failure_exit_code(why.kind);
	} else {
		code = purge(&agent, force, &why);
	}
	if (lock != -1)
		(void)close(lock);
	agent_settings_clear(&agent);
	manifest_free(manifest);
	return code;
}
