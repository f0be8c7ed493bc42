/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "manifest-keys.h"
#include "manifest-value.h"
#include "name.h"

#define LONGEST_KEY 31
#define FARTHEST_TYPO 2

enum use {
	USE_LINE,	/* one line */
	USE_LINES,	/* a list or a command: may go on on indented lines */
	USE_LATER,	/* of a later version: only its default is accepted */
	USE_PKI,	/* the same, and for a pki: source only */
};

struct key {
	const char *name;
	int (*parse)(const struct inifile_pair *pair, void *field, struct manifest_errors *errors);
	size_t offset;		/* of the field; 0 where the parser knows the whole struct */
	enum use use;
	const char *fallback;	/* USE_LATER, USE_PKI: the default; NULL: none */
};

const char *const auth_names[] = {
	[AUTH_APPROLE] = "approle", [AUTH_CERT] = "cert", [AUTH_TOKEN] = "token", NULL
};

/* An enum, by its place among the names. */
static int
parse_choice(const struct inifile_pair *pair, const char *const names[], void *field,
    struct manifest_errors *errors)
{
	const int choice = value_choose(pair, names, errors);

	if (choice == -1)
		return -1;
	*(unsigned int *)field = (unsigned int)choice;
	return 0;
}

static int
parse_auth(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	return parse_choice(pair, auth_names, field, errors);
}

static int
parse_kv_version(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	static const char *const names[] = {
		[KV_AUTO] = "auto", [KV_1] = "1", [KV_2] = "2", NULL
	};

	return parse_choice(pair, names, field, errors);
}

static int
parse_install(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	static const char *const names[] = {
		[INSTALL_SYMLINK] = "symlink", [INSTALL_COPY] = "copy", NULL
	};

	return parse_choice(pair, names, field, errors);
}

static int
parse_source(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct entry *entry = field;
	const char *problem;

	if (strncmp(pair->value, "pki:", 4) == 0) {
		entry->source_kind = SOURCE_PKI;
		return value_wrong(pair, errors, "%s: pki: is not supported by this version",
		    pair->value);
	}
	if (strncmp(pair->value, "kv:", 3) != 0 || pair->value[3] == '\0')
		return value_wrong(pair, errors, "%s is neither kv:PATH nor pki:ROLE", pair->value);
	if ((problem = value_vault_path_problem(pair->value + 3)) != NULL)
		return value_wrong(pair, errors, "%s %s; as in kv:certs/www.example.com",
		    pair->value, problem);
	memory_replace(&entry->path, pair->value + 3);
	return 0;
}

