/* SPDX-License-Identifier: ISC */
#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sandbox.c"
#include "support/runner.h"

static struct failure why;
static const struct sandbox_ports ports;

/* What a child inside finds, bit by bit; 0: all is as it should be. */
enum wrong {
	WRONG_SESSION = 1, WRONG_DESCRIPTOR = 2, WRONG_ENVIRONMENT = 4, WRONG_USER = 8, WRONG_GROUPS = 16,
	WRONG_PRIVILEGES = 32, WRONG_LIMITS = 64, WRONG_SOCKET = 128
};

static bool
has_descriptor_but(int keep)
{
	for (int i = 3; i < 200; i++)
		if (i != keep && fcntl(i, F_GETFD) != -1)
			return true;
	return false;
}

static int
look_around(const struct sandbox *sandbox, int socket)
{
	struct rlimit core;
	int wrong = 0, memory;

	if (getsid(0) != getpid())
		wrong |= WRONG_SESSION;
	if (has_descriptor_but(socket) || isatty(0) || read(0, &core, 1) != 0)
		wrong |= WRONG_DESCRIPTOR;
	if (getenv("SSLKEYLOGFILE") != NULL || getenv("PATH") != NULL)
		wrong |= WRONG_ENVIRONMENT;
	if (geteuid() != sandbox->uid || getuid() != sandbox->uid || (sandbox->drop && setuid(0) != -1))
		wrong |= WRONG_USER;
	if (sandbox->drop && (getgroups(0, NULL) != 0 || getegid() != sandbox->gid))
		wrong |= WRONG_GROUPS;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE) != 0)
		wrong |= WRONG_PRIVILEGES;
	if (getrlimit(RLIMIT_CORE, &core) == -1 || core.rlim_max != 0 ||
	    (memory = memfd_create("some", MFD_CLOEXEC)) == -1 || write(memory, "x", 1) != -1 || errno != EFBIG)
		wrong |= WRONG_LIMITS;
	if (send(socket, "x", 1, 0) != 1)
		wrong |= WRONG_SOCKET;
	return wrong;
}

static int
run_inside(const char *name, int keep)
{
	struct sandbox sandbox;
	int sockets[2], status;
	pid_t child;

	ck_assert_msg(sandbox_prepare(name, &sandbox, &why) == 0, "%s", why.text);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	ck_assert_int_eq(setenv("SSLKEYLOGFILE", "/tmp/keys", 1), 0);
	(void)open("/etc/passwd", O_RDONLY);	/* a descriptor of the parent's that stays open */
	if ((child = fork()) == 0) {
		close(sockets[0]);
		if (keep != -1 && dup2(sockets[1], keep) != keep)
			_exit(255);
		sandbox_enter(&sandbox, keep != -1 ? keep : sockets[1], &ports);
		_exit(look_around(&sandbox, keep != -1 ? keep : sockets[1]));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	close(sockets[0]);
	close(sockets[1]);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(a_child_inside_has_one_socket_and_nothing_else)
{
	ck_assert_int_eq(run_inside("nobody", -1), 0);
	ck_assert_int_eq(run_inside("nobody", 3), 0);
	ck_assert_int_eq(run_inside("nobody", 150), 0);
}
END_TEST

START_TEST(a_parent_that_died_before_is_noticed)
{
	struct sandbox sandbox;
	int sockets[2], status;
	pid_t child;

	ck_assert_int_eq(sandbox_prepare("nobody", &sandbox, &why), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	close(sockets[0]);
	if ((child = fork()) == 0) {
		sandbox_enter(&sandbox, sockets[1], &ports);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), EXIT_BROKEN);
}
END_TEST

START_TEST(a_user_that_does_not_exist_or_is_root_is_refused)
{
	struct sandbox sandbox;

	if (geteuid() != 0)
		return;
	ck_assert_int_eq(sandbox_prepare("no-such-user-here", &sandbox, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
	ck_assert_ptr_nonnull(strstr(why.text, "no-such-user-here"));
	ck_assert_int_eq(sandbox_prepare("root", &sandbox, &why), -1);
	ck_assert_int_eq(why.kind, FAILURE_SETUP);
}
END_TEST

/* In a child, since a process that changed its user cannot be looked at by a leak checker. */
START_TEST(an_ordinary_user_stays_what_it_is)
{
	struct sandbox sandbox;
	struct words layers;
	int status;
	pid_t child;

	if ((child = fork()) == 0) {
		if ((geteuid() == 0 && seteuid(65534) == -1) ||
		    sandbox_prepare("no-such-user-here", &sandbox, &why) == -1 || sandbox.drop ||
		    sandbox.uid != geteuid())
			_exit(1);
		sandbox_layers(&sandbox, &layers);
		_exit(words_contain(&layers, "user") ? 2 : 0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

START_TEST(the_layers_are_told)
{
	const struct sandbox sandbox = { .drop = true, .landlock = 1, .seccomp = true };
	const struct sandbox poor = { .landlock = 0 };
	struct words layers;
	char *all;

	sandbox_layers(&sandbox, &layers);
	all = memory_format("%zu: %s %s %s", layers.count, layers.items[0], layers.items[1], layers.items[2]);
	ck_assert_str_eq(all, "3: user landlock seccomp");
	free(all);
	words_clear(&layers);
	sandbox_layers(&poor, &layers);
	ck_assert_uint_eq(layers.count, 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("sandbox");

	tcase_add_test(tests, a_child_inside_has_one_socket_and_nothing_else);
	tcase_add_test(tests, a_parent_that_died_before_is_noticed);
	tcase_add_test(tests, a_user_that_does_not_exist_or_is_root_is_refused);
	tcase_add_test(tests, an_ordinary_user_stays_what_it_is);
	tcase_add_test(tests, the_layers_are_told);
	return run_tests("sandbox", tests);
}
