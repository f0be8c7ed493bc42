/* SPDX-License-Identifier: ISC */
/*
 * arena: the memory that secrets live in: never swapped (mlock(2), as far as the limit of the user
 * allows), in no core dump (MADV_DONTDUMP), and wiped when given back. For secret.c and buffers
 * through which secrets pass.
 */
#ifndef CERTLET_ARENA_H
#define CERTLET_ARENA_H

#include <stddef.h>

/* Zeroed, `size` bytes or more: *out_room. Running out of memory ends the program, as in memory.h. */
void *arena_take(size_t size, size_t *out_room);
/* With the room that it came with. NULL is allowed. */
void arena_give_back(void *block, size_t room);

/* After a fork: locks are not inherited. What is taken later locks itself. */
void arena_lock(void);

#endif
