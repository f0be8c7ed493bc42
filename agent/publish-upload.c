/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "memory.h"
#include "publish-judge.h"
#include "publish-mount.h"
#include "publish-upload.h"
#include "times.h"
#include "vault.h"

#define TRIES_MOST 3	/* of one certificate, where others publish it at the same time */

struct upload {
	struct vault *vault;
	const struct vault_settings *settings;
	const struct publish_rules *rules;
	long critical;
	struct publish_item *items;
	size_t count;
	bool mount_checked;
};

/* --- Items --- */

const char *
publish_item_label(const struct publish_item *item)
{
	return item->duplicate != NULL ? item->duplicate : item->name;
}

void
publish_item_fail(struct publish_item *item, const struct failure *why)
{
	item->step = STEP_DONE;
	item->outcome = OUTCOME_FAILED;
	item->why = *why;
}

void
publish_item_clear(struct publish_item *item)
{
	free(item->name);
	free(item->duplicate);
	material_clear(&item->material);
	edition_clear(&item->edition);
	published_clear(&item->published);
	*item = (struct publish_item){ 0 };
}

static unsigned long long
published_version(const struct publish_item *item)
{
	return (unsigned long long)item->published.version;
}

/* --- Questions and answers --- */

static void
take_metadata(const struct upload *upload, struct publish_item *item,
    const struct vault_reply *reply)
{
	struct failure why;

	published_clear(&item->published);
	item->step = STEP_JUDGE;
	if (reply->status == 403)
		item->step = STEP_DATA;	/* the policy may give the data alone */
	else if (!reply->good && reply->status != 404)
		publish_item_fail(item, &reply->why);
	else if (reply->good && published_read_metadata(json_object_get(reply->json, "data"),
	    upload->rules->now, &item->published, &why) == -1)
		publish_item_fail(item, &why);
	else if (item->published.created[0] != '\0' && !item->published.noted)
		item->step = STEP_DATA;
}

static void
take_data(const struct upload *upload, struct publish_item *item, const struct vault_reply *reply)
{
	struct failure why;

	(void)upload;
	published_clear(&item->published);
	item->step = STEP_JUDGE;
	/* The 404 of a path that never was has no data; a deleted version's has. */
	if (reply->status == 404 && !json_is_object(json_object_get(reply->json, "data")))
		return;
	if (!reply->good && reply->status != 404)
		publish_item_fail(item, &reply->why);
	else if (published_read(reply->json, &item->published, &why) == -1)
		publish_item_fail(item, &why);
	else if (item->published.broken.kind != FAILURE_NONE)
		log_warning("%s: version %llu is not as certlet-publish writes it: %s", item->name,
		    published_version(item), item->published.broken.text);
}

static void
make_data(const struct publish_item *item, struct secret *out_body)
{
	publish_secret_data(&item->material, item->published.version, out_body);
}

/* Vault has looked at what it was sent and does not want it: the next run is told the same. */
static struct failure
why_not_taken(const struct vault_reply *reply)
{
	struct failure why = reply->why;

	if (reply->status == 400 || reply->status == 413)
		why.kind = FAILURE_REFUSED;
	return why;
}

static void
take_written(const struct upload *upload, struct publish_item *item,
    const struct vault_reply *reply)
{
	const json_t *version = json_object_get(json_object_get(reply->json, "data"), "version");
	struct failure why;

	if (reply->good && json_is_integer(version)) {
		item->version = (uint64_t)json_integer_value(version);
		item->step = STEP_NOTE;
		item->outcome = OUTCOME_PUBLISHED;
		return;
	}
	if (reply->good)
		(void)failure_set(&why, FAILURE_VAULT, "expected the new version in the answer, "
		    "found none: is %s KV version 2?", upload->settings->kv_mount);
	else if (strstr(reply->why.text, "check-and-set") == NULL)
		why = why_not_taken(reply);
	else if (++item->tries < TRIES_MOST) {
		item->step = STEP_METADATA;
		return;
	} else
		(void)failure_set(&why, FAILURE_REFUSED, "expected version %llu to be the newest "
		    "still, found that another one was published meanwhile, %d times: run again",
		    published_version(item), TRIES_MOST);
	publish_item_fail(item, &why);
}

