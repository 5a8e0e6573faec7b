// SPDX-License-Identifier: GPL-2.0-or-later
/* The main thread: starts the vCPUs' threads, and waits for the world outside. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "gdb.h"
#include "machine.h"
#include "sandbox.h"

/* What can happen, and the file descriptor that tells. */
enum source { FROM_SIGNAL, FROM_STDIN, FROM_DEADLINE, FROM_RTC, FROM_PIT, FROM_PANIC, FROM_STUCK,
	      FROM_WAKE };

/**
 * struct outside - what the main thread waits for
 * @epoll: it all
 * @signals: signalfd
 * @deadline: timerfd
 * @stuck: timerfd: time for the vCPUs to look where they are
 * @has_input: stdin has not ended
 * @input_always: stdin is a file, which epoll does not take: it never has to wait
 * @input_on: epoll looks at stdin
 */
struct outside {
	int epoll;
	int signals;
	int deadline;
	int stuck;
	bool has_input;
	bool input_always;
	bool input_on;
};

static bool watch(struct outside *out, int fd, enum source source)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	return epoll_ctl(out->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Signals come by a file descriptor; the first four end the guest cleanly. */
static void signal_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTSTP);
	sigaddset(set, SIGPWR);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGWINCH);
}

static bool open_outside(struct outside *out, struct machine *m, uint64_t deadline)
{
	const struct itimerspec when = {
		.it_value = { .tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000 },
	};
	const uint64_t period = m->stuck_ns / STUCK_LOOKS + 1;
	const struct itimerspec looks = {
		.it_interval = { .tv_sec = period / 1000000000, .tv_nsec = period % 1000000000 },
		.it_value = { .tv_sec = period / 1000000000, .tv_nsec = period % 1000000000 },
	};
	sigset_t set;

	signal_set(&set);
	out->epoll = epoll_create1(EPOLL_CLOEXEC);
	out->signals = signalfd(-1, &set, SFD_CLOEXEC);
	out->deadline = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	out->stuck = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (out->epoll < 0 || out->signals < 0 || out->deadline < 0 || out->stuck < 0)
		return false;
	timerfd_settime(out->deadline, 0, &when, NULL);
	timerfd_settime(out->stuck, 0, &looks, NULL);

	out->has_input = !m->console.background;
	if (out->has_input)
		out->input_on = watch(out, STDIN_FILENO, FROM_STDIN);
	out->input_always = out->has_input && !out->input_on;
	return watch(out, out->signals, FROM_SIGNAL) && watch(out, out->deadline, FROM_DEADLINE) &&
	       watch(out, out->stuck, FROM_STUCK) &&
	       watch(out, m->rtc_fd, FROM_RTC) && watch(out, m->pit_fd, FROM_PIT) &&
	       watch(out, m->panic_fd, FROM_PANIC) && watch(out, m->wake_fd, FROM_WAKE);
}

static void close_outside(struct outside *out)
{
	close(out->epoll);
	close(out->signals);
	close(out->deadline);
	close(out->stuck);
}

/* Timers and eventfds: the count is of no interest, but reading it resets them. */
static void drain(int fd)
{
	uint64_t count;
	ssize_t n = read(fd, &count, sizeof(count));

	(void)n;
}

/* Stop like everybody else does, with the terminal in order. */
static void suspend(struct machine *m)
{
	console_restore();
	raise(SIGSTOP);
	console_raw(&m->console);
}

