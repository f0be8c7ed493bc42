/* SPDX-License-Identifier: ISC */
/*
 * origin: what a generation says of itself, in the file `origin` beside its PEM files, so that the
 * link alone says what is installed. JSON, 0644, no secret. Pure: text in, text out.
 */
#ifndef CERTLET_ORIGIN_H
#define CERTLET_ORIGIN_H

#include <time.h>

#include "bundle.h"
#include "failure.h"
#include "manifest.h"
#include "version.h"

#define DIGEST_BYTES 65	/* SHA-256, lower-case hex, and NUL */

struct origin {
	char *source;			/* entry->source when it was read */
	struct version version;
	struct leaf leaf;
	time_t installed;		/* when the generation was written */
	char digests[PART_COUNT][DIGEST_BYTES];	/* ""  : the generation has no such file */
};

char *origin_encode(const struct origin *origin);	/* caller frees */
/* *out_origin starts as {0}; caller clears. FAILURE_DISK when it is no origin of ours. */
int origin_decode(const char *text, size_t size, struct origin *out_origin, struct failure *why);
void origin_clear(struct origin *origin);
void origin_free(struct origin *origin);	/* NULL is allowed */

#endif
