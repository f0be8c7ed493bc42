/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "paths.h"
#include "publish.h"
#include "startup.h"

enum {
	OPTION_NAME, OPTION_CERT, OPTION_KEY, OPTION_CHAIN, OPTION_PKCS12, OPTION_PASSWORD_FILE,
	OPTION_ALL, OPTION_METRICS, OPTION_FORCE, OPTION_DRY_RUN, OPTION_CONFIG, OPTION_VERBOSE,
	OPTION_QUIET, OPTION_VERSION, OPTION_HELP, OPTION_LIST, OPTION_COUNT
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
	{ "list", no_argument, NULL, OPTION_LIST },	/* not yet */
	{ NULL, 0, NULL, 0 },
};

/* What the program is run for, and the options that go with it; those not listed go with all. */
enum { MODE_ONE = 1, MODE_ALL = 2 };

static const unsigned char option_modes[OPTION_COUNT] = {
	[OPTION_NAME] = MODE_ONE, [OPTION_CERT] = MODE_ONE, [OPTION_KEY] = MODE_ONE,
	[OPTION_CHAIN] = MODE_ONE, [OPTION_PKCS12] = MODE_ONE, [OPTION_PASSWORD_FILE] = MODE_ONE,
	[OPTION_FORCE] = MODE_ONE, [OPTION_METRICS] = MODE_ALL,
};

static const char help[] =
"Usage: certlet-publish [--name NAME] [DIR] [OPTION...]\n"
"       certlet-publish --name NAME --cert FILE --key FILE [--chain FILE] [OPTION...]\n"
"       certlet-publish --name NAME --pkcs12 FILE [--password-file FILE] [OPTION...]\n"
"       certlet-publish --all DIR [OPTION...]\n"
"Puts a certificate, its chain and its key into Vault, from where certlet installs them.\n"
"\n"
"  DIR                   with cert.pem, privkey.pem and, if there is one, chain.pem; as a deploy\n"
"                        hook of certbot's it need not be said (RENEWED_LINEAGE)\n"
"  --name NAME           the secret certs/NAME; the default is the last part of DIR\n"
"  --cert, --key, --chain FILE   PEM; a chain may also stand in the certificate's file\n"
"  --pkcs12 FILE         certificate, chain and key in one (.p12, .pfx)\n"
"  --password-file FILE  its password, in the first line\n"
"  --all DIR             every directory below DIR that is not up to date in Vault\n"
"  --metrics FILE        with --all: what it came to, for the node exporter of Prometheus\n"
"  --force               also the same certificate again, an older one, or one that ends soon\n"
"  --dry-run             judge, ask Vault, say what would be published\n"
"  --config FILE         instead of " CERTLET_SYSCONFDIR "/publish.ini\n"
"  --verbose, --quiet    say more; say nothing but errors\n"
"  --version, --help\n"
"  --list                not supported by this version\n"
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

static int
read_options(int argc, char **argv, struct command_line *line)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == '?' || !startup_option_is_whole(argv, long_options[option].name))
			return -1;
		if (line->given[option] != NULL && long_options[option].has_arg)
			return usage_error("given twice: --", long_options[option].name);
		line->given[option] = optarg != NULL ? optarg : "";
	}
	if (argc - optind > 1)
		return usage_error("more than one directory: ", argv[optind + 1]);
	line->directory = argv[optind];
	return 0;
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

static int
check_usage(const struct command_line *line)
{
	const unsigned int mode = line->given[OPTION_ALL] != NULL ? MODE_ALL : MODE_ONE;

	if (line->given[OPTION_LIST] != NULL)
		return usage_error("not supported by this version: ", "--list");
	if (line->given[OPTION_VERBOSE] != NULL && line->given[OPTION_QUIET] != NULL)
		return usage_error("either --verbose or --quiet", "");
	for (int i = 0; i < OPTION_COUNT; i++)
		if (line->given[i] != NULL && option_modes[i] != 0 && (option_modes[i] & mode) == 0)
			return usage_error(mode == MODE_ALL ? "not with --all: --" :
			    "only with --all: --", long_options[i].name);
	if (mode == MODE_ALL && line->directory != NULL)
		return usage_error("more than one directory: ", line->directory);
	return mode == MODE_ONE ? check_source(line) : 0;
}

static enum exit_code
run(struct command_line *line)
{
	struct publish_options options = { .now = time(NULL) };
	const char *const *given = line->given;
	enum exit_code code = EXIT_SETUP;

	publish_environment_take(&options.environment);
	if (line->directory == NULL && given[OPTION_ALL] == NULL && given[OPTION_CERT] == NULL &&
	    given[OPTION_PKCS12] == NULL)
		line->directory = options.environment.lineage;
	if (check_usage(line) == 0) {
		options.config_file = given[OPTION_CONFIG];
		options.name = given[OPTION_NAME];
		options.source = (struct publish_source){
			.directory = line->directory,
			.cert_file = given[OPTION_CERT], .key_file = given[OPTION_KEY],
			.chain_file = given[OPTION_CHAIN], .pkcs12_file = given[OPTION_PKCS12],
			.password_file = given[OPTION_PASSWORD_FILE],
		};
		options.all = given[OPTION_ALL];
		options.metrics_file = given[OPTION_METRICS];
		options.force = given[OPTION_FORCE] != NULL;
		options.dry_run = given[OPTION_DRY_RUN] != NULL;
		code = publish_run(&options);
	}
	publish_environment_clear(&options.environment);
	return code;
}

int
main(int argc, char **argv)
{
	struct command_line line = { 0 };

	startup();
	log_open("certlet-publish", LOG_LEVEL_NORMAL);
	if (read_options(argc, argv, &line) == -1)
		return EXIT_SETUP;
	if (line.given[OPTION_HELP] != NULL || line.given[OPTION_VERSION] != NULL) {
		(void)fputs(line.given[OPTION_HELP] != NULL ? help :
		    "certlet-publish " PACKAGE_VERSION "\n", stdout);
		return fflush(stdout) == 0 ? EXIT_WANTED : EXIT_BROKEN;
	}
	log_open("certlet-publish", line.given[OPTION_QUIET] != NULL ? LOG_LEVEL_QUIET :
	    line.given[OPTION_VERBOSE] != NULL ? LOG_LEVEL_VERBOSE : LOG_LEVEL_NORMAL);
	return run(&line);
}
