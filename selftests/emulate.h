/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two machines that emulate.c compares: making them, letting them execute an
 * instruction, finding differences.
 */
#ifndef EMULATE_H
#define EMULATE_H

#include <stdio.h>
#include <stdlib.h>
#include <Zydis/Zydis.h>
#include <vitro/vitro.h>
#include "vendor.h"

#define ARRAY_LEN(a)	(sizeof(a) / sizeof((a)[0]))

/* What is where in a machine's memory.  In real mode, all of it has to be in reach. */
#define IVT		0x00000
#define STUBS		0x30000		/* HLT for each vector: rip tells which one it was */
#define CODE		0x42000
#define CODE_SIZE	0x2000
#define SLOT_SIZE	32		/* for an instruction and what is behind it */
#define STACK		0x46000
#define STACK_SIZE	0x1000
#define WINDOW		0x48000
#define HOLE		(WINDOW + 0x1000)
#define HOLE_END	(HOLE + 0x2000)
#define WINDOW_SIZE	0x4000
#define PAGE_TABLE	FREE_MEM	/* of the lowest 2 MiB, in 4 KiB pages */

/* A second address of everything, in long mode: the upper half begins with it. */
#define HIGH		0xffff800000000000

#define FLAG_DF		0x400
#define FLAG_ARITH	0x8d5		/* OF, SF, ZF, AF, PF, CF */
#define FLAG_IOPL	0x3000		/* CPL 3 may do I/O */
#define FLAG_RF		0x10000

#define PORT_END	0xff		/* OUT to it is behind the instruction */

#define ROUNDS		4
#define NONE		256		/* no exception */

enum { UD = 6, SS_FAULT = 12, GP = 13, PF = 14 };

enum mode { REAL, PROT16, PROT32, COMPAT, LONG };

/**
 * struct machine - one of the two
 * @vcpu: @comm: its processor
 * @mem: its memory, that of the hole included
 * @hole: it has one
 * @emulated: instructions that the library did since the last start
 * @cr2: at the end, or as the library has set it.  Bochs 2.7 does not load it into the CPU
 *	(APM 2 15.5.1 says that VMRUN does); that vitro does is exceptions.c's to test.
 * @ports: what the next IN gives
 */
struct machine {
	struct vitro_vcpu *vcpu;
	struct vitro_comm *comm;
	uint8_t *mem;
	bool hole;
	unsigned int emulated;
	uint64_t cr2;
	uint32_t ports;
};

/**
 * struct form - an instruction to try
 * @code: its bytes
 * @at: where it is in the machines
 * @d: @op: decoded
 * @text: for the messages
 * @vector: it uses vector registers
 */
struct form {
	uint8_t code[15];
	uint32_t at;
	ZydisDecodedInstruction d;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	char text[96];
	bool vector;
};

/* Each test is a process of its own, so there is one of each of these. */
static enum mode mode;
static unsigned int bits;			/* of code */
static unsigned long seed;
static uint64_t xcr0;				/* x87, SSE, AVX; 0 if there is no XSAVE */
static struct machine cpu, lib;
static struct vitro_state start;		/* both begin with this */
static struct form form;
static char found[256];				/* what difference() has to say */

static uint64_t random64(void)
{
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ random();
}

/* --------------------------------------------------------------- the machines */

static int device_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		       uint64_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	if (gpa < HOLE || gpa + size > HOLE_END)
		return -ENXIO;
	if (write)
		memcpy(m->mem + gpa, data, size);
	else
		memcpy(data, m->mem + gpa, size);
	return 0;
}

/* Reading gives a sequence of numbers; writing changes how it goes on. */
static int device_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		     uint32_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	m->ports = m->ports * 1664525 + 1013904223 + port + size;
	if (in)
		*data = m->ports >> 3;
	else
		m->ports ^= *data;
	return 0;
}

