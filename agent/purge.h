/* SPDX-License-Identifier: ISC */
/* purge: takes away every certificate, output and state file that certlet made. */
#ifndef CERTLET_PURGE_H
#define CERTLET_PURGE_H

#include <stdbool.h>

#include "failure.h"

/*
 * The manifest may be missing (compiled-in paths) or list no certificate; one with errors is exit 1.
 * What a service still uses stays unless `force` (exit 2, and the state says what stays). What was
 * adopted goes too, or with `restore` back to where it stood. At 0
 * nothing is left in the state directory, nor in the run directory but the lock.
 */
enum exit_code purge_run(const char *manifest_file, bool force, bool restore);

#endif
