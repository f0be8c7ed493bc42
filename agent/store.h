/* SPDX-License-Identifier: ISC */
/*
 * store: keeps generations of certificates and moves the links to them (DESIGN sections 2 and 3).
 *
 *	DIR/archive/NAME/N/{cert,chain,fullchain,privkey[,combined]}.pem, origin
 *	DIR/live/NAME -> ../archive/NAME/N
 *
 * Never replaces or removes what certlet did not make: a link that points elsewhere, a file that
 * is not the copy that was made, a directory with files of others is named and left.
 */
#ifndef CERTLET_STORE_H
#define CERTLET_STORE_H

#include <stdbool.h>

#include "bundle.h"
#include "failure.h"
#include "file.h"
#include "manifest.h"
#include "origin.h"
#include "state.h"

struct store;	/* open descriptors of DIR, live and archive */

/* `create`: make missing directories (0755). Without it a missing one is an empty one (dry run). */
int store_open(const char *directory, bool create, struct store **out_store, struct failure *why);
void store_close(struct store *store);	/* NULL is allowed */

/* Who owns the files of an entry, looked up: an unknown user or group fails that entry only. */
struct keeper {
	uid_t owner;
	gid_t group;
	mode_t modes[PART_COUNT];
	bool parts[PART_COUNT];		/* the files a generation of this entry has */
};
int store_find_keeper(const struct entry *entry, struct keeper *out_keeper, struct failure *why);

/* What lies on the disk for one certificate; made by store_inspect(), read by plan. */
struct disk {
	unsigned int live;	/* the generation of its own that live/NAME points to; 0: none */
	bool link_lost;		/* gone though there is a settled one, or leads to nothing whole */
	/* live/NAME is no link, or an output path is taken or its directory not safe, in words; NULL
	 * if all is well. */
	char *foreign;
	/* Of `live`, or if the link is lost of the settled generation: the origin (source NULL:
	 * unreadable), and whether each wanted file is there with what it was written with. */
	bool sound;
	bool unread;		/* not sound, for all that is known: an error kept it from being looked at */
	struct origin origin;
	bool drifted;		/* owner, mode, link or outputs need store_repair() */
	bool behind;		/* so do copies: they do not hold what the sound live generation does */
	bool unrecorded;	/* an output is right, and only the state has to learn of it */
	struct words adoptable;	/* paths of outputs where files of others stand, which would be kept */
	/* Of the generations that wait, as `owned` says; NULL: there is none, or it is not sound. */
	struct origin *candidate, *intent;
};

/* owned NULL: never installed (a live link with a readable origin is still ours). Reads only. */
void store_inspect(struct store *store, const struct entry *entry, const struct keeper *keeper,
    const struct state *state, const struct owned *owned, struct disk *out_disk);
void disk_clear(struct disk *disk);

/* What the link of a certificate shows, of one that the manifest does not list too. */
bool store_read_installed(const struct store *store, const struct owned *owned,
    struct origin *out_origin);

/* The parts as they are installed: fullchain and combined composed. *out_parts start as {0}. */
void store_compose(const struct material *material, const struct keeper *keeper,
    struct secret out_parts[PART_COUNT]);

/*
 * Writes a whole new generation, durable when it returns; nothing points to it yet. Its number is
 * above all that lie there and all that `owned` (NULL: never installed) speaks of. The digests and
 * `installed` of the origin are filled in.
 */
int store_write(struct store *store, const struct entry *entry, const struct keeper *keeper,
    const struct owned *owned, const struct secret parts[PART_COUNT], struct origin *origin,
    unsigned int *out_generation, struct failure *why);
/* The same content came as another version: only `origin` of the generation is written anew. */
int store_rewrite_origin(struct store *store, const char *name, unsigned int generation,
    const struct origin *origin, struct failure *why);

/*
 * Points live/NAME to `generation` by one rename; 0 takes the link away, and the outputs with it
 * (what was another certificate's, rule 14, is given back to it). Copies follow, key first, having
 * been written beside their places before the link moved; output links are made where missing;
 * owned->outputs is brought up to date (in memory). A file of others that is to be adopted is kept
 * first, which writes the state. A generation that is not sound is refused.
 * -1: the link has moved only if the last renames failed; switching back is always right.
 */
int store_switch(struct store *store, const struct entry *entry, const struct keeper *keeper,
    struct state *state, struct owned *owned, unsigned int generation, struct failure *why);

/*
 * Sets owner, mode, link and outputs right, without touching what is right. Copies that do not hold
 * what the live generation holds are made anew (the roll-forward of a killed run too); outputs that
 * the state does not know are noted. `disk` is as store_inspect() just found it.
 */
int store_repair(struct store *store, const struct entry *entry, const struct keeper *keeper,
    struct state *state, struct owned *owned, const struct disk *disk, struct failure *why);

/*
 * Removes outputs of `owned` that its entry (NULL: not wanted any more) does not name now, and that
 * no other certificate took over. The caller holds this back while plan_heir() has not got its
 * output. What others put there since is named once (-1), left, and forgotten.
 */
int store_drop_outputs(struct store *store, const struct entry *entry, const struct state *state,
    struct owned *owned, struct failure *why);
/* Removes all generations but the kept ones (0s are ignored), and half-written ones. */
int store_prune(struct store *store, const char *name, const unsigned int keep[], size_t keep_count,
    struct failure *why);
/* Takes everything of one certificate away: outputs, link, generations, its directory. */
int store_remove(struct store *store, const struct state *state, struct owned *owned,
    struct failure *why);
/* After --purge: live/ and archive/; what holds something of others is left, with a warning, as DIR
 * itself is. */
int store_remove_directories(struct store *store, struct failure *why);

/* Absolute paths that deleting this certificate would make vanish: archive/NAME and its copies. */
void store_paths(const struct store *store, const struct owned *owned, char **out_archive,
    struct words *out_copies);

#endif
