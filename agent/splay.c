/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "log.h"
#include "memory.h"
#include "splay.h"
#include "times.h"

#define MACHINE_ID_FILE "/etc/machine-id"
#define MACHINE_ID_BYTES_MOST 256
/* Hashed with the identity: the machine-id itself is not to be told (machine-id(5)), and another
 * program that does the same should come to another time. */
#define APPLICATION "certlet --sync --splay "

char *
splay_identity(const char *machine_id_file)
{
	struct secret text = { 0 };
	char host[HOST_NAME_MAX + 1] = "", *identity = NULL;
	struct failure why;

	if (file_read_path(machine_id_file, MACHINE_ID_BYTES_MOST, &text, NULL, &why) == FOUND_FILE) {
		secret_trim(&text);
		/* "uninitialized" is what an image says that was not booted yet: all of them would. */
		if (text.size != 0 && strcmp(text.bytes, "uninitialized") != 0)
			identity = memory_text_n(text.bytes, text.size);
	}
	secret_clear(&text);
	if (identity == NULL) {
		(void)gethostname(host, sizeof(host) - 1);
		identity = memory_text(host);
	}
	return identity;
}

uint64_t
splay_milliseconds(const char *identity, long within_seconds)
{
	char *text = memory_format(APPLICATION "%s", identity), digest[DIGEST_BYTES];
	unsigned long long chance = 0;

	file_digest(text, strlen(text), digest);
	free(text);
	(void)sscanf(digest, "%16llx", &chance);
	/* 64 bits over a hundred years of milliseconds: no time is favoured that anybody could see. */
	return within_seconds == 0 ? 0 : chance % ((uint64_t)within_seconds * 1000);
}

void
splay_wait(long within_seconds, bool only_tell)
{
	char *identity = splay_identity(MACHINE_ID_FILE);
	const uint64_t pause = splay_milliseconds(identity, within_seconds);
	struct timespec left = { .tv_sec = (time_t)(pause / 1000),
	    .tv_nsec = (long)(pause % 1000) * 1000000 };
	char about[TIMES_TEXT_BYTES];

	free(identity);
	(void)times_about((long)left.tv_sec, about);
	if (only_tell) {
		log_notice("would wait %s first, as this host always does", about);
		return;
	}
	if (log_on_terminal())
		log_notice("waiting %s, as this host always does", about);
	else
		log_detail("waiting %s, as this host always does", about);
	/* By the clock that nobody sets, and on where a stopped program goes on. */
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
}
