/* SPDX-License-Identifier: ISC */
/*
 * status_file: a status.json in a temporary directory, made of certificates that are said in a
 * line. Any failure aborts the test program.
 */
#ifndef CERTLET_TESTS_STATUS_FILE_H
#define CERTLET_TESTS_STATUS_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "capture.h"
#include "times.h"

#define TEST_NOW ((time_t)1800000000)	/* 2027-01-15T08:00:00Z */
#define TEST_DAY 86400L

struct status_file {
	char directory[64];
	json_t *document;
};

/* null for 0 */
static inline json_t *
test_time(time_t when)
{
	char text[TIMES_TEXT_BYTES];

	return when == 0 ? json_null() : json_string(times_rfc3339(when, text));
}

/* A run two minutes ago that went well, with nothing in it, in a new directory. */
static inline void
status_file_begin(struct status_file *file)
{
	(void)strcpy(file->directory, "/tmp/certlet-status-XXXXXX");
	must(mkdtemp(file->directory) != NULL);
	file->document = json_pack("{s:i, s:s, s:s, s:[s], s:{s:s, s:s, s:s, s:n, s:[]},"
	    " s:{s:I, s:I, s:I}, s:{s:o, s:i, s:f, s:i, s:n}, s:o, s:[], s:[]}",
	    "schema", 1, "certlet", "0.1.0", "manifest", "/etc/certlet/manifest.ini", "sandbox", "user",
	    "vault", "address", "https://vault1.example.com:8200", "auth", "approle",
	    "credentials", "ok", "secret_id_expires", "notes",
	    "thresholds", "warn", (json_int_t)(25 * TEST_DAY), "critical",
	    (json_int_t)(7 * TEST_DAY), "stale", (json_int_t)TEST_DAY,
	    "last_sync", "time", test_time(TEST_NOW - 120), "exit", 0, "seconds", 0.08, "requests", 3,
	    "error", "last_success", test_time(TEST_NOW - 120), "certificates", "services");
	must(file->document != NULL);
}

/* One of a life of 90 days that ends in `days`; returned to be changed, belongs to the document. */
static inline json_t *
status_file_add(struct status_file *file, const char *name, long days)
{
	const time_t end = TEST_NOW + days * TEST_DAY;
	json_t *certificate = json_pack("{s:s, s:s, s:n, s:n, s:n, s:n, s:s, s:i, s:i, s:s, s:s, s:s,"
	    " s:[s], s:o, s:o, s:o, s:i, s:[s], s:b}",
	    "name", name, "state", "ok", "problem", "error", "error_time", "next_try",
	    "source", "kv:secret/certs/www.example.com", "version", 7, "offered_version", 7,
	    "serial", "03a0", "fingerprint", "abcdef0123456789", "issuer", "CN=R11,O=Let's Encrypt,C=US",
	    "names", name, "not_before", test_time(end - 90 * TEST_DAY), "not_after", test_time(end),
	    "installed", test_time(TEST_NOW - 3600), "generation", 12, "services", "nginx", "wanted", 1);

	must(certificate != NULL);
	must(json_array_append_new(json_object_get(file->document, "certificates"), certificate) == 0);
	return certificate;
}

static inline json_t *
status_file_add_service(struct status_file *file, const char *name, const char *state, int owed)
{
	json_t *service = json_pack("{s:s, s:s, s:b, s:o, s:n, s:n}", "name", name, "state", state,
	    "reload_owed", owed, "last_reload", test_time(TEST_NOW - 3600), "serving", "error");

	must(service != NULL);
	must(json_array_append_new(json_object_get(file->document, "services"), service) == 0);
	return service;
}

static inline void
status_file_write(const struct status_file *file)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/status.json", file->directory);
	must(json_dump_file(file->document, path, JSON_INDENT(1)) == 0);
}

/* Removes it and its directory. */
static inline void
status_file_end(struct status_file *file)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/status.json", file->directory);
	(void)unlink(path);
	(void)rmdir(file->directory);
	json_decref(file->document);
}

#endif
