/* SPDX-License-Identifier: ISC */
/* manifest-check: what can only be judged when all keys of a manifest were read. */
#ifndef CERTLET_MANIFEST_CHECK_H
#define CERTLET_MANIFEST_CHECK_H

#include "inifile.h"
#include "manifest.h"

/* What was read, and from where; sections[i] is that of manifest->entries[i]. */
struct manifest_draft {
	struct manifest *manifest;
	const struct inifile_section *vault, *agent;	/* NULL: there is none */
	const struct inifile_section **entry_sections;
};

void manifest_check(const struct manifest_draft *draft, struct manifest_errors *errors);

#endif
