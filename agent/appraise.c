/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "appraise.h"
#include "bundle.h"
#include "judge.h"
#include "kv-fields.h"
#include "wire.h"

static int
judge(const struct agent_settings *agent, const struct question *question,
    const struct entry *entry, const struct version *version, const struct bundle *bundle,
    struct answer *answer, struct failure *why)
{
	const bool same_source = !version_is_none(&question->installed);
	const struct requirements requirements = {
		.names = entry->any_name ? NULL : &entry->names,
		.trust = question->has_trust ? &question->trust : NULL,
		.now = time(NULL),
		.force = question->force,
		.installed = question->have_leaf ? &question->leaf : NULL,
		.installed_version = same_source ? &question->installed : NULL,
		.offered_version = same_source ? version : NULL,
		.critical = agent->critical,
	};

	return judge_bundle(bundle, &requirements, &answer->retry, &answer->notice, why);
}

/* "kv:secret/certs/www, version 7: expected …" */
static int
say_which(const struct kv_item *item, const struct version *version, struct failure *why)
{
	if (item->version == KV_1)
		return failure_prefix(why, "%s", item->entry->source);
	return failure_prefix(why, "%s, version %llu", item->entry->source,
	    (unsigned long long)version->number);
}

int
appraise_secret(const struct agent_settings *agent, const struct question *question,
    const struct kv_item *item, const struct version *version, const json_t *data,
    struct answer *answer, struct failure *why)
{
	const struct secret *texts[PART_COUNT];
	struct bundle *bundle = NULL;
	struct kv_texts fields;
	int result = -1;

	if (kv_fields_pick(data, item->entry, &fields, why) == -1)
		return say_which(item, version, why);
	for (int part = 0; part < PART_COUNT; part++)
		texts[part] = fields.items[part].size != 0 ? &fields.items[part] : NULL;
	if (bundle_read(texts, PART_COUNT, &bundle, why) == 0 &&
	    judge(agent, question, item->entry, version, bundle, answer, why) == 0 &&
	    bundle_write(bundle, &answer->material, why) == 0 &&
	    wire_check_material(&answer->material, why) == 0)
		result = 0;
	else
		(void)say_which(item, version, why);
	bundle_free(bundle);
	kv_texts_clear(&fields);
	return result;
}
