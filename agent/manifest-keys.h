/* SPDX-License-Identifier: ISC */
/* manifest-keys: the keys of each section as tables: name, type, where the value goes. */
#ifndef CERTLET_MANIFEST_KEYS_H
#define CERTLET_MANIFEST_KEYS_H

#include "inifile.h"
#include "manifest.h"

enum section_kind {
	SECTION_VAULT, SECTION_AGENT, SECTION_CERTIFICATE, SECTION_SERVICE, SECTION_KINDS
};

/* The kind of a section and whether it has a NAME exactly if it needs one; told if not. */
int manifest_keys_kind(const struct inifile_section *section, enum section_kind *out_kind,
    struct manifest_errors *errors);

/*
 * Reads the values of the section into the struct of that kind (vault_settings, agent_settings,
 * entry, service), over what is there: keys that are not given, or wrong and told, leave it.
 */
void manifest_keys_apply(enum section_kind kind, const struct inifile_section *section,
    void *fields, struct manifest_errors *errors);

#endif
