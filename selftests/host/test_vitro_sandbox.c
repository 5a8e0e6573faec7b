// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sandbox of vitro run: in each role, what is forbidden is tried, by a child that does
 * not survive it; and what the role is for, which it survives.
 */
#include "../../userspace/vitro/sandbox.c"

#include <inttypes.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "tap.h"

/* The terminal is not under test. */
void console_restore(void)
{
}

#define ALL		((1U << SANDBOX_ROLES) - 1)
#define ROLE(name)	(1U << SANDBOX_##name)

/* What the attempts need, open before. */
static int file_fd, timer_fd, event_fd, dev_fd;
static pid_t parent;
static uid_t user;
static uint64_t capabilities;

/* ------------------------------------------------------------------------ attempts */

static void try_execve(void)
{
	char *const args[] = { (char *)"true", NULL };

	execv("/bin/true", args);
}

static void try_open_write(void)
{
	open("/dev/null", O_WRONLY);
}

static void try_open_create(void)
{
	open("/tmp/vitro-sandbox-test", O_RDONLY | O_CREAT, 0600);
}

static void try_open_tmpfile(void)
{
	open("/tmp", O_TMPFILE | O_RDWR, 0600);
}

static void try_open_read(void)
{
	close(open("/etc/passwd", O_RDONLY));
}

static void try_unix_socket(void)
{
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void try_packet_socket(void)
{
	socket(AF_PACKET, SOCK_RAW, 0);
}

static void try_inet_socket(void)
{
	close(socket(AF_INET, SOCK_DGRAM, 0));
}

static void try_ptrace(void)
{
	ptrace(PTRACE_ATTACH, parent, NULL, NULL);
}

static void try_other_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	process_vm_readv(getpid(), &here, 1, &there, 1, 0);
}

static void try_mmap_exec(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_mprotect_exec(void)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void try_fork(void)
{
	if (!fork())
		_exit(0);
}

static void try_kill(void)
{
	kill(getpid(), 0);
}

static void try_tgkill_other(void)
{
	syscall(SYS_tgkill, 1, 1, 0);
}

static void try_unshare(void)
{
	unshare(CLONE_NEWUSER);
}

static void try_setuid(void)
{
	syscall(SYS_setuid, user);
}

static void try_memfd(void)
{
	syscall(SYS_memfd_create, "x", 0);
}

static void try_io_uring(void)
{
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void try_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
}

static void try_userfaultfd(void)
{
	syscall(SYS_userfaultfd, 0);
}

static void try_rename(void)
{
	rename("/nowhere/a", "/nowhere/b");
}

static void try_chmod(void)
{
	syscall(SYS_chmod, "/nowhere/a", 0777);
}

/* Types into the terminal. */
static void try_tiocsti(void)
{
	ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static void try_new_vm(void)
{
	ioctl(dev_fd, VITRO_CREATE_VM, NULL);
}

static void try_vm(void)
{
	ioctl(dev_fd, VITRO_SIGNAL_MSI, NULL);
}

static void try_unlink(void)
{
	unlink("/nowhere/socket");
}

static void try_pread(void)
{
	char byte;

	if (pread(file_fd, &byte, 1, 0) < 0)
		_exit(1);
}

static void try_timer(void)
{
	const struct itimerspec never = { .it_value = { .tv_sec = 0 } };

	timerfd_settime(timer_fd, 0, &never, NULL);
}

static void *thread(void *arg)
{
	free(malloc(1 << 20));
	return arg;
}

static void try_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, thread, NULL))
		_exit(1);
	pthread_join(t, NULL);
}

/* What every thread does. */
static void try_ordinary(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const struct timespec moment = { .tv_nsec = 1000 };
	const uint64_t one = 1;
	void *big = malloc(1 << 22);

	big = realloc(big, 1 << 23);
	free(big);
	pthread_mutex_lock(&lock);
	pthread_mutex_unlock(&lock);
	nanosleep(&moment, NULL);
	pthread_kill(pthread_self(), 0);
	if (write(event_fd, &one, sizeof(one)) != sizeof(one))
		_exit(1);
	fprintf(stderr, "a message: %s\n", strerror(ENOENT));
}

/**
 * struct attempt - something that a thread may try
 * @fn: tries it
 * @call: the system call that this is, by name
 * @allowed: by roles
 */
