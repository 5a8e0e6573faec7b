// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random state: first registers as a sane guest has them, in one of many modes; then some are
 * changed at random.  Nothing at all being sane would be refused at VM entry, and test little.
 */
#include <string.h>

#include "guest.h"

#define CR0_PE		(1ULL << 0)
#define CR0_ET		(1ULL << 4)
#define CR0_NE		(1ULL << 5)
#define CR0_WP		(1ULL << 16)
#define CR0_PG		(1ULL << 31)
#define CR4_PSE		(1ULL << 4)
#define CR4_PAE		(1ULL << 5)
#define CR4_OSFXSR	(1ULL << 9)
#define CR4_OSXMMEXCPT	(1ULL << 10)
#define CR4_OSXSAVE	(1ULL << 18)
#define EFER_SCE	(1ULL << 0)
#define EFER_LME	(1ULL << 8)
#define EFER_LMA	(1ULL << 10)
#define EFER_NXE	(1ULL << 11)
#define FLAG_VM		(1ULL << 17)
#define APIC_ENABLE	(1ULL << 11)
#define APIC_X2		(1ULL << 10)

static uint64_t canonical(uint64_t address)
{
	return (int64_t)(address << 16) >> 16;
}

enum level { REAL, BIG_REAL, V86, PROT16, PROT32, PAGING32, PAGING_PAE, LONG, COMPAT32, COMPAT16 };

static void set_seg(struct vitro_segs *segs, unsigned int nr, uint16_t selector, uint16_t attrib)
{
	bool wide = attrib & VITRO_SEG_G;

	segs->seg[nr] = (struct vitro_segment){
		.selector = selector, .attrib = attrib, .limit = wide ? 0xffffffff : 0xffff,
	};
}

static void set_segs(struct vitro_segs *segs, enum level level, bool user)
{
	static const struct {
		uint16_t code, data;		/* selectors and attributes at CPL 0 */
		uint16_t code_attrib, data_attrib;
		uint16_t user_code;
	} how[] = {
		[REAL] = { 0, 0, 0x09b, 0x093, 0 },
		[BIG_REAL] = { 0, 0, 0x09b, 0xc93, 0 },
		[V86] = { 0, 0, 0x0f3, 0x0f3, 0 },
		[PROT16] = { SEL_CODE16, SEL_DATA16, 0x09b, 0x093, SEL_CODE16 },
		[PROT32] = { SEL_CODE32, SEL_DATA, 0xc9b, 0xc93, SEL_USER_CODE32 },
		[PAGING32] = { SEL_CODE32, SEL_DATA, 0xc9b, 0xc93, SEL_USER_CODE32 },
		[PAGING_PAE] = { SEL_CODE32, SEL_DATA, 0xc9b, 0xc93, SEL_USER_CODE32 },
		[LONG] = { SEL_CODE64, SEL_DATA, 0xa9b, 0xc93, SEL_USER_CODE64 },
		[COMPAT32] = { SEL_CODE32, SEL_DATA, 0xc9b, 0xc93, SEL_USER_CODE32 },
		[COMPAT16] = { SEL_CODE16, SEL_DATA16, 0x09b, 0x093, SEL_CODE16 },
	};
	uint16_t dpl = user && level != V86 ? VITRO_SEG_DPL : 0;
	uint16_t code = user ? how[level].user_code | 3 : how[level].code;
	uint16_t data = user ? SEL_USER_DATA | 3 : how[level].data;
	unsigned int i;

	if (level <= V86) {
		code = 0;
		data = 0;
	}
	for (i = VITRO_ES; i <= VITRO_GS; i++)
		set_seg(segs, i, data, how[level].data_attrib | dpl);
	set_seg(segs, VITRO_CS, code, how[level].code_attrib | dpl);

	set_seg(segs, VITRO_LDTR, SEL_LDT, 0x82);
	segs->seg[VITRO_LDTR].base = LDT;
	segs->seg[VITRO_LDTR].limit = 0xff;
	/* Busy, as VM entry wants it; QEMU aborts of that (Documentation/machines.rst). */
	set_seg(segs, VITRO_TR, SEL_TSS, on_tcg ? 0x89 : 0x8b);
	segs->seg[VITRO_TR].base = TSS;
	segs->seg[VITRO_TR].limit = 0x3ff;
	segs->gdtr = (struct vitro_dtable){ .base = GDT, .limit = GDT_SIZE - 1 };
	segs->idtr = (struct vitro_dtable){ .base = IDT32, .limit = 0x7ff };
	if (level <= BIG_REAL)
		segs->idtr = (struct vitro_dtable){ .base = IVT, .limit = 0x3ff };
	if (level >= LONG)
		segs->idtr = (struct vitro_dtable){ .base = IDT64, .limit = 0xfff };
}

