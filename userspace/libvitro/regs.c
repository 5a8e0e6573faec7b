// SPDX-License-Identifier: LGPL-2.1-or-later
/* Registers: parts of them, finishing an instruction, raising an exception. */

#include <errno.h>
#include <string.h>

#include "internal.h"

/**
 * vi_mask - the bits of a value
 * @size: of the value in bytes, 1 to 8
 *
 * Return: the mask.
 */
uint64_t vi_mask(unsigned int size)
{
	return size >= 8 ? ~0ULL : (1ULL << (size * 8)) - 1;
}

/**
 * vi_gpr_merge - write to a part of a general register
 * @reg: the register
 * @value: what
 * @size: 1, 2 (the rest stays), 4 (the upper half becomes 0), 8
 *
 * The rules are those of SDM 1 3.4.1.1.
 */
void vi_gpr_merge(__u64 *reg, uint64_t value, unsigned int size)
{
	uint64_t mask = vi_mask(size);

	if (size >= 4)
		*reg = value & mask;
	else
		*reg = (*reg & ~mask) | (value & mask);
}

/**
 * vi_next_rip - where the next instruction is
 * @vcpu: the vCPU, with GPRS valid
 * @len: length of the present one
 * @next: set to rip + @len, wrapped at the width of the instruction pointer
 *
 * That width, 16, 32 or 64 bits, matters only when the sum carries into bit 16.  Not
 * asking otherwise saves a system call at each port access, which brings GPRS only.
 *
 * Return: 0 or -errno.
 */
int vi_next_rip(struct vitro_vcpu *vcpu, unsigned int len, uint64_t *next)
{
	const struct vitro_state *state = &vcpu->comm->state;
	uint64_t rip = state->gprs.rip;
	uint16_t cs;
	int ret;

	*next = rip + len;
	if ((rip ^ *next) >> 16 == 0)
		return 0;
	ret = vitro_vcpu_get(vcpu, VITRO_STATE_SEGS | VITRO_STATE_CRS);
	if (ret)
		return ret;
	cs = state->segs.seg[VITRO_CS].attrib;
	if (!(vi_long_mode(vcpu) && cs & VITRO_SEG_L))
		*next &= vi_mask(cs & VITRO_SEG_DB ? 4 : 2);
	return 0;
}

/* Faults, as opposed to traps and aborts (SDM 3A table 6-1); #DB is left to who raises it. */
static bool is_fault(unsigned int vector)
{
	return vector != EXC_DB && vector != EXC_NMI && vector != EXC_BP && vector != EXC_OF &&
	       vector != EXC_DF && vector != EXC_MC;
}

/*
 * A fault's frame has RF set, so that the instruction can be started again without
 * stopping at the same breakpoint (SDM 3B 18.3.1.1); the CPU puts there what RFLAGS has.
 */
int vitro_raise(struct vitro_vcpu *vcpu, unsigned int vector, bool has_error, uint32_t error)
{
	struct vitro_events *events = &vcpu->comm->state.events;
	int ret;

	if (vector > 31)
		return vi_fail(EINVAL, "vector %u is not that of an exception (0 to 31)", vector);
	ret = vitro_vcpu_get(vcpu, VITRO_STATE_EVENTS | VITRO_STATE_GPRS);
	if (ret)
		return ret;
	if (is_fault(vector)) {
		vcpu->comm->state.gprs.rflags |= FLAG_RF;
		vitro_vcpu_put(vcpu, VITRO_STATE_GPRS);
	}
	events->exc_pending = 1;
	events->exc_vector = vector;
	events->exc_has_error = has_error;
	events->exc_error = has_error ? error : 0;
	vitro_vcpu_put(vcpu, VITRO_STATE_EVENTS);
	return 0;
}

int vitro_raise_fault(struct vitro_vcpu *vcpu, const struct vitro_fault *fault)
{
	int ret;

	if (fault->vector == EXC_PF) {
		ret = vitro_vcpu_get(vcpu, VITRO_STATE_CRS);
		if (ret)
			return ret;
		vcpu->comm->state.crs.cr2 = fault->address;
		vitro_vcpu_put(vcpu, VITRO_STATE_CRS);
	}
	return vitro_raise(vcpu, fault->vector, fault->has_error, fault->error);
}