static void handle_signal(struct outside *out, struct machine *m)
{
	struct signalfd_siginfo info;

	if (read(out->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGTSTP)
		suspend(m);
	else if (info.ssi_signo == SIGPWR)
		machine_press_button(m);
	else if (info.ssi_signo == SIGUSR1)
		balloon_resize(m, info.ssi_int);
	else if (info.ssi_signo == SIGWINCH)
		hvc_resize(m);
	else
		machine_end(m, END_STOPPED, "stopped by %s", strsignal(info.ssi_signo));
}

static void handle_input(struct outside *out, struct machine *m)
{
	switch (console_read(&m->console)) {
	case CONSOLE_INPUT_OK:
		break;
	case CONSOLE_INPUT_END:
		out->has_input = false;
		break;
	case CONSOLE_INPUT_BUTTON:
		machine_press_button(m);
		break;
	case CONSOLE_INPUT_QUIT:
		machine_end(m, END_STOPPED, "stopped by Ctrl-A x");
		break;
	}
}

/* Give the guest what there is, and look at stdin only while there is room for more. */
static void move_input(struct outside *out, struct machine *m)
{
	bool wanted;

	while (out->input_always && out->has_input && console_in_room(&m->console))
		handle_input(out, m);
	machine_feed(m);

	wanted = out->has_input && !out->input_always && console_in_room(&m->console);
	if (wanted && !out->input_on)
		watch(out, STDIN_FILENO, FROM_STDIN);
	else if (!wanted && out->input_on)
		epoll_ctl(out->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	out->input_on = wanted;
}

/* Each finds out by itself whether it gets anywhere: see stuck.h. */
static void kick_all(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_cpus; i++)
		vitro_vcpu_kick(m->cpu[i].vcpu);
}

static void handle_event(struct outside *out, struct machine *m, enum source source)
{
	switch (source) {
	case FROM_SIGNAL:
		handle_signal(out, m);
		break;
	case FROM_STDIN:
		handle_input(out, m);
		break;
	case FROM_DEADLINE:
		drain(out->deadline);
		machine_end(m, END_DEADLINE, "the deadline has passed");
		break;
	case FROM_RTC:
		drain(m->rtc_fd);
		machine_rtc_tick(m);
		break;
	case FROM_PIT:
		drain(m->pit_fd);
		machine_pit_tick(m);
		break;
	case FROM_PANIC:
		drain(m->panic_fd);
		machine_end(m, END_PANIC, "guest panic");
		break;
	case FROM_STUCK:
		drain(out->stuck);
		kick_all(m);
		break;
	case FROM_WAKE:
		drain(m->wake_fd);
		break;
	}
}

static void wait_for_end(struct outside *out, struct machine *m)
{
	struct epoll_event event[8];
	int i, n;

	while (!m->ended) {
		move_input(out, m);
		n = epoll_wait(out->epoll, event, 8, -1);
		for (i = 0; i < n; i++)
			handle_event(out, m, event[i].data.u32);
	}
}

static unsigned int start_cpus(struct machine *m)
{
	char name[16];			/* for top and ps, and no more fits (prctl(2)) */
	unsigned int i;
	int err;

	for (i = 0; i < m->nr_cpus; i++) {
		err = pthread_create(&m->cpu[i].thread, NULL, cpu_run, &m->cpu[i]);
		if (err) {
			machine_end(m, END_HOST, "cannot start a thread: %s", strerror(err));
			break;
		}
		snprintf(name, sizeof(name), "vcpu%u", i);
		pthread_setname_np(m->cpu[i].thread, name);
	}
	return i;
}

/* The devices' and the vCPUs'; returns how many vCPUs have one. */
static unsigned int start_threads(struct machine *m)
{
	int err = io_start(m);

	if (!err)
		return start_cpus(m);
	machine_end(m, END_HOST, "cannot start a thread: %s", strerror(-err));
	return 0;
}

/* Nobody has to have it: a machine without a control socket is one as before. */
static void start_control(struct machine *m)
{
	char why[512];

	if (m->control && !control_start(m->control, why, sizeof(why)) && why[0])
		fprintf(stderr, "vitro run: no control socket: %s\n", why);
}

static void join_cpus(struct machine *m, unsigned int nr)
{
	unsigned int i;

	pause_end(m);
	if (m->control)
		control_stop(m->control);
	gdb_end(m);
	for (i = 0; i < nr; i++)
		vitro_vcpu_kick(m->cpu[i].vcpu);
	for (i = 0; i < nr; i++)
		pthread_join(m->cpu[i].thread, NULL);
}

/*
 * The timer in open_outside() is for a machine whose vCPUs stand still.  This one stops
 * guests, even if this thread does not get its turn.
 */
static int set_deadline(struct machine *m, uint64_t deadline)
{
	return deadline ? -vitro_vm_deadline(m->vm, deadline) : 0;
}

/**
 * world_run - run a machine until it ends
 * @m: the machine, ready to go
 * @deadline: nanoseconds it may take, or 0
 *
 * Return: 0, and m->status and m->why say how it ended; or an errno: it could not
 * be started.
 */
int world_run(struct machine *m, uint64_t deadline)
{
	struct outside out = { .epoll = -1, .signals = -1, .deadline = -1, .stuck = -1 };
	unsigned int nr;
	sigset_t set, old;
	int err;

	/* Blocked from here on, in all threads: they come by signalfd. */
	signal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	signal(SIGPIPE, SIG_IGN);	/* writing to stdout fails with EPIPE instead */
	err = open_outside(&out, m, deadline) ? set_deadline(m, deadline) : errno;
	if (!err)
		err = console_start(&m->console);
	if (!err) {
		nr = start_threads(m);
		if (!gdb_run(m))
			machine_end(m, END_HOST, "cannot start a thread for gdb");
		start_control(m);	/* last: its clients may ask for a gdb, too */
		if (!sandbox_enter(SANDBOX_MAIN))
			machine_end(m, END_HOST, "no sandbox for the main thread");
		wait_for_end(&out, m);
		join_cpus(m, nr);
		io_stop(m);
		console_stop(&m->console);
	}
	close_outside(&out);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}
