// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The delivery of an exception or interrupt, repeated step by step until a rule is
 * violated (SDM 2A, INT n; SDM 3A 6.10 to 6.14; APM 2 8.6 to 8.9).
 *
 * The steps come in the manual's order, for the first violation decides what happens.
 * Two of them are alike for all: what is read through the guest's page tables may fault,
 * and the error code of what goes wrong has bit 0 (EXT) set unless an INT n caused it.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pm.h"

#define ERROR_EXT	1U	/* SDM 3A 6.13 */
#define ERROR_IDT	2U

/**
 * struct rule - what a delivery must not violate
 * @text: in a sentence
 * @section: of the manuals
 */
struct rule {
	const char *text;
	const char *section;
};

/* In the order in which they are checked. */
enum rule_nr {
	IDT_LIMIT, IDT_PAGE, IN_MEMORY, GATE_TYPE, GATE_TYPE_LONG, GATE_DPL, GATE_PRESENT,
	TASK_GATE, CS_NULL, CS_LIMIT, CS_PAGE, CS_TYPE, CS_LONG, CS_PRESENT, CS_V86,
	HANDLER_OFFSET, TSS_LIMIT, TSS_PAGE, STACK_CANONICAL, STACK_ROOM, STACK_PAGE, SS_NULL,
	SS_LIMIT, SS_PAGE, SS_RIGHTS, SS_PRESENT,
};

static const struct rule rules[] = {
	[IDT_LIMIT] = {
		"the vector's entry lies within the limit of the IDT",
		"SDM 3A 6.10, APM 2 8.7.1"
	},
	[IDT_PAGE] = {
		"the page of the IDT's entry can be read",
		"SDM 3A 6.15 #PF, APM 2 8.2.15"
	},
	[IN_MEMORY] = {
		"IDT, GDT, TSS, stack and their page tables are in memory",
		"linux/vitro.h, VITRO_EXIT_MMIO"
	},
	[GATE_TYPE] = {
		"the IDT's entry is an interrupt, trap or task gate",
		"SDM 3A 6.11, APM 2 8.7.1"
	},
	[GATE_TYPE_LONG] = {
		"the IDT's entry is an interrupt gate or trap gate of 64 bits",
		"SDM 3A 6.14.1, APM 2 8.9.1"
	},
	[GATE_DPL] = {
		"INT n, INT3 and INTO need a gate whose DPL is not less than CPL",
		"SDM 3A 6.12.1, APM 2 8.7.4"
	},
	[GATE_PRESENT] = {
		"the gate is present",
		"SDM 3A 6.15 #NP, APM 2 8.2.12"
	},
	[TASK_GATE] = {
		"a task gate switches to another task, which is not followed here",
		"SDM 3A 6.12.2, APM 2 12.3"
	},
	[CS_NULL] = {
		"the gate's code selector is not null",
		"SDM 2A INT n, APM 2 8.7.4"
	},
	[CS_LIMIT] = {
		"the gate's code selector lies within the limit of its descriptor table",
		"SDM 2A INT n, APM 2 8.7.4"
	},
	[CS_PAGE] = {
		"the page of the code segment's descriptor can be read",
		"SDM 3A 6.15 #PF, APM 2 8.2.15"
	},
	[CS_TYPE] = {
		"the gate leads to a code segment whose DPL is not greater than CPL",
		"SDM 3A 6.12.1, APM 2 8.7.4"
	},
	[CS_LONG] = {
		"in long mode the gate leads to a 64-bit code segment: L = 1, D = 0",
		"SDM 3A 6.14.1, APM 2 8.9.1"
	},
	[CS_PRESENT] = {
		"the code segment is present",
		"SDM 3A 6.15 #NP, APM 2 8.2.12"
	},
	[CS_V86] = {
		"virtual-8086 mode is left to CPL 0 only",
		"SDM 3B 21.3.1, APM 2 8.8"
	},
	[HANDLER_OFFSET] = {
		"the handler's offset lies within its code segment, in long mode is canonical",
		"SDM 2A INT n, APM 2 8.9.1"
	},
	[TSS_LIMIT] = {
		"the pointer to the new stack lies within the limit of the TSS",
		"SDM 2A INT n, APM 2 8.9.3"
	},
	[TSS_PAGE] = {
		"the page of the TSS can be read",
		"SDM 3A 6.15 #PF, APM 2 8.2.15"
	},
	[STACK_CANONICAL] = {
		"the new stack's address is canonical",
		"SDM 3A 6.14.2, APM 2 8.9.3"
	},
	[STACK_ROOM] = {
		"the frame fits into the stack segment",
		"SDM 3A 6.15 #SS, APM 2 8.2.13"
	},
	[STACK_PAGE] = {
		"the stack's page can be written",
		"SDM 3A 6.15 #PF, APM 2 8.2.15"
	},
	[SS_NULL] = {
		"the new stack selector in the TSS is not null",
		"SDM 3A 6.15 #TS, APM 2 8.2.11"
	},
	[SS_LIMIT] = {
		"the new stack selector in the TSS lies within the limit of its descriptor table",
		"SDM 3A 6.15 #TS, APM 2 8.2.11"
	},
	[SS_PAGE] = {
		"the page of the new stack segment's descriptor can be read",
		"SDM 3A 6.15 #PF, APM 2 8.2.15"
	},
	[SS_RIGHTS] = {
		"the new stack segment is writable, and its DPL and RPL are the new CPL",
		"SDM 3A 6.15 #TS, APM 2 8.2.11"
	},
	[SS_PRESENT] = {
		"the new stack segment is present",
		"SDM 3A 6.15 #SS, APM 2 8.2.13"
	},
};