/* The trap after an instruction that started with RFLAGS.TF set (SDM 3B 18.3.1.4). */
static int single_step(struct vitro_vcpu *vcpu)
{
	int ret = vitro_vcpu_get(vcpu, VITRO_STATE_DRS);

	if (ret)
		return ret;
	vcpu->comm->state.drs.dr6 |= DR6_BS;
	vitro_vcpu_put(vcpu, VITRO_STATE_DRS);
	return vitro_raise(vcpu, EXC_DB, false, 0);
}

/**
 * vi_commit - make an emulated instruction's result the vCPU's state
 * @vcpu: the vCPU
 * @gprs: registers after the instruction, or after some iterations of a REP; perhaps the
 *	vCPU's own
 * @next_rip: the instruction behind
 * @done: the instruction is complete; else rip stays, for the guest to come back
 *
 * Return: 0 or -errno.
 */
int vi_commit(struct vitro_vcpu *vcpu, const struct vitro_gprs *gprs, uint64_t next_rip,
	      bool done)
{
	struct vitro_gprs *own = &vcpu->comm->state.gprs;
	bool step = own->rflags & FLAG_TF;

	if (gprs != own)
		*own = *gprs;
	if (done) {
		own->rip = next_rip;
		own->rflags &= ~FLAG_RF;
	}
	vitro_vcpu_put(vcpu, VITRO_STATE_GPRS);
	return step ? single_step(vcpu) : 0;
}

int vitro_finish_insn(struct vitro_vcpu *vcpu)
{
	uint64_t next;
	int ret;

	if (!vcpu->comm->exit.insn_len)
		return vi_fail(EINVAL, "exit reason %u carries no instruction length",
			       vcpu->comm->exit.reason);
	ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS);
	if (!ret)
		ret = vi_next_rip(vcpu, vcpu->comm->exit.insn_len, &next);
	if (ret)
		return ret;
	return vi_commit(vcpu, &vcpu->comm->state.gprs, next, true);
}

/* ---------------------------------------------------------------- starting */

#define SEG_CODE	(0xb | VITRO_SEG_S | VITRO_SEG_P)	/* readable, accessed */
#define SEG_DATA	(0x3 | VITRO_SEG_S | VITRO_SEG_P)	/* writable, accessed */
#define SEG_TSS		(0xb | VITRO_SEG_P)			/* busy, 32 or 64 bit */

/* A segment's descriptor in memory (SDM 3A 3.4.5): the fields are in pieces there. */
static uint64_t descriptor(const struct vitro_segment *seg)
{
	uint64_t limit = seg->attrib & VITRO_SEG_G ? seg->limit >> 12 : seg->limit;

	return (limit & 0xffff) | (limit & 0xf0000) << 32 |
	       (seg->base & 0xffffff) << 16 | (seg->base & 0xff000000) << 32 |
	       (uint64_t)(seg->attrib & 0xff) << 40 | (uint64_t)(seg->attrib & 0xf00) << 44;
}

static void set_real(struct vitro_state *state, uint64_t entry)
{
	struct vitro_segs *segs = &state->segs;

	for (unsigned int i = VITRO_ES; i <= VITRO_GS; i++)
		segs->seg[i] = (struct vitro_segment){
			.selector = (entry >> 4) & 0xf000,
			.attrib = i == VITRO_CS ? SEG_CODE : SEG_DATA,
			.limit = 0xffff,
			.base = entry & 0xf0000,
		};
	segs->gdtr = (struct vitro_dtable){ .limit = 0xffff };
	segs->idtr = (struct vitro_dtable){ .limit = 0x3ff };
	state->gprs.rip = entry & 0xffff;
	state->crs.cr0 = CR0_ET;
	state->crs.cr4 = 0;
	state->crs.efer = 0;
}

static void set_protected(struct vitro_state *state, uint64_t entry, uint64_t tables)
{
	struct vitro_segs *segs = &state->segs;

	for (unsigned int i = VITRO_ES; i <= VITRO_GS; i++)
		segs->seg[i] = (struct vitro_segment){
			.selector = i == VITRO_CS ? VITRO_MODE_CS : VITRO_MODE_DS,
			.attrib = (i == VITRO_CS ? SEG_CODE : SEG_DATA) | VITRO_SEG_DB |
				  VITRO_SEG_G,
			.limit = 0xffffffff,
		};
	segs->gdtr = (struct vitro_dtable){ .base = tables, .limit = 0x2f };
	segs->idtr = (struct vitro_dtable){ 0 };
	state->gprs.rip = entry;
	state->crs.cr0 = CR0_PE | CR0_ET;
	state->crs.cr4 = 0;
	state->crs.efer = 0;
}

