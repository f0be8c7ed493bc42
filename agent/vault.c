/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "failover.h"
#include "login.h"
#include "memory.h"
#include "vault.h"

#define TOKEN_LEAST_SECONDS 60	/* of life that is left, for a batch token to be kept */

enum token_origin { TOKEN_NONE, TOKEN_GIVEN, TOKEN_CACHED, TOKEN_OWN };

struct vault {
	const struct vault_settings *settings;
	const struct credentials *credentials;
	struct failover *failover;
	struct login login;		/* of TOKEN_OWN */
	const struct secret *token;	/* that is in use; NULL: none yet */
	enum token_origin origin;
	bool accepted;			/* it was good for something */
	bool cached_refused;		/* the cached one was good for nothing */
	bool away;			/* the last talk ended without answers */
	enum credentials_state credentials_state;
};

/*
 * One call of vault_ask(). As long as nothing shows that the token is known to the server, refusals
 * are held back: they may be the token's end, not the policy's word.
 */
struct relay {
	struct vault *vault;
	vault_done *done;
	void *context;
	struct held {
		size_t index;
		struct vault_reply reply;	/* without its JSON */
	} *held;
	size_t held_count;
};

struct vault *
vault_open(const struct vault_settings *settings, const struct credentials *credentials,
    struct failure *why)
{
	struct failover *failover = failover_new(settings, credentials, why);
	struct vault *vault;

	if (failover == NULL)
		return NULL;
	vault = memory_new(1, sizeof(*vault));
	vault->settings = settings;
	vault->credentials = credentials;
	vault->failover = failover;
	return vault;
}

/* --- The token --- */

static int
log_in(struct vault *vault, struct failure *why)
{
	if (login_run(vault->failover, vault->settings, vault->credentials, &vault->login,
	    why) == -1) {
		if (vault->login.refused)
			vault->credentials_state = CREDENTIALS_REFUSED;
		vault->away = why->kind == FAILURE_VAULT;
		return -1;
	}
	vault->token = &vault->login.token;
	vault->origin = TOKEN_OWN;
	vault->accepted = true;
	vault->credentials_state = CREDENTIALS_OK;
	return 0;
}

static int
get_token(struct vault *vault, struct failure *why)
{
	const struct credentials *credentials = vault->credentials;

	if (vault->token != NULL)
		return 0;
	if (credentials->cached_token.size != 0 && !vault->cached_refused) {
		vault->token = &credentials->cached_token;
		vault->origin = TOKEN_CACHED;
		return 0;
	}
	if (credentials->missing.kind != FAILURE_NONE) {
		vault->credentials_state = CREDENTIALS_MISSING;
		*why = credentials->missing;
		return -1;
	}
	if (vault->settings->auth == AUTH_TOKEN) {
		vault->token = &credentials->token;
		vault->origin = TOKEN_GIVEN;
		return 0;
	}
	return log_in(vault, why);
}

/* --- Asking --- */

/* 403 is what a server says to a token that it does not know, and to one without the right. */
static bool
may_be_the_token(const struct vault_reply *reply)
{
	return reply->status == 403 ||
	    (reply->status == 500 &&
	    strstr(reply->why.text, "error performing token check") != NULL);
}

static void
hold_back(struct relay *relay, size_t index, const struct vault_reply *reply)
{
	relay->held = memory_grow(relay->held, relay->held_count + 1, sizeof(*relay->held));
	relay->held[relay->held_count] = (struct held){ index, *reply };
	relay->held[relay->held_count++].reply.json = NULL;
}

static void
take_reply(void *context, size_t index, const struct vault_reply *reply)
{
	struct relay *relay = context;
	struct vault *vault = relay->vault;

	if (!vault->accepted && may_be_the_token(reply)) {
		hold_back(relay, index, reply);
		return;
	}
	if (!vault->accepted && reply->status != 0 && reply->status < 500) {
		vault->accepted = true;
		vault->credentials_state = CREDENTIALS_OK;
	}
	relay->done(relay->context, index, reply);
}

