/* SPDX-License-Identifier: ISC */
/* clock: the clock that nobody sets, for deadlines. */
#ifndef CERTLET_CLOCK_H
#define CERTLET_CLOCK_H

long clock_milliseconds(void);

#endif
