/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that end in a triple fault, each for a reason of its own, and what a post-mortem
 * has to say of them.  The host test looks at the state as it is then; the selftest lets
 * the guests run.
 *
 * Memory of each guest: 2 MiB, flat.  In long mode mapped to itself, but for
 *
 *	HOLE		nothing is mapped
 *	GUARD		nothing is mapped, and above it at STACK is a page of stack
 */
#ifndef SHUTDOWNS_H
#define SHUTDOWNS_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <vitro/postmortem.h>
#include <vitro/vitro.h>

#define RAM		0x200000
#define CODE_AT		0x1000
#define HANDLER		0x2000		/* HLT: all gates lead there */
#define IDT_AT		0x3000
#define TSS_AT		0x4000
#define STACK0		0x9000		/* of CPL 0, by the TSS */
#define STACK_BASE	0xa000
#define TABLES_AT	0x10000		/* of vitro_vcpu_set_mode(): GDT, then page tables */
#define PAGE_TABLE	0x20000		/* of 0x400000 and on */
#define STACK_PAGE	0x30000
#define GUARD		0x400000
#define STACK_AT	0x401000
#define HOLE		0x600000

/* Selectors behind those of vitro_vcpu_set_mode(). */
#define SEL_ABSENT	0x30		/* code, not present */
#define SEL_CS32	0x38
#define SEL_SS_USER	0x43
#define SEL_CS_USER	0x4b
#define SEL_STACK16	0x50		/* data, limit 0xff */
#define SEL_BEYOND	0x80

#define NOT_CANONICAL	0x8000000000000000ULL

/**
 * struct guest - what a case may change
 * @ram: its memory
 * @state: its registers
 * @mode: 16, 32 or 64
 */
struct guest {
	uint8_t *ram;
	struct vitro_state *state;
	enum vitro_mode mode;
};

/**
 * struct shutdown - a case
 * @name: its name
 * @mode: processor mode
 * @code: instructions at CODE_AT, the last of which raises the first exception
 * @len: their bytes
 * @skip: bytes of them before the last one; after it is executed on the host
 * @setup: changes what is as it should be
 * @at_end: for the host: brings about what the code would
 * @chain: vectors and error codes of the events, as chain_of() prints them
 * @rule: part of the last rule violated
 * @detail: part of what violates it, or NULL
 * @note: part of the notes, or NULL
 * @needs_limits: QEMU, which looks at no segment's limit here, goes on
 */
struct shutdown {
	const char *name;
	enum vitro_mode mode;
	const char *code;
	size_t len, skip;
	void (*setup)(struct guest *g);
	void (*at_end)(struct guest *g);
	const char *chain;
	const char *rule;
	const char *detail;
	const char *note;
	bool needs_limits;
};

/* ------------------------------------------------------------- a sound guest */

static inline void put64(struct guest *g, uint64_t at, uint64_t value)
{
	memcpy(g->ram + at, &value, sizeof(value));
}

static inline void put32(struct guest *g, uint64_t at, uint32_t value)
{
	memcpy(g->ram + at, &value, sizeof(value));
}

/* A gate of type 14, an interrupt gate; @attrib with P and DPL. */
static inline void put_gate(struct guest *g, unsigned int vector, uint16_t selector,
			    uint64_t offset, unsigned int attrib, unsigned int ist)
{
	uint64_t low = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
		       (uint64_t)attrib << 40 | (offset & 0xffff0000) << 32;

	if (g->mode == VITRO_MODE_LONG) {
		put64(g, IDT_AT + 16 * vector, low);
		put64(g, IDT_AT + 16 * vector + 8, offset >> 32);
	} else {
		put64(g, IDT_AT + 8 * vector, low);
	}
}

static inline void put_descriptor(struct guest *g, unsigned int selector, uint64_t value)
{
	put64(g, TABLES_AT + (selector & ~7U), value);
}

