/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "publish-environment.h"

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

static void
take_token(struct secret *token)
{
	static const char *const names[] = { "BAO_TOKEN", "VAULT_TOKEN" };
	char *value = variable("TOKEN");

	if (value != NULL)
		secret_set(token, value, strlen(value));
	secret_trim(token);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if ((value = getenv(names[i])) != NULL)
			explicit_bzero(value, strlen(value));
}

/* What the terminal can do is no secret, and nothing but the table obeys it. */
static void
empty(void)
{
	static const char *const kept[] = { "NO_COLOR", "TERM" };
	char *values[sizeof(kept) / sizeof(*kept)];

	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		values[i] = memory_text(getenv(kept[i]));
	(void)clearenv();
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		if (values[i] != NULL)
			(void)setenv(kept[i], values[i], 1);
		free(values[i]);
	}
}

void
publish_environment_take(struct publish_environment *out_environment)
{
	const char *lineage = getenv("RENEWED_LINEAGE");

	*out_environment = (struct publish_environment){
		.address = memory_text(variable("ADDR")),
		.ca_file = memory_text(variable("CACERT")),
		.namespace = without_slashes(variable("NAMESPACE")),
		.tls_server_name = memory_text(variable("TLS_SERVER_NAME")),
		.proxy = memory_text(variable("PROXY_ADDR")),
		.lineage = lineage != NULL && *lineage != '\0' ? memory_text(lineage) : NULL,
	};
	take_token(&out_environment->token);
	empty();
}

void
publish_environment_clear(struct publish_environment *environment)
{
	free(environment->address);
	free(environment->ca_file);
	free(environment->namespace);
	free(environment->tls_server_name);
	free(environment->proxy);
	free(environment->lineage);
	secret_clear(&environment->token);
}