static const struct attempt {
	const char *call;
	void (*fn)(void);
	unsigned int allowed;
} attempts[] = {
	{ "execve", try_execve, 0 },
	{ "openat", try_open_write, 0 },
	{ "openat", try_open_create, 0 },
	{ "openat", try_open_tmpfile, 0 },
	{ "openat", try_open_read, ROLE(NET) },
	{ "socket", try_unix_socket, 0 },
	{ "socket", try_packet_socket, 0 },
	{ "socket", try_inet_socket, ROLE(NET) },
	{ "ptrace", try_ptrace, 0 },
	{ "process_vm_readv", try_other_memory, 0 },
	{ "mmap", try_mmap_exec, 0 },
	{ "mprotect", try_mprotect_exec, 0 },
	{ "clone", try_fork, 0 },
	{ "kill", try_kill, 0 },
	{ "tgkill", try_tgkill_other, 0 },
	{ "unshare", try_unshare, 0 },
	{ "setuid", try_setuid, 0 },
	{ "memfd_create", try_memfd, 0 },
	{ "io_uring_setup", try_io_uring, 0 },
	{ "bpf", try_bpf, 0 },
	{ "userfaultfd", try_userfaultfd, 0 },
	{ "rename", try_rename, 0 },
	{ "chmod", try_chmod, 0 },
	{ "ioctl", try_tiocsti, 0 },
	{ "ioctl", try_new_vm, 0 },
	{ "ioctl", try_vm, ROLE(VCPU) | ROLE(CONTROL) | ROLE(GDB) | ROLE(MAIN) },
	{ "unlink", try_unlink, ROLE(CONTROL) | ROLE(GDB) | ROLE(MAIN) },
	{ "pread64", try_pread, ROLE(IO) | ROLE(MAIN) },
	{ "timerfd_settime", try_timer, ROLE(VCPU) | ROLE(NET) | ROLE(MAIN) },
	{ "clone", try_thread, ROLE(CONTROL) },
	{ "ordinary", try_ordinary, ALL },
	{ NULL, NULL, 0 }
};

/* ------------------------------------------------------------------------- children */

/**
 * struct child - how a child ended
 * @status: as wait() has it
 * @said: what was on its stderr
 */
struct child {
	int status;
	char said[1024];
};

/* What fn(arg) comes to, in a process of its own. */
static struct child in_child(void (*fn)(const void *arg), const void *arg)
{
	struct child child = { .status = -1 };
	size_t len = 0;
	int pipes[2];
	ssize_t n;
	pid_t pid;

	fflush(stdout);
	if (pipe(pipes))
		return child;
	pid = fork();
	if (!pid) {
		dup2(pipes[1], STDERR_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		fn(arg);
		_exit(0);
	}
	close(pipes[1]);
	while ((n = read(pipes[0], child.said + len, sizeof(child.said) - 1 - len)) > 0)
		len += n;
	close(pipes[0]);
	waitpid(pid, &child.status, 0);
	return child;
}

static bool died_of(const struct child *child, int sig)
{
	return WIFSIGNALED(child->status) && WTERMSIG(child->status) == sig;
}

static bool survived(const struct child *child)
{
	return WIFEXITED(child->status) && WEXITSTATUS(child->status) == 0;
}

static void must(bool good)
{
	if (!good)
		_exit(2);
}

/* ---------------------------------------------------------------------------- cases */

/**
 * struct trial - one attempt in one role
 */
struct trial {
	enum sandbox_role role;
	const struct attempt *attempt;
};

static void try_it(const void *arg)
{
	const struct trial *t = arg;

	must(sandbox_begin(false) && sandbox_enter(t->role));
	t->attempt->fn();
}

/* The message names the role's thread and the call. */
static bool is_explained(const struct child *child, const struct trial *t)
{
	char words[128];

	snprintf(words, sizeof(words), "its %s thread wants the system call %s, ",
		 roles[t->role].name, t->attempt->call);
	/* pthread_create() blocks all signals meanwhile, so that the handler is not called. */
	return strstr(child->said, words) || t->attempt->fn == try_thread;
}

static void test_attempts(void)
{
	const struct attempt *a;
	char name[128];
	unsigned int role;

	for (role = 0; role < SANDBOX_ROLES; role++) {
		for (a = attempts; a->call; a++) {
			const struct trial trial = { role, a };
			bool allowed = a->allowed & 1U << role;
			struct child child = in_child(try_it, &trial);

			snprintf(name, sizeof(name), "%s: %s (%zu) %s", roles[role].name, a->call,
				 (size_t)(a - attempts), allowed ? "works" : "is fatal");
			if (allowed)
				check(name, survived(&child));
			else
				check(name, died_of(&child, SIGSYS) &&
				      is_explained(&child, &trial));
		}
	}
}

/* Whoever has taken over a thread can take the handler away. */
static void try_ignored(const void *arg)
{
	(void)arg;
	must(sandbox_begin(false) && sandbox_enter(SANDBOX_VCPU));
	signal(SIGSYS, SIG_IGN);
	try_execve();
}

static void try_unhandled(const void *arg)
{
	(void)arg;
	must(sandbox_begin(false) && sandbox_enter(SANDBOX_VCPU));
	signal(SIGSYS, SIG_DFL);
	try_open_write();
}

/* System calls of 32-bit programs have other numbers, so that a filter would misread them. */
static void try_32_bit(const void *arg)
{
	long ret;

	(void)arg;
	must(sandbox_begin(false) && sandbox_enter(SANDBOX_MAIN));
	asm volatile("int $0x80" : "=a"(ret) : "0"(20L) : "memory", "r8", "r9", "r10", "r11");
}

static void try_off(const void *arg)
{
	(void)arg;
	must(sandbox_enter(SANDBOX_VCPU));
	must(open("/dev/null", O_WRONLY) >= 0);
}

static void *confined(void *arg)
{
	must(sandbox_enter(SANDBOX_VCPU));
	return arg;
}

/* A filter is of one thread: main goes on opening until it has entered its role. */
static void try_other_thread(const void *arg)
{
	pthread_t t;

	(void)arg;
	must(sandbox_begin(false) && !pthread_create(&t, NULL, confined, NULL));
	pthread_join(t, NULL);
	must(open("/dev/null", O_WRONLY) >= 0);
}

static void *enters_gdb(void *arg)
{
	must(sandbox_enter(SANDBOX_GDB));
	try_thread();
	return arg;
}

/* gdb's thread, started at the control socket's: it has the filters of both. */
static void try_gdb_in_control(const void *arg)
{
	pthread_t t;

	(void)arg;
	must(sandbox_begin(false) && sandbox_enter(SANDBOX_CONTROL));
	must(!pthread_create(&t, NULL, enters_gdb, NULL));
	pthread_join(t, NULL);
}

struct entering {
	enum sandbox_role role;
	bool limited;
};

/* What the kernel says of a thread that has entered a role: read before, by its parent. */
static void say_status(const void *arg)
{
	const struct entering *e = arg;
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY), null = open("/dev/null", O_RDONLY);
	ssize_t n;

