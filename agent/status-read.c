/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fields.h"
#include "file.h"
#include "judge.h"
#include "status-read.h"

/* 10,000 certificates with some names each. */
#define SIZE_MOST (64UL * 1024 * 1024)

const char *const status_state_names[STATUS_STATES] = {
	[STATUS_MISSING] = "missing", [STATUS_OK] = "ok",
	[STATUS_EXPIRING] = "expiring", [STATUS_EXPIRED] = "expired",
};

static long
threshold(long setting, int share, time_t not_before, time_t not_after)
{
	const struct leaf dates = { .not_before = not_before, .not_after = not_after };

	return judge_threshold(setting, share, &dates);
}

enum status_state
status_state(time_t not_before, time_t not_after, long warn, time_t now)
{
	if (not_after == 0)
		return STATUS_MISSING;
	if (not_after <= now)
		return STATUS_EXPIRED;
	return not_after - now < threshold(warn, 5, not_before, not_after) ? STATUS_EXPIRING :
	    STATUS_OK;
}

static const char *
get_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static long
get_number(const json_t *object, const char *key)
{
	return (long)json_integer_value(json_object_get(object, key));
}

static enum check_result
certificate_level(const struct seen_certificate *seen, time_t now)
{
	/* It only waits to be deleted: no service of ours counts on its dates. */
	if (!seen->wanted)
		return seen->problem != NULL ? CHECK_WARNING : CHECK_OK;
	if (seen->state == STATUS_MISSING || seen->state == STATUS_EXPIRED ||
	    seen->not_after - now < seen->critical)
		return CHECK_CRITICAL;
	return seen->state == STATUS_EXPIRING || seen->problem != NULL ? CHECK_WARNING : CHECK_OK;
}

static struct seen_certificate
see_certificate(const json_t *from, const json_t *thresholds, time_t now)
{
	const long warn = get_number(thresholds, "warn");
	const long critical = get_number(thresholds, "critical");
	struct seen_certificate seen = {
		.name = get_text(from, "name"),
		.problem = get_text(from, "problem"),
		.error = get_text(from, "error"),
		.source = get_text(from, "source"),
		.serial = get_text(from, "serial"),
		.fingerprint = get_text(from, "fingerprint"),
		.issuer = get_text(from, "issuer"),
		.version = get_number(from, "version"),
		.offered_version = get_number(from, "offered_version"),
		.generation = get_number(from, "generation"),
		.error_time = fields_time(from, "error_time", NULL),
		.next_try = fields_time(from, "next_try", NULL),
		.not_before = fields_time(from, "not_before", NULL),
		.not_after = fields_time(from, "not_after", NULL),
		.installed = fields_time(from, "installed", NULL),
		.names = fields_words(from, "names", NULL),
		.services = fields_words(from, "services", NULL),
		.wanted = !json_is_false(json_object_get(from, "wanted")),
	};

	if (seen.name == NULL)
		seen.name = "?";
	seen.state = status_state(seen.not_before, seen.not_after, warn, now);
	if (seen.wanted && seen.not_after != 0) {
		seen.warn = threshold(warn, 5, seen.not_before, seen.not_after);
		seen.critical = threshold(critical, 10, seen.not_before, seen.not_after);
	}
	seen.level = certificate_level(&seen, now);
	return seen;
}

static struct seen_service
see_service(const json_t *from)
{
	struct seen_service seen = {
		.name = get_text(from, "name"),
		.state = get_text(from, "state"),
		.serving = get_text(from, "serving"),
		.error = get_text(from, "error"),
		.reload_owed = json_is_true(json_object_get(from, "reload_owed")),
		.last_reload = fields_time(from, "last_reload", NULL),
		.level = CHECK_OK,
	};

	if (seen.name == NULL)
		seen.name = "?";
	if (seen.state != NULL && strcmp(seen.state, service_state_names[SERVICE_FAILED]) == 0)
		seen.level = CHECK_CRITICAL;
	else if (seen.reload_owed)
		seen.level = CHECK_WARNING;
	return seen;
}