/* --------------------------------------------------------------- violations */

static uint32_t ext(const struct vitro_delivery *d)
{
	return d->software ? 0 : ERROR_EXT;
}

/* The delivery @d violates @rule and raises @vector. */
__attribute__((format(printf, 6, 7)))
static int violates(struct pm *pm, struct vitro_delivery *d, enum rule_nr rule,
		    unsigned int vector, uint32_t error, const char *fmt, ...)
{
	va_list args;

	d->rule = rules[rule].text;
	d->section = rules[rule].section;
	d->next = (struct vitro_fault){
		.vector = vector,
		.has_error = pm_pushes_error(pm, vector),
		.error = error,
	};
	va_start(args, fmt);
	vsnprintf(d->detail, sizeof(d->detail), fmt, args);
	va_end(args);
	return PM_FAULT;
}

/* An access through the page tables came to @ret, PM_FAULT or -errno, for @rule. */
static int inaccessible(struct vitro_delivery *d, enum rule_nr rule, int ret,
			const struct vitro_fault *fault, uint64_t gva)
{
	if (ret < 0) {
		d->rule = rules[IN_MEMORY].text;
		d->section = rules[IN_MEMORY].section;
		snprintf(d->detail, sizeof(d->detail), "%s", vitro_error());
		return ret;
	}
	d->rule = rules[rule].text;
	d->section = rules[rule].section;
	d->next = *fault;
	if (fault->vector == EXC_PF)
		snprintf(d->detail, sizeof(d->detail), "gva 0x%llx: %s",
			 (unsigned long long)fault->address,
			 fault->error & 8 ? "a reserved bit is set in its page tables" :
			 fault->error & 1 ? "its page tables do not allow it" : "not present");
	else
		snprintf(d->detail, sizeof(d->detail), "gva 0x%llx is not canonical",
			 (unsigned long long)gva);
	return PM_FAULT;
}

/* --------------------------------------------------------------------- gates */

static unsigned int gate_size_of(const struct pm *pm)
{
	if (!pm_protected(pm))
		return 4;
	return vi_long_mode(&pm->vcpu) ? 16 : 8;
}

/* SDM 3A figures 6-2 and 6-8. */
static void parse(struct pm_gate *gate)
{
	const uint64_t low = gate->raw[0];

	if (gate->size == 4) {
		gate->type = 0;
		gate->offset = low & 0xffff;
		gate->selector = low >> 16;
		gate->ist = 0;
		return;
	}
	gate->type = low >> 40 & 0xff;
	gate->selector = low >> 16;
	gate->offset = (low & 0xffff) | (low >> 32 & 0xffff0000);
	gate->ist = 0;
	if (gate->size == 16) {
		gate->offset |= gate->raw[1] << 32;
		gate->ist = low >> 32 & 7;
	} else if (!(gate->type & 8)) {
		gate->offset &= 0xffff;		/* a gate of the 80286 */
	}
}

