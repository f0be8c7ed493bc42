/* SPDX-License-Identifier: ISC */
/* fake_vault: a vault that is logged in already, on fake_http, and entries to ask for. */
#ifndef CERTLET_FAKE_VAULT_H
#define CERTLET_FAKE_VAULT_H

#include "fake_http.h"
#include "kv.h"

#define FAKE_NOW 1790000000
#define FAKE_ITEMS 600

static struct vault_settings fake_settings = { .timeout = 10, .deadline = 60, .auth = AUTH_TOKEN };
static struct credentials fake_credentials;
static struct notes fake_known, fake_learned;
static struct kv fake_kv = { .known = &fake_known, .learned = &fake_learned, .now = FAKE_NOW };
static struct entry fake_entries[FAKE_ITEMS];
static struct kv_item fake_items[FAKE_ITEMS], *fake_list[FAKE_ITEMS];
static size_t fake_item_count;
static struct failure why;

static inline void
fake_vault_open(void)
{
	words_add(&fake_settings.addresses, "https://vault.test");
	secret_set(&fake_credentials.token, "s.given", 7);
	fake_kv.vault = vault_open(&fake_settings, &fake_credentials, &why);
}

static inline void
fake_vault_close(void)
{
	vault_close(fake_kv.vault);
	credentials_clear(&fake_credentials);
	words_clear(&fake_settings.addresses);
	notes_clear(&fake_known);
	notes_clear(&fake_learned);
	for (size_t i = 0; i < fake_item_count; i++) {
		free(fake_entries[i].path);
		free(fake_entries[i].source);
	}
}

/* secret/PATH */
static inline struct kv_item *
fake_item(const char *path, enum kv_version version)
{
	struct entry *entry = &fake_entries[fake_item_count];
	struct kv_item *item = &fake_items[fake_item_count];

	entry->mount = (char *)"secret";
	entry->path = memory_text(path);
	entry->source = memory_format("kv:secret/%s", path);
	item->entry = entry;
	item->version = version;
	fake_list[fake_item_count++] = item;
	return item;
}

static inline bool
fake_learned_note(const char *subject, uint32_t value)
{
	const struct note *note = notes_find(&fake_learned, subject, FAKE_NOW);

	return note != NULL && note->value == value;
}

#endif