static void
make_notes(const struct publish_item *item, struct secret *out_body)
{
	publish_secret_notes(&item->published, &item->edition, item->version, out_body);
}

static void
fail_notes(struct publish_item *item, const struct failure *why)
{
	publish_item_fail(item, why);
	(void)failure_prefix(&item->why,
	    "the certificate is published, its custom_metadata is not");
}

static void
take_noted(const struct upload *upload, struct publish_item *item, const struct vault_reply *reply)
{
	const struct failure why = why_not_taken(reply);

	(void)upload;
	if (reply->good)
		item->step = STEP_DONE;
	else
		fail_notes(item, &why);
}

/* What is asked at each step: METHOD MOUNT/BELOW/certs/NAME. */
struct stage {
	const char *method, *below;
	void (*make)(const struct publish_item *item, struct secret *out_body);
	void (*take)(const struct upload *upload, struct publish_item *item,
	    const struct vault_reply *reply);
};

static const struct stage stages[] = {
	[STEP_METADATA] = { "GET", "metadata", NULL, take_metadata },
	[STEP_DATA] = { "GET", "data", NULL, take_data },
	[STEP_WRITE] = { "POST", "data", make_data, take_written },
	[STEP_NOTE] = { "POST", "metadata", make_notes, take_noted },
};

/* The items that are asked for together. */
struct batch {
	const struct upload *upload;
	const struct stage *stage;
	struct publish_item **items;
	struct secret *bodies;
	struct vault_ask *asks;
	size_t count;
};

static void
take_reply(void *context, size_t index, const struct vault_reply *reply)
{
	const struct batch *batch = context;

	batch->stage->take(batch->upload, batch->items[index], reply);
}

/* An answer that was lost may be asked for again: a version that was written is found then, by the
 * check-and-set, and notes are the same twice. */
static void
batch_add(struct batch *batch, struct publish_item *item)
{
	const struct vault_settings *settings = batch->upload->settings;
	const size_t i = batch->count++;

	batch->items[i] = item;
	if (batch->stage->make != NULL)
		batch->stage->make(item, &batch->bodies[i]);
	batch->asks[i] = (struct vault_ask){
		.method = batch->stage->method, .namespace = settings->namespace,
		.path = memory_format("%s/%s/certs/%s", settings->kv_mount, batch->stage->below,
		    item->name),
		.body = batch->stage->make != NULL ? &batch->bodies[i] : NULL,
	};
	log_detail("%s %s", batch->stage->method, batch->asks[i].path);
}

static int
run_stage(struct upload *upload, enum publish_step step, struct failure *why)
{
	struct batch batch = { .upload = upload, .stage = &stages[step] };
	int result;

	batch.items = memory_new(upload->count, sizeof(*batch.items));
	batch.bodies = memory_new(upload->count, sizeof(*batch.bodies));
	batch.asks = memory_new(upload->count, sizeof(*batch.asks));
	for (size_t i = 0; i < upload->count; i++)
		if (upload->items[i].step == step)
			batch_add(&batch, &upload->items[i]);
	result = vault_ask(upload->vault, batch.asks, batch.count, take_reply, &batch, why);
	for (size_t i = 0; i < batch.count; i++) {
		secret_clear(&batch.bodies[i]);
		free((char *)batch.asks[i].path);
	}
	free(batch.asks);
	free(batch.bodies);
	free(batch.items);
	return result;
}

/* --- The mount --- */

static int
check_mount_of_new(struct upload *upload, struct failure *why)
{
	for (size_t i = 0; i < upload->count && !upload->mount_checked; i++)
		if (upload->items[i].step == STEP_JUDGE &&
		    upload->items[i].published.version == 0) {
			upload->mount_checked = true;
			return publish_mount_check(upload->vault, upload->settings, why);
		}
	return 0;
}

/* --- Judging --- */

static void
take_unchanged(const struct upload *upload, struct publish_item *item)
{
	item->version = item->published.version;
	item->outcome = OUTCOME_UNCHANGED;
	/* A run that was killed between its two requests is finished by the next. */
	item->step = item->published.noted || upload->rules->dry_run ? STEP_DONE : STEP_NOTE;
}

