/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files postmortem*.c share. */
#ifndef PM_H
#define PM_H

#include <vitro/postmortem.h>

#include "insn.h"

/**
 * struct pm - a post-mortem in the making
 * @vcpu: what the replay works on: a vCPU that is in no kernel
 * @comm: its registers: a copy of the real one's
 * @out: what is found
 */
struct pm {
	struct vitro_vcpu vcpu;
	struct vitro_comm comm;
	struct vitro_postmortem *out;
};

/* Results of steps of the replay, besides 0 and -errno. */
#define PM_FAULT	VI_GUEST_FAULT	/* an exception, which has been noted */
#define PM_BEYOND	2		/* a selector that points behind its table */

/* A selector's parts (SDM 3A 3.4.2). */
#define SEL_RPL		3U
#define SEL_LDT		4U

/* Types of system segments and gates (SDM 3A table 3-2); bit 3 tells 32 bits from 16. */
#define TYPE_LDT	2
#define TYPE_TASK_GATE	5
#define TYPE_BUSY	2	/* of a TSS: this bit, and bit 0 */

/* Types of code and data segments (SDM 3A table 3-1). */
#define TYPE_CODE	8
#define TYPE_CONFORMING	4	/* code */
#define TYPE_WRITABLE	2	/* data */
#define TYPE_READABLE	2	/* code */

static inline bool pm_protected(const struct pm *pm)
{
	return pm->comm.state.crs.cr0 & CR0_PE;
}

static inline bool pm_v86(const struct pm *pm)
{
	return pm_protected(pm) && pm->comm.state.gprs.rflags & FLAG_VM;
}

static inline bool pm_64bit(const struct pm *pm)
{
	return vi_long_mode(&pm->vcpu) && pm->comm.state.segs.seg[VITRO_CS].attrib & VITRO_SEG_L;
}

static inline unsigned int pm_dpl(const struct vitro_segment *seg)
{
	return (seg->attrib & VITRO_SEG_DPL) >> 5;
}

/* Is it a code segment that procedures of CPL @cpl can be called in (SDM 3A 5.8.1)? */
static inline bool pm_is_code(const struct vitro_segment *seg)
{
	return (seg->attrib & (VITRO_SEG_S | TYPE_CODE)) == (VITRO_SEG_S | TYPE_CODE);
}

static inline bool pm_is_writable(const struct vitro_segment *seg)
{
	return (seg->attrib & (VITRO_SEG_S | TYPE_CODE | TYPE_WRITABLE)) ==
	       (VITRO_SEG_S | TYPE_WRITABLE);
}

/* postmortem.c */
bool pm_pushes_error(const struct pm *pm, unsigned int vector);
int pm_read(struct pm *pm, uint64_t gva, void *buf, size_t len, struct vitro_fault *fault);
int pm_descriptor(struct pm *pm, uint16_t selector, struct vitro_segment *seg,
		  struct vitro_fault *fault);

/* postmortem_deliver.c */

/**
 * struct pm_gate - an entry of the IDT, or of the real-mode vector table
 * @gva: where it is
 * @raw: its bytes
 * @size: how many
 * @type: with P and DPL, as in the attributes of a segment; 0 in real mode
 * @selector: of the code segment, or of a TSS
 * @offset: of the handler
 * @ist: number of the stack in the TSS, 0 for none
 */
struct pm_gate {
	uint64_t gva;
	uint64_t raw[2];
	unsigned int size;
	uint16_t type;
	uint16_t selector;
	uint64_t offset;
	unsigned int ist;
};

int pm_gate_read(struct pm *pm, unsigned int vector, struct pm_gate *gate,
		 struct vitro_fault *fault);
int pm_deliver(struct pm *pm, struct vitro_delivery *d);

/* postmortem_cause.c */

/**
 * struct pm_cause - the first exception
 * @certainty: how sure it is; VITRO_PM_UNKNOWN: there is none
 * @event: which
 * @software: by INT n, INT3, INTO
 * @reason: why, in words
 */
struct pm_cause {
	enum vitro_certainty certainty;
	struct vitro_fault event;
	bool software;
	char reason[160];
};

void pm_cause(struct pm *pm, struct pm_cause *cause);

#endif /* PM_H */
