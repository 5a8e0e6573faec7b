// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How a processor came to its shutdown: the chain of exceptions, replayed.
 *
 * postmortem_cause.c says what the instruction at rip raises, postmortem_deliver.c how far
 * the delivery of an exception comes; here one follows from the other.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pm.h"

#define EXCEPTIONS	32		/* vectors that are the processor's own */
#define MAX_FRAMES	4096		/* of a handler that faults again and again */

const char *vitro_exception_name(unsigned int vector)
{
	static const char *const names[EXCEPTIONS] = {
		"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", NULL, "#TS", "#NP",
		"#SS", "#GP", "#PF", NULL, "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
		[28] = "#HV", "#VC", "#SX",
	};

	return vector < EXCEPTIONS ? names[vector] : NULL;
}

/**
 * pm_pushes_error - does an exception push an error code (SDM 3A table 6-1)?
 * @pm: the post-mortem: in real mode none does
 * @vector: the exception's
 *
 * Return: whether.
 */
bool pm_pushes_error(const struct pm *pm, unsigned int vector)
{
	const uint32_t with = 1U << EXC_DF | 1U << EXC_TS | 1U << EXC_NP | 1U << EXC_SS |
			      1U << EXC_GP | 1U << EXC_PF | 1U << EXC_AC | 1U << EXC_CP;

	return pm_protected(pm) && vector < EXCEPTIONS && with >> vector & 1;
}

/* ------------------------------------------------------------------- tables */

/**
 * pm_read - read what the processor reads for itself: descriptors and the like
 * @pm: the post-mortem
 * @gva: linear address
 * @buf: to
 * @len: bytes
 * @fault: filled when the result is PM_FAULT
 *
 * Return: 0, PM_FAULT, -errno.
 */
int pm_read(struct pm *pm, uint64_t gva, void *buf, size_t len, struct vitro_fault *fault)
{
	int ret = vitro_read_gva(&pm->vcpu, gva, buf, len, VITRO_ACCESS_SYSTEM, fault);

	return ret == -EFAULT ? PM_FAULT : ret;
}

/* SDM 3A 3.4.5. */
static struct vitro_segment unpack(uint16_t selector, uint64_t raw)
{
	struct vitro_segment seg = {
		.selector = selector,
		.attrib = (raw >> 40 & 0xff) | (raw >> 44 & 0xf00),
		.limit = (raw & 0xffff) | (raw >> 32 & 0xf0000),
		.base = (raw >> 16 & 0xffffff) | (raw >> 32 & 0xff000000),
	};

	if (seg.attrib & VITRO_SEG_G)
		seg.limit = seg.limit << 12 | 0xfff;
	return seg;
}

/**
 * pm_descriptor - the descriptor that a selector stands for
 * @pm: the post-mortem
 * @selector: not null
 * @seg: filled; of a system segment in long mode, with the low half of the base only
 * @fault: filled when the result is PM_FAULT
 *
 * Return: 0; PM_BEYOND the table's limit; PM_FAULT; -errno.
 */
int pm_descriptor(struct pm *pm, uint16_t selector, struct vitro_segment *seg,
		  struct vitro_fault *fault)
{
	const struct vitro_segs *segs = &pm->comm.state.segs;
	const struct vitro_segment *ldt = &segs->seg[VITRO_LDTR];
	const unsigned int offset = selector & ~(SEL_RPL | SEL_LDT);
	uint64_t base = segs->gdtr.base, raw;
	uint32_t limit = segs->gdtr.limit;
	int ret;

	if (selector & SEL_LDT) {
		if (!(ldt->attrib & VITRO_SEG_P))
			return PM_BEYOND;
		base = ldt->base;
		limit = ldt->limit;
	}
	if (offset + sizeof(raw) - 1 > limit)
		return PM_BEYOND;
	ret = pm_read(pm, base + offset, &raw, sizeof(raw), fault);
	if (!ret)
		*seg = unpack(selector, raw);
	return ret;
}

/* -------------------------------------------------------------------- the chain */

/* Exceptions that make a double fault of each other (SDM 3A table 6-4, APM 2 8.2.9). */
static bool contributory(unsigned int vector)
{
	return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}

/* Does a fault in delivering @first make a double fault (SDM 3A table 6-5)? */
static bool doubles(const struct vitro_delivery *first)
{
	const unsigned int then = first->next.vector;

	if (first->software)
		return false;
	if (first->event.vector == EXC_PF)
		return contributory(then) || then == EXC_PF;
	return contributory(first->event.vector) && contributory(then);
}

static struct vitro_fault double_fault(const struct pm *pm)
{
	return (struct vitro_fault){
		.vector = EXC_DF,
		.has_error = pm_pushes_error(pm, EXC_DF),
	};
}

/* The delivery that comes after one that failed. */
static void follow(const struct pm *pm, const struct vitro_delivery *failed,
		   struct vitro_delivery *d)
{
	const char *then = vitro_exception_name(failed->next.vector);

