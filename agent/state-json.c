/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "state.h"

#define SCHEMA 1

/* --- Encoding --- */

static json_t *
encode_output(const struct output *output)
{
	json_t *object = json_object();

	fields_put_text(object, "part", part_file_names[output->part]);
	fields_put_text(object, "path", output->path);
	fields_put_flag(object, "copy", output->copy);
	fields_put_number(object, "device", output->device);
	fields_put_number(object, "inode", output->inode);
	fields_put_number(object, "born", output->born);
	return object;
}

static json_t *
encode_refusal(const struct refusal *refused)
{
	json_t *object = json_object();

	if (version_is_none(&refused->version))
		return object;
	fields_put_version(object, &refused->version);
	fields_put_text(object, "source", refused->source);
	fields_put_text(object, "judged_by", refused->judged_by);
	fields_put_time(object, "time", refused->time);
	fields_put_time(object, "retry", refused->retry);
	fields_put_text(object, "words", refused->words);
	fields_put_flag(object, "critical", refused->critical);
	return object;
}

static json_t *
encode_quarantine(const struct quarantine *quarantine)
{
	json_t *object = json_object();

	if (version_is_none(&quarantine->version))
		return object;
	fields_put_version(object, &quarantine->version);
	fields_put_time(object, "until", quarantine->until);
	fields_put_text(object, "words", quarantine->words);
	fields_put_number(object, "pause", (uint64_t)quarantine->pause);
	fields_put_flag(object, "critical", quarantine->critical);
	return object;
}

static json_t *
encode_version(const struct version *version)
{
	json_t *object = json_object();

	fields_put_version(object, version);
	return object;
}

static json_t *
encode_owned(const struct owned *owned)
{
	json_t *object = json_object(), *outputs = json_array();

	fields_put_text(object, "name", owned->name);
	fields_put_number(object, "generation", owned->generation);
	fields_put_number(object, "intent", owned->intent);
	fields_put_number(object, "passed", owned->passed);
	fields_put_number(object, "candidate", owned->candidate);
	fields_put_flag(object, "deleting", owned->deleting);
	fields_put_text(object, "judged_by", owned->judged_by);
	for (size_t i = 0; i < owned->output_count; i++)
		(void)json_array_append_new(outputs, encode_output(&owned->outputs[i]));
	fields_put(object, "outputs", outputs);
	fields_put_words(object, "services", &owned->services);
	fields_put(object, "refused", encode_refusal(&owned->refused));
	fields_put(object, "quarantine", encode_quarantine(&owned->quarantine));
	fields_put(object, "offered", encode_version(&owned->offered));
	fields_put_text(object, "problem", problem_names[owned->problem]);
	fields_put_text(object, "error", owned->error);
	fields_put_time(object, "error_time", owned->error_time);
	fields_put_time(object, "next_try", owned->next_try);
	return object;
}

static json_t *
encode_known(const struct known_service *known)
{
	const struct service *service = &known->service;
	json_t *object = json_object();

	fields_put_text(object, "name", service->name);
	fields_put_text(object, "unit", service->unit);
	fields_put_words(object, "active", &service->active);
	fields_put_words(object, "test", &service->test);
	fields_put_words(object, "reload", &service->reload);
	fields_put_flag(object, "own_active", service->own_active);
	fields_put_flag(object, "own_reload", service->own_reload);
	fields_put_words(object, "active_sysv", &service->active_sysv);
	fields_put_words(object, "reload_sysv", &service->reload_sysv);
	fields_put_text(object, "verify_host", service->verify_host);
	fields_put_text(object, "verify_port", service->verify_port);
	fields_put_text(object, "verify_sni", service->verify_sni);
	fields_put_number(object, "verify_starttls", (uint64_t)service->verify_starttls);
	fields_put_number(object, "timeout", (uint64_t)service->timeout);
	fields_put_flag(object, "owed", known->owed);
	fields_put_flag(object, "failed", known->failed);
	fields_put_flag(object, "inactive", known->inactive);
	fields_put_flag(object, "unmanaged", known->unmanaged);
	fields_put_time(object, "last_reload", known->last_reload);
	fields_put_text(object, "serving", known->serving);
	fields_put_text(object, "error", known->error);
	return object;
}

