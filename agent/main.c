/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>

#include "findings.h"
#include "paths.h"
#include "startup.h"
#include "verbs.h"

static const struct option long_options[] = {
	{ "sync", no_argument, NULL, VERB_SYNC },
	{ "status", no_argument, NULL, VERB_STATUS },
	{ "check", no_argument, NULL, VERB_CHECK },
	{ "test", no_argument, NULL, VERB_TEST },
	{ "policy", no_argument, NULL, VERB_POLICY },
	{ "purge", no_argument, NULL, VERB_PURGE },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "splay", required_argument, NULL, OPTION_SPLAY },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "system", no_argument, NULL, OPTION_SYSTEM },
	{ "restore", no_argument, NULL, OPTION_RESTORE },
	{ "manifest", required_argument, NULL, OPTION_MANIFEST },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	int (*run)(const struct options *options);
	unsigned int options;	/* that go with it */
	bool takes_names;
} verbs[VERB_COUNT] = {
	[VERB_SYNC] = { verb_sync, BIT(OPTION_DRY_RUN) | BIT(OPTION_FORCE) | BIT(OPTION_SPLAY),
	    true },
	[VERB_STATUS] = { verb_status, BIT(OPTION_JSON), true },
	[VERB_CHECK] = { verb_check, 0, false },
	[VERB_TEST] = { verb_test, BIT(OPTION_SYSTEM), false },
	[VERB_POLICY] = { verb_policy, 0, false },
	[VERB_PURGE] = { verb_purge, BIT(OPTION_FORCE) | BIT(OPTION_RESTORE), false },
};

static const char help[] =
"Usage: certlet VERB [NAME...] [OPTION...]\n"
"Puts the TLS certificates that this server should have onto it, and takes away the others.\n\n"
"  --sync [NAME...]      bring this server into the wanted state (NAMEs: only these, at once)\n"
"        --dry-run       say what would change; asks Vault, writes nothing\n"
"        --force         with NAMEs: take an older or soon expiring version, delete what is in use\n"
"        --splay TIME    first wait a part of TIME (as in 10m) that is this host's own: for cron\n"
"  --status [NAME...]    a table of certificates and services\n"
"        --json          the same for programs\n"
"  --check               one line and exit code 0 to 3 for Nagios and Icinga\n"
"  --test                judge the text of the manifest\n"
"        --system        this machine as well: users, directories, services, credentials\n"
"  --policy              print the Vault policy that the manifest needs\n"
"  --purge               remove all that certlet installed\n"
"        --force         also what a service still uses\n"
"        --restore       put back the files that stood there before (adopt in certlet.ini)\n"
"\n"
"  --manifest FILE       instead of " CERTLET_MANIFEST "\n"
"  --verbose, --quiet    say more; say nothing but errors\n"
"  --version, --help\n\n"
"Exit codes of --sync, --purge and --test: 0 all is as wanted, 1 set-up is wrong, 2 some certificate\n"
"or service is not as wanted, 3 no answer from Vault, 4 another run holds the lock, 5 certlet failed.\n"
"See certlet(8) and certlet.ini(5).\n";

static bool
refuse(const char *format, const char *first, const char *second)
{
	log_error(format, first, second);
	return false;
}

/* False after saying what is wrong; no verb: VERB_COUNT. */
static bool
read_options(int argc, char **argv, struct options *options, int *out_verb)
{
	int verb = VERB_COUNT, option, index = 0;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (option == '?' || !startup_option_is_whole(argv, long_options[index].name))
			return false;
		if (option < VERB_COUNT && verb != VERB_COUNT && verb != option)
			return refuse("--%s and --%s do not go together", long_options[verb].name,
			    long_options[option].name);
		if (option < VERB_COUNT)
			*out_verb = verb = option;
		else
			options->given |= BIT(option);
		if (option == OPTION_MANIFEST)
			options->sync.manifest_file = optarg;
		if (option == OPTION_SPLAY)
			options->splay = optarg;
	}
	for (int i = optind; i < argc; i++)
		words_add(&options->sync.names, argv[i]);
	return true;
}

static bool
usage_is_right(int verb, const struct options *options)
{
	const unsigned int given = options->given;
	const unsigned int always = BIT(OPTION_MANIFEST) | BIT(OPTION_VERBOSE) | BIT(OPTION_QUIET);

	if (verb == VERB_COUNT)
		return refuse("no verb given; --%s is the one that does the work, --%s lists all",
		    "sync", "help");
	if ((given & BIT(OPTION_VERBOSE)) != 0 && (given & BIT(OPTION_QUIET)) != 0)
		return refuse("--%s and --%s do not go together", "verbose", "quiet");
	for (int option = VERB_COUNT + 1; option <= OPTION_HELP; option++)
		if ((given & BIT(option) & ~(verbs[verb].options | always)) != 0)
			return refuse("--%s does not go with --%s", long_options[option - 1].name,
			    long_options[verb].name);
	if (options->sync.names.count != 0 && !verbs[verb].takes_names)
		return refuse("--%s takes no %s", long_options[verb].name, "names");
	return true;
}

int
main(int argc, char **argv)
{
	struct options options = { .sync.manifest_file = CERTLET_MANIFEST };
	int verb = VERB_COUNT, code = EXIT_SETUP;
	bool right;

	startup();
	log_open("certlet", LOG_LEVEL_NORMAL);
	right = read_options(argc, argv, &options, &verb);
	if (right && (options.given & (BIT(OPTION_HELP) | BIT(OPTION_VERSION))) != 0) {
		(void)fputs(options_have(&options, OPTION_HELP) ? help : "certlet " PACKAGE_VERSION "\n", stdout);
		code = EXIT_WANTED;
	} else if (right && usage_is_right(verb, &options)) {
		options.sync.dry_run = options_have(&options, OPTION_DRY_RUN);
		options.sync.force = options_have(&options, OPTION_FORCE);
		log_open("certlet", options_have(&options, OPTION_QUIET) ? LOG_LEVEL_QUIET :
		    options_have(&options, OPTION_VERBOSE) ? LOG_LEVEL_VERBOSE : LOG_LEVEL_NORMAL);
		code = verbs[verb].run(&options);
	} else if (verb == VERB_CHECK) {
		/* A plugin that was called wrongly knows nothing: 1 would be a warning. */
		code = CHECK_UNKNOWN;
	}
	words_clear(&options.sync.names);
	return fflush(stdout) == 0 ? code : EXIT_BROKEN;
}
