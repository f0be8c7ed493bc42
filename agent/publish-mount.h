/* SPDX-License-Identifier: ISC */
/* publish-mount: whether the mount is one of KV version 2. */
#ifndef CERTLET_PUBLISH_MOUNT_H
#define CERTLET_PUBLISH_MOUNT_H

#include "failure.h"
#include "manifest.h"
#include "vault.h"

/*
 * A KV mount of version 1 would take MOUNT/data/certs/NAME for a path of its own and keep the key
 * there. It also says 404 to a read, so that is where it has to be found out. -1 with
 * FAILURE_SETUP: it is not version 2. A server that does not tell is believed to be as the
 * configuration says.
 */
int publish_mount_check(struct vault *vault, const struct vault_settings *settings,
    struct failure *why);

#endif
