/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "sandbox-landlock.c"
#include "support/inside.h"
#include "support/runner.h"

static struct sandbox locked;
static struct sockaddr_in server;
static struct sockaddr_un abstract;
static pid_t parent;

/* --- Attempts --- */

static int
reads_what_names_need(void)
{
	return OUTCOME(open("/etc/hosts", O_RDONLY)) | OUTCOME(open("/usr/bin", O_RDONLY | O_DIRECTORY)) |
	    OUTCOME(open("/etc/nsswitch.conf", O_RDONLY)) | OUTCOME(open("/etc/resolv.conf", O_RDONLY));
}

static int
reads_passwd(void)
{
	return OUTCOME(open("/etc/passwd", O_RDONLY));
}

static int
lists_etc(void)
{
	return OUTCOME(open("/etc", O_RDONLY | O_DIRECTORY));
}

static int
reads_proc(void)
{
	return OUTCOME(open("/proc/self/environ", O_RDONLY));
}

static int
makes_a_file(void)
{
	return OUTCOME(open("/tmp/certlet-inside", O_WRONLY | O_CREAT, 0600));
}

static int
writes_what_it_may_read(void)
{
	return OUTCOME(open("/etc/hosts", O_WRONLY));
}

static int
makes_a_directory(void)
{
	return OUTCOME(mkdir("/tmp/certlet-inside", 0700));
}

static int
removes_a_file(void)
{
	return OUTCOME(unlink("/etc/hosts"));
}

static int
connects(void)
{
	const int connection = socket(AF_INET, SOCK_STREAM, 0);

	return OUTCOME(connect(connection, (struct sockaddr *)&server, sizeof(server)));
}

static int
connects_to_a_name_server(void)
{
	const int connection = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in name_server = server;

	name_server.sin_port = htons(53);
	return OUTCOME(connect(connection, (struct sockaddr *)&name_server, sizeof(name_server)));
}

static int
listens(void)
{
	const int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in any = server;

	any.sin_port = 0;
	return OUTCOME(bind(listener, (struct sockaddr *)&any, sizeof(any)));
}

static int
speaks_to_an_abstract_socket(void)
{
	const int connection = socket(AF_UNIX, SOCK_STREAM, 0);

	return OUTCOME(connect(connection, (struct sockaddr *)&abstract, sizeof(abstract)));
}

static int
signals_its_parent(void)
{
	return OUTCOME(kill(parent, 0));
}

/* --- Tests --- */

static int listener = -1, unix_listener = -1;

static void
set_up(void)
{
	socklen_t length = sizeof(server);

	parent = getpid();
	locked = only("landlock");
	server = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&server, length), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&server, &length), 0);
	abstract = (struct sockaddr_un){ .sun_family = AF_UNIX };
	(void)snprintf(abstract.sun_path + 1, sizeof(abstract.sun_path) - 1, "certlet-%d", (int)parent);
	unix_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(unix_listener, (struct sockaddr *)&abstract, sizeof(abstract)), 0);
	ck_assert_int_eq(listen(unix_listener, 5), 0);
}

static void
tear_down(void)
{
	close(listener);
	close(unix_listener);
}

START_TEST(only_what_tls_and_names_need_can_be_read)
{
	ck_assert_int_eq(inside(&locked, NULL, reads_what_names_need), 0);
	ck_assert_int_eq(inside(&locked, NULL, reads_passwd), EACCES);
	ck_assert_int_eq(inside(&locked, NULL, lists_etc), EACCES);
	ck_assert_int_eq(inside(&locked, NULL, reads_proc), EACCES);
}
END_TEST

START_TEST(nothing_can_be_written_made_or_removed)
{
	ck_assert_int_eq(inside(&locked, NULL, makes_a_file), EACCES);
	ck_assert_int_eq(inside(&locked, NULL, writes_what_it_may_read), EACCES);
	ck_assert_int_eq(inside(&locked, NULL, makes_a_directory), EACCES);
	ck_assert_int_eq(inside(&locked, NULL, removes_a_file), EACCES);
}
END_TEST

START_TEST(only_the_named_ports_and_dns_can_be_reached)
{
	struct sandbox_ports ports = { 0 };

	ck_assert_int_eq(inside(&locked, &ports, connects), EACCES);
	ck_assert_int_eq(inside(&locked, &ports, listens), EACCES);
	ck_assert_int_ne(inside(&locked, &ports, connects_to_a_name_server), EACCES);
	/* As many as a manifest may have addresses. */
	for (long port = 1; port <= 1000; port++)
		sandbox_allow_port(&ports, port);
	ck_assert_int_eq(inside(&locked, &ports, connects), EACCES);
	sandbox_allow_port(&ports, ntohs(server.sin_port));
	ck_assert_int_eq(inside(&locked, &ports, connects), 0);
	sandbox_ports_clear(&ports);
}
END_TEST

START_TEST(no_other_process_can_be_signalled_or_met_without_a_path)
{
	ck_assert_int_eq(inside(&locked, NULL, speaks_to_an_abstract_socket), EPERM);
	ck_assert_int_eq(inside(&locked, NULL, signals_its_parent), EPERM);
}
END_TEST

/* What a kernel of the first Landlock knows, this one can do too. */
START_TEST(an_older_kernel_locks_in_what_it_can)
{
	for (int abi = 1; abi <= locked.landlock; abi++) {
		struct sandbox older = locked;

		older.landlock = abi;
		ck_assert_int_eq(inside(&older, NULL, reads_passwd), EACCES);
		ck_assert_int_eq(inside(&older, NULL, makes_a_file), EACCES);
		ck_assert_int_eq(inside(&older, NULL, reads_what_names_need), 0);
		ck_assert_int_eq(inside(&older, NULL, connects), abi >= 4 ? EACCES : 0);
		ck_assert_int_eq(inside(&older, NULL, signals_its_parent), abi >= 6 ? EPERM : 0);
	}
}
END_TEST

START_TEST(without_it_the_same_child_is_free)
{
	struct sandbox open = locked;

	open.landlock = 0;
	ck_assert_int_eq(inside(&open, NULL, reads_passwd), 0);
	ck_assert_int_eq(inside(&open, NULL, connects), 0);
	ck_assert_int_eq(inside(&open, NULL, signals_its_parent), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("sandbox-landlock");
	const int abi = landlock_abi();

	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, without_it_the_same_child_is_free);
	tcase_add_test(tests, an_older_kernel_locks_in_what_it_can);
	if (abi >= 1) {
		tcase_add_test(tests, only_what_tls_and_names_need_can_be_read);
		tcase_add_test(tests, nothing_can_be_written_made_or_removed);
	}
	if (abi >= 4)
		tcase_add_test(tests, only_the_named_ports_and_dns_can_be_reached);
	if (abi >= 6)
		tcase_add_test(tests, no_other_process_can_be_signalled_or_met_without_a_path);
	else
		(void)fprintf(stderr, "Landlock of this kernel is ABI %d: what needs more is not tried\n", abi);
	return run_tests("sandbox-landlock", tests);
}
