/* SPDX-License-Identifier: ISC */
/* publish-list-show: a repository as a table, as JSON and as the line of a plugin; all to standard
 * output. */
#ifndef CERTLET_PUBLISH_LIST_SHOW_H
#define CERTLET_PUBLISH_LIST_SHOW_H

#include "findings.h"
#include "manifest.h"
#include "publish-repository.h"

struct shelf {
	const struct repository *repository;
	const struct vault_settings *vault;
	long warn, critical;	/* seconds */
	time_t now;
};

void list_show_table(const struct shelf *shelf);
void list_show_json(const struct shelf *shelf);
/* The line of a plugin, unless only its exit code is wanted. */
enum check_result list_show_check(const struct shelf *shelf, bool line);

#endif
