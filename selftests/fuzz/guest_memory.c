// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random memory: page tables, descriptor tables and data as a sane guest has them, for all modes at
 * once; then some of it is changed at random.
 */
#include <string.h>

#include "guest.h"

#define P		1ULL
#define RW		2ULL
#define US		4ULL
#define A		0x20ULL
#define D		0x40ULL
#define PS		0x80ULL
#define TABLE		(P | RW | US | A)

/**
 * random_address - an address that may be a good one
 * @rng: chance
 *
 * Return: something in or near a slot, a table, a device, the end of a page; linear and physical
 * addresses are mostly the same.
 */
uint64_t random_address(struct rng *rng)
{
	static const uint64_t ends[] = {
		0, RAM_SIZE, ROM, ROM + ROM_SIZE, HOLE, HOLE + PAGE, HUGE, HUGE + HUGE_SIZE, HIGH,
		1ULL << 32, HIGH + HIGH_SIZE, APIC, APIC + PAGE, NOWHERE,
		CODE(1), STACK_TOP(0), 1 << 20,
	};

	switch (below(rng, 12)) {
	case 0:		/* around an end */
	case 1:
		return ends[below(rng, ARRAY_SIZE(ends))] + below(rng, 32) - 16;
	case 2:
		return below(rng, 16) * PAGE - below(rng, 16);
	case 3:
		return APIC + 16 * below(rng, 0x100);
	case 4:
		return NOWHERE + below(rng, 2 * PAGE);
	case 5:
		return ROM + below(rng, ROM_SIZE);
	case 6:
		return HUGE + below(rng, 2 * HUGE_SIZE);
	case 7:
		return one_in(rng, 4) ? rnd(rng) : rnd(rng) >> below(rng, 64);
	case 8:		/* the same memory at the other end of linear memory */
		return below(rng, RAM_SIZE) | 0xffffffff80000000;
	case 9:
		return DATA + below(rng, PAGE);
	default:
		return below(rng, RAM_SIZE);
	}
}

/* ---------------------------------------------------------------- the tables */

/* SDM 3A figure 3-8; flags: access byte, and G, D, L in bits 15:12 */
static uint64_t descriptor(uint64_t base, uint64_t limit, uint64_t flags)
{
	return (limit & 0xffff) | (base & 0xffffff) << 16 | (flags & 0xff) << 40 |
	       (limit & 0xf0000) << 32 | (flags >> 12 & 0xf) << 52 | (base >> 24 & 0xff) << 56;
}

/* SDM 3A figure 6-2 */
static uint64_t gate(uint64_t offset, uint64_t selector, uint64_t access)
{
	return (offset & 0xffff) | selector << 16 | access << 40 | (offset >> 16 & 0xffff) << 48;
}

