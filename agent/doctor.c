/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "credentials.h"
#include "directory.h"
#include "doctor.h"
#include "file.h"
#include "log.h"
#include "metrics.h"
#include "sandbox.h"
#include "service.h"
#include "store.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define READABLE_BY_OTHERS S_IROTH
#define READABLE_BY_GROUP (S_IRGRP | S_IROTH)

/* Every function below says what is lacking, a line each, and returns how many lines that were. */

static size_t
complain(const struct failure *why)
{
	log_error("%s", why->text);
	return 1;
}

/* --- Credentials --- */

/* `forbidden`: mode bits that give away a secret. */
static size_t
examine_file(const char *key, const char *path, mode_t forbidden)
{
	struct secret bytes = { 0 };
	struct stat status;
	struct failure why;
	size_t lacking = 0;

	if (path == NULL)
		return 0;
	switch (file_read_path(path, FILE_LIMIT_BYTES, &bytes, &status, &why)) {
	case FOUND_ABSENT:
		(void)failure_set(&why, FAILURE_SETUP, "%s %s: missing", key, path);
		lacking = complain(&why);
		break;
	case FOUND_FAILED:
		(void)failure_prefix(&why, "%s", key);
		lacking = complain(&why);
		break;
	case FOUND_FILE:
		secret_trim(&bytes);
		if (bytes.size == 0) {
			(void)failure_set(&why, FAILURE_SETUP, "%s %s: empty", key, path);
			lacking += complain(&why);
		}
		if ((status.st_mode & forbidden) != 0) {
			(void)failure_set(&why, FAILURE_SETUP, "%s %s: mode %04o lets %s read it",
			    key, path, (unsigned int)status.st_mode & 07777,
			    (status.st_mode & S_IROTH) != 0 ? "others" : "its group");
			lacking += complain(&why);
		}
		break;
	}
	secret_clear(&bytes);
	return lacking;
}

/* The next run makes the secret-id out of the wrapping token, if that is what there is. */
static size_t
examine_secret_id(const struct vault_settings *vault)
{
	const char *wrapped = vault->wrapped_secret_id_file;
	size_t lacking = 0;

	if (wrapped != NULL && access(wrapped, F_OK) == 0) {
		lacking += examine_file("wrapped_secret_id_file", wrapped, READABLE_BY_GROUP);
		if (access(vault->secret_id_file, F_OK) == -1)
			return lacking;
	}
	return lacking + examine_file("secret_id_file", vault->secret_id_file, READABLE_BY_GROUP);
}

static size_t
examine_credentials(const struct vault_settings *vault)
{
	struct secret ca = { 0 };
	struct failure why;
	size_t lacking = 0;

	if (credentials_read_ca(vault->ca_file, &ca, &why) == -1)
		lacking += complain(&why);
	secret_clear(&ca);
	switch (vault->auth) {
	case AUTH_APPROLE:
		lacking += examine_file("role_id_file", vault->role_id_file, 0);
		lacking += examine_secret_id(vault);
		break;
	case AUTH_CERT:
		lacking += examine_file("client_cert_file", vault->client_cert_file, 0);
		lacking += examine_file("client_key_file", vault->client_key_file,
		    READABLE_BY_OTHERS);
		break;
	case AUTH_TOKEN:
		lacking += examine_file("token_file", vault->token_file, READABLE_BY_GROUP);
		break;
	}
	return lacking;
}

/* --- Users and directories --- */

static size_t
examine_user(const char *name)
{
	struct sandbox sandbox;
	struct failure why;

	return sandbox_prepare(name, &sandbox, &why) == -1 ? complain(&why) : 0;
}

/* What came of opening a directory, which is closed again. */
static size_t
examine_opened(const char *key, enum found found, int directory, bool must_exist, struct failure *why)
{
	file_close(directory);
	if (found == FOUND_FILE || (found == FOUND_ABSENT && !must_exist))
		return 0;
	(void)failure_prefix(why, "%s", key);
	return complain(why);
}

static size_t
examine_directory(const char *key, const char *path)
{
	struct failure why;
	int directory = -1;
	const enum found found = directory_open_safe(path, geteuid(), &directory, &why);

	return examine_opened(key, found, directory, /* must_exist= */ false, &why);
}