static json_t *
encode_notes(const struct notes *notes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < notes->count; i++) {
		json_t *object = json_object();

		fields_put_text(object, "subject", notes->items[i].subject);
		fields_put_number(object, "value", notes->items[i].value);
		fields_put_time(object, "until", notes->items[i].until);
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *
encode_wrapped(const struct wrapped *wrapped)
{
	json_t *object = json_object();

	fields_put_text(object, "token", wrapped->token);
	fields_put_text(object, "error", wrapped->error);
	fields_put_text(object, "file", wrapped->file);
	fields_put_text(object, "digest", wrapped->digest);
	fields_put_time(object, "begins", wrapped->begins);
	fields_put_time(object, "expires", wrapped->expires);
	return object;
}

static json_t *
encode_adopted(const struct state *state)
{
	json_t *list = json_array();

	for (size_t i = 0; i < state->adopted_count; i++) {
		const struct adopted *adopted = &state->adopted[i];
		json_t *object = json_object();

		fields_put_text(object, "path", adopted->path);
		fields_put_text(object, "kept", adopted->kept);
		fields_put_text(object, "digest", adopted->digest);
		fields_put_number(object, "owner", adopted->owner);
		fields_put_number(object, "group", adopted->group);
		fields_put_number(object, "mode", adopted->mode);
		(void)json_array_append_new(list, object);
	}
	return list;
}

char *
state_encode(const struct state *state)
{
	json_t *object = json_object(), *certificates = json_array(), *services = json_array();

	for (size_t i = 0; i < state->certificate_count; i++)
		(void)json_array_append_new(certificates, encode_owned(&state->certificates[i]));
	for (size_t i = 0; i < state->service_count; i++)
		(void)json_array_append_new(services, encode_known(&state->services[i]));
	fields_put_number(object, "schema", SCHEMA);
	fields_put(object, "certificates", certificates);
	fields_put(object, "services", services);
	fields_put(object, "notes", encode_notes(&state->notes));
	fields_put_flag(object, "unfinished", state->unfinished);
	fields_put_time(object, "last_success", state->last_success);
	fields_put_text(object, "credentials", state->credentials);
	fields_put_text(object, "address", state->address);
	fields_put(object, "wrapped", encode_wrapped(&state->wrapped));
	fields_put_words(object, "metrics_files", &state->metrics_files);
	fields_put(object, "adopted", encode_adopted(state));
	return fields_encode(object, JSON_COMPACT);
}

/* --- Decoding --- */

/* The index of a word in a table, 0 where it is none of them: a later version may know more. */
static int
find_word(
    const json_t *object, const char *key, const char *const words[], int count, const char **wrong)
{
	char *word = fields_text(object, key, wrong);
	int found = 0;

	for (int i = 0; word != NULL && i < count; i++)
		if (words[i] != NULL && strcmp(words[i], word) == 0)
			found = i;
	free(word);
	return found;
}

static void
decode_output(const json_t *object, struct owned *owned, const char **wrong)
{
	struct output output = {
		.part = (enum part)find_word(object, "part", part_file_names, PART_COUNT, wrong),
		.path = fields_text(object, "path", wrong),
		.copy = fields_flag(object, "copy", wrong),
		.device = fields_number(object, "device", wrong),
		.inode = fields_number(object, "inode", wrong),
		.born = fields_number(object, "born", wrong),
	};

	if (output.path != NULL && *output.path == '/')
		owned_add_output(owned, &output);
	else
		*wrong = "path";
	free(output.path);
}

static void
decode_refusal(const json_t *object, struct refusal *refused, const char **wrong)
{
	fields_version(object, &refused->version, wrong);
	refused->source = fields_text(object, "source", wrong);
	refused->judged_by = fields_text(object, "judged_by", wrong);
	refused->time = fields_time(object, "time", wrong);
	refused->retry = fields_time(object, "retry", wrong);
	refused->words = fields_text(object, "words", wrong);
	refused->critical = fields_flag(object, "critical", wrong);
}

static void
decode_quarantine(const json_t *object, struct quarantine *quarantine, const char **wrong)
{
	fields_version(object, &quarantine->version, wrong);
	quarantine->until = fields_time(object, "until", wrong);
	quarantine->words = fields_text(object, "words", wrong);
	quarantine->pause = (long)fields_small_number(object, "pause", wrong);
	quarantine->critical = fields_flag(object, "critical", wrong);
}

static void
decode_owned(const json_t *object, struct owned *owned, const char **wrong)
{
	const json_t *outputs = fields_list(object, "outputs", wrong);

	owned->generation = fields_small_number(object, "generation", wrong);
	owned->intent = fields_small_number(object, "intent", wrong);
	owned->passed = fields_small_number(object, "passed", wrong);
	owned->candidate = fields_small_number(object, "candidate", wrong);
	owned->deleting = fields_flag(object, "deleting", wrong);
	owned->judged_by = fields_text(object, "judged_by", wrong);
	for (size_t i = 0; i < json_array_size(outputs); i++)
		decode_output(json_array_get(outputs, i), owned, wrong);
	fields_words(object, "services", &owned->services, wrong);
	decode_refusal(fields_object(object, "refused", wrong), &owned->refused, wrong);
	decode_quarantine(fields_object(object, "quarantine", wrong), &owned->quarantine, wrong);
	fields_version(fields_object(object, "offered", wrong), &owned->offered, wrong);
	owned->problem =
	    (enum problem)find_word(object, "problem", problem_names, PROBLEM_COUNT, wrong);
	owned->error = fields_text(object, "error", wrong);
	owned->error_time = fields_time(object, "error_time", wrong);
	owned->next_try = fields_time(object, "next_try", wrong);
}

/* It becomes the name of a link and of a directory. */
static bool
is_name(const char *text)
{
	return *text != '\0' && *text != '.' && strchr(text, '/') == NULL;
}

static void
decode_certificates(const json_t *list, struct state *state, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);
		char *name = fields_text(object, "name", wrong);

		if (name != NULL && is_name(name) && state_find(state, name) == NULL)
			decode_owned(object, state_add(state, name), wrong);
		else
			*wrong = "name";
		free(name);
	}
}