static void write_gdt(unsigned char *ram)
{
	unsigned int i;

	put(ram, GDT + SEL_CODE64, descriptor(0, 0xfffff, 0xa09b));
	put(ram, GDT + SEL_DATA, descriptor(0, 0xfffff, 0xc093));
	put(ram, GDT + SEL_CODE32, descriptor(0, 0xfffff, 0xc09b));
	put(ram, GDT + SEL_CODE16, descriptor(0, 0xffff, 0x009b));
	put(ram, GDT + SEL_DATA16, descriptor(0, 0xffff, 0x0093));
	put(ram, GDT + SEL_TSS, descriptor(TSS, 0x3ff, 0x0089));
	put(ram, GDT + SEL_USER_DATA, descriptor(0, 0xfffff, 0xc0f3));
	put(ram, GDT + SEL_USER_CODE64, descriptor(0, 0xfffff, 0xa0fb));
	put(ram, GDT + SEL_USER_CODE32, descriptor(0, 0xfffff, 0xc0fb));
	put(ram, GDT + SEL_LDT, descriptor(LDT, 0xff, 0x0082));
	put(ram, GDT + SEL_CALL32, gate(CODE(0), SEL_CODE32, 0xec));
	put(ram, GDT + SEL_CALL64, gate(CODE(0), SEL_CODE64, 0xec));
	put(ram, GDT + SEL_TASK, gate(0, SEL_TSS2, 0xe5));
	put(ram, GDT + SEL_TSS2, descriptor(TSS2, 0x67, 0x0089));
	put(ram, GDT + SEL_TSS16, descriptor(TSS16, 0x2b, 0x0081));
	put(ram, GDT + SEL_CONFORMING, descriptor(0, 0xfffff, 0xc09f));
	put(ram, GDT + SEL_DOWN, descriptor(0, 0x10, 0x4097));
	put(ram, GDT + SEL_CALL16, gate(CODE(0), SEL_CODE16, 0xe4));
	memcpy(ram + LDT, ram + GDT, SEL_TSS);

	/* Stacks of CPL 0 to 2; a bitmap that permits the first 0xc00 ports (SDM 1 19.5.2). */
	for (i = 0; i < 8; i++)
		put(ram, TSS + 4 + 8 * i, STACK_TOP(0) - 0x200 - 0x40 * i);
	/* SS0; in 64-bit mode, the upper half of RSP0, which becomes 0x1000003600 */
	put(ram, TSS + 8, SEL_DATA);
	put(ram, TSS + 0x66, 0x68);
	/* TSS2: CR3, EIP, ESP, selectors */
	put(ram, TSS2 + 0x1c, (uint64_t)CODE(0) << 32 | PD32);
	put(ram, TSS2 + 0x38, STACK_TOP(0));
	put(ram, TSS2 + 0x48, SEL_DATA | (uint64_t)SEL_CODE32 << 32);
	put(ram, TSS2 + 0x50, SEL_DATA | (uint64_t)SEL_DATA << 32);
}

/**
 * has_error - does an exception push an error code? (SDM 3A table 6-1)
 * @vector: its vector
 */
bool has_error(unsigned int vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21;
}

static void write_idts(unsigned char *ram)
{
	unsigned int v;

	for (v = 0; v < 256; v++) {
		unsigned int handler = HANDLERS + (v >= 32 ? 0x40 : has_error(v) ? 0x20 : 0);

		put(ram, IDT64 + 16 * v, gate(handler, SEL_CODE64, 0xee));
		put(ram, IDT32 + 8 * v, gate(handler + 0x100, SEL_CODE32, 0xee));
		put(ram, IVT + 4 * v, HANDLERS + 0x200);
	}
}

/* Linear 0 to 2 MiB by pages, the next 2 MiB by a large one; the last 2 GiB are the first. */
static void write_page_tables(unsigned char *ram)
{
	unsigned int i;

	for (i = 0; i < 512; i++)
		put(ram, PT + 8 * i, i * PAGE | TABLE | D);
	for (i = 0; i < 1024; i += 2)
		put(ram, PT32 + 4 * i, (i * PAGE | TABLE | D) | ((i + 1) * PAGE | TABLE | D) << 32);
	put(ram, PD, PT | TABLE);
	put(ram, PD + 8, HUGE | TABLE | D | PS);
	put(ram, PD32, PT32 | TABLE);
	for (i = 0; i < 4; i++)
		put(ram, PDPT_PAE + 8 * i, PD | P);
	put(ram, PDPT, PD | TABLE);
	for (i = 1; i < 4; i++)		/* to themselves by 1 GiB, where the CPU has that */
		put(ram, PDPT + 8 * i, (uint64_t)i << 30 | TABLE | D | PS);
	put(ram, PDPT + 8 * 510, PD | TABLE);
	put(ram, PDPT + 8 * 64, PD | TABLE);	/* for RSP0: see write_gdt() */
	put(ram, PDPT + 8 * 511, PD | TABLE);
	put(ram, PML4, PDPT | TABLE);
	put(ram, PML4 + 8 * 511, PDPT | TABLE);
}

