/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "log.h"
#include "manifest.h"
#include "publish-list.h"
#include "publish-list-show.h"
#include "publish-metrics.h"
#include "publish-repository.h"
#include "publish-settings.h"

static int
make_shelf(const struct publish_list_options *options, const struct publish_settings *settings,
    const struct repository *repository, struct shelf *out_shelf, struct failure *why)
{
	const struct agent_settings *agent = &settings->manifest->agent;
	const struct shelf shelf = {
		.repository = repository, .vault = &settings->manifest->vault,
		.warn = options->warn != 0 ? options->warn : agent->warn,
		.critical = options->critical != 0 ? options->critical : agent->critical,
		.now = options->now,
	};

	if (shelf.critical > shelf.warn)
		return failure_set(why, FAILURE_USAGE, "expected --critical (%ld s) to be no more "
		    "than --warn (%ld s)", shelf.critical, shelf.warn);
	*out_shelf = shelf;
	return 0;
}

static int
show(const struct publish_list_options *options, const struct shelf *shelf, int *out_code,
    struct failure *why)
{
	*out_code = shelf->repository->whole ? EXIT_WANTED : EXIT_PARTLY;
	if (options->metrics_file != NULL && publish_metrics_write_list(options->metrics_file,
	    shelf, why) == -1)
		return -1;
	if (options->check)
		*out_code = list_show_check(shelf, /* line= */ !options->json);
	if (options->json)
		list_show_json(shelf);
	else if (!options->check && options->metrics_file == NULL)
		list_show_table(shelf);
	return fflush(stdout) == EOF || ferror(stdout) ?
	    failure_errno(why, FAILURE_SETUP, "write to standard output") : 0;
}

int
publish_list_run(const struct publish_list_options *options)
{
	struct publish_settings settings = { 0 };
	struct repository repository = { 0 };
	struct failure why = { 0 };
	struct shelf shelf;
	int code = 0;

	if (publish_settings_read(options->config_file, options->environment, &settings,
	    &why) == -1 ||
	    make_shelf(options, &settings, &repository, &shelf, &why) == -1 ||
	    repository_read(&settings, options->now, &repository, &why) == -1 ||
	    show(options, &shelf, &code, &why) == -1) {
		if (options->check && !options->json)
			code = findings_print_unknown(why.text);
		else {
			log_error("%s", why.text);
			code = options->check ? (int)CHECK_UNKNOWN : (int)failure_exit_code(why.kind);
		}
	}
	repository_clear(&repository);
	publish_settings_clear(&settings);
	return code;
}