static inline void make_tables(struct guest *g)
{
	const uint64_t page_dir = TABLES_AT + 3 * 4096;
	unsigned int i;

	/* Applications may use all of it, so that their stacks fault for no other reason. */
	put64(g, TABLES_AT + 4096, (TABLES_AT + 2 * 4096) | 7);
	put64(g, TABLES_AT + 2 * 4096, page_dir | 7);
	put64(g, page_dir, 0x87);
	put64(g, page_dir + 8 * (GUARD >> 21), PAGE_TABLE | 7);
	put64(g, page_dir + 8 * (HOLE >> 21), 0);
	for (i = 0; i < 512; i++)
		put64(g, PAGE_TABLE + 8 * i, 0);
	put64(g, PAGE_TABLE + 8, STACK_PAGE | 7);
}

static inline void make_sound(struct guest *g)
{
	struct vitro_state *state = g->state;
	unsigned int i;

	g->ram[HANDLER] = 0xf4;
	state->gprs.gpr[VITRO_RSP] = STACK_BASE;
	if (g->mode == VITRO_MODE_REAL) {
		for (i = 0; i < 256; i++)
			put32(g, 4 * i, HANDLER);
		return;
	}
	for (i = 0; i < 32; i++)
		put_gate(g, i, VITRO_MODE_CS, HANDLER, 0x8e, 0);
	state->segs.idtr.base = IDT_AT;
	state->segs.idtr.limit = 32 * (g->mode == VITRO_MODE_LONG ? 16 : 8) - 1;
	state->segs.gdtr.limit = SEL_BEYOND - 1;
	put_descriptor(g, SEL_ABSENT, g->mode == VITRO_MODE_LONG ? 0x00af1b000000ffff :
								   0x00cf1b000000ffff);
	put_descriptor(g, SEL_CS32, 0x00cf9b000000ffff);
	put_descriptor(g, SEL_SS_USER, 0x00cff3000000ffff);
	put_descriptor(g, SEL_CS_USER, g->mode == VITRO_MODE_LONG ? 0x00affb000000ffff :
								      0x00cffb000000ffff);
	put_descriptor(g, SEL_STACK16, 0x00009300000000ff);
	state->segs.seg[VITRO_TR].base = TSS_AT;
	put64(g, TSS_AT + 4, STACK0);
	if (g->mode == VITRO_MODE_LONG) {
		put64(g, TSS_AT + 36, STACK0);	/* IST1 */
		make_tables(g);
	} else {
		put32(g, TSS_AT + 8, VITRO_MODE_DS);
	}
}

/* ------------------------------------------------------------ what is broken in it */

static inline void no_idt(struct guest *g)
{
	g->state->segs.idtr = (struct vitro_dtable){ 0 };
}

static inline void zero_idt(struct guest *g)
{
	memset(g->ram + IDT_AT, 0, 4096);
}

static inline void gates_absent(struct guest *g)
{
	for (unsigned int i = 0; i < 32; i++)
		put_gate(g, i, VITRO_MODE_CS, HANDLER, 0x0e, 0);
}

static inline void call_gates(struct guest *g)
{
	for (unsigned int i = 0; i < 32; i++)
		put_gate(g, i, VITRO_MODE_CS, HANDLER, 0x8c, 0);
}

static inline void gates_to(struct guest *g, uint16_t selector)
{
	for (unsigned int i = 0; i < 32; i++)
		put_gate(g, i, selector, HANDLER, 0x8e, 0);
}

static inline void cs_null(struct guest *g)
{
	gates_to(g, 0);
}

static inline void cs_beyond(struct guest *g)
{
	gates_to(g, SEL_BEYOND);
}

static inline void cs_data(struct guest *g)
{
	gates_to(g, VITRO_MODE_DS);
}

static inline void cs_of_32_bits(struct guest *g)
{
	gates_to(g, SEL_CS32);
}

static inline void cs_absent(struct guest *g)
{
	gates_to(g, SEL_ABSENT);
}

static inline void cs_of_user(struct guest *g)
{
	gates_to(g, SEL_CS_USER);
}

