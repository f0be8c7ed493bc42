/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file.h"
#include "judge.h"
#include "log.h"
#include "manifest.h"
#include "name.h"
#include "publish-pkcs12.h"
#include "publish-source.h"

/* PEM of whatever the source has. */
struct texts {
	struct secret cert, chain, key;
};

/* --- Files --- */

static int
read_file(const char *path, struct secret *text, struct stat *out_status, struct failure *why)
{
	switch (file_read_path(path, FILE_LIMIT_BYTES, text, out_status, why)) {
	case FOUND_FILE:
		return 0;
	case FOUND_ABSENT:
		return failure_set(why, FAILURE_SETUP, "%s is missing", path);
	case FOUND_FAILED:
		break;
	}
	why->kind = FAILURE_SETUP;
	return -1;
}

static int
read_key_file(const char *path, struct secret *text, struct failure *why)
{
	struct stat status;

	if (read_file(path, text, &status, why) == -1)
		return -1;
	if ((status.st_mode & S_IRWXO) != 0)
		log_warning("%s has mode %04o: the key is open to everybody on this machine", path,
		    (unsigned int)(status.st_mode & 07777));
	return 0;
}

static int
read_pem_files(const struct publish_source *source, struct texts *texts, struct failure *why)
{
	if (read_file(source->cert_file, &texts->cert, NULL, why) == -1 ||
	    read_key_file(source->key_file, &texts->key, why) == -1)
		return -1;
	return source->chain_file == NULL ? 0 :
	    read_file(source->chain_file, &texts->chain, NULL, why);
}

static int
read_directory(const char *directory, struct texts *texts, struct failure *why)
{
	char *cert_file = memory_format("%s/cert.pem", directory);
	char *chain_file = memory_format("%s/chain.pem", directory);
	char *key_file = memory_format("%s/privkey.pem", directory);
	int result = -1;

	if (read_file(cert_file, &texts->cert, NULL, why) == 0 &&
	    read_key_file(key_file, &texts->key, why) == 0)
		result = file_read_path(chain_file, FILE_LIMIT_BYTES, &texts->chain, NULL, why) ==
		    FOUND_FAILED ? -1 : 0;
	if (result == -1)
		why->kind = FAILURE_SETUP;
	free(key_file);
	free(chain_file);
	free(cert_file);
	return result;
}

/* The first line of the file; blanks may be part of it. */
static int
read_password(const char *path, struct secret *password, struct failure *why)
{
	struct secret text = { 0 };
	struct stat status;
	int result = -1;

	if (read_file(path, &text, &status, why) == -1)
		goto out;
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		failure_set(why, FAILURE_SETUP, "password file %s has mode %04o: it must not be "
		    "readable by group or others", path, (unsigned int)(status.st_mode & 07777));
		goto out;
	}
	if (text.size != 0)
		secret_set(password, text.bytes, strcspn(text.bytes, "\r\n"));
	result = 0;
out:
	secret_clear(&text);
	return result;
}

static int
read_pkcs12(const struct publish_source *source, struct texts *texts, struct failure *why)
{
	struct secret file = { 0 }, password = { 0 };
	int result = -1;

	if ((source->password_file == NULL ||
	    read_password(source->password_file, &password, why) == 0) &&
	    read_key_file(source->pkcs12_file, &file, why) == 0)
		result = pkcs12_read(&file, &password, &texts->key, why);
	secret_clear(&password);
	secret_clear(&file);
	return result;
}

static int
read_bundle(const struct publish_source *source, struct bundle **out_bundle, struct failure *why)
{
	struct texts texts = { 0 };
	const struct secret *const all[] = { &texts.cert, &texts.chain, &texts.key };
	int result;

	if (source->directory != NULL)
		result = read_directory(source->directory, &texts, why);
	else if (source->pkcs12_file != NULL)
		result = read_pkcs12(source, &texts, why);
	else
		result = read_pem_files(source, &texts, why);
	if (result == 0)
		result = bundle_read(all, 3, out_bundle, why);
	secret_clear(&texts.key);
	secret_clear(&texts.chain);
	secret_clear(&texts.cert);
	return result;
}

/* --- Judging --- */

/* As certlet reads NAME where an entry has no `names`. Empty: it is no host name. */
static void
names_of(const char *name, struct words *out_names)
{
	char *text = manifest_name_host(name);

	*out_names = (struct words){ 0 };
	if (name_is_valid(text))
		words_add(out_names, text);
	free(text);
}

bool
publish_source_knows_names(const char *name)
{
	struct words names;
	bool knows;

	names_of(name, &names);
	knows = names.count != 0;
	words_clear(&names);
	return knows;
}

static int
judge(const char *name, const struct bundle *bundle, time_t now, struct failure *why)
{
	struct requirements requirements = { .now = now };
	struct words names;
	int result;

	names_of(name, &names);
	requirements.names = &names;
	result = judge_bundle(bundle, &requirements, NULL, NULL, why);
	words_clear(&names);
	return result;
}

int
publish_source_read(const struct publish_source *source, const char *name, time_t now,
    struct material *out_material, struct edition *out_edition, struct failure *why)
{
	struct bundle *bundle = NULL;
	int result = -1;

	if (read_bundle(source, &bundle, why) == 0 &&
	    judge(name, bundle, now, why) == 0 &&
	    bundle_write(bundle, out_material, why) == 0 &&
	    edition_describe(bundle, out_material, out_edition, why) == 0)
		result = 0;
	bundle_free(bundle);
	return result;
}
