// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of which the guest itself takes the time: exits, interrupts, page faults. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define PAGE		4096ULL
#define HUGE		0x200000ULL
#define DEADLINE	50000	/* how far off guest_deadline sets it */

#define GUEST(name)	extern const char guest_##name[]
GUEST(nothing); GUEST(cpuid); GUEST(hypercall_svm); GUEST(hypercall_vmx); GUEST(out_eventfd);
GUEST(out_user); GUEST(in_user); GUEST(mmio_read); GUEST(mmio_write); GUEST(doorbell);
GUEST(msr_kernel); GUEST(msr_user); GUEST(cr8); GUEST(cr0_wp); GUEST(cr4_pge); GUEST(eoi);
GUEST(self_ipi_write); GUEST(self_ipi); GUEST(self_ipi_hlt); GUEST(deadline); GUEST(ping);
GUEST(pong); GUEST(ring_and_wait); GUEST(touch_4k); GUEST(touch_2m);

/*
 * Ticks for one of many: a long run less a short one, so that what comes before and after is
 * in neither.  The first run of all touches memory and caches.
 */
static double each(struct machine *m, const char *snippet, unsigned int times)
{
	uint64_t once, twice;

	machine_time(m, snippet, times);
	once = machine_time(m, snippet, times);
	twice = machine_time(m, snippet, 2 * times);
	return (double)(int64_t)(twice - once) / times;
}

static double plain(const struct row *row)
{
	return each(machine_new(), row->arg, row->times);
}

static double hypercall(const struct row *row)
{
	return each(machine_new(), hv->vmx ? guest_hypercall_vmx : guest_hypercall_svm, row->times);
}

static int new_eventfd(void)
{
	int fd = eventfd(0, 0);

	if (fd < 0)
		die("eventfd");
	return fd;
}

static double to_eventfd(const struct row *row)
{
	struct machine *m = machine_new();
	bool pio = row->arg == guest_out_eventfd;

	hv->ioeventfd(m, pio ? PORT_EVENTFD : DOORBELL, pio ? 1 : 4, pio, new_eventfd());
	return each(m, row->arg, row->times);
}

static double deadline(const struct row *row)
{
	return each(machine_new(), row->arg, row->times) - DEADLINE;
}

static void *run_vcpu_1(void *opaque)
{
	hv->run(opaque, 1);
	return NULL;
}

static void start_thread(void *(*f)(void *), void *opaque)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, f, opaque))
		die("no thread");
}

static double ping(const struct row *row)
{
	struct machine *m = machine_new();

	machine_add_vcpu(m, 1);
	machine_start(m, 1, guest_pong, 0);
	start_thread(run_vcpu_1, m);
	return each(m, row->arg, row->times);
}

/* A device's thread: what the guest rings, and how it answers. */
static int bell, answer;

static void *device(void *opaque)
{
	uint64_t value;

	while (read(bell, &value, sizeof(value)) == sizeof(value))
		if (write(answer, &value, sizeof(value)) != sizeof(value))
			break;
	return opaque;
}

static double ring_and_wait(const struct row *row)
{
	struct machine *m = machine_new();

	bell = new_eventfd();
	answer = new_eventfd();
	hv->ioeventfd(m, PORT_EVENTFD, 1, true, bell);
	hv->irqfd(m, answer);
	start_thread(device, NULL);
	return each(m, row->arg, row->times);
}

/* A machine whose second slot has memory that the process has touched. */
static struct machine *with_slot(uint64_t size, int advice, bool log_dirty)
{
	struct machine *m = machine_new();
	char *mem = pages_new(size, advice);

	memset(mem, 1, size);
	hv->slot(m, 1, TOUCHED, size, mem, log_dirty);
	return m;
}

static double touch_4k(const struct row *row)
{
	struct machine *m = with_slot(row->times * PAGE, MADV_NOHUGEPAGE, false);

	return (double)machine_time(m, guest_touch_4k, row->times) / row->times;
}

/* Few pages make a short run, which an interrupt would spoil: the least of some. */
static double touch_2m(const struct row *row)
{
	char *mem = pages_new(row->times * HUGE, MADV_HUGEPAGE);
	struct machine *m = machine_new();
	uint64_t ticks, least = UINT64_MAX;
	int i;

	memset(mem, 1, row->times * HUGE);
	for (i = 0; i < 8; i++) {
		hv->slot(m, 1, TOUCHED, row->times * HUGE, mem, false);
		ticks = machine_time(m, guest_touch_2m, row->times);
		if (ticks < least)
			least = ticks;
		hv->slot(m, 1, TOUCHED, 0, NULL, false);
	}
	return (double)least / row->times;
}

