// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Recording the exits of the machine that this process runs: a thread empties the
 * kernel's rings into a file, and adds to each record the instruction at its address,
 * read through the guest's page tables as long as they are what they were.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "machine.h"
#include "record.h"

#define RING_RECORDS	65536		/* per vCPU: some tenths of a second, if it exits a lot */
#define PAUSE_NS	5000000		/* between two looks */

#define PTE_PRESENT	1ULL
#define PTE_LARGE	(1ULL << 7)
#define PTE_ADDR	0x000ffffffffff000ULL

/**
 * struct source - a vCPU's ring
 * @ring: its header, and the records behind it
 * @next: record to read next
 */
struct source {
	const volatile struct vitro_ring *ring;
	uint64_t next;
};

/**
 * struct recorder - a recording in progress
 * @file: its name, NULL if nothing is to be recorded
 * @out: where it goes
 * @vm: the machine
 * @nr: vCPUs
 * @source: theirs, by id
 * @thread: the one that reads
 * @stop: it shall
 * @lost: records that were overwritten before they were read
 * @written: records in the file
 * @failed: errno of a write that failed
 */
static struct recorder {
	const char *file;
	FILE *out;
	struct vitro_vm *vm;
	unsigned int nr;
	struct source source[VITRO_MAX_VCPUS];
	pthread_t thread;
	atomic_bool stop;
	uint64_t lost, written;
	int failed;
} recorder;

/* ------------------------------------------------------------- instructions */

/* gpa of a linear address in the guest's paging as it is now. */
static bool translate(const struct vitro_record *r, uint64_t linear, uint64_t *gpa)
{
	unsigned int entry = r->paging == 2 ? 4 : 8;
	unsigned int bits = r->paging == 2 ? 10 : 9;
	unsigned int level = r->paging;
	uint64_t table = r->cr3 & (r->paging == 3 ? 0xffffffe0ULL : PTE_ADDR);

	for (; level > 0; level--) {
		unsigned int shift = 12 + bits * (level - 1);
		uint64_t index = linear >> shift & ((1ULL << bits) - 1);
		uint64_t pte = 0, mask = (1ULL << shift) - 1;

		if (r->paging == 3 && level == 3)
			index &= 3;
		if (vitro_read_gpa(recorder.vm, table + index * entry, &pte, entry) ||
		    !(pte & PTE_PRESENT))
			return false;
		table = pte & PTE_ADDR;
		/* A PDPTE of PAE paging has no such bit. */
		if (level == 1 ||
		    ((pte & PTE_LARGE) && level < 4 && !(r->paging == 3 && level == 3))) {
			*gpa = (table & ~mask) | (linear & mask);
			return true;
		}
	}
	*gpa = linear;
	return true;
}

static void read_insn(struct trace_entry *e)
{
	const struct vitro_record *r = &e->record;
	unsigned int first = 4096 - (r->linear & 4095), n = sizeof(e->bytes);
	uint64_t gpa;

	if (first > n)
		first = n;
	if (!translate(r, r->linear, &gpa) || vitro_read_gpa(recorder.vm, gpa, e->bytes, first))
		return;
	e->nr_bytes = first;
	if (first < n && translate(r, r->linear + first, &gpa) &&
	    !vitro_read_gpa(recorder.vm, gpa, e->bytes + first, n - first))
		e->nr_bytes = n;
}

/* ------------------------------------------------------------------- reading */

static void write_entry(const struct trace_entry *e)
{
	if (fwrite(e, sizeof(*e), 1, recorder.out) != 1 && !recorder.failed)
		recorder.failed = errno;
	recorder.written++;
}

/* Reads what is complete: all but the youngest, which is taken with @all too. */
static void drain(unsigned int vcpu, bool all)
{
	struct source *s = &recorder.source[vcpu];
	const struct vitro_record *slots = (const void *)((const char *)s->ring +
							  VITRO_RING_RECORDS);
	uint64_t head = __atomic_load_n(&s->ring->head, __ATOMIC_ACQUIRE);
	uint64_t lost = 0, end = all || !head ? head : head - 1;
	struct trace_entry e;

	for (; s->next < end; s->next++) {
		memset(&e, 0, sizeof(e));
		e.record = slots[s->next % s->ring->nr];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		/* With the record just behind the oldest one, the kernel may be busy. */
		if (s->ring->overwritten && s->next < s->ring->overwritten + 1) {
			lost++;
			continue;
		}
		e.vcpu = vcpu;
		e.lost = lost;
		recorder.lost += lost;
		lost = 0;
		read_insn(&e);
		write_entry(&e);
	}
	recorder.lost += lost;
}

