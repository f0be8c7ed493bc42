/* SPDX-License-Identifier: ISC */
/*
 * publish-source: reads what is to be published from its files, and judges it as certlet will judge
 * it before it installs it (DESIGN section 5).
 */
#ifndef CERTLET_PUBLISH_SOURCE_H
#define CERTLET_PUBLISH_SOURCE_H

#include <stdbool.h>
#include <time.h>

#include "bundle.h"
#include "failure.h"
#include "publish-notes.h"

/* Either cert_file and key_file, or pkcs12_file, or directory. What is not given is NULL. */
struct publish_source {
	const char *directory;		/* cert.pem, privkey.pem and, if it is there, chain.pem */
	const char *cert_file, *key_file, *chain_file;
	const char *pkcs12_file, *password_file;
};

/* Whether a NAME says which names the certificate has to have: one that is no host name does
 * not. */
bool publish_source_knows_names(const char *name);

/* NAME decides which names the certificate has to have. Both start as {0}; caller clears. A file
 * that cannot be read is FAILURE_SETUP. */
int publish_source_read(const struct publish_source *source, const char *name, time_t now,
    struct material *out_material, struct edition *out_edition, struct failure *why);

#endif
