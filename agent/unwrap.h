/* SPDX-License-Identifier: ISC */
/*
 * unwrap: a process of its own, like inquiry's, that takes a secret-id out of its response-wrapping
 * token and hands it over: what happens to it from then on is the parent's.
 */
#ifndef CERTLET_UNWRAP_H
#define CERTLET_UNWRAP_H

#include "credentials.h"
#include "manifest.h"

/* The wrapping token is credentials->token. */
void unwrap_run(int socket, const struct manifest *manifest, const struct credentials *credentials)
	__attribute__((noreturn));

#endif
