/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "kv.h"
#include "kv-reply.h"
#include "memory.h"
#include "url.h"

#define LISTED_LEAST 2	/* items that must share a directory to be worth a LIST */

/* One item on its way. */
struct wanted {
	struct kv_item *item;
	char *directory;	/* of the source: "kv:secret/certs" */
	const char *key;	/* the last part of its path */
	bool listed;		/* a listing is looked through for it */
	bool settled;		/* was told of */
};

/* Items of one directory that are looked for in its listing. */
struct listing {
	struct wanted *wanted;	/* sorted by key */
	size_t count, pages;
	char *after;		/* the last key of the page before; NULL: from the beginning */
	bool over;
};

/* What an ask of the present round is for. */
struct asked {
	struct listing *listing;	/* NULL: the metadata of `wanted` */
	struct wanted *wanted;
};

struct poll {
	struct kv *kv;
	kv_polled *done;
	void *context;
	struct wanted *wanted;
	size_t count;
	struct listing *listings;
	size_t listing_count;
	struct asked *asked;
	struct vault_ask *asks;		/* one for each of them */
};

/* --- One item --- */

static void
tell(struct poll *poll, struct wanted *wanted, const struct failure *why)
{
	wanted->settled = true;
	poll->done(poll->context, wanted->item, why);
}

static void
tell_metadata(struct poll *poll, struct wanted *wanted, const json_t *metadata)
{
	struct failure why;
	char *path;

	if (kv_reply_metadata(metadata, poll->kv->now, &wanted->item->newest, &why) == 0) {
		tell(poll, wanted, NULL);
		return;
	}
	path = kv_path(wanted->item, "metadata");
	(void)failure_prefix(&why, "%s: %s", vault_address(poll->kv->vault), path);
	free(path);
	tell(poll, wanted, &why);
}

static void
take_metadata(struct poll *poll, size_t index, const struct vault_reply *reply)
{
	struct wanted *wanted = poll->asked[index].wanted;
	struct failure why;

	wanted->item->heard |= reply->status < 500;
	if (reply->good) {
		tell_metadata(poll, wanted, json_object_get(reply->json, "data"));
	} else if (reply->status == 403) {
		/* The data may be allowed all the same: reading it will tell. */
		wanted->item->metadata_denied = true;
		tell(poll, wanted, NULL);
	} else {
		kv_explain(poll->kv, wanted->item, poll->asks[index].path, reply, &why);
		tell(poll, wanted, &why);
	}
}

/* --- Listings --- */

/* What was not found in it is asked for by itself: only that tells whether it is absent. */
static void
end_listing(struct listing *listing)
{
	listing->over = true;
	for (size_t i = 0; i < listing->count; i++)
		listing->wanted[i].listed = false;
}

/* A listing that is refused, or that would take longer than asking one by one. */
static void
give_up(struct poll *poll, struct listing *listing)
{
	kv_note(poll->kv, "list", listing->wanted->directory, 0);
	end_listing(listing);
}

static size_t
settle_listed(struct poll *poll, struct listing *listing, const json_t *infos)
{
	size_t left = 0;

	for (size_t i = 0; i < listing->count; i++) {
		struct wanted *wanted = &listing->wanted[i];
		const json_t *info = wanted->settled ? NULL : json_object_get(infos, wanted->key);

		if (json_is_object(info)) {
			wanted->item->heard = true;
			tell_metadata(poll, wanted, info);
		} else if (!wanted->settled) {
			left++;
		}
	}
	return left;
}

static void
take_page(struct poll *poll, struct listing *listing, const struct vault_reply *reply)
{
	const size_t pages_most = 2 * ((listing->count + KV_PAGE_KEYS - 1) / KV_PAGE_KEYS) + 1;
	const json_t *data = json_object_get(reply->json, "data");
	const json_t *keys = json_object_get(data, "keys");
	const size_t count = json_array_size(keys);
	const char *last = count != 0 ? json_string_value(json_array_get(keys, count - 1)) : NULL;
	const char *largest = listing->wanted[listing->count - 1].key;

	if (reply->status >= 500) {
		end_listing(listing);	/* for today: it says nothing of the right to list */
		return;
	}
	if (!reply->good || !json_is_array(keys)) {
		give_up(poll, listing);
		return;
	}
	listing->pages++;
	if (settle_listed(poll, listing, json_object_get(data, "key_info")) == 0 ||
	    count < KV_PAGE_KEYS || last == NULL || strcmp(last, largest) >= 0) {
		end_listing(listing);
	} else if (listing->pages == pages_most ||
	    (listing->after != NULL && strcmp(last, listing->after) <= 0)) {
		give_up(poll, listing);
	} else {
		memory_replace(&listing->after, last);
	}
}

/* The smallest key without its last letter sorts before it, and after most that is not wanted. */
static char *
just_before(const char *key)
{
	const size_t length = strlen(key);

	return length > 1 ? memory_text_n(key, length - 1) : NULL;
}

