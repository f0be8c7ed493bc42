/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "file.h"
#include "log.h"

#define LAST_WORDS_BYTES 400
#define NAME_LENGTH 200		/* of the command in a failure: leaves room for its words */
#define GRACE_MILLISECONDS 1000

/* What certlet was started with; it lowers its own (no core, for one). */
static struct rlimit first_limits[RLIMIT_NLIMITS];
static bool limits_remembered;

/* Over a pipe that exec closes: nothing arrives when the program was executed. */
struct obstacle {
	int number;		/* errno */
	bool preparing;
};

struct running {
	pid_t pid;		/* of the command, also the number of its process group */
	int output;		/* what it writes, to be read without waiting; -1: at its end */
	int obstacles;
	int signals;		/* tells of SIGCHLD */
	siginfo_t end;		/* si_pid 0: not ended yet */
	char last_words[LAST_WORDS_BYTES];
	size_t last_size;
	bool shortened;
};

void
command_remember_limits(void)
{
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		if (getrlimit((__rlimit_resource_t)i, &first_limits[i]) == -1)
			first_limits[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	limits_remembered = true;
}

/* A limit that cannot be raised again is no reason not to run a test. */
static void
restore_limits(void)
{
	for (int i = 0; limits_remembered && i < RLIMIT_NLIMITS; i++)
		(void)setrlimit((__rlimit_resource_t)i, &first_limits[i]);
}

static void
restore_signals(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &standard, NULL);	/* KILL and STOP refuse: they are */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Linux before 5.9 has no close_range(). */
static void
close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned int)first, ~0U, 0U) == 0)
		return;
#endif
	for (long i = first; i < sysconf(_SC_OPEN_MAX); i++)
		(void)close((int)i);
}

/* Leaves 0 to 2 and, as 3, the pipe for obstacles: both pipes are first moved out of the way. */
static int
arrange_descriptors(int output, int obstacles)
{
	const int null = open("/dev/null", O_RDONLY);
	const int high_output = fcntl(output, F_DUPFD, 4);
	const int high_obstacles = fcntl(obstacles, F_DUPFD, 4);

	if (null == -1 || high_output == -1 || high_obstacles == -1 ||
	    dup2(high_obstacles, 3) == -1 || dup2(null, STDIN_FILENO) == -1 ||
	    dup2(high_output, STDOUT_FILENO) == -1 || dup2(high_output, STDERR_FILENO) == -1)
		return -1;
	close_from(4);
	return fcntl(3, F_SETFD, FD_CLOEXEC);
}

static void __attribute__((noreturn))
become(const struct words *words, int output, int obstacles,
    int (*prepare)(void *context), void *context)
{
	static char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL
	};
	struct obstacle obstacle = { 0 };

	(void)setpgid(0, 0);
	restore_signals();
	restore_limits();
	(void)umask(022);
	if (chdir("/") == 0 && arrange_descriptors(output, obstacles) == 0) {
		obstacles = 3;
		if (prepare != NULL && prepare(context) == -1)
			obstacle.preparing = true;
		else
			(void)execve(words->items[0], words->items, environment);
	}
	obstacle.number = errno;
	(void)!write(obstacles, &obstacle, sizeof(obstacle));
	_exit(127);
}

static int
start(struct running *running, const struct words *words,
    int (*prepare)(void *context), void *context)
{
	int output[2] = { -1, -1 }, obstacles[2] = { -1, -1 }, result = -1;

	if (pipe2(output, O_CLOEXEC) == -1 || pipe2(obstacles, O_CLOEXEC) == -1 ||
	    fcntl(output[0], F_SETFL, O_NONBLOCK) == -1)
		goto out;
	if ((running->pid = fork()) == -1)
		goto out;
	if (running->pid == 0)
		become(words, output[1], obstacles[1], prepare, context);
	/* In both: a signal for the group must find it, whoever runs first. */
	(void)setpgid(running->pid, running->pid);
	running->output = output[0];
	running->obstacles = obstacles[0];
	output[0] = obstacles[0] = -1;	/* *running has them now */
	result = 0;
out:
	for (int i = 0; i < 2; i++) {
		file_close(output[i]);
		file_close(obstacles[i]);
	}
	return result;
}

/* Keeps the end of what was said. */
static void
keep_words(struct running *running, const char *bytes, size_t size)
{
	const size_t room = sizeof(running->last_words);
	size_t excess;

	if (size > room) {
		bytes += size - room;
		size = room;
		running->shortened = true;
	}
	if (running->last_size + size > room) {
		excess = running->last_size + size - room;
		memmove(running->last_words, running->last_words + excess, running->last_size - excess);
		running->last_size -= excess;
		running->shortened = true;
	}
	memcpy(running->last_words + running->last_size, bytes, size);
	running->last_size += size;
}

/* Once, so that one who never stops writing is not listened to for ever; the room is a pipe's. */
static void
read_output(struct running *running)
{
	static char bytes[65536];
	const ssize_t size = read(running->output, bytes, sizeof(bytes));

	if (size > 0) {
		keep_words(running, bytes, (size_t)size);
	} else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
		close(running->output);
		running->output = -1;	/* poll() passes over it */
	}
}

/*
 * Until the command itself has ended, not until its output has: a daemon that it started may hold
 * the pipe for ever. It is left a zombie, so that its number still means its group.
 */