	memset(d, 0, sizeof(*d));
	if (!doubles(failed)) {
		d->event = failed->next;
		snprintf(d->reason, sizeof(d->reason), "raised by the failed delivery");
		return;
	}
	d->event = double_fault(pm);
	snprintf(d->reason, sizeof(d->reason),
		 "the failed delivery of %s has raised %s; both together are a double fault",
		 vitro_exception_name(failed->event.vector), then);
}

static void replay(struct pm *pm, const struct pm_cause *cause)
{
	struct vitro_postmortem *out = pm->out;
	struct vitro_delivery *d = out->delivery;
	int ret;

	memset(d, 0, sizeof(*d));
	d->event = cause->event;
	d->software = cause->software;
	snprintf(d->reason, sizeof(d->reason), "%s", cause->reason);
	out->certainty = cause->certainty;
	out->outcome = VITRO_PM_LEFT;
	for (out->nr = 1; ; out->nr++, d++) {
		ret = pm_deliver(pm, d);
		if (!ret)
			out->outcome = VITRO_PM_DELIVERED;
		if (ret != PM_FAULT)
			return;
		if (d->event.vector == EXC_DF && !d->software) {
			out->outcome = VITRO_PM_SHUTDOWN;
			return;
		}
		if (out->nr == VITRO_MAX_DELIVERIES)
			return;
		follow(pm, d, d + 1);
	}
}

static void find_chain(struct pm *pm, const struct pm_cause *cause)
{
	/* A shutdown needs a #DF that cannot be delivered, whatever was before. */
	const struct pm_cause unknown = {
		.certainty = VITRO_PM_UNKNOWN,
		.event = double_fault(pm),
		.reason = "which exceptions led to it cannot be told from the state",
	};
	struct vitro_postmortem *first;

	replay(pm, cause->certainty == VITRO_PM_UNKNOWN ? &unknown : cause);
	if (pm->out->outcome != VITRO_PM_DELIVERED || cause->certainty == VITRO_PM_UNKNOWN)
		return;
	/* That is not what led to the shutdown.  Perhaps #DF says more. */
	first = malloc(sizeof(*first));
	if (!first)
		return;
	*first = *pm->out;
	replay(pm, &unknown);
	if (pm->out->outcome != VITRO_PM_SHUTDOWN)
		*pm->out = *first;
	free(first);
}

/* ------------------------------------------------------------------ observations */

__attribute__((format(printf, 2, 3)))
static void note(struct pm *pm, const char *fmt, ...)
{
	char *notes = pm->out->notes;
	const size_t length = strlen(notes), room = sizeof(pm->out->notes) - length;
	va_list args;

	va_start(args, fmt);
	vsnprintf(notes + length, room, fmt, args);
	va_end(args);
}

static bool readable(struct pm *pm, uint64_t gva)
{
	uint64_t gpa;

	return !vitro_gva_to_gpa(&pm->vcpu, gva, VITRO_ACCESS_DEBUG, &gpa, NULL);
}

/* A push that faults just below a page that is there: the stack was too small. */
static void note_stack(struct pm *pm)
{
	const uint64_t rsp = pm->comm.state.gprs.gpr[VITRO_RSP];
	unsigned int i;

	for (i = 0; i < pm->out->nr; i++) {
		const struct vitro_delivery *d = &pm->out->delivery[i];
		const uint64_t page = d->next.address & ~PAGE_MASK;

		/* Only on the stack that was in use, not on one from the TSS. */
		if (!d->rule || !d->stack || d->next.vector != EXC_PF ||
		    (d->stack & ~PAGE_MASK) - page > PAGE_SIZE || rsp - page > 2 * PAGE_SIZE)
			continue;
		if (!readable(pm, page) && readable(pm, page + PAGE_SIZE)) {
			note(pm, "the stack has overflowed: rsp is 0x%llx; "
			     "the page at 0x%llx is not there, the one above it is\n",
			     (unsigned long long)rsp, (unsigned long long)page);
			return;
		}
	}
}

static void note_idt(struct pm *pm)
{
	const struct vitro_dtable *idtr = &pm->comm.state.segs.idtr;

	if (!idtr->limit)
		note(pm, "the IDT is empty (base 0x%llx, limit 0); "
		     "none was loaded, or the guest wanted a triple fault, as a reset\n",
		     (unsigned long long)idtr->base);
}

/* The last page fault of the chain left its address in CR2. */
static void compare_cr2(struct pm *pm)
{
	struct vitro_postmortem *out = pm->out;
	const struct vitro_fault *last = NULL;
	unsigned int i;

	for (i = 0; i < out->nr; i++) {
		const struct vitro_delivery *d = &out->delivery[i];

		if (d->event.vector == EXC_PF && !d->software)
			last = &d->event;
		if (d->rule && d->next.vector == EXC_PF)
			last = &d->next;
	}
	out->cr2 = pm->comm.state.crs.cr2;
	out->cr2_differs = last && (last->address ^ out->cr2) & ~PAGE_MASK;
	if (out->cr2_differs)
		note(pm, "cr2 is 0x%llx, not the address of the last page fault above; "
		     "so it was something else, or page tables have changed since\n",
		     (unsigned long long)out->cr2);
}

