/* SPDX-License-Identifier: ISC */
/*
 * memory: allocations that cannot fail, and the lists of words made of them.
 *
 * Running out of memory ends the program with exit code 5. That is safe at any place: what is
 * installed changes only by rename, and what is owed was written down before (DESIGN section 2).
 * Sizes that come from outside are capped before they get here.
 */
#ifndef CERTLET_MEMORY_H
#define CERTLET_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

void *memory_must(void *block);	/* NULL: there was none, and the program ends */
void *memory_new(size_t count, size_t size);	/* zeroed; caller frees */
void *memory_grow(void *block, size_t count, size_t size);	/* as reallocarray; not zeroed */
/* As malloc and realloc are, for libraries to use in their place. */
void *memory_take(size_t size);
void *memory_retake(void *block, size_t size);
char *memory_text(const char *text);		/* a copy; NULL stays NULL; caller frees */
void memory_replace(char **text, const char *by);	/* by a copy; what was there is freed */
void memory_put(char **text, char *take_by);	/* the same, but no copy */
char *memory_text_n(const char *bytes, size_t size);
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* To the end of a text, which moves. What is appended may be made of it. */
void memory_append(char **text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A list of words; items[count] is NULL, so that items can be an argv. {0} is the empty list,
 * whose items are NULL. */
struct words {
	char **items;
	size_t count;
};

void words_add(struct words *words, const char *word);	/* copies */
/* Adds what stands between the blanks. */
void words_split(struct words *words, const char *text, const char *blanks);
void words_copy(struct words *words, const struct words *from);	/* *words is overwritten */
bool words_contain(const struct words *words, const char *word);
/* "a, b and 7 more" where there are more than `most`; `none` where there is none. Caller frees. */
char *words_join(const struct words *words, const char *between, size_t most, const char *none);
void words_clear(struct words *words);

#endif