static int
judge(const struct upload *upload, const struct publish_item *item, struct failure *why)
{
	const struct requirements requirements = {
		.now = upload->rules->now, .force = upload->rules->force,
		.installed = &item->published.edition.leaf, .critical = upload->critical,
	};

	if (item->duplicate != NULL)
		return failure_set(why, FAILURE_REFUSED, "expected what is published as %s, found "
		    "another certificate in what may be a duplicate of certbot's: say that it is "
		    "meant (certlet-publish --name %s DIR), or remove it (certbot delete "
		    "--cert-name %s)", item->name, item->name, item->duplicate);
	if (item->published.edition.leaf.fingerprint[0] == '\0')
		return 0;
	return publish_judge(item->name, &item->edition.leaf, &requirements, why);
}

static void
judge_item(const struct upload *upload, struct publish_item *item)
{
	const struct leaf *leaf = &item->edition.leaf;
	char end[TIMES_TEXT_BYTES];
	struct failure why;

	if (published_holds(&item->published, &item->edition) && !upload->rules->force) {
		take_unchanged(upload, item);
	} else if (judge(upload, item, &why) == -1) {
		publish_item_fail(item, &why);
	} else if (upload->rules->dry_run) {
		log_notice("%s: would publish serial %s, valid until %s, after version %llu",
		    item->name, leaf->serial, times_local(leaf->not_after, end),
		    published_version(item));
		item->step = STEP_DONE;
		item->outcome = OUTCOME_PUBLISHED;
	} else {
		item->step = STEP_WRITE;
	}
}

static void
tell_published(const struct upload *upload)
{
	char end[TIMES_TEXT_BYTES];

	for (size_t i = 0; i < upload->count; i++) {
		const struct publish_item *item = &upload->items[i];
		const struct leaf *leaf = &item->edition.leaf;

		if (item->step != STEP_NOTE || item->outcome != OUTCOME_PUBLISHED)
			continue;
		log_notice("%s: published version %llu: serial %s, valid until %s", item->name,
		    (unsigned long long)item->version, leaf->serial,
		    times_local(leaf->not_after, end));
		log_detail("fingerprint %s", leaf->fingerprint);
	}
}

/* --- The whole --- */

static bool
is_open(const struct upload *upload)
{
	for (size_t i = 0; i < upload->count; i++)
		if (upload->items[i].step != STEP_DONE)
			return true;
	return false;
}

static int
run_round(struct upload *upload, struct failure *why)
{
	int result;

	if (run_stage(upload, STEP_METADATA, why) == -1 ||
	    run_stage(upload, STEP_DATA, why) == -1 ||
	    check_mount_of_new(upload, why) == -1)
		return -1;
	for (size_t i = 0; i < upload->count; i++)
		if (upload->items[i].step == STEP_JUDGE)
			judge_item(upload, &upload->items[i]);
	result = run_stage(upload, STEP_WRITE, why);
	tell_published(upload);
	return result == -1 ? -1 : run_stage(upload, STEP_NOTE, why);
}

static void
fail_open(struct upload *upload, const struct failure *why)
{
	for (size_t i = 0; i < upload->count; i++)
		if (upload->items[i].step == STEP_NOTE)
			fail_notes(&upload->items[i], why);
		else if (upload->items[i].step != STEP_DONE)
			publish_item_fail(&upload->items[i], why);
}

int
publish_upload(const struct publish_settings *settings, const struct publish_rules *rules,
    struct publish_item items[], size_t count, struct failure *why)
{
	struct upload upload = {
		.settings = &settings->manifest->vault, .rules = rules,
		.critical = settings->manifest->agent.critical, .items = items, .count = count,
	};
	int result = 0;

	if (!is_open(&upload))
		return 0;
	if ((upload.vault = vault_open(upload.settings, &settings->credentials, why)) == NULL)
		result = -1;
	else if (upload.settings->kv_version == KV_1)
		result = publish_mount_check(upload.vault, upload.settings, why);
	while (result == 0 && is_open(&upload))
		result = run_round(&upload, why);
	if (result == -1)
		fail_open(&upload, why);
	vault_close(upload.vault);
	return result;
}
