/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>

#include "sandbox-seccomp.c"
#include "support/inside.h"
#include "support/runner.h"

static struct sandbox locked;

/* --- Attempts --- */

static int
starts_a_program(void)
{
	char *const arguments[] = { (char *)"true", NULL }, *const environment[] = { NULL };

	return OUTCOME(execve("/bin/true", arguments, environment));
}

static int
starts_a_program_by_descriptor(void)
{
	char *const arguments[] = { (char *)"true", NULL }, *const environment[] = { NULL };

	return OUTCOME(fexecve(open("/bin/true", O_RDONLY | O_CLOEXEC), arguments, environment));
}

static int
traces(void)
{
	return OUTCOME(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
reads_the_memory_of_another(void)
{
	return OUTCOME(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0));
}

static int
mounts(void)
{
	return OUTCOME(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int
opens_a_file_system(void)
{
	return OUTCOME(syscall(FSOPEN, "tmpfs", 0));
}

static int
makes_a_namespace(void)
{
	return OUTCOME(unshare(CLONE_NEWUSER));
}

static int
forks_into_a_namespace(void)
{
	return OUTCOME(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
loads_a_bpf_program(void)
{
	return OUTCOME(syscall(SYS_bpf, 0, NULL, 0));
}

static int
loads_a_module(void)
{
	return OUTCOME(syscall(SYS_finit_module, -1, "", 0));
}

static int
asks_the_key_ring(void)
{
	return OUTCOME(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int
makes_an_io_uring(void)
{
	return OUTCOME(syscall(IO_URING_SETUP, 1, NULL));
}

static int
makes_a_packet_socket(void)
{
	return OUTCOME(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int
makes_a_vm_socket(void)
{
	return OUTCOME(socket(AF_VSOCK, SOCK_STREAM, 0));
}

/* Landlock of a new kernel lets its connects pass, whatever the port. */
static int
makes_a_multipath_socket(void)
{
	return OUTCOME(socket(AF_INET, SOCK_STREAM, 262));
}

static int
makes_the_sockets_of_a_client(void)
{
	return OUTCOME(socket(AF_INET, SOCK_STREAM, 0)) | OUTCOME(socket(AF_INET6, SOCK_DGRAM, 0)) |
	    OUTCOME(socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP)) |
	    OUTCOME(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)) |
	    OUTCOME(socket(AF_UNIX, SOCK_STREAM, 0)) |
	    OUTCOME(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static void *
nothing(void *context)
{
	return context;
}

static int
starts_a_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) | pthread_join(thread, NULL);
}

#ifdef __x86_64__
static int
calls_as_32_bit_program(void)
{
	long result;

	/* getpid(2) of i386 */
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
	return result < 0 ? (int)-result : 0;
}

static int
calls_by_x32_numbers(void)
{
	return OUTCOME(syscall(0x40000000 + SYS_getpid));
}
#endif

/* --- Tests --- */

static void
set_up(void)
{
	locked = only("seccomp");
}

static const struct attempt {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
	{ "execve", starts_a_program }, { "execveat", starts_a_program_by_descriptor },
	{ "ptrace", traces }, { "process_vm_readv", reads_the_memory_of_another },
	{ "mount", mounts }, { "fsopen", opens_a_file_system }, { "unshare", makes_a_namespace },
	{ "clone", forks_into_a_namespace }, { "bpf", loads_a_bpf_program },
	{ "finit_module", loads_a_module }, { "keyctl", asks_the_key_ring },
	{ "io_uring_setup", makes_an_io_uring }, { "AF_PACKET", makes_a_packet_socket },
	{ "AF_VSOCK", makes_a_vm_socket }, { "MPTCP", makes_a_multipath_socket },
#ifdef __x86_64__
	{ "i386", calls_as_32_bit_program }, { "x32", calls_by_x32_numbers },
#endif
};

START_TEST(what_is_on_the_list_is_denied)
{
	const struct attempt *attempt = &attempts[_i];
	const int outcome = inside(&locked, NULL, attempt->attempt);

	ck_assert_msg(outcome == EPERM, "%s: %s", attempt->name, strerror(outcome));
}
END_TEST

START_TEST(sockets_of_a_client_and_threads_are_not)
{
	ck_assert_int_eq(inside(&locked, NULL, makes_the_sockets_of_a_client), 0);
	ck_assert_int_eq(inside(&locked, NULL, starts_a_thread), 0);
}
END_TEST

START_TEST(without_it_the_same_child_starts_a_program)
{
	struct sandbox open = locked;

	open.seccomp = false;
	ck_assert_int_eq(inside(&open, NULL, starts_a_program), 0);
	ck_assert_int_eq(inside(&open, NULL, traces), 0);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("sandbox-seccomp");

	tcase_add_checked_fixture(tests, set_up, NULL);
	tcase_add_test(tests, without_it_the_same_child_starts_a_program);
	if (seccomp_works())
		tcase_add_loop_test(tests, what_is_on_the_list_is_denied, 0,
		    (int)(sizeof(attempts) / sizeof(*attempts)));
	else
		(void)fprintf(stderr, "this kernel has no seccomp filters: not tried\n");
	tcase_add_test(tests, sockets_of_a_client_and_threads_are_not);
	return run_tests("sandbox-seccomp", tests);
}
