/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "metrics.h"
#include "report.h"
#include "status.h"
#include "times.h"

void
report_manifest_errors(const char *file, const struct manifest_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		if (errors->items[i].line != 0)
			log_error("%s:%u: %s", file, errors->items[i].line, errors->items[i].text);
		else
			log_error("%s: %s", file, errors->items[i].text);
	}
}

/* "version 7", or for KV v1, which has no numbers, "a version". */
static const char *
version_text(const struct version *version, char text[TIMES_TEXT_BYTES])
{
	if (version->number == 0)
		return "a version without number";
	(void)snprintf(text, TIMES_TEXT_BYTES, "version %llu", (unsigned long long)version->number);
	return text;
}

static void
report_dry_item(const struct item *item)
{
	char version[TIMES_TEXT_BYTES], until[TIMES_TEXT_BYTES];
	const struct leaf *leaf = &item->target.leaf;

	if (item->pending && item->from == 0)
		log_notice("%s: would install %s, fingerprint %s, valid until %s", item->entry->name,
		    version_text(&item->target.version, version), leaf->fingerprint,
		    times_local(leaf->not_after, until));
	else if (item->pending)
		log_notice("%s: would renew to %s, fingerprint %s, valid until %s; installed is %s",
		    item->entry->name, version_text(&item->target.version, version),
		    leaf->fingerprint, times_local(leaf->not_after, until),
		    item->disk.origin.source != NULL ? item->disk.origin.leaf.fingerprint : "unreadable");
	else if (item->step.repair)
		log_notice("%s: would set owner, mode or links right", item->entry->name);
	for (size_t i = 0; (item->pending || item->step.repair) && i < item->disk.adoptable.count; i++)
		log_notice("%s: would adopt %s", item->entry->name, item->disk.adoptable.items[i]);
}

static bool
would_reload(const struct run *run, const char *service)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++) {
		const struct item *item = &run->items[i];

		if (item->pending && words_contain(&item->entry->services, service))
			return true;
		if (item->selected && item_has_new_service(item, service))
			return true;
	}
	return state_find_service(&run->state, service)->owed;
}

void
report_changes(const struct run *run)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++)
		if (run->items[i].selected)
			report_dry_item(&run->items[i]);
	for (size_t i = 0; i < run->manifest->service_count; i++)
		if (would_reload(run, run->manifest->services[i].name))
			log_notice("service %s: would be tested and reloaded",
			    run->manifest->services[i].name);
}

void
report_deletions(const struct words *names)
{
	for (size_t i = 0; i < names->count; i++)
		log_notice("%s: would delete, unless a service still uses it", names->items[i]);
}

/* --- The end of a run --- */

struct counts {
	size_t installed, renewed, lacking, selected;
};

static void
report_item(const struct item *item, bool dry, struct counts *counts)
{
	char version[TIMES_TEXT_BYTES], until[TIMES_TEXT_BYTES];

	counts->selected += item->selected;
	counts->lacking += item->selected &&
	    (item->failed != FAILURE_NONE || item->owned->generation == 0);
	if (!item->pending || item->stuck || !(item->in_place || dry))
		return;
	if (item->from == 0)
		counts->installed++;
	else
		counts->renewed++;
	if (dry)
		return;
	log_notice("%s: %s %s, valid until %s", item->entry->name,
	    item->from == 0 ? "installed" : "renewed to",
	    version_text(&item->target.version, version),
	    times_local(item->target.leaf.not_after, until));
}

static void
report_count(char **text, size_t count, const char *what)
{
	if (count != 0)
		memory_append(text, "%s%zu %s", **text != '\0' ? ", " : "", count, what);
}

static const char *const exit_words[] = {
	[EXIT_WANTED] = "all is as wanted", [EXIT_SETUP] = "the set-up is wrong",
	[EXIT_PARTLY] = "not all is as wanted", [EXIT_VAULT] = "no news from Vault",
	[EXIT_LOCKED] = "another run holds the lock", [EXIT_BROKEN] = "certlet itself failed",
};

static void
report_summary(const struct run *run, const struct counts *counts, enum exit_code code,
    double seconds)
{
	char *text = memory_text(""), *services = memory_text("");
	size_t all, lacking = run_services_lacking(run, &all);

	if (lacking != 0)
		memory_append(&services, " and %zu of %zu service%s", lacking, all, all == 1 ? "" : "s");
	report_count(&text, counts->installed, "installed");
	report_count(&text, counts->renewed, "renewed");
	report_count(&text, run->tally.repaired, "repaired");
	report_count(&text, run->tally.deleted, "deleted");
	report_count(&text, run->tally.kept, "not deleted");
	report_count(&text, run->tally.reloaded, run->tally.reloaded == 1 ? "reload" : "reloads");
	if (run->options->dry_run)
		log_notice("nothing was changed: %zu would be installed, %zu renewed, %zu would stay as "
		    "they are; exit %d (%.2f s)", counts->installed, counts->renewed,
		    counts->selected - counts->installed - counts->renewed, (int)code, seconds);
	else if (code == EXIT_WANTED)
		log_notice("%zu certificate%s as wanted%s%s (%.2f s)", counts->selected,
		    counts->selected == 1 ? "" : "s", *text != '\0' ? ": " : ", nothing to do", text,
		    seconds);
	else
		log_warning("%s: %zu of %zu certificate%s%s not as wanted%s%s; exit %d (%.2f s)",
		    exit_words[code], counts->lacking, counts->selected,
		    counts->selected == 1 ? "" : "s", services, *text != '\0' ? ": " : "", text,
		    (int)code, seconds);
	free(services);
	free(text);
}