static bool
ends_within(struct running *running, long milliseconds)
{
	const long deadline = clock_milliseconds() + milliseconds;
	struct pollfd events[] = {
		{ .fd = running->signals, .events = POLLIN }, { .events = POLLIN },
	};
	struct signalfd_siginfo signal;
	long left;

	for (;;) {
		if (waitid(P_PID, (id_t)running->pid, &running->end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    running->end.si_pid != 0)
			break;
		if ((left = deadline - clock_milliseconds()) <= 0)
			return false;
		events[1].fd = running->output;
		if (poll(events, 2, left < 60000 ? (int)left : 60000) <= 0)
			continue;
		if (events[0].revents != 0)
			(void)!read(running->signals, &signal, sizeof(signal));
		if (events[1].revents != 0)
			read_output(running);
	}
	if (running->output != -1)
		read_output(running);	/* what is still in the pipe */
	return true;
}

static void
kill_group(struct running *running)
{
	(void)kill(-running->pid, SIGTERM);
	(void)ends_within(running, GRACE_MILLISECONDS);
	(void)kill(-running->pid, SIGKILL);	/* also those that outlived the command itself */
	/* One that sleeps in the kernel (a dead NFS server) does not even hear this. */
	(void)ends_within(running, GRACE_MILLISECONDS);
}

/*
 * ": FIRST LINE / SECOND LINE", or nothing if nothing was said. ASCII without control characters:
 * this goes into JSON, and what was kept may begin within a character.
 */
static char *
last_words(const struct running *running)
{
	char *text = memory_new(3 * running->last_size + sizeof(": ..."), 1), *end = text;
	const char *gap = running->shortened ? ": ..." : ": ";

	for (size_t i = 0; i < running->last_size; i++) {
		const unsigned char byte = (unsigned char)running->last_words[i];

		if (byte > ' ' && byte != 0x7f) {
			end = stpcpy(end, gap);
			*end++ = byte < 0x80 ? (char)byte : '?';
			gap = "";
		} else if (end != text && (byte == '\n' || *gap == '\0')) {
			gap = byte == '\n' ? " / " : " ";
		}
	}
	*end = '\0';
	return text;
}

static char *
command_text(const struct words *words)
{
	char *text = memory_text(words->items[0]);

	for (size_t i = 1; i < words->count && strlen(text) < NAME_LENGTH; i++)
		memory_append(&text, " %s", words->items[i]);
	if (strlen(text) > NAME_LENGTH)
		(void)stpcpy(text + NAME_LENGTH - 3, "...");
	return text;
}

static bool
is_want_of_resources(int number)
{
	return number == EMFILE || number == ENFILE || number == ENOMEM || number == EAGAIN;
}

static enum command_end
judge_end(const struct running *running, const char *said, struct failure *why)
{
	struct obstacle obstacle;

	/* The writer has ended or executed the program: this does not wait. */
	if (read(running->obstacles, &obstacle, sizeof(obstacle)) == (ssize_t)sizeof(obstacle)) {
		errno = obstacle.number;
		failure_errno(why, FAILURE_SERVICE,
		    obstacle.preparing ? "cannot be prepared" : "cannot be run");
		return !obstacle.preparing && is_want_of_resources(obstacle.number) ?
		    COMMAND_NOT_STARTED : COMMAND_NOT_RUN;
	}
	if (running->end.si_code != CLD_EXITED) {
		failure_set(why, FAILURE_SERVICE, "ended by signal %d (%s)%s",
		    running->end.si_status, strsignal(running->end.si_status), said);
		return COMMAND_FAILED;
	}
	if (running->end.si_status != 0) {
		failure_set(why, FAILURE_SERVICE, "exit status %d%s", running->end.si_status, said);
		return COMMAND_FAILED;
	}
	return COMMAND_PASSED;
}

static enum command_end
finish(struct running *running, long timeout_seconds, struct failure *why)
{
	const bool in_time = ends_within(running, timeout_seconds * 1000);
	enum command_end end = COMMAND_TIMED_OUT;
	char *said;

	if (!in_time)
		kill_group(running);
	(void)waitpid(running->pid, NULL, WNOHANG);
	said = last_words(running);
	if (in_time)
		end = judge_end(running, said, why);
	else
		failure_set(why, FAILURE_SERVICE, "no end after %ld s: killed%s", timeout_seconds,
		    said);
	free(said);
	return end;
}

enum command_end
command_run(const struct words *words, long timeout_seconds,
    int (*prepare)(void *context), void *context, struct failure *why)
{
	struct running running = { .output = -1, .obstacles = -1, .signals = -1 };
	char *name = command_text(words);
	enum command_end result = COMMAND_NOT_STARTED;
	sigset_t child, before;

	log_detail("run %s", name);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, &before);
	if ((running.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)) == -1 ||
	    start(&running, words, prepare, context) == -1) {
		failure_errno(why, FAILURE_SERVICE, "cannot be started");
		goto out;
	}
	result = finish(&running, timeout_seconds, why);
out:
	if (result != COMMAND_PASSED)
		failure_prefix(why, "%s", name);
	file_close(running.output);
	file_close(running.obstacles);
	file_close(running.signals);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	free(name);
	return result;
}
