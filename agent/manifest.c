/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "manifest-check.h"
#include "manifest-keys.h"
#include "manifest-services.h"
#include "manifest-value.h"
#include "manifest.h"
#include "paths.h"

#define DAY_SECONDS 86400L
#define WILDCARD_PREFIX "_wildcard."

const char *const part_file_names[PART_COUNT] = {
	[PART_CERT] = "cert.pem", [PART_CHAIN] = "chain.pem", [PART_FULLCHAIN] = "fullchain.pem",
	[PART_KEY] = "privkey.pem", [PART_COMBINED] = "combined.pem",
};

const char *const part_path_keys[PART_COUNT] = {
	[PART_CERT] = "cert_path", [PART_CHAIN] = "chain_path", [PART_FULLCHAIN] = "fullchain_path",
	[PART_KEY] = "key_path", [PART_COMBINED] = "combined_path",
};

bool
part_is_private(enum part part)
{
	return part == PART_KEY || part == PART_COMBINED;
}

bool
manifest_name_is_valid(const char *name)
{
	return value_is_name(name, "");
}

static void
start_vault(struct vault_settings *vault)
{
	*vault = (struct vault_settings){
		.auth = AUTH_APPROLE,
		.role_id_file = memory_text(CERTLET_SYSCONFDIR "/role-id"),
		.secret_id_file = memory_text(CERTLET_SYSCONFDIR "/secret-id"),
		.kv_mount = memory_text("secret"), .kv_version = KV_AUTO,
		.pki_mount = memory_text("pki"),
		.timeout = 10, .deadline = 5 * 60,
	};
}

/* The defaults that depend on what was given. */
static void
finish_vault(struct vault_settings *vault)
{
	if (vault->auth_mount == NULL)
		vault->auth_mount = memory_text(auth_names[vault->auth]);
	if (vault->auth_namespace == NULL)
		vault->auth_namespace = memory_text(vault->namespace);
}

static void
start_agent(struct agent_settings *agent)
{
	*agent = (struct agent_settings){
		.directory = memory_text(CERTLET_SYSCONFDIR),
		.state_directory = memory_text(CERTLET_STATEDIR),
		.run_directory = memory_text(CERTLET_RUNDIR),
		.user = memory_text("certlet"),
		.warn = 25 * DAY_SECONDS, .critical = 7 * DAY_SECONDS, .stale = DAY_SECONDS,
	};
}

static void
start_entry(struct entry *entry, const struct inifile_section *section,
    const struct manifest *manifest)
{
	const struct vault_settings *vault = &manifest->vault;

	*entry = (struct entry){
		.name = memory_text(section->name), .line = section->line,
		.source_kind = SOURCE_KV, .namespace = memory_text(vault->namespace),
		.mount = memory_text(vault->kv_mount), .kv_version = vault->kv_version,
		.cert_mode = 0644, .key_mode = 0600, .install = INSTALL_SYMLINK,
		.adopt = manifest->agent.adopt,
	};
}

