/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "kv-reply.h"
#include "memory.h"

/* --- Notes and names --- */

bool
kv_noted(const struct kv *kv, const char *subject, const char *about, uint32_t *out_value)
{
	char *whole = memory_format("%s %s", subject, about);
	const struct note *note = notes_find(kv->learned, whole, kv->now);

	if (note == NULL)
		note = notes_find(kv->known, whole, kv->now);
	free(whole);
	if (note != NULL)
		*out_value = note->value;
	return note != NULL;
}

void
kv_note(struct kv *kv, const char *subject, const char *about, uint32_t value)
{
	char *whole = memory_format("%s %s", subject, about);

	notes_set(kv->learned, whole, value, kv->now + NOTES_BELIEVED_SECONDS);
	free(whole);
}

char *
kv_path(const struct kv_item *item, const char *infix)
{
	if (infix == NULL)
		return memory_format("%s/%s", item->entry->mount, item->entry->path);
	return memory_format("%s/%s/%s", item->entry->mount, infix, item->entry->path);
}

struct vault_ask
kv_get(const char *namespace, char *take_path, char *take_query)
{
	return (struct vault_ask){
		.method = "GET", .namespace = namespace, .path = take_path, .query = take_query,
	};
}

void
kv_asks_free(struct vault_ask *asks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free((char *)asks[i].path);
		free((char *)asks[i].query);
	}
	free(asks);
}

void
kv_explain(const struct kv *kv, struct kv_item *item, const char *path,
    const struct vault_reply *reply, struct failure *why)
{
	item->heard |= reply->status < 500;
	item->unanswered = !item->heard;
	*why = reply->why;
	if (reply->status != 404)
		return;
	kv_reply_absent(reply, why);
	(void)failure_prefix(why, "%s: %s", vault_address(kv->vault), path);
}

/* --- Which version a mount is --- */

/* "[NAMESPACE/]MOUNT" */
static char *
mount_name(const struct entry *entry)
{
	return memory_format("%s%s%s", entry->namespace != NULL ? entry->namespace : "",
	    entry->namespace != NULL ? "/" : "", entry->mount);
}

/* One mount that nothing is known of. */
struct mount {
	char *name;
	const struct entry *entry;	/* one that lies in it */
	enum kv_version version;	/* KV_AUTO: still unknown */
};

struct detection {
	struct kv *kv;
	struct mount *mounts;
	size_t count;
	size_t *asked;	/* index of the mount, for each ask */
};

static const struct mount *
find_mount(const struct detection *detection, const char *name)
{
	for (size_t i = 0; i < detection->count; i++)
		if (strcmp(detection->mounts[i].name, name) == 0)
			return &detection->mounts[i];
	return NULL;
}

/* By the manifest, or by a note; else the mount goes on the list. */
static void
detect_at_once(struct detection *detection, struct kv_item *item)
{
	char *name = mount_name(item->entry);
	uint32_t noted;

	item->version = item->entry->kv_version;
	if (item->version != KV_AUTO)
		goto out;
	if (kv_noted(detection->kv, "kv-version", name, &noted) &&
	    (noted == KV_1 || noted == KV_2)) {
		item->version = (enum kv_version)noted;
		goto out;
	}
	if (find_mount(detection, name) == NULL) {
		detection->mounts = memory_grow(detection->mounts, detection->count + 1,
		    sizeof(*detection->mounts));
		detection->mounts[detection->count++] =
		    (struct mount){ name, item->entry, KV_AUTO };
		name = NULL;	/* the mount has it now */
	}
out:
	free(name);
}

static void
settle(struct detection *detection, struct mount *mount, enum kv_version version)
{
	mount->version = version;
	kv_note(detection->kv, "kv-version", mount->name, version);
}

/* sys/internal/ui/mounts/PATH: what Vault's own command line asks. A 403 says nothing. */
static void
take_preflight(void *context, size_t index, const struct vault_reply *reply)
{
	struct detection *detection = context;
	const json_t *data = json_object_get(reply->json, "data");
	const char *version = json_string_value(
	    json_object_get(json_object_get(data, "options"), "version"));

	if (reply->good && json_is_object(data))
		settle(detection, &detection->mounts[detection->asked[index]],
		    version != NULL && strcmp(version, "2") == 0 ? KV_2 : KV_1);
}

/* A secret asked for as in version 1: a versioned mount warns of it, a policy for one refuses. */
static void
take_trial(void *context, size_t index, const struct vault_reply *reply)
{
	struct detection *detection = context;
	struct mount *mount = &detection->mounts[detection->asked[index]];

	if (reply->good)
		settle(detection, mount, KV_1);
	else if (kv_reply_is_versioned_mount(reply))
		settle(detection, mount, KV_2);
	else
		mount->version = reply->status == 404 ? KV_1 : KV_2;
}

