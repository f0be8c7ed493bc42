/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include <jansson.h>

#include "fields.h"
#include "judge.h"
#include "memory.h"
#include "publish-list-show.h"
#include "status-words.h"
#include "table.h"
#include "text.h"

#define LIST_SCHEMA 1
#define DAY_SECONDS 86400L
#define UNDER_A_ROW 4	/* columns by which what is said of a secret is indented */

enum held_state {
	HELD_OK, HELD_EXPIRING, HELD_CRITICAL, HELD_EXPIRED, HELD_UNKNOWN, HELD_DELETED
};

/* What a state is called and how bad it is. One that is not known is watched by nobody. Deleted
 * was somebody's decision; who still wants it is told by certlet. */
static const struct {
	const char *name;
	enum check_result level;
	enum colour colour;
} states[] = {
	[HELD_OK] = { "ok", CHECK_OK, COLOUR_GREEN },
	[HELD_EXPIRING] = { "expiring", CHECK_WARNING, COLOUR_YELLOW },
	[HELD_CRITICAL] = { "critical", CHECK_CRITICAL, COLOUR_RED },
	[HELD_EXPIRED] = { "expired", CHECK_CRITICAL, COLOUR_RED },
	[HELD_UNKNOWN] = { "unknown", CHECK_WARNING, COLOUR_YELLOW },
	[HELD_DELETED] = { "deleted", CHECK_OK, COLOUR_NONE },
};

static enum held_state
state_of(const struct shelf *shelf, const struct held *held)
{
	const struct leaf *leaf = &held->notes.edition.leaf;
	const long left = (long)(leaf->not_after - shelf->now);

	if (held->why.kind != FAILURE_NONE)
		return HELD_UNKNOWN;
	if (held->deleted)
		return HELD_DELETED;
	if (left <= 0)
		return HELD_EXPIRED;
	if (left < judge_threshold(shelf->critical, 10, leaf))
		return HELD_CRITICAL;
	return left < judge_threshold(shelf->warn, 5, leaf) ? HELD_EXPIRING : HELD_OK;
}

/* --- Table --- */

static char *
key_words(const struct held *held)
{
	if (held->notes.key_since == 0)
		return memory_text("-");
	return held->notes.key_since < held->version ?
	    memory_format("since %llu", (unsigned long long)held->notes.key_since) :
	    memory_text("new");
}

static void
add_row(struct table *table, const struct shelf *shelf, const struct held *held)
{
	const struct leaf *leaf = &held->notes.edition.leaf;
	const enum held_state state = state_of(shelf, held);
	char *expires = status_words_time(state == HELD_DELETED ? 0 : leaf->not_after, shelf->now,
	    /* brief= */ true);
	char *version = held->version == 0 ? memory_text("-") :
	    memory_format("%llu", (unsigned long long)held->version);
	char *key = key_words(held);

	table_add(table, (const char *const[]){ held->name, states[state].name, expires, version,
	    key, leaf->issuer != NULL && *leaf->issuer != '\0' ? leaf->issuer : "-" },
	    states[state].colour);
	free(key);
	free(version);
	free(expires);
}

static void
print_summary(const struct paper *paper, const struct shelf *shelf)
{
	const size_t count = shelf->repository->count;
	size_t needy = 0;
	char *words;

	for (size_t i = 0; i < count; i++)
		needy += states[state_of(shelf, &shelf->repository->items[i])].level != CHECK_OK;
	if (needy == 0)
		return;
	words = memory_format("%zu of %zu certificate%s need%s attention", needy, count,
	    count == 1 ? "" : "s", needy == 1 ? "s" : "");
	(void)fputc('\n', paper->out);
	text_fold(paper->out, words, 0, paper->width);
	free(words);
}