static inline void idt_unmapped(struct guest *g)
{
	g->state->segs.idtr.base = HOLE;
}

static inline void gdt_unmapped(struct guest *g)
{
	g->state->segs.gdtr.base = HOLE;
}

static inline void small_stack(struct guest *g)
{
	g->state->gprs.gpr[VITRO_RSP] = STACK_AT;
}

/* The stack has 10 frames' room, then the page below it is missing. */
static inline void handler_unmapped(struct guest *g)
{
	g->state->gprs.gpr[VITRO_RSP] = STACK_AT + 10 * 48;
	put_gate(g, 14, VITRO_MODE_CS, HOLE + 0x10, 0x8e, 0);
}

static inline void handler_unmapped_end(struct guest *g)
{
	uint64_t frame = STACK_PAGE + 10 * 48, rip = CODE_AT, rsp = STACK_AT + 10 * 48;

	for (unsigned int i = 0; i < 10; i++) {
		frame -= 48;
		put64(g, frame + 8, rip);
		put64(g, frame + 16, VITRO_MODE_CS);
		put64(g, frame + 32, rsp);
		rip = HOLE + 0x10;
		rsp -= 48;
	}
	g->state->gprs.rip = rip;
	g->state->gprs.gpr[VITRO_RSP] = rsp;
	g->state->crs.cr2 = STACK_AT - 8;
}

/* Only #DF has a gate, with a stack of its own. */
static inline void df_on_ist(struct guest *g, uint64_t stack)
{
	gates_absent(g);
	put_gate(g, 8, VITRO_MODE_CS, HANDLER, 0x8e, 1);
	put64(g, TSS_AT + 36, stack);
}

static inline void ist_unmapped(struct guest *g)
{
	df_on_ist(g, HOLE + 0x1000);
}

static inline void ist_not_canonical(struct guest *g)
{
	df_on_ist(g, NOT_CANONICAL);
}

static inline void ist_beyond_tss(struct guest *g)
{
	df_on_ist(g, STACK0);
	g->state->segs.seg[VITRO_TR].limit = 0x24;
}

static inline void tss_unmapped(struct guest *g)
{
	df_on_ist(g, STACK0);
	g->state->segs.seg[VITRO_TR].base = HOLE;
}

static inline void as_user(struct guest *g)
{
	struct vitro_segment *seg = g->state->segs.seg;
	unsigned int i;

	for (i = VITRO_ES; i <= VITRO_GS; i++) {
		seg[i].selector = i == VITRO_CS ? SEL_CS_USER : SEL_SS_USER;
		seg[i].attrib |= VITRO_SEG_DPL;
	}
}

static inline void user_without_stack(struct guest *g)
{
	as_user(g);
	put64(g, TSS_AT + 4, HOLE + 0x1000);
}

static inline void user_with_bad_ss(struct guest *g)
{
	as_user(g);
	put32(g, TSS_AT + 8, SEL_SS_USER);
}

static inline void user_with_null_ss(struct guest *g)
{
	as_user(g);
	put32(g, TSS_AT + 8, 0);
}

static inline void user_with_short_tss(struct guest *g)
{
	as_user(g);
	g->state->segs.seg[VITRO_TR].limit = 7;
}

static inline void gates_closed_to_user(struct guest *g)
{
	as_user(g);
	gates_absent(g);
	put_gate(g, 3, VITRO_MODE_CS, HANDLER, 0x8e, 0);
}

static inline void short_stack(struct guest *g)
{
	struct vitro_segment *ss = &g->state->segs.seg[VITRO_SS];

	ss->limit = 0xff;
	ss->attrib &= ~VITRO_SEG_G;
}

static inline void short_handler(struct guest *g)
{
	struct vitro_segment *cs = &g->state->segs.seg[VITRO_CS];

	cs->limit = 0x1fff;
	cs->attrib &= ~VITRO_SEG_G;
	put_descriptor(g, VITRO_MODE_CS, 0x00409b0000001fff);
}

