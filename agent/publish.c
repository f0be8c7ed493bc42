/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bundle.h"
#include "file.h"
#include "judge-installed.h"
#include "log.h"
#include "manifest.h"
#include "name.h"
#include "publish-secret.h"
#include "publish-settings.h"
#include "publish.h"
#include "times.h"
#include "vault.h"

#define WILDCARD_PREFIX "_wildcard."

/* One talk with Vault about one certificate. */
struct talk {
	struct vault *vault;
	const struct vault_settings *settings;
	const char *name;
	struct published published;
	uint64_t new_version;
	/* Of the reply that came last. */
	bool good, absent;
	struct failure why;
};

/* --- What is to be published --- */

static int
read_file(const char *path, struct secret *text, struct stat *status, struct failure *why)
{
	if (path == NULL)
		return 0;
	switch (file_read_path(path, FILE_LIMIT_BYTES, text, status, why)) {
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
read_bundle(const struct publish_options *options, struct bundle **out_bundle,
    struct failure *why)
{
	struct secret cert = { 0 }, chain = { 0 }, key = { 0 };
	const struct secret *const texts[] = { &cert, &chain, &key };
	struct stat status;
	int result = -1;

	if (read_file(options->cert_file, &cert, &status, why) == -1 ||
	    read_file(options->chain_file, &chain, &status, why) == -1 ||
	    read_file(options->key_file, &key, &status, why) == -1)
		goto out;
	if ((status.st_mode & S_IRWXO) != 0)
		log_warning("%s has mode %04o: the key is open to everybody on this machine",
		    options->key_file, (unsigned int)(status.st_mode & 07777));
	result = bundle_read(texts, 3, out_bundle, why);
out:
	secret_clear(&key);
	secret_clear(&chain);
	secret_clear(&cert);
	return result;
}

/* As certlet reads NAME where an entry has no `names`. Empty: it is no host name. */
static void
names_of(const char *name, struct words *out_names)
{
	const bool wildcard = strncmp(name, WILDCARD_PREFIX, strlen(WILDCARD_PREFIX)) == 0;
	char *text = memory_format("%s%s", wildcard ? "*." : "",
	    wildcard ? name + strlen(WILDCARD_PREFIX) : name);

	for (char *c = text; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	*out_names = (struct words){ 0 };
	if (name_is_valid(text))
		words_add(out_names, text);
	free(text);
}

static int
judge(const struct publish_options *options, const struct bundle *bundle, struct failure *why)
{
	struct requirements requirements = { .now = options->now };
	struct words names;
	int result;

	names_of(options->name, &names);
	if (names.count == 0)
		log_notice("%s is no host name: the names of the certificate are not judged",
		    options->name);
	requirements.names = &names;
	result = judge_bundle(bundle, &requirements, NULL, NULL, why);
	words_clear(&names);
	return result;
}

/* With the one that Vault holds as the installed one: on the servers it is. */
static int
judge_against_published(const struct publish_options *options, const struct leaf *leaf,
    const struct leaf *published, long critical, struct failure *why)
{
	const struct requirements requirements = {
		.now = options->now, .force = options->force, .installed = published,
		.critical = critical,
	};
	char *notice = NULL;
	int result = judge_against_installed(leaf, &requirements, &notice, why);

	if (notice != NULL)
		log_warning("%s: compared with what is published now: %s", options->name, notice);
	free(notice);
	return result == 0 ? 0 : failure_prefix(why, "compared with what is published now");
}

/* --- Talking to Vault --- */

typedef int talk_read(struct talk *talk, const json_t *answer, struct failure *why);

struct question {
	struct talk *talk;
	talk_read *read;	/* NULL: nothing in the answer matters */
};

static void
take_reply(void *context, size_t index, const struct vault_reply *reply)
{
	const struct question *question = context;
	struct talk *talk = question->talk;

	(void)index;
	talk->good = reply->good;
	talk->absent = reply->status == 404;
	if (!reply->good)
		talk->why = reply->why;
	if ((talk->good || talk->absent) && reply->json != NULL && question->read != NULL &&
	    question->read(talk, reply->json, &talk->why) == -1)
		talk->good = talk->absent = false;
}

/* METHOD MOUNT/BELOW/certs/NAME; -1: no answer. What the answer was is in the talk. */
static int
ask(struct talk *talk, const char *method, const char *below, const struct secret *body,
    talk_read *read, struct failure *why)
{
	struct question question = { talk, read };
	struct vault_ask request = {
		.method = method, .namespace = talk->settings->namespace, .body = body,
		.once = body != NULL,
	};
	char *path = memory_format("%s%s/certs/%s", talk->settings->kv_mount, below, talk->name);
	int result;

	request.path = path;
	log_detail("%s %s", method, path);
	result = vault_ask(talk->vault, &request, 1, take_reply, &question, why);
	free(path);
	return result;
}

static int
read_kind_of_mount(struct talk *talk, const json_t *answer, struct failure *why)
{
	const json_t *options = json_object_get(json_object_get(answer, "data"), "options");
	const char *version = json_string_value(json_object_get(options, "version"));

	if (!talk->good || (version != NULL && strcmp(version, "2") == 0))
		return 0;
	return failure_set(why, FAILURE_SETUP,
	    "expected %s to be a KV mount of version 2, found %s%s", talk->settings->kv_mount,
	    version != NULL ? "version " : "another kind",
	    version != NULL ? version : "");
}

/*
 * A KV mount of version 1 would take MOUNT/data/certs/NAME for a path of its own and keep the key
 * there. It also says 404 to a read, so that is where it has to be found out. A server that does
 * not tell is believed to be as the configuration says.
 */
static int
check_mount(struct talk *talk, struct failure *why)
{
	struct talk about = { .vault = talk->vault, .settings = talk->settings, .good = true };
	struct question question = { &about, read_kind_of_mount };
	struct vault_ask request = { .method = "GET", .namespace = talk->settings->namespace };
	char *path;
	int result;

	if (talk->settings->kv_version == KV_2)
		return 0;
	path = memory_format("sys/internal/ui/mounts/%s/certs/%s", talk->settings->kv_mount,
	    talk->name);
	request.path = path;
	result = vault_ask(talk->vault, &request, 1, take_reply, &question, why);
	free(path);
	if (result == 0 && about.why.kind == FAILURE_SETUP) {
		*why = about.why;
		result = -1;
	}
	return result;
}

static int
read_published(struct talk *talk, const json_t *answer, struct failure *why)
{
	/* The 404 of a path that never was has no data; a deleted version's has. */
	if (talk->absent && !json_is_object(json_object_get(answer, "data")))
		return 0;
	return published_read(answer, &talk->published, why);
}

static int
ask_what_is_published(struct talk *talk, struct failure *why)
{
	if (ask(talk, "GET", "/data", NULL, read_published, why) == -1)
		return -1;
	if (!talk->good && !talk->absent) {
		*why = talk->why;
		return -1;
	}
	if (talk->published.broken.kind != FAILURE_NONE)
		log_warning("%s: version %llu is not as certlet-publish writes it: %s", talk->name,
		    (unsigned long long)talk->published.version, talk->published.broken.text);
	return talk->published.version == 0 ? check_mount(talk, why) : 0;
}

static int
read_new_version(struct talk *talk, const json_t *answer, struct failure *why)
{
	const json_t *version = json_object_get(json_object_get(answer, "data"), "version");

	if (!json_is_integer(version))
		return failure_set(why, FAILURE_VAULT, "expected the new version in the answer, "
		    "found none: is %s KV version 2?", talk->settings->kv_mount);
	talk->new_version = (uint64_t)json_integer_value(version);
	return 0;
}

static int
write_data(struct talk *talk, const struct material *material, struct failure *why)
{
	struct secret body = { 0 };
	int result;

	publish_secret_data(material, talk->published.version, &body);
	result = ask(talk, "POST", "/data", &body, read_new_version, why);
	secret_clear(&body);
	if (result == 0 && !talk->good) {
		*why = talk->why;
		return strstr(why->text, "check-and-set") == NULL ? -1 : failure_set(why,
		    FAILURE_REFUSED, "expected version %llu to be the newest still, "
		    "found that another one was published meanwhile: run again",
		    (unsigned long long)talk->published.version);
	}
	if (result == 0 && talk->new_version == 0)
		return failure_set(why, FAILURE_VAULT, "expected the new version in the answer, "
		    "found an empty one: is %s KV version 2?", talk->settings->kv_mount);
	return result;
}

static int
write_notes(struct talk *talk, const struct leaf *leaf, struct failure *why)
{
	struct secret body = { 0 };
	int result;

	publish_secret_notes(&talk->published, leaf, &body);
	result = ask(talk, "POST", "/metadata", &body, NULL, why);
	secret_clear(&body);
	if (result == 0 && !talk->good) {
		*why = talk->why;
		result = -1;
	}
	return result == 0 ? 0 :
	    failure_prefix(why, "the certificate is published, its custom_metadata is not");
}

/* --- The whole --- */

static int
publish_new(struct talk *talk, const struct publish_options *options,
    const struct material *material, struct failure *why)
{
	char end[TIMES_TEXT_BYTES];

	times_local(material->leaf.not_after, end);
	if (options->dry_run) {
		log_notice("%s: would publish serial %s, valid until %s, after version %llu",
		    talk->name, material->leaf.serial, end,
		    (unsigned long long)talk->published.version);
		return 0;
	}
	if (write_data(talk, material, why) == -1)
		return -1;
	log_notice("%s: published version %llu: serial %s, valid until %s", talk->name,
	    (unsigned long long)talk->new_version, material->leaf.serial, end);
	log_detail("fingerprint %s", material->leaf.fingerprint);
	return write_notes(talk, &material->leaf, why);
}

static int
publish_in(struct talk *talk, const struct publish_options *options,
    const struct material *material, long critical, struct failure *why)
{
	const struct leaf *published = &talk->published.material.leaf;

	if (ask_what_is_published(talk, why) == -1)
		return -1;
	if (published_holds(&talk->published, material) && !options->force) {
		log_notice("%s: unchanged, version %llu", talk->name,
		    (unsigned long long)talk->published.version);
		/* A run that was killed between its two requests is finished by the next. */
		return options->dry_run || published_notes(&talk->published, &material->leaf) ? 0 :
		    write_notes(talk, &material->leaf, why);
	}
	if (published->fingerprint[0] != '\0' && judge_against_published(options, &material->leaf,
	    published, critical, why) == -1)
		return -1;
	return publish_new(talk, options, material, why);
}

static int
publish_material(const struct publish_options *options, const struct publish_settings *settings,
    const struct material *material, struct failure *why)
{
	struct talk talk = { .name = options->name, .settings = &settings->manifest->vault };
	int result = -1;

	if (talk.settings->kv_version == KV_1)
		return failure_set(why, FAILURE_SETUP,
		    "kv_version: certlet-publish writes version 2 only");
	if ((talk.vault = vault_open(talk.settings, &settings->credentials, why)) != NULL)
		result = publish_in(&talk, options, material, settings->manifest->agent.critical,
		    why);
	vault_close(talk.vault);
	published_clear(&talk.published);
	return result;
}

int
publish_run(const struct publish_options *options, struct failure *why)
{
	struct publish_settings settings = { 0 };
	struct material material = { 0 };
	struct bundle *bundle = NULL;
	int result = -1;

	if (publish_settings_read(options->config_file, &options->environment, &settings,
	    why) == 0 &&
	    read_bundle(options, &bundle, why) == 0 &&
	    judge(options, bundle, why) == 0 &&
	    bundle_write(bundle, &material, why) == 0 &&
	    publish_material(options, &settings, &material, why) == 0)
		result = 0;
	material_clear(&material);
	bundle_free(bundle);
	publish_settings_clear(&settings);
	return result;
}
