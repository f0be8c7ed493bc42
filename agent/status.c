/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "directory.h"
#include "fields.h"
#include "status.h"
#include "status-read.h"

/* A source whose metadata the policy keeps from us: its key travels at every run. */
static json_t *
describe_notes(const struct notes *notes, time_t now)
{
	static const char prefix[] = "metadata ";
	json_t *array = json_array();

	for (size_t i = 0; i < notes->count; i++) {
		const struct note *note = &notes->items[i];
		char *sentence;

		if (strncmp(note->subject, prefix, sizeof(prefix) - 1) != 0 || note->value != 0 ||
		    note->until < now)
			continue;
		sentence = memory_format("the policy does not let us read the metadata of %s: its "
		    "data, the private key too, is read at every run (certlet --policy prints what "
		    "is needed)", note->subject + sizeof(prefix) - 1);
		(void)json_array_append_new(array, fields_value(sentence));
		free(sentence);
	}
	return array;
}

static json_t *
describe_vault(const struct manifest *manifest, const struct state *state, time_t now)
{
	const struct words *addresses = &manifest->vault.addresses;
	const char *address = state->address != NULL || addresses->count == 0 ? state->address :
	    addresses->items[0];

	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
	    "address", fields_value(address),
	    "auth", fields_value(auth_names[manifest->vault.auth]),
	    "credentials", fields_value(state->credentials != NULL ? state->credentials : "unknown"),
	    "secret_id_expires", fields_time_value(wrapped_expires(&state->wrapped, &manifest->vault)),
	    "notes", describe_notes(&state->notes, now));
}

static json_t *
describe_run(const struct status_run *run)
{
	return json_pack("{s:o, s:i, s:f, s:I, s:o}",
	    "time", fields_time_value(run->time),
	    "exit", (int)run->exit,
	    "seconds", (double)(long)(run->seconds * 1000 + 0.5) / 1000,
	    "requests", (json_int_t)run->requests,
	    "error", fields_value(run->error));
}

static const char *
choose_source(const struct status_certificate *certificate)
{
	/* That of the version which stands beside it, where there is one. */
	if (certificate->installed != NULL && certificate->installed->source != NULL)
		return certificate->installed->source;
	return certificate->entry != NULL ? certificate->entry->source : NULL;
}

static json_t *
describe_certificate(const struct status_certificate *certificate, long warn, time_t now)
{
	static const struct owned unknown = { 0 };
	static const struct origin nothing = { 0 };
	const struct entry *entry = certificate->entry;
	const struct owned *owned = certificate->owned != NULL ? certificate->owned : &unknown;
	const struct origin *installed = certificate->installed != NULL ? certificate->installed :
	    &nothing;
	const struct leaf *leaf = &installed->leaf;
	const enum status_state state = status_state(leaf->not_before, leaf->not_after, warn, now);

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o,"
	    " s:o, s:o, s:o, s:o, s:b}",
	    "name", fields_value(entry != NULL ? entry->name : owned->name),
	    "state", fields_value(status_state_names[state]),
	    "problem", fields_value(problem_names[owned->problem]),
	    "error", fields_value(owned->error),
	    "error_time", fields_time_value(owned->error_time),
	    "next_try", fields_time_value(owned->next_try),
	    "source", fields_value(choose_source(certificate)),
	    "version", fields_number_value(installed->version.number),
	    "offered_version", fields_number_value(owned->offered.number),
	    "serial", fields_value(leaf->serial),
	    "fingerprint", fields_value(*leaf->fingerprint != '\0' ? leaf->fingerprint : NULL),
	    "issuer", fields_value(leaf->issuer),
	    "names", certificate->installed != NULL ? fields_words_value(&leaf->names) : json_null(),
	    "not_before", fields_time_value(leaf->not_before),
	    "not_after", fields_time_value(leaf->not_after),
	    "installed", fields_time_value(installed->installed),
	    "generation", fields_number_value(certificate->generation),
	    "services", fields_words_value(entry != NULL ? &entry->services : &owned->services),
	    "wanted", entry != NULL);
}

static json_t *
describe_certificates(const struct status_certificate certificates[], size_t count, long warn,
    time_t now)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(array,
		    describe_certificate(&certificates[i], warn, now));
	return array;
}

static json_t *
describe_service(const char *name, const struct known_service *known)
{
	/* Listed, but no certificate of it has come this far. */
	if (known == NULL)
		return json_pack("{s:o, s:n, s:b, s:n, s:n, s:n}", "name", fields_value(name), "state",
		    "reload_owed", 0, "last_reload", "serving", "error");
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o}",
	    "name", fields_value(name),
	    "state", fields_value(service_state_names[known_service_state(known)]),
	    "reload_owed", known->owed,
	    "last_reload", fields_time_value(known->last_reload),
	    "serving", fields_value(known->serving),
	    "error", fields_value(known->error));
}

static json_t *
describe_services(const struct manifest *manifest, const struct state *state)
{
	json_t *array = json_array();

	for (size_t i = 0; i < manifest->service_count; i++) {
		const char *name = manifest->services[i].name;

		(void)json_array_append_new(array,
		    describe_service(name, state_find_service(state, name)));
	}
	return array;
}

static char *
encode(const struct manifest *manifest, const struct state *state,
    const struct status_certificate certificates[], size_t count, const struct status_run *run)
{
	const struct agent_settings *agent = &manifest->agent;
	json_t *document = json_pack(
	    "{s:i, s:s, s:o, s:o, s:o, s:{s:I, s:I, s:I}, s:o, s:o, s:o, s:o}",
	    "schema", STATUS_SCHEMA,
	    "certlet", PACKAGE_VERSION,
	    "manifest", fields_value(manifest->file),
	    "sandbox", fields_words_value(run->sandbox),
	    "vault", describe_vault(manifest, state, run->time),
	    "thresholds",
		"warn", (json_int_t)agent->warn,
		"critical", (json_int_t)agent->critical,
		"stale", (json_int_t)agent->stale,
	    "last_sync", describe_run(run),
	    "last_success", fields_time_value(state->last_success),
	    "certificates", describe_certificates(certificates, count, agent->warn, run->time),
	    "services", describe_services(manifest, state));

	return fields_encode(document, STATUS_JSON_FLAGS);
}

int
status_write(const struct manifest *manifest, const struct state *state,
    const struct status_certificate certificates[], size_t count, const struct status_run *run,
    struct failure *why)
{
	char *document = encode(manifest, state, certificates, count, run);
	const int result = directory_write(manifest->agent.state_directory, STATUS_FILE_NAME,
	    document, 0644, why);

	free(document);
	if (result == -1)
		why->kind = FAILURE_INTERNAL;
	return result;
}

int
status_remove(const char *state_directory, struct failure *why)
{
	return directory_remove_file(state_directory, STATUS_FILE_NAME, why);
}