static int
parse_names(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct entry *entry = field;
	struct words words;
	int result = 0;

	if (strcmp(pair->value, "any") == 0) {
		entry->any_name = true;
		return 0;
	}
	value_words(pair, &words);
	for (size_t i = 0; i < words.count; i++) {
		for (char *c = words.items[i]; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (strcmp(words.items[i], "any") == 0)
			result = value_wrong(pair, errors, "any stands alone, or is no name");
		else if (!name_is_valid(words.items[i]))
			result = value_wrong(pair, errors, "%s is no host name", words.items[i]);
	}
	if (value_unique(pair, &words, errors) == -1)
		result = -1;
	return value_keep_words(result, &words, &entry->names);
}

/* One of cert:FIELD key:FIELD chain:FIELD fullchain:FIELD. What is wrong; NULL: nothing. */
static const char *
read_field(const char *word, struct entry *entry)
{
	static const struct {
		const char *prefix;
		enum part part;
	} parts[] = {
		{ "cert:", PART_CERT }, { "key:", PART_KEY },
		{ "chain:", PART_CHAIN }, { "fullchain:", PART_FULLCHAIN },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		const size_t length = strlen(parts[i].prefix);

		if (strncmp(word, parts[i].prefix, length) != 0)
			continue;
		if (word[length] == '\0')
			return "names no field";
		if (entry->fields[parts[i].part] != NULL)
			return "is a second field for the same part";
		entry->fields[parts[i].part] = memory_text(word + length);
		return NULL;
	}
	return "is none of cert:FIELD, key:FIELD, chain:FIELD and fullchain:FIELD";
}

static int
parse_fields(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct entry *entry = field;
	struct words words;
	int result = 0;

	value_words(pair, &words);
	for (size_t i = 0; i < words.count; i++) {
		const char *problem = read_field(words.items[i], entry);

		if (problem != NULL)
			result = value_wrong(pair, errors, "%s %s", words.items[i], problem);
	}
	words_clear(&words);
	entry->fields_given = true;
	return result;
}

/* Whether each is a section or a preset is seen when all sections were read. */
static int
parse_services(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct words words;

	value_words(pair, &words);
	return value_keep_words(value_unique(pair, &words, errors), &words, field);
}

static int
parse_active(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct service *service = field;

	if (value_command(pair, &service->active, errors) == -1)
		return -1;
	service->own_active = true;
	return 0;
}

static int
parse_reload(const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	struct service *service = field;

	if (value_command(pair, &service->reload, errors) == -1)
		return -1;
	service->own_reload = true;
	return 0;
}

/* node_exporter reads no other, and says nothing of it. */
static int
parse_metrics_file(
    const struct inifile_pair *pair, void *field, struct manifest_errors *errors)
{
	static const char ending[] = ".prom";
	const size_t length = strlen(pair->value);

	if (length < sizeof(ending) || strcmp(pair->value + length - strlen(ending), ending) != 0 ||
	    pair->value[length - sizeof(ending)] == '/')
		return value_wrong(pair, errors, "%s does not end in .prom: node_exporter would not "
		    "read it", pair->value);
	return value_path(pair, field, errors);
}

#define VAULT(field) offsetof(struct vault_settings, field)
#define AGENT(field) offsetof(struct agent_settings, field)
#define ENTRY(field) offsetof(struct entry, field)
#define SERVICE(field) offsetof(struct service, field)

static const struct key vault_keys[] = {
	{ "address", value_addresses, VAULT(addresses), USE_LINES, NULL },
	{ "ca_file", value_path, VAULT(ca_file), USE_LINE, NULL },
	{ "tls_server_name", value_host_name, VAULT(tls_server_name), USE_LINE, NULL },
	{ "proxy", value_proxy, VAULT(proxy), USE_LINE, NULL },
	{ "namespace", value_mount, VAULT(namespace), USE_LINE, NULL },
	{ "auth_namespace", value_mount, VAULT(auth_namespace), USE_LINE, NULL },
	{ "auth", parse_auth, VAULT(auth), USE_LINE, NULL },
	{ "auth_mount", value_mount, VAULT(auth_mount), USE_LINE, NULL },
	{ "role_id_file", value_path, VAULT(role_id_file), USE_LINE, NULL },
	{ "secret_id_file", value_path, VAULT(secret_id_file), USE_LINE, NULL },
	{ "wrapped_secret_id_file", value_path, VAULT(wrapped_secret_id_file), USE_LINE, NULL },
	{ "client_cert_file", value_path, VAULT(client_cert_file), USE_LINE, NULL },
	{ "client_key_file", value_path, VAULT(client_key_file), USE_LINE, NULL },
	{ "cert_role", value_word, VAULT(cert_role), USE_LINE, NULL },
	{ "token_file", value_path, VAULT(token_file), USE_LINE, NULL },
	{ "kv_mount", value_mount, VAULT(kv_mount), USE_LINE, NULL },
	{ "kv_version", parse_kv_version, VAULT(kv_version), USE_LINE, NULL },
	{ "pki_mount", value_mount, VAULT(pki_mount), USE_LINE, NULL },
	{ "timeout", value_long_duration, VAULT(timeout), USE_LINE, NULL },
	{ "deadline", value_long_duration, VAULT(deadline), USE_LINE, NULL },
};

static const struct key agent_keys[] = {
	{ "directory", value_path, AGENT(directory), USE_LINE, NULL },
	{ "state_directory", value_path, AGENT(state_directory), USE_LINE, NULL },
	{ "run_directory", value_path, AGENT(run_directory), USE_LINE, NULL },
	{ "user", value_account, AGENT(user), USE_LINE, NULL },
	{ "metrics_file", parse_metrics_file, AGENT(metrics_file), USE_LINE, NULL },
	{ "warn", value_duration, AGENT(warn), USE_LINE, NULL },
	{ "critical", value_duration, AGENT(critical), USE_LINE, NULL },
	{ "stale", value_long_duration, AGENT(stale), USE_LINE, NULL },
	{ "adopt", value_boolean, AGENT(adopt), USE_LINE, NULL },
	{ "wait", NULL, 0, USE_LATER, "0s" },
	{ "window", NULL, 0, USE_LATER, "always" },
};

static const struct key certificate_keys[] = {
	{ "source", parse_source, 0, USE_LINE, NULL },
	{ "kv_mount", value_mount, ENTRY(mount), USE_LINE, NULL },
	{ "kv_version", parse_kv_version, ENTRY(kv_version), USE_LINE, NULL },
	{ "pki_mount", NULL, 0, USE_PKI, "pki" },
	{ "namespace", value_mount, ENTRY(namespace), USE_LINE, NULL },
	{ "names", parse_names, 0, USE_LINES, NULL },
	{ "fields", parse_fields, 0, USE_LINES, NULL },
	{ "owner", value_account, ENTRY(owner), USE_LINE, NULL },
	{ "group", value_account, ENTRY(group), USE_LINE, NULL },
	{ "cert_mode", value_mode, ENTRY(cert_mode), USE_LINE, NULL },
	{ "key_mode", value_key_mode, ENTRY(key_mode), USE_LINE, NULL },
	{ "cert_path", value_path, ENTRY(outputs[PART_CERT]), USE_LINE, NULL },
	{ "key_path", value_path, ENTRY(outputs[PART_KEY]), USE_LINE, NULL },
	{ "chain_path", value_path, ENTRY(outputs[PART_CHAIN]), USE_LINE, NULL },
	{ "fullchain_path", value_path, ENTRY(outputs[PART_FULLCHAIN]), USE_LINE, NULL },
	{ "combined_path", value_path, ENTRY(outputs[PART_COMBINED]), USE_LINE, NULL },
	{ "combined", value_boolean, ENTRY(combined), USE_LINE, NULL },
	{ "pkcs12_path", NULL, 0, USE_LATER, NULL },
	{ "pkcs12_password_file", NULL, 0, USE_LATER, NULL },
	{ "install", parse_install, ENTRY(install), USE_LINE, NULL },
	{ "trust_file", value_path, ENTRY(trust_file), USE_LINE, NULL },
	{ "services", parse_services, ENTRY(services), USE_LINES, NULL },
	{ "adopt", value_boolean, ENTRY(adopt), USE_LINE, NULL },
	{ "wait", NULL, 0, USE_LATER, "0s" },
	{ "window", NULL, 0, USE_LATER, "always" },
	{ "ttl", NULL, 0, USE_PKI, NULL },
	{ "key_type", NULL, 0, USE_PKI, "ec-p256" },
	{ "ip_names", NULL, 0, USE_PKI, NULL },
	{ "renew", NULL, 0, USE_PKI, "2/3" },
	{ "revoke", NULL, 0, USE_PKI, "no" },
};

static const struct key service_keys[] = {
	{ "unit", value_unit, SERVICE(unit), USE_LINE, NULL },
	{ "active", parse_active, 0, USE_LINES, NULL },
	{ "active_sysv", value_command, SERVICE(active_sysv), USE_LINES, NULL },
	{ "test", value_command, SERVICE(test), USE_LINES, NULL },
	{ "reload", parse_reload, 0, USE_LINES, NULL },
	{ "reload_sysv", value_command, SERVICE(reload_sysv), USE_LINES, NULL },
	{ "verify", value_verify, 0, USE_LINE, NULL },
	{ "timeout", value_long_duration, SERVICE(timeout), USE_LINE, NULL },
	{ "window", NULL, 0, USE_LATER, "always" },
};

#define KEYS(table) table, sizeof(table) / sizeof(*(table))

static const struct section_type {
	const char *name;
	bool named;	/* [certificate NAME] */
	const struct key *keys;
	size_t key_count;
} section_types[SECTION_KINDS] = {
	[SECTION_VAULT] = { "vault", false, KEYS(vault_keys) },
	[SECTION_AGENT] = { "agent", false, KEYS(agent_keys) },
	[SECTION_CERTIFICATE] = { "certificate", true, KEYS(certificate_keys) },
	[SECTION_SERVICE] = { "service", true, KEYS(service_keys) },
};

int
manifest_keys_kind(const struct inifile_section *section, enum section_kind *out_kind,
    struct manifest_errors *errors)
{
	for (int kind = 0; kind < SECTION_KINDS; kind++) {
		const struct section_type *type = &section_types[kind];

		if (strcmp(section->kind, type->name) != 0)
			continue;
		if (type->named != (section->name != NULL))
			return manifest_errors_add(errors, section->line, type->named ?
			    "[%s] lacks its NAME: [%s NAME]" : "[%s] takes no NAME: [%s]",
			    section->title, type->name);
		*out_kind = (enum section_kind)kind;
		return 0;
	}
	return manifest_errors_add(errors, section->line, "[%s] is no section; there are [vault], "
	    "[agent], [certificate NAME], [service NAME] and [end]", section->title);
}

static size_t
smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many characters must be changed, added or taken away (Levenshtein); `b` is a key. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[LONGEST_KEY + 2];
	const size_t length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 1; *a != '\0'; i++, a++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= length; j++) {
			const size_t above = row[j];

			row[j] = smaller(corner + (*a != b[j - 1]), 1 + smaller(above, row[j - 1]));
			corner = above;
		}
	}
	return row[length];
}