/* Is rip the entry of a handler?  @nr is set to how many exceptions have it. */
static bool find_handler(struct pm *pm, unsigned int *nr)
{
	const struct vitro_state *state = &pm->comm.state;
	struct vitro_postmortem *out = pm->out;
	struct vitro_fault fault;
	struct pm_gate gate;
	unsigned int i;

	for (i = 0; i < EXCEPTIONS; i++) {
		if (pm_gate_read(pm, i, &gate, &fault) || !(gate.type & VITRO_SEG_P) ||
		    gate.offset != state->gprs.rip ||
		    (gate.selector ^ state->segs.seg[VITRO_CS].selector) & ~SEL_RPL)
			continue;
		out->in_handler = true;
		out->handler_of = i;
		++*nr;
	}
	return out->in_handler;
}

/* A frame at @sp: rIP, and behind it a selector of a code segment. */
static bool is_frame(struct pm *pm, uint64_t sp, unsigned int size, uint64_t *rip)
{
	struct vitro_segment cs;
	struct vitro_fault fault;
	uint64_t word[2] = { 0 };

	for (unsigned int i = 0; i < 2; i++)
		if (vitro_read_gva(&pm->vcpu, sp + i * size, &word[i], size, VITRO_ACCESS_DEBUG,
				   NULL))
			return false;
	if (word[1] > UINT16_MAX || pm_descriptor(pm, word[1], &cs, &fault) || !pm_is_code(&cs))
		return false;
	*rip = word[0];
	return true;
}

/* Up the frames as long as they are of the handler itself. */
static void find_interrupted(struct pm *pm)
{
	const struct vitro_gprs *gprs = &pm->comm.state.gprs;
	struct vitro_postmortem *out = pm->out;
	const bool wide = vi_long_mode(&pm->vcpu);
	const unsigned int size = wide ? 8 : 4;
	uint64_t sp = gprs->gpr[VITRO_RSP], rip = 0;
	unsigned int i;

	for (i = 0; i < MAX_FRAMES; i++) {
		/* Behind an error code, perhaps. */
		if (!is_frame(pm, sp, size, &rip)) {
			sp += size;
			if (!is_frame(pm, sp, size, &rip))
				return;
		}
		if (rip != gprs->rip)
			break;
		/* The next one is where this one interrupted; in long mode it says where. */
		if (!wide)
			sp += 3 * size;
		else if (vitro_read_gva(&pm->vcpu, sp + 3 * size, &sp, size, VITRO_ACCESS_DEBUG,
					NULL))
			return;
	}
	out->interrupted = rip;
	out->repeats = i;
}

static void note_handler(struct pm *pm)
{
	struct vitro_postmortem *out = pm->out;
	unsigned int nr = 0;

	if (!pm_protected(pm) || !find_handler(pm, &nr))
		return;
	find_interrupted(pm);
	if (nr == 1)
		note(pm, "rip is the first instruction of the handler of %s (vector %u)",
		     vitro_exception_name(out->handler_of) ? vitro_exception_name(out->handler_of) :
		     "an exception", out->handler_of);
	else
		note(pm, "rip is the first instruction of the handler of %u exceptions", nr);
	if (out->interrupted && out->repeats)
		note(pm, ", which could not be executed %u times", out->repeats + 1);
	if (out->interrupted)
		note(pm, "; by its frame it was called at rip 0x%llx",
		     (unsigned long long)out->interrupted);
	note(pm, "\n");
}

static void note_unknown(struct pm *pm)
{
	if (pm->out->certainty != VITRO_PM_UNKNOWN)
		return;
	note(pm, "no reason is seen why the instruction at rip should raise an exception%s\n",
	     pm->comm.state.gprs.rflags & (1 << 9) ?
	     "; interrupts are on: perhaps one came that has no handler" : "");
}

/* ------------------------------------------------------------------------ all of it */

static int copy_state(struct pm *pm, struct vitro_vcpu *vcpu)
{
	const uint64_t groups = VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS |
				VITRO_STATE_DRS;
	int ret = vitro_vcpu_get(vcpu, groups);

	if (ret)
		return ret;
	pm->comm = *vcpu->comm;
	pm->comm.valid = groups;
	pm->vcpu = *vcpu;
	pm->vcpu.fd = -1;
	pm->vcpu.comm = &pm->comm;
	return 0;
}

int vitro_postmortem(struct vitro_vcpu *vcpu, struct vitro_postmortem *out)
{
	struct pm *pm = calloc(1, sizeof(*pm));
	struct pm_cause cause;
	int ret;

	memset(out, 0, sizeof(*out));
	if (!pm)
		return vi_fail(ENOMEM, "no memory for a post-mortem");
	pm->out = out;
	ret = copy_state(pm, vcpu);
	if (!ret) {
		out->rip = pm->comm.state.gprs.rip;
		vitro_disassemble(&pm->vcpu, out->insn, sizeof(out->insn));
		pm_cause(pm, &cause);
		find_chain(pm, &cause);
		note_unknown(pm);
		note_handler(pm);
		note_stack(pm);
		note_idt(pm);
		compare_cr2(pm);
	}
	free(pm);
	return ret;
}
