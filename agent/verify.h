/* SPDX-License-Identifier: ISC */
/*
 * verify: asks a listening port which certificate it serves, in a child that knows no credential
 * and no key.
 */
#ifndef CERTLET_VERIFY_H
#define CERTLET_VERIFY_H

#include <stdbool.h>

#include "failure.h"
#include "leaf.h"
#include "manifest.h"
#include "sandbox.h"

/* With sni=NAME in the manifest, only certificates that cover that name are asked for. */
bool verify_applies(const struct service *service, const struct leaf *leaf);

/*
 * Asks once, with the SNI and the key type of `leaf`; the SNI is sni= of the manifest, or the
 * first DNS name without a wildcard, or "www.x" where there is only "*.x"; none where the leaf
 * holds nothing but addresses. false: no answer (`why` says what came instead).
 */
bool verify_ask(const struct sandbox *sandbox, const struct service *service,
    const struct leaf *leaf, char out_fingerprint[FINGERPRINT_BYTES], struct failure *why);

enum verify_result { VERIFY_NEW, VERIFY_OLD, VERIFY_OTHER, VERIFY_SILENT };

/*
 * Polls until `wanted` is served or the service's timeout is over, and then goes by the last
 * answer; old_fingerprint "" is none. All but NEW fill `why`, all but SILENT out_fingerprint.
 */
enum verify_result verify_wait(const struct sandbox *sandbox, const struct service *service,
    const struct leaf *wanted, const char *old_fingerprint,
    char out_fingerprint[FINGERPRINT_BYTES], struct failure *why);

#endif
