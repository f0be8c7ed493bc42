/* SPDX-License-Identifier: ISC */
/*
 * wrapping: wrapped_secret_id_file, whose token becomes a secret-id in secret_id_file, once.
 *
 * What is begun is in the state before Vault is asked, and what came is durable before anything
 * uses it: killed anywhere, a run leaves either the secret-id in its place or a state that tells
 * that it is lost. A token that was tried is never asked about again.
 */
#ifndef CERTLET_WRAPPING_H
#define CERTLET_WRAPPING_H

#include "credentials.h"
#include "failure.h"
#include "manifest.h"
#include "sandbox.h"
#include "state.h"

/*
 * Given what credentials_read_wrapping() found. The other credentials are to be read anew after it, if
 * a token was tried (state->wrapped.token). *out_refusal: why there is no new secret-id although there is a
 * token for one: FAILURE_LOGIN, at every run until another token comes; FAILURE_VAULT: nothing
 * answered; FAILURE_NONE. -1: certlet failed (FAILURE_INTERNAL). A dry run only tells what there
 * would be to do.
 */
int wrapping_take(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, struct state *state, bool dry_run,
    struct failure *out_refusal, struct failure *why);

/* Removes the secret-id that wrapping_take() wrote, if it is still that one. */
int wrapping_forget(struct state *state, struct failure *why);

#endif
