// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seccomp filters of the threads' roles; sandbox.h tells what they are for.
 *
 * A filter is what all threads need (everybody[]) and what the role needs.  Of calls that
 * do many things, only some are allowed, as far as that shows in a register: a filter
 * cannot follow pointers.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <linux/vitro.h>

#include "console.h"
#include "sandbox.h"

#define MAX_CALLS	1024	/* numbers of system calls, x32's excepted */
#define MAX_ARENAS	8	/* of malloc(); for more, it asks how many CPUs there are */

/**
 * struct call - a system call that is allowed
 * @nr: its number
 * @arg: that argument must be right, or -1: whatever the arguments are
 * @mask: these bits of it
 * @value: must be so
 */
struct call {
	int nr;
	int arg;
	uint64_t mask;
	uint64_t value;
};

#define CALL(name)			{ SCMP_SYS(name), -1, 0, 0 }
#define CALL_IF(name, arg, mask, value)	{ SCMP_SYS(name), arg, mask, value }
#define CALL_EQ(name, arg, value)	{ SCMP_SYS(name), arg, 0xffffffff, value }
#define END				{ -1, -1, 0, 0 }

/*
 * What libc does for every thread, and what they all do: eventfds, pipes, locks, messages.
 * Memory is never executable.  TCSETSW is for the terminal's sake, when the process
 * crashes.
 */
static const struct call everybody[] = {
	CALL(read), CALL(write), CALL(writev), CALL(close), CALL(dup), CALL(lseek),
	CALL(fstat), CALL_IF(newfstatat, 3, 0x1000, 0x1000),	/* AT_EMPTY_PATH */
	CALL_EQ(fcntl, 1, F_GETFL), CALL_EQ(fcntl, 1, F_SETFL), CALL_EQ(fcntl, 1, F_SETFD),
	CALL(poll), CALL(ppoll), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_ctl),
	CALL(futex), CALL(sched_yield), CALL(sched_getaffinity),
	CALL(set_robust_list), CALL(rseq),
	CALL(clock_gettime), CALL(clock_nanosleep), CALL(nanosleep), CALL(restart_syscall),
	CALL(getpid), CALL(gettid), CALL(getrandom),
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
	CALL_IF(mmap, 2, PROT_EXEC, 0), CALL_IF(mprotect, 2, PROT_EXEC, 0),
	CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(sigaltstack),
	CALL_EQ(ioctl, 1, TCSETSW),
	CALL(exit), CALL(exit_group),
	END
};

/* Of /dev/vitro, what is for VMs and vCPUs that there are: no new VMs. */
#define VITRO_CALLS(group)	CALL_IF(ioctl, 1, 0xfff0, VITRO_IOC << 8 | (group) << 4)

static const struct call vitro[] = {
	VITRO_CALLS(1), VITRO_CALLS(2),
	END
};

static const struct call timers[] = {
	CALL(timerfd_settime),
	END
};

/* --dump-entry, into a file that is open. */
static const struct call dump[] = {
	CALL(ftruncate),
	END
};

static const struct call files[] = {
	CALL(pread64), CALL(pwrite64), CALL(preadv), CALL(pwritev),
	CALL(fdatasync), CALL(fsync), CALL(fallocate), CALL(ftruncate),
	END
};

static const struct call tap[] = {
	CALL(readv), CALL_EQ(ioctl, 1, TUNSETOFFLOAD),
	END
};

static const struct call sockets[] = {
	CALL_EQ(socket, 0, AF_INET), CALL_EQ(socket, 0, AF_INET6),
	CALL(connect), CALL(bind), CALL(listen), CALL(accept), CALL(accept4), CALL(shutdown),
	CALL(sendto), CALL(recvfrom), CALL(sendmsg), CALL(recvmsg), CALL(readv),
	CALL(getsockopt), CALL(setsockopt), CALL(getsockname), CALL(getpeername),
	CALL_EQ(ioctl, 1, FIONREAD), CALL_EQ(ioctl, 1, FIONBIO), CALL_EQ(fcntl, 1, F_GETFD),
	END
};

