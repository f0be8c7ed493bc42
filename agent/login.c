/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "login.h"
#include "memory.h"

#define LIFETIME_MOST (366L * 86400)	/* longer than any server's; the number is not ours */

/* What take_reply() needs. */
struct attempt {
	struct login *login;
	struct failure why;	/* kind FAILURE_NONE: it worked */
};

/* The JSON of the request goes straight to memory that is wiped. */
static int
make_body(const struct vault_settings *settings, const struct credentials *credentials,
    struct secret *body, struct failure *why)
{
	json_t *json;

	if (settings->auth == AUTH_APPROLE)
		json = json_pack("{s:s%, s:s%}",
		    "role_id", credentials->role_id.bytes, credentials->role_id.size,
		    "secret_id", credentials->secret_id.bytes, credentials->secret_id.size);
	else if (settings->cert_role != NULL)
		json = json_pack("{s:s}", "name", settings->cert_role);
	else
		json = json_object();
	if (json == NULL)
		return failure_set(why, FAILURE_LOGIN, "the role-id or the secret-id is no text");
	fields_dump(json, JSON_COMPACT, body);
	json_decref(json);
	return 0;
}

bool
login_is_token(const char *bytes, size_t size)
{
	return size != 0 && size <= LOGIN_TOKEN_BYTES_MOST && secret_is_visible(bytes, size);
}

static void
take_auth(const json_t *auth, struct attempt *attempt)
{
	const char *token = json_string_value(json_object_get(auth, "client_token"));
	const char *type = json_string_value(json_object_get(auth, "token_type"));
	const json_int_t lifetime = json_integer_value(json_object_get(auth, "lease_duration"));

	if (token == NULL || !login_is_token(token, strlen(token))) {
		(void)failure_set(&attempt->why, FAILURE_LOGIN, "%s",
		    json_is_object(json_object_get(auth, "mfa_requirement")) ?
		    "a second factor (MFA) is asked for, which a server cannot give" :
		    "the answer holds no token");
		return;
	}
	secret_set(&attempt->login->token, token, strlen(token));
	attempt->login->batch = type != NULL && strcmp(type, "batch") == 0;
	if (lifetime > 0)
		attempt->login->expires = time(NULL) +
		    (time_t)(lifetime < LIFETIME_MOST ? lifetime : LIFETIME_MOST);
}

static void
take_reply(void *context, size_t index, const struct vault_reply *reply)
{
	struct attempt *attempt = context;

	(void)index;
	if (reply->good) {
		take_auth(json_object_get(reply->json, "auth"), attempt);
		return;
	}
	attempt->login->refused = reply->status == 400 || reply->status == 403;
	attempt->why = reply->why;
	attempt->why.kind = FAILURE_LOGIN;
}

int
login_run(struct failover *failover, const struct vault_settings *settings,
    const struct credentials *credentials, struct login *out_login, struct failure *why)
{
	struct attempt attempt = { .login = out_login };
	char *path = memory_format("auth/%s/login", settings->auth_mount);
	struct secret body = { 0 };
	const struct vault_ask ask = {
		.method = "POST", .namespace = settings->auth_namespace,
		.path = path, .body = &body,
		/* A secret-id may be good for one use, which a lost answer has spent. */
		.once = true,
	};
	int result = -1;

	if (make_body(settings, credentials, &body, why) == -1 ||
	    failover_ask(failover, &ask, 1, NULL, take_reply, &attempt, why) == -1)
		goto out;
	if (attempt.why.kind != FAILURE_NONE) {
		*why = attempt.why;
		goto out;
	}
	result = 0;
out:
	if (result == -1)
		(void)failure_prefix(why, "no login");
	secret_clear(&body);
	free(path);
	return result;
}

void
login_clear(struct login *login)
{
	secret_clear(&login->token);
	*login = (struct login){ 0 };
}