static void write_tables(uint8_t *mem)
{
	uint64_t *gdt = (void *)(mem + GDT), *idt = (void *)(mem + IDT);
	uint64_t *table = (void *)(mem + PAGE_TABLE);
	uint32_t *table32 = (void *)(mem + PAGE_TABLE), *ivt = (void *)(mem + IVT);
	unsigned int i;

	gdt[SEL_CODE64 / 8] = 0x00af9b000000ffff;
	gdt[SEL_DATA / 8] = 0x00cf93000000ffff;
	gdt[SEL_CODE32 / 8] = 0x00cf9b000000ffff;

	/* SS0:ESP0, or the first IST entry: where the CPU puts frames (SDM 3A 7.2.1, 7.7). */
	if (mode == PROT32 || mode == PROT16) {
		*(uint32_t *)(mem + TSS + 4) = STACK + STACK_SIZE;
		*(uint16_t *)(mem + TSS + 8) = SEL_DATA;
	} else {
		*(uint64_t *)(mem + TSS + 0x24) = STACK + STACK_SIZE;
	}

	memset(mem + STUBS, 0xf4, 256);
	for (i = 0; i < 256; i++) {
		uint32_t stub = STUBS + i;
		uint64_t gate = (uint64_t)(stub >> 16) << 48 | 0x8e00ULL << 32 | (stub & 0xffff);

		if (mode == REAL) {
			ivt[i] = STUBS >> 4 << 16 | i;
		} else if (mode == PROT16 || mode == PROT32) {
			idt[i] = gate | SEL_CODE32 << 16;
		} else {
			idt[2 * i] = gate | SEL_CODE64 << 16 | 1ULL << 32;
			idt[2 * i + 1] = 0;
		}
	}

	/* Present, writable, user; PROT32 has 32-bit paging, PROT16 PAE. */
	for (i = 0; i < 512; i++) {
		if (mode == PROT32)
			table32[i] = i << 12 | 7;
		else
			table[i] = i << 12 | 7;
	}
	*(uint64_t *)(mem + PML4) = PDPT | 7;
	*(uint64_t *)(mem + PML4 + 256 * 8) = PDPT | 7;
	*(uint64_t *)(mem + PDPT) = PAGE_DIRS | 7;
	*(uint64_t *)(mem + PDPT_PAE) = PAGE_DIRS | 1;
	*(uint64_t *)(mem + PAGE_DIRS) = PAGE_TABLE | 7;
	*(uint32_t *)(mem + PAGE_DIR_PSE) = PAGE_TABLE | 7;
}

static void start_segment(unsigned int nr, uint64_t base)
{
	bool big = mode >= PROT32;
	uint16_t attrib = nr == VITRO_CS ? 0x9b : 0x93;

	if (big)
		attrib |= VITRO_SEG_G | (mode == LONG && nr == VITRO_CS ? VITRO_SEG_L :
					 VITRO_SEG_DB);
	start.segs.seg[nr] = (struct vitro_segment){
		.selector = mode == REAL ? base >> 4 : nr == VITRO_CS ? SEL_CODE32 : SEL_DATA,
		.attrib = attrib,
		.limit = big ? 0xffffffff : 0xffff,
		.base = base,
	};
}

/*
 * All of the start but GPRS.  Each segment has another base, so that a mistake shows.  In real
 * mode CS has RPL 0, as Bochs 2.7 refuses to enter a guest with another (SDM 3C 27.3.1.2 does not).
 */