/* O_TMPFILE has the bit of O_DIRECTORY, which only reads. */
#define WRITES		(O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

/* libslirp reads resolv.conf again when it has changed. */
static const struct call reading[] = {
	CALL_IF(openat, 2, WRITES, 0), CALL(newfstatat), CALL(stat),
	END
};

/* What the connections of gdb and at the control socket need. */
static const struct call talk[] = {
	CALL(accept4), CALL(shutdown), CALL(getsockname), CALL(unlink),
	END
};

#define THREADS		(CLONE_VM | CLONE_THREAD)
#define NAMESPACES	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
			 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* gdb's thread may be one that it starts: that needs what it takes to enter a role. */
static const struct call control[] = {
	CALL(recvmsg), CALL(sendmsg), CALL(getsockopt), CALL(geteuid), CALL(eventfd2),
	CALL_IF(clone, 0, THREADS | NAMESPACES, THREADS),
	CALL(capget), CALL(capset), CALL(seccomp),
	CALL_EQ(prctl, 0, PR_SET_NO_NEW_PRIVS), CALL_EQ(prctl, 0, PR_SET_SECCOMP),
	END
};

/* Socket, control group and overlay remain to be cleaned up; and the terminal. */
static const struct call last[] = {
	CALL(rmdir), CALL(setsockopt),
	CALL_EQ(ioctl, 1, TCGETS), CALL_EQ(ioctl, 1, TCSETS), CALL_EQ(ioctl, 1, TIOCGWINSZ),
	END
};

#define MAX_SETS	6

/**
 * struct role - what a role needs
 * @name: for messages
 * @calls: besides everybody[]; NULL ends the list
 */
static const struct role {
	const char *name;
	const struct call *calls[MAX_SETS];
} roles[SANDBOX_ROLES] = {
	[SANDBOX_VCPU] = { "vCPU", { vitro, timers, dump } },
	[SANDBOX_IO] = { "device", { files, tap } },
	[SANDBOX_NET] = { "network", { sockets, timers, reading } },
	[SANDBOX_CONSOLE] = { "console", { NULL } },
	[SANDBOX_RECORD] = { "recorder", { NULL } },
	[SANDBOX_CONTROL] = { "control", { vitro, talk, control } },
	[SANDBOX_GDB] = { "gdb", { vitro, talk } },
	[SANDBOX_MAIN] = { "main", { vitro, timers, files, talk, last } },
};

/* Set by sandbox_begin(), before there are threads. */
static bool is_on;
static int kept[SANDBOX_ROLES];	/* a capability, or -1 */
static char *call_name[MAX_CALLS];

static _Thread_local enum sandbox_role my_role;

/* ------------------------------------------------------- what is forbidden happens */

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n;
}

/* In a signal handler: no stdio, no malloc. */
static void say_number(unsigned int number)
{
	char digits[12], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = '0' + number % 10;
		number /= 10;
	} while (number);
	say(p);
}

/*
 * The call has not been made.  That this process says so itself is a courtesy to who looks
 * for the reason; an attacker may have taken the handler away, but gets no further with it.
 */
static void forbidden(int sig, siginfo_t *info, void *context)
{
	unsigned int nr = info->si_syscall;

	(void)context;
	console_restore();
	say("\r\nvitro: the sandbox ends this machine: its ");
	say(roles[my_role].name);
	say(" thread wants the system call ");
	if (nr < MAX_CALLS && call_name[nr])
		say(call_name[nr]);
	else
		say_number(nr);
	say(", which it never needs; is this a hostile guest? (--sandbox off runs without)\r\n");
	signal(sig, SIG_DFL);
	raise(sig);		/* comes when the handler returns */
}

