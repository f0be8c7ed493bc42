/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "manifest-check.h"
#include "name.h"

/* One file that a certificate is to write outside the directory. */
struct output {
	const char *path;
	const char *key;
	unsigned int line;
	const struct entry *entry;
};

static unsigned int
line_of(const struct inifile_section *section, const char *key)
{
	const struct inifile_pair *pair = section != NULL ? inifile_find(section, key) : NULL;

	return pair != NULL ? pair->line : section != NULL ? section->line : 0;
}

static void
check_vault(const struct vault_settings *vault, const struct inifile_section *section,
    struct manifest_errors *errors)
{
	const unsigned int auth_line = line_of(section, "auth");

	/* An address that was given and is wrong was told already. */
	if (section == NULL || inifile_find(section, "address") == NULL)
		(void)manifest_errors_add(errors, line_of(section, "address"), "address: missing; "
		    "[vault] needs one, as in https://vault.example.com:8200");
	if (vault->auth == AUTH_TOKEN && vault->token_file == NULL)
		(void)manifest_errors_add(errors, auth_line, "auth: token needs token_file");
	if (vault->auth == AUTH_CERT && vault->client_cert_file == NULL)
		(void)manifest_errors_add(errors, auth_line, "auth: cert needs client_cert_file");
	if (vault->auth == AUTH_CERT && vault->client_key_file == NULL)
		(void)manifest_errors_add(errors, auth_line, "auth: cert needs client_key_file");
	if (vault->wrapped_secret_id_file != NULL &&
	    strcmp(vault->wrapped_secret_id_file, vault->secret_id_file) == 0)
		(void)manifest_errors_add(errors, line_of(section, "wrapped_secret_id_file"),
		    "wrapped_secret_id_file: %s is secret_id_file, into which it is unwrapped",
		    vault->secret_id_file);
}

static void
check_agent(const struct agent_settings *agent, const struct inifile_section *section,
    struct manifest_errors *errors)
{
	if (agent->critical > agent->warn)
		(void)manifest_errors_add(errors, line_of(section, "critical"), "critical: is more than "
		    "warn: a certificate would be critical before there was a warning");
}

static void
check_name(const struct entry *entry, const struct inifile_section *section,
    struct manifest_errors *errors)
{
	if (!manifest_name_is_valid(entry->name))
		(void)manifest_errors_add(errors, entry->line, "[certificate %s]: its NAME is up "
		    "to 253 letters, digits, `.`, `-` and `_`, no `.` or `-` at its beginning, "
		    "no `.` at its end", entry->name);
	else if (inifile_find(section, "names") == NULL && !name_is_valid(entry->names.items[0]))
		(void)manifest_errors_add(errors, entry->line, "[certificate %s]: the NAME is no "
		    "host name, so the certificate needs `names`", entry->name);
}

/* Whether `path` stands for something in the directory `above`, at any depth. */
static bool
is_below(const char *path, const char *above)
{
	const size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && path[length] == '/';
}

/* Files that are not certlet's to write, or not for this. */
static void
check_against_files(const struct output *output, const struct manifest *manifest,
    struct manifest_errors *errors)
{
	const struct vault_settings *vault = &manifest->vault;
	const struct {
		const char *path, *what;
	} files[] = {
		{ manifest->file, "the manifest" }, { manifest->agent.metrics_file, "metrics_file" },
		{ vault->role_id_file, "role_id_file" }, { vault->secret_id_file, "secret_id_file" },
		{ vault->wrapped_secret_id_file, "wrapped_secret_id_file" },
		{ vault->token_file, "token_file" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		if (files[i].path == NULL)
			continue;
		if (strcmp(output->path, files[i].path) == 0)
			(void)manifest_errors_add(errors, output->line, "%s: %s is %s; no output may "
			    "stand there", output->key, output->path, files[i].what);
		else if (is_below(files[i].path, output->path))
			(void)manifest_errors_add(errors, output->line, "%s: %s is a directory: %s, "
			    "%s, is in it", output->key, output->path, files[i].path, files[i].what);
		else
			continue;
		return;
	}
}

static void
check_against_directory(const struct output *output, const char *own,
    struct manifest_errors *errors)
{
	if (strcmp(output->path, own) == 0 || is_below(output->path, own))
		(void)manifest_errors_add(errors, output->line, "%s: %s is inside %s, where certlet "
		    "keeps its own files; no output may stand there", output->key, output->path, own);
	else if (is_below(own, output->path))
		(void)manifest_errors_add(errors, output->line, "%s: %s is a directory: %s is in it",
		    output->key, output->path, own);
}

/* One error is enough for what is in the way of several. */
static void
check_against_own(const struct output *output, const struct manifest *manifest,
    struct manifest_errors *errors)
{
	const struct agent_settings *agent = &manifest->agent;
	const size_t before = errors->count;
	char *live = memory_format("%s/live", agent->directory);
	char *archive = memory_format("%s/archive", agent->directory);
	const char *const directories[] = {
		live, archive, agent->state_directory, agent->run_directory,
	};

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		if (errors->count == before)
			check_against_directory(output, directories[i], errors);
	if (errors->count == before)
		check_against_files(output, manifest, errors);
	free(live);
	free(archive);
}

static void
check_metrics_file(const struct agent_settings *agent, const struct inifile_section *section,
    struct manifest_errors *errors)
{
	static const char key[] = "metrics_file";
	const struct output file = { agent->metrics_file, key, line_of(section, key), NULL };

