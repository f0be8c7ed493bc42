/* SPDX-License-Identifier: ISC */
/* set: words, none of them twice, each with the number under which it came in first. */
#ifndef CERTLET_SET_H
#define CERTLET_SET_H

#include <stdbool.h>
#include <stddef.h>

struct set {	/* {0} is the empty set */
	struct set_item {
		const char *word;	/* borrowed; must live as long as the set */
		size_t number;
	} *items;
	size_t count, room;
};

/* The item of that word: the one that was there before, else a new one of this number. Valid until
 * the next addition. *out_is_new may be NULL. */
const struct set_item *set_add(struct set *set, const char *word, size_t number, bool *out_is_new);
/* NULL: not there. */
const struct set_item *set_find(const struct set *set, const char *word);
void set_clear(struct set *set);

#endif