/* The directory in which the file is to be. */
static size_t
examine_directory_of(const char *key, const char *path, uid_t trusted)
{
	struct failure why;
	const char *name;
	int directory = -1;
	const enum found found = directory_open_above(path, trusted, &directory, &name, &why);

	return examine_opened(key, found, directory, /* must_exist= */ true, &why);
}

static size_t
examine_metrics_file(const char *path)
{
	struct failure why;
	const char *name;
	int directory = -1;
	const enum found found = metrics_open_directory(path, &directory, &name, &why);

	return examine_opened("metrics_file", found, directory, /* must_exist= */ true, &why);
}

static size_t
examine_agent(const struct agent_settings *agent)
{
	size_t lacking = examine_user(agent->user);

	lacking += examine_directory("directory", agent->directory);
	lacking += examine_directory("state_directory", agent->state_directory);
	lacking += examine_directory("run_directory", agent->run_directory);
	if (agent->metrics_file != NULL)
		lacking += examine_metrics_file(agent->metrics_file);
	return lacking;
}

/* --- Certificates --- */

static size_t
examine_keeper(const struct entry *entry, struct keeper *out_keeper)
{
	struct failure why;

	if (store_find_keeper(entry, out_keeper, &why) == 0)
		return 0;
	(void)failure_prefix(&why, "certificate %s", entry->name);
	return complain(&why);
}

static size_t
examine_entry(const struct entry *entry)
{
	/* One at a time, since the first that is missing ends the search. */
	struct entry owner_alone = *entry, group_alone = *entry;
	struct keeper keeper = { .owner = geteuid() };
	size_t lacking = 0;
	char *where;

	group_alone.owner = NULL;
	lacking += examine_keeper(&group_alone, &keeper);
	owner_alone.group = NULL;
	lacking += examine_keeper(&owner_alone, &keeper);
	for (int part = 0; part < PART_COUNT; part++) {
		if (entry->outputs[part] == NULL)
			continue;
		where = memory_format("certificate %s: %s", entry->name, part_path_keys[part]);
		lacking += examine_directory_of(where, entry->outputs[part], keeper.owner);
		free(where);
	}
	where = memory_format("certificate %s: trust_file", entry->name);
	lacking += examine_file(where, entry->trust_file, 0);
	free(where);
	return lacking;
}

/* --- Services --- */

static size_t
examine_program(const struct service *service, const char *key, const struct words *command)
{
	struct failure why;

	if (command->count == 0 || access(command->items[0], X_OK) == 0)
		return 0;
	(void)failure_errno(&why, FAILURE_SETUP, "service %s: %s: %s", service->name, key,
	    command->items[0]);
	return complain(&why);
}

static size_t
examine_unit(const struct service *service)
{
	struct words command = { 0 };
	struct failure why;
	size_t lacking = 0;

	words_add(&command, SYSTEMCTL);
	words_add(&command, "cat");
	words_add(&command, "--");
	words_add(&command, service->unit);
	if (command_run(&command, service->timeout, NULL, NULL, &why) != COMMAND_PASSED) {
		(void)failure_set(&why, FAILURE_SETUP, "service %s: systemd knows no unit %s",
		    service->name, service->unit);
		lacking = complain(&why);
	}
	words_clear(&command);
	return lacking;
}

/* Just the commands that would run here: those of a section, or what stands in for them. */
static size_t
examine_service(const struct service *service)
{
	const bool systemd = service_systemd_runs();
	size_t lacking = examine_program(service, "test", &service->test);

	if (service->own_active)
		lacking += examine_program(service, "active", &service->active);
	else if (!systemd)
		lacking += examine_program(service, "active_sysv", &service->active_sysv);
	if (service->own_reload)
		lacking += examine_program(service, "reload", &service->reload);
	else if (!systemd)
		lacking += examine_program(service, "reload_sysv", &service->reload_sysv);
	if (systemd && !(service->own_active && service->own_reload))
		lacking += examine_unit(service);
	return lacking;
}

size_t
doctor_examine(const struct manifest *manifest)
{
	size_t lacking = examine_credentials(&manifest->vault) + examine_agent(&manifest->agent);

	for (size_t i = 0; i < manifest->entry_count; i++)
		lacking += examine_entry(&manifest->entries[i]);
	for (size_t i = 0; i < manifest->service_count; i++)
		lacking += examine_service(&manifest->services[i]);
	return lacking;
}
