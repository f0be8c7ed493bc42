/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "doctor.h"
#include "policy.h"
#include "purge.h"
#include "report.h"
#include "splay.h"
#include "status.h"
#include "times.h"
#include "verbs.h"

/* Libraries would obey it: OPENSSL_CONF, for one, names code to be loaded. The time zone is kept. */
static void
forget_environment(void)
{
	tzset();
	(void)clearenv();
}

/* Before the manifest is read and the lock is taken: neither is to be old, or held, by then. */
static int
wait_for_splay(const struct options *options)
{
	long within;

	if (!times_parse_duration(options->splay, &within)) {
		log_error("--splay %s: is no duration; a number and s, m, h or d, as in 10m",
		    options->splay);
		return -1;
	}
	if (options->sync.names.count != 0) {
		log_error("--splay does not go with NAMEs, which are done at once");
		return -1;
	}
	splay_wait(within, options->sync.dry_run);
	return 0;
}

int
verb_sync(const struct options *options)
{
	forget_environment();
	if (options->sync.force && options->sync.names.count == 0) {
		log_error("--sync --force needs the NAMEs it is meant for");
		return EXIT_SETUP;
	}
	if (options->splay != NULL && wait_for_splay(options) == -1)
		return EXIT_SETUP;
	return (int)sync_run(&options->sync);
}

int
verb_status(const struct options *options)
{
	struct agent_settings agent;
	struct failure why;
	int result;

	manifest_read_agent(options->sync.manifest_file, &agent);
	result = status_show(agent.state_directory, &options->sync.names,
	    options_have(options, OPTION_JSON), time(NULL), &why);
	if (result == -1)
		log_error("%s", why.text);
	agent_settings_clear(&agent);
	return result == -1 ? EXIT_SETUP : EXIT_WANTED;
}

static bool
was_printed(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return true;
	log_error("standard output cannot be written");
	return false;
}

int
verb_check(const struct options *options)
{
	struct agent_settings agent;
	enum check_result result;

	manifest_read_agent(options->sync.manifest_file, &agent);
	result = status_check(agent.state_directory, time(NULL));
	agent_settings_clear(&agent);
	return was_printed() ? (int)result : CHECK_UNKNOWN;
}

static struct manifest *
read_manifest(const struct options *options)
{
	struct manifest_errors errors = { 0 };
	struct manifest *manifest = manifest_read(options->sync.manifest_file, NULL, &errors);

	report_manifest_errors(options->sync.manifest_file, &errors);
	manifest_errors_clear(&errors);
	return manifest;
}

int
verb_test(const struct options *options)
{
	struct manifest *manifest = read_manifest(options);
	size_t lacking;

	if (manifest == NULL)
		return EXIT_SETUP;
	lacking = options_have(options, OPTION_SYSTEM) ? doctor_examine(manifest) : 0;
	if (lacking == 0)
		log_notice("%s: in order, %zu certificate%s", manifest->file, manifest->entry_count,
		    manifest->entry_count == 1 ? "" : "s");
	manifest_free(manifest);
	return lacking == 0 ? EXIT_WANTED : EXIT_SETUP;
}

int
verb_policy(const struct options *options)
{
	struct manifest *manifest = read_manifest(options);
	char *text;

	if (manifest == NULL)
		return EXIT_SETUP;
	text = policy_text(manifest);
	(void)fputs(text, stdout);
	free(text);
	manifest_free(manifest);
	return was_printed() ? EXIT_WANTED : EXIT_SETUP;
}

int
verb_purge(const struct options *options)
{
	forget_environment();
	return (int)purge_run(options->sync.manifest_file, options->sync.force,
	    options_have(options, OPTION_RESTORE));
}