/**
 * pm_gate_read - the gate of a vector
 * @pm: the post-mortem
 * @vector: which
 * @gate: filled
 * @fault: filled when the result is PM_FAULT
 *
 * Return: 0; PM_BEYOND the IDT's limit; PM_FAULT; -errno.
 */
int pm_gate_read(struct pm *pm, unsigned int vector, struct pm_gate *gate,
		 struct vitro_fault *fault)
{
	const struct vitro_dtable *idtr = &pm->comm.state.segs.idtr;
	int ret;

	memset(gate, 0, sizeof(*gate));
	gate->size = gate_size_of(pm);
	gate->gva = idtr->base + vector * gate->size;
	if (vector * gate->size + gate->size - 1 > idtr->limit)
		return PM_BEYOND;
	ret = pm_read(pm, gate->gva, gate->raw, gate->size, fault);
	if (!ret)
		parse(gate);
	return ret;
}

static int find_gate(struct pm *pm, struct vitro_delivery *d, struct pm_gate *gate)
{
	const struct vitro_dtable *idtr = &pm->comm.state.segs.idtr;
	const unsigned int vector = d->event.vector;
	struct vitro_fault fault;
	int ret = pm_gate_read(pm, vector, gate, &fault);

	d->gate_gva = gate->gva;
	d->gate_size = gate->size;
	if (ret == PM_BEYOND)
		return violates(pm, d, IDT_LIMIT, EXC_GP, vector << 3 | ERROR_IDT | ext(d),
				"the IDT's limit is 0x%x; the entry of vector %u ends at 0x%x",
				idtr->limit, vector, (vector + 1) * gate->size - 1);
	if (ret)
		return inaccessible(d, IDT_PAGE, ret, &fault, gate->gva);
	d->has_gate = true;
	memcpy(d->gate, gate->raw, sizeof(d->gate));
	d->selector = gate->selector;
	d->handler = gate->offset;
	return 0;
}

/* Interrupt or trap gate; or in legacy mode a task gate, which @is_task tells. */
static bool type_allowed(const struct pm *pm, uint16_t type, bool *is_task)
{
	unsigned int number = type & (VITRO_SEG_S | VITRO_SEG_TYPE);

	*is_task = false;
	if (vi_long_mode(&pm->vcpu))
		return number == 0xe || number == 0xf;
	*is_task = number == TYPE_TASK_GATE;
	return *is_task || number == 6 || number == 7 || number == 0xe || number == 0xf;
}

static int check_gate(struct pm *pm, struct vitro_delivery *d, const struct pm_gate *gate)
{
	const uint32_t error = d->event.vector << 3 | ERROR_IDT | ext(d);
	const unsigned int dpl = (gate->type & VITRO_SEG_DPL) >> 5;
	bool is_task;

	if (!type_allowed(pm, gate->type, &is_task))
		return violates(pm, d, vi_long_mode(&pm->vcpu) ? GATE_TYPE_LONG : GATE_TYPE,
				EXC_GP, error, "its type is 0x%x%s",
				gate->type & (VITRO_SEG_S | VITRO_SEG_TYPE),
				gate->raw[0] || gate->raw[1] ? "" : ": the entry is all zeros");
	if (d->software && dpl < vi_cpl(&pm->vcpu))
		return violates(pm, d, GATE_DPL, EXC_GP, error, "DPL is %u, CPL %u", dpl,
				vi_cpl(&pm->vcpu));
	if (!(gate->type & VITRO_SEG_P))
		return violates(pm, d, GATE_PRESENT, EXC_NP, error, "its P bit is 0");
	if (is_task) {
		d->rule = rules[TASK_GATE].text;
		d->section = rules[TASK_GATE].section;
		return -EOPNOTSUPP;
	}
	return 0;
}

/* -------------------------------------------------------------- code segment */

static int check_code(struct pm *pm, struct vitro_delivery *d, uint16_t selector,
		      struct vitro_segment *cs)
{
	const uint32_t error = (selector & ~SEL_RPL) | ext(d);
	const unsigned int cpl = vi_cpl(&pm->vcpu);
	struct vitro_fault fault;
	int ret;

