/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "findings.h"
#include "log.h"
#include "paths.h"
#include "publish.h"
#include "publish-list.h"
#include "startup.h"
#include "times.h"

enum {
	OPTION_NAME, OPTION_CERT, OPTION_KEY, OPTION_CHAIN, OPTION_PKCS12, OPTION_PASSWORD_FILE,
	OPTION_ALL, OPTION_METRICS, OPTION_FORCE, OPTION_DRY_RUN, OPTION_CONFIG, OPTION_VERBOSE,
	OPTION_QUIET, OPTION_VERSION, OPTION_HELP, OPTION_LIST, OPTION_JSON, OPTION_CHECK,
	OPTION_WARN, OPTION_CRITICAL, OPTION_COUNT
};

static const struct option long_options[] = {
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "cert", required_argument, NULL, OPTION_CERT },
	{ "key", required_argument, NULL, OPTION_KEY },
	{ "chain", required_argument, NULL, OPTION_CHAIN },
	{ "pkcs12", required_argument, NULL, OPTION_PKCS12 },
	{ "password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
	{ "all", required_argument, NULL, OPTION_ALL },
	{ "metrics", required_argument, NULL, OPTION_METRICS },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "warn", required_argument, NULL, OPTION_WARN },
	{ "critical", required_argument, NULL, OPTION_CRITICAL },
	{ NULL, 0, NULL, 0 },
};

/* What the program is run for, and the options that go with it; those not listed go with all. */
enum { MODE_ONE = 1, MODE_ALL = 2, MODE_LIST = 4 };

static const unsigned char option_modes[OPTION_COUNT] = {
	[OPTION_NAME] = MODE_ONE, [OPTION_CERT] = MODE_ONE, [OPTION_KEY] = MODE_ONE,
	[OPTION_CHAIN] = MODE_ONE, [OPTION_PKCS12] = MODE_ONE, [OPTION_PASSWORD_FILE] = MODE_ONE,
	[OPTION_FORCE] = MODE_ONE, [OPTION_DRY_RUN] = MODE_ONE | MODE_ALL,
	[OPTION_ALL] = MODE_ALL, [OPTION_METRICS] = MODE_ALL | MODE_LIST,
	[OPTION_LIST] = MODE_LIST, [OPTION_JSON] = MODE_LIST, [OPTION_CHECK] = MODE_LIST,
	[OPTION_WARN] = MODE_LIST, [OPTION_CRITICAL] = MODE_LIST,
};

static const char help[] =
"Usage: certlet-publish [--name NAME] [DIR] [OPTION...]\n"
"       certlet-publish --name NAME --cert FILE --key FILE [--chain FILE] [OPTION...]\n"
"       certlet-publish --name NAME --pkcs12 FILE [--password-file FILE] [OPTION...]\n"
"       certlet-publish --all DIR [--metrics FILE] [OPTION...]\n"
"       certlet-publish --list [--json] [--check] [--metrics FILE] [OPTION...]\n"
"Puts a certificate, its chain and its key into Vault, from where certlet installs them.\n"
"\n"
"  DIR                   with cert.pem, privkey.pem and, if there is one, chain.pem; as a deploy\n"
"                        hook of certbot's it need not be said (RENEWED_LINEAGE)\n"
"  --name NAME           the secret certs/NAME; the default is the last part of DIR\n"
"  --cert, --key, --chain FILE   PEM; a chain may also stand in the certificate's file\n"
"  --pkcs12 FILE         certificate, chain and key in one (.p12, .pfx)\n"
"  --password-file FILE  its password, in the first line\n"
"  --all DIR             every directory below DIR that is not up to date in Vault\n"
"  --list                what Vault holds and how long it lasts; no private key is read\n"
"  --json                instead of the table\n"
"  --check               one line and exit code 0, 1, 2 or 3, for Nagios and Icinga\n"
"  --warn, --critical DURATION   with --list: how long before its end; 25d and 7d\n"
"  --metrics FILE        with --all and --list: for the node exporter of Prometheus\n"
"  --force               also the same certificate again, an older one, or one that ends soon\n"
"  --dry-run             judge, ask Vault, say what would be published\n"
"  --config FILE         instead of " CERTLET_SYSCONFDIR "/publish.ini\n"
"  --verbose, --quiet    say more; say nothing but errors\n"
"  --version, --help\n"
"\n"
"BAO_ADDR, BAO_TOKEN, BAO_CACERT, BAO_NAMESPACE, BAO_TLS_SERVER_NAME and BAO_PROXY_ADDR, or the\n"
"same with VAULT_, stand in for what the configuration does not say.\n"
"Exit codes: 0 published or unchanged, 1 usage, configuration or a file is wrong, 2 refused, or\n"
"some of --all are not as wanted, 3 no answer from Vault, 4 another run holds the lock,\n"
"5 certlet-publish failed. See certlet-publish(8).\n";

