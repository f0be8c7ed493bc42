/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "credentials.h"
#include "directory.h"
#include "fetch.h"
#include "log.h"
#include "times.h"
#include "wrapping.h"

/* What a run that is killed leaves in the state. */
#define STOPPED "certlet was stopped while it unwrapped the token: its secret-id is lost, and " \
	"a new token is needed"

/* --- The file --- */

/* Whether a secret-id could be written there: once the token is spent it is too late to ask. */
static int
try_place(int directory, const char *name, struct failure *why)
{
	const struct ownership own = file_own(0600);
	struct stat status;

	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT)
			return failure_errno(why, FAILURE_DISK, "look at it");
	} else if (!S_ISREG(status.st_mode)) {
		return failure_set(why, FAILURE_DISK, "it is no regular file");
	}
	if (file_prepare(directory, name, "", 0, &own, why) == -1)
		return -1;
	file_abandon(directory, name);
	return 0;
}

static void
forget_file(struct wrapped *wrapped)
{
	memory_replace(&wrapped->file, NULL);
	memory_replace(&wrapped->digest, NULL);
	wrapped->begins = wrapped->expires = 0;
}

/*
 * A run that was killed right after it wrote down what it was about to put in place: this one does.
 * What it had not written down is lost, and goes. What somebody else wrote there since is not ours,
 * and nothing is known of its end.
 */
static void
settle(struct wrapped *wrapped, const char *path)
{
	const bool known = wrapped->file != NULL && strcmp(wrapped->file, path) == 0;
	char digest[DIGEST_BYTES];
	struct failure why;
	const char *name;
	enum found found;
	int directory;

	if (wrapped->token == NULL ||
	    directory_open_above(path, geteuid(), &directory, &name, &why) != FOUND_FILE)
		return;
	if ((known && file_leftover_is(directory, name, wrapped->digest) ?
	    file_commit(directory, name, &why) :
	    file_clear_leftover(directory, name, geteuid(), &why)) == -1)
		log_warning("%s: %s", path, why.text);
	found = known ? file_digest_at(directory, name, digest, NULL, &why) : FOUND_FAILED;
	if (found == FOUND_ABSENT || (found == FOUND_FILE && strcmp(digest, wrapped->digest) != 0))
		forget_file(wrapped);
	(void)close(directory);
}

/* --- The token --- */

static void
tell(const struct wrapped *wrapped, const struct unwrapped *got)
{
	char until[TIMES_TEXT_BYTES];

	log_notice("%s: a new secret-id was unwrapped, %s%s", wrapped->file,
	    got->expires != 0 ? "good until " : "which does not expire",
	    got->expires != 0 ? times_local(got->expires, until) : "");
	if (got->uses != 0)
		log_warning("%s: this secret-id is good for %llu login%s, while certlet logs in again "
		    "and again: secret_id_num_uses of its role should be 0", wrapped->file,
		    (unsigned long long)got->uses, got->uses == 1 ? "" : "s");
}

/* A token that Vault did not judge is as new at the next run. */
static int
refuse(const struct manifest *manifest, struct state *state, const struct failure *refusal,
    struct failure *why)
{
	struct wrapped *wrapped = &state->wrapped;
	const bool judged = refusal->kind == FAILURE_LOGIN;

	memory_replace(&wrapped->error, judged ? refusal->text : NULL);
	if (!judged)
		memory_replace(&wrapped->token, NULL);
	return state_write(manifest->agent.state_directory, state, why);
}

