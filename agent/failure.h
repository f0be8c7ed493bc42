/* SPDX-License-Identifier: ISC */
/*
 * failure: why something did not work, in words for people and as a kind.
 *
 * The place that detects a failure fills it in and returns -1 in one line; callers may put where
 * it happened in front (failure_prefix); whoever decides prints it once. No function here accepts
 * a struct secret: a failure is always fit to be logged.
 */
#ifndef CERTLET_FAILURE_H
#define CERTLET_FAILURE_H

#define FAILURE_TEXT_BYTES 1024

/* Exit codes of --sync, --purge and --test (DESIGN section 6, certlet.8). */
enum exit_code {
	EXIT_WANTED = 0,	/* all is as wanted */
	EXIT_SETUP = 1,		/* usage, manifest or set-up is wrong; nothing was touched */
	EXIT_PARTLY = 2,	/* some certificate or service is not as wanted */
	EXIT_VAULT = 3,		/* Vault gave no answer or did not let us in */
	EXIT_LOCKED = 4,	/* another run holds the lock */
	EXIT_BROKEN = 5,	/* certlet itself failed */
};

/* The kind picks the exit code. */
enum failure_kind {
	FAILURE_NONE = 0,
	FAILURE_USAGE,		/* 1: the command line */
	FAILURE_MANIFEST,	/* 1: the manifest */
	FAILURE_SETUP,		/* 1: user, credentials, CA file: this machine is not set up */
	FAILURE_VAULT,		/* 3: no answer, or none that can be understood */
	FAILURE_LOGIN,		/* 3: did not let us in */
	FAILURE_DENIED,		/* 2: 403 for one certificate */
	FAILURE_ABSENT,		/* 2: 404 for one certificate */
	FAILURE_REFUSED,	/* 2: section 5 */
	FAILURE_DISK,		/* 2: a file or directory of one certificate */
	FAILURE_SERVICE,	/* 2: a command of a service, or what it serves */
	FAILURE_USED,		/* 2: a service still needs what should be deleted */
	FAILURE_FOREIGN,	/* 2: what others made keeps a directory from going; ours is gone */
	FAILURE_LOCKED,		/* 4 */
	FAILURE_INTERNAL,	/* 5: child crashed or silent, state not writable, broken frame */
	FAILURE_KINDS
};

struct failure {
	enum failure_kind kind;
	char text[FAILURE_TEXT_BYTES];	/* one line, control characters replaced by '?' */
};

/* All three fill *why and return -1, so that `return failure_set(…)` reports and fails. */
int failure_set(struct failure *why, enum failure_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int failure_errno(struct failure *why, enum failure_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));	/* appends ": " and strerror(errno) */
int failure_prefix(struct failure *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));	/* puts "…: " in front; the kind stays */

enum exit_code failure_exit_code(enum failure_kind kind);

/* The graver of two: 4 and 1 before 5 before 2 before 3 before 0. */
enum exit_code exit_code_worse(enum exit_code a, enum exit_code b);

#endif