/* The values of all options by number: an argument, "" without one, or NULL. */
struct command_line {
	const char *given[OPTION_COUNT];
	const char *directory;
};

static int
usage_error(const char *problem, const char *about)
{
	log_error("%s%s; --help shows the usage", problem, about);
	return -1;
}

/* To the end in any case: whether it was to be a check decides how a wrong usage ends. */
static int
read_options(int argc, char **argv, struct command_line *line)
{
	int option, result = 0;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == '?' || !startup_option_is_whole(argv, long_options[option].name)) {
			result = -1;
			continue;
		}
		if (line->given[option] != NULL && long_options[option].has_arg)
			result = usage_error("given twice: --", long_options[option].name);
		/* Of a value that was forgotten, the next option would take the place. */
		if (optarg != NULL && optarg == argv[optind - 1] && strncmp(optarg, "--", 2) == 0) {
			log_error("%s is no value: --%s", optarg, long_options[option].name);
			result = -1;
		}
		line->given[option] = optarg != NULL ? optarg : "";
	}
	if (argc - optind > 1)
		return usage_error("more than one directory: ", argv[optind + 1]);
	line->directory = argv[optind];
	return result;
}

/* Exactly one of: a directory, certificate and key, PKCS#12. */
static int
check_source(const struct command_line *line)
{
	const char *const *given = line->given;
	const bool files = given[OPTION_CERT] != NULL || given[OPTION_KEY] != NULL ||
	    given[OPTION_CHAIN] != NULL;
	const bool pkcs12 = given[OPTION_PKCS12] != NULL || given[OPTION_PASSWORD_FILE] != NULL;

	if ((line->directory != NULL) + files + pkcs12 > 1)
		return usage_error("either a directory, or --cert, --key and --chain, or --pkcs12 "
		    "and --password-file", "");
	if (line->directory != NULL)
		return 0;
	if (pkcs12 && (given[OPTION_NAME] == NULL || given[OPTION_PKCS12] == NULL))
		return usage_error("--name and --pkcs12 are needed", "");
	if (!pkcs12 && (given[OPTION_NAME] == NULL || given[OPTION_CERT] == NULL ||
	    given[OPTION_KEY] == NULL))
		return usage_error("--name, --cert and --key are needed, or a directory", "");
	return 0;
}

static unsigned int
find_mode(const struct command_line *line)
{
	return line->given[OPTION_LIST] != NULL ? MODE_LIST :
	    line->given[OPTION_ALL] != NULL ? MODE_ALL : MODE_ONE;
}

static int
check_usage(const struct command_line *line)
{
	const unsigned int mode = find_mode(line);
	const char *const *given = line->given;

	if (given[OPTION_VERBOSE] != NULL && given[OPTION_QUIET] != NULL)
		return usage_error("either --verbose or --quiet", "");
	for (int i = 0; i < OPTION_COUNT; i++)
		if (given[i] != NULL && option_modes[i] != 0 && (option_modes[i] & mode) == 0)
			return usage_error(mode == MODE_LIST ? "not with --list: --" :
			    mode == MODE_ALL ? "not with --all: --" :
			    (option_modes[i] & MODE_ALL) != 0 ? "only with --all or --list: --" :
			    "only with --list: --", long_options[i].name);
	if (mode != MODE_ONE && line->directory != NULL)
		return usage_error("one directory too many: ", line->directory);
	return mode == MODE_ONE ? check_source(line) : 0;
}

