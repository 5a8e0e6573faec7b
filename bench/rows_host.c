// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows about calls of the VMM, whose time the VMM takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

static double create_vm(const struct row *row)
{
	struct machine m;
	uint64_t start = 0;
	unsigned int i;

	/* The first one of all loads what has to be loaded. */
	for (i = 0; i <= row->times; i++) {
		if (i == 1)
			start = rdtsc();
		memset(&m, 0, sizeof(m));
		hv->vm_create(&m);
		hv->vcpu_create(&m, 0);
		hv->vm_destroy(&m);
	}
	return (double)(rdtsc() - start) / row->times;
}

static double create_vcpu(const struct row *row)
{
	struct machine m;
	uint64_t start, ticks = 0;
	unsigned int i, id;

	for (i = 0; i < row->times; i++) {
		memset(&m, 0, sizeof(m));
		hv->vm_create(&m);
		hv->vcpu_create(&m, 0);
		start = rdtsc();
		for (id = 1; id < MAX_VCPUS; id++)
			hv->vcpu_create(&m, id);
		ticks += rdtsc() - start;
		hv->vm_destroy(&m);
	}
	return (double)ticks / (row->times * (MAX_VCPUS - 1));
}

static double add_slot(const struct row *row)
{
	struct machine *m = machine_new();
	uint64_t start, ticks, size, least = UINT64_MAX;
	unsigned int i;
	char *mem;

	size = strtoull(row->arg, NULL, 10) << 20;
	mem = pages_new(size, MADV_NORMAL);
	/* So short that what interrupts one of them would show. */
	for (i = 0; i < row->times; i++) {
		start = rdtsc();
		hv->slot(m, 1, HIGH, size, mem, false);
		ticks = rdtsc() - start;
		if (ticks < least)
			least = ticks;
		hv->slot(m, 1, HIGH, 0, NULL, false);
	}
	return least;
}

static double run_nothing(const struct row *row)
{
	struct machine *m = machine_new();
	uint64_t start = 0;
	unsigned int i;

	for (i = 0; i <= row->times; i++) {
		if (i == 1)
			start = rdtsc();
		hv->run_nothing(m);
	}
	return (double)(rdtsc() - start) / row->times;
}

/*
 * Bytes of the machine's memory that are neither free nor processes' nor files'.  Some free
 * pages lie in lists of CPUs and do not count as such.
 */
static double kernel_memory(void)
{
	static const char *const others[] = {
		"MemFree:", "AnonPages:", "PageTables:", "Cached:", "Buffers:", NULL
	};
	FILE *f = fopen("/proc/meminfo", "r");
	long long sum = 0, value;
	char name[64];
	size_t i;

	if (!f)
		die("/proc/meminfo");
	while (fscanf(f, "%63s %lld %*[^\n]", name, &value) == 2)
		for (i = 0; others[i]; i++)
			if (!strcmp(name, others[i]))
				sum += value;
	fclose(f);
	return -1024.0 * sum;
}

/* Likewise, when it has rested for half a second: what was before is freed by and by. */
static double kernel_memory_at_rest(void)
{
	double last, now = kernel_memory();
	int i, same = 0;

	for (i = 0; i < 50 && same < 5; i++) {
		usleep(100000);
		last = now;
		now = kernel_memory();
		same = now == last ? same + 1 : 0;
	}
	return now;
}

/* Bytes of one of @times; as many are made before, to use up those lists. */
static double memory_of(unsigned int times, void (*make)(unsigned int i))
{
	double before;
	unsigned int i;

	for (i = 0; i < times; i++)
		make(i);
	before = kernel_memory_at_rest();
	for (; i < 2 * times; i++)
		make(i);
	return (kernel_memory_at_rest() - before) / times;
}

static void make_both(unsigned int i)
{
	(void)i;
	machine_new();
}

static void make_vm(unsigned int i)
{
	(void)i;
	machine_new_empty();
}

/* A further vCPU, of machines that have one and get MAX_VCPUS. */
static struct machine **growing;

static void make_vcpu(unsigned int i)
{
	const unsigned int further = MAX_VCPUS - 1;

	machine_add_vcpu(growing[i / further], 1 + i % further);
}

static double memory(const struct row *row)
{
	return memory_of(row->times, make_both);
}

static double memory_vm(const struct row *row)
{
	return memory_of(row->times, make_vm);
}

static double memory_vcpu(const struct row *row)
{
	unsigned int i;

	growing = calloc(2 * row->times, sizeof(growing[0]));
	for (i = 0; i < 2 * row->times / (MAX_VCPUS - 1) + 1; i++)
		growing[i] = machine_new();
	return memory_of(row->times, make_vcpu);
}

const struct row host_rows[] = {
	{ "run-nothing", "a run that returns at once", run_nothing, NULL, 1000 },
	{ "create-vm", "VM with a vCPU, created and destroyed", create_vm, NULL, 20 },
	{ "create-vcpu", "vCPU, created", create_vcpu, NULL, 256 },
	{ "slot-1m", "memslot of 1 MiB, added", add_slot, "1", 100 },
	{ "slot-1g", "memslot of 1 GiB, added", add_slot, "1024", 100 },
	{ "slot-512g", "memslot of 512 GiB, added", add_slot, "524288", 20 },
	{ "memory", "bytes of kernel memory, a VM with a vCPU", memory, NULL, 128 },
	{ "memory-vm", "bytes of kernel memory, a VM without vCPUs", memory_vm, NULL, 128 },
	{ "memory-vcpu", "bytes of kernel memory, each further vCPU", memory_vcpu, NULL, 128 },
	{ }
};
