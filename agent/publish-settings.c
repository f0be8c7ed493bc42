/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "inifile.h"
#include "manifest-value.h"
#include "memory.h"
#include "paths.h"
#include "publish-settings.h"
#include "report.h"

#define DEFAULT_CONFIG CERTLET_SYSCONFDIR "/" PUBLISH_CONFIG
#define DEFAULT_ADDRESS "https://127.0.0.1:8200"	/* as bao and vault have it */
#define DAY_SECONDS 86400L

static int
read_config(const char *file, struct manifest **out_manifest, struct failure *why)
{
	struct manifest_errors errors = { 0 };
	size_t count;

	if ((*out_manifest = manifest_read(file, NULL, &errors)) != NULL)
		return 0;
	count = errors.count;
	report_manifest_errors(file, &errors);
	manifest_errors_clear(&errors);
	return failure_set(why, FAILURE_MANIFEST, "%zu error%s in %s: nothing was done", count,
	    count == 1 ? "" : "s", file);
}

/* Whether [vault] says anything about logging in; a token in the environment is not for it then. */
static bool
says_how_to_log_in(const char *file)
{
	static const char *const keys[] = {
		"auth", "role_id_file", "secret_id_file", "token_file", "client_cert_file",
		"client_key_file",
	};
	struct manifest_errors ignored = { 0 };
	struct inifile inifile;
	bool says = false;

	if (inifile_read(file, &inifile, &ignored) == INIFILE_READ) {
		for (size_t i = 0; i < inifile.section_count; i++)
			for (size_t j = 0; j < sizeof(keys) / sizeof(*keys); j++)
				says = says || inifile_find(&inifile.sections[i], keys[j]) != NULL;
		inifile_clear(&inifile);
	}
	manifest_errors_clear(&ignored);
	return says;
}

static struct manifest *
manifest_without_file(void)
{
	struct manifest *manifest = memory_new(1, sizeof(*manifest));

	manifest->vault = (struct vault_settings){
		.auth = AUTH_TOKEN, .auth_mount = memory_text(auth_names[AUTH_TOKEN]),
		.kv_mount = memory_text("secret"), .timeout = 10, .deadline = 5 * 60,
	};
	manifest->agent.warn = 25 * DAY_SECONDS;
	manifest->agent.critical = 7 * DAY_SECONDS;
	return manifest;
}

/* The parsers of the manifest judge the environment too. */
static int
fill_in(const char *variable, const char *text, VALUE_PARSER((*parse)), void *field,
    struct failure *why)
{
	const struct inifile_pair pair = { .key = (char *)variable, .value = (char *)text };
	struct manifest_errors errors = { 0 };
	int result = 0;

	if (text != NULL && parse(&pair, field, &errors) == -1)
		result = failure_set(why, FAILURE_SETUP, "%s", errors.items[0].text);
	manifest_errors_clear(&errors);
	return result;
}

static int
apply_environment(const struct publish_environment *environment, struct vault_settings *vault,
    struct failure *why)
{
	const char *address = environment->address != NULL ? environment->address : DEFAULT_ADDRESS;

	if (vault->addresses.count == 0 && fill_in("BAO_ADDR or VAULT_ADDR", address,
	    value_addresses, &vault->addresses, why) == -1)
		return -1;
	if (vault->namespace == NULL && fill_in("BAO_NAMESPACE or VAULT_NAMESPACE",
	    environment->namespace, value_mount, &vault->namespace, why) == -1)
		return -1;
	if (vault->tls_server_name == NULL && fill_in("BAO_TLS_SERVER_NAME or "
	    "VAULT_TLS_SERVER_NAME", environment->tls_server_name, value_host_name,
	    &vault->tls_server_name, why) == -1)
		return -1;
	if (vault->proxy == NULL && fill_in("BAO_PROXY_ADDR or VAULT_PROXY_ADDR",
	    environment->proxy, value_proxy, &vault->proxy, why) == -1)
		return -1;
	if (vault->ca_file == NULL)
		vault->ca_file = memory_text(environment->ca_file);
	if (vault->auth_namespace == NULL)
		vault->auth_namespace = memory_text(vault->namespace);
	return 0;
}

static int
read_credentials(struct publish_settings *settings, const struct secret *token,
    struct failure *why)
{
	struct vault_settings *vault = &settings->manifest->vault;

	if (token != NULL) {
		vault->auth = AUTH_TOKEN;
		if (!secret_is_visible(token->bytes, token->size))
			return failure_set(why, FAILURE_SETUP,
			    "BAO_TOKEN or VAULT_TOKEN: there is more than a token in it");
	}
	if (credentials_read(settings->manifest, &settings->credentials, why) == -1)
		return -1;
	/* That it was opened would have to be remembered. */
	if (settings->credentials.missing.kind != FAILURE_NONE &&
	    vault->wrapped_secret_id_file != NULL)
		(void)failure_prefix(&settings->credentials.missing, "wrapped_secret_id_file is "
		    "for certlet, a publisher opens its own by hand (bao unwrap -field=secret_id)");
	if (token != NULL)
		secret_set(&settings->credentials.token, token->bytes, token->size);
	return 0;
}

int
publish_settings_read(const char *config_file, const struct publish_environment *environment,
    struct publish_settings *settings, struct failure *why)
{
	const struct secret *token = environment->token.size != 0 ? &environment->token : NULL;

	if (config_file == NULL && (access(DEFAULT_CONFIG, F_OK) == 0 || errno != ENOENT))
		config_file = DEFAULT_CONFIG;
	if (config_file == NULL) {
		settings->manifest = manifest_without_file();
		if (token == NULL)
			return failure_set(why, FAILURE_SETUP, "%s is missing, and there is no "
			    "BAO_TOKEN or VAULT_TOKEN in the environment", DEFAULT_CONFIG);
	} else if (read_config(config_file, &settings->manifest, why) == -1)
		return -1;
	else if (says_how_to_log_in(config_file))
		token = NULL;
	if (apply_environment(environment, &settings->manifest->vault, why) == -1)
		return -1;
	return read_credentials(settings, token, why);
}

void
publish_settings_clear(struct publish_settings *settings)
{
	credentials_clear(&settings->credentials);
	manifest_free(settings->manifest);
	*settings = (struct publish_settings){ 0 };
}
