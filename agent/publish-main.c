/* SPDX-License-Identifier: ISC */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "manifest.h"
#include "memory.h"
#include "paths.h"
#include "publish.h"
#include "startup.h"

enum {
	OPTION_NAME, OPTION_CERT, OPTION_KEY, OPTION_CHAIN, OPTION_CONFIG,
	OPTION_FORCE, OPTION_DRY_RUN, OPTION_VERBOSE, OPTION_QUIET, OPTION_VERSION, OPTION_HELP,
	OPTION_ALL, OPTION_LIST, OPTION_COUNT
};

static const struct option long_options[] = {
	{ "name", required_argument, NULL, OPTION_NAME },
	{ "cert", required_argument, NULL, OPTION_CERT },
	{ "key", required_argument, NULL, OPTION_KEY },
	{ "chain", required_argument, NULL, OPTION_CHAIN },
	{ "config", required_argument, NULL, OPTION_CONFIG },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "verbose", no_argument, NULL, OPTION_VERBOSE },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "all", no_argument, NULL, OPTION_ALL },	/* not yet */
	{ "list", no_argument, NULL, OPTION_LIST },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
"Usage: certlet-publish --name NAME --cert FILE --key FILE [--chain FILE] [OPTION...]\n"
"       certlet-publish [--name NAME] DIR [OPTION...]\n"
"Puts a certificate, its chain and its key into Vault, from where certlet installs them.\n"
"\n"
"  --name NAME           the secret certs/NAME; the default is the last part of DIR\n"
"  --cert, --key, --chain FILE   PEM; a chain may also stand in the certificate's file\n"
"  DIR                   with cert.pem, privkey.pem and, if there is one, chain.pem\n"
"  --force               also the same certificate again, or one that ends much sooner\n"
"  --dry-run             judge, ask Vault, say what would be published\n"
"  --config FILE         instead of " CERTLET_SYSCONFDIR "/publish.ini\n"
"  --verbose, --quiet    say more; say nothing but errors\n"
"  --version, --help\n"
"  --all, --list         not supported by this version\n"
"\n"
"BAO_ADDR, BAO_TOKEN, BAO_CACERT, BAO_NAMESPACE, BAO_TLS_SERVER_NAME and BAO_PROXY_ADDR, or the\n"
"same with VAULT_, stand in for what the configuration does not say.\n"
"Exit codes: 0 published or unchanged, 1 usage, configuration or a file is wrong, 2 refused,\n"
"3 no answer from Vault, 5 certlet-publish failed. See certlet-publish(8).\n";