static void
add_listing(struct poll *poll, struct wanted *wanted, size_t count)
{
	poll->listings = memory_grow(poll->listings, poll->listing_count + 1,
	    sizeof(*poll->listings));
	poll->listings[poll->listing_count++] = (struct listing){
		.wanted = wanted, .count = count, .after = just_before(wanted->key),
	};
	for (size_t i = 0; i < count; i++)
		wanted[i].listed = true;
}

static int
compare(const void *left, const void *right)
{
	const struct wanted *a = left, *b = right;
	const int by_directory = strcmp(a->directory, b->directory);

	return by_directory != 0 ? by_directory : strcmp(a->key, b->key);
}

static void
group(struct poll *poll)
{
	uint32_t ignored;
	size_t end;

	qsort(poll->wanted, poll->count, sizeof(*poll->wanted), compare);
	for (size_t i = 0; i < poll->count; i = end) {
		const char *directory = poll->wanted[i].directory;

		for (end = i + 1; end < poll->count; end++)
			if (strcmp(poll->wanted[end].directory, directory) != 0)
				break;
		if (end - i >= LISTED_LEAST && !kv_noted(poll->kv, "list", directory, &ignored))
			add_listing(poll, &poll->wanted[i], end - i);
	}
}

/* --- Rounds --- */

static char *
list_path(const struct kv_item *item)
{
	const struct entry *entry = item->entry;
	const char *slash = strrchr(entry->path, '/');

	return memory_format("%s/detailed-metadata/%.*s", entry->mount,
	    slash != NULL ? (int)(slash + 1 - entry->path) : 0, entry->path);
}

char *
kv_list_query(const char *after)
{
	char *encoded = url_encode(after != NULL ? after : "");
	char *query = memory_format("list=true&limit=%d%s%s", KV_PAGE_KEYS,
	    *encoded != '\0' ? "&after=" : "", encoded);

	free(encoded);
	return query;
}

static void
add_ask(struct poll *poll, size_t *count, struct asked asked, struct vault_ask ask)
{
	poll->asked[*count] = asked;
	poll->asks[(*count)++] = ask;
}

/* The next page of each listing, and the metadata of all that no listing is looked through for. */
static size_t
choose_asks(struct poll *poll)
{
	size_t count = 0;

	for (size_t i = 0; i < poll->listing_count; i++) {
		struct listing *listing = &poll->listings[i];
		const struct kv_item *first = listing->wanted->item;

		if (!listing->over)
			add_ask(poll, &count, (struct asked){ .listing = listing },
			    kv_get(first->entry->namespace, list_path(first), kv_list_query(listing->after)));
	}
	for (size_t i = 0; i < poll->count; i++) {
		struct wanted *wanted = &poll->wanted[i];

		if (!wanted->settled && !wanted->listed)
			add_ask(poll, &count, (struct asked){ .wanted = wanted },
			    kv_get(wanted->item->entry->namespace, kv_path(wanted->item, "metadata"),
			    NULL));
	}
	return count;
}

static void
take_reply(void *context, size_t index, const struct vault_reply *reply)
{
	struct poll *poll = context;

	if (poll->asked[index].listing != NULL)
		take_page(poll, poll->asked[index].listing, reply);
	else
		take_metadata(poll, index, reply);
}

/* -1: Vault is away. *out_left: whether another round is due. */
static int
run_round(struct poll *poll, bool *out_left, struct failure *why)
{
	size_t count;
	int result;

	poll->asks = memory_new(poll->listing_count + poll->count, sizeof(*poll->asks));
	count = choose_asks(poll);
	result = vault_ask(poll->kv->vault, poll->asks, count, take_reply, poll, why);
	kv_asks_free(poll->asks, count);
	*out_left = count != 0;
	return result;
}

static void
prepare(struct poll *poll, struct kv_item *item)
{
	struct wanted *wanted = &poll->wanted[poll->count];
	const char *slash = strrchr(item->entry->path, '/');
	uint32_t ignored;

	item->newest = (struct version){ 0 };
	if (kv_noted(poll->kv, "metadata", item->entry->source, &ignored)) {
		poll->done(poll->context, item, NULL);
		return;
	}
	*wanted = (struct wanted){
		.item = item,
		.directory = memory_text(item->entry->source),
		.key = slash != NULL ? slash + 1 : item->entry->path,
	};
	wanted->directory[strlen(wanted->directory) - strlen(wanted->key)] = '\0';
	poll->count++;
}

int
kv_poll(struct kv *kv, struct kv_item *const items[], size_t count, kv_polled *done, void *context,
    struct failure *why)
{
	struct poll poll = { .kv = kv, .done = done, .context = context };
	bool left = true;
	int result = 0;

	poll.wanted = memory_new(count, sizeof(*poll.wanted));
	poll.asked = memory_new(2 * count, sizeof(*poll.asked));
	for (size_t i = 0; i < count; i++)
		prepare(&poll, items[i]);
	group(&poll);
	while (left && result == 0)
		result = run_round(&poll, &left, why);
	for (size_t i = 0; i < poll.count; i++)
		free(poll.wanted[i].directory);
	for (size_t i = 0; i < poll.listing_count; i++)
		free(poll.listings[i].after);
	free(poll.wanted);
	free(poll.listings);
	free(poll.asked);
	return result;
}