static void
decode_service(const json_t *object, struct service *service, const char **wrong)
{
	service->unit = fields_text(object, "unit", wrong);
	fields_words(object, "active", &service->active, wrong);
	fields_words(object, "test", &service->test, wrong);
	fields_words(object, "reload", &service->reload, wrong);
	service->own_active = fields_flag(object, "own_active", wrong);
	service->own_reload = fields_flag(object, "own_reload", wrong);
	fields_words(object, "active_sysv", &service->active_sysv, wrong);
	fields_words(object, "reload_sysv", &service->reload_sysv, wrong);
	service->verify_host = fields_text(object, "verify_host", wrong);
	service->verify_port = fields_text(object, "verify_port", wrong);
	service->verify_sni = fields_text(object, "verify_sni", wrong);
	service->verify_starttls =
	    (enum starttls)fields_small_number(object, "verify_starttls", wrong);
	if (service->verify_starttls > STARTTLS_POP3)
		service->verify_starttls = STARTTLS_NONE;
	service->timeout = (long)fields_small_number(object, "timeout", wrong);
}

static void
decode_services(const json_t *list, struct state *state, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);
		struct service service = { .name = fields_text(object, "name", wrong) };
		struct known_service *known;

		if (service.name == NULL || *service.name == '\0' ||
		    state_find_service(state, service.name) != NULL) {
			*wrong = "name";
			service_clear(&service);
			continue;
		}
		decode_service(object, &service, wrong);
		known = state_add_service(state, &service);
		known->owed = fields_flag(object, "owed", wrong);
		known->failed = fields_flag(object, "failed", wrong);
		known->inactive = fields_flag(object, "inactive", wrong);
		known->unmanaged = fields_flag(object, "unmanaged", wrong);
		known->last_reload = fields_time(object, "last_reload", wrong);
		known->serving = fields_text(object, "serving", wrong);
		known->error = fields_text(object, "error", wrong);
		service_clear(&service);
	}
}

