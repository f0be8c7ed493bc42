/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "state.h"

#define SCHEMA 1

/* --- What is written --- */

static const struct field output_fields[] = {
	{ "part", FIELD_CHOICE, offsetof(struct output, part), PART_COUNT, part_file_names },
	FIELD(TEXT, struct output, path),
	FIELD(FLAG, struct output, copy),
	FIELD(NUMBER, struct output, device),
	FIELD(NUMBER, struct output, inode),
	FIELD(NUMBER, struct output, born),
	{ 0 }
};

static const struct field refusal_fields[] = {
	FIELDS_OF_VERSION(struct refusal, version),
	FIELD(TEXT, struct refusal, source),
	FIELD(TEXT, struct refusal, judged_by),
	FIELD(TIME, struct refusal, time),
	FIELD(TIME, struct refusal, retry),
	FIELD(TEXT, struct refusal, words),
	FIELD(FLAG, struct refusal, critical),
	{ 0 }
};

static const struct field quarantine_fields[] = {
	FIELDS_OF_VERSION(struct quarantine, version),
	FIELD(TIME, struct quarantine, until),
	FIELD(TEXT, struct quarantine, words),
	FIELD(SECONDS, struct quarantine, pause),
	FIELD(FLAG, struct quarantine, critical),
	{ 0 }
};

static const struct field offered_fields[] = { FIELDS_OF_VERSION(struct owned, offered), { 0 } };

static const struct field owned_fields[] = {
	FIELD(SMALL_NUMBER, struct owned, generation),
	FIELD(SMALL_NUMBER, struct owned, intent),
	FIELD(SMALL_NUMBER, struct owned, passed),
	FIELD(SMALL_NUMBER, struct owned, candidate),
	FIELD(FLAG, struct owned, deleting),
	FIELD(TEXT, struct owned, judged_by),
	FIELD(WORDS, struct owned, services),
	{ "problem", FIELD_CHOICE, offsetof(struct owned, problem), PROBLEM_COUNT, problem_names },
	FIELD(TEXT, struct owned, error),
	FIELD(TIME, struct owned, error_time),
	FIELD(TIME, struct owned, next_try),
	{ 0 }
};

static const struct field service_fields[] = {
	FIELD(TEXT, struct service, name),
	FIELD(TEXT, struct service, unit),
	FIELD(WORDS, struct service, active),
	FIELD(WORDS, struct service, test),
	FIELD(WORDS, struct service, reload),
	FIELD(FLAG, struct service, own_active),
	FIELD(FLAG, struct service, own_reload),
	FIELD(WORDS, struct service, active_sysv),
	FIELD(WORDS, struct service, reload_sysv),
	FIELD(TEXT, struct service, verify_host),
	FIELD(TEXT, struct service, verify_port),
	FIELD(TEXT, struct service, verify_sni),
	FIELD(SMALL_NUMBER, struct service, verify_starttls),
	FIELD(SECONDS, struct service, timeout),
	{ 0 }
};

/* Of the same object. */
static const struct field known_fields[] = {
	FIELD(FLAG, struct known_service, owed),
	FIELD(FLAG, struct known_service, failed),
	FIELD(FLAG, struct known_service, inactive),
	FIELD(FLAG, struct known_service, unmanaged),
	FIELD(TIME, struct known_service, last_reload),
	FIELD(TEXT, struct known_service, serving),
	FIELD(TEXT, struct known_service, error),
	{ 0 }
};

static const struct field note_fields[] = {
	FIELD(TEXT, struct note, subject),
	FIELD(SMALL_NUMBER, struct note, value),
	FIELD(TIME, struct note, until),
	{ 0 }
};

static const struct field wrapped_fields[] = {
	FIELD(TEXT, struct wrapped, token),
	FIELD(TEXT, struct wrapped, error),
	FIELD(TEXT, struct wrapped, file),
	FIELD(TEXT, struct wrapped, digest),
	FIELD(TIME, struct wrapped, begins),
	FIELD(TIME, struct wrapped, expires),
	{ 0 }
};

static const struct field adopted_fields[] = {
	FIELD(TEXT, struct adopted, path),
	FIELD(TEXT, struct adopted, kept),
	FIELD(LINE, struct adopted, digest),
	FIELD(SMALL_NUMBER, struct adopted, owner),
	FIELD(SMALL_NUMBER, struct adopted, group),
	FIELD(SMALL_NUMBER, struct adopted, mode),
	{ 0 }
};

static const struct field state_fields[] = {
	FIELD(FLAG, struct state, unfinished),
	FIELD(TIME, struct state, last_success),
	FIELD(TEXT, struct state, credentials),
	FIELD(TEXT, struct state, address),
	FIELD(WORDS, struct state, metrics_files),
	{ 0 }
};

