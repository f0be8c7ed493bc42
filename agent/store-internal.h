/* SPDX-License-Identifier: ISC */
/*
 * store-internal: what the files of the store share.
 *
 *	store.c		opening, owners, the switch and the repair
 *	generation.c	DIR/archive/NAME/N: writes, reads and checks one
 *	outputs.c	files and links outside DIR
 *	adopt.c		what others had in their place
 *	inspect.c	what lies on the disk
 *	remove.c	what goes
 */
#ifndef CERTLET_STORE_INTERNAL_H
#define CERTLET_STORE_INTERNAL_H

#include "store.h"

#define ORIGIN_NAME "origin"

struct store {
	char *directory;
	int root, live, archive;	/* DIR, and what is in it; -1: there is none */
	bool written;		/* an `origin` */
};

/* --- generation.c --- */

enum live_link {
	LIVE_OWN,	/* to a generation of its own archive, there or not */
	LIVE_ABSENT,
	LIVE_ELSEWHERE,	/* a link, to something else */
	LIVE_NO_LINK,	/* or one that cannot be read */
};

/* *out_number is 0 but for LIVE_OWN; `why` is filled for LIVE_NO_LINK. */
enum live_link generation_read_live(const struct store *store, const char *name,
    unsigned int *out_number, struct failure *why);

/* The number in the name of a directory or at the end of a link; 0: it is none. */
unsigned int generation_number(const char *text);
/* Opens DIR/archive/NAME. */
enum found generation_open_home(const struct store *store, const char *name, int *out_home,
    struct failure *why);
/* The same, and the generation in it. 0 is no generation. */
enum found generation_open_of(const struct store *store, const char *name, unsigned int number,
    int *out_directory, struct failure *why);

struct check {
	bool drifted;	/* an owner or mode is not as the keeper says */
	bool unread;	/* an error kept it from being looked at: what is there may be whole */
};

/*
 * Whether the generation is whole: its origin is readable, and each file that the keeper wants
 * holds what it was written with. *out_origin starts as {0} and is filled if readable. `home`
 * may be -1: there is none; out_check may be NULL.
 */
bool generation_check(int home, unsigned int number, const struct keeper *keeper,
    struct origin *out_origin, struct check *out_check);
/* ABSENT: it has none that certlet wrote; `why` is filled for FAILED only. */
enum found generation_read_origin(int home, unsigned int number, struct origin *out_origin,
    struct failure *why);
struct ownership generation_ownership(const struct keeper *keeper, enum part part);
/* Sets owners and modes right, in place. */
int generation_repair(int home, unsigned int number, const struct keeper *keeper,
    struct failure *why);
/* The bytes of one file, if they are those it was written with. */
int generation_read_part(int home, unsigned int number, const struct origin *origin, enum part part,
    struct secret *out_bytes, struct failure *why);
/* Removes the directory with the files that certlet knows; what else is in it is named and left. */
int generation_remove(int home, unsigned int number, struct failure *why);

/* --- outputs.c --- */

enum standing {
	STANDS_RIGHT,
	STANDS_MISSING,
	STANDS_UNKNOWN,	/* right, but the state does not know that it is ours */
	STANDS_DRIFTED,	/* right but for its owner or mode */
	STANDS_ADOPTABLE,	/* a file of others, which is to be kept before it is replaced */
	STANDS_BENT,	/* ours or handed over (rule 14), but not what is wanted */
};

struct place {		/* where one output is, or is to be */
	enum part part;
	const char *path, *name;	/* borrowed; name is the end of the path */
	int directory;
	enum standing standing;
	bool leftover;		/* of a killed run, beside it */
	bool prepared;		/* its new content lies beside it */
};

struct outputs {
	const struct store *store;
	const struct entry *entry;
	const struct keeper *keeper;
	struct place places[PART_COUNT];	/* keys first */
	size_t count;
};

/*
 * Looks at the places of all outputs of an entry, against a generation (origin NULL: none, then
 * nothing is right). -1: a directory is missing or not safe, or something of others stands there.
 * outputs_close() is due in either case.
 */
int outputs_open(struct outputs *outputs, struct store *store, const struct entry *entry,
    const struct keeper *keeper, const struct state *state, const struct owned *owned,
    const struct origin *origin, struct failure *why);
void outputs_close(struct outputs *outputs);	/* what is only prepared is taken away */
/* Adds to drifted, behind and unrecorded. */
void outputs_judge(const struct outputs *outputs, struct disk *disk);

/* Writes beside each place that needs it what the generation holds; nothing is replaced yet. */
int outputs_prepare(struct outputs *outputs, int home, unsigned int number,
    const struct origin *origin, struct failure *why);
/* Puts it in place, makes links, and notes all in `owned`. */
int outputs_commit(struct outputs *outputs, struct owned *owned, struct failure *why);
enum maker {
	MAKER_NONE,	/* nothing stands there */
	MAKER_SELF, MAKER_ANOTHER, MAKER_FOREIGN,
	MAKER_UNKNOWN,	/* it could not be read */
};

/* Who made what stands at an output that `owned` has a record of. */
enum maker outputs_find_maker(const struct store *store, const struct state *state,
    const struct owned *owned, const struct output *output, int directory, const char *name);
/* The record that another certificate has of this path (rule 14), NULL: none. */
const struct output *outputs_find_other(const struct state *state, const char *name,
    const char *path, const struct owned **out_other);
/* What an output link says. Caller frees. */
char *outputs_link_target(const struct store *store, const char *name, enum part part);

/* --- remove.c --- */

/* Takes all outputs of `owned` away, or gives them back to the certificate that had them before. */
int store_withdraw_outputs(struct store *store, const struct state *state, struct owned *owned,
    struct failure *why);

#endif
