/* SPDX-License-Identifier: ISC */
/* publish-lineage: certbot's directories, one for each certificate. */
#ifndef CERTLET_PUBLISH_LINEAGE_H
#define CERTLET_PUBLISH_LINEAGE_H

#include "failure.h"
#include "memory.h"

/* "/etc/letsencrypt/live/www.example.com/" is called www.example.com. Caller frees. */
char *lineage_name(const char *directory);

/* NAME of NAME-0001, which is certbot's name for another lineage where there was one of that name
 * already; NULL for any other. Caller frees. */
char *lineage_duplicated(const char *name);

/* The names of all lineages below the directory, sorted. What is there beside them and certbot's
 * README is told as a warning. -1: FAILURE_SETUP. */
int lineage_list(const char *directory, struct words *out_names, struct failure *why);

#endif