static inline void real_idt_empty(struct guest *g)
{
	g->state->segs.idtr.limit = 0;
}

static inline void real_short_stack(struct guest *g)
{
	g->state->segs.seg[VITRO_SS].limit = 0xff;
}

static inline void rax_in_hole(struct guest *g)
{
	no_idt(g);
	g->state->gprs.gpr[VITRO_RAX] = HOLE + 0x123;
	g->state->crs.cr2 = HOLE + 0x123;
}

static inline void rax_not_canonical(struct guest *g)
{
	no_idt(g);
	g->state->gprs.gpr[VITRO_RAX] = NOT_CANONICAL;
}

static inline void rax_to_data(struct guest *g)
{
	no_idt(g);
	g->state->gprs.gpr[VITRO_RAX] = SEL_BEYOND;
}

static inline void fpu_off(struct guest *g)
{
	no_idt(g);
	g->state->crs.cr0 |= 1 << 3;	/* TS */
}

static inline void iret_to_data(struct guest *g)
{
	no_idt(g);
	put64(g, STACK_BASE, CODE_AT);
	put64(g, STACK_BASE + 8, VITRO_MODE_DS);
	put64(g, STACK_BASE + 16, 2);
	put64(g, STACK_BASE + 24, STACK_BASE);
	put64(g, STACK_BASE + 32, VITRO_MODE_DS);
}

/* -------------------------------------------------------------------- the cases */

#define BYTES(text)	.code = (text), .len = sizeof(text) - 1
#define LONG		.mode = VITRO_MODE_LONG
#define PROT		.mode = VITRO_MODE_PROTECTED
#define REAL		.mode = VITRO_MODE_REAL
#define INT3		BYTES("\xcc")
#define UD2		BYTES("\x0f\x0b")
#define READ_RAX	BYTES("\x8b\x00")	/* mov (%rax), %eax */
#define NO_IDT		.rule = "within the limit of the IDT", .note = "the IDT is empty"

