// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long do guests make an interrupt of the host wait?  Not a test, but a measurement:
 * "make latency" runs it on machines with one CPU, whose time counts instructions.
 *
 * A thread of the highest priority sleeps until a moment, again and again.  Two things are
 * late then: the timer's interrupt, by the time for which interrupts were off, of which the
 * kernel's tracepoints tell (timer:hrtimer_*); and the thread, which notes that itself, by
 * the time for which the kernel was in the scheduler or not to be preempted besides.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>
#include "vt.h"

GUEST(g_spin);
GUEST(g_out);
GUEST(g_cpuid);
GUEST(g_port);
GUEST(g_doorbell);
GUEST(g_broadcast);
GUEST(g_pages);

#define SAMPLES		2000
#define STEP_NS		100000		/* from one to the next, and a part that changes */
#define SPREAD_NS	9973
#define TRACEFS		"/sys/kernel/tracing"
#define POOL		(16 << 20)	/* what g_pages touches */
#define IF		0x200

static volatile bool over;

static void *guest(void *arg)
{
	static uint64_t bitmap[POOL / 4096 / 64];
	const struct vitro_dirty_log log = {
		.slot = 1, .nr = POOL / 4096, .bitmap = (uintptr_t)bitmap,
	};
	struct vt_cpu *cpu = arg;

	while (!over) {
		vt_ioctl(cpu->fd, VITRO_RUN, NULL);
		if (cpu->comm->exit.reason == VITRO_EXIT_IO)
			vt_finish(cpu);
		/* Of g_pages, who alone has one: all its pages fault again. */
		vt_ioctl(cpu->vm->fd, VITRO_DIRTY_LOG, &log);
	}
	return NULL;
}

static void trace_put(const char *file, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACEFS "/%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		vt_die("%s: %s", path, strerror(errno));
	close(fd);
}

/*
 * Nanoseconds that the worst interrupt of all for which a thread has slept was late.  One
 * timer at a time does that here: there is one such thread, on one CPU.
 */
static uint64_t worst_interrupt(void)
{
	unsigned long long expires = 0, now, max = 0;
	FILE *f = fopen(TRACEFS "/trace", "r");
	char line[512], *at;

	if (!f)
		vt_die("no trace: %s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "function=hrtimer_wakeup"))
			continue;
		at = strstr(line, " expires=");
		if (at) {
			expires = strtoull(at + strlen(" expires="), NULL, 10);
			continue;
		}
		at = strstr(line, " now=");
		now = at ? strtoull(at + strlen(" now="), NULL, 10) : 0;
		if (expires && now > expires + max)
			max = now - expires;
		expires = 0;
	}
	fclose(f);
	return max;
}

/* Without a guest, but with as much work for the kernel: memory that it has to clear. */
static void *touch(void *arg)
{
	(void)arg;
	while (!over) {
		char *pool = vt_pages(POOL);

		memset(pool, 1, POOL);
		munmap(pool, POOL);
	}
	return NULL;
}

/* Nanoseconds that the worst of all wake-ups was late. */
static uint64_t worst_thread(void)
{
	uint64_t late, max = 0, when = vt_now_ns();
	int i;

	for (i = 0; i < SAMPLES; i++) {
		struct timespec t;

		when += STEP_NS + i * 37 % SPREAD_NS;
		t = (struct timespec){ when / 1000000000, when % 1000000000 };
		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
			;
		late = vt_now_ns() - when;
		if (late > max)
			max = late;
	}
	return max;
}

/* All eventfds that there can be, at ports from 0x100 on or at addresses up to NOWHERE. */
static void fill_ioeventfds(struct vt_vm *vm, bool pio)
{
	struct vitro_ioeventfd io = { .fd = eventfd(0, 0), .flags = pio ? VITRO_IOEVENTFD_PIO : 0 };
	unsigned int i;

	for (i = 0; i < VITRO_MAX_IOEVENTFDS; i++) {
		io.addr = pio ? 0x100 + i : NOWHERE - 4 * (VITRO_MAX_IOEVENTFDS - 1 - i);
		if (vt_ioctl(vm->fd, VITRO_IOEVENTFD, &io))
			vt_die("ioeventfd %u", i);
	}
}

/* Memory that the kernel need not bring: that takes as long without a guest. */
static void add_pool(struct vt_vm *vm)
{
	char *pool = vt_pages(POOL);

	memset(pool, 1, POOL);
	if (vt_slot(vm, 1, 1 << 30, POOL, pool, VITRO_SLOT_LOG_DIRTY))
		vt_die("no slot");
}

static void set_up(struct vt_cpu *cpu, const void *code)
{
	unsigned int i;

	if (code == g_port || code == g_doorbell)
		fill_ioeventfds(cpu->vm, code == g_port);
	for (i = 1; code == g_broadcast && i < VITRO_MAX_VCPUS; i++)
		vt_cpu(cpu->vm, i);
	if (code == g_pages)
		add_pool(cpu->vm);
}

/* The worst cases while @work runs in a thread of its own; if it is not NULL. */
static void measure(const char *name, void *(*work)(void *arg), void *arg)
{
	uint64_t thread_late;
	pthread_t thread;

	over = false;
	if (work && pthread_create(&thread, NULL, work, arg))
		vt_die("no thread");
	/* It is at work, or on its way. */
	vt_sleep_ms(10);
	trace_put("trace", "");
	trace_put("tracing_on", "1");
	thread_late = worst_thread();
	trace_put("tracing_on", "0");
	printf("%-45s %9llu %9llu\n", name, (unsigned long long)worst_interrupt(),
	       (unsigned long long)thread_late);
	fflush(stdout);
	over = true;
	if (work == guest)
		vt_ioctl(((struct vt_cpu *)arg)->vm->fd, VITRO_SET_DEADLINE,
			 &(struct vitro_deadline){ .ns = 1 });
	if (work)
		pthread_join(thread, NULL);
}

static void measure_guest(const char *name, const void *code)
{
	struct vt_cpu *cpu = vt_boot(VT_LONG, code);

	set_up(cpu, code);
	/* Where IF is clear, Bochs holds off the host's interrupts (Documentation/machines.rst). */
	cpu->comm->state.gprs.rflags |= IF;
	measure(name, guest, cpu);
}

int main(void)
{
	struct sched_param first = { .sched_priority = 99 };

	/* Not the threads that it makes. */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
		vt_die("no priority: %s", strerror(errno));
	if (mount("tracefs", TRACEFS, "tracefs", 0, NULL) && errno != EBUSY)
		vt_die("no tracefs: %s", strerror(errno));
	trace_put("events/timer/hrtimer_start/enable", "1");
	trace_put("events/timer/hrtimer_expire_entry/enable", "1");
	printf("%-45s %9s %9s\n", "late at worst, in nanoseconds", "interrupt", "thread");
	measure("no guest", NULL, NULL);
	measure("no guest; a process touches new memory", touch, NULL);
	measure_guest("a guest that does not exit", g_spin);
	measure_guest("OUT to userspace", g_out);
	measure_guest("CPUID", g_cpuid);
	measure_guest("OUT to the last of 1,024 ioeventfds", g_port);
	measure_guest("write to the last of 1,024 ioeventfds", g_doorbell);
	measure_guest("interrupt to 63 vCPUs", g_broadcast);
	measure_guest("page after page, and taking their dirty log", g_pages);
	return 0;
}