char *
manifest_name_host(const char *name)
{
	const bool wildcard = strncmp(name, WILDCARD_PREFIX, strlen(WILDCARD_PREFIX)) == 0;
	char *host = wildcard ? memory_format("*.%s", name + strlen(WILDCARD_PREFIX)) :
	    memory_text(name);

	for (char *c = host; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return host;
}

static void
set_default_name(struct entry *entry)
{
	char *name = manifest_name_host(entry->name);

	words_add(&entry->names, name);
	free(name);
}

static void
finish_entry(struct entry *entry)
{
	if (entry->path == NULL)
		entry->path = memory_format("certs/%s", entry->name);
	entry->source = memory_format("kv:%s%s%s/%s",
	    entry->namespace != NULL ? entry->namespace : "", entry->namespace != NULL ? "/" : "",
	    entry->mount, entry->path);
	if (entry->names.count == 0 && !entry->any_name)
		set_default_name(entry);
	if (entry->outputs[PART_COMBINED] != NULL)
		entry->combined = true;
}

static void
vault_clear(struct vault_settings *vault)
{
	words_clear(&vault->addresses);
	free(vault->ca_file);
	free(vault->tls_server_name);
	free(vault->proxy);
	free(vault->namespace);
	free(vault->auth_namespace);
	free(vault->auth_mount);
	free(vault->role_id_file);
	free(vault->secret_id_file);
	free(vault->wrapped_secret_id_file);
	free(vault->token_file);
	free(vault->client_cert_file);
	free(vault->client_key_file);
	free(vault->cert_role);
	free(vault->kv_mount);
	free(vault->pki_mount);
	*vault = (struct vault_settings){ 0 };
}

void
agent_settings_clear(struct agent_settings *agent)
{
	free(agent->directory);
	free(agent->state_directory);
	free(agent->run_directory);
	free(agent->user);
	free(agent->metrics_file);
	*agent = (struct agent_settings){ 0 };
}

static void
entry_clear(struct entry *entry)
{
	free(entry->name);
	free(entry->namespace);
	free(entry->mount);
	free(entry->path);
	free(entry->source);
	words_clear(&entry->names);
	for (int part = 0; part < PART_COUNT; part++) {
		free(entry->fields[part]);
		free(entry->outputs[part]);
	}
	free(entry->owner);
	free(entry->group);
	free(entry->trust_file);
	words_clear(&entry->services);
	*entry = (struct entry){ 0 };
}

void
manifest_free(struct manifest *manifest)
{
	if (manifest == NULL)
		return;
	for (size_t i = 0; i < manifest->entry_count; i++)
		entry_clear(&manifest->entries[i]);
	free(manifest->entries);
	free(manifest->by_name);
	manifest_services_clear(manifest);
	vault_clear(&manifest->vault);
	agent_settings_clear(&manifest->agent);
	free(manifest->file);
	free(manifest);
}

/* [vault] and [agent], which the certificates below or above them take defaults from. */
static void
read_settings(struct manifest_draft *draft, const struct inifile *inifile,
    struct manifest_errors *errors)
{
	struct manifest *manifest = draft->manifest;

	start_vault(&manifest->vault);
	start_agent(&manifest->agent);
	for (size_t i = 0; i < inifile->section_count; i++) {
		const struct inifile_section *section = &inifile->sections[i];
		enum section_kind kind;

		if (manifest_keys_kind(section, &kind, errors) == -1)
			continue;
		if (kind == SECTION_AGENT) {
			manifest_keys_apply(kind, section, &manifest->agent, errors);
			draft->agent = section;
		}
		if (kind == SECTION_VAULT) {
			manifest_keys_apply(kind, section, &manifest->vault, errors);
			draft->vault = section;
		}
	}
	finish_vault(&manifest->vault);
}

static void
read_entries(struct manifest_draft *draft, const struct inifile *inifile,
    struct manifest_errors *errors)
{
	struct manifest *manifest = draft->manifest;

	manifest->entries = memory_new(inifile->section_count, sizeof(*manifest->entries));
	draft->entry_sections = memory_new(inifile->section_count, sizeof(*draft->entry_sections));
	for (size_t i = 0; i < inifile->section_count; i++) {
		const struct inifile_section *section = &inifile->sections[i];
		struct entry *entry = &manifest->entries[manifest->entry_count];

		if (strcmp(section->kind, "certificate") != 0 || section->name == NULL)
			continue;
		draft->entry_sections[manifest->entry_count++] = section;
		start_entry(entry, section, manifest);
		manifest_keys_apply(SECTION_CERTIFICATE, section, entry, errors);
		finish_entry(entry);
	}
}

static int
compare_entries(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void
sort_by_name(struct manifest *manifest)
{
	manifest->by_name = memory_new(manifest->entry_count, sizeof(*manifest->by_name));
	for (size_t i = 0; i < manifest->entry_count; i++)
		manifest->by_name[i] = &manifest->entries[i];
	qsort(manifest->by_name, manifest->entry_count, sizeof(*manifest->by_name),
	    compare_entries);
}

struct manifest *
manifest_read(const char *file, const char *presets_file, struct manifest_errors *errors)
{
	struct manifest_draft draft = { 0 };
	struct inifile inifile;
	const enum inifile_answer answer = inifile_read(file, &inifile, errors);

	errors->absent = answer == INIFILE_ABSENT;
	if (answer != INIFILE_READ)
		return NULL;
	draft.manifest = memory_new(1, sizeof(*draft.manifest));
	draft.manifest->file = memory_text(file);
	draft.manifest->status = inifile.status;
	read_settings(&draft, &inifile, errors);
	read_entries(&draft, &inifile, errors);
	manifest_services_read(&draft, &inifile,
	    presets_file != NULL ? presets_file : CERTLET_PRESETS, errors);
	manifest_check(&draft, errors);
	sort_by_name(draft.manifest);
	inifile_clear(&inifile);
	free(draft.entry_sections);
	if (errors->count == 0)
		return draft.manifest;
	manifest_errors_sort(errors);
	manifest_free(draft.manifest);
	return NULL;
}

struct manifest *
manifest_compiled_in(const char *file)
{
	struct manifest *manifest = memory_new(1, sizeof(*manifest));

	manifest->file = memory_text(file);
	start_vault(&manifest->vault);
	start_agent(&manifest->agent);
	sort_by_name(manifest);
	return manifest;
}

void
manifest_read_agent(const char *file, struct agent_settings *out_agent)
{
	struct manifest_errors told_elsewhere = { 0 };
	struct inifile inifile;

	start_agent(out_agent);
	(void)inifile_read(file, &inifile, &told_elsewhere);
	for (size_t i = 0; i < inifile.section_count; i++)
		if (strcmp(inifile.sections[i].title, "agent") == 0)
			manifest_keys_apply(SECTION_AGENT, &inifile.sections[i], out_agent,
			    &told_elsewhere);
	inifile_clear(&inifile);
	manifest_errors_clear(&told_elsewhere);
}

const struct entry *
manifest_find_entry(const struct manifest *manifest, const char *name)
{
	const struct entry wanted = { .name = (char *)name }, *key = &wanted;
	const struct entry **found = bsearch(&key, manifest->by_name, manifest->entry_count,
	    sizeof(*manifest->by_name), compare_entries);

	return found != NULL ? *found : NULL;
}

const struct service *
manifest_find_service(const struct manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->service_count; i++)
		if (strcmp(manifest->services[i].name, name) == 0)
			return &manifest->services[i];
	return NULL;
}