static void set_crs(struct cpu *cpu, struct vitro_crs *crs, enum level level)
{
	struct rng *rng = &cpu->rng;

	crs->cr0 = CR0_ET | CR0_NE | (one_in(rng, 2) ? CR0_WP : 0);
	crs->cr3 = level == PAGING32 ? PD32 : level == PAGING_PAE ? PDPT_PAE : PML4;
	crs->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
	if (level > BIG_REAL)
		crs->cr0 |= CR0_PE;
	if (level >= PAGING32)
		crs->cr0 |= CR0_PG;
	if (level == PAGING32)
		crs->cr4 |= CR4_PSE;
	if (level >= PAGING_PAE)
		crs->cr4 |= CR4_PAE;
	if (level >= LONG)
		crs->efer |= EFER_LME | EFER_LMA;
	crs->efer |= EFER_SCE | (one_in(rng, 2) ? EFER_NXE : 0);
	crs->efer &= cpu->vm->efer | EFER_LMA;
	crs->cr4 &= cpu->vm->cr4;
	crs->cr8 = one_in(rng, 4) ? below(rng, 16) : 0;
	crs->xcr0 = one_in(rng, 2) ? vitro_get_info(cpu->vm->dev)->xcr0 : 1;
}

/* A register that the module checks, or the CPU: some values pass, some do not. */
static void change_crs(struct cpu *cpu, struct vitro_crs *crs)
{
	struct rng *rng = &cpu->rng;

	switch (below(rng, 6)) {
	case 0:
		crs->cr0 ^= 1ULL << below(rng, 32);
		break;
	case 1:
		crs->cr4 ^= cpu->vm->cr4 & 1ULL << below(rng, 32);
		break;
	case 2:
		crs->cr4 = rnd(rng) & cpu->vm->cr4;
		break;
	case 3:
		crs->efer ^= (cpu->vm->efer | EFER_LMA) & 1ULL << below(rng, 16);
		break;
	case 4:
		crs->cr3 = random_address(rng) & 0xffffffffff;
		break;
	case 5:
		crs->xcr0 = rnd(rng) & vitro_get_info(cpu->vm->dev)->xcr0;
		break;
	}
}

static void change_segs(struct rng *rng, struct vitro_segs *segs)
{
	struct vitro_segment *seg = &segs->seg[below(rng, on_tcg ? VITRO_TR : VITRO_NR_SEGS)];

	switch (below(rng, 6)) {
	case 0:
		seg->selector = rnd(rng);
		break;
	case 1:
		seg->attrib ^= 1U << below(rng, 12);
		break;
	case 2:
		seg->limit = one_in(rng, 2) ? below(rng, RAM_SIZE) : rnd(rng);
		break;
	case 3:
		seg->base = random_address(rng);
		break;
	case 4:
		segs->gdtr.base = random_address(rng);
		segs->gdtr.limit = below(rng, 0x10000);
		break;
	case 5:
		segs->idtr.base = random_address(rng);
		segs->idtr.limit = below(rng, 0x10000);
		break;
	}
}

static void random_events(struct rng *rng, struct vitro_events *e, bool real)
{
	if (one_in(rng, 4)) {
		e->exc_pending = 1;
		e->exc_vector = below(rng, 32);
		e->exc_vector += e->exc_vector == 2;
		/* VM entry wants just that (SDM 3C 27.2.1.3), but for a few. */
		e->exc_has_error = one_in(rng, 16) ? one_in(rng, 2) :
				   !real && has_error(e->exc_vector);
		e->exc_error = one_in(rng, 2) ? 0 : rnd(rng) & 0x7fff;
	}
	if (one_in(rng, 8)) {
		e->intr_pending = 1;
		e->intr_vector = rnd(rng);
	}
	e->nmi_pending = one_in(rng, 8) ? below(rng, 3) : 0;
	e->nmi_blocked = one_in(rng, 8);
	e->shadow = one_in(rng, 8);
	if (one_in(rng, 64))
		e->mp_state = below(rng, VITRO_MP_SHUTDOWN + 1);
}

static void random_msrs(struct rng *rng, struct vitro_msrs *m)
{
	m->star = one_in(rng, 4) ? rnd(rng) :
		  (uint64_t)SEL_CODE64 << 32 | (uint64_t)(SEL_USER_DATA - 8) << 48;
	m->lstar = canonical(random_address(rng));
	m->cstar = canonical(random_address(rng));
	m->sfmask = rnd(rng) & 0xffffffff;
	m->kernel_gs_base = canonical(random_address(rng));
	m->sysenter_cs = one_in(rng, 2) ? SEL_CODE32 : below(rng, GDT_SIZE);
	m->sysenter_esp = canonical(random_address(rng));
	m->sysenter_eip = CODE(0) + below(rng, PAGE);
	m->tsc_aux = rnd(rng) & 0xffffffff;
	m->apic_base = (m->apic_base & ~(APIC_ENABLE | APIC_X2)) |
		       (one_in(rng, 16) ? 0 : APIC_ENABLE | (one_in(rng, 2) ? APIC_X2 : 0));
	if (one_in(rng, 16))
		m->tsc_deadline = 1 + below(rng, 1 << 30);
	if (one_in(rng, 8))
		m->kvm_system_time = (random_address(rng) & ~3ULL) | 1;
	if (one_in(rng, 8))
		m->kvm_wall_clock = random_address(rng) & ~3ULL;
}

