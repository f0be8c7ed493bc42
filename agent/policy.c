/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "policy.h"
#include "set.h"

struct policy {
	FILE *out;
	struct words paths;	/* all that were written, so that none is twice */
	struct set written;
};

/* As an HCL string, in which "${" would begin an interpolation. */
static char *
quote(const char *text)
{
	char *quoted = memory_new(6 * strlen(text) + 3, 1), *end = quoted;

	*end++ = '"';
	for (; *text != '\0'; text++) {
		if (text[0] == '$' && text[1] == '{') {
			end = stpcpy(end, "\\u0024");
			continue;
		}
		if (*text == '"' || *text == '\\')
			*end++ = '\\';
		*end++ = *text;
	}
	*end = '"';
	return quoted;
}

/* Whether that path was not written before; it is noted. */
static bool
is_first(struct policy *policy, const char *path)
{
	if (set_find(&policy->written, path) != NULL)
		return false;
	words_add(&policy->paths, path);
	set_add(&policy->written, policy->paths.items[policy->paths.count - 1], 0, NULL);
	return true;
}

static void
add_rule(struct policy *policy, const char *path)
{
	char *quoted = quote(path);

	(void)fprintf(policy->out, "path %s {\n  capabilities = [\"read\"]\n}\n", quoted);
	free(quoted);
}

/* `way` leads from the namespace of the policy to that of the entry. */
static void
add_entry(struct policy *policy, const struct entry *entry, const char *way)
{
	static const char *const shapes[][3] = {
		/* Version 2, since nobody said otherwise: a rule for version 1 would open nothing there. */
		[KV_AUTO] = { "data/", "metadata/", NULL },
		[KV_1] = { "", NULL },
		[KV_2] = { "data/", "metadata/", NULL },
	};
	bool named = false;

	for (const char *const *shape = shapes[entry->kv_version]; *shape != NULL; shape++) {
		char *path = memory_format("%s%s%s/%s%s", way, *way != '\0' ? "/" : "",
		    entry->mount, *shape, entry->path);

		if (is_first(policy, path)) {
			if (!named)
				(void)fprintf(policy->out, "\n# %s\n", entry->name);
			named = true;
			add_rule(policy, path);
		}
		free(path);
	}
}

/* Only said: as a rule here it would open a secret of the same path in another namespace. */
static void
add_foreign(struct policy *policy, const struct entry *entry, const char *namespace)
{
	(void)fprintf(policy->out, "\n# %s is in namespace %s, which this policy cannot reach: it needs "
	    "one there,\n# given to an identity group, for %s\n", entry->name,
	    *namespace != '\0' ? namespace : "root", entry->source);
}

/*
 * The paths of a policy begin at its own namespace, which is that of the login: the way from there
 * to `namespace`, "" if it is the same; NULL when it is not below.
 */
static const char *
way_down(const char *home, const char *namespace)
{
	const size_t length = strlen(home);

	if (length == 0)
		return namespace;
	if (strncmp(namespace, home, length) != 0)
		return NULL;
	if (namespace[length] == '\0')
		return namespace + length;
	return namespace[length] == '/' ? namespace + length + 1 : NULL;
}

char *
policy_text(const struct manifest *manifest)
{
	const char *home = manifest->vault.auth_namespace;
	char *text = NULL;
	size_t size = 0;
	struct policy policy = { .out = memory_must(open_memstream(&text, &size)) };

	(void)fprintf(policy.out, "# certlet --policy: what the manifest needs, and no more\n");
	if (home != NULL)
		(void)fprintf(policy.out, "# namespace %s: write it there, where the login is\n", home);
	for (size_t i = 0; i < manifest->entry_count; i++) {
		const struct entry *entry = &manifest->entries[i];
		const char *namespace = entry->namespace != NULL ? entry->namespace : "";
		const char *way = way_down(home != NULL ? home : "", namespace);

		if (way != NULL)
			add_entry(&policy, entry, way);
		else
			add_foreign(&policy, entry, namespace);
	}
	words_clear(&policy.paths);
	set_clear(&policy.written);
	return memory_must(fclose(policy.out) == 0 ? text : NULL);
}
