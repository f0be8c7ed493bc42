/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox-layers.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#endif

/* Kernel numbers that an older libc does not name; the same on every architecture. */
enum {
	PIDFD_GETFD = 438, OPEN_TREE = 428, MOVE_MOUNT = 429, FSOPEN = 430, FSCONFIG = 431,
	FSMOUNT = 432, FSPICK = 433, MOUNT_SETATTR = 442, IO_URING_SETUP = 425,
	IO_URING_ENTER = 426, IO_URING_REGISTER = 427, CLONE3 = 435,
};

/*
 * A list of what is denied, not of what is allowed: the libraries' next release may need a system
 * call that nobody thought of. Here stands what neither TLS nor a resolver ever needs, and what
 * turns a foothold into a program, another process' memory, or a bigger kernel to attack.
 */
static const unsigned int denied[] = {
	SYS_execve, SYS_execveat,
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, PIDFD_GETFD,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare,
	OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, MOUNT_SETATTR,
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd,
	SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
	SYS_keyctl, SYS_add_key, SYS_request_key,
	IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER,
};
#define DENIED (sizeof(denied) / sizeof(*denied))

static const unsigned int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
#define FAMILIES (sizeof(families) / sizeof(*families))

/* Landlock rules over the ports of TCP alone: MPTCP, which falls back to it, would reach any. */
static const unsigned int protocols[] = { 0, IPPROTO_TCP, IPPROTO_UDP };
#define PROTOCOLS (sizeof(protocols) / sizeof(*protocols))

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC | \
	CLONE_NEWUTS | CLONE_NEWCGROUP)

#ifdef ARCHITECTURE

struct program {
	struct sock_filter steps[2 * (DENIED + FAMILIES + PROTOCOLS) + 24];
	unsigned short count;
};

static void
add(struct program *program, unsigned short code, unsigned int value, unsigned char when_true,
    unsigned char when_false)
{
	program->steps[program->count++] =
	    (struct sock_filter){ code, when_true, when_false, value };
}

static void
load(struct program *program, size_t offset)
{
	add(program, BPF_LD | BPF_W | BPF_ABS, (unsigned int)offset, 0, 0);
}

static void
answer(struct program *program, unsigned int action)
{
	add(program, BPF_RET | BPF_K, action, 0, 0);
}

/* The 32 bits of an argument that count. */
static size_t
argument(int number)
{
	const size_t offset = offsetof(struct seccomp_data, args) + (size_t)number * 8;

	return offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

/* The next step answers when what is loaded is `value`; else it is skipped. */
static void
if_equal(struct program *program, unsigned int value, unsigned int action)
{
	add(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	answer(program, action);
}

static void
deny_sockets(struct program *program)
{
	/* Skips all of it for other calls. */
	add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, FAMILIES + 2 * PROTOCOLS + 4);
	load(program, argument(0));
	for (size_t i = 0; i < FAMILIES; i++)
		add(program, BPF_JMP | BPF_JEQ | BPF_K, families[i], (unsigned char)(FAMILIES - i), 0);
	answer(program, SECCOMP_RET_ERRNO | EPERM);
	load(program, argument(2));
	for (size_t i = 0; i < PROTOCOLS; i++)
		if_equal(program, protocols[i], SECCOMP_RET_ALLOW);
	answer(program, SECCOMP_RET_ERRNO | EPERM);
}

static void
deny_namespaces(struct program *program)
{
#ifdef __s390x__
	const int flags = 1;
#else
	const int flags = 0;
#endif

	/* Its flags lie in memory, which a filter cannot read: libc falls back to clone(2). */
	if_equal(program, CLONE3, SECCOMP_RET_ERRNO | ENOSYS);
	add(program, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
	load(program, argument(flags));
	add(program, BPF_JMP | BPF_JSET | BPF_K, NAMESPACES, 0, 1);
	answer(program, SECCOMP_RET_ERRNO | EPERM);
}

static void
write_program(struct program *program)
{
	load(program, offsetof(struct seccomp_data, arch));
	add(program, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	answer(program, SECCOMP_RET_ERRNO | EPERM);
	load(program, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	/* x32 has other numbers for the same calls. */
	add(program, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1);
	answer(program, SECCOMP_RET_ERRNO | EPERM);
#endif
	for (size_t i = 0; i < DENIED; i++)
		if_equal(program, denied[i], SECCOMP_RET_ERRNO | EPERM);
	deny_sockets(program);
	deny_namespaces(program);
	answer(program, SECCOMP_RET_ALLOW);
}

bool
seccomp_works(void)
{
	/* EFAULT: it would have read the filter (seccomp(2), "detecting"). */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) == -1 && errno == EFAULT;
}

bool
seccomp_enter(void)
{
	struct program program = { .count = 0 };
	struct sock_fprog filter;

	write_program(&program);
	filter = (struct sock_fprog){ program.count, program.steps };
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#else

bool
seccomp_works(void)
{
	return false;
}

bool
seccomp_enter(void)
{
	return true;
}

#endif
