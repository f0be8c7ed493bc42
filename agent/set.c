/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "set.h"

#define FIRST_ROOM 16	/* a power of two, as all that follow */

/* FNV-1a */
static size_t
hash(const char *word)
{
	size_t value = 2166136261u;

	for (; *word != '\0'; word++)
		value = (value ^ (unsigned char)*word) * 16777619u;
	return value;
}

/* Where the word is, or the free place where it belongs: there always is one. */
static struct set_item *
find_place(const struct set *set, const char *word)
{
	size_t place = hash(word) & (set->room - 1);

	while (set->items[place].word != NULL && strcmp(set->items[place].word, word) != 0)
		place = (place + 1) & (set->room - 1);
	return &set->items[place];
}

static void
make_room(struct set *set)
{
	const struct set old = *set;

	if (2 * (set->count + 1) <= set->room)
		return;
	set->room = old.room != 0 ? 2 * old.room : FIRST_ROOM;
	set->items = memory_new(set->room, sizeof(*set->items));
	for (size_t i = 0; i < old.room; i++)
		if (old.items[i].word != NULL)
			*find_place(set, old.items[i].word) = old.items[i];
	free(old.items);
}

const struct set_item *
set_add(struct set *set, const char *word, size_t number, bool *out_is_new)
{
	struct set_item *item;
	bool is_new;

	make_room(set);
	item = find_place(set, word);
	if ((is_new = item->word == NULL)) {
		*item = (struct set_item){ word, number };
		set->count++;
	}
	if (out_is_new != NULL)
		*out_is_new = is_new;
	return item;
}

const struct set_item *
set_find(const struct set *set, const char *word)
{
	const struct set_item *item;

	if (set->count == 0)
		return NULL;
	item = find_place(set, word);
	return item->word != NULL ? item : NULL;
}

void
set_clear(struct set *set)
{
	free(set->items);
	*set = (struct set){ 0 };
}
