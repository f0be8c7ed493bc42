/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

#include "arena.h"
#include "memory.h"

#define REGION_BYTES ((size_t)1024 * 1024)
#define BLOCK_BYTES_LEAST 64
#define CLASSES (sizeof(size_t) * CHAR_BIT)

/* At the beginning of what mmap() gave; blocks follow. */
struct region {
	struct region *next;
	size_t size, used;
};

struct free_block {
	struct free_block *next;
};

static struct region *regions;			/* blocks are cut off the first */
static struct free_block *free_blocks[CLASSES];	/* of 2^index bytes */

static void
lock(const struct region *region)
{
	/* Page by page as they are used: what is only set aside costs nothing. */
	(void)mlock2(region, region->size, MLOCK_ONFAULT);
}

static void
add_region(size_t least)
{
	const size_t size = sizeof(struct region) + least > REGION_BYTES ?
	    sizeof(struct region) + least : REGION_BYTES;
	struct region *region = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	region = memory_must(region != MAP_FAILED ? region : NULL);
	(void)madvise(region, size, MADV_DONTDUMP);
	*region = (struct region){ regions, size, BLOCK_BYTES_LEAST };
	lock(region);
	regions = region;
}

static unsigned int
find_class(size_t size)
{
	unsigned int class = 6;

	_Static_assert(BLOCK_BYTES_LEAST == 1 << 6, "the class of the smallest block");
	_Static_assert(sizeof(struct region) <= BLOCK_BYTES_LEAST, "what stands before the blocks");
	if (size > SIZE_MAX / 4)
		(void)memory_must(NULL);
	while ((size_t)1 << class < size)
		class++;
	return class;
}

void *
arena_take(size_t size, size_t *out_room)
{
	const unsigned int class = find_class(size);
	const size_t room = (size_t)1 << class;
	struct free_block *block = free_blocks[class];
	void *fresh;

	*out_room = room;
	if (block != NULL) {
		free_blocks[class] = block->next;
		block->next = NULL;
		return block;
	}
	/* What is left of the last region is given up: a run is short. */
	if (regions == NULL || regions->size - regions->used < room)
		add_region(room + BLOCK_BYTES_LEAST);
	fresh = (char *)regions + regions->used;
	regions->used += room;
	return fresh;
}

void
arena_give_back(void *block, size_t room)
{
	struct free_block *freed = block;
	const unsigned int class = find_class(room);

	if (block == NULL)
		return;
	OPENSSL_cleanse(block, room);
	freed->next = free_blocks[class];
	free_blocks[class] = freed;
}

void
arena_lock(void)
{
	for (const struct region *region = regions; region != NULL; region = region->next)
		lock(region);
}