/* Durable, then known to the state, then in place: settle() does the last step of a killed run. */
static int
keep(const struct manifest *manifest, struct state *state, const struct unwrapped *got,
    int directory, const char *name, struct failure *out_refusal, struct failure *why)
{
	const struct ownership own = file_own(0600);
	struct wrapped *wrapped = &state->wrapped;
	struct secret line = { 0 };
	char digest[DIGEST_BYTES];
	int written;

	secret_set(&line, got->secret_id.bytes, got->secret_id.size);
	secret_append(&line, "\n", 1);
	file_digest(line.bytes, line.size, digest);
	written = file_prepare(directory, name, line.bytes, line.size, &own, out_refusal);
	secret_clear(&line);
	if (written == 0) {
		memory_replace(&wrapped->error, NULL);
		memory_replace(&wrapped->file, manifest->vault.secret_id_file);
		memory_replace(&wrapped->digest, digest);
		wrapped->begins = time(NULL);
		wrapped->expires = got->expires;
		if (state_write(manifest->agent.state_directory, state, why) == -1)
			return -1;
		written = file_commit(directory, name, out_refusal);
	}
	if (written == 0) {
		tell(wrapped, got);
		return 0;
	}
	out_refusal->kind = FAILURE_LOGIN;
	(void)failure_prefix(out_refusal, "its secret-id is lost");
	return refuse(manifest, state, out_refusal, why);
}

static int
unwrap(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, struct state *state, const char *token,
    struct failure *out_refusal, struct failure *why)
{
	const char *path = manifest->vault.secret_id_file, *name;
	struct unwrapped got = { 0 };
	int directory = -1, result = -1;

	if (directory_open_above(path, geteuid(), &directory, &name, out_refusal) != FOUND_FILE ||
	    try_place(directory, name, out_refusal) == -1) {
		(void)failure_prefix(out_refusal, "not unwrapped, since there is no place for it: "
		    "secret_id_file %s", path);
		result = 0;
		goto out;
	}
	memory_replace(&state->wrapped.token, token);
	memory_replace(&state->wrapped.error, STOPPED);
	if (state_write(manifest->agent.state_directory, state, why) == -1 ||
	    fetch_unwrap(manifest, sandbox, credentials, &got, why) == -1)
		goto out;
	*out_refusal = got.why;
	result = got.why.kind == FAILURE_NONE ?
	    keep(manifest, state, &got, directory, name, out_refusal, why) :
	    refuse(manifest, state, out_refusal, why);
out:
	unwrapped_clear(&got);
	file_close(directory);
	return result;
}

/* --- From outside --- */

static int
take_token(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, struct state *state, bool dry_run,
    struct failure *out_refusal, struct failure *why)
{
	const struct wrapped *wrapped = &state->wrapped;
	char token[DIGEST_BYTES];

	*out_refusal = credentials->missing;
	if (credentials->token.size == 0 || out_refusal->kind != FAILURE_NONE)
		return 0;
	file_digest(credentials->token.bytes, credentials->token.size, token);
	if (wrapped->token != NULL && strcmp(wrapped->token, token) == 0) {
		if (wrapped->error != NULL)
			(void)failure_set(out_refusal, FAILURE_LOGIN, "%s", wrapped->error);
		return 0;
	}
	if (!dry_run)
		return unwrap(manifest, sandbox, credentials, state, token, out_refusal, why);
	log_notice("%s: would be unwrapped into %s", manifest->vault.wrapped_secret_id_file,
	    manifest->vault.secret_id_file);
	return 0;
}

int
wrapping_take(const struct manifest *manifest, const struct sandbox *sandbox,
    const struct credentials *credentials, struct state *state, bool dry_run,
    struct failure *out_refusal, struct failure *why)
{
	const struct vault_settings *vault = &manifest->vault;
	int result;

	if (!dry_run)
		settle(&state->wrapped, vault->secret_id_file);
	result = take_token(manifest, sandbox, credentials, state, dry_run, out_refusal, why);
	if (out_refusal->kind != FAILURE_NONE) {
		if (out_refusal->kind != FAILURE_VAULT)
			out_refusal->kind = FAILURE_LOGIN;
		(void)failure_prefix(out_refusal, "wrapped_secret_id_file %s",
		    vault->wrapped_secret_id_file);
	}
	return result;
}

int
wrapping_forget(struct state *state, struct failure *why)
{
	struct wrapped *wrapped = &state->wrapped;
	int result = 0;
	char *above;

	if (wrapped->file != NULL)
		settle(wrapped, wrapped->file);
	if (wrapped->file != NULL) {
		above = directory_above(wrapped->file);
		result = directory_remove_file(above, strrchr(wrapped->file, '/') + 1, why);
		free(above);
	}
	if (result == 0)
		wrapped_clear(wrapped);
	return result;
}
