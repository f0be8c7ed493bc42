/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directory.h"
#include "state.h"

#define FILE_NAME "state.json"
#define LIMIT_BYTES (64UL * 1024 * 1024)

const char *const problem_names[PROBLEM_COUNT] = {
	[PROBLEM_FAILED] = "failed",
	[PROBLEM_REFUSED] = "refused",
	[PROBLEM_QUARANTINED] = "quarantined",
	[PROBLEM_WAITING] = "waiting",
	[PROBLEM_STILL_USED] = "still_used",
};

const char *const service_state_names[SERVICE_STATES] = {
	[SERVICE_OK] = "ok",
	[SERVICE_OWED] = "owed",
	[SERVICE_FAILED] = "failed",
	[SERVICE_INACTIVE] = "inactive",
	[SERVICE_UNMANAGED] = "unmanaged",
};

/* --- The file --- */

/* Who can write the state can name commands, which certlet then runs. */
static int
check_owner(const struct stat *status, struct failure *why)
{
	if ((status->st_uid == 0 || status->st_uid == geteuid()) &&
	    (status->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return 0;
	return failure_set(why, FAILURE_DISK, FILE_NAME " can be written by others");
}

int
state_read(const char *directory, struct state *out_state, struct failure *why)
{
	struct secret text = { 0 };
	struct stat status;
	int descriptor = -1, result = -1;
	enum found found = directory_open_safe(directory, geteuid(), &descriptor, why);

	if (found == FOUND_FILE)
		found = file_read_at(descriptor, FILE_NAME, LIMIT_BYTES, &text, &status, why);
	if (found == FOUND_ABSENT) {
		*out_state = (struct state){ .directory = memory_text(directory) };
		result = 0;
	} else if (found == FOUND_FILE && check_owner(&status, why) == 0) {
		result = state_decode(text.bytes, text.size, out_state, why);
		if (result == 0)
			out_state->directory = memory_text(directory);
	}
	if (result == -1) {
		why->kind = FAILURE_INTERNAL;
		(void)failure_prefix(why, "state %s/" FILE_NAME, directory);
	}
	file_close(descriptor);
	secret_clear(&text);
	return result;
}

int
state_write(const char *directory, const struct state *state, struct failure *why)
{
	char *text = state_encode(state);
	const int result = directory_write(directory, FILE_NAME, text, 0600, why);

	free(text);
	if (result == -1)
		why->kind = FAILURE_INTERNAL;
	return result == -1 ? failure_prefix(why, "state") : 0;
}

int
state_remove_file(const char *directory, struct failure *why)
{
	return directory_remove_file(directory, FILE_NAME, why);
}

/* --- Certificates --- */

/* The index of the name, or where it would be put in. */
static size_t
place_of(const struct state *state, const char *name, bool *out_found)
{
	size_t low = 0, high = state->certificate_count;

	*out_found = false;
	while (low < high && !*out_found) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(name, state->certificates[middle].name);

		if (order > 0)
			low = middle + 1;
		else
			high = middle;
		*out_found = order == 0;
	}
	return high;
}

struct owned *
state_find(const struct state *state, const char *name)
{
	bool found;
	const size_t place = place_of(state, name, &found);

	return found ? &state->certificates[place] : NULL;
}

struct owned *
state_add(struct state *state, const char *name)
{
	bool found;
	const size_t place = place_of(state, name, &found);
	struct owned *owned;

	if (found)
		return &state->certificates[place];
	state->certificates = memory_grow(state->certificates, state->certificate_count + 1,
	    sizeof(*owned));
	owned = &state->certificates[place];
	memmove(owned + 1, owned, (state->certificate_count - place) * sizeof(*owned));
	state->certificate_count++;
	*owned = (struct owned){ .name = memory_text(name) };
	return owned;
}

static void
output_clear(struct output *output)
{
	free(output->path);
	*output = (struct output){ 0 };
}

static void
owned_clear(struct owned *owned)
{
	for (size_t i = 0; i < owned->output_count; i++)
		output_clear(&owned->outputs[i]);
	free(owned->outputs);
	free(owned->name);
	free(owned->judged_by);
	free(owned->refused.source);
	free(owned->refused.judged_by);
	free(owned->refused.words);
	free(owned->quarantine.words);
	free(owned->error);
	words_clear(&owned->services);
	*owned = (struct owned){ 0 };
}

void
state_remove(struct state *state, const char *name)
{
	bool found;
	const size_t place = place_of(state, name, &found);
	struct owned *owned = &state->certificates[place];

	if (!found)
		return;
	owned_clear(owned);
	state->certificate_count--;
	memmove(owned, owned + 1, (state->certificate_count - place) * sizeof(*owned));
}

void
owned_generations(const struct owned *owned, unsigned int out_numbers[OWNED_GENERATIONS])
{
	out_numbers[0] = owned->generation;
	out_numbers[1] = owned->intent;
	out_numbers[2] = owned->passed;
	out_numbers[3] = owned->candidate;
}

void
owned_set_problem(struct owned *owned, enum problem problem, const char *error, time_t now)
{
	char *words = problem != PROBLEM_NONE ? memory_text(error) : NULL;

	free(owned->error);
	owned->problem = problem;
	owned->error = words;
	owned->error_time = words != NULL ? now : 0;
}

static struct output *
find_output(const struct owned *owned, const char *path)
{
	for (size_t i = 0; i < owned->output_count; i++)
		if (strcmp(owned->outputs[i].path, path) == 0)
			return &owned->outputs[i];
	return NULL;
}

struct output *
owned_find_output(const struct owned *owned, const char *path)
{
	return owned != NULL ? find_output(owned, path) : NULL;
}

void
owned_add_output(struct owned *owned, const struct output *output)
{
	struct output *place = find_output(owned, output->path);
	char *path = memory_text(output->path);

	if (place == NULL) {
		owned->outputs =
		    memory_grow(owned->outputs, owned->output_count + 1, sizeof(*place));
		place = &owned->outputs[owned->output_count++];
	} else {
		free(place->path);
	}
	*place = *output;
	place->path = path;
}

void
owned_drop_output(struct owned *owned, const char *path)
{
	struct output *place = find_output(owned, path);

	if (place == NULL)
		return;
	output_clear(place);
	owned->output_count--;
	memmove(place, place + 1,
	    (size_t)(owned->outputs + owned->output_count - place) * sizeof(*place));
}

/* --- Services --- */

struct known_service *
state_find_service(const struct state *state, const char *name)
{
	for (size_t i = 0; i < state->service_count; i++)
		if (strcmp(state->services[i].service.name, name) == 0)
			return &state->services[i];
	return NULL;
}

static void
copy_service(struct service *service, const struct service *from)
{
	*service = *from;
	service->name = memory_text(from->name);
	service->unit = memory_text(from->unit);
	service->verify_host = memory_text(from->verify_host);
	service->verify_port = memory_text(from->verify_port);
	service->verify_sni = memory_text(from->verify_sni);
	words_copy(&service->active, &from->active);
	words_copy(&service->test, &from->test);
	words_copy(&service->reload, &from->reload);
	words_copy(&service->active_sysv, &from->active_sysv);
	words_copy(&service->reload_sysv, &from->reload_sysv);
}

struct known_service *
state_add_service(struct state *state, const struct service *service)
{
	struct known_service *known = state_find_service(state, service->name);
	struct service copy;
	size_t place = 0;

	copy_service(&copy, service);
	if (known != NULL) {
		service_clear(&known->service);
		known->service = copy;
		return known;
	}
	while (place < state->service_count &&
	    strcmp(state->services[place].service.name, service->name) < 0)
		place++;
	state->services = memory_grow(state->services, state->service_count + 1, sizeof(*known));
	known = &state->services[place];
	memmove(known + 1, known, (state->service_count - place) * sizeof(*known));
	state->service_count++;
	*known = (struct known_service){ .service = copy };
	return known;
}

static void
known_service_clear(struct known_service *known)
{
	service_clear(&known->service);
	free(known->serving);
	free(known->error);
	*known = (struct known_service){ 0 };
}

void
state_remove_service(struct state *state, const char *name)
{
	struct known_service *known = state_find_service(state, name);

	if (known == NULL)
		return;
	known_service_clear(known);
	state->service_count--;
	memmove(known, known + 1,
	    (size_t)(state->services + state->service_count - known) * sizeof(*known));
}

enum service_state
known_service_state(const struct known_service *service)
{
	if (service->unmanaged)
		return SERVICE_UNMANAGED;
	if (service->inactive)
		return SERVICE_INACTIVE;
	if (service->failed)
		return SERVICE_FAILED;
	return service->owed ? SERVICE_OWED : SERVICE_OK;
}

void
state_forget_future(struct state *state, time_t now)
{
	for (size_t i = 0; i < state->certificate_count; i++) {
		struct owned *owned = &state->certificates[i];

		if (owned->refused.time > now)
			owned->refused.version = (struct version){ 0 };
		if (owned->quarantine.until - now > owned->quarantine.pause)
			owned->quarantine.until = now;
	}
}

/* --- Adopted files --- */

struct adopted *
state_add_adopted(struct state *state, const struct adopted *take_adopted)
{
	struct adopted *place;

	state->adopted = memory_grow(state->adopted, state->adopted_count + 1, sizeof(*place));
	place = &state->adopted[state->adopted_count++];
	*place = *take_adopted;
	return place;
}

void
state_drop_adopted(struct state *state, struct adopted *adopted)
{
	free(adopted->path);
	free(adopted->kept);
	state->adopted_count--;
	memmove(adopted, adopted + 1,
	    (size_t)(state->adopted + state->adopted_count - adopted) * sizeof(*adopted));
}

void
wrapped_clear(struct wrapped *wrapped)
{
	free(wrapped->token);
	free(wrapped->error);
	free(wrapped->file);
	free(wrapped->digest);
	*wrapped = (struct wrapped){ 0 };
}

time_t
wrapped_expires(const struct wrapped *wrapped, const struct vault_settings *vault)
{
	return vault->auth == AUTH_APPROLE && wrapped->file != NULL &&
	    strcmp(wrapped->file, vault->secret_id_file) == 0 ? wrapped->expires : 0;
}

bool
wrapped_is_expiring(const struct wrapped *wrapped, const struct vault_settings *vault, time_t now)
{
	const time_t end = wrapped_expires(wrapped, vault);

	return end != 0 && now >= end - (end - wrapped->begins) / 3;
}

void
state_clear(struct state *state)
{
	for (size_t i = 0; i < state->certificate_count; i++)
		owned_clear(&state->certificates[i]);
	for (size_t i = 0; i < state->service_count; i++)
		known_service_clear(&state->services[i]);
	free(state->certificates);
	free(state->services);
	notes_clear(&state->notes);
	free(state->credentials);
	free(state->address);
	wrapped_clear(&state->wrapped);
	words_clear(&state->metrics_files);
	while (state->adopted_count != 0)
		state_drop_adopted(state, &state->adopted[state->adopted_count - 1]);
	free(state->adopted);
	free(state->directory);
	*state = (struct state){ 0 };
}
