/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "notes.h"

static struct note *
find(const struct notes *notes, const char *subject)
{
	for (size_t i = 0; i < notes->count; i++)
		if (strcmp(notes->items[i].subject, subject) == 0)
			return &notes->items[i];
	return NULL;
}

const struct note *
notes_find(const struct notes *notes, const char *subject, time_t now)
{
	const struct note *note = find(notes, subject);

	/* Until further off than a note is ever believed: the clock went back since. */
	return note != NULL && note->until > now && note->until <= now + NOTES_BELIEVED_SECONDS ?
	    note : NULL;
}

void
notes_set(struct notes *notes, const char *subject, uint32_t value, time_t until)
{
	struct note *note = find(notes, subject);

	if (note == NULL) {
		notes->items = memory_grow(notes->items, notes->count + 1, sizeof(*notes->items));
		note = &notes->items[notes->count++];
		note->subject = memory_text(subject);
	}
	note->value = value;
	note->until = until;
}

void
notes_drop_old(struct notes *notes, time_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < notes->count; i++) {
		if (notes->items[i].until > now)
			notes->items[kept++] = notes->items[i];
		else
			free(notes->items[i].subject);
	}
	notes->count = kept;
	if (kept > NOTES_MOST)
		notes_clear(notes);
}

void
notes_clear(struct notes *notes)
{
	for (size_t i = 0; i < notes->count; i++)
		free(notes->items[i].subject);
	free(notes->items);
	*notes = (struct notes){ 0 };
}