static uint64_t random_entry(struct rng *rng)
{
	static const uint64_t pages[] = {
		CODE(0), CODE(1), GDT, IDT64, IDT32, PD32, PT32, PDPT_PAE, PD, PT, PML4, PDPT, DATA,
		ROM, ROM + PAGE, HOLE, HOLE + PAGE, HUGE, HUGE + 2 * PAGE, HIGH, HIGH + PAGE,
		RAM_SIZE, APIC, NOWHERE, 0x200000, 0x40000000,
	};
	uint64_t entry = pages[below(rng, ARRAY_SIZE(pages))];

	if (one_in(rng, 16))
		entry = rnd(rng) & 0xffffffffff000;
	entry |= one_in(rng, 2) ? TABLE | D : rnd(rng) & 0xfff;
	if (one_in(rng, 4))
		entry |= PS;
	if (one_in(rng, 8))
		entry |= 1ULL << 63;	/* XD, or reserved */
	return entry;
}

static void change_tables(unsigned char *ram, struct rng *rng)
{
	static const unsigned int tables[] = { PD32, PT32, PDPT_PAE, PD, PT, PT, PT, PML4, PDPT };
	unsigned int n = one_in(rng, 4) ? 0 : below(rng, 8);

	while (n--) {
		unsigned int entry = one_in(rng, 4) ? below(rng, 512) : below(rng, 64);
		unsigned int at = tables[below(rng, ARRAY_SIZE(tables))] + 8 * entry;

		/* Not often the program itself: then there is none. */
		if (entry <= CODE(1) / PAGE && !one_in(rng, 16))
			continue;
		put(ram, at, random_entry(rng));
	}
	for (n = one_in(rng, 2) ? 0 : below(rng, 6); n; n--) {
		static const unsigned int places[] = { GDT, GDT, LDT, TSS, TSS2, TSS16 };

		put(ram, places[below(rng, ARRAY_SIZE(places))] + 8 * below(rng, 32), rnd(rng));
	}
	for (n = one_in(rng, 2) ? 0 : below(rng, 6); n; n--) {
		unsigned int v = one_in(rng, 2) ? below(rng, 32) : below(rng, 256);
		uint64_t g = gate(one_in(rng, 2) ? CODE(0) + below(rng, PAGE) : random_address(rng),
				  below(rng, GDT_SIZE), one_in(rng, 2) ? 0x8e : rnd(rng));

		put(ram, one_in(rng, 2) ? IDT64 + 16 * v : IDT32 + 8 * v, g);
		put(ram, IVT + 4 * v, one_in(rng, 2) ? CODE(0) + below(rng, PAGE) : rnd(rng));
	}
	for (n = 0; n < PAGE; n += 8 << below(rng, 6))
		put(ram, DATA + (n & ~7U), one_in(rng, 2) ? rnd(rng) : random_address(rng));
}

/* REP MOVSB, which memcpy() uses for so much, an emulator does byte by byte. */
static void copy_quads(void *to, const void *from, size_t len)
{
	len /= 8;
	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(len) : : "memory");
}

/**
 * fill_memory - guest memory for a program, but for its code
 * @vm: the machine
 * @rng: chance
 */
void fill_memory(struct vm *vm, struct rng *rng)
{
	static unsigned char template[RAM_SIZE];
	unsigned char *ram = vm->slot[SLOT_RAM].mem;
	unsigned int i;

	if (!template[CODE(0)]) {
		/* Who runs off into what is not otherwise used comes to OUT PORT_END, AL. */
		for (i = 0; i < PD32; i += 2)
			memcpy(template + i, "\xe6\xf4", 2);
		write_gdt(template);
		write_idts(template);
		write_page_tables(template);
		write_handlers(template);
	}
	/* To write code anew, though it is the same, costs an emulator its translation. */
	for (i = 0; i < RAM_SIZE; i += PAGE)
		if (memcmp(ram + i, template + i, PAGE))
			copy_quads(ram + i, template + i, PAGE);
	change_tables(ram, rng);
	keep_from_qemu(vm, ram + DATA, PAGE);
	ram[FAULTS_LEFT] = 1 << below(rng, 6);
	memset(vm->slot[SLOT_HUGE].mem, rnd(rng), HUGE_SIZE);
	memset(vm->slot[SLOT_HIGH].mem, rnd(rng), HIGH_SIZE);
}
