/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <unistd.h>

#include "command.h"
#include "service.h"

bool
service_systemd_runs(void)
{
	return access("/run/systemd/system", F_OK) == 0;
}

/* What is not spelled out calls systemctl; elsewhere the stand-in takes its place, or nothing. */
static const struct words *
choose(bool own, const struct words *words, const struct words *stand_in)
{
	return own || service_systemd_runs() ? words : stand_in;
}

static const struct words *
find_active(const struct service *service)
{
	return choose(service->own_active, &service->active, &service->active_sysv);
}

static const struct words *
find_reload(const struct service *service)
{
	return choose(service->own_reload, &service->reload, &service->reload_sysv);
}

static bool
is_missing(const char *program)
{
	return access(program, F_OK) == -1 && (errno == ENOENT || errno == ENOTDIR);
}

/* Silence is no "no": a service taken for inactive would never be told of its new certificate. */
static bool
runs(const struct service *service, const struct words *active)
{
	struct failure why;

	switch (command_run(active, service->timeout, NULL, NULL, &why)) {
	case COMMAND_PASSED:
	case COMMAND_TIMED_OUT:
	case COMMAND_NOT_STARTED:
		return true;
	case COMMAND_FAILED:
	case COMMAND_NOT_RUN:
		break;
	}
	return false;
}

enum service_condition
service_condition(const struct service *service)
{
	const struct words *active = find_active(service), *reload = find_reload(service);

	if (reload->count == 0 || (active->count == 0 && !service->own_reload))
		return CONDITION_UNMANAGED;
	if (service_has_test(service) && is_missing(service->test.items[0]))
		return CONDITION_INACTIVE;
	if (active->count == 0 || runs(service, active))
		return CONDITION_RUNS;
	return CONDITION_INACTIVE;
}

bool
service_has_test(const struct service *service)
{
	return service->test.count != 0;
}

static enum service_answer
ask(const struct service *service, const struct words *command, struct failure *why)
{
	switch (command_run(command, service->timeout, NULL, NULL, why)) {
	case COMMAND_PASSED:
		return SERVICE_YES;
	case COMMAND_NOT_STARTED:
		return SERVICE_UNASKED;
	case COMMAND_FAILED:
	case COMMAND_TIMED_OUT:
	case COMMAND_NOT_RUN:
		break;
	}
	return SERVICE_NO;
}

enum service_answer
service_test(const struct service *service, struct failure *why)
{
	return service_has_test(service) ? ask(service, &service->test, why) : SERVICE_YES;
}

enum service_answer
service_reload(const struct service *service, struct failure *why)
{
	const struct words *reload = find_reload(service);

	if (reload->count != 0)
		return ask(service, reload, why);
	(void)failure_set(why, FAILURE_SERVICE, "no command is known that reloads it");
	return SERVICE_NO;
}
