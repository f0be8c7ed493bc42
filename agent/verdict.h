/* SPDX-License-Identifier: ISC */
/* verdict: what a reply to one request means: an answer, or a reason to ask again. */
#ifndef CERTLET_VERDICT_H
#define CERTLET_VERDICT_H

#include <stdbool.h>

#include <jansson.h>

#include "http.h"
#include "vault.h"

enum verdict {
	VERDICT_ANSWER,
	VERDICT_REDIRECT,
	VERDICT_AGAIN,	/* not answered; may be asked again */
	VERDICT_LOST,	/* not answered; may have been carried out, and must not be twice */
};

/* json: the body, NULL if it is none. last_try: a status 500, which may be a passing one, is an
 * answer now. */
enum verdict verdict_make(const struct vault_ask *ask, const struct http_reply *reply,
    const json_t *json, bool last_try);

/* Whose secrets the server's words may contain. */
struct verdict_secrets {
	const struct credentials *credentials;
	const struct secret *token;	/* NULL: none */
};

/* Why there is no good answer, beginning with the path. */
void verdict_describe(const struct vault_ask *ask, const struct http_reply *reply,
    const json_t *json, const struct verdict_secrets *secrets, struct failure *why);

/* *out_answer borrows json. */
void verdict_answer(const struct vault_ask *ask, const struct http_reply *reply,
    const json_t *json, const struct verdict_secrets *secrets, struct vault_reply *out_answer);

#endif
