/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into certlet: counts its allocations and makes some of them fail, as told by the file
 * that CERTLET_ALLOCATIONS names. Its children share that file through the memory they inherit.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FRAMES 24
#define PLACES 65536

struct series {		/* tests/support/allocations.py knows this layout */
	uint64_t count;		/* of allocations so far */
	uint64_t fail;		/* the number of the one that fails; 0: none */
	uint64_t failed;	/* how many did */
	uint64_t naming;	/* how many of those while a user or a group was looked up */
	uint64_t places[PLACES];	/* by number: what the calls that led there hash to */
};

/* By whose code asks: a library's, certlet's; by process: the one that was started, its children. */
static struct series (*all)[2];

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);

static uintptr_t text_start, text_end;
static pid_t started;
static __thread bool busy;

static int
find_text(struct dl_phdr_info *program, size_t size, void *context)
{
	(void)size;
	(void)context;
	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &program->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0) {
			text_start = program->dlpi_addr + part->p_vaddr;
			text_end = text_start + part->p_memsz;
		}
	}
	return 1;	/* the first one is the program itself */
}

static bool
is_own(const void *address)
{
	return (uintptr_t)address >= text_start && (uintptr_t)address < text_end;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *name = getenv("CERTLET_ALLOCATIONS");
	const int file = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;
	void *frames[1], *shared;

	if (file == -1)
		return;
	(void)backtrace(frames, 1);	/* loads what it needs, while nothing is counted */
	(void)dl_iterate_phdr(find_text, NULL);
	started = getpid();
	shared = mmap(NULL, 4 * sizeof(struct series), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	(void)close(file);
	if (shared == MAP_FAILED)
		abort();
	all = shared;
}

static uint64_t
hash_calls(void)
{
	void *frames[FRAMES];
	const int count = backtrace(frames, FRAMES);
	uint64_t hash = 14695981039346656037U;

	for (int i = 0; i < count; i++)
		if (is_own(frames[i]))
			hash = (hash ^ ((uintptr_t)frames[i] - text_start)) * 1099511628211U;
	return hash;
}

static bool
looks_up_a_name(void)
{
	void *frames[FRAMES];
	const int count = backtrace(frames, FRAMES);
	Dl_info found;

	for (int i = 0; i < count; i++)
		if (dladdr(frames[i], &found) != 0 && found.dli_sname != NULL &&
		    (strcmp(found.dli_sname, "getpwnam") == 0 ||
		    strcmp(found.dli_sname, "getgrnam") == 0))
			return true;
	return false;
}

static bool
fails(const void *caller)
{
	struct series *series;
	uint64_t number;

	if (all == NULL || busy)
		return false;
	series = &all[is_own(caller)][getpid() != started];
	number = __atomic_add_fetch(&series->count, 1, __ATOMIC_SEQ_CST);
	if (series->fail == 0 && number < PLACES && is_own(caller)) {
		busy = true;
		series->places[number] = hash_calls();
		busy = false;
	}
	if (number != series->fail)
		return false;
	busy = true;
	series->naming += looks_up_a_name();
	busy = false;
	series->failed++;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *block, size_t size)
{
	return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(block, size);
}
