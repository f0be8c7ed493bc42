/* SPDX-License-Identifier: ISC */
/*
 * status-read: status.json as --status and --check see it: what the last run wrote, judged by the
 * clock of now, since the file may be old.
 */
#ifndef CERTLET_STATUS_READ_H
#define CERTLET_STATUS_READ_H

#include <stdbool.h>
#include <time.h>

#include "failure.h"
#include "memory.h"
#include "status.h"

struct json_t;

#define STATUS_FILE_NAME "status.json"
#define STATUS_SCHEMA 1
#define STATUS_JSON_FLAGS (JSON_INDENT(1) | JSON_REAL_PRECISION(6))

enum status_state { STATUS_MISSING, STATUS_OK, STATUS_EXPIRING, STATUS_EXPIRED, STATUS_STATES };
extern const char *const status_state_names[STATUS_STATES];

/* How much of its life a certificate has left at `now`; not_after 0 is none at all. */
enum status_state status_state(time_t not_before, time_t not_after, long warn, time_t now);

/* In all of these a text that is null is NULL, a time or number that is null is 0. */
struct seen_certificate {
	const char *name, *problem, *error, *source, *serial, *fingerprint, *issuer;
	long version, offered_version, generation;
	time_t error_time, next_try, not_before, not_after, installed;
	struct words names, services;
	bool wanted;			/* by the manifest */
	long warn, critical;		/* seconds before its end; 0: it is not wanted */
	enum status_state state;	/* by the clock of now */
	enum check_result level;
};

struct seen_service {
	const char *name, *state, *serving, *error;
	bool reload_owed;
	time_t last_reload;
	enum check_result level;
};

struct seen_status {
	struct json_t *document;	/* owns the texts */
	const char *manifest, *address, *auth, *credentials;
	struct words notes, sandbox;
	time_t last_run, last_success, secret_id_expires;
	long exit, requests;
	double seconds;
	long stale_after;		/* seconds without success */
	const char *error;		/* of the last run */
	bool stale;			/* no success for longer than [agent] stale, or never, or in the future */
	enum check_result run_level;	/* of the last run and of the last success */
	struct seen_certificate *certificates;
	size_t certificate_count;
	struct seen_service *services;
	size_t service_count;
};

/* FAILURE_SETUP: there is none, it cannot be read, or it is of another schema. Caller clears. */
int status_read(const char *state_directory, time_t now, struct seen_status *out_status,
    struct failure *why);
void status_clear(struct seen_status *status);

#endif