/* 0: not given. */
static int
read_duration(const struct command_line *line, int option, long *out_seconds)
{
	const char *text = line->given[option];

	*out_seconds = 0;
	if (text == NULL || (times_parse_duration(text, out_seconds) && *out_seconds != 0))
		return 0;
	log_error("--%s %s: expected a duration such as 12h or 25d", long_options[option].name,
	    text);
	return -1;
}

/* As a plugin, 1 would be read as a warning about certificates. */
static int
usage_code(const struct command_line *line, const char *problem)
{
	if (line->given[OPTION_LIST] == NULL || line->given[OPTION_CHECK] == NULL)
		return EXIT_SETUP;
	return line->given[OPTION_JSON] != NULL ? (int)CHECK_UNKNOWN :
	    (int)findings_print_unknown(problem);
}

static int
run_list(const struct command_line *line, const struct publish_environment *environment)
{
	struct publish_list_options options = {
		.config_file = line->given[OPTION_CONFIG], .environment = environment,
		.json = line->given[OPTION_JSON] != NULL,
		.check = line->given[OPTION_CHECK] != NULL,
		.metrics_file = line->given[OPTION_METRICS], .now = time(NULL),
	};

	if (read_duration(line, OPTION_WARN, &options.warn) == -1 ||
	    read_duration(line, OPTION_CRITICAL, &options.critical) == -1)
		return usage_code(line, "the thresholds are wrong");
	return publish_list_run(&options);
}

static int
run_publish(const struct command_line *line, const struct publish_environment *environment)
{
	const char *const *given = line->given;
	const struct publish_options options = {
		.config_file = given[OPTION_CONFIG], .environment = environment,
		.name = given[OPTION_NAME],
		.source = {
			.directory = line->directory,
			.cert_file = given[OPTION_CERT], .key_file = given[OPTION_KEY],
			.chain_file = given[OPTION_CHAIN], .pkcs12_file = given[OPTION_PKCS12],
			.password_file = given[OPTION_PASSWORD_FILE],
		},
		.all = given[OPTION_ALL], .metrics_file = given[OPTION_METRICS],
		.force = given[OPTION_FORCE] != NULL, .dry_run = given[OPTION_DRY_RUN] != NULL,
		.now = time(NULL),
	};

	return (int)publish_run(&options);
}

static int
run(struct command_line *line)
{
	const char *const *given = line->given;
	struct publish_environment environment;
	int code;

	publish_environment_take(&environment);
	if (find_mode(line) == MODE_ONE && line->directory == NULL && given[OPTION_CERT] == NULL &&
	    given[OPTION_PKCS12] == NULL)
		line->directory = environment.lineage;
	if (check_usage(line) == 0)
		code = find_mode(line) == MODE_LIST ? run_list(line, &environment) :
		    run_publish(line, &environment);
	else
		code = usage_code(line, "wrong usage");
	publish_environment_clear(&environment);
	return code;
}

int
main(int argc, char **argv)
{
	struct command_line line = { 0 };

	startup();
	log_open("certlet-publish", LOG_LEVEL_NORMAL);
	if (read_options(argc, argv, &line) == -1)
		return usage_code(&line, "wrong usage");
	if (line.given[OPTION_HELP] != NULL || line.given[OPTION_VERSION] != NULL) {
		(void)fputs(line.given[OPTION_HELP] != NULL ? help :
		    "certlet-publish " PACKAGE_VERSION "\n", stdout);
		return fflush(stdout) == 0 ? EXIT_WANTED : EXIT_BROKEN;
	}
	log_open("certlet-publish", line.given[OPTION_QUIET] != NULL ? LOG_LEVEL_QUIET :
	    line.given[OPTION_VERBOSE] != NULL ? LOG_LEVEL_VERBOSE : LOG_LEVEL_NORMAL);
	return run(&line);
}
