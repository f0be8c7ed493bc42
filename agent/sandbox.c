/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "sandbox-layers.h"

#define LOCKED_BYTES_MOST (256UL * 1024 * 1024)

static int
find_user(const char *name, struct sandbox *sandbox, struct failure *why)
{
	const struct passwd *user;

	errno = 0;
	if ((user = getpwnam(name)) == NULL) {
		if (errno != 0 && errno != ENOENT)
			return failure_errno(why, errno == ENOMEM || errno == EMFILE || errno == ENFILE ?
			    FAILURE_INTERNAL : FAILURE_SETUP, "look up user %s", name);
		return failure_set(why, FAILURE_SETUP, "user %s does not exist: certlet needs it for "
		    "the process that talks to Vault", name);
	}
	if (user->pw_uid == 0 || user->pw_gid == 0)
		return failure_set(why, FAILURE_SETUP, "user %s is root, or in its group: certlet "
		    "needs one without rights", name);
	sandbox->uid = user->pw_uid;
	sandbox->gid = user->pw_gid;
	return 0;
}

int
sandbox_prepare(const char *user, struct sandbox *out_sandbox, struct failure *why)
{
	*out_sandbox = (struct sandbox){
		.drop = geteuid() == 0, .uid = geteuid(), .gid = getegid(),
		.landlock = landlock_abi(), .seccomp = seccomp_works(),
	};
	return out_sandbox->drop ? find_user(user, out_sandbox, why) : 0;
}

void
sandbox_allow_port(struct sandbox_ports *ports, long port)
{
	if (port <= 0 || port > UINT16_MAX)
		return;
	ports->items = memory_grow(ports->items, ports->count + 1, sizeof(*ports->items));
	ports->items[ports->count++] = (uint16_t)port;
}

void
sandbox_ports_clear(struct sandbox_ports *ports)
{
	free(ports->items);
	*ports = (struct sandbox_ports){ 0 };
}

static void
must(bool done)
{
	if (!done)
		_exit(EXIT_BROKEN);
}

static bool
close_from_to(int first, unsigned int last)
{
	return (unsigned int)first > last || close_range((unsigned int)first, last, 0) == 0;
}

/* Descriptors of the parent: its lock, its directories, the terminal. */
static void
close_descriptors(int keep)
{
	const int null = open("/dev/null", O_RDWR);
	struct rlimit limit;

	must(null != -1 && keep > STDERR_FILENO);
	for (int i = 0; i <= STDERR_FILENO; i++)
		must(dup2(null, i) == i);
	if (close_from_to(STDERR_FILENO + 1, (unsigned int)keep - 1) &&
	    close_from_to(keep + 1, ~0U))
		return;
	/* Linux before 5.9. */
	must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (int i = STDERR_FILENO + 1; (rlim_t)i < limit.rlim_cur; i++)
		if (i != keep)
			(void)close(i);
}

static void
reset_signals(void)
{
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_DFL);
	/* A parent that is gone is a write that fails, not a death on the way. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&none);
	must(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

static void
drop_user(const struct sandbox *user)
{
	uid_t real, effective, saved;

	if (!user->drop)
		return;
	must(user->uid != 0);
	must(setgroups(0, NULL) == 0);
	must(setresgid(user->gid, user->gid, user->gid) == 0);
	must(setresuid(user->uid, user->uid, user->uid) == 0);
	must(getresuid(&real, &effective, &saved) == 0);
	must(real == user->uid && effective == user->uid && saved == user->uid);
	must(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1);
}

/* The parent's death ends the child. One that died before this was asked for has hung up. */
static void
die_with_parent(int keep)
{
	struct pollfd socket = { .fd = keep };

	must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	must(poll(&socket, 1, 0) != 1 || (socket.revents & POLLHUP) == 0);
}

static void
set_limits(void)
{
	const struct rlimit none = { 0, 0 }, locked = { LOCKED_BYTES_MOST, LOCKED_BYTES_MOST };

	must(setrlimit(RLIMIT_CORE, &none) == 0);
	must(setrlimit(RLIMIT_FSIZE, &none) == 0);
	/* A limit that an ordinary user has is too low for all of a run's secrets. */
	(void)setrlimit(RLIMIT_MEMLOCK, &locked);
	arena_lock();
	/* A write to a file fails then, and does not kill. */
	(void)signal(SIGXFSZ, SIG_IGN);
}

void
sandbox_enter(const struct sandbox *sandbox, int keep, const struct sandbox_ports *ports)
{
	/* A terminal that is still the child's own could be fed keystrokes. */
	must(setsid() != -1);
	close_descriptors(keep);
	/* Times in messages are local ones, and what says so will be out of reach. */
	tzset();
	must(clearenv() == 0);
	reset_signals();
	set_limits();
	drop_user(sandbox);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(prctl(PR_SET_DUMPABLE, 0) == 0);
	/* After the user: a change of it forgets the signal. */
	die_with_parent(keep);
	must(sandbox->landlock == 0 || landlock_enter(sandbox->landlock, ports));
	must(!sandbox->seccomp || seccomp_enter());
}

void
sandbox_layers(const struct sandbox *sandbox, struct words *out_layers)
{
	*out_layers = (struct words){ 0 };
	if (sandbox->drop)
		words_add(out_layers, "user");
	if (sandbox->landlock != 0)
		words_add(out_layers, "landlock");
	if (sandbox->seccomp)
		words_add(out_layers, "seccomp");
}
