/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "log.h"
#include "memory.h"
#include "publish-mount.h"
#include "publish-repository.h"
#include "publish-secret.h"
#include "vault.h"

/* A directory below certs/: its pages follow one another. */
struct folder {
	char *path;		/* "", "team/" */
	char *after;		/* the last key of the page before; NULL: from the beginning */
	bool plain;		/* by LIST metadata, which has no pages */
	bool over;
};

/* What an ask of the present round is for; both are indexes, since the lists grow meanwhile. */
struct asked {
	bool is_folder;
	size_t index;
};

struct reading {
	struct vault *vault;
	const struct vault_settings *settings;
	time_t now;
	struct folder *folders;
	size_t folder_count;
	struct held *items;
	bool *unasked;		/* of each item: its metadata is to be asked for */
	size_t item_count;
	struct asked *asked;
	struct vault_ask *asks;	/* one for each of them */
	bool whole;
	struct failure why;	/* of certs/ itself */
};

/* --- What was found --- */

static void
add_folder(struct reading *reading, const char *path)
{
	reading->folders = memory_grow(reading->folders, reading->folder_count + 1,
	    sizeof(*reading->folders));
	reading->folders[reading->folder_count++] = (struct folder){ .path = memory_text(path) };
}

static struct held *
add_item(struct reading *reading, const char *name, bool unasked)
{
	struct held *item;

	reading->items = memory_grow(reading->items, reading->item_count + 1,
	    sizeof(*reading->items));
	reading->unasked = memory_grow(reading->unasked, reading->item_count + 1,
	    sizeof(*reading->unasked));
	reading->unasked[reading->item_count] = unasked;
	item = &reading->items[reading->item_count++];
	*item = (struct held){ .name = memory_text(name) };
	return item;
}

static void
fail_item(struct reading *reading, struct held *item, const struct failure *why)
{
	item->why = *why;
	reading->whole = false;
}

static void
take_notes(struct held *item, const json_t *notes)
{
	uint64_t noted;

	publish_notes_read(notes, &item->notes);
	noted = item->notes.version;
	if (item->notes.edition.leaf.not_after == 0)
		(void)failure_set(&item->why, FAILURE_ABSENT, "nothing is noted of it: it was not "
		    "published by certlet-publish");
	else if (noted != 0 && noted != item->version)
		(void)failure_set(&item->why, FAILURE_ABSENT, "what is noted is version %llu: "
		    "version %llu was written by other means, or its publisher was interrupted",
		    (unsigned long long)noted, (unsigned long long)item->version);
	else
		return;
	publish_notes_clear(&item->notes);
}

static void
take_metadata(struct reading *reading, struct held *item, const json_t *data)
{
	struct published published = { 0 };
	struct failure why;

	if (published_read_metadata(data, reading->now, &published, &why) == -1) {
		fail_item(reading, item, &why);
		return;
	}
	item->version = published.version;
	item->deleted = published.created[0] == '\0';
	if (!item->deleted)
		take_notes(item, published.notes);
	published_clear(&published);
}

/* --- Listings --- */

static void
fail_folder(struct reading *reading, struct folder *folder, const struct failure *why)
{
	if (*folder->path == '\0')
		reading->why = *why;
	else
		fail_item(reading, add_item(reading, folder->path, false), why);
	folder->over = true;
}

/* The keys of a directory end in a slash. */
static void
take_key(struct reading *reading, const char *parent, const char *key, const json_t *infos)
{
	const json_t *info = json_object_get(infos, key);
	const size_t length = strlen(key);
	char *path = memory_format("%s%s", parent, key);

	if (length != 0 && key[length - 1] == '/')
		add_folder(reading, path);
	else if (json_is_object(info))
		take_metadata(reading, add_item(reading, path, false), info);
	else
		(void)add_item(reading, path, true);
	free(path);
}

static void
take_keys(struct reading *reading, size_t index, const json_t *data)
{
	const json_t *keys = json_object_get(data, "keys"), *key;
	const json_t *infos = json_object_get(data, "key_info");
	char *parent = memory_text(reading->folders[index].path);
	struct folder *folder;
	const char *last = NULL;
	size_t i;

	json_array_foreach(keys, i, key)
		if ((last = json_string_value(key)) != NULL)
			take_key(reading, parent, last, infos);
	free(parent);
	folder = &reading->folders[index];	/* they may have moved */
	/* A server that does not go on would have us ask for ever. */
	if (folder->plain || last == NULL || json_array_size(keys) < KV_PAGE_KEYS ||
	    (folder->after != NULL && strcmp(last, folder->after) <= 0))
		folder->over = true;
	else
		memory_replace(&folder->after, last);
}

/* An empty directory is a 404 without an error; a path or a mount that is not there has one. */
static bool
is_empty(const struct vault_reply *reply)
{
	return reply->status == 404 && json_is_array(json_object_get(reply->json, "errors")) &&
	    json_array_size(json_object_get(reply->json, "errors")) == 0;
}