	if (file.path != NULL)
		check_against_directory(&file, agent->directory, errors);
}

/* By path, a directory right before all that is in it; then by line. */
static int
compare_outputs(const void *a, const void *b)
{
	const struct output *x = a, *y = b;
	const char *p = x->path, *q = y->path;

	while (*p != '\0' && *p == *q) {
		p++;
		q++;
	}
	if (*p == *q)
		return x->line < y->line ? -1 : x->line > y->line;
	if (*p == '\0' || *q == '\0')
		return *p == '\0' ? -1 : 1;
	if (*p == '/' || *q == '/')
		return *p == '/' ? -1 : 1;
	return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
}

static void
tell_clash(const struct output *a, const struct output *b, struct manifest_errors *errors)
{
	const struct output *first = a->line < b->line ? a : b;
	const struct output *second = first == a ? b : a;

	if (strcmp(a->path, b->path) == 0)
		(void)manifest_errors_add(errors, second->line, "%s: %s is what %s of "
		    "[certificate %s] writes already, in line %u", second->key, second->path, first->key,
		    first->entry->name, first->line);
	else
		(void)manifest_errors_add(errors, second->line, "%s: %s and %s, which %s of "
		    "[certificate %s] writes in line %u, cannot both be: one is a directory of the "
		    "other", second->key, second->path, first->path, first->key, first->entry->name,
		    first->line);
}

static size_t
collect_outputs(const struct manifest_draft *draft, struct output *outputs)
{
	const struct manifest *manifest = draft->manifest;
	size_t count = 0;

	for (size_t i = 0; i < manifest->entry_count * PART_COUNT; i++) {
		const struct entry *entry = &manifest->entries[i / PART_COUNT];
		const struct inifile_section *section = draft->entry_sections[i / PART_COUNT];
		const char *key = part_path_keys[i % PART_COUNT];
		const char *path = entry->outputs[i % PART_COUNT];

		if (path != NULL)
			outputs[count++] = (struct output){ path, key, line_of(section, key), entry };
	}
	return count;
}

static void
check_outputs(const struct manifest_draft *draft, struct manifest_errors *errors)
{
	struct output *outputs = memory_new(draft->manifest->entry_count * PART_COUNT,
	    sizeof(*outputs));
	const size_t count = collect_outputs(draft, outputs);
	const struct output *top = NULL;	/* the last one that is below no other */

	if (count != 0)
		qsort(outputs, count, sizeof(*outputs), compare_outputs);
	for (size_t i = 0; i < count; i++) {
		check_against_own(&outputs[i], draft->manifest, errors);
		if (top != NULL && (strcmp(top->path, outputs[i].path) == 0 ||
		    is_below(outputs[i].path, top->path)))
			tell_clash(top, &outputs[i], errors);
		else
			top = &outputs[i];
	}
	free(outputs);
}

void
manifest_check(const struct manifest_draft *draft, struct manifest_errors *errors)
{
	const struct manifest *manifest = draft->manifest;

	check_vault(&manifest->vault, draft->vault, errors);
	check_agent(&manifest->agent, draft->agent, errors);
	check_metrics_file(&manifest->agent, draft->agent, errors);
	for (size_t i = 0; i < manifest->entry_count; i++)
		check_name(&manifest->entries[i], draft->entry_sections[i], errors);
	check_outputs(draft, errors);
}
