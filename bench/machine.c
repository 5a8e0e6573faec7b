// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine that both hypervisors run: its memory, tables and vCPUs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

#define PTE_P_RW	0x03ULL
#define PTE_PS		0x80ULL
#define HUGE		0x200000ULL

struct hypervisor *hv;

/* ----------------------------------------------------------------- devices */

#define PORT_CONSOLE	0x3f8	/* COM1, the data register; it is always ready to send */

static char said[4096];		/* the end of what the guest has said there */
static size_t nr_said;

/**
 * device_out - a guest writes to a port; what it reads is all ones, as where nothing is
 * @port: where
 * @value: its lowest byte
 *
 * Return: whether the guest has done what it was to do.
 */
bool device_out(uint16_t port, uint8_t value)
{
	if (port == PORT_CONSOLE)
		said[nr_said++ % sizeof(said)] = value;
	return port == PORT_DONE;
}

static void print_said(void)
{
	size_t i = nr_said > sizeof(said) ? nr_said - sizeof(said) : 0;

	for (; i < nr_said; i++)
		fputc(said[i % sizeof(said)], stderr);
}

/* -------------------------------------------------------------- the machine */

/**
 * die - say why it cannot go on, with the guest's last words, and end
 * @format: as printf's
 */
void die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "bench: %s: ", hv ? hv->name : "");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	print_said();
	exit(1);
}

/**
 * pages_new - memory for a guest
 * @size: bytes
 * @advice: for madvise(2), MADV_HUGEPAGE for example
 *
 * Return: zeroed memory, aligned to 2 MiB, not touched yet.
 */
void *pages_new(size_t size, int advice)
{
	char *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t start = ((uintptr_t)p + HUGE - 1) & ~(HUGE - 1);

	if (p == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	if (start > (uintptr_t)p)
		munmap(p, start - (uintptr_t)p);
	if ((uintptr_t)p + HUGE > start)
		munmap((void *)(start + size), (uintptr_t)p + HUGE - start);
	madvise((void *)start, size, advice);
	return (void *)start;
}

/**
 * guest_address - where a label of guest.S is for the guest
 * @symbol: the label
 *
 * Return: its address.
 */
uint64_t guest_address(const char *symbol)
{
	return CODE + (symbol - guest_image);
}

static void write_tables(char *mem)
{
	uint64_t *pml4 = (void *)(mem + PML4), *pdpt = (void *)(mem + PDPT);
	uint64_t *pd = (void *)(mem + PAGE_DIRS), *gdt = (void *)(mem + GDT);
	uint64_t *gate = (void *)(mem + IDT + 16 * VECTOR), i;
	uint64_t handler = guest_address(guest_handler);

	pml4[0] = PDPT | PTE_P_RW;
	for (i = 0; i < 16; i++)
		pdpt[i] = (PAGE_DIRS + 4096 * i) | PTE_P_RW;
	for (i = 0; i < 16 * 512; i++)
		pd[i] = i << 21 | PTE_P_RW | PTE_PS;
	/* SDM 3A figure 3-8; figure 6-8 for the gate. */
	gdt[SEL_CODE / 8] = 0x00af9b000000ffff;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[SEL_TSS / 8] = 0x00008b0000000067 | (uint64_t)TSS << 16;
	gate[0] = handler >> 16 << 48 | 0x8e00ULL << 32 | SEL_CODE << 16 | (handler & 0xffff);
}

static struct vitro_segment segment(uint16_t selector, uint16_t attrib)
{
	return (struct vitro_segment){
		.selector = selector, .attrib = attrib, .limit = 0xffffffff,
	};
}

/**
 * machine_start - have a vCPU execute a snippet: in long mode, with interrupts off
 * @m: the machine
 * @id: the vCPU's number
 * @snippet: where it begins
 * @count: for it, in RDI
 */
void machine_start(struct machine *m, unsigned int id, const char *snippet, uint64_t count)
{
	struct vitro_state s = {
		.gprs = {
			.rip = guest_address(snippet), .rflags = 2,
			.gpr[VITRO_RSP] = STACK(id), .gpr[VITRO_RDI] = count,
		},
		.crs = {
			.cr0 = 0x80010031,	/* PG, WP, NE, ET, PE */
			.cr3 = PML4,
			.cr4 = 0x620,		/* OSXMMEXCPT, OSFXSR, PAE */
			.efer = 0x500,		/* LMA, LME */
			.xcr0 = 1,
		},
		.segs.gdtr = { .base = GDT, .limit = 0x27 },
		.segs.idtr = { .base = IDT, .limit = 0xfff },
	};

	for (int i = VITRO_ES; i <= VITRO_GS; i++)
		s.segs.seg[i] = segment(SEL_DATA, 0xc93);
	s.segs.seg[VITRO_CS] = segment(SEL_CODE, 0xa9b);
	s.segs.seg[VITRO_LDTR] = (struct vitro_segment){ .attrib = 0x82, .limit = 0xffff };
	s.segs.seg[VITRO_TR] = (struct vitro_segment){
		.selector = SEL_TSS, .attrib = 0x8b, .limit = 0x67, .base = TSS,
	};
	hv->start(m, id, &s);
}

/**
 * machine_add_vcpu - another vCPU, with its APIC in x2APIC mode
 * @m: the machine
 * @id: its number
 */
void machine_add_vcpu(struct machine *m, unsigned int id)
{
	hv->vcpu_create(m, id);
	machine_start(m, id, guest_apic_on, 0);
	hv->run(m, id);
}

/**
 * machine_new_empty - a machine with memory, and no vCPU yet
 *
 * Return: it; it ends with the process, of which each measurement has its own.
 */
struct machine *machine_new_empty(void)
{
	struct machine *m = calloc(1, sizeof(*m));

	m->mem = pages_new(MEM_SIZE, MADV_NORMAL);
	memcpy(m->mem + CODE, guest_image, guest_image_end - guest_image);
	write_tables(m->mem);
	hv->vm_create(m);
	hv->slot(m, 0, 0, MEM_SIZE, m->mem, false);
	return m;
}

/**
 * machine_new - a machine with memory and one vCPU
 *
 * Return: as machine_new_empty().
 */
struct machine *machine_new(void)
{
	struct machine *m = machine_new_empty();

	machine_add_vcpu(m, 0);
	return m;
}

/**
 * machine_time - run a snippet on vCPU 0
 * @m: the machine
 * @snippet: where it begins
 * @count: how often it does its thing
 *
 * Return: TSC ticks that it took, by the guest's own TSC.
 */
uint64_t machine_time(struct machine *m, const char *snippet, unsigned int count)
{
	const uint64_t *tsc = (void *)(m->mem + RESULT);

	machine_start(m, 0, snippet, count);
	hv->run(m, 0);
	return tsc[1] - tsc[0];
}
