/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "manifest-keys.h"
#include "manifest-services.h"
#include "manifest-value.h"
#include "set.h"

#define SYSTEMCTL "/usr/bin/systemctl"
#define DEFAULT_TIMEOUT_SECONDS 30

struct presets {
	const char *file;
	enum inifile_answer answer;
	struct inifile inifile;
	struct manifest_errors errors;	/* with the line numbers of its own file */
};

void
service_clear(struct service *service)
{
	free(service->name);
	free(service->unit);
	words_clear(&service->active);
	words_clear(&service->test);
	words_clear(&service->reload);
	words_clear(&service->active_sysv);
	words_clear(&service->reload_sysv);
	free(service->verify_host);
	free(service->verify_port);
	free(service->verify_sni);
	*service = (struct service){ 0 };
}

void
manifest_services_clear(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->service_count; i++)
		service_clear(&manifest->services[i]);
	free(manifest->services);
	manifest->services = NULL;
	manifest->service_count = 0;
}

static const struct inifile_section *
find_preset(const struct presets *presets, const char *name)
{
	for (size_t i = 0; i < presets->inifile.section_count; i++) {
		const struct inifile_section *section = &presets->inifile.sections[i];

		if (strcmp(section->kind, "service") == 0 && section->name != NULL &&
		    strcmp(section->name, name) == 0)
			return section;
	}
	return NULL;
}

static void
set_systemctl(struct words *words, const char *verb, const char *option, const char *unit)
{
	words_add(words, SYSTEMCTL);
	words_add(words, verb);
	if (option != NULL)
		words_add(words, option);
	words_add(words, unit);
}

/* Either section may be NULL. */
static void
build(struct service *out_service, const char *name, struct presets *presets,
    const struct inifile_section *section, struct manifest_errors *errors)
{
	const struct inifile_section *preset = find_preset(presets, name);
	struct service service = {
		.name = memory_text(name), .timeout = DEFAULT_TIMEOUT_SECONDS,
	};

	if (preset != NULL)
		manifest_keys_apply(SECTION_SERVICE, preset, &service, &presets->errors);
	if (section != NULL)
		manifest_keys_apply(SECTION_SERVICE, section, &service, errors);
	if (service.unit == NULL)
		service.unit = memory_format("%s.service", name);
	if (!service.own_active)
		set_systemctl(&service.active, "is-active", "--quiet", service.unit);
	if (!service.own_reload)
		set_systemctl(&service.reload, "reload", NULL, service.unit);
	*out_service = service;
}

static struct service *
add(struct manifest *manifest)
{
	manifest->services = memory_grow(manifest->services, manifest->service_count + 1,
	    sizeof(*manifest->services));
	return &manifest->services[manifest->service_count++];
}

/* The [service] sections: judged all, kept if listed. Names that are there go to `known`. */
static void
read_sections(struct manifest *manifest, const struct inifile *inifile, const struct set *listed,
    struct presets *presets, struct set *known, struct manifest_errors *errors)
{
	for (size_t i = 0; i < inifile->section_count; i++) {
		const struct inifile_section *section = &inifile->sections[i];
		struct service service;

		if (strcmp(section->kind, "service") != 0 || section->name == NULL)
			continue;
		if (!value_is_name(section->name, "@:"))
			(void)manifest_errors_add(errors, section->line, "[%s]: its NAME is "
			    "letters, digits, `.`, `-`, `_`, `@` and `:`", section->title);
		build(&service, section->name, presets, section, errors);
		set_add(known, section->name, section->line, NULL);
		if (set_find(listed, section->name) != NULL)
			*add(manifest) = service;
		else
			service_clear(&service);
	}
}

static void
tell_missing(const char *name, const struct presets *presets, unsigned int line,
    struct manifest_errors *errors)
{
	(void)manifest_errors_add(errors, line, "services: %s is neither a [service %s] of this "
	    "manifest nor a preset of %s%s", name, name, presets->file,
	    presets->answer == INIFILE_ABSENT ? ", which does not exist" : "");
}

/* The listed services that have no section here: presets alone. */
static void
read_mentions(const struct manifest_draft *draft, struct presets *presets, struct set *known,
    struct manifest_errors *errors)
{
	for (size_t i = 0; i < draft->manifest->entry_count; i++) {
		const struct words *names = &draft->manifest->entries[i].services;
		const struct inifile_pair *mention =
		    inifile_find(draft->entry_sections[i], "services");

		for (size_t j = 0; j < names->count; j++) {
			const char *name = names->items[j];

			if (set_find(known, name) != NULL)
				continue;
			if (find_preset(presets, name) != NULL) {
				build(add(draft->manifest), name, presets, NULL, errors);
				set_add(known, name, 0, NULL);
			} else if (presets->answer != INIFILE_FAILED) {
				tell_missing(name, presets, mention->line, errors);
			}
		}
	}
}

static void
read_presets(struct presets *presets)
{
	presets->answer = inifile_read(presets->file, &presets->inifile, &presets->errors);
	if (presets->answer == INIFILE_ABSENT)
		manifest_errors_clear(&presets->errors);
	for (size_t i = 0; i < presets->inifile.section_count; i++) {
		const struct inifile_section *section = &presets->inifile.sections[i];

		if (strcmp(section->kind, "service") != 0 || section->name == NULL)
			(void)manifest_errors_add(&presets->errors, section->line,
			    "[%s] among the presets; there are only [service NAME]",
			    section->title);
	}
}

void
manifest_services_read(const struct manifest_draft *draft, const struct inifile *inifile,
    const char *presets_file, struct manifest_errors *errors)
{
	struct presets presets = { .file = presets_file, .answer = INIFILE_ABSENT };
	const struct manifest *manifest = draft->manifest;
	struct set listed = { 0 }, known = { 0 };

	for (size_t i = 0; i < manifest->entry_count; i++)
		for (size_t j = 0; j < manifest->entries[i].services.count; j++)
			set_add(&listed, manifest->entries[i].services.items[j], i, NULL);
	if (listed.count != 0)
		read_presets(&presets);
	read_sections(draft->manifest, inifile, &listed, &presets, &known, errors);
	read_mentions(draft, &presets, &known, errors);
	manifest_errors_add_file(errors, presets.file, &presets.errors);
	manifest_errors_clear(&presets.errors);
	inifile_clear(&presets.inifile);
	set_clear(&listed);
	set_clear(&known);
}
