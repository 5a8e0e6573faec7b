// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows about a whole guest: from nothing to the first process of Linux.
 *
 * The machine has vCPUs with their local APICs, memory, a port to print to, and nothing else:
 * what a guest has to have from a hypervisor, rather than from this VMM's devices.  CPUID says
 * that there is KVM's clock, from which Linux takes the rate of the TSC.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../userspace/libvitro/internal.h"
#include "bench.h"

#define MIB		(1ULL << 20)
#define MEMORY		(256 * MIB)
#define LIMIT		10000000000ULL	/* TSC ticks; some thirty times what it takes */
#define LOW_END		0xa0000		/* of memory below the PC's hole */
#define FIRMWARE	0xf0000		/* where Linux looks for tables, up to 1 MiB */
#define LAPIC		0xfee00000

/* ---------------------------- the processors, as MultiProcessor Specification 1.4 has it */

struct mp_pointer {		/* 4.1 */
	char signature[4];
	uint32_t table;
	uint8_t length;		/* in 16 bytes */
	uint8_t revision;
	uint8_t checksum;
	uint8_t features[5];
};

struct mp_processor {		/* 4.3.1 */
	uint8_t type;
	uint8_t apic_id;
	uint8_t apic_version;
	uint8_t flags;
#define MP_ENABLED	(1U << 0)
#define MP_BOOT		(1U << 1)
	uint32_t signature;
	uint32_t features;
	uint32_t reserved[2];
};

struct mp_table {		/* 4.2 */
	char signature[4];
	uint16_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem[8];
	char product[12];
	uint32_t oem_table;
	uint16_t oem_length;
	uint16_t entries;
	uint32_t lapic;
	uint32_t extension;
	struct mp_processor processor[MAX_VCPUS];
};

static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (size--)
		sum -= *p++;
	return sum;
}

static void write_mp_table(char *mem, unsigned int nr)
{
	struct mp_pointer *pointer = (void *)(mem + FIRMWARE);
	struct mp_table *table = (void *)(pointer + 1);

	*pointer = (struct mp_pointer){
		.signature = "_MP_", .table = FIRMWARE + sizeof(*pointer), .length = 1,
		.revision = 4,
	};
	pointer->checksum = checksum(pointer, sizeof(*pointer));
	*table = (struct mp_table){
		.signature = "PCMP", .revision = 4, .oem = "VITRO   ", .product = "BENCH       ",
		.length = offsetof(struct mp_table, processor[nr]), .entries = nr, .lapic = LAPIC,
	};
	for (unsigned int i = 0; i < nr; i++)
		table->processor[i] = (struct mp_processor){
			.apic_id = i, .apic_version = 0x14,
			.flags = MP_ENABLED | (i ? 0 : MP_BOOT),
		};
	table->checksum = checksum(table, table->length);
}

/* ------------------------------------------------------------------ the boot */

/* No clock would answer the driver of the CMOS clock, which asks a thousand times. */
static const char parameters[] =
	"quiet earlyprintk=ttyS0,keep acpi=off initcall_blacklist=cmos_init panic=-1 reboot=t";

/*
 * libvitro's loader looks at the memory of a VM and writes the registers of a vCPU to its comm
 * area.  Both are had without a hypervisor, and so are the same for either.
 */
static void load(char *mem, struct vitro_comm *comm)
{
	static const struct vitro_range map[] = {
		{ 0, LOW_END, VITRO_RANGE_RAM },
		{ MIB, MEMORY - MIB, VITRO_RANGE_RAM },
	};
	struct vitro_vm vm = {
		.lock = PTHREAD_RWLOCK_INITIALIZER, .nr_slots = 1,
		.slot[0] = { .size = MEMORY, .hva = (uint8_t *)mem },
	};
	struct vitro_vcpu vcpu = { .vm = &vm, .comm = comm };
	struct vitro_boot boot = {
		.initrd = { (void *)guest_initrd, guest_initrd_end - guest_initrd },
		.cmdline = parameters,
		.map = map, .nr_map = ARRAY_LEN(map),
	};
	const char *path = getenv("BENCH_KERNEL");

	comm->state.crs.xcr0 = 1;	/* after power-on (SDM 3A table 9-1) */
	comm->valid = VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS | VITRO_STATE_EVENTS;
	if (vitro_image_read(&boot.kernel, path ? path : "/boot/vmlinux") ||
	    vitro_load_kernel(&vcpu, &boot))
		die("%s", vitro_error());
	vitro_image_free(&boot.kernel);
}

/**
 * struct thread - a vCPU that runs
 * @m: whose it is
 * @id: its number
 * @end: the TSC when the guest has done what it was to do
 * @ended: is posted then; the same for all
 */
struct thread {
	struct machine *m;
	unsigned int id;
	uint64_t *end;
	sem_t *ended;
};

static void *run_vcpu(void *opaque)
{
	struct thread *t = opaque;

	hv->run(t->m, t->id);
	*t->end = rdtsc();
	sem_post(t->ended);
	return NULL;
}

/* Nanoseconds that the CPU has slept since it was booted: there is one, or taskset sees to it. */
static unsigned long long slept_ns(void)
{
	FILE *f = fopen("/proc/timer_list", "r");
	unsigned long long slept = 0, ns;
	char line[256];
	int cpu = -1;

	if (!f)
		die("/proc/timer_list");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu: %d", &cpu) != 1 && cpu == sched_getcpu() &&
		    sscanf(line, " .idle_sleeptime : %llu nsecs", &ns) == 1)
			slept = ns;
	fclose(f);
	return slept;
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void wait_end(sem_t *ended, uint64_t start)
{
	struct timespec t;

	do {
		if (rdtsc() - start > LIMIT)
			die("Linux has not come to its init after %llu ticks", LIMIT);
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec++;
	} while (sem_timedwait(ended, &t));
}

/*
 * The TSC goes on while the CPU sleeps, as KVM has it do until nobody uses an old list of slots
 * any more.  No instruction is executed then, and so that time is none of the row's.
 */
static double boot(const struct row *row)
{
	unsigned int i, nr = strtoul(row->arg, NULL, 10);
	static struct vitro_comm comm;
	struct thread thread[MAX_VCPUS];
	struct machine m = { 0 };
	uint64_t start, end;
	double ns, slept;
	pthread_t handle;
	sem_t ended;

	m.mem = pages_new(MEMORY, MADV_HUGEPAGE);
	load(m.mem, &comm);
	write_mp_table(m.mem, nr);
	sem_init(&ended, 0, 0);

	slept = slept_ns();
	ns = now_ns();
	start = rdtsc();
	hv->vm_create(&m);
	hv->slot(&m, 0, 0, MEMORY, m.mem, false);
	for (i = 0; i < nr; i++) {
		hv->vcpu_create(&m, i);
		hv->cpuid(&m, i);
	}
	hv->start(&m, 0, &comm.state);
	for (i = 0; i < nr; i++) {
		thread[i] = (struct thread){ &m, i, &end, &ended };
		if (pthread_create(&handle, NULL, run_vcpu, &thread[i]))
			die("no thread");
	}
	wait_end(&ended, start);
	ns = now_ns() - ns;
	slept = slept_ns() - slept;
	return (end - start) * (1 - slept / ns);
}

const struct row boot_rows[] = {
	{ "boot-1", "Linux, from nothing to its init, 1 vCPU", boot, "1", 1 },
	{ "boot-4", "Linux, from nothing to its init, 4 vCPUs", boot, "4", 1 },
	{ }
};
