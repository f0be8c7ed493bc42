/* SPDX-License-Identifier: ISC */
/* publish-settings: where the publisher's Vault is and how it lets us in. */
#ifndef CERTLET_PUBLISH_SETTINGS_H
#define CERTLET_PUBLISH_SETTINGS_H

#include "credentials.h"
#include "failure.h"
#include "manifest.h"
#include "publish-environment.h"

#define PUBLISH_CONFIG "publish.ini"	/* in the configuration directory */

struct publish_settings {
	/* Its [vault] and [agent] alone count; without a file there is no run_directory. */
	struct manifest *manifest;
	struct credentials credentials;
};

/*
 * `config_file` NULL: the usual one if it is there. The environment fills in what the file does
 * not say; its token is taken where the file does not say how to log in. Errors of the file are
 * logged. *settings starts as {0}; caller clears, also after -1.
 */
int publish_settings_read(const char *config_file, const struct publish_environment *environment,
    struct publish_settings *settings, struct failure *why);
void publish_settings_clear(struct publish_settings *settings);

#endif
