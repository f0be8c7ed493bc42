/* SPDX-License-Identifier: ISC */
/* sandbox-layers: the two layers of the sandbox that not every kernel has. For sandbox.c. */
#ifndef CERTLET_SANDBOX_LAYERS_H
#define CERTLET_SANDBOX_LAYERS_H

#include "sandbox.h"

int landlock_abi(void);	/* of this kernel; 0: no Landlock */
/* Files: read what TLS and name resolution need. TCP: `ports` and DNS, from ABI 4 on. false: it failed. */
bool landlock_enter(int abi, const struct sandbox_ports *ports);

bool seccomp_works(void);
bool seccomp_enter(void);	/* false: it failed */

#endif
