/* SPDX-License-Identifier: ISC */
/* publish-environment: what certlet-publish, and only it, takes from the environment. */
#ifndef CERTLET_PUBLISH_ENVIRONMENT_H
#define CERTLET_PUBLISH_ENVIRONMENT_H

#include "secret.h"

/* NULL, or an empty secret: not set. */
struct publish_environment {
	/* BAO_* or VAULT_*, where the configuration says nothing. */
	char *address, *ca_file, *namespace, *tls_server_name, *proxy;
	struct secret token;
	char *lineage;		/* RENEWED_LINEAGE, by which certbot calls a deploy hook */
};

/* Afterwards the environment is empty: libraries look at it too, and /proc shows it. But NO_COLOR
 * and TERM stay. */
void publish_environment_take(struct publish_environment *out_environment);
void publish_environment_clear(struct publish_environment *environment);

#endif