void
list_show_table(const struct shelf *shelf)
{
	static const struct table_column columns[] = {
		{ "CERTIFICATE", TABLE_MIDDLE }, { "STATE", TABLE_WHOLE },
		{ "EXPIRES", TABLE_WHOLE }, { "VERSION", TABLE_WHOLE },
		{ "KEY", TABLE_WHOLE }, { "ISSUER", TABLE_END },
	};
	const struct repository *repository = shelf->repository;
	const struct paper paper = paper_find();
	struct table *table = table_new(&paper, columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < repository->count; i++)
		add_row(table, shelf, &repository->items[i]);
	table_print_titles(table);
	for (size_t i = 0; i < repository->count; i++) {
		table_print_row(table, i);
		if (repository->items[i].why.kind == FAILURE_NONE)
			continue;
		(void)fprintf(paper.out, "%*s", UNDER_A_ROW, "");
		text_fold(paper.out, repository->items[i].why.text, UNDER_A_ROW, paper.width);
	}
	print_summary(&paper, shelf);
	table_free(table);
}

/* --- JSON --- */

static json_t *
text_or_null(const char *text)
{
	return fields_value(text != NULL && *text != '\0' ? text : NULL);
}

/* Rounded down: one that has expired has less than none. */
static json_t *
days_left(const struct leaf *leaf, time_t now)
{
	const long left = (long)(leaf->not_after - now);

	return leaf->not_after == 0 ? json_null() :
	    json_integer((left < 0 ? left - DAY_SECONDS + 1 : left) / DAY_SECONDS);
}

static json_t *
describe(const struct shelf *shelf, const struct held *held)
{
	const struct publish_notes *notes = &held->notes;
	const struct leaf *leaf = &notes->edition.leaf;

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "name", fields_value(held->name),
	    "state", states[state_of(shelf, held)].name,
	    "problem", held->why.kind != FAILURE_NONE ? fields_value(held->why.text) : json_null(),
	    "version", fields_number_value(held->version),
	    "serial", text_or_null(leaf->serial),
	    "fingerprint", text_or_null(leaf->fingerprint),
	    "issuer", text_or_null(leaf->issuer),
	    "names", leaf->not_after != 0 ? fields_words_value(&leaf->names) : json_null(),
	    "not_before", fields_time_value(leaf->not_before),
	    "not_after", fields_time_value(leaf->not_after),
	    "days_left", days_left(leaf, shelf->now),
	    "key_id", text_or_null(notes->edition.key_id),
	    "key_since", fields_number_value(notes->key_since),
	    "key_reused", notes->key_since != 0 ?
		json_boolean(notes->key_since < held->version) : json_null());
}

void
list_show_json(const struct shelf *shelf)
{
	json_t *certificates = json_array(), *document;

	for (size_t i = 0; i < shelf->repository->count; i++)
		(void)json_array_append_new(certificates,
		    describe(shelf, &shelf->repository->items[i]));
	document = json_pack("{s:i, s:s, s:o, s:{s:o, s:s}, s:{s:I, s:I}, s:b, s:o}",
	    "schema", LIST_SCHEMA, "certlet", PACKAGE_VERSION, "time", fields_time_value(shelf->now),
	    "vault", "namespace", text_or_null(shelf->vault->namespace),
		"kv_mount", shelf->vault->kv_mount,
	    "thresholds", "warn", (json_int_t)shelf->warn, "critical", (json_int_t)shelf->critical,
	    "whole", (int)shelf->repository->whole, "certificates", certificates);
	(void)json_dumpf(document, stdout, JSON_INDENT(1));
	(void)putchar('\n');
	json_decref(document);
}

/* --- The line of a plugin --- */

static void
find_held(const struct shelf *shelf, const struct held *held, struct findings *findings)
{
	const enum held_state state = state_of(shelf, held);
	const time_t not_after = held->notes.edition.leaf.not_after;

	if (state == HELD_DELETED)
		return;
	findings_count(findings, states[state].level, held->name, not_after);
	if (state == HELD_UNKNOWN) {
		char *words = findings_words(held->why.text);

		findings_add(findings, states[state].level, memory_format("%s is unknown: %s",
		    held->name, words));
		free(words);
	} else if (states[state].level != CHECK_OK) {
		findings_add(findings, states[state].level,
		    findings_expiry(held->name, not_after, shelf->now));
	}
}

enum check_result
list_show_check(const struct shelf *shelf, bool line)
{
	struct findings findings = { 0 };
	enum check_result result;

	for (size_t i = 0; i < shelf->repository->count; i++)
		find_held(shelf, &shelf->repository->items[i], &findings);
	result = line ? findings_print(&findings, shelf->now) : findings_worst(&findings);
	findings_clear(&findings);
	return result;
}
