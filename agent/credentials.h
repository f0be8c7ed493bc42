/* SPDX-License-Identifier: ISC */
/*
 * credentials: the bytes the fetch process needs, read by the parent before it forks: the child
 * opens no file of /etc/certlet.
 */
#ifndef CERTLET_CREDENTIALS_H
#define CERTLET_CREDENTIALS_H

#include <time.h>

#include "failure.h"
#include "manifest.h"
#include "secret.h"

enum credentials_state {
	CREDENTIALS_UNKNOWN, CREDENTIALS_OK, CREDENTIALS_MISSING, CREDENTIALS_EXPIRING,
	CREDENTIALS_REFUSED
};

struct credentials {
	struct secret ca;		/* PEM; empty: the system's roots */
	struct secret role_id, secret_id;	/* auth = approle */
	struct secret client_cert, client_key;	/* auth = cert */
	struct secret token;		/* auth = token */
	/* A batch token of an earlier run that is still good for a minute, from run_directory/token;
	 * taken only if it was got at these addresses, namespace and method, with this identity. */
	struct secret cached_token;
	/* credentials missing or empty: kind is FAILURE_LOGIN, and no request can be made */
	struct failure missing;
};

/*
 * Trailing white space is removed. -1 with FAILURE_SETUP where the set-up is wrong and nothing may
 * be touched: ca_file unreadable, a secret-id or token readable by group or others, a client key
 * readable by others. A file that is missing or empty is no failure here but is told in `missing`.
 */
int credentials_read(const struct manifest *manifest, struct credentials *out_credentials,
    struct failure *why);
/*
 * For the process that unwraps: ca and, in `token`, the wrapping token; empty when there is none, no
 * file or no use for it, and then `missing` tells if it could not be read. -1 as above.
 */
int credentials_read_wrapping(const struct vault_settings *vault,
    struct credentials *out_credentials, struct failure *why);
/* NULL is none. -1 as above, also where it holds no certificate. */
int credentials_read_ca(const char *path, struct secret *ca, struct failure *why);
void credentials_clear(struct credentials *credentials);

/* Keeps a batch token for the next run (0600, durable not needed); forgets it. */
int credentials_keep_token(const struct manifest *manifest, const struct credentials *credentials,
    const struct secret *token, time_t expires, struct failure *why);
int credentials_forget_token(const char *run_directory, struct failure *why);

#endif
