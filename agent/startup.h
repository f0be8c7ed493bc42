/* SPDX-License-Identifier: ISC */
/* startup: what a program that will hold private keys does before anything else. */
#ifndef CERTLET_STARTUP_H
#define CERTLET_STARTUP_H

#include <stdbool.h>

/*
 * Descriptors 0 to 2 are open, no core dump and no ptrace by the same user, memory that is freed is
 * overwritten, a library that runs out of it ends the program, umask 077; limits as they were are remembered for the commands of services.
 */
void startup(void);

/*
 * Whether the option that getopt_long(3) took last was written out, else told: it takes --pur for
 * --purge, and what that means may change with the next option there is.
 */
bool startup_option_is_whole(char **argv, const char *name);

#endif