/* --- Encoding --- */

static json_t *
encode(const struct field fields[], const void *from)
{
	json_t *object = json_object();

	fields_put_all(object, fields, from);
	return object;
}

static json_t *
encode_list(const struct field fields[], const void *items, size_t count, size_t size)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, encode(fields, (const char *)items + i * size));
	return list;
}

static json_t *
encode_owned(const struct owned *owned)
{
	json_t *object = json_object();

	fields_put_text(object, "name", owned->name);
	fields_put_all(object, owned_fields, owned);
	fields_put(object, "outputs", encode_list(output_fields, owned->outputs,
	    owned->output_count, sizeof(*owned->outputs)));
	if (!version_is_none(&owned->refused.version))
		fields_put(object, "refused", encode(refusal_fields, &owned->refused));
	if (!version_is_none(&owned->quarantine.version))
		fields_put(object, "quarantine", encode(quarantine_fields, &owned->quarantine));
	fields_put(object, "offered", encode(offered_fields, owned));
	return object;
}

static json_t *
encode_known(const struct known_service *known)
{
	json_t *object = encode(service_fields, &known->service);

	fields_put_all(object, known_fields, known);
	return object;
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
	fields_put(object, "notes", encode_list(note_fields, state->notes.items,
	    state->notes.count, sizeof(*state->notes.items)));
	fields_put_all(object, state_fields, state);
	fields_put(object, "wrapped", encode(wrapped_fields, &state->wrapped));
	fields_put(object, "adopted", encode_list(adopted_fields, state->adopted,
	    state->adopted_count, sizeof(*state->adopted)));
	return fields_encode(object, JSON_COMPACT);
}

/* --- Decoding --- */

static void
decode_output(const json_t *object, struct owned *owned, const char **wrong)
{
	struct output output = { 0 };

	fields_get_all(object, output_fields, &output, wrong);
	if (output.path != NULL && *output.path == '/')
		owned_add_output(owned, &output);
	else
		*wrong = "path";
	free(output.path);
}

static void
decode_owned(const json_t *object, struct owned *owned, const char **wrong)
{
	const json_t *outputs = fields_list(object, "outputs", wrong);

	fields_get_all(object, owned_fields, owned, wrong);
	for (size_t i = 0; i < json_array_size(outputs); i++)
		decode_output(json_array_get(outputs, i), owned, wrong);
	fields_get_all(fields_object(object, "refused", wrong), refusal_fields, &owned->refused, wrong);
	fields_get_all(fields_object(object, "quarantine", wrong), quarantine_fields,
	    &owned->quarantine, wrong);
	fields_get_all(fields_object(object, "offered", wrong), offered_fields, owned, wrong);
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
decode_services(const json_t *list, struct state *state, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *object = json_array_get(list, i);
		struct service service = { 0 };

		fields_get_all(object, service_fields, &service, wrong);
		if (service.verify_starttls > STARTTLS_POP3)
			service.verify_starttls = STARTTLS_NONE;
		if (service.name == NULL || *service.name == '\0' ||
		    state_find_service(state, service.name) != NULL)
			*wrong = "name";
		else
			fields_get_all(object, known_fields, state_add_service(state, &service), wrong);
		service_clear(&service);
	}
}

static void
decode_notes(const json_t *list, struct notes *notes, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct note note = { 0 };

		fields_get_all(json_array_get(list, i), note_fields, &note, wrong);
		if (note.subject != NULL && *note.subject != '\0')
			notes_set(notes, note.subject, note.value, note.until);
		free(note.subject);
	}
}

static void
decode_wrapped(const json_t *object, struct wrapped *wrapped, const char **wrong)
{
	fields_get_all(object, wrapped_fields, wrapped, wrong);
	/* A file that is removed or replaced is named in full, and known by its content. */
	if ((wrapped->file != NULL && *wrapped->file != '/') ||
	    (wrapped->file != NULL) != (wrapped->digest != NULL))
		*wrong = "file";
}

/* A file of that name is removed, and one is put back at that path. */
static void
decode_adopted(const json_t *list, struct state *state, const char **wrong)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct adopted adopted = { 0 };

		fields_get_all(json_array_get(list, i), adopted_fields, &adopted, wrong);
		adopted.mode &= 07777;
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
	fields_get_all(object, state_fields, &state, &wrong);
	decode_wrapped(fields_object(object, "wrapped", &wrong), &state.wrapped, &wrong);
	for (size_t i = 0; i < state.metrics_files.count; i++)
		if (*state.metrics_files.items[i] != '/')
			wrong = "metrics_files";
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
