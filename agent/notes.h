/* SPDX-License-Identifier: ISC */
/*
 * notes: what one run learned about Vault and the next ones need not ask again, each with the time
 * until which it is believed.
 *
 *	kv-version MOUNT	value 1 or 2
 *	list DIRECTORY		value 0: LIST detailed-metadata is refused or of no use there
 *	metadata SOURCE		value 0: the policy gives no metadata, the data is read
 */
#ifndef CERTLET_NOTES_H
#define CERTLET_NOTES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NOTES_BELIEVED_SECONDS 86400
#define NOTES_MOST 10000

struct note {
	char *subject;
	uint32_t value;
	time_t until;
};

struct notes {
	struct note *items;
	size_t count;
};

/* NULL when there is none that is believed at `now`. */
const struct note *notes_find(const struct notes *notes, const char *subject, time_t now);
void notes_set(struct notes *notes, const char *subject, uint32_t value, time_t until);
/* All of them where there are more than NOTES_MOST: a child that lies must not fill the state. */
void notes_drop_old(struct notes *notes, time_t now);
void notes_clear(struct notes *notes);

#endif
