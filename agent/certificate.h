/* SPDX-License-Identifier: ISC */
/*
 * certificate: what one X.509 certificate says, as text and numbers for people and for checks.
 * Pure: no I/O, no clock. What cannot be said is a failure of kind FAILURE_REFUSED.
 */
#ifndef CERTLET_CERTIFICATE_H
#define CERTLET_CERTIFICATE_H

#include <stdbool.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "failure.h"
#include "leaf.h"
#include "memory.h"

/* The next one in PEM, whatever stands before it. NULL: there is none, or it cannot be read; the
 * error of OpenSSL's queue says which. Caller frees. */
X509 *certificate_read(BIO *pem);

/* One line in RFC 2253 order, without control characters, cut where it is too long for a message.
 * Caller frees. The subject is "serial …" where it is empty. */
char *certificate_subject(X509 *certificate);
char *certificate_issuer(X509 *certificate);
char *certificate_serial(X509 *certificate);	/* hex, lower case, two digits a byte */
enum key_type certificate_key_type(X509 *certificate);
int certificate_fingerprint(X509 *certificate, char fingerprint[FINGERPRINT_BYTES],
    struct failure *why);
int certificate_dates(X509 *certificate, time_t *out_not_before, time_t *out_not_after,
    struct failure *why);
int certificate_names(X509 *certificate, struct words *out_names, struct failure *why);

/* Whether the one names the other as its issuer, and whether the other's key signed it. */
bool certificate_names_issuer(X509 *certificate, X509 *issuer);
bool certificate_signed_by(X509 *certificate, X509 *issuer);

/* The reason of OpenSSL's last error; its queue is empty afterwards. */
const char *certificate_library_error(void);

#endif