static void
decode_notes(const json_t *list, struct notes *notes, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);
		char *subject = fields_text(object, "subject", wrong);

		if (subject != NULL && *subject != '\0')
			notes_set(notes, subject, fields_small_number(object, "value", wrong),
			    fields_time(object, "until", wrong));
		free(subject);
	}
}

static void
decode_wrapped(const json_t *object, struct wrapped *wrapped, const char **wrong)
{
	wrapped->token = fields_text(object, "token", wrong);
	wrapped->error = fields_text(object, "error", wrong);
	wrapped->file = fields_text(object, "file", wrong);
	wrapped->digest = fields_text(object, "digest", wrong);
	wrapped->begins = fields_time(object, "begins", wrong);
	wrapped->expires = fields_time(object, "expires", wrong);
	/* A file that is removed or replaced is named in full, and known by its content. */
	if ((wrapped->file != NULL && *wrapped->file != '/') ||
	    (wrapped->file != NULL) != (wrapped->digest != NULL))
		*wrong = "file";
}

static void
decode_metrics_files(const json_t *object, struct words *out_files, const char **wrong)
{
	fields_words(object, "metrics_files", out_files, wrong);
	for (size_t i = 0; i < out_files->count; i++)
		if (*out_files->items[i] != '/')
			*wrong = "metrics_files";
}

/* A file of that name is removed, and one is put back at that path. */
static void
decode_adopted(const json_t *list, struct state *state, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);
		struct adopted adopted = {
			.path = fields_text(object, "path", wrong),
			.kept = fields_text(object, "kept", wrong),
			.owner = fields_small_number(object, "owner", wrong),
			.group = fields_small_number(object, "group", wrong),
			.mode = fields_small_number(object, "mode", wrong) & 07777,
		};

		fields_line(object, "digest", adopted.digest, sizeof(adopted.digest), wrong);
		if (adopted.path == NULL || *adopted.path != '/')
			*wrong = "path";
		if (adopted.kept == NULL || !is_name(adopted.kept))
			*wrong = "kept";
		(void)state_add_adopted(state, &adopted);
	}
}

int
state_decode(const char *text, size_t size, struct state *out_state, struct failure *why)
{
	struct state state = { 0 };
	const char *wrong = NULL;
	json_error_t error;
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	const json_int_t schema = json_integer_value(json_object_get(object, "schema"));
	int result = -1;

	if (object == NULL) {
		(void)failure_set(why, FAILURE_INTERNAL, "line %d: %s", error.line, error.text);
		goto out;
	}
	if (schema != SCHEMA) {
		(void)failure_set(why, FAILURE_INTERNAL, "schema %lld, while this certlet knows %d",
		    (long long)schema, SCHEMA);
		goto out;
	}
	decode_certificates(fields_list(object, "certificates", &wrong), &state, &wrong);
	decode_services(fields_list(object, "services", &wrong), &state, &wrong);
	decode_notes(fields_list(object, "notes", &wrong), &state.notes, &wrong);
	state.unfinished = fields_flag(object, "unfinished", &wrong);
	state.last_success = fields_time(object, "last_success", &wrong);
	state.credentials = fields_text(object, "credentials", &wrong);
	state.address = fields_text(object, "address", &wrong);
	decode_wrapped(fields_object(object, "wrapped", &wrong), &state.wrapped, &wrong);
	decode_metrics_files(object, &state.metrics_files, &wrong);
	decode_adopted(fields_list(object, "adopted", &wrong), &state, &wrong);
	if (wrong != NULL) {
		(void)failure_set(why, FAILURE_INTERNAL, "\"%s\" is not what certlet wrote", wrong);
		goto out;
	}
	*out_state = state;
	state = (struct state){ 0 };
	result = 0;
out:
	state_clear(&state);
	json_decref(object);
	return result;
}