static void
tell_unknown(const struct section_type *type, const struct inifile_pair *pair,
    struct manifest_errors *errors)
{
	size_t nearest = FARTHEST_TYPO + 1;
	const char *meant = NULL;

	for (size_t i = 0; i < type->key_count; i++) {
		const size_t away = distance(pair->key, type->keys[i].name);

		if (away < nearest && away < strlen(type->keys[i].name) / 2) {
			nearest = away;
			meant = type->keys[i].name;
		}
	}
	(void)manifest_errors_add(errors, pair->line, "%s: is no key of [%s%s]%s%s%s", pair->key,
	    type->name, type->named ? " NAME" : "", meant != NULL ? "; did you mean " : "",
	    meant != NULL ? meant : "", meant != NULL ? "?" : "");
}

static const struct key *
find_key(const struct section_type *type, const char *name)
{
	for (size_t i = 0; i < type->key_count; i++)
		if (strcmp(type->keys[i].name, name) == 0)
			return &type->keys[i];
	return NULL;
}

static void
apply(const struct key *key, const struct inifile_pair *pair, void *fields,
    struct manifest_errors *errors)
{
	if (*pair->value == '\0')
		(void)value_wrong(pair, errors, "has no value; without the line the default holds");
	else if (key->use != USE_LINES && strchr(pair->value, '\n') != NULL)
		(void)value_wrong(pair, errors, "goes on on an indented line, which only a list or "
		    "a command may");
	else if (key->parse != NULL)
		(void)key->parse(pair, (char *)fields + key->offset, errors);
	else if (key->fallback == NULL)
		(void)value_wrong(pair, errors, "is not supported by this version");
	else if (strcmp(pair->value, key->fallback) != 0)
		(void)value_wrong(pair, errors, "%s is not supported by this version, only its "
		    "default %s", pair->value, key->fallback);
}

/* Looked up, because the source may stand below the key that depends on it. */
static bool
is_kv(const struct inifile_section *section)
{
	const struct inifile_pair *source = inifile_find(section, "source");

	return source == NULL || strncmp(source->value, "pki:", 4) != 0;
}

void
manifest_keys_apply(enum section_kind kind, const struct inifile_section *section, void *fields,
    struct manifest_errors *errors)
{
	const struct section_type *type = &section_types[kind];

	for (size_t i = 0; i < section->pair_count; i++) {
		const struct inifile_pair *pair = &section->pairs[i];
		const struct key *key = find_key(type, pair->key);

		if (key == NULL)
			tell_unknown(type, pair, errors);
		else if (key->use == USE_PKI && is_kv(section))
			(void)value_wrong(pair, errors, "is for a pki: source only");
		else
			apply(key, pair, fields, errors);
	}
}