/* The values of all options by number: an argument, "" without one, or NULL. */
struct command_line {
	const char *given[OPTION_COUNT];
	const char *directory;
	char *name, *cert_file, *key_file, *chain_file;	/* made from the directory */
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

static int
check_usage(const struct command_line *line)
{
	const char *const *given = line->given;
	const bool files = given[OPTION_CERT] != NULL || given[OPTION_KEY] != NULL ||
	    given[OPTION_CHAIN] != NULL;

	if (given[OPTION_ALL] != NULL || given[OPTION_LIST] != NULL)
		return usage_error("not supported by this version: ",
		    given[OPTION_ALL] != NULL ? "--all" : "--list");
	if (given[OPTION_VERBOSE] != NULL && given[OPTION_QUIET] != NULL)
		return usage_error("either --verbose or --quiet", "");
	if (line->directory != NULL && files)
		return usage_error("either a directory, or --cert, --key and --chain", "");
	if (line->directory != NULL)
		return 0;
	if (!files && getenv("RENEWED_LINEAGE") != NULL)
		return usage_error("being certbot's deploy hook is not supported by this version; "
		    "have a hook call: certlet-publish ", "\"$RENEWED_LINEAGE\"");
	if (given[OPTION_NAME] == NULL || given[OPTION_CERT] == NULL || given[OPTION_KEY] == NULL)
		return usage_error("--name, --cert and --key are needed, or a directory", "");
	return 0;
}

/* "/etc/letsencrypt/live/www.example.com/" is called www.example.com. */
static char *
last_part(const char *directory)
{
	size_t end = strlen(directory), start;

	while (end > 0 && directory[end - 1] == '/')
		end--;
	for (start = end; start > 0 && directory[start - 1] != '/'; start--)
		;
	return memory_text_n(directory + start, end - start);
}

static void
apply_directory(struct command_line *line)
{
	if (line->given[OPTION_NAME] == NULL)
		line->given[OPTION_NAME] = line->name = last_part(line->directory);
	line->given[OPTION_CERT] = line->cert_file = memory_format("%s/cert.pem", line->directory);
	line->given[OPTION_KEY] = line->key_file = memory_format("%s/privkey.pem", line->directory);
	line->chain_file = memory_format("%s/chain.pem", line->directory);
	if (access(line->chain_file, F_OK) == 0)
		line->given[OPTION_CHAIN] = line->chain_file;
}

static void
command_line_clear(struct command_line *line)
{
	free(line->name);
	free(line->cert_file);
	free(line->key_file);
	free(line->chain_file);
}

/* BAO_X goes before VAULT_X even where it is set and empty, as in OpenBao's own programs. */
static char *
variable(const char *name)
{
	char *bao = memory_format("BAO_%s", name), *vault = memory_format("VAULT_%s", name);
	char *value = getenv(bao) != NULL ? getenv(bao) : getenv(vault);

	free(vault);
	free(bao);
	return value != NULL && *value != '\0' ? value : NULL;
}

/* "team/", as bao and vault take it, is the namespace "team". */
static char *
without_slashes(const char *namespace)
{
	size_t length;

	if (namespace == NULL)
		return NULL;
	namespace += strspn(namespace, "/");
	length = strlen(namespace);
	while (length > 0 && namespace[length - 1] == '/')
		length--;
	return length > 0 ? memory_text_n(namespace, length) : NULL;
}

/* Afterwards the environment is empty: libraries look at it too, and /proc shows it. */
static void
take_environment(struct publish_environment *environment)
{
	char *token = variable("TOKEN");

	environment->address = memory_text(variable("ADDR"));
	environment->ca_file = memory_text(variable("CACERT"));
	environment->namespace = without_slashes(variable("NAMESPACE"));
	environment->tls_server_name = memory_text(variable("TLS_SERVER_NAME"));
	environment->proxy = memory_text(variable("PROXY_ADDR"));
	if (token != NULL)
		secret_set(&environment->token, token, strlen(token));
	secret_trim(&environment->token);
	for (const char *const *name = (const char *const[]){ "BAO_TOKEN", "VAULT_TOKEN", NULL };
	    *name != NULL; name++)
		if ((token = getenv(*name)) != NULL)
			explicit_bzero(token, strlen(token));
	(void)clearenv();
}

static void
environment_clear(struct publish_environment *environment)
{
	free(environment->address);
	free(environment->ca_file);
	free(environment->namespace);
	free(environment->tls_server_name);
	free(environment->proxy);
	secret_clear(&environment->token);
}

static int
publish(const struct command_line *line)
{
	struct publish_options options = {
		.config_file = line->given[OPTION_CONFIG], .name = line->given[OPTION_NAME],
		.cert_file = line->given[OPTION_CERT], .key_file = line->given[OPTION_KEY],
		.chain_file = line->given[OPTION_CHAIN],
		.force = line->given[OPTION_FORCE] != NULL,
		.dry_run = line->given[OPTION_DRY_RUN] != NULL, .now = time(NULL),
	};
	struct failure why = { 0 };

	if (!manifest_name_is_valid(options.name)) {
		log_error("%s: a NAME is up to 253 letters, digits, `.`, `-` and `_`, no `.` or "
		    "`-` at its beginning, no `.` at its end", options.name);
		return EXIT_SETUP;
	}
	take_environment(&options.environment);
	if (publish_run(&options, &why) == -1)
		log_error("%s: %s", options.name, why.text);
	environment_clear(&options.environment);
	return failure_exit_code(why.kind);
}

int
main(int argc, char **argv)
{
	struct command_line line = { 0 };
	int code = EXIT_SETUP;

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
	if (check_usage(&line) == 0) {
		if (line.directory != NULL)
			apply_directory(&line);
		code = publish(&line);
	}
	command_line_clear(&line);
	return code;
}
