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

int
run_save(struct run *run)
{
	return state_write(run->manifest->agent.state_directory, &run->state, &run->broken);
}