static void
let_go(struct relay *relay)
{
	for (size_t i = 0; i < relay->held_count; i++)
		relay->done(relay->context, relay->held[i].index, &relay->held[i].reply);
}

static void
take_lookup(void *context, size_t index, const struct vault_reply *reply)
{
	struct vault *vault = context;

	(void)index;
	vault->accepted = reply->good;
}

/* A policy may refuse all that was asked. Most let a token ask about itself: less than a login. */
static int
look_up(struct vault *vault, struct failure *why)
{
	const struct vault_ask ask = {
		.method = "GET", .namespace = vault->settings->auth_namespace,
		.path = "auth/token/lookup-self",
	};

	return failover_ask(vault->failover, &ask, 1, vault->token, take_lookup, vault, why);
}

/* Indexes are those of the held replies here, and become the caller's again. */
static void
take_second_reply(void *context, size_t index, const struct vault_reply *reply)
{
	struct relay *relay = context;

	relay->done(relay->context, relay->held[index].index, reply);
}

static int
ask_with_new_token(struct relay *relay, const struct vault_ask *asks, struct failure *why)
{
	struct vault *vault = relay->vault;
	struct vault_ask *again = memory_new(relay->held_count, sizeof(*again));
	int result = -1;

	vault->cached_refused = true;
	vault->token = NULL;
	for (size_t i = 0; i < relay->held_count; i++)
		again[i] = asks[relay->held[i].index];
	if (get_token(vault, why) == 0)
		result = failover_ask(vault->failover, again, relay->held_count, vault->token,
		    take_second_reply, relay, why);
	free(again);
	return result;
}

int
vault_ask(struct vault *vault, const struct vault_ask *asks, size_t count, vault_done *done,
    void *context, struct failure *why)
{
	struct relay relay = { .vault = vault, .done = done, .context = context };
	int result = -1;

	if (count == 0)
		return 0;
	if (get_token(vault, why) == -1)
		return -1;
	result = failover_ask(vault->failover, asks, count, vault->token, take_reply, &relay, why);
	if (result == 0 && vault->origin == TOKEN_CACHED && !vault->accepted &&
	    relay.held_count != 0)
		result = look_up(vault, why);
	vault->away = result == -1;
	if (vault->origin != TOKEN_CACHED || vault->accepted)
		let_go(&relay);
	else if (result == 0 && relay.held_count != 0)
		result = ask_with_new_token(&relay, asks, why);
	free(relay.held);
	return result;
}

/* --- The end --- */

static void
ignore_reply(void *context, size_t index, const struct vault_reply *reply)
{
	(void)context;
	(void)index;
	(void)reply;
}

void
vault_log_out(struct vault *vault)
{
	const struct vault_ask ask = {
		.method = "PUT", .namespace = vault->settings->auth_namespace,
		.path = "auth/token/revoke-self",
	};
	struct failure why;

	if (vault->origin != TOKEN_OWN || vault->login.batch || vault->away)
		return;
	(void)failover_ask(vault->failover, &ask, 1, &vault->login.token, ignore_reply, NULL, &why);
	vault->origin = TOKEN_NONE;
	vault->token = NULL;
}

void
vault_close(struct vault *vault)
{
	if (vault == NULL)
		return;
	vault_log_out(vault);
	login_clear(&vault->login);
	failover_free(vault->failover);
	free(vault);
}

const char *
vault_address(const struct vault *vault)
{
	const int32_t address = failover_address(vault->failover);

	return vault->settings->addresses.items[address >= 0 ? address : 0];
}

void
vault_tell(const struct vault *vault, struct vault_account *out_account)
{
	const struct login *login = &vault->login;
	const bool keep = vault->origin == TOKEN_OWN && login->batch &&
	    login->expires >= time(NULL) + TOKEN_LEAST_SECONDS;

	*out_account = (struct vault_account){
		.let_in = vault->accepted,
		.credentials = vault->credentials_state,
		.requests = failover_requests(vault->failover),
		.address = failover_address(vault->failover),
		.token = keep ? &login->token : NULL,
		.token_expires = login->expires,
		.drop_token = vault->cached_refused,
	};
}
