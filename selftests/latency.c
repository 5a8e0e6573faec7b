// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long do guests make an interrupt of the host wait?  Not a test, but a measurement:
 * "make latency" runs it on a machine with one CPU, whose time counts instructions.
 *
 * A thread of the highest priority sleeps until a moment, again and again, and notes how
 * much later it runs: the timer's interrupt has to come through, then the scheduler does
 * its work.  What a guest adds to the worst case without one is the time for which the
 * interrupt was held off.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
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
#define POOL		(16 << 20)	/* what g_pages touches */

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

/* Nanoseconds that the worst of all wake-ups was late. */
static uint64_t worst(void)
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

static void measure(const char *name, const void *code)
{
	struct vt_cpu *cpu = code ? vt_boot(VT_LONG, code) : NULL;
	struct vitro_deadline now = { .ns = 1 };
	pthread_t thread;
	uint64_t max;

	over = false;
	if (code) {
		set_up(cpu, code);
		if (pthread_create(&thread, NULL, guest, cpu))
			vt_die("no thread");
		/* It is in the guest, or on its way. */
		vt_sleep_ms(10);
	}
	max = worst();
	printf("%-45s %8llu ns\n", name, (unsigned long long)max);
	fflush(stdout);
	if (code) {
		over = true;
		vt_ioctl(cpu->vm->fd, VITRO_SET_DEADLINE, &now);
		pthread_join(thread, NULL);
	}
}

int main(void)
{
	struct sched_param first = { .sched_priority = 99 };

	/* Not the threads that it makes. */
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first))
		vt_die("no priority: %s", strerror(errno));
	measure("no guest", NULL);
	measure("a guest that does not exit", g_spin);
	measure("OUT to userspace", g_out);
	measure("CPUID", g_cpuid);
	measure("OUT to the last of 1,024 ioeventfds", g_port);
	measure("write to the last of 1,024 ioeventfds", g_doorbell);
	measure("interrupt to 63 vCPUs", g_broadcast);
	measure("page after page, and taking their dirty log", g_pages);
	return 0;
}
