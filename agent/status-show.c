/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "status.h"
#include "status-read.h"
#include "status-words.h"
#include "table.h"
#include "text.h"
#include "times.h"

#define UNDER_A_ROW 4		/* columns by which what is said of a certificate is indented */
#define LABEL_COLUMNS 14
#define NAMES_MOST 10		/* of those that need attention */

/* What --status is asked for. */
struct view {
	struct paper paper;
	const struct seen_status *status;
	const struct words *names;	/* empty: all certificates, without details */
	time_t now;
};

static enum colour
level_colour(enum check_result level)
{
	return level == CHECK_OK ? COLOUR_GREEN : level == CHECK_WARNING ? COLOUR_YELLOW :
	    COLOUR_RED;
}

static void
print_indented(const struct view *view, const char *words)
{
	(void)fprintf(view->paper.out, "%*s", UNDER_A_ROW, "");
	text_fold(view->paper.out, words, UNDER_A_ROW, view->paper.width);
}

static void
print_labelled(const struct view *view, size_t indent, const char *label, char *take_words)
{
	(void)fprintf(view->paper.out, "%*s%-*s", (int)indent, "", LABEL_COLUMNS, label);
	text_fold(view->paper.out, take_words, indent + LABEL_COLUMNS, view->paper.width);
	free(take_words);
}

static bool
is_asked_for(const struct view *view, const char *certificate)
{
	return view->names->count == 0 || words_contain(view->names, certificate);
}

static void
print_problem(const struct view *view, const struct seen_certificate *seen)
{
	char *problem = status_words_problem(seen);
	char *next = status_words_next_try(seen, view->now);

	print_indented(view, problem);
	print_indented(view, next);
	free(problem);
	free(next);
}