static void start_state(void)
{
	static const uint64_t bases[] = {
		[VITRO_ES] = 0x40010, [VITRO_CS] = 0x40140, [VITRO_SS] = 0x40230,
		[VITRO_DS] = 0x40340, [VITRO_FS] = 0x40450, [VITRO_GS] = 0x40560,
	};
	unsigned int i;

	for (i = VITRO_ES; i <= VITRO_GS; i++)
		start_segment(i, mode == LONG ? 0 : bases[i]);
	if (mode == LONG) {
		start.segs.seg[VITRO_FS].base = HIGH;
		start.segs.seg[VITRO_GS].base = bases[VITRO_GS];
	}
	start.segs.seg[VITRO_LDTR] = (struct vitro_segment){ .attrib = 0x82, .limit = 0xffff };
	/* A busy TSS, but for QEMU, which aborts where the CPU needs one of 32 bits. */
	start.segs.seg[VITRO_TR] = (struct vitro_segment){
		.selector = SEL_TSS, .limit = 0x67, .base = TSS,
		.attrib = vendor_is_tcg() && mode < COMPAT ? 0x89 : 0x8b,
	};
	start.segs.gdtr = (struct vitro_dtable){ .base = GDT, .limit = 0x4f };
	start.segs.idtr = (struct vitro_dtable){ .base = mode == REAL ? IVT : IDT, .limit = 0xfff };

	start.crs = (struct vitro_crs){
		.cr0 = mode == REAL ? 0x10 : 0x80010031,	/* ET; and PG, WP, NE, PE */
		.cr3 = mode == PROT32 ? PAGE_DIR_PSE : mode == PROT16 ? PDPT_PAE : PML4,
		.cr4 = 0x600,				/* OSXMMEXCPT, OSFXSR */
		.efer = mode >= COMPAT ? 0x500 : 0,	/* LMA, LME */
		.xcr0 = xcr0 ? xcr0 : 1,		/* as after a reset */
	};
	if (mode == PROT16 || mode >= COMPAT)
		start.crs.cr4 |= 0x20;			/* PAE */
	if (xcr0 & 4)
		start.crs.cr4 |= 0x40000;		/* OSXSAVE */
}

static void create(struct machine *m, struct vitro *dev, bool hole)
{
	struct vitro_vm *vm = vitro_vm_create(dev);
	int ret;

	if (!vm)
		vt_die("%s", vitro_error());
	m->hole = hole;
	m->mem = vt_pages(MEM_SIZE);
	write_tables(m->mem);
	ret = vitro_mem_map(vm, 0, hole ? HOLE : MEM_SIZE, m->mem, 0);
	if (!ret && hole)
		ret = vitro_mem_map(vm, HOLE_END, MEM_SIZE - HOLE_END, m->mem + HOLE_END, 0);
	m->vcpu = ret ? NULL : vitro_vcpu_create(vm, 0);
	if (!m->vcpu || vitro_vcpu_get(m->vcpu, VITRO_STATE_ALL))
		vt_die("%s", vitro_error());
	m->comm = vitro_vcpu_comm(m->vcpu);
}

/* Makes both machines. */
static void prepare(enum mode new_mode)
{
	static const unsigned int mode_bits[] = { 16, 16, 32, 32, 64 };
	struct vitro *dev = vitro_open(NULL);
	const char *env = getenv("SEED");
	unsigned int i;

	if (!dev)
		vt_die("%s", vitro_error());
	mode = new_mode;
	bits = mode_bits[mode];
	xcr0 = vitro_get_info(dev)->xcr0 & 7;
	seed = env ? strtoul(env, NULL, 0) : 1;
	srandom(seed);
	create(&cpu, dev, false);
	create(&lib, dev, true);
	start.fpu = cpu.comm->state.fpu;
	start_state();
	for (i = 0; i < WINDOW_SIZE; i += 8)
		*(uint64_t *)(cpu.mem + WINDOW + i) = random64();
	memcpy(lib.mem + WINDOW, cpu.mem + WINDOW, WINDOW_SIZE);
}

/* Puts the form where it belongs, unless it is there already: see load_family(). */
static void write_code(struct machine *m)
{
	uint8_t code[sizeof(form.code) + 2];
	unsigned int len = form.d.length;

	memcpy(code, form.code, len);
	memcpy(code + len, "\xe6\xff", 2);		/* OUT PORT_END */
	if (memcmp(m->mem + form.at, code, len + 2))
		memcpy(m->mem + form.at, code, len + 2);
}

static bool at_end(const struct vitro_comm *comm)
{
	return comm->exit.reason == VITRO_EXIT_HLT ||
	       (comm->exit.reason == VITRO_EXIT_IO && comm->exit.io.port == PORT_END);
}

