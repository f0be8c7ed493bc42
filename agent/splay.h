/* SPDX-License-Identifier: ISC */
/*
 * splay: a pause that is this host's own, so that a fleet whose cron jobs start in the same second
 * does not come to Vault in that second. The same host always waits the same time.
 */
#ifndef CERTLET_SPLAY_H
#define CERTLET_SPLAY_H

#include <stdbool.h>
#include <stdint.h>

/* What tells this host from others: its machine-id, or where there is none its name. Caller frees. */
char *splay_identity(const char *machine_id_file);
/* The same for the same identity, spread evenly over [0, within), to the millisecond. */
uint64_t splay_milliseconds(const char *identity, long within_seconds);

/*
 * Waits; with `only_tell` it only says how long that would be. No signal is caught, none held back:
 * one that ends programs ends this one, which holds nothing yet.
 */
void splay_wait(long within_seconds, bool only_tell);

#endif
