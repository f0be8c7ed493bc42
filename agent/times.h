/* SPDX-License-Identifier: ISC */
/* times: points of time and durations as text. Times are seconds since 1970, UTC. */
#ifndef CERTLET_TIMES_H
#define CERTLET_TIMES_H

#include <stdbool.h>
#include <time.h>

#define TIMES_TEXT_BYTES 40

/* "2026-11-23T18:00:00Z" (RFC 3339). The empty string for 0, which is no time, and for one that is
 * not in the years 0 to 9999. */
const char *times_rfc3339(time_t when, char text[TIMES_TEXT_BYTES]);
/* "2026-11-23 19:00" in local time, for people; "-" for 0. */
const char *times_local(time_t when, char text[TIMES_TEXT_BYTES]);
/* RFC 3339 with an optional fraction of a second and any offset. Fraction digits go to
 * *out_nanoseconds when that is not NULL. */
bool times_parse_rfc3339(const char *text, time_t *out_when, long *out_nanoseconds);
/* "30s", "10m", "12h", "25d" → seconds; false for anything else, and beyond 100 years. */
bool times_parse_duration(const char *text, long *out_seconds);
/* "in 89 days", "3 h", "12 min": the two digits a person needs; for seconds >= 0. */
const char *times_about(long seconds, char text[TIMES_TEXT_BYTES]);

#endif