/* Asks about every mount that is still unknown. */
static int
ask_mounts(struct detection *detection, bool trial, struct failure *why)
{
	struct vault_ask *asks = memory_new(detection->count, sizeof(*asks));
	size_t count = 0;
	int result;

	detection->asked = memory_new(detection->count, sizeof(*detection->asked));
	for (size_t i = 0; i < detection->count; i++) {
		const struct entry *entry = detection->mounts[i].entry;

		if (detection->mounts[i].version != KV_AUTO)
			continue;
		asks[count] = kv_get(entry->namespace, trial ?
		    memory_format("%s/%s", entry->mount, entry->path) :
		    memory_format("sys/internal/ui/mounts/%s", entry->mount), NULL);
		detection->asked[count++] = i;
	}
	result = vault_ask(detection->kv->vault, asks, count, trial ? take_trial : take_preflight,
	    detection, why);
	kv_asks_free(asks, count);
	free(detection->asked);
	detection->asked = NULL;
	return result;
}

int
kv_detect(struct kv *kv, struct kv_item *const items[], size_t count, struct failure *why)
{
	struct detection detection = { .kv = kv };
	int result = -1;

	for (size_t i = 0; i < count; i++)
		detect_at_once(&detection, items[i]);
	if (ask_mounts(&detection, false, why) == -1 || ask_mounts(&detection, true, why) == -1)
		goto out;
	for (size_t i = 0; i < count; i++) {
		char *name = mount_name(items[i]->entry);

		if (items[i]->version == KV_AUTO)
			items[i]->version = find_mount(&detection, name)->version;
		free(name);
	}
	result = 0;
out:
	for (size_t i = 0; i < detection.count; i++)
		free(detection.mounts[i].name);
	free(detection.mounts);
	return result;
}

/* --- Reading --- */

struct reading {
	struct kv *kv;
	struct kv_item *const *items;
	const struct vault_ask *asks;
	kv_was_read *done;
	void *context;
};

/* What an earlier run noted, or the manifest says, is no longer so. */
static void
learn_version(struct kv *kv, const struct kv_item *item)
{
	char *name = mount_name(item->entry);

	if (item->entry->kv_version == KV_AUTO)
		kv_note(kv, "kv-version", name, KV_2);
	free(name);
}

static int
parse_secret(struct reading *reading, struct kv_item *item, const char *path,
    const struct vault_reply *reply, struct version *version, const json_t **data,
    struct failure *why)
{
	int result;

	if (!reply->good) {
		if (item->version == KV_1 && kv_reply_is_versioned_mount(reply))
			learn_version(reading->kv, item);
		kv_explain(reading->kv, item, path, reply, why);
		return -1;
	}
	result = item->version == KV_1 ? kv_reply_data_v1(reply->json, version, data, why) :
	    kv_reply_data(reply->json, version, data, why);
	if (result == -1)
		(void)failure_prefix(why, "%s: %s", vault_address(reading->kv->vault), path);
	return result;
}

static void
take_secret(void *context, size_t index, const struct vault_reply *reply)
{
	struct reading *reading = context;
	struct kv_item *item = reading->items[index];
	const char *path = reading->asks[index].path;
	struct version version = { 0 };
	const json_t *data = NULL;
	struct failure why;

	if (parse_secret(reading, item, path, reply, &version, &data, &why) == -1) {
		reading->done(reading->context, item, NULL, NULL, &why);
		return;
	}
	if (item->metadata_denied)
		kv_note(reading->kv, "metadata", item->entry->source, 0);
	reading->done(reading->context, item, &version, data, NULL);
}

int
kv_read(struct kv *kv, struct kv_item *const items[], size_t count, kv_was_read *done,
    void *context, struct failure *why)
{
	struct vault_ask *asks = memory_new(count, sizeof(*asks));
	struct reading reading = { kv, items, asks, done, context };
	int result;

	for (size_t i = 0; i < count; i++)
		asks[i] = kv_get(items[i]->entry->namespace,
		    kv_path(items[i], items[i]->version == KV_1 ? NULL : "data"),
		    items[i]->number != 0 ? memory_format("version=%llu",
		    (unsigned long long)items[i]->number) : NULL);
	result = vault_ask(kv->vault, asks, count, take_secret, &reading, why);
	kv_asks_free(asks, count);
	return result;
}
