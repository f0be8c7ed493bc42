/* SPDX-License-Identifier: ISC */
/*
 * cover: finds out whether a service needs a certificate, by testing its configuration in a
 * private mount namespace in which the certificate's files are covered. Outside they never vanish
 * (rule 13).
 */
#ifndef CERTLET_COVER_H
#define CERTLET_COVER_H

#include "failure.h"
#include "manifest.h"
#include "memory.h"

enum cover_result {
	COVER_FREE,	/* its test passes without the files, or it has no test, or does not run */
	COVER_USED,	/* its test passes with them only, or fails also with them (it cannot be told) */
	COVER_UNKNOWN,	/* a private mount namespace is not permitted here */
};

/*
 * archive: absolute path of archive/NAME; copies: absolute paths of copied files. `why` is filled
 * (FAILURE_USED, it names the service) unless FREE.
 */
enum cover_result cover_test(const struct service *service, const char *archive,
    const struct words *copies, struct failure *why);

#endif