/* Lets a machine execute the form, to the OUT behind it or the HLT of an exception. */
static int execute(struct machine *m, bool by_library)
{
	struct vitro_comm *comm = m->comm;
	struct vitro_bus bus = { .io = device_io, .mmio = device_mmio, .opaque = m };
	uint64_t groups = VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS |
			  VITRO_STATE_EVENTS;
	bool raised;
	int ret = 0;

	if (form.vector) {
		groups |= VITRO_STATE_FPU;
		comm->state.fpu = start.fpu;
	}
	comm->state.gprs = start.gprs;
	comm->state.segs = start.segs;
	comm->state.crs = start.crs;
	memset(&comm->state.events, 0, sizeof(comm->state.events));
	memset(m->mem + STACK, 0, STACK_SIZE);
	write_code(m);
	m->emulated = 0;
	m->ports = seed;
	comm->wanted = groups & ~VITRO_STATE_EVENTS;
	comm->dirty = groups;

	memset(&comm->exit, 0, sizeof(comm->exit));
	if (by_library)
		comm->exit.reason = VITRO_EXIT_MMIO;
	do {
		switch (comm->exit.reason) {
		case VITRO_EXIT_IO:
			m->emulated++;
			ret = vitro_emulate_io(m->vcpu, &bus);
			break;
		case VITRO_EXIT_MMIO:
			m->emulated++;
			ret = m->hole || by_library ? vitro_emulate_mmio(m->vcpu, &bus) : -EFAULT;
			break;
		case VITRO_EXIT_NONE:
		case VITRO_EXIT_INTR:
			break;
		default:
			ret = -EPROTO;
		}
		raised = comm->dirty & VITRO_STATE_EVENTS && comm->state.events.exc_pending;
		if (raised)
			m->cr2 = comm->state.crs.cr2;
		if (!ret)
			ret = vitro_vcpu_run(m->vcpu);
	} while (!ret && !at_end(comm));
	if (!raised)
		m->cr2 = comm->state.crs.cr2;
	if (!ret)
		return 0;
	fprintf(stderr, "# %s: exit %u, rip %#llx: %s\n", form.text, comm->exit.reason,
		comm->state.gprs.rip, vitro_error());
	return ret;
}

static bool is_memory(unsigned int nr)
{
	return form.op[nr].type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       form.op[nr].mem.type == ZYDIS_MEMOP_TYPE_MEM;
}

/* The exception that a machine ended with, or NONE. */
static unsigned int exception(const struct machine *m)
{
	const struct vitro_state *s = &m->comm->state;
	uint64_t rip = s->gprs.rip + (s->crs.efer & 0x400 ? 0 : s->segs.seg[VITRO_CS].base);

	if (s->crs.efer & 0x400 && !(s->segs.seg[VITRO_CS].attrib & VITRO_SEG_L))
		rip += s->segs.seg[VITRO_CS].base;
	return rip - STUBS < 256 ? rip - STUBS : NONE;
}

/* -------------------------------------------------- what QEMU's TCG does wrong */

/*
 * Instructions that it does not know as they are:
 *
 * - MOVBE in 16-bit code takes 32 bits without a 66 prefix, and 16 bits with it; the prefix
 *   is for the other size than the segment's (SDM 1 3.6.1).
 * - VEX prefixes in 16-bit protected mode are #UD; they should be only in real and
 *   virtual-8086 mode (SDM 2A 2.3.5, and table 2-17 and those after it).
 */
static bool tcg_is_wrong(void)
{
	if (!vendor_is_tcg())
		return false;
	if (form.d.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX)
		return mode == PROT16;
	return form.d.mnemonic == ZYDIS_MNEMONIC_MOVBE && bits == 16;
}

/*
 * Locked accesses that it cannot do at once, for want of alignment, it does in a mode of its
 * own, which loses the arithmetic flags if they fault or exit.  A faulting instruction
 * should have changed nothing (SDM 3A 6.6).  So they are aligned.
 */
static bool tcg_loses_flags(void)
{
	bool xchg = form.d.mnemonic == ZYDIS_MNEMONIC_XCHG;

	return vendor_is_tcg() && (xchg || form.d.attributes & ZYDIS_ATTRIB_HAS_LOCK);
}

/*
 * Stores of 16 bytes it does in two steps, the first of which stays done if the second one
 * faults; the same sentence forbids that.
 */
