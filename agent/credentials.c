/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credentials.h"
#include "directory.h"
#include "file.h"

#define CREDENTIAL_BYTES_MOST 65536
#define BLOCK_END "CERTIFICATE-----"	/* of a header line, of TRUSTED and X509 ones too */
#define TOKEN_NAME "token"
#define TOKEN_LEAST_SECONDS 60	/* of life that is left, for the cached token to be used */

/* --- Files --- */

/* `forbidden`: permission bits that make the file of no use as a secret. */
struct credential {
	const char *what, *path;
	mode_t forbidden;
	struct secret *bytes;
	bool optional;	/* missing and empty are as good as any */
};

/* Missing and empty are told in `missing`, the first of them; -1 only when the set-up is wrong. */
static int
read_credential(const struct credential *credential, struct failure *missing, struct failure *why)
{
	struct failure here;
	struct stat status;

	if (credential->path == NULL)
		return 0;
	switch (file_read_path(credential->path, CREDENTIAL_BYTES_MOST, credential->bytes, &status,
	    &here)) {
	case FOUND_ABSENT:
		if (credential->optional)
			return 0;
		(void)failure_set(&here, FAILURE_LOGIN, "%s %s is missing", credential->what,
		    credential->path);
		break;
	case FOUND_FAILED:
		here.kind = FAILURE_LOGIN;
		(void)failure_prefix(&here, "%s", credential->what);
		break;
	case FOUND_FILE:
		if ((status.st_mode & credential->forbidden) != 0)
			return failure_set(why, FAILURE_SETUP, "%s %s has mode %04o: it must not "
			    "be readable by %s", credential->what, credential->path,
			    (unsigned int)(status.st_mode & 07777),
			    (credential->forbidden & S_IRGRP) != 0 ? "group or others" : "others");
		secret_trim(credential->bytes);
		if (credential->bytes->size != 0 || credential->optional)
			return 0;
		(void)failure_set(&here, FAILURE_LOGIN, "%s %s is empty", credential->what,
		    credential->path);
		break;
	}
	if (missing->kind == FAILURE_NONE)
		*missing = here;
	return 0;
}

static int
read_method(const struct vault_settings *vault, struct credentials *credentials,
    struct failure *why)
{
	const struct credential all[][2] = {
		[AUTH_APPROLE] = {
			{ "role-id", vault->role_id_file, 0, &credentials->role_id, false },
			{ "secret-id", vault->secret_id_file, S_IRWXG | S_IRWXO,
			    &credentials->secret_id, false },
		},
		[AUTH_CERT] = {
			{ "client certificate", vault->client_cert_file, 0,
			    &credentials->client_cert, false },
			{ "client key", vault->client_key_file, S_IRWXO,
			    &credentials->client_key, false },
		},
		[AUTH_TOKEN] = {
			{ "token", vault->token_file, S_IRWXG | S_IRWXO,
			    &credentials->token, false },
		},
	};

	for (size_t i = 0; i < 2; i++)
		if (read_credential(&all[vault->auth][i], &credentials->missing, why) == -1)
			return -1;
	return 0;
}

int
credentials_read_ca(const char *path, struct secret *ca, struct failure *why)
{
	if (path == NULL)
		return 0;
	switch (file_read_path(path, FILE_LIMIT_BYTES, ca, NULL, why)) {
	case FOUND_ABSENT:
		return failure_set(why, FAILURE_SETUP, "ca_file %s is missing", path);
	case FOUND_FAILED:
		why->kind = FAILURE_SETUP;
		return failure_prefix(why, "ca_file");
	case FOUND_FILE:
		break;
	}
	/* curl would take an empty one for no ca_file at all, and trust the system's roots. */
	if (ca->size == 0 || strstr(ca->bytes, BLOCK_END) == NULL)
		return failure_set(why, FAILURE_SETUP, "ca_file %s holds no certificate", path);
	return 0;
}

static void
check_token(struct credentials *credentials, const char *path)
{
	if (!secret_is_visible(credentials->token.bytes, credentials->token.size))
		(void)failure_set(&credentials->missing, FAILURE_LOGIN,
		    "token %s: there is more than a token in it", path);
}

/* --- The token of an earlier run --- */

/* The length first: "ab", "c" and "a", "bc" are not the same. */
static void
add_part(struct secret *parts, const void *bytes, size_t size)
{
	secret_append(parts, &size, sizeof(size));
	secret_append(parts, bytes, size);
}

static void
add_text(struct secret *parts, const char *text)
{
	add_part(parts, text, text != NULL ? strlen(text) : 0);
}

