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

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "bundle.h"
#include "credentials.h"
#include "failure.h"
#include "manifest.h"
#include "notes.h"
#include "sandbox.h"
#include "version.h"

#define QUESTION_SPARED 2

/* What is asked about one entry: is there something newer than what is here? */
struct question {
	uint32_t entry;			/* index into manifest->entries */
	/* Is on this disk already: not to be read again unless `damaged` (or by a step back in `spared`
	 * is meant). Empty created: nothing installed, or from another source. */
	struct version installed;
	struct version spared[QUESTION_SPARED];	/* refused or quarantined: not to be read either */
	bool damaged;			/* installed content is lost: read the newest, or `installed` if that is
					 * spared, refused or gone */
	bool force;			/* --force of --sync NAME */
	bool have_leaf;			/* something is installed, of whatever source */
	struct leaf leaf;		/* of the installed one, for judge_bundle(); borrowed by fetch_ask() */
	struct secret trust;		/* bytes of trust_file; empty: none; borrowed */
	bool has_trust;
};

enum answer_kind {
	ANSWER_UNCHANGED,	/* `offered` is installed or spared; no key moved */
	ANSWER_MATERIAL,	/* judged and good */
	ANSWER_REFUSED,		/* `offered` was read and refused: `why`, `retry` */
	ANSWER_FAILED,		/* 403, 404, nonsense: `why`; offered may be empty */
};

struct answer {
	uint32_t entry;
	enum answer_kind kind;
	struct version offered;	/* what the repository has now; may differ from `got` */
	struct version got;	/* the version of `material` */
	struct material material;
	/* Of ANSWER_MATERIAL whose `got` is not `offered`: why that was refused, if it was read now. */
	struct failure why;
	char *notice;		/* accepted, but worth saying; NULL: nothing */
	time_t retry;		/* judge the same version again from then on; 0: no such time */
};

void answer_clear(struct answer *answer);

/* How the talk as a whole went. */
struct fetch_summary {
	bool let_in;			/* Vault accepted our login or token, or nothing had to be asked */
	struct failure away;		/* kind FAILURE_VAULT or FAILURE_LOGIN: certificates without an
					 * answer have none because of this; FAILURE_NONE: all went well */
	enum credentials_state credentials;
	uint32_t requests;		/* HTTP requests made */
	int32_t address;		/* index of the address that answered; -1: none */
	struct secret token;		/* a batch token worth keeping; empty: none */
	time_t token_expires;
	bool drop_token;		/* the cached one was refused */
	struct notes notes;		/* learned in this run */
};

void fetch_summary_clear(struct fetch_summary *summary);

/* What became of a wrapping token. */
struct unwrapped {
	struct secret secret_id;	/* empty: `why` */
	time_t expires;			/* 0: never */
	uint64_t uses;			/* logins it is good for; 0: any number */
	/* FAILURE_LOGIN: the token is spent, or not what it should be. Else it was not used, and may
	 * be tried again: FAILURE_VAULT: nothing answered; FAILURE_DENIED: what answered did not judge. */
	struct failure why;
};

void unwrapped_clear(struct unwrapped *unwrapped);

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
