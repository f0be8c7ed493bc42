/* SPDX-License-Identifier: ISC */
/*
 * state: what certlet itself installed and what it owes, in state_directory/state.json (0600).
 *
 * Only ever written whole: new file, fsync, rename, fsync of the directory. What the live link
 * points to is said by the link and by `origin`, not here; here is what the disk cannot say.
 */
#ifndef CERTLET_STATE_H
#define CERTLET_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "failure.h"
#include "manifest.h"
#include "memory.h"
#include "notes.h"
#include "origin.h"
#include "version.h"

enum problem {		/* status.json, `problem` */
	PROBLEM_NONE, PROBLEM_FAILED, PROBLEM_REFUSED, PROBLEM_QUARANTINED, PROBLEM_WAITING,
	PROBLEM_STILL_USED, PROBLEM_COUNT
};
extern const char *const problem_names[PROBLEM_COUNT];	/* NULL, "failed", … */

struct output {			/* a file or link outside DIR that certlet made */
	enum part part;
	char *path;
	bool copy;		/* else a symlink into live/NAME */
	/* Of a copy, as it was made; `born` (nanoseconds, 0 where the file system does not know)
	 * because a file of others may get the inode of one that was removed. */
	uint64_t device, inode, born;
};

struct refusal {		/* a version that was read and refused: not to be read again */
	struct version version;	/* none: no refusal is remembered */
	char *source;
	char *judged_by;	/* plan_judging_keys() of then */
	time_t time;		/* when it was judged */
	time_t retry;		/* 0: no such time */
	char *words;		/* of the refusal */
	bool critical;		/* the installed one was under its critical time already */
};

struct quarantine {		/* a version that was rolled back after a reload */
	struct version version;	/* none: nothing is in quarantine */
	time_t until;
	char *words;		/* of the failed reload */
	long pause;		/* seconds; doubles with each further failure */
	bool critical;		/* the installed one was under its critical time already */
};

struct owned {			/* a certificate that is, or is about to be, on this server */
	char *name;
	/* Numbers of generations; 0: none. `generation` is the settled one that the link points
	 * to; `intent`: the link is on its way to this one and its services were not yet asked.
	 * `passed`: the last one whose services all took it. `candidate`: on disk, tried again. */
	unsigned int generation, intent, passed, candidate;
	bool deleting;		/* its deletion has begun and has to be finished */
	char *judged_by;	/* the judging keys that the newest generation on disk passed */
	struct output *outputs;
	size_t output_count;
	struct words services;	/* who was told of it */
	struct refusal refused;
	struct quarantine quarantine;
	struct version offered;	/* what the repository had last */
	enum problem problem;
	char *error;		/* the words of the problem; NULL */
	time_t error_time, next_try;
};

enum service_state {
	SERVICE_OK, SERVICE_OWED, SERVICE_FAILED, SERVICE_INACTIVE, SERVICE_UNMANAGED,
	SERVICE_STATES
};
extern const char *const service_state_names[SERVICE_STATES];

struct known_service {
	struct service service;	/* its commands as they were last wanted, for deletions (rule 13) */
	bool owed;		/* a reload */
	bool failed;		/* its last test, reload or verify */
	bool inactive, unmanaged;	/* as found when last asked */
	time_t last_reload;	/* that succeeded; 0: never */
	char *serving;		/* fingerprint seen by verify; NULL: unknown */
	char *error;
};

/* What came of wrapped_secret_id_file; digests are SHA-256, in hex. */
struct wrapped {
	char *token;		/* digest of the wrapping token tried last; NULL: none */
	char *error;		/* why it gave no secret-id; NULL: it did */
	char *file;		/* secret_id_file as certlet wrote it; NULL: it did not */
	char *digest;		/* of that file's content */
	time_t begins, expires;	/* of that secret-id; expires 0: never */
};

struct adopted {		/* a file of others that gave way to an output (adopt.h) */
	char *path;		/* where it stood */
	char *kept;		/* its name in state_directory/adopted/ */
	char digest[DIGEST_BYTES];	/* of what it held */
	uid_t owner;
	gid_t group;
	mode_t mode;
};

struct state {
	char *directory;		/* that it was read from; not written down */
	struct owned *certificates;	/* sorted by name */
	size_t certificate_count;
	struct known_service *services;	/* sorted by name */
	size_t service_count;
	struct notes notes;
	bool unfinished;		/* a run began to write generations and did not come to its end */
	time_t last_success;		/* the last run Vault let in, or that had nothing to ask */
	char *credentials;		/* word of status.json; NULL: unknown */
	char *address;			/* that answered last; NULL */
	struct wrapped wrapped;
	struct words metrics_files;	/* that were written; as a rule one or none */
	struct adopted *adopted;	/* of one path: the last one is the youngest */
	size_t adopted_count;
};

/*
 * A missing file is an empty state; an unreadable or broken one is FAILURE_INTERNAL, and so is one
 * that others could have written: its commands are run. *out_state is overwritten on success.
 */
int state_read(const char *directory, struct state *out_state, struct failure *why);
/* Durable when it returns. FAILURE_INTERNAL. Makes the directory (0755) when missing. */
int state_write(const char *directory, const struct state *state, struct failure *why);
/*
 * A clock that was ahead may have found a good certificate expired, and set times that are years
 * off: what was refused after `now` is judged again, and no quarantine is longer than it was meant.
 */
void state_forget_future(struct state *state, time_t now);
/* After --purge. */
int state_remove_file(const char *directory, struct failure *why);
void state_clear(struct state *state);

/* NULL: none. What is found is valid until one is added or removed. */
struct owned *state_find(const struct state *state, const char *name);
struct owned *state_add(struct state *state, const char *name);	/* or the one that is there */
void state_remove(struct state *state, const char *name);
struct known_service *state_find_service(const struct state *state, const char *name);
/* Or the one that is there, with its commands as they are now. */
struct known_service *state_add_service(struct state *state, const struct service *service);
void state_remove_service(struct state *state, const char *name);
enum service_state known_service_state(const struct known_service *service);

/* At the end; pointers to others end here. Takes its texts. */
struct adopted *state_add_adopted(struct state *state, const struct adopted *take_adopted);
void state_drop_adopted(struct state *state, struct adopted *adopted);

/* The generations of a certificate that have a meaning. */
#define OWNED_GENERATIONS 4
void owned_generations(const struct owned *owned, unsigned int out_numbers[OWNED_GENERATIONS]);
/* With PROBLEM_NONE the error goes too. next_try is left as it is. */
void owned_set_problem(struct owned *owned, enum problem problem, const char *error, time_t now);
/* Copies what it is given; it replaces one of the same path. */
void owned_add_output(struct owned *owned, const struct output *output);
void owned_drop_output(struct owned *owned, const char *path);
/* NULL: none; that of `owned` NULL is none. */
struct output *owned_find_output(const struct owned *owned, const char *path);

void wrapped_clear(struct wrapped *wrapped);
/* Of the secret-id that is logged in with; 0: never, or not known. */
time_t wrapped_expires(const struct wrapped *wrapped, const struct vault_settings *vault);
/* Whether a third of its life or less is left: time to put a new one into its place. */
bool wrapped_is_expiring(
    const struct wrapped *wrapped, const struct vault_settings *vault, time_t now);

/* For state.c: the document (caller frees), and back. */
char *state_encode(const struct state *state);
int state_decode(const char *text, size_t size, struct state *out_state, struct failure *why);

#endif
