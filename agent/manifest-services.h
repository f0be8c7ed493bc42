/* SPDX-License-Identifier: ISC */
/* manifest-services: the services of a manifest, each laid over its preset, key by key. */
#ifndef CERTLET_MANIFEST_SERVICES_H
#define CERTLET_MANIFEST_SERVICES_H

#include "inifile.h"
#include "manifest-check.h"

/*
 * Fills manifest->services with those that the entries list. All [service] sections of the
 * manifest are judged, listed or not. The presets are read only if some service is listed.
 */
void manifest_services_read(const struct manifest_draft *draft, const struct inifile *inifile,
    const char *presets_file, struct manifest_errors *errors);
void manifest_services_clear(struct manifest *manifest);

#endif
