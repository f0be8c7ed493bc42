/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "publish-mount.h"

static void
take_kind(void *context, size_t index, const struct vault_reply *reply)
{
	const json_t *options = json_object_get(json_object_get(reply->json, "data"), "options");
	const char *version = json_string_value(json_object_get(options, "version"));

	(void)index;
	if (reply->good && (version == NULL || strcmp(version, "2") != 0))
		(void)failure_set(context, FAILURE_SETUP, "to be a KV mount of version 2, found "
		    "%s%s", version != NULL ? "version " : "another kind",
		    version != NULL ? version : "");
}

int
publish_mount_check(struct vault *vault, const struct vault_settings *settings,
    struct failure *why)
{
	struct vault_ask ask = { .method = "GET", .namespace = settings->namespace };
	struct failure wrong = { 0 };
	char *path;
	int result;

	if (settings->kv_version == KV_2)
		return 0;
	if (settings->kv_version == KV_1)
		return failure_set(why, FAILURE_SETUP,
		    "kv_version: certlet-publish knows version 2 only");
	path = memory_format("sys/internal/ui/mounts/%s", settings->kv_mount);
	ask.path = path;
	result = vault_ask(vault, &ask, 1, take_kind, &wrong, why);
	free(path);
	if (result == 0 && wrong.kind != FAILURE_NONE)
		return failure_set(why, FAILURE_SETUP, "expected %s %s", settings->kv_mount,
		    wrong.text);
	return result;
}