static void learn_names(void)
{
	unsigned int i;

	for (i = 0; i < MAX_CALLS; i++)
		call_name[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
}

static void keep(enum sandbox_role role, int capability)
{
	kept[role] = capng_have_capability(CAPNG_EFFECTIVE, capability) ? capability : -1;
}

/*
 * Capabilities that are needed yet.  vitro.ko tells where the host's memory is to
 * CAP_SYS_ADMIN only, and "vitro walk" shows it to root.  Cgroups' root directory is
 * writable for nobody, so that who removes a group there has to override that.  With a
 * filter, they are good for little else.
 */
static void keep_capabilities(bool limited)
{
	int i;

	for (i = 0; i < SANDBOX_ROLES; i++)
		kept[i] = -1;
	keep(SANDBOX_CONTROL, CAP_SYS_ADMIN);
	if (limited)
		keep(SANDBOX_MAIN, CAP_DAC_OVERRIDE);
}

/**
 * sandbox_begin - from now on, sandbox_enter() does what it says
 * @limited: this process has a control group of its own, which it removes in the end
 *
 * To be called before there are threads, and when there is nothing more to be opened.
 * Without it, sandbox_enter() does nothing: that is --sandbox off.
 *
 * Return: false if this process cannot be confined; the reason has been said.
 */
bool sandbox_begin(bool limited)
{
	struct sigaction act = { .sa_sigaction = forbidden, .sa_flags = SA_SIGINFO };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || seccomp_api_get() < 2) {
		fprintf(stderr, "vitro: this kernel has no seccomp filters (%s); %s\n",
			"CONFIG_SECCOMP_FILTER", "--sandbox off runs without");
		return false;
	}
	if (capng_get_caps_process()) {
		fprintf(stderr, "vitro: libcap-ng cannot read the capabilities: %s\n",
			strerror(errno));
		return false;
	}
	keep_capabilities(limited);
	learn_names();
	/*
	 * libc opens files late: gmtime() and timegm(), for the RTC, that of the time zone,
	 * and malloc() that of the CPUs.  The first is read now, the second never.
	 */
	tzset();
	mallopt(M_ARENA_MAX, MAX_ARENAS);
	sigaction(SIGSYS, &act, NULL);
	is_on = true;
	return true;
}

/* ------------------------------------------------------------------------- filters */

static int add_calls(scmp_filter_ctx filter, const struct call *call)
{
	int err = 0;

	for (; call->nr != -1 && !err; call++) {
		struct scmp_arg_cmp cmp = SCMP_CMP(call->arg, SCMP_CMP_MASKED_EQ, call->mask,
						   call->value);

		/* Of an int, the upper half of the register may be anything. */
		err = call->arg < 0 ?
			seccomp_rule_add(filter, SCMP_ACT_ALLOW, call->nr, 0) :
			seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call->nr, 1, &cmp);
	}
	return err;
}

static int load_filter(enum sandbox_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	const struct call *const *set;
	int err = -ENOMEM;

	if (filter)
		err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = add_calls(filter, everybody);
	for (set = roles[role].calls; *set && !err; set++)
		err = add_calls(filter, *set);
	/* Signals go to threads of this process only. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				       SCMP_A0(SCMP_CMP_EQ, getpid()));
	/* Its flags are in memory.  libc does without, as on kernels that lack it. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

static int drop_capabilities(enum sandbox_role role)
{
	capng_clear(CAPNG_SELECT_CAPS);
	if (kept[role] >= 0)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, kept[role]);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/**
 * sandbox_enter - the calling thread can do from now on what its role needs, and no more
 * @role: which
 *
 * There is no way back.  Threads that it makes begin with the same filter.
 *
 * Return: false if that is not possible; the reason has been said.
 */
bool sandbox_enter(enum sandbox_role role)
{
	int err;

	if (!is_on)
		return true;
	my_role = role;
	err = drop_capabilities(role);
	if (!err)
		err = load_filter(role);
	if (err)
		fprintf(stderr, "vitro: no sandbox for the %s thread: %s\r\n", roles[role].name,
			strerror(-err));
	return !err;
}