static const struct shutdown shutdowns[] = {
	/* Which rule the gates, their segments and the stacks violate. */
	{ "no_idt", LONG, UD2, .setup = no_idt, .chain = "#UD #GP(0x33) #DF(0x0)", NO_IDT },
	{ "gates_of_zeros", LONG, UD2, .setup = zero_idt, .chain = "#UD #GP(0x33) #DF(0x0)",
	  .rule = "gate of 64 bits" },
	{ "gates_absent", LONG, UD2, .setup = gates_absent, .chain = "#UD #NP(0x33) #DF(0x0)",
	  .rule = "the gate is present" },
	{ "call_gates", LONG, UD2, .setup = call_gates, .chain = "#UD #GP(0x33) #DF(0x0)",
	  .rule = "gate of 64 bits" },
	{ "int3_is_of_software", LONG, INT3, .setup = gates_absent,
	  .chain = "#BP #NP(0x1a) #DF(0x0)", .rule = "the gate is present" },
	{ "int_13_is_of_software", LONG, BYTES("\xcd\x0d"), .setup = gates_absent,
	  .chain = "#GP #NP(0x6a) #DF(0x0)", .rule = "the gate is present" },
	{ "vector_beyond", LONG, BYTES("\xcd\x80"), .setup = gates_absent,
	  .chain = "0x80 #GP(0x402) #DF(0x0)", .rule = "the gate is present" },
	{ "gate_closed_to_user", LONG, INT3, .setup = gates_closed_to_user,
	  .chain = "#BP #GP(0x1a) #DF(0x0)", .rule = "the gate is present" },
	{ "cs_null", LONG, UD2, .setup = cs_null, .chain = "#UD #GP(0x1) #DF(0x0)",
	  .rule = "selector is not null" },
	{ "cs_beyond", LONG, UD2, .setup = cs_beyond, .chain = "#UD #GP(0x81) #DF(0x0)",
	  .rule = "code selector lies within" },
	{ "cs_data", LONG, UD2, .setup = cs_data, .chain = "#UD #GP(0x19) #DF(0x0)",
	  .rule = "leads to a code segment" },
	{ "cs_of_32_bits", LONG, UD2, .setup = cs_of_32_bits, .chain = "#UD #GP(0x39) #DF(0x0)",
	  .rule = "64-bit code segment" },
	{ "cs_absent", LONG, UD2, .setup = cs_absent, .chain = "#UD #NP(0x31) #DF(0x0)",
	  .rule = "code segment is present" },
	{ "cs_of_user", LONG, UD2, .setup = cs_of_user, .chain = "#UD #GP(0x49) #DF(0x0)",
	  .rule = "DPL is not greater than CPL" },
	{ "idt_unmapped", LONG, UD2, .setup = idt_unmapped, .chain = "#UD #PF(0x0) #DF(0x0)",
	  .rule = "the page of the IDT" },
	{ "gdt_unmapped", LONG, UD2, .setup = gdt_unmapped, .chain = "#UD #PF(0x0) #DF(0x0)",
	  .rule = "descriptor can be read" },
	{ "stack_overflow", LONG, BYTES("\x50"), .setup = small_stack,
	  .chain = "#PF(0x2) #DF(0x0)", .rule = "stack's page can be written",
	  .note = "the stack has overflowed" },
	{ "ist_unmapped", LONG, UD2, .setup = ist_unmapped, .chain = "#UD #NP(0x33) #DF(0x0)",
	  .rule = "stack's page can be written" },
	{ "ist_not_canonical", LONG, UD2, .setup = ist_not_canonical,
	  .chain = "#UD #NP(0x33) #DF(0x0)", .rule = "stack's address is canonical",
	  .detail = "IST1 in the TSS is 0x8000000000000000" },
	{ "ist_beyond_tss", LONG, UD2, .setup = ist_beyond_tss,
	  .chain = "#UD #NP(0x33) #DF(0x0)", .rule = "within the limit of the TSS" },
	{ "tss_unmapped", LONG, UD2, .setup = tss_unmapped, .chain = "#UD #NP(0x33) #DF(0x0)",
	  .rule = "page of the TSS" },
	{ "user_without_stack", LONG, UD2, .setup = user_without_stack,
	  .chain = "#UD #PF(0x2) #DF(0x0)", .rule = "stack's page can be written" },
	{ "handler_unmapped", LONG, BYTES("\x8b\x04\x25\x00\x00\x60\x00"),
	  .setup = handler_unmapped, .at_end = handler_unmapped_end,
	  .chain = "#PF(0x0) #DF(0x0)", .rule = "stack's page can be written",
	  .note = "by its frame it was called at rip 0x1000" },

	{ "prot_no_idt", PROT, UD2, .setup = no_idt, .chain = "#UD #GP(0x33) #DF(0x0)", NO_IDT },
	{ "prot_gates_absent", PROT, UD2, .setup = gates_absent,
	  .chain = "#UD #NP(0x33) #DF(0x0)", .rule = "the gate is present" },
	{ "prot_call_gates", PROT, UD2, .setup = call_gates, .chain = "#UD #GP(0x33) #DF(0x0)",
	  .rule = "interrupt, trap or task gate" },
	{ "prot_cs_data", PROT, UD2, .setup = cs_data, .chain = "#UD #GP(0x19) #DF(0x0)",
	  .rule = "leads to a code segment" },
	{ "prot_cs_absent", PROT, UD2, .setup = cs_absent, .chain = "#UD #NP(0x31) #DF(0x0)",
	  .rule = "code segment is present" },
	{ "prot_short_stack", PROT, UD2, .setup = short_stack,
	  .chain = "#UD #SS(0x1) #DF(0x0)", .rule = "frame fits", .needs_limits = true },
	{ "prot_short_handler", PROT, UD2, .setup = short_handler,
	  .chain = "#UD #GP(0x1) #DF(0x0)", .rule = "handler's offset",
	  .needs_limits = true },
	{ "prot_user_null_ss", PROT, UD2, .setup = user_with_null_ss,
	  .chain = "#UD #TS(0x1) #DF(0x0)", .rule = "stack selector in the TSS is not null" },
	{ "prot_user_bad_ss", PROT, UD2, .setup = user_with_bad_ss,
	  .chain = "#UD #TS(0x41) #DF(0x0)", .rule = "stack segment is writable" },
	{ "prot_user_short_tss", PROT, UD2, .setup = user_with_short_tss,
	  .chain = "#UD #TS(0x21) #DF(0x0)", .rule = "within the limit of the TSS" },

	{ "real_no_idt", REAL, INT3, .setup = real_idt_empty, .chain = "#BP #GP #DF", NO_IDT },
	{ "real_short_stack", REAL, UD2, .setup = real_short_stack, .chain = "#UD #SS #DF",
	  .rule = "frame fits", .needs_limits = true },

	/* What the first exception is; then there is no IDT. */
	{ "reads_hole", LONG, READ_RAX, .setup = rax_in_hole,
	  .chain = "#PF(0x0) #DF(0x0)", NO_IDT },
	{ "writes_hole", LONG, BYTES("\x89\x00"), .setup = rax_in_hole,
	  .chain = "#PF(0x2) #DF(0x0)", NO_IDT },
	{ "reads_not_canonical", LONG, READ_RAX, .setup = rax_not_canonical,
	  .chain = "#GP(0x0) #DF(0x0)", NO_IDT },
	{ "divides_by_zero", LONG, BYTES("\xf7\xf1"), .setup = no_idt,
	  .chain = "#DE #DF(0x0)", NO_IDT },
	{ "sse_off", LONG, BYTES("\x0f\x28\xc1"), .setup = no_idt,
	  .chain = "#UD #GP(0x33) #DF(0x0)", NO_IDT },
	{ "fpu_off", LONG, BYTES("\xd9\xe8"), .setup = fpu_off,
	  .chain = "#NM #GP(0x3b) #DF(0x0)", NO_IDT },
	{ "loads_ss", LONG, BYTES("\x8e\xd0"), .setup = rax_to_data,
	  .chain = "#GP(0x80) #DF(0x0)", NO_IDT },
	{ "loads_ds", PROT, BYTES("\x8e\xd8"), .setup = rax_to_data,
	  .chain = "#GP(0x80) #DF(0x0)", NO_IDT },
	{ "loads_tr", PROT, BYTES("\x0f\x00\xd8"), .setup = rax_to_data,
	  .chain = "#GP(0x80) #DF(0x0)", NO_IDT },
	{ "far_jump_to_null", PROT, BYTES("\xea\x00\x10\x00\x00\x00\x00"), .setup = no_idt,
	  .chain = "#GP(0x0) #DF(0x0)", NO_IDT },
	{ "iret_to_data", LONG, BYTES("\x48\xcf"), .setup = iret_to_data,
	  .chain = "#GP(0x18) #DF(0x0)", NO_IDT },
	{ "ends_long_mode", LONG, BYTES("\xb9\x80\x00\x00\xc0\x0f\x30"), .skip = 5,
	  .setup = no_idt, .chain = "#GP(0x0) #DF(0x0)", NO_IDT },
};

/* "#UD #GP(0x33) #DF(0x0)": the events, with their error codes. */
static inline const char *chain_of(const struct vitro_postmortem *pm)
{
	static char text[256];
	size_t length = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < pm->nr; i++) {
		const struct vitro_fault *event = &pm->delivery[i].event;
		const char *name = vitro_exception_name(event->vector);

		if (name)
			length += snprintf(text + length, sizeof(text) - length, "%s%s",
					   i ? " " : "", name);
		else
			length += snprintf(text + length, sizeof(text) - length, "%s0x%x",
					   i ? " " : "", event->vector);
		if (event->has_error)
			length += snprintf(text + length, sizeof(text) - length, "(0x%x)",
					   event->error);
	}
	return text;
}

#endif /* SHUTDOWNS_H */
