/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task switch, done in software: an Intel CPU does not make one in a guest, but leaves
 * it to userspace (SDM 3C 26.2), while an AMD CPU makes it itself.  This is as much of
 * SDM 3A 8.3 as JMP, CALL and IRET take between 32-bit tasks without paging.
 */
#ifndef EXITS_TASK_H
#define EXITS_TASK_H

#include "vt.h"

#define EFLAGS_NT	0x4000		/* nested task: IRET goes back by the link */
#define CR0_TS		0x8
#define DR7_LOCAL	0x155		/* LE, L3 to L0: breakpoints of this task only */
#define DESC_BUSY	(1ULL << 41)

/* SDM 3A figure 8-2.  Both arrays are in the order of our own numbers. */
struct tss32 {
	uint16_t link, pad;
	uint32_t stacks[6];
	uint32_t cr3, eip, eflags;
	uint32_t gpr[8];
	uint32_t seg[6];
	uint32_t ldt;
	uint16_t trap, io_map;
};

static uint64_t *descriptor(struct vt_cpu *cpu, uint16_t selector)
{
	uint64_t gva = cpu->comm->state.segs.gdtr.base + (selector & ~7U);

	return vt_ptr(cpu->vm, (void *)(uintptr_t)gva);
}

/* A segment register as loaded with a selector (SDM 3A figure 3-8). */
static struct vitro_segment load_segment(struct vt_cpu *cpu, uint16_t selector)
{
	uint64_t d = *descriptor(cpu, selector);
	struct vitro_segment seg = {
		.selector = selector,
		.attrib = (d >> 40 & 0xff) | (d >> 44 & 0xf00),
		.limit = (d & 0xffff) | (d >> 32 & 0xf0000),
		.base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000),
	};

	if (seg.attrib & VITRO_SEG_G)
		seg.limit = seg.limit << 12 | 0xfff;
	return seg;
}

/* Finishes VITRO_EXIT_TASK_SWITCH.  Returns 0 or -EOPNOTSUPP. */
static int switch_task(struct vt_cpu *cpu)
{
	const struct vitro_exit *e = &cpu->comm->exit;
	struct vitro_state *s = &cpu->comm->state;
	struct vitro_segment *tr = &s->segs.seg[VITRO_TR];
	unsigned int source = e->task_switch.source, i;
	struct tss32 *from, *to;

	if (source == VITRO_TASK_GATE)
		return -EOPNOTSUPP;
	from = vt_ptr(cpu->vm, (void *)(uintptr_t)tr->base);
	from->eip = s->gprs.rip + e->insn_len;
	from->eflags = s->gprs.rflags;
	for (i = 0; i < 8; i++)
		from->gpr[i] = s->gprs.gpr[i];
	for (i = VITRO_ES; i <= VITRO_GS; i++)
		from->seg[i] = s->segs.seg[i].selector;
	/* A task that is left is no longer busy, unless by CALL: then it will be back. */
	if (source != VITRO_TASK_CALL)
		*descriptor(cpu, tr->selector) &= ~DESC_BUSY;
	if (source == VITRO_TASK_IRET)
		from->eflags &= ~EFLAGS_NT;

	*descriptor(cpu, e->task_switch.selector) |= DESC_BUSY;
	i = tr->selector;
	*tr = load_segment(cpu, e->task_switch.selector);
	to = vt_ptr(cpu->vm, (void *)(uintptr_t)tr->base);
	if (source == VITRO_TASK_CALL) {
		to->link = i;
		to->eflags |= EFLAGS_NT;
	}
	s->gprs.rip = to->eip;
	s->gprs.rflags = to->eflags;
	for (i = 0; i < 8; i++)
		s->gprs.gpr[i] = to->gpr[i];
	for (i = VITRO_ES; i <= VITRO_GS; i++)
		s->segs.seg[i] = load_segment(cpu, to->seg[i]);
	s->segs.seg[VITRO_LDTR] = (struct vitro_segment){};	/* the tasks have none */
	s->crs.cr0 |= CR0_TS;
	s->drs.dr7 &= ~(uint64_t)DR7_LOCAL;
	cpu->comm->dirty |= VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS |
			    VITRO_STATE_DRS;
	return 0;
}

#endif /* EXITS_TASK_H */