static void
take_listing(struct reading *reading, size_t index, const struct vault_reply *reply)
{
	struct folder *folder = &reading->folders[index];
	const json_t *data = json_object_get(reply->json, "data");
	struct failure why;

	if (reply->good && json_is_array(json_object_get(data, "keys")))
		take_keys(reading, index, data);
	else if (is_empty(reply))
		folder->over = true;
	else if (!folder->plain && folder->after == NULL)
		folder->plain = true;	/* it is not known to the server, or not allowed */
	else if (!reply->good)
		fail_folder(reading, folder, &reply->why);
	else {
		(void)failure_set(&why, FAILURE_VAULT, "expected a list of names below "
		    "%s/metadata/certs/%s, found none", reading->settings->kv_mount, folder->path);
		fail_folder(reading, folder, &why);
	}
}

/* --- Rounds --- */

static struct vault_ask
ask_for_folder(const struct vault_settings *settings, const struct folder *folder)
{
	char *path = memory_format("%s/%s/certs/%s", settings->kv_mount,
	    folder->plain ? "metadata" : "detailed-metadata", folder->path);

	return kv_get(settings->namespace, path, folder->plain ? memory_text("list=true") :
	    kv_list_query(folder->after));
}

static void
add_ask(struct reading *reading, size_t *count, struct asked asked, struct vault_ask ask)
{
	log_detail("%s %s", asked.is_folder ? "LIST" : "GET", ask.path);
	reading->asked[*count] = asked;
	reading->asks[(*count)++] = ask;
}

static size_t
choose_asks(struct reading *reading)
{
	const struct vault_settings *settings = reading->settings;
	const size_t most = reading->folder_count + reading->item_count;
	size_t count = 0;

	reading->asked = memory_grow(reading->asked, most, sizeof(*reading->asked));
	reading->asks = memory_new(most, sizeof(*reading->asks));
	for (size_t i = 0; i < reading->folder_count; i++)
		if (!reading->folders[i].over)
			add_ask(reading, &count, (struct asked){ .is_folder = true, .index = i },
			    ask_for_folder(settings, &reading->folders[i]));
	for (size_t i = 0; i < reading->item_count; i++)
		if (reading->unasked[i])
			add_ask(reading, &count, (struct asked){ .index = i },
			    kv_get(settings->namespace, memory_format("%s/metadata/certs/%s",
			    settings->kv_mount, reading->items[i].name), NULL));
	return count;
}

static void
take_reply(void *context, size_t index, const struct vault_reply *reply)
{
	struct reading *reading = context;
	const struct asked *asked = &reading->asked[index];

	if (asked->is_folder) {
		take_listing(reading, asked->index, reply);
		return;
	}
	reading->unasked[asked->index] = false;
	if (reply->good)
		take_metadata(reading, &reading->items[asked->index],
		    json_object_get(reply->json, "data"));
	else
		fail_item(reading, &reading->items[asked->index], &reply->why);
}

/* *out_left: whether there was anything to ask. */
static int
run_round(struct reading *reading, bool *out_left, struct failure *why)
{
	const size_t count = choose_asks(reading);
	const int result = vault_ask(reading->vault, reading->asks, count, take_reply, reading, why);

	kv_asks_free(reading->asks, count);
	*out_left = count != 0;
	return result;
}

static int
compare(const void *left, const void *right)
{
	const struct held *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static void
end_reading(struct reading *reading)
{
	for (size_t i = 0; i < reading->folder_count; i++) {
		free(reading->folders[i].path);
		free(reading->folders[i].after);
	}
	free(reading->folders);
	free(reading->unasked);
	free(reading->asked);
	vault_close(reading->vault);
}

int
repository_read(const struct publish_settings *settings, time_t now,
    struct repository *out_repository, struct failure *why)
{
	struct reading reading = {
		.settings = &settings->manifest->vault, .now = now, .whole = true,
	};
	bool left = true;
	int result = 0;

	if ((reading.vault = vault_open(reading.settings, &settings->credentials, why)) == NULL)
		return -1;
	add_folder(&reading, "");
	while (left && result == 0)
		result = run_round(&reading, &left, why);
	if (result == 0 && reading.why.kind != FAILURE_NONE) {
		*why = reading.why;
		result = -1;
	}
	/* Version 1 says of metadata/certs/ that it is empty. */
	if (result == 0 && reading.item_count == 0)
		result = publish_mount_check(reading.vault, reading.settings, why);
	if (reading.item_count != 0)
		qsort(reading.items, reading.item_count, sizeof(*reading.items), compare);
	*out_repository = (struct repository){ reading.items, reading.item_count, reading.whole };
	end_reading(&reading);
	return result;
}

void
repository_clear(struct repository *repository)
{
	for (size_t i = 0; i < repository->count; i++) {
		free(repository->items[i].name);
		publish_notes_clear(&repository->items[i].notes);
	}
	free(repository->items);
	*repository = (struct repository){ 0 };
}