static const struct origin *
installed_origin(const struct item *item)
{
	if (item->pending && item->in_place)
		return &item->target;
	return item->owned->generation != 0 && item->disk.origin.source != NULL ?
	    &item->disk.origin : NULL;
}

/*
 * status.json: `listed` certificates of the manifest, and those that are only in the state: their
 * keys are still here.
 */
static int
write_status(const struct manifest *manifest, const struct state *state, const struct store *store,
    const struct sandbox *sandbox, const struct item items[], size_t listed,
    const struct status_run *facts, struct failure *why)
{
	struct status_run whole = *facts;
	struct status_certificate *certificates =
	    memory_new(listed + state->certificate_count, sizeof(*certificates));
	struct origin *origins = memory_new(state->certificate_count, sizeof(*origins));
	struct words layers = { 0 };
	size_t count = 0;
	int result;

	for (size_t i = 0; i < listed; i++)
		certificates[count++] = (struct status_certificate){
			.entry = items[i].entry, .owned = items[i].owned,
			.installed = installed_origin(&items[i]),
			.generation = items[i].owned->generation,
		};
	for (size_t i = 0; i < state->certificate_count; i++) {
		const struct owned *owned = &state->certificates[i];

		if (listed == 0 || manifest_find_entry(manifest, owned->name) == NULL)
			certificates[count++] = (struct status_certificate){
				.owned = owned, .generation = owned->generation, .installed =
				    store_read_installed(store, owned, &origins[i]) ? &origins[i] : NULL,
			};
	}
	sandbox_layers(sandbox, &layers);
	whole.sandbox = &layers;
	result = status_write(manifest, state, certificates, count, &whole, why);
	for (size_t i = 0; i < state->certificate_count; i++)
		origin_clear(&origins[i]);
	free(origins);
	words_clear(&layers);
	free(certificates);
	return result;
}

static int
write_run(const struct run *run, enum exit_code code, double seconds)
{
	const struct status_run facts = {
		.time = run->now, .exit = code, .seconds = seconds, .requests = run->summary.requests,
		.error = run->broken.kind != FAILURE_NONE ? run->broken.text :
		    run->summary.away.kind != FAILURE_NONE ? run->summary.away.text : NULL,
	};
	struct failure why;
	const int result = write_status(run->manifest, &run->state, run->store, &run->sandbox,
	    run->items, run->manifest->entry_count, &facts, &why);

	if (result == -1)
		log_error("%s", why.text);
	return result;
}

static int
write_metrics(const struct agent_settings *agent, time_t now)
{
	struct seen_status status = { 0 };
	struct failure why;
	int result = -1;

	if (agent->metrics_file == NULL)
		return 0;
	if (status_read(agent->state_directory, now, &status, &why) == 0)
		result = metrics_write(agent->metrics_file, &status, &why);
	if (result == -1)
		log_error("%s", why.text);
	status_clear(&status);
	return result;
}

/* Monitoring would go on believing the last ones. */
static enum exit_code
tell_monitoring(const struct run *run, enum exit_code code, double seconds)
{
	if (write_run(run, code, seconds) == -1)
		return exit_code_worse(code, EXIT_PARTLY);
	if (write_metrics(&run->manifest->agent, run->now) == 0)
		return code;
	code = exit_code_worse(code, EXIT_PARTLY);
	(void)write_run(run, code, seconds);
	return code;
}

enum exit_code
report_end(const struct run *run, enum exit_code code, double seconds)
{
	struct counts counts = { 0 };

	for (size_t i = 0; i < run->manifest->entry_count; i++)
		report_item(&run->items[i], run->options->dry_run, &counts);
	if (!run->options->dry_run)
		code = tell_monitoring(run, code, seconds);
	report_summary(run, &counts, code, seconds);
	return code;
}

int
report_purge(const struct manifest *manifest, const struct state *state, const struct store *store,
    time_t now, enum exit_code code, struct failure *why)
{
	const struct status_run facts = { .time = now, .exit = code };
	struct sandbox sandbox;

	/* Of the next run; a purge has no child. Its user may be gone already. */
	(void)sandbox_prepare(manifest->agent.user, &sandbox, why);
	if (write_status(manifest, state, store, &sandbox, NULL, 0, &facts, why) == -1)
		return -1;
	(void)write_metrics(&manifest->agent, now);
	return 0;
}
