/* SPDX-License-Identifier: ISC */
/*
 * adopt: takes over a file of others that stands at the path of an output (adopt = yes). It is kept
 * in state_directory/adopted/, 0600, on record and durable before it is replaced, until --purge.
 *
 * Never adopted is what is no regular file, has more than one link, is larger than the store reads,
 * or belongs to anybody but root and the owner of the certificate.
 */
#ifndef CERTLET_ADOPT_H
#define CERTLET_ADOPT_H

#include <sys/stat.h>

#include "failure.h"
#include "state.h"

struct outputs;
struct place;

/* Whether the file that stands at this place may be taken over; -1: in words. `digest` is "" where
 * it could not be read. */
int adopt_judge(const struct outputs *outputs, const struct place *place, const struct stat *status,
    const char *digest, struct failure *why);
/* Keeps what stands at the places that are STANDS_ADOPTABLE; writes the state. */
int adopt_keep(const struct outputs *outputs, struct state *state, struct failure *why);

/*
 * --purge: what was kept goes, or with `put_back` to where it stood, with its owner, group and mode;
 * of several that stood at one path, the last one. Nothing is put over anything else. What an output
 * of a certificate that stays still stands for waits. The caller writes the state. False: something
 * that was to go back could not, which was told, and is still kept.
 */
bool adopt_return(struct state *state, bool put_back);

#endif