/* Whom a token was given to, and where: a token of another identity must never be used. */
static void
make_identity(const struct vault_settings *vault, const struct credentials *credentials,
    char identity[DIGEST_BYTES])
{
	const struct secret *const secrets[] = {
		&credentials->role_id, &credentials->secret_id, &credentials->client_cert,
	};
	const char *const texts[] = {
		vault->namespace, vault->auth_namespace, auth_names[vault->auth],
		vault->auth_mount, vault->cert_role,
	};
	struct secret parts = { 0 };

	for (size_t i = 0; i < vault->addresses.count; i++)
		add_text(&parts, vault->addresses.items[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		add_text(&parts, texts[i]);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
		add_part(&parts, secrets[i]->bytes, secrets[i]->size);
	file_digest(parts.bytes, parts.size, identity);
	secret_clear(&parts);
}

/* "EXPIRES IDENTITY TOKEN\n". What is not as expected is no token: a login costs little. */
static void
parse_token(const struct secret *line, const char *identity, struct secret *out_token)
{
	char found[DIGEST_BYTES] = "";
	long long expires;
	int start = 0;
	size_t length;

	if (line->size == 0 ||
	    sscanf(line->bytes, "%lld %64[0-9a-f] %n", &expires, found, &start) != 2 || start == 0)
		return;
	length = strcspn(line->bytes + start, "\n");
	if (expires < (long long)time(NULL) + TOKEN_LEAST_SECONDS ||
	    strcmp(found, identity) != 0 || length == 0)
		return;
	secret_set(out_token, line->bytes + start, length);
}

static void
read_cached_token(const struct manifest *manifest, struct credentials *credentials)
{
	char identity[DIGEST_BYTES];
	struct secret line = { 0 };
	struct failure ignored;
	struct stat status;
	int directory;

	if (directory_open_safe(manifest->agent.run_directory, geteuid(), &directory, &ignored) !=
	    FOUND_FILE)
		return;
	if (file_read_at(directory, TOKEN_NAME, CREDENTIAL_BYTES_MOST, &line, &status, &ignored) ==
	    FOUND_FILE &&
	    status.st_uid == geteuid() && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
		make_identity(&manifest->vault, credentials, identity);
		parse_token(&line, identity, &credentials->cached_token);
	}
	secret_clear(&line);
	(void)close(directory);
}

int
credentials_keep_token(const struct manifest *manifest, const struct credentials *credentials,
    const struct secret *token, time_t expires, struct failure *why)
{
	const struct ownership ownership = { geteuid(), getegid(), 0600 };
	char identity[DIGEST_BYTES], start[DIGEST_BYTES + 32];
	struct secret line = { 0 };
	int directory, result = -1;

	make_identity(&manifest->vault, credentials, identity);
	if (directory_open_safe(manifest->agent.run_directory, geteuid(), &directory, why) !=
	    FOUND_FILE)
		return -1;
	(void)snprintf(start, sizeof(start), "%lld %s ", (long long)expires, identity);
	secret_set(&line, start, strlen(start));
	secret_append(&line, token->bytes, token->size);
	secret_append(&line, "\n", 1);
	result = file_replace(directory, TOKEN_NAME, line.bytes, line.size, &ownership, why);
	secret_clear(&line);
	close(directory);
	return result;
}

int
credentials_forget_token(const char *run_directory, struct failure *why)
{
	return directory_remove_file(run_directory, TOKEN_NAME, why);
}

/* --- All of them --- */

int
credentials_read(const struct manifest *manifest, struct credentials *out_credentials,
    struct failure *why)
{
	const struct vault_settings *vault = &manifest->vault;

	*out_credentials = (struct credentials){ 0 };
	if (credentials_read_ca(vault->ca_file, &out_credentials->ca, why) == -1 ||
	    read_method(vault, out_credentials, why) == -1) {
		credentials_clear(out_credentials);
		return -1;
	}
	if (vault->auth == AUTH_TOKEN)
		check_token(out_credentials, vault->token_file);
	else if (out_credentials->missing.kind == FAILURE_NONE)
		read_cached_token(manifest, out_credentials);
	return 0;
}

int
credentials_read_wrapping(const struct vault_settings *vault, struct credentials *out_credentials,
    struct failure *why)
{
	/* None is what there is as a rule: it was taken, and tidied away. */
	const struct credential token = {
		"wrapping token", vault->wrapped_secret_id_file, S_IRWXG | S_IRWXO,
		&out_credentials->token, true,
	};

	*out_credentials = (struct credentials){ 0 };
	if (vault->auth != AUTH_APPROLE || vault->wrapped_secret_id_file == NULL)
		return 0;
	if (credentials_read_ca(vault->ca_file, &out_credentials->ca, why) == -1 ||
	    read_credential(&token, &out_credentials->missing, why) == -1) {
		credentials_clear(out_credentials);
		return -1;
	}
	check_token(out_credentials, vault->wrapped_secret_id_file);
	return 0;
}

void
credentials_clear(struct credentials *credentials)
{
	secret_clear(&credentials->ca);
	secret_clear(&credentials->role_id);
	secret_clear(&credentials->secret_id);
	secret_clear(&credentials->client_cert);
	secret_clear(&credentials->client_key);
	secret_clear(&credentials->token);
	secret_clear(&credentials->cached_token);
	credentials->missing = (struct failure){ 0 };
}
