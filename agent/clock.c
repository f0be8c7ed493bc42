/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "clock.h"

long
clock_milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}