	must(fd >= 0 && null >= 0 && sandbox_begin(e->limited) && sandbox_enter(e->role));
	n = read(fd, text, sizeof(text) - 1);	/* is made when it is read */
	must(n > 0);
	text[n] = '\0';
	dprintf(STDERR_FILENO, "%.900s", strstr(text, "CapInh:"));
}

static void test_status(bool limited)
{
	enum sandbox_role role;
	char name[64], caps[64];

	for (role = 0; role < SANDBOX_ROLES; role++) {
		struct child child = in_child(say_status, &(struct entering){ role, limited });
		uint64_t keeps = 0;

		if (role == SANDBOX_CONTROL)
			keeps = 1ULL << CAP_SYS_ADMIN;
		else if (role == SANDBOX_MAIN && limited)
			keeps = 1ULL << CAP_DAC_OVERRIDE;
		snprintf(caps, sizeof(caps), "CapEff:\t%016" PRIx64 "\n", keeps & capabilities);
		snprintf(name, sizeof(name), "%s%s: the kernel agrees", roles[role].name,
			 limited ? ", limited" : "");
		check(name, survived(&child) && strstr(child.said, caps) &&
		      strstr(child.said, "NoNewPrivs:\t1\n") &&
		      strstr(child.said, "Seccomp:\t2\n"));
	}
}

int main(void)
{
	struct child child;

	parent = getppid();
	user = getuid();
	file_fd = open("/proc/self/exe", O_RDONLY);
	dev_fd = open("/dev/null", O_RDONLY);
	timer_fd = timerfd_create(CLOCK_MONOTONIC, 0);
	event_fd = eventfd(0, 0);
	capng_get_caps_process();
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (capng_have_capability(CAPNG_EFFECTIVE, i))
			capabilities |= 1ULL << i;

	test_attempts();
	test_status(false);
	test_status(true);
	child = in_child(try_ignored, NULL);
	check("to ignore the signal changes nothing", died_of(&child, SIGSYS));
	child = in_child(try_unhandled, NULL);
	check("nor does its usual action", died_of(&child, SIGSYS));
	child = in_child(try_32_bit, NULL);
	check("system calls of 32-bit programs are fatal", died_of(&child, SIGSYS));
	child = in_child(try_off, NULL);
	check("without sandbox_begin() there is no sandbox", survived(&child));
	child = in_child(try_other_thread, NULL);
	check("each thread has its own", survived(&child));
	child = in_child(try_gdb_in_control, NULL);
	check("gdb's on top of control's", died_of(&child, SIGSYS));
	return tap_done();
}
