/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "fields.h"
#include "file.h"
#include "kv-reply.h"
#include "times.h"

#define DIGEST_PREFIX "sha256:"

static int
fail_nonsense(struct failure *why, const char *what)
{
	return failure_set(why, FAILURE_VAULT, "the answer has no %s", what);
}

static int
take_version(json_int_t number, const json_t *created, struct version *out_version,
    struct failure *why)
{
	const char *text = json_string_value(created);
	time_t when;

	if (number <= 0)
		return fail_nonsense(why, "version");
	if (text == NULL || strlen(text) >= sizeof(out_version->created) ||
	    !times_parse_rfc3339(text, &when, NULL))
		return fail_nonsense(why, "created_time");
	*out_version = (struct version){ .number = (uint64_t)number };
	(void)snprintf(out_version->created, sizeof(out_version->created), "%s", text);
	return 0;
}

/* Deletion may be announced for a time to come (delete_version_after), which is no deletion yet. */
static int
judge_deletion(const json_t *version, json_int_t number, time_t now, struct failure *why)
{
	const char *text = json_string_value(json_object_get(version, "deletion_time"));
	char shown[TIMES_TEXT_BYTES];
	time_t when;

	if (json_is_true(json_object_get(version, "destroyed")))
		return failure_set(why, FAILURE_ABSENT, "version %lld is destroyed",
		    (long long)number);
	if (text == NULL || !times_parse_rfc3339(text, &when, NULL) || when > now)
		return 0;
	return failure_set(why, FAILURE_ABSENT, "deleted in version %lld on %s", (long long)number,
	    times_rfc3339(when, shown));
}

int
kv_reply_metadata(const json_t *metadata, time_t now, struct version *out_newest,
    struct failure *why)
{
	const json_int_t number = json_integer_value(json_object_get(metadata, "current_version"));
	const json_t *version;
	char key[32];

	if (!json_is_integer(json_object_get(metadata, "current_version")))
		return fail_nonsense(why, "current_version");
	if (number == 0)
		return failure_set(why, FAILURE_ABSENT, "there is metadata, but no version yet");
	(void)snprintf(key, sizeof(key), "%lld", (long long)number);
	version = json_object_get(json_object_get(metadata, "versions"), key);
	if (!json_is_object(version))
		return fail_nonsense(why, "entry for the current version");
	if (judge_deletion(version, number, now, why) == -1)
		return -1;
	return take_version(number, json_object_get(version, "created_time"), out_newest, why);
}

int
kv_reply_data(const json_t *json, struct version *out_version, const json_t **out_data,
    struct failure *why)
{
	const json_t *outer = json_object_get(json, "data");
	const json_t *metadata = json_object_get(outer, "metadata");

	if (!json_is_object(metadata))
		return fail_nonsense(why, "data.metadata: is this a KV v2 mount?");
	if (take_version(json_integer_value(json_object_get(metadata, "version")),
	    json_object_get(metadata, "created_time"), out_version, why) == -1)
		return -1;
	*out_data = json_object_get(outer, "data");
	return json_is_object(*out_data) ? 0 :
	    failure_set(why, FAILURE_ABSENT, "version %llu holds nothing",
	    (unsigned long long)out_version->number);
}

int
kv_reply_data_v1(const json_t *json, struct version *out_version, const json_t **out_data,
    struct failure *why)
{
	const json_t *data = json_object_get(json, "data");
	struct secret text = { 0 };

	if (!json_is_object(data))
		return failure_set(why, FAILURE_ABSENT, "the secret holds nothing");
	fields_dump(data, JSON_SORT_KEYS | JSON_COMPACT, &text);
	*out_version = (struct version){ .created = DIGEST_PREFIX };
	file_digest(text.bytes, text.size, out_version->created + strlen(DIGEST_PREFIX));
	secret_clear(&text);
	*out_data = data;
	return 0;
}

bool
kv_reply_is_versioned_mount(const struct vault_reply *reply)
{
	const json_t *warning;
	size_t index;

	json_array_foreach(json_object_get(reply->json, "warnings"), index, warning)
		if (json_is_string(warning) &&
		    strstr(json_string_value(warning), "versioned K/V secrets engine") != NULL)
			return true;
	return false;
}

void
kv_reply_absent(const struct vault_reply *reply, struct failure *why)
{
	const json_t *metadata = json_object_get(json_object_get(reply->json, "data"), "metadata");
	const json_int_t number = json_integer_value(json_object_get(metadata, "version"));

	if (json_is_object(metadata)) {
		if (judge_deletion(metadata, number, time(NULL), why) == 0)
			(void)failure_set(why, FAILURE_ABSENT, "version %lld is deleted",
			    (long long)number);
	} else if (kv_reply_is_versioned_mount(reply)) {
		(void)failure_set(why, FAILURE_ABSENT,
		    "the mount is of KV version 2, and was asked as 1");
	} else if (json_array_size(json_object_get(reply->json, "errors")) != 0) {
		(void)failure_set(why, FAILURE_ABSENT, "no such mount or namespace");
	} else {
		(void)failure_set(why, FAILURE_ABSENT, "there is no such secret");
	}
}