	if (!(selector & ~SEL_RPL))
		return violates(pm, d, CS_NULL, EXC_GP, ext(d), "it is 0x%x", selector);
	ret = pm_descriptor(pm, selector, cs, &fault);
	if (ret == PM_BEYOND)
		return violates(pm, d, CS_LIMIT, EXC_GP, error, "selector 0x%x, limit 0x%x",
				selector, selector & SEL_LDT ?
				pm->comm.state.segs.seg[VITRO_LDTR].limit :
				pm->comm.state.segs.gdtr.limit);
	if (ret)
		return inaccessible(d, CS_PAGE, ret, &fault, pm->comm.state.segs.gdtr.base);
	if (!pm_is_code(cs) || pm_dpl(cs) > cpl)
		return violates(pm, d, CS_TYPE, EXC_GP, error,
				"selector 0x%x: %s segment, type 0x%x, DPL %u; CPL is %u", selector,
				pm_is_code(cs) ? "a code" : cs->attrib & VITRO_SEG_S ? "a data" :
				"a system", cs->attrib & VITRO_SEG_TYPE, pm_dpl(cs), cpl);
	if (vi_long_mode(&pm->vcpu) &&
	    (cs->attrib & (VITRO_SEG_L | VITRO_SEG_DB)) != VITRO_SEG_L)
		return violates(pm, d, CS_LONG, EXC_GP, error, "selector 0x%x: L = %d, D = %d",
				selector, !!(cs->attrib & VITRO_SEG_L),
				!!(cs->attrib & VITRO_SEG_DB));
	if (!(cs->attrib & VITRO_SEG_P))
		return violates(pm, d, CS_PRESENT, EXC_NP, error, "selector 0x%x: its P bit is 0",
				selector);
	if (pm_v86(pm) && (cs->attrib & TYPE_CONFORMING || pm_dpl(cs)))
		return violates(pm, d, CS_V86, EXC_GP, error, "selector 0x%x: DPL %u%s", selector,
				pm_dpl(cs), cs->attrib & TYPE_CONFORMING ? ", conforming" : "");
	return 0;
}

/* -------------------------------------------------------------------- stacks */

/* Reads a part of the TSS, where a stack is. */
static int read_tss(struct pm *pm, struct vitro_delivery *d, unsigned int offset, void *buf,
		    unsigned int size)
{
	const struct vitro_segment *tr = &pm->comm.state.segs.seg[VITRO_TR];
	struct vitro_fault fault;
	int ret;

	if (offset + size - 1 > tr->limit)
		return violates(pm, d, TSS_LIMIT, EXC_TS, (tr->selector & ~SEL_RPL) | ext(d),
				"the TSS's limit is 0x%x, the pointer is at 0x%x", tr->limit,
				offset);
	ret = pm_read(pm, tr->base + offset, buf, size, &fault);
	return ret ? inaccessible(d, TSS_PAGE, ret, &fault, tr->base + offset) : 0;
}

/* From a 64-bit TSS: RSP0 to RSP2, or IST1 to IST7 (SDM 3A figure 8-11). */
static int long_stack(struct pm *pm, struct vitro_delivery *d, unsigned int dpl,
		      unsigned int ist)
{
	const unsigned int offset = ist ? 28 + 8 * ist : 4 + 8 * dpl;
	struct vitro_state *state = &pm->comm.state;
	uint64_t rsp = 0;
	int ret = read_tss(pm, d, offset, &rsp, sizeof(rsp));

	if (ret)
		return ret;
	if (!vi_canonical(&pm->vcpu, rsp))
		return violates(pm, d, STACK_CANONICAL, EXC_SS, ext(d), "%s%u in the TSS is 0x%llx",
				ist ? "IST" : "RSP", ist ? ist : dpl, (unsigned long long)rsp);
	state->gprs.gpr[VITRO_RSP] = rsp;
	return 0;
}

static int check_stack_selector(struct pm *pm, struct vitro_delivery *d, uint16_t selector,
				unsigned int dpl, struct vitro_segment *ss)
{
	const uint32_t error = (selector & ~SEL_RPL) | ext(d);
	struct vitro_fault fault;
	int ret;

	if (!(selector & ~SEL_RPL))
		return violates(pm, d, SS_NULL, EXC_TS, ext(d), "SS%u in the TSS is 0x%x", dpl,
				selector);
	ret = pm_descriptor(pm, selector, ss, &fault);
	if (ret == PM_BEYOND)
		return violates(pm, d, SS_LIMIT, EXC_TS, error, "SS%u in the TSS is 0x%x", dpl,
				selector);
	if (ret)
		return inaccessible(d, SS_PAGE, ret, &fault, pm->comm.state.segs.gdtr.base);
	if ((selector & SEL_RPL) != dpl || pm_dpl(ss) != dpl || !pm_is_writable(ss))
		return violates(pm, d, SS_RIGHTS, EXC_TS, error,
				"SS%u in the TSS is 0x%x: type 0x%x, DPL %u, RPL %u", dpl, selector,
				ss->attrib & VITRO_SEG_TYPE, pm_dpl(ss), selector & SEL_RPL);
	if (!(ss->attrib & VITRO_SEG_P))
		return violates(pm, d, SS_PRESENT, EXC_SS, error,
				"SS%u in the TSS is 0x%x: its P bit is 0", dpl, selector);
	return 0;
}

