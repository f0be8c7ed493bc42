/* SPDX-License-Identifier: ISC */
/*
 * fetch: asks Vault, through a process of its own that has no rights here.
 *
 * fetch_start() forks. The child becomes [agent] user, keeps one socket and nothing else, and is
 * the only code that touches the network, TLS, JSON and ASN.1 (inquiry.c is its main function).
 * Parent and child exchange length-prefixed frames of fixed fields (frame.h); every frame from the
 * child is treated as hostile: lengths, enums, character sets, order, count. What comes out here
 * has PEM labels, base64 alphabet and sizes checked and is never parsed further by the parent.
 */
#ifndef CERTLET_FETCH_H
#define CERTLET_FETCH_H

#include "credentials.h"
#include "exchange.h"
#include "failure.h"
#include "manifest.h"
#include "notes.h"
#include "sandbox.h"

/*
 * Takes the secret-id out of credentials->token by a process like the one below, and waits for it.
 * -1 with FAILURE_INTERNAL: that process failed, and what it did is not known.
 */
int fetch_unwrap(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, struct unwrapped *out_unwrapped, struct failure *why);

struct fetch;

/*
 * Forks the child. manifest, credentials and notes are read by the child's copy of memory, so they
 * only have to live during the call. FAILURE_INTERNAL.
 */
int fetch_start(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, const struct notes *notes, struct fetch **out_fetch,
    struct failure *why);
int fetch_ask(struct fetch *fetch, const struct question *question, struct failure *why);
/* No further questions: the child begins to talk to Vault (not at all if there were none). */
int fetch_go(struct fetch *fetch, struct failure *why);

enum fetch_event { FETCH_ANSWER, FETCH_END, FETCH_BROKEN };

/*
 * The next answer, in whatever order they come; at most one for each question. At FETCH_END
 * *out_summary is filled; questions without an answer then are due to summary.away. FETCH_BROKEN
 * (FAILURE_INTERNAL): the child crashed, sent nonsense, left an answer out, or was silent past
 * `deadline`.
 */
enum fetch_event fetch_next(struct fetch *fetch, struct answer *out_answer,
    struct fetch_summary *out_summary, struct failure *why);

void fetch_free(struct fetch *fetch);	/* ends and reaps the child; NULL is allowed */

#endif