/* SDM 1 13.4: x87 from 0, XMM from 160, header at 512, YMM's upper halves from 576 */
static void random_fpu(struct cpu *cpu, unsigned char *xsave)
{
	uint64_t offered = vitro_get_info(cpu->vm->dev)->xcr0 | 3;
	struct rng *rng = &cpu->rng;
	uint16_t fcw = rnd(rng);
	uint32_t mxcsr = rnd(rng) & 0xffbf;
	unsigned int i;

	memcpy(xsave, &fcw, sizeof(fcw));
	memcpy(xsave + 24, &mxcsr, sizeof(mxcsr));
	for (i = 32; i < 416; i += 8)
		put(xsave, i, rnd(rng));
	for (i = 576; i < 832; i += 8)
		put(xsave, i, rnd(rng));
	put(xsave, 512, rnd(rng) & offered);
}

/**
 * random_state - give a vCPU a program's state; the next run loads it
 * @cpu: the vCPU; sets its bits
 */
void random_state(struct cpu *cpu)
{
	static const enum level levels[] = {
		REAL, REAL, BIG_REAL, V86, PROT16, PROT32, PROT32, PAGING32, PAGING_PAE,
		LONG, LONG, LONG, LONG, COMPAT32, COMPAT16,
	};
	struct vitro_state *s = &cpu->comm->state;
	struct rng *rng = &cpu->rng;
	enum level level = levels[below(rng, ARRAY_SIZE(levels))];
	bool user = level > V86 && one_in(rng, 3);
	unsigned int i, n;

	if (cpu->vm->no_lme && level >= LONG)
		level = PROT32;
	*s = cpu->fresh;
	cpu->bits = level == LONG ? 64 : level == COMPAT32 ||
		    (level >= PROT32 && level <= PAGING_PAE) ? 32 : 16;
	set_segs(&s->segs, level, user);
	set_crs(cpu, &s->crs, level);

	for (i = 0; i < VITRO_NR_GPRS; i++)
		s->gprs.gpr[i] = one_in(rng, 4) ? rnd(rng) & 0xffff : random_address(rng);
	s->gprs.gpr[VITRO_RSP] = one_in(rng, 16) ? random_address(rng) : STACK_TOP(cpu->id);
	s->gprs.rip = CODE(cpu->id) + (one_in(rng, 4) ? below(rng, PAGE - 80) : 0);
	/* Interrupts seldom on, as HLT would then sleep until the watchdog comes. */
	s->gprs.rflags = 2 | (rnd(rng) & (one_in(rng, 4) ? 0x3cd5 : 0xcd5)) |
			 (one_in(rng, 3) ? 0x200 : 0) | (one_in(rng, 16) ? rnd(rng) & 0x3f7fd5 : 0);
	s->gprs.rflags &= ~FLAG_VM;
	if (level == V86)
		s->gprs.rflags |= FLAG_VM | (one_in(rng, 2) ? 0x3000 : 0);
	if (one_in(rng, 4)) {
		for (i = 0; i < 4; i++)
			s->drs.dr[i] = random_address(rng);
		s->drs.dr7 = rnd(rng) & 0xffff27ff;
		s->drs.dr6 = one_in(rng, 2) ? s->drs.dr6 : rnd(rng) & 0xffffffff;
	}
	random_msrs(rng, &s->msrs);
	random_events(rng, &s->events, level <= BIG_REAL);
	if (one_in(rng, 4))
		random_fpu(cpu, s->fpu.xsave);
	if (one_in(rng, 32))
		s->time.tsc = rnd(rng);

	for (n = one_in(rng, 2) ? 0 : 1 + below(rng, 3); n; n--)
		if (one_in(rng, 2))
			change_crs(cpu, &s->crs);
		else
			change_segs(rng, &s->segs);
	if (cpu->vm->no_lme)
		s->crs.efer &= ~(EFER_LME | EFER_LMA);
	if (cpu->vm->no_cr4)
		s->crs.cr4 |= CR4_PAE;
	cpu->comm->dirty = VITRO_STATE_ALL & ~(one_in(rng, 32) ? 0 : VITRO_STATE_TIME);
}
