/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox-layers.h"

/*
 * The kernel's interface (landlock(7), Documentation/userspace-api/landlock.rst) as of ABI 6, since
 * the headers that this is built with may know less than the kernel that it runs on. System call
 * numbers from 424 on are the same on every architecture.
 */
#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446

#define RULE_PATH 1
#define RULE_PORT 2

#define FS_READ_FILE (1ULL << 2)
#define FS_READ_DIRECTORY (1ULL << 3)
#define NET_BIND (1ULL << 0)
#define NET_CONNECT (1ULL << 1)
#define SCOPE_ABSTRACT_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

#define DNS_PORT 53

struct ruleset {
	uint64_t fs, net, scope;
};

struct port_rule {
	uint64_t access, port;
};

/* All that an ABI can forbid for files: each one added rights at the upper end. */
static uint64_t
file_rights(int abi)
{
	static const int counts[] = { 0, 13, 14, 15, 15, 16 };
	const int last = sizeof(counts) / sizeof(*counts) - 1;

	return (1ULL << counts[abi < last ? abi : last]) - 1;
}

int
landlock_abi(void)
{
	const long abi = syscall(CREATE_RULESET, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

/* What does not exist on this machine need not be allowed. */
static bool
allow_path(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = FS_READ_FILE };
	struct stat status;
	bool done;

	if ((rule.parent_fd = open(path, O_PATH | O_CLOEXEC)) == -1)
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
	if (fstat(rule.parent_fd, &status) == 0 && S_ISDIR(status.st_mode))
		rule.allowed_access |= FS_READ_DIRECTORY;
	done = syscall(ADD_RULE, ruleset, RULE_PATH, &rule, 0) == 0;
	(void)close(rule.parent_fd);
	return done;
}

/* resolv.conf is often a link, and its target replaced by rename: the directory is what lasts. */
static bool
allow_resolver(int ruleset)
{
	char path[PATH_MAX], *slash;

	if (realpath("/etc/resolv.conf", path) == NULL || (slash = strrchr(path, '/')) == path)
		return true;
	*slash = '\0';
	return strcmp(path, "/etc") == 0 || allow_path(ruleset, path);
}

/*
 * To resolve names, to speak TLS, and to load what the libraries load for either. Never /etc as a
 * whole: rules cannot subtract, and secrets live there.
 */
static bool
allow_files(int ruleset)
{
	static const char *const paths[] = {
		"/usr", "/lib", "/lib64",
		"/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/host.conf",
		"/etc/gai.conf", "/etc/services",
		"/etc/crypto-policies", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki",
		/* where those lead to on Arch and on SUSE */
		"/etc/ca-certificates/extracted", "/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!allow_path(ruleset, paths[i]))
			return false;
	return allow_resolver(ruleset);
}

static bool
allow_port(int ruleset, uint16_t port)
{
	const struct port_rule rule = { NET_CONNECT, port };

	return syscall(ADD_RULE, ruleset, RULE_PORT, &rule, 0) == 0;
}

static bool
allow_ports(int ruleset, const struct sandbox_ports *ports)
{
	for (size_t i = 0; i < ports->count; i++)
		if (!allow_port(ruleset, ports->items[i]))
			return false;
	return allow_port(ruleset, DNS_PORT);
}

bool
landlock_enter(int abi, const struct sandbox_ports *ports)
{
	const struct ruleset wanted = {
		.fs = file_rights(abi),
		.net = abi >= 4 ? NET_BIND | NET_CONNECT : 0,
		.scope = abi >= 6 ? SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL : 0,
	};
	const size_t size = abi >= 6 ? sizeof(wanted) : abi >= 4 ? 2 * sizeof(uint64_t) :
	    sizeof(uint64_t);
	const int ruleset = (int)syscall(CREATE_RULESET, &wanted, size, 0);
	bool done;

	if (ruleset == -1)
		return false;
	done = allow_files(ruleset) && (abi < 4 || allow_ports(ruleset, ports)) &&
	    syscall(RESTRICT_SELF, ruleset, 0) == 0;
	(void)close(ruleset);
	return done;
}
