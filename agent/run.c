/* SPDX-License-Identifier: ISC */
#include "log.h"
#include "run.h"

bool
item_has_new_service(const struct item *item, const char *service)
{
	return item->owned->generation != 0 &&
	    words_contain(&item->entry->services, service) &&
	    !words_contain(&item->owned->services, service);
}

void
item_fail(struct run *run, struct item *item, enum problem problem, const struct failure *why)
{
	item->failed = why->kind;
	owned_set_problem(item->owned, problem, why->text, run->now);
	log_error("%s: %s", item->entry->name, why->text);
}

static bool
is_concerned(const struct run *run, const char *service)
{
	for (size_t i = 0; i < run->manifest->entry_count; i++)
		if (run->items[i].selected && words_contain(&run->items[i].entry->services, service))
			return true;
	return false;
}

size_t
run_services_lacking(const struct run *run, size_t *out_all)
{
	size_t lacking = 0;

	*out_all = 0;
	for (size_t i = 0; i < run->manifest->service_count; i++) {
		const char *name = run->manifest->services[i].name;
		const struct known_service *known = state_find_service(&run->state, name);

		if (!is_concerned(run, name))
			continue;
		++*out_all;
		lacking += known != NULL && (known->owed || known->failed);
	}
	return lacking;
}

int
run_save(struct run *run)
{
	return state_write(run->manifest->agent.state_directory, &run->state, &run->broken);
}