static bool tcg_tears_stores(void)
{
	return vendor_is_tcg() && form.vector && is_memory(0) && form.op[0].size > 64;
}

/*
 * In a frame, it leaves RF clear, which should be set for faults (SDM 3B 18.3.1.1), and for
 * an instruction that reads and then writes its operand, the W bit of #PF's error code,
 * as it reads before it asks whether it may write (SDM 3A 4.7; an EPYC sets the bit).
 */
static void tcg_mend_frame(const struct machine *m)
{
	const struct vitro_state *s = &m->comm->state;
	unsigned int vector = exception(m);
	unsigned int size = mode < COMPAT ? 4 : 8, i;
	uint64_t frame = s->gprs.gpr[VITRO_RSP];

	if (!vendor_is_tcg() || vector == NONE || mode == REAL)
		return;
	if (mode < COMPAT)
		frame += s->segs.seg[VITRO_SS].base;
	if (frame < STACK || frame + 4 * size > STACK + STACK_SIZE)
		vt_die("an exception's frame is at %#lx", frame);
	*(uint32_t *)(m->mem + frame + 3 * size) |= FLAG_RF;
	for (i = 0; vector == PF && i < form.d.operand_count; i++) {
		if (form.op[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    form.op[i].actions & ZYDIS_OPERAND_ACTION_MASK_READ &&
		    form.op[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
			m->mem[frame] |= 2;
	}
}

/* ------------------------------------------------------------- the comparison */

/* A vector register's part in an XSAVE area: zero unless XSTATE_BV has its component. */
static bool same_vectors(const uint8_t *a, const uint8_t *b)
{
	static const struct { unsigned int bit, offset; } parts[] = { { 2, 160 }, { 4, 576 } };
	static const uint8_t zeros[256];
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(parts); i++) {
		const uint8_t *x = a[512] & parts[i].bit ? a + parts[i].offset : zeros;
		const uint8_t *y = b[512] & parts[i].bit ? b + parts[i].offset : zeros;

		if (memcmp(x, y, 256))
			return false;
	}
	return !memcmp(a + 24, b + 24, 4);		/* MXCSR */
}

/* Where memory differs: the address, or 0.  What is behind the window is not touched. */
static uint64_t different_memory(void)
{
	uint64_t i;

	if (!memcmp(cpu.mem + STACK, lib.mem + STACK, WINDOW + WINDOW_SIZE - STACK))
		return 0;
	for (i = STACK; cpu.mem[i] == lib.mem[i]; i++)
		;
	return i;
}

/* What differs, in words; NULL if nothing does. */
static const char *difference(void)
{
	static const char *const names[] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags",
	};
	const struct vitro_state *a = &cpu.comm->state, *b = &lib.comm->state;
	const ZydisAccessedFlags *flags = form.d.cpu_flags;
	uint64_t ignore = flags ? flags->undefined : 0, where;
	unsigned int vector = exception(&cpu), i;

	if (vector != exception(&lib)) {
		sprintf(found, "exception %u by the CPU, %u by the library", vector,
			exception(&lib));
		return found;
	}
	for (i = 0; i < ARRAY_LEN(names); i++) {
		uint64_t x = ((__u64 *)&a->gprs)[i], y = ((__u64 *)&b->gprs)[i];

		if (i == ARRAY_LEN(names) - 1) {
			x &= ~ignore;
			y &= ~ignore;
		}
		if (x != y) {
			sprintf(found, "%s was %#llx, is %#lx by the CPU, %#lx by the library",
				names[i], ((__u64 *)&start.gprs)[i], x, y);
			return found;
		}
	}
	if (vector == PF && cpu.cr2 != lib.cr2) {
		sprintf(found, "cr2 is %#lx by the CPU, %#lx by the library", cpu.cr2, lib.cr2);
		return found;
	}
	where = different_memory();
	if (where) {
		sprintf(found, "memory at %#lx is %#x by the CPU, %#x by the library", where,
			cpu.mem[where], lib.mem[where]);
		return found;
	}
	if (form.vector && !same_vectors(a->fpu.xsave, b->fpu.xsave))
		return "vector registers";
	return NULL;
}

#endif /* EMULATE_H */