static void set_long(struct vitro_state *state, uint64_t entry, uint64_t tables)
{
	struct vitro_segment *cs = &state->segs.seg[VITRO_CS];

	set_protected(state, entry, tables);
	cs->attrib = (cs->attrib & ~VITRO_SEG_DB) | VITRO_SEG_L;
	state->crs.cr0 |= CR0_PG;
	state->crs.cr3 = tables + PAGE_SIZE;
	state->crs.cr4 = CR4_PAE;
	state->crs.efer = EFER_LME | EFER_LMA;
}

/* The GDT that the segment registers were loaded from, for a guest that reloads them. */
static void write_gdt(uint64_t *gdt, const struct vitro_segs *segs)
{
	gdt[VITRO_MODE_CS / 8] = descriptor(&segs->seg[VITRO_CS]);
	gdt[VITRO_MODE_DS / 8] = descriptor(&segs->seg[VITRO_DS]);
	gdt[VITRO_MODE_TR / 8] = descriptor(&segs->seg[VITRO_TR]);
}

/* PML4, PDPT, four page directories: 4 GiB in pages of 2 MiB, mapped to themselves. */
static void write_page_tables(uint64_t *pml4, uint64_t gpa)
{
	const uint64_t table = 0x03, page = 0x83;	/* P, W; and PS */
	uint64_t *pdpt = pml4 + 512;
	uint64_t *pd = pdpt + 512;

	pml4[0] = (gpa + PAGE_SIZE) | table;
	for (unsigned int i = 0; i < 4; i++)
		pdpt[i] = (gpa + (2 + i) * PAGE_SIZE) | table;
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | page;
}

int vitro_vcpu_set_mode(struct vitro_vcpu *vcpu, enum vitro_mode mode, uint64_t entry,
			uint64_t tables)
{
	const uint64_t groups = VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS;
	struct vitro_state *state = &vcpu->comm->state;
	uint8_t *mem = NULL;
	int ret;

	if (mode != VITRO_MODE_REAL && mode != VITRO_MODE_PROTECTED && mode != VITRO_MODE_LONG)
		return vi_fail(EINVAL, "mode %d is none of 16, 32, 64", mode);
	if (entry >= (mode == VITRO_MODE_REAL ? 1ULL << 20 : 1ULL << 32))
		return vi_fail(EINVAL, "entry 0x%llx cannot be reached in %d-bit mode",
			       (unsigned long long)entry, mode);
	if (mode != VITRO_MODE_REAL) {
		if (tables & PAGE_MASK || tables >= 4 * GIB)
			return vi_fail(EINVAL, "the tables' address is 0x%llx; "
				       "it must be a multiple of 4096 below 4 GiB",
				       (unsigned long long)tables);
		mem = vitro_gpa_to_hva(vcpu->vm, tables, VITRO_MODE_TABLES_SIZE);
		if (!mem)
			return -errno;
	}
	ret = vitro_vcpu_get(vcpu, groups | VITRO_STATE_EVENTS);
	if (ret)
		return ret;

	memset(&state->gprs, 0, sizeof(state->gprs));
	state->gprs.rflags = FLAG_FIXED;
	state->segs.seg[VITRO_LDTR] = (struct vitro_segment){ 0 };
	state->segs.seg[VITRO_TR] = (struct vitro_segment){
		.selector = mode == VITRO_MODE_REAL ? 0 : VITRO_MODE_TR,
		.attrib = SEG_TSS,
		.limit = 0x67,
	};
	state->crs.cr3 = 0;
	if (mode == VITRO_MODE_REAL)
		set_real(state, entry);
	else if (mode == VITRO_MODE_PROTECTED)
		set_protected(state, entry, tables);
	else
		set_long(state, entry, tables);
	if (mem) {
		memset(mem, 0, VITRO_MODE_TABLES_SIZE);
		write_gdt((uint64_t *)mem, &state->segs);
		if (mode == VITRO_MODE_LONG)
			write_page_tables((uint64_t *)(mem + PAGE_SIZE), tables + PAGE_SIZE);
	}

	memset(&state->events, 0, sizeof(state->events));
	state->events.mp_state = VITRO_MP_RUNNABLE;	/* an AP need not wait for its SIPI */
	vitro_vcpu_put(vcpu, groups | VITRO_STATE_EVENTS);
	return 0;
}
