/* SPDX-License-Identifier: ISC */
/*
 * doctor: --test --system: what this machine lacks for a manifest to work. Changes nothing, runs no
 * command of a service. What certlet makes itself, its own directories, is looked at only where it
 * is there already.
 */
#ifndef CERTLET_DOCTOR_H
#define CERTLET_DOCTOR_H

#include "manifest.h"

/* Prints one line on standard error for each credential, user, group, directory, file, program and
 * unit that is missing or unsafe; returns how many. */
size_t doctor_examine(const struct manifest *manifest);

#endif
