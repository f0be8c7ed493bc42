/* SPDX-License-Identifier: ISC */
/*
 * vault: requests by path, whichever of the addresses answers and whatever token that takes.
 *
 * The first request logs in. Connection errors, sealed or standby nodes, 429, 412 and 5xx are
 * tried again, at the next address and in three rounds; what arrives here is an answer. The words
 * of the server in a failure are cleaned of control characters and of our secrets.
 */
#ifndef CERTLET_VAULT_H
#define CERTLET_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <jansson.h>

#include "credentials.h"
#include "failure.h"
#include "manifest.h"
#include "secret.h"

/* Borrowed as long as vault_ask() runs. */
struct vault_ask {
	const char *method;		/* "GET", "POST", "PUT"; a LIST is a GET with list=true */
	const char *namespace;		/* NULL: none */
	const char *path;		/* "secret/data/certs/www": without "/v1/", not encoded */
	const char *query;		/* encoded, without '?'; NULL: none */
	const struct secret *body;	/* JSON; NULL: none */
	bool once;			/* never sent again when it may have been carried out */
};

struct vault_reply {
	long status;
	bool good;		/* 200 or 204, and what came with it was understood */
	const json_t *json;	/* NULL: no body, or none that is JSON; borrowed */
	/* When not good: FAILURE_DENIED for 403, FAILURE_ABSENT for 404, else FAILURE_VAULT. Address,
	 * path, status, the server's words and the id of the request, where known. */
	struct failure why;
};

/* Called once for each ask that has an answer, in whatever order they come; the reply is gone
 * afterwards. May not call vault_ask(). */
typedef void vault_done(void *context, size_t index, const struct vault_reply *reply);

struct vault;

/* Both are borrowed until vault_close(). Asks nothing yet; `deadline` begins to run. */
struct vault *vault_open(const struct vault_settings *settings,
    const struct credentials *credentials, struct failure *why);

/*
 * Asks everything in parallel. 0: every ask had its answer. -1 with FAILURE_VAULT or FAILURE_LOGIN:
 * those that had none get none, because of this. A cached token that turns out to be refused for
 * everything is replaced by a login, once.
 */
int vault_ask(struct vault *vault, const struct vault_ask *asks, size_t count,
    vault_done *done, void *context, struct failure *why);

/* Revokes a service token that vault_ask() got: the server would keep it for its whole life. */
void vault_log_out(struct vault *vault);
void vault_close(struct vault *vault);	/* logs out first; NULL is allowed */

/* The address that answered last, for messages. */
const char *vault_address(const struct vault *vault);

/* How it went so far. */
struct vault_account {
	bool let_in;		/* a login succeeded, or a token was accepted */
	enum credentials_state credentials;
	uint32_t requests;	/* HTTP requests sent */
	int32_t address;	/* index of the one that answered last; -1: none */
	const struct secret *token;	/* a batch token worth keeping; NULL: none */
	time_t token_expires;
	bool drop_token;	/* the cached token was refused */
};

void vault_tell(const struct vault *vault, struct vault_account *out_account);

#endif
