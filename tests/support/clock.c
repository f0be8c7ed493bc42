/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into certlet: a clock that is wrong by as many seconds as the file named by CERTLET_CLOCK says, at any moment.
 * Its children have the file through the memory they inherit. The monotonic clock is left alone, as a real step leaves it.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *wrong_by;

__attribute__((constructor)) static void
begin(void)
{
	const char *name = getenv("CERTLET_CLOCK");
	const int file = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	void *memory = mmap(NULL, sizeof(*wrong_by), PROT_READ, MAP_SHARED, file, 0);

	if (memory == MAP_FAILED)
		abort();
	wrong_by = memory;
	(void)close(file);
}

int
clock_gettime(clockid_t clock, struct timespec *out_time)
{
	const int result = (int)syscall(SYS_clock_gettime, clock, out_time);

	if (result == 0 && wrong_by != NULL && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		out_time->tv_sec += *wrong_by;
	return result;
}

time_t
time(time_t *out_time)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (out_time != NULL)
		*out_time = now.tv_sec;
	return now.tv_sec;
}

int
gettimeofday(struct timeval *restrict out_time, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*out_time = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}