static void
judge_run(struct seen_status *status, time_t now)
{
	const long stale = status->stale_after;
	const time_t age = now - status->last_success;

	/* One that is to come was noted by a clock that was ahead: nobody knows how old it is. */
	status->stale = status->last_success == 0 || labs((long)age) > stale;
	/* age > 3 * stale, but for the overflow */
	if (status->last_success != 0 && (age - 1) / 3 >= stale)
		status->run_level = CHECK_CRITICAL;
	else if (status->stale || status->exit == EXIT_BROKEN)
		status->run_level = CHECK_WARNING;
}

static void
see_arrays(struct seen_status *status, const json_t *thresholds, time_t now)
{
	const json_t *certificates = json_object_get(status->document, "certificates");
	const json_t *services = json_object_get(status->document, "services"), *item;
	size_t i;

	status->certificates = memory_new(json_array_size(certificates),
	    sizeof(*status->certificates));
	json_array_foreach(certificates, i, item)
		status->certificates[status->certificate_count++] =
		    see_certificate(item, thresholds, now);
	status->services = memory_new(json_array_size(services), sizeof(*status->services));
	json_array_foreach(services, i, item)
		status->services[status->service_count++] = see_service(item);
}

static void
see_document(struct seen_status *status, time_t now)
{
	const json_t *vault = json_object_get(status->document, "vault");
	const json_t *run = json_object_get(status->document, "last_sync");
	const json_t *thresholds = json_object_get(status->document, "thresholds");

	status->manifest = get_text(status->document, "manifest");
	status->sandbox = fields_words(status->document, "sandbox", NULL);
	status->address = get_text(vault, "address");
	status->auth = get_text(vault, "auth");
	status->credentials = get_text(vault, "credentials");
	status->secret_id_expires = fields_time(vault, "secret_id_expires", NULL);
	status->notes = fields_words(vault, "notes", NULL);
	status->last_run = fields_time(run, "time", NULL);
	status->exit = get_number(run, "exit");
	status->requests = get_number(run, "requests");
	status->seconds = json_number_value(json_object_get(run, "seconds"));
	status->error = get_text(run, "error");
	status->last_success = fields_time(status->document, "last_success", NULL);
	status->stale_after = get_number(thresholds, "stale");
	judge_run(status, now);
	see_arrays(status, thresholds, now);
}

static json_t *
load(const char *path, struct failure *why)
{
	struct secret bytes = { 0 };
	json_t *document = NULL;
	json_error_t error;

	switch (file_read_path(path, SIZE_MOST, &bytes, /* out_status= */ NULL, why)) {
	case FOUND_FILE:
		if ((document = json_loadb(bytes.bytes, bytes.size, 0, &error)) == NULL)
			failure_set(why, FAILURE_SETUP, "%s: line %d: %s", path, error.line,
			    error.text);
		break;
	case FOUND_ABSENT:
		failure_set(why, FAILURE_SETUP, "there is no %s: certlet --sync, which writes it, "
		    "has not run on this server yet", path);
		break;
	case FOUND_FAILED:
		why->kind = FAILURE_SETUP;
		break;
	}
	secret_clear(&bytes);
	return document;
}

int
status_read(const char *state_directory, time_t now, struct seen_status *out_status,
    struct failure *why)
{
	char *path = memory_format("%s/%s", state_directory, STATUS_FILE_NAME);
	struct seen_status status = { 0 };
	int result = -1;

	if ((status.document = load(path, why)) == NULL)
		goto out;
	if (get_number(status.document, "schema") != STATUS_SCHEMA) {
		failure_set(why, FAILURE_SETUP, "%s: expected schema %d, found %ld", path,
		    STATUS_SCHEMA, get_number(status.document, "schema"));
		goto out;
	}
	see_document(&status, now);
	*out_status = status;
	result = 0;
out:
	if (result == -1)
		json_decref(status.document);
	free(path);
	return result;
}

void
status_clear(struct seen_status *status)
{
	for (size_t i = 0; i < status->certificate_count; i++) {
		words_clear(&status->certificates[i].names);
		words_clear(&status->certificates[i].services);
	}
	words_clear(&status->notes);
	words_clear(&status->sandbox);
	free(status->certificates);
	free(status->services);
	json_decref(status->document);
	*status = (struct seen_status){ 0 };
}
