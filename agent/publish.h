/* SPDX-License-Identifier: ISC */
/*
 * publish: puts one certificate, its chain and its key into the KV v2 secret from which certlet
 * installs them, after the judgement that certlet itself will pass on them (DESIGN section 5).
 *
 * A program of its own: the right to write to Vault must not be reachable from the agent.
 */
#ifndef CERTLET_PUBLISH_H
#define CERTLET_PUBLISH_H

#include <stdbool.h>
#include <time.h>

#include "failure.h"
#include "secret.h"

/* BAO_* or VAULT_*, where the configuration says nothing. NULL, or an empty secret: not set. */
struct publish_environment {
	char *address, *ca_file, *namespace, *tls_server_name, *proxy;
	struct secret token;
};

struct publish_options {
	const char *config_file;	/* NULL: the usual one, which need not be there */
	const char *name;
	const char *cert_file, *key_file;
	const char *chain_file;		/* NULL: none */
	bool force, dry_run;
	time_t now;
	struct publish_environment environment;
};

/* Says what it does, as log lines; a failure is left to the caller. */
int publish_run(const struct publish_options *options, struct failure *why);

#endif