static void
print_details(const struct view *view, const struct seen_certificate *seen)
{
	static const char none[] = "-";
	const char *const texts[][2] = {
		{ "source", seen->source }, { "issuer", seen->issuer },
		{ "serial", seen->serial }, { "fingerprint", seen->fingerprint },
	};
	char from[TIMES_TEXT_BYTES], to[TIMES_TEXT_BYTES], installed[TIMES_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		print_labelled(view, UNDER_A_ROW, texts[i][0],
		    memory_text(texts[i][1] != NULL ? texts[i][1] : none));
	print_labelled(view, UNDER_A_ROW, "names", words_join(&seen->names, " ", SIZE_MAX, none));
	print_labelled(view, UNDER_A_ROW, "services", words_join(&seen->services, " ", SIZE_MAX, none));
	if (seen->state == STATUS_MISSING)
		return;
	print_labelled(view, UNDER_A_ROW, "valid", memory_format("from %s to %s",
	    times_local(seen->not_before, from), times_local(seen->not_after, to)));
	print_labelled(view, UNDER_A_ROW, "installed", memory_format("%s, generation %ld",
	    times_local(seen->installed, installed), seen->generation));
}

static void
print_below(const struct view *view, const struct seen_certificate *seen)
{
	if (!seen->wanted)
		print_indented(view, "not in the manifest any more: to be deleted");
	if (seen->problem != NULL)
		print_problem(view, seen);
	if (view->names->count != 0)
		print_details(view, seen);
}

static void
add_certificate(struct table *table, const struct seen_certificate *seen, time_t now)
{
	const char *state = seen->wanted ? status_state_names[seen->state] : "unlisted";
	char *expires = status_words_time(seen->not_after, now, /* brief= */ true);
	char *version = status_words_version(seen);
	char *services = words_join(&seen->services, " ", SIZE_MAX, "-");

	table_add(table, (const char *const[]){ seen->name, state, expires, version,
	    services }, level_colour(seen->level));
	free(expires);
	free(version);
	free(services);
}

static void
print_certificates(const struct view *view)
{
	static const struct table_column columns[] = {
		{ "CERTIFICATE", TABLE_MIDDLE }, { "STATE", TABLE_WHOLE },
		{ "EXPIRES", TABLE_WHOLE }, { "VERSION", TABLE_WHOLE },
		{ "SERVICES", TABLE_END },
	};
	const struct seen_status *status = view->status;
	struct table *table = table_new(&view->paper, columns, sizeof(columns) / sizeof(*columns));
	size_t row = 0;

	for (size_t i = 0; i < status->certificate_count; i++)
		if (is_asked_for(view, status->certificates[i].name))
			add_certificate(table, &status->certificates[i], view->now);
	table_print_titles(table);
	for (size_t i = 0; i < status->certificate_count; i++)
		if (is_asked_for(view, status->certificates[i].name)) {
			table_print_row(table, row++);
			print_below(view, &status->certificates[i]);
		}
	table_free(table);
}

static bool
is_service_asked_for(const struct view *view, const char *service)
{
	const struct seen_status *status = view->status;

	for (size_t i = 0; i < status->certificate_count; i++)
		if (is_asked_for(view, status->certificates[i].name) &&
		    words_contain(&status->certificates[i].services, service))
			return true;
	return view->names->count == 0;
}

static void
add_service(struct table *table, const struct view *view, const struct seen_service *seen)
{
	char *reload = status_words_time(seen->last_reload, view->now, /* brief= */ false);
	char *serving = status_words_serving(view->status, seen->serving);

	table_add(table, (const char *const[]){ seen->name, seen->state != NULL ? seen->state : "-",
	    reload, serving }, seen->state != NULL ? level_colour(seen->level) : COLOUR_NONE);
	free(reload);
	free(serving);
}

static void
print_service(const struct view *view, const struct table *table, size_t row,
    const struct seen_service *seen)
{
	table_print_row(table, row);
	if (seen->error != NULL)
		print_indented(view, seen->error);
	if (seen->reload_owed)
		print_indented(view, "a reload is owed; next try: at every run");
}

static void
print_services(const struct view *view)
{
	static const struct table_column columns[] = {
		{ "SERVICE", TABLE_MIDDLE }, { "STATE", TABLE_WHOLE },
		{ "LAST RELOAD", TABLE_WHOLE }, { "SERVING", TABLE_MIDDLE },
	};
	const struct seen_status *status = view->status;
	struct table *table = table_new(&view->paper, columns, sizeof(columns) / sizeof(*columns));
	size_t rows = 0, row = 0;

	for (size_t i = 0; i < status->service_count; i++)
		if (is_service_asked_for(view, status->services[i].name)) {
			add_service(table, view, &status->services[i]);
			rows++;
		}
	if (rows != 0) {
		(void)fputc('\n', view->paper.out);
		table_print_titles(table);
	}
	for (size_t i = 0; i < status->service_count; i++)
		if (is_service_asked_for(view, status->services[i].name))
			print_service(view, table, row++, &status->services[i]);
	table_free(table);
}

static void
print_footer(const struct view *view)
{
	const struct seen_status *status = view->status;
	char *credentials = status_words_credentials(status, view->now);

	(void)fputc('\n', view->paper.out);
	print_labelled(view, 0, "last run", status_words_run(status, view->now));
	if (status->error != NULL)
		print_labelled(view, 0, "", memory_text(status->error));
	print_labelled(view, 0, "last success", status_words_success(status, view->now));
	print_labelled(view, 0, "Vault", memory_format("%s, %s, credentials %s",
	    status->address != NULL ? status->address : "-",
	    status->auth != NULL ? status->auth : "-",
	    credentials));
	free(credentials);
	for (size_t i = 0; i < status->notes.count; i++)
		print_labelled(view, 0, i == 0 ? "notes" : "", memory_text(status->notes.items[i]));
	print_labelled(view, 0, "sandbox", status_words_sandbox(status));
}

/* "3 of 100 certificates need attention: a, b, c" */
static void
print_needy(const struct view *view, const struct words *needy, size_t count, const char *what)
{
	char *list = words_join(needy, ", ", NAMES_MOST, "");
	char *words = memory_format("%zu of %zu %s%s %s attention: %s", needy->count, count, what,
	    count == 1 ? "" : "s", needy->count == 1 ? "needs" : "need", list);

	text_fold(view->paper.out, words, 0, view->paper.width);
	free(words);
	free(list);
}

static void
print_attention(const struct view *view)
{
	const struct seen_status *status = view->status;
	struct words certificates = { 0 }, services = { 0 };

	for (size_t i = 0; i < status->certificate_count; i++)
		if (status->certificates[i].level != CHECK_OK)
			words_add(&certificates, status->certificates[i].name);
	for (size_t i = 0; i < status->service_count; i++)
		if (status->services[i].level != CHECK_OK)
			words_add(&services, status->services[i].name);
	if (certificates.count + services.count != 0)
		(void)fputc('\n', view->paper.out);
	if (certificates.count != 0)
		print_needy(view, &certificates, status->certificate_count, "certificate");
	if (services.count != 0)
		print_needy(view, &services, status->service_count, "service");
	words_clear(&certificates);
	words_clear(&services);
}

static void
print_tables(const struct view *view)
{
	print_certificates(view);
	print_services(view);
	print_footer(view);
	if (view->names->count == 0)
		print_attention(view);
}

static void
print_json(const struct view *view)
{
	json_t *certificates = json_object_get(view->status->document, "certificates");

	for (size_t i = json_array_size(certificates); i-- > 0; ) {
		const json_t *certificate = json_array_get(certificates, i);
		const char *name = json_string_value(json_object_get(certificate, "name"));

		if (name != NULL && !is_asked_for(view, name))
			(void)json_array_remove(certificates, i);
	}
	(void)json_dumpf(view->status->document, view->paper.out, STATUS_JSON_FLAGS);
	(void)fputc('\n', view->paper.out);
}

static bool
is_known(const struct seen_status *status, const char *name)
{
	for (size_t i = 0; i < status->certificate_count; i++)
		if (strcmp(status->certificates[i].name, name) == 0)
			return true;
	return false;
}

static int
check_names(const struct seen_status *status, const struct words *names, struct failure *why)
{
	for (size_t i = 0; i < names->count; i++)
		if (!is_known(status, names->items[i]))
			return failure_set(why, FAILURE_USAGE, "no certificate %s: the last run "
			    "knew none of that name (certlet --status lists them)",
			    names->items[i]);
	return 0;
}

int
status_show(const char *state_directory, const struct words *names, bool json, time_t now,
    struct failure *why)
{
	struct seen_status status = { 0 };
	const struct view view = { paper_find(), &status, names, now };
	int result = -1;

	if (status_read(state_directory, now, &status, why) == -1 ||
	    check_names(&status, names, why) == -1)
		goto out;
	if (json)
		print_json(&view);
	else
		print_tables(&view);
	result = fflush(stdout) == EOF || ferror(stdout) ?
	    failure_errno(why, FAILURE_SETUP, "write to standard output") : 0;
out:
	status_clear(&status);
	return result;
}
