/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "failover.h"
#include "fields.h"
#include "login.h"
#include "memory.h"
#include "unwrap.h"
#include "wire.h"

#define SEND_MILLISECONDS 10000
#define LIFETIME_MOST (100L * 366 * 86400)	/* longer than any server's; the number is not ours */
#define INTERCEPTED "possible interception: "

struct unwrapping {
	const struct vault_settings *settings;
	const struct credentials *credentials;
	struct failover *failover;
	struct unwrapped got;
};

/* --- Is it the token that it should be? --- */

/* Whichever the role: the login will tell. Nobody else may have wrapped what we would use. */
static bool
is_creation_path(const char *path, const char *mount)
{
	char *start = memory_format("auth/%s/role/", mount);
	const size_t length = strlen(start);
	const char *role = path + length;
	const bool fits = strncmp(path, start, length) == 0 && *role != '/' &&
	    strcmp(role + strcspn(role, "/"), "/secret-id") == 0;

	free(start);
	return fits;
}

/*
 * Vault finds a token in whatever namespace it was made, and gives its path in that one. OpenBao's
 * tokens end in the number of theirs, the root's in none; Vault's (hvs.) are not told by their look.
 */
static bool
is_of_namespace(const char *token, const char *namespace)
{
	const bool root = namespace == NULL || strcmp(namespace, "root") == 0;

	return strncmp(token, "s.", 2) != 0 || root == (strchr(token + 2, '.') == NULL);
}

static void
take_lookup(void *context, size_t index, const struct vault_reply *reply)
{
	struct unwrapping *unwrapping = context;
	const char *mount = unwrapping->settings->auth_mount;
	const json_t *data = json_object_get(reply->json, "data");
	const char *path = json_string_value(json_object_get(data, "creation_path"));
	struct failure *why = &unwrapping->got.why;

	(void)index;
	if (reply->good && path != NULL && is_creation_path(path, mount))
		return;
	if (reply->good) {
		(void)failure_set(why, FAILURE_LOGIN, INTERCEPTED "the token was made for %s, not for "
		    "auth/%s/role/ROLE/secret-id, and was not unwrapped",
		    path != NULL ? path : "nothing", mount);
		return;
	}
	*why = reply->why;
	why->kind = reply->status == 400 ? FAILURE_LOGIN : FAILURE_DENIED;
	if (why->kind == FAILURE_LOGIN)
		(void)failure_prefix(why, INTERCEPTED "the token was used before, or has expired");
}

static void
look_up(struct unwrapping *unwrapping)
{
	const struct secret *token = &unwrapping->credentials->token;
	json_t *json = json_pack("{s:s%}", "token", token->bytes, token->size);
	struct failure *why = &unwrapping->got.why;
	struct secret body = { 0 };
	const struct vault_ask ask = {
		.method = "POST", .namespace = unwrapping->settings->auth_namespace,
		.path = "sys/wrapping/lookup", .body = &body,
	};

	fields_dump(json, JSON_COMPACT, &body);
	json_decref(json);
	(void)failover_ask(unwrapping->failover, &ask, 1, NULL, take_lookup, unwrapping, why);
	secret_clear(&body);
}

/* --- The secret-id --- */

static void
take_data(const json_t *data, struct unwrapped *got)
{
	const char *secret_id = json_string_value(json_object_get(data, "secret_id"));
	const json_int_t lifetime = json_integer_value(json_object_get(data, "secret_id_ttl"));
	const json_int_t uses = json_integer_value(json_object_get(data, "secret_id_num_uses"));

	if (secret_id == NULL || !login_is_token(secret_id, strlen(secret_id))) {
		(void)failure_set(&got->why, FAILURE_LOGIN, "there is no secret-id in it, or one "
		    "that is not made of letters, digits and signs");
		return;
	}
	secret_set(&got->secret_id, secret_id, strlen(secret_id));
	if (lifetime > 0)
		got->expires = time(NULL) +
		    (time_t)(lifetime < LIFETIME_MOST ? lifetime : LIFETIME_MOST);
	got->uses = uses > 0 ? (uint64_t)uses : 0;
}

static void
take_unwrapped(void *context, size_t index, const struct vault_reply *reply)
{
	struct unwrapping *unwrapping = context;

	(void)index;
	if (reply->good) {
		take_data(json_object_get(reply->json, "data"), &unwrapping->got);
		return;
	}
	unwrapping->got.why = reply->why;
	if (reply->status == 400)
		(void)failure_prefix(&unwrapping->got.why, INTERCEPTED
		    "the token was good a moment ago, and was used by someone else");
}

/* Once: the token is spent before the answer is sent. */
static void
take_out(struct unwrapping *unwrapping)
{
	const struct vault_ask ask = {
		.method = "PUT", .namespace = unwrapping->settings->auth_namespace,
		.path = "sys/wrapping/unwrap", .once = true,
	};
	struct failure *why = &unwrapping->got.why;

	if (failover_ask(unwrapping->failover, &ask, 1, &unwrapping->credentials->token,
	    take_unwrapped, unwrapping, why) == -1)
		(void)failure_prefix(why, "no secret-id came, and the token is not tried again");
	if (why->kind != FAILURE_NONE)
		why->kind = FAILURE_LOGIN;
}

static void
unwrap(struct unwrapping *unwrapping)
{
	struct failure *why = &unwrapping->got.why;

	if (!is_of_namespace(unwrapping->credentials->token.bytes,
	    unwrapping->settings->auth_namespace)) {
		(void)failure_set(why, FAILURE_LOGIN, INTERCEPTED "the token is of another namespace, "
		    "and was not unwrapped");
		return;
	}
	look_up(unwrapping);
	if (why->kind == FAILURE_NONE)
		take_out(unwrapping);
}

void
unwrap_run(int socket, const struct manifest *manifest, const struct credentials *credentials)
{
	const long until = clock_milliseconds() + manifest->vault.deadline * 1000 + SEND_MILLISECONDS;
	struct unwrapping unwrapping = {
		.settings = &manifest->vault, .credentials = credentials,
	};
	struct channel parent;
	struct frame frame = { 0 };
	struct failure why;

	channel_open(&parent, socket);
	unwrapping.failover = failover_new(&manifest->vault, credentials, &why);
	if (unwrapping.failover == NULL)
		_exit(EXIT_BROKEN);
	unwrap(&unwrapping);
	wire_put_unwrapped(&frame, &unwrapping.got);
	if (channel_send(&parent, &frame, until, &why) == -1 ||
	    channel_flush(&parent, until, &why) == -1)
		_exit(EXIT_BROKEN);
	_exit(EXIT_WANTED);
}
