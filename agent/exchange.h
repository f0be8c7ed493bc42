/* SPDX-License-Identifier: ISC */
/*
 * exchange: what root and its process at the network say to each other, once it is out of its frames
 * (wire.h): questions one way; answers, a summary, and what became of a wrapping token the other.
 */
#ifndef CERTLET_EXCHANGE_H
#define CERTLET_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "bundle.h"
#include "credentials.h"
#include "failure.h"
#include "notes.h"
#include "secret.h"
#include "version.h"

#define QUESTION_SPARED 3

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
	bool let_in;			/* Vault took our login or token, and was not away; or nothing had to be asked */
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

#endif
