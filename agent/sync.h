/* SPDX-License-Identifier: ISC */
/* sync: brings this server into the wanted state; the table of contents of a run. */
#ifndef CERTLET_SYNC_H
#define CERTLET_SYNC_H

#include "run.h"

/* Prints what changed and what failed; returns the exit code of DESIGN section 6. */
enum exit_code sync_run(const struct sync_options *options);

#endif