/* From a TSS of 32 or 16 bits. */
static int legacy_stack(struct pm *pm, struct vitro_delivery *d, unsigned int dpl)
{
	struct vitro_state *state = &pm->comm.state;
	const bool wide = state->segs.seg[VITRO_TR].attrib & 8;
	const unsigned int size = wide ? 4 : 2;
	uint8_t pointer[6] = { 0 };
	struct vitro_segment ss;
	uint32_t esp = 0;
	uint16_t selector;
	int ret = read_tss(pm, d, wide ? 4 + 8 * dpl : 2 + 4 * dpl, pointer, size + 2);

	if (ret)
		return ret;
	memcpy(&esp, pointer, size);
	memcpy(&selector, pointer + size, sizeof(selector));
	ret = check_stack_selector(pm, d, selector, dpl, &ss);
	if (ret)
		return ret;
	state->segs.seg[VITRO_SS] = ss;
	state->gprs.gpr[VITRO_RSP] = esp;
	state->gprs.rflags &= ~FLAG_VM;
	return 0;
}

/**
 * struct frame - what goes on the stack
 * @words: how many
 * @size: bytes of one
 * @error: EXT and, when the stack is new, the selector: of an #SS
 */
struct frame {
	unsigned int words;
	unsigned int size;
	uint32_t error;
};

static uint64_t stack_mask(const struct pm *pm)
{
	if (pm_64bit(pm))
		return ~0ULL;
	return pm->comm.state.segs.seg[VITRO_SS].attrib & VITRO_SEG_DB ? vi_mask(4) : vi_mask(2);
}

/* Is there room for the frame in the segment? */
static int check_room(struct pm *pm, struct vitro_delivery *d, const struct frame *frame)
{
	const struct vitro_state *state = &pm->comm.state;
	struct vi_access acc = { .vcpu = &pm->vcpu };
	uint64_t top = state->gprs.gpr[VITRO_RSP] & stack_mask(pm), gva;
	unsigned int i;

	if (pm_64bit(pm))
		top &= ~0xfULL;		/* SDM 3A 6.14.2 */
	d->stack = top + (pm_64bit(pm) ? 0 : state->segs.seg[VITRO_SS].base);
	for (i = 1; i <= frame->words; i++) {
		uint64_t offset = (top - i * frame->size) & stack_mask(pm);

		if (!vi_linear(&acc, VITRO_SS, offset, frame->size, true, &gva))
			continue;
		if (pm_64bit(pm))
			return violates(pm, d, STACK_CANONICAL, EXC_SS, frame->error,
					"rsp is 0x%llx", (unsigned long long)top);
		return violates(pm, d, STACK_ROOM, EXC_SS, frame->error,
				"ss:sp is 0x%x:0x%llx, the segment's limit 0x%x",
				state->segs.seg[VITRO_SS].selector, (unsigned long long)top,
				state->segs.seg[VITRO_SS].limit);
	}
	return 0;
}

/* Can it be written? */
static int check_pushes(struct pm *pm, struct vitro_delivery *d, const struct frame *frame)
{
	const uint64_t top = d->stack - (pm_64bit(pm) ? 0 :
					 pm->comm.state.segs.seg[VITRO_SS].base);
	struct vi_access acc = { .vcpu = &pm->vcpu };
	unsigned int i;
	int ret;

	for (i = 1; i <= frame->words; i++) {
		uint64_t offset = (top - i * frame->size) & stack_mask(pm);

		ret = vi_probe(&acc, VITRO_SS, offset, frame->size, true);
		if (ret)
			return inaccessible(d, STACK_PAGE, ret, &acc.fault, offset);
	}
	return 0;
}

