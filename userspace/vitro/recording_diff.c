// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Comparing recordings: where does the same guest first behave differently?
 *
 * What the guest brings about is compared, vCPU by vCPU: its I/O, its MSRs, CPUID,
 * HLT and so on, with their operands.  What host, timing or vendor bring about is left out:
 * host interrupts, windows, second-level faults, what one vendor alone intercepts; and
 * where a Linux of the upper half has put itself.
 */
#include <inttypes.h>
#include <stdio.h>

#include "family.h"
#include "recording.h"

#define CONTEXT		3	/* exits shown before the one that differs */

/* Where 64-bit Linux is, wherever in there (Documentation/x86/x86_64/mm.rst). */
#define KERNEL_IMAGE	0xffffffff80000000ULL
#define KERNEL_MODULES	0xffffffffc0000000ULL

/* Does the guest bring this exit about, on any vendor's CPU? */
static bool is_architectural(const struct vitro_record *r)
{
	switch (r->reason) {
	case VITRO_EXIT_IO:
	case VITRO_EXIT_MMIO:
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
	case VITRO_EXIT_HLT:
	case VITRO_EXIT_HYPERCALL:
	case VITRO_EXIT_EOI:
	case VITRO_EXIT_SHUTDOWN:
	case VITRO_INNER_CPUID:
	case VITRO_INNER_XSETBV:
		return true;
	default:
		return false;
	}
}

/*
 * How much higher b's Linux is than a's, if each has put itself somewhere else: LSTAR has the
 * address of its system call entry, and it moves in steps of 2 MiB.
 */
static uint64_t moved(const struct recording *a, const struct recording *b)
{
	uint64_t by = b->header->lstar - a->header->lstar;

	return a->header->lstar && b->header->lstar && !(by & ((2U << 20) - 1)) ? by : 0;
}

static bool in_kernel_image(uint64_t address)
{
	return address >= KERNEL_IMAGE && address < KERNEL_MODULES;
}

/* Is it the same instruction with the same operands? */
static bool same_exit(const struct vitro_record *a, const struct vitro_record *b, uint64_t by)
{
	uint64_t linear = in_kernel_image(b->linear) ? b->linear - by : b->linear;

	return a->reason == b->reason && a->linear == linear && a->bits == b->bits &&
	       a->cpl == b->cpl && a->detail == b->detail && a->data == b->data;
}

/* Index of the first exit of @vcpu from @i on that counts; r->nr if there is none. */
static size_t next(const struct recording *r, unsigned int vcpu, size_t i)
{
	while (i < r->nr && (r->entry[i]->vcpu != vcpu || !is_wanted(r, r->entry[i]) ||
			     !is_architectural(&r->entry[i]->record)))
		i++;
	return i;
}

static void print(char side, const struct recording *r, size_t i)
{
	char what[80], insn[96], symbol[SYMBOL_TEXT];
	const struct trace_entry *e;

	if (i >= r->nr) {
		printf("%c (no more exits)\n", side);
		return;
	}
	e = r->entry[i];
	describe_exit(&e->record, what, sizeof(what));
	disassemble(e, insn, sizeof(insn));
	symbols_format(r->symbols, e->record.linear, symbol, sizeof(symbol));
	printf("%c vcpu %u seq %-8" PRIu64 " rip 0x%-16" PRIx64, side, e->vcpu,
	       (uint64_t)e->record.seq, (uint64_t)e->record.rip);
	if (r->symbols)
		printf(" %-28s", symbol);
	printf(" %-10s %-36s %s\n", reason_name(e->record.reason), what, insn);
}

/* Returns whether they are equal. */
static bool diff_vcpu(const struct recording *a, const struct recording *b, unsigned int vcpu)
{
	size_t i = next(a, vcpu, 0), k = next(b, vcpu, 0), n = 0;
	uint64_t by = moved(a, b);
	size_t before[CONTEXT];

	while (i < a->nr && k < b->nr &&
	       same_exit(&a->entry[i]->record, &b->entry[k]->record, by)) {
		before[n++ % CONTEXT] = i;
		i = next(a, vcpu, i + 1);
		k = next(b, vcpu, k + 1);
	}
	if (i >= a->nr && k >= b->nr) {
		printf("vcpu %u: %zu exits, all alike\n", vcpu, n);
		return true;
	}
	printf("vcpu %u: the first %zu exits are alike, then\n", vcpu, n);
	for (size_t c = n > CONTEXT ? n - CONTEXT : 0; c < n; c++)
		print(' ', a, before[c % CONTEXT]);
	print('-', a, i);
	print('+', b, k);
	return false;
}

/**
 * recording_diff - say where two recordings first differ
 * @a: the one
 * @b: the other
 *
 * Return: 0 when they are alike, else 1, as diff(1).
 */
int recording_diff(const struct recording *a, const struct recording *b)
{
	unsigned int i, nr = a->header->nr_vcpus;
	bool alike = a->header->nr_vcpus == b->header->nr_vcpus;

	if (!alike)
		printf("%u and %u vCPUs\n", a->header->nr_vcpus, b->header->nr_vcpus);
	if (b->header->nr_vcpus < nr)
		nr = b->header->nr_vcpus;
	for (i = 0; i < nr; i++)
		alike &= diff_vcpu(a, b, i);
	return !alike;
}
