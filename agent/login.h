/* SPDX-License-Identifier: ISC */
/* login: turns credentials into a token. Never repeated once it was refused. */
#ifndef CERTLET_LOGIN_H
#define CERTLET_LOGIN_H

#include <stdbool.h>
#include <time.h>

#include "failover.h"
#include "secret.h"

struct login {
	struct secret token;
	bool batch;		/* cannot be revoked, costs the server nothing */
	time_t expires;		/* 0: never */
	bool refused;		/* the server judged the credentials, and would not have them */
};

#define LOGIN_TOKEN_BYTES_MOST 8192	/* a batch token has its policies in it */

bool login_is_token(const char *bytes, size_t size);

/* *out_login starts as {0}; caller clears. FAILURE_LOGIN, or FAILURE_VAULT: nothing answered. */
int login_run(struct failover *failover, const struct vault_settings *settings,
    const struct credentials *credentials, struct login *out_login, struct failure *why);
void login_clear(struct login *login);

#endif