/* ------------------------------------------------------------------ deliveries */

static int check_handler(struct pm *pm, struct vitro_delivery *d, const struct vitro_segment *cs)
{
	if (vi_long_mode(&pm->vcpu) ? vi_canonical(&pm->vcpu, d->handler) :
				      d->handler <= cs->limit)
		return 0;
	return violates(pm, d, HANDLER_OFFSET, EXC_GP, ext(d), "it is 0x%llx",
			(unsigned long long)d->handler);
}

/* SDM 3B 21.1.4; APM 2 8.6. */
static int deliver_real(struct pm *pm, struct vitro_delivery *d)
{
	const struct frame frame = { .words = 3, .size = 2 };
	struct pm_gate gate;
	int ret = find_gate(pm, d, &gate);

	if (!ret)
		ret = check_room(pm, d, &frame);
	if (!ret)
		ret = check_handler(pm, d, &pm->comm.state.segs.seg[VITRO_CS]);
	return ret ? ret : check_pushes(pm, d, &frame);
}

/* The stack that the handler will use becomes the replay's, with the handler's CPL. */
static int switch_stack(struct pm *pm, struct vitro_delivery *d, const struct pm_gate *gate,
			const struct vitro_segment *cs, bool inward)
{
	struct vitro_segment *ss = &pm->comm.state.segs.seg[VITRO_SS];
	int ret = 0;

	if (!vi_long_mode(&pm->vcpu))
		return inward ? legacy_stack(pm, d, pm_dpl(cs)) : 0;
	if (inward || gate->ist)
		ret = long_stack(pm, d, pm_dpl(cs), gate->ist);
	/* Stacks of 64-bit code have no segment; its DPL is the CPL. */
	pm->comm.state.segs.seg[VITRO_CS].attrib |= VITRO_SEG_L;
	if (inward)
		ss->attrib = (ss->attrib & ~VITRO_SEG_DPL) | (cs->attrib & VITRO_SEG_DPL);
	return ret;
}

static struct frame make_frame(const struct pm *pm, const struct vitro_delivery *d,
			       const struct pm_gate *gate, bool inward, bool v86)
{
	struct frame frame = { .error = ext(d) };

	if (vi_long_mode(&pm->vcpu)) {
		frame.size = 8;
		frame.words = 5;
	} else {
		frame.size = gate->type & 8 ? 4 : 2;
		frame.words = inward ? 5 : 3;
		if (v86)
			frame.words += 4;	/* ES, DS, FS, GS */
		if (inward)
			frame.error |= pm->comm.state.segs.seg[VITRO_SS].selector & ~SEL_RPL;
	}
	frame.words += d->event.has_error;
	return frame;
}

static int deliver_protected(struct pm *pm, struct vitro_delivery *d)
{
	const bool v86 = pm_v86(pm);
	struct vitro_segment cs;
	struct pm_gate gate;
	struct frame frame;
	bool inward;
	int ret = find_gate(pm, d, &gate);

	if (!ret)
		ret = check_gate(pm, d, &gate);
	if (!ret)
		ret = check_code(pm, d, gate.selector, &cs);
	if (ret)
		return ret;
	inward = !(cs.attrib & TYPE_CONFORMING) && pm_dpl(&cs) < vi_cpl(&pm->vcpu);
	ret = switch_stack(pm, d, &gate, &cs, inward);
	if (ret)
		return ret;
	frame = make_frame(pm, d, &gate, inward, v86);
	ret = check_room(pm, d, &frame);
	if (!ret)
		ret = check_handler(pm, d, &cs);
	return ret ? ret : check_pushes(pm, d, &frame);
}

/**
 * pm_deliver - deliver an event
 * @pm: the post-mortem; its registers are as before afterwards
 * @d: the event; filled with how far it came
 *
 * Return: 0 it was delivered; PM_FAULT it raised @d->next; -errno the replay cannot follow.
 */
int pm_deliver(struct pm *pm, struct vitro_delivery *d)
{
	const struct vitro_segs segs = pm->comm.state.segs;
	const struct vitro_gprs gprs = pm->comm.state.gprs;
	int ret = pm_protected(pm) ? deliver_protected(pm, d) : deliver_real(pm, d);

	pm->comm.state.segs = segs;
	pm->comm.state.gprs = gprs;
	return ret;
}