static void *read_rings(void *unused)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	unsigned int i;

	(void)unused;
	while (!recorder.stop) {
		for (i = 0; i < recorder.nr; i++)
			drain(i, false);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

/* --------------------------------------------------------------- its beginning */

/**
 * record_to - record the machine that this process is going to run
 * @file: into this file
 */
void record_to(const char *file)
{
	recorder.file = file;
}

static bool open_ring(struct machine *m, unsigned int i)
{
	struct vitro_record_start start = { .nr = RING_RECORDS };
	size_t size = VITRO_RING_RECORDS + RING_RECORDS * sizeof(struct vitro_record);
	int fd = ioctl(vitro_vcpu_fd(m->cpu[i].vcpu), VITRO_RECORD, &start);
	void *p;

	if (fd < 0) {
		fprintf(stderr, "vitro trace: cannot record vCPU %u: %s\n", i, strerror(errno));
		return false;
	}
	p = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (p == MAP_FAILED) {
		fprintf(stderr, "vitro trace: cannot map the recorder: %s\n", strerror(errno));
		return false;
	}
	recorder.source[i].ring = p;
	return true;
}

static bool open_file(struct machine *m)
{
	const struct vitro_info *info = vitro_get_info(m->dev);
	struct trace_header h = {
		.vendor = info->vendor, .tsc_khz = info->tsc_khz, .nr_vcpus = m->nr_cpus,
		.entry_size = sizeof(struct trace_entry),
	};

	memcpy(h.magic, TRACE_MAGIC, sizeof(h.magic));
	recorder.out = fopen(recorder.file, "we");
	if (!recorder.out || fwrite(&h, sizeof(h), 1, recorder.out) != 1) {
		fprintf(stderr, "vitro trace: cannot write '%s': %s\n", recorder.file,
			strerror(errno));
		return false;
	}
	return true;
}

/**
 * record_start - from now on
 * @m: the machine, about to run
 *
 * Return: false if it cannot be; the reason has been said.
 */
bool record_start(struct machine *m)
{
	unsigned int i;

	if (!recorder.file)
		return true;
	if (!open_file(m))
		return false;
	recorder.vm = m->vm;
	for (i = 0; i < m->nr_cpus; i++) {
		if (!open_ring(m, i))
			return false;
	}
	recorder.nr = m->nr_cpus;
	if (pthread_create(&recorder.thread, NULL, read_rings, NULL)) {
		fprintf(stderr, "vitro trace: cannot create a thread\n");
		recorder.nr = 0;
		return false;
	}
	return true;
}

/**
 * record_stop - the machine does not run any more
 *
 * Return: true if the recording is complete as far as it goes, and in the file.
 */
bool record_stop(void)
{
	unsigned int i;

	if (!recorder.nr)
		return true;
	recorder.stop = true;
	pthread_join(recorder.thread, NULL);
	for (i = 0; i < recorder.nr; i++)
		drain(i, true);
	if (fclose(recorder.out) && !recorder.failed)
		recorder.failed = errno;
	if (recorder.failed)
		fprintf(stderr, "vitro trace: cannot write '%s': %s\n", recorder.file,
			strerror(recorder.failed));
	fprintf(stderr, "vitro trace: %llu exits recorded in %s, %llu lost\n",
		(unsigned long long)recorder.written, recorder.file,
		(unsigned long long)recorder.lost);
	return !recorder.failed;
}

/* ------------------------------------------------------- for the module's readers */

/**
 * tell_name - what vitro ps is to call the machine
 * @m: the machine
 * @name: its name, or NULL; what the module does not take becomes a dash
 */
void tell_name(const struct machine *m, const char *name)
{
	struct vitro_name n = { .name = "" };
	size_t i;

	for (i = 0; name && name[i] && i < sizeof(n.name) - 1; i++) {
		bool good = name[i] > ' ' && name[i] <= '~' && !strchr("\"'\\", name[i]);

		n.name[i] = good ? name[i] : '-';
	}
	if (i)
		ioctl(vitro_vm_fd(m->vm), VITRO_SET_NAME, &n);
}

/**
 * tell_panic - the guest has panicked
 * @m: the machine
 */
void tell_panic(const struct machine *m)
{
	struct vitro_report report = { .what = VITRO_REPORT_PANIC };

	ioctl(vitro_vm_fd(m->vm), VITRO_REPORT, &report);
}
