/* SPDX-License-Identifier: ISC */
/* status-words: status.json in the words of --status. Callers free all of these. */
#ifndef CERTLET_STATUS_WORDS_H
#define CERTLET_STATUS_WORDS_H

#include <stdbool.h>
#include <time.h>

#include "status-read.h"

/* "2026-11-23 19:00, in 3 h"; `brief` leaves the hour out where days are counted. "-" for 0. */
char *status_words_time(time_t when, time_t now, bool brief);
/* What is installed, and what Vault has where that is another one: "7 (Vault: 8)". */
char *status_words_version(const struct seen_certificate *seen);
/* "refused since 2026-11-23 19:00: expected …, found …", and what happens next. */
char *status_words_problem(const struct seen_certificate *seen);
char *status_words_next_try(const struct seen_certificate *seen, time_t now);
/* The certificate of that fingerprint, which is what a person knows. */
char *status_words_serving(const struct seen_status *status, const char *fingerprint);
char *status_words_credentials(const struct seen_status *status, time_t now);
char *status_words_run(const struct seen_status *status, time_t now);
char *status_words_success(const struct seen_status *status, time_t now);
char *status_words_sandbox(const struct seen_status *status);

#endif
