/* SPDX-License-Identifier: ISC */
/*
 * manifest: what is wanted on this server, as Puppet or an administrator wrote it (DESIGN
 * section 4, certlet.ini.5).
 *
 * Reads the manifest and the shipped presets, nothing else: no user, directory or credential is
 * looked up here. A manifest with an error is none: all its errors are reported in one go.
 */
#ifndef CERTLET_MANIFEST_H
#define CERTLET_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "manifest-errors.h"
#include "memory.h"

/* The files of a generation, which are also what output paths can name. */
enum part { PART_CERT, PART_CHAIN, PART_FULLCHAIN, PART_KEY, PART_COMBINED, PART_COUNT };
/* "cert.pem", …, "privkey.pem", "combined.pem" */
extern const char *const part_file_names[PART_COUNT];
extern const char *const part_path_keys[PART_COUNT];	/* "cert_path", … */
bool part_is_private(enum part part);	/* holds the key: key_mode, 0600 by default */

enum auth { AUTH_APPROLE, AUTH_CERT, AUTH_TOKEN };
extern const char *const auth_names[];	/* "approle", "cert", "token" */
enum kv_version { KV_AUTO = 0, KV_1 = 1, KV_2 = 2 };

struct vault_settings {
	struct words addresses;		/* without a trailing slash */
	char *ca_file, *tls_server_name, *proxy;	/* NULL: none */
	char *namespace, *auth_namespace;	/* NULL: none; without slashes at the ends */
	enum auth auth;
	char *auth_mount;
	char *role_id_file, *secret_id_file, *token_file;
	char *wrapped_secret_id_file;	/* NULL: none */
	char *client_cert_file, *client_key_file, *cert_role;
	char *kv_mount, *pki_mount;
	enum kv_version kv_version;
	long timeout, deadline;		/* seconds */
};

struct agent_settings {
	char *directory, *state_directory, *run_directory;
	char *user;
	char *metrics_file;		/* NULL: none */
	long warn, critical, stale;	/* seconds */
	bool adopt;			/* of certificates that do not say */
};

enum source_kind { SOURCE_KV, SOURCE_PKI };
enum install { INSTALL_SYMLINK, INSTALL_COPY };

struct entry {			/* [certificate NAME] */
	char *name;
	unsigned int line;	/* of its header */
	enum source_kind source_kind;
	char *namespace, *mount, *path;	/* namespace NULL: none; path has no slash at its ends */
	enum kv_version kv_version;
	/* "kv:[NAMESPACE/]MOUNT/PATH": what state, origin and status.json call the source */
	char *source;
	struct words names;	/* every one must be covered by the SANs; lower case */
	bool any_name;		/* names = any */
	/* Field names of the KV secret, for cert, key, chain, fullchain; NULL: known layouts. */
	char *fields[PART_COUNT];
	bool fields_given;
	char *owner, *group;	/* names or numbers; NULL: not given (root, or who runs certlet) */
	mode_t cert_mode, key_mode;
	char *outputs[PART_COUNT];	/* cert_path …; NULL: none */
	bool combined;
	enum install install;
	bool adopt;		/* what stands at the path of an output is taken over */
	char *trust_file;	/* NULL: none */
	struct words services;	/* each is in manifest->services */
};

enum starttls { STARTTLS_NONE, STARTTLS_SMTP, STARTTLS_IMAP, STARTTLS_POP3 };

struct service {		/* [service NAME], laid over the preset of that name, key by key */
	char *name;
	char *unit;
	struct words active, test, reload;	/* argv; empty: see below */
	bool own_active, own_reload;	/* spelled out, not the systemctl default */
	struct words active_sysv, reload_sysv;
	/* host NULL: no verify; sni NULL: the certificate's */
	char *verify_host, *verify_port, *verify_sni;
	enum starttls verify_starttls;
	long timeout;		/* seconds, of each command and of verify */
};

struct manifest {
	char *file;
	struct stat status;		/* of that file, as it was read */
	struct vault_settings vault;
	struct agent_settings agent;
	struct entry *entries;		/* in the order of the manifest */
	size_t entry_count;
	/* All services that some entry lists: in the order of the manifest's [service] sections,
	 * then of first mention. */
	struct service *services;
	size_t service_count;
	const struct entry **by_name;	/* sorted, for manifest_find_entry() */
};

/*
 * Reads `file` and the presets (`presets_file` NULL: services.ini of the data directory). Returns
 * NULL when there is any error; *errors (starts as {0}) then holds all, sorted by line. Errors of
 * opening or reading the file are errors with line 0. A manifest without certificates is fine here:
 * sync refuses it, purge does not.
 */
struct manifest *manifest_read(const char *file, const char *presets_file,
    struct manifest_errors *errors);	/* caller frees */
/* What stands in for a missing one: the paths that are compiled in, and nothing wanted. */
struct manifest *manifest_compiled_in(const char *file);	/* caller frees */
void manifest_free(struct manifest *manifest);	/* NULL is allowed */

/*
 * The agent's directories even from a manifest with errors or a missing one: what could be read of
 * [agent], else what is compiled in. For --status and --check.
 */
void manifest_read_agent(const char *file, struct agent_settings *out_agent);
void agent_settings_clear(struct agent_settings *agent);
void service_clear(struct service *service);

const struct entry *manifest_find_entry(const struct manifest *manifest, const char *name);
const struct service *manifest_find_service(const struct manifest *manifest, const char *name);

/* The host name that NAME stands for, in lower case: "_wildcard.x" is "*.x". Caller frees. */
char *manifest_name_host(const char *name);
/* Whether NAME may name a certificate (DESIGN section 4), for the command line. */
bool manifest_name_is_valid(const char *name);

#endif