static uint64_t log_bitmap[1024];

static double dirty_fault(const struct row *row)
{
	struct machine *m = with_slot(row->times * PAGE, MADV_NOHUGEPAGE, true);

	machine_time(m, guest_touch_4k, row->times);
	hv->dirty_log(m, 1, row->times, log_bitmap);
	return (double)machine_time(m, guest_touch_4k, row->times) / row->times;
}

static double dirty_harvest(const struct row *row)
{
	struct machine *m = with_slot(row->times * PAGE, MADV_NOHUGEPAGE, true);
	uint64_t start;

	machine_time(m, guest_touch_4k, row->times);
	hv->dirty_log(m, 1, row->times, log_bitmap);
	machine_time(m, guest_touch_4k, row->times);
	start = rdtsc();
	hv->dirty_log(m, 1, row->times, log_bitmap);
	return (double)(rdtsc() - start) / row->times;
}

/* The child shares all pages until the guest writes to them. */
static double cow(const struct row *row)
{
	struct machine *m = with_slot(row->times * PAGE, MADV_NOHUGEPAGE, false);
	double ticks;
	pid_t child;

	machine_time(m, guest_touch_4k, row->times);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		for (;;)
			pause();
	ticks = machine_time(m, guest_touch_4k, row->times);
	kill(child, SIGKILL);
	return ticks / row->times;
}

/* Many machines that have run once are alive; the first one's exits to userspace count. */
static double crowd(const struct row *row)
{
	unsigned int i, others = row->arg[0] == '8' ? 7 : 63;
	struct machine *m = machine_new();

	for (i = 0; i < others; i++)
		machine_new();
	return each(m, guest_out_user, row->times);
}

const struct row guest_rows[] = {
	{ "nothing", "the loop itself", plain, guest_nothing, 1000 },
	{ "cpuid", "CPUID", plain, guest_cpuid, 1000 },
	{ "hypercall", "hypercall that does nothing", hypercall, NULL, 1000 },
	{ "out-eventfd", "port write, an ioeventfd", to_eventfd, guest_out_eventfd, 1000 },
	{ "out-user", "port write, to userspace and back", plain, guest_out_user, 1000 },
	{ "in-user", "port read, to userspace and back", plain, guest_in_user, 1000 },
	{ "mmio-read", "MMIO read, emulated, userspace and back", plain, guest_mmio_read, 500 },
	{ "mmio-write", "MMIO write, emulated, userspace and back", plain, guest_mmio_write, 500 },
	{ "doorbell", "MMIO write, an ioeventfd", to_eventfd, guest_doorbell, 1000 },
	{ "msr-kernel", "RDMSR of PAT, in the kernel", plain, guest_msr_kernel, 1000 },
	{ "msr-user", "RDMSR, to userspace and back", plain, guest_msr_user, 1000 },
	{ "cr8", "CR8 to 4 and to 0", plain, guest_cr8, 1000 },
	{ "cr0-wp", "CR0.WP toggled", plain, guest_cr0_wp, 1000 },
	{ "cr4-pge", "CR4.PGE toggled", plain, guest_cr4_pge, 1000 },
	{ "eoi", "EOI, x2APIC", plain, guest_eoi, 1000 },
	{ "self-ipi-write", "self-IPI, x2APIC, interrupts off", plain, guest_self_ipi_write, 1000 },
	{ "self-ipi", "self-IPI, handler, EOI", plain, guest_self_ipi, 500 },
	{ "self-ipi-hlt", "self-IPI, HLT, handler, EOI", plain, guest_self_ipi_hlt, 500 },
	{ "deadline", "TSC deadline: arm, expire, handler", deadline, guest_deadline, 1000 },
	{ "ipi", "IPI to a sleeping vCPU and back", ping, guest_ping, 200 },
	{ "irqfd", "ioeventfd, a thread, irqfd, wake from HLT", ring_and_wait,
	  guest_ring_and_wait, 200 },
	{ "touch-4k", "first touch of a 4 KiB page", touch_4k, NULL, 4096 },
	{ "touch-2m", "first touch of a 2 MiB page", touch_2m, NULL, 32 },
	{ "dirty-fault", "first write to a page since the last log", dirty_fault, NULL, 4096 },
	{ "dirty-harvest", "harvest of the log, a dirty page", dirty_harvest, NULL, 4096 },
	{ "cow", "write to a page shared by fork", cow, NULL, 1024 },
	{ "out-user-8", "out-user with 8 machines alive", crowd, "8", 1000 },
	{ "out-user-64", "out-user with 64 machines alive", crowd, "64", 1000 },
	{ }
};
