// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of a local APIC, and the rules of priority.
 *
 * One register file has two doors (SDM 3A 11.4.1, 11.12.1): in xAPIC mode a page
 * at 0xfee00000, in x2APIC mode the MSRs from 0x800 on.  Register n is at offset
 * 16 * n of the page and is MSR 0x800 + n.  The page forgives, the MSRs do not:
 * what one ignores, the other answers with #GP.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <asm/msr-index.h>

#include "apic/apic.h"
#include "core/vitro.h"

#define NR_REGS		0x40
#define XAPIC_PAGE	0x1000
#define NR_VECTORS_APIC	256
#define APIC_VERSION	0x14	/* integrated, Pentium 4 and later (SDM 3A 11.4.8) */
#define SVR_AFTER_RESET	0xff
#define LVT_MODE_BITS	(3U << 17)

/* How a register may be used. */
#define RO		1
#define WO		2
#define RW		3
#define READABLE(use)	((use) & RO)
#define WRITABLE(use)	((use) & WO)

/**
 * struct reg_rule - what software may do to a register
 * @xapic: through the page: RO, WO, RW; 0 when there is no such register
 * @x2apic: through the MSRs
 * @bits: those that can be written; the others are reserved or read-only
 */
struct reg_rule {
	u8 xapic;
	u8 x2apic;
	u32 bits;
};

/*
 * SDM 3A tables 11-1 and 11-6.  The id may not be changed, as on most processors
 * (SDM 3A 11.4.6).  No CMCI: the version register says six LVT entries.
 */
static const struct reg_rule rules[NR_REGS] = {
	[APIC_ID >> 4]			= { RW, RO, 0 },
	[APIC_LVR >> 4]			= { RO, RO, 0 },
	[APIC_TASKPRI >> 4]		= { RW, RW, 0xff },
	[APIC_ARBPRI >> 4]		= { RO, 0, 0 },
	[APIC_PROCPRI >> 4]		= { RO, RO, 0 },
	[APIC_EOI >> 4]			= { WO, WO, 0 },
	[APIC_RRR >> 4]			= { RO, 0, 0 },
	[APIC_LDR >> 4]			= { RW, RO, 0xff000000 },
	[APIC_DFR >> 4]			= { RW, 0, 0xf0000000 },
	[APIC_SPIV >> 4]		= { RW, RW, 0x3ff },
	[APIC_ISR >> 4 ... (APIC_ISR >> 4) + 7] = { RO, RO, 0 },
	[APIC_TMR >> 4 ... (APIC_TMR >> 4) + 7] = { RO, RO, 0 },
	[APIC_IRR >> 4 ... (APIC_IRR >> 4) + 7] = { RO, RO, 0 },
	[APIC_ESR >> 4]			= { RW, RW, 0 },
	[APIC_ICR >> 4]			= { RW, RW, 0x000ccfff },
	[APIC_ICR2 >> 4]		= { RW, 0, 0xff000000 },
	[APIC_LVTT >> 4]		= { RW, RW, 0x000700ff },
	[APIC_LVTTHMR >> 4]		= { RW, RW, 0x000107ff },
	[APIC_LVTPC >> 4]		= { RW, RW, 0x000107ff },
	[APIC_LVT0 >> 4]		= { RW, RW, 0x0001a7ff },
	[APIC_LVT1 >> 4]		= { RW, RW, 0x0001a7ff },
	[APIC_LVTERR >> 4]		= { RW, RW, 0x000100ff },
	[APIC_TMICT >> 4]		= { RW, RW, 0xffffffff },
	[APIC_TMCCT >> 4]		= { RO, RO, 0 },
	[APIC_TDCR >> 4]		= { RW, RW, 0x0000000b },
	[APIC_SELF_IPI >> 4]		= { 0, WO, 0x000000ff },
};

/* The rule of register number @nr; no index from a guest is followed blindly. */
static const struct reg_rule *rule_of(u32 nr)
{
	static const struct reg_rule none;

	if (nr >= NR_REGS)
		return &none;
	return &rules[array_index_nospec(nr, NR_REGS)];
}

static bool in_x2apic_mode(const struct lapic *apic)
{
	return READ_ONCE(apic->base) & X2APIC_ENABLE;
}

static bool in_xapic_mode(const struct lapic *apic)
{
	return (READ_ONCE(apic->base) & (XAPIC_ENABLE | X2APIC_ENABLE)) == XAPIC_ENABLE;
}

/* ----------------------------------------------------------------- priorities */

/* The highest vector in IRR or ISR, or -1. */
static int highest(const unsigned long *bits)
{
	int i;

	/* Twice in every entry, and nearly always there is nothing. */
	for (i = BITS_TO_LONGS(NR_VECTORS_APIC) - 1; i >= 0; i--) {
		unsigned long word = READ_ONCE(bits[i]);

		if (word)
			return i * BITS_PER_LONG + __fls(word);
	}
	return -1;
}

/**
 * lapic_ppr - processor priority: what an interrupt must exceed to be delivered
 * @apic: of any vCPU; from another thread the result is a hint
 *
 * The higher class of TPR and of the interrupt in service (SDM 3A 11.8.3.1).
 *
 * Return: the PPR.
 */
u8 lapic_ppr(const struct lapic *apic)
{
	int serving = highest(apic->isr);
	u8 tpr = READ_ONCE(apic->tpr);

	if (serving < 0 || tpr >> 4 >= serving >> 4)
		return tpr;
	return serving & 0xf0;
}

/**
 * lapic_pending - the interrupt to deliver now, if the guest takes interrupts
 * @vcpu: the vCPU, on its own thread
 *
 * An ExtINT comes from outside of the APIC, which has no say in its priority.
 *
 * Return: its vector, or -1.
 */
int lapic_pending(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;
	int extint = READ_ONCE(apic->extint);
	int vector;

	if (extint >= 0)
		return extint;
	vector = highest(apic->irr);
	if (vector < 0 || vector >> 4 <= lapic_ppr(apic) >> 4)
		return -1;
	return vector;
}

/**
 * lapic_has_irr - does a request wait that only the TPR holds back?
 * @vcpu: the vCPU, on its own thread; lapic_pending gave -1
 *
 * What the interrupt in service holds back waits for its EOI, which exits anyway.
 *
 * Return: true if the guest's next write of CR8 may have to be seen.
 */
bool lapic_has_irr(struct vitro_vcpu *vcpu)
{
	int vector = highest(vcpu->apic.irr);

	return vector >= 0 && vector >> 4 > highest(vcpu->apic.isr) >> 4;
}

/**
 * lapic_ack - the processor accepts an interrupt
 * @vcpu: the vCPU, on its own thread
 * @vector: what lapic_pending returned
 */
void lapic_ack(struct vitro_vcpu *vcpu, u8 vector)
{
	struct lapic *apic = &vcpu->apic;

	if (READ_ONCE(apic->extint) == vector) {
		WRITE_ONCE(apic->extint, -1);
		return;
	}
	clear_bit(vector, apic->irr);
	__set_bit(vector, apic->isr);
}

/**
 * lapic_set_tpr - set the task priority
 * @vcpu: the vCPU, on its own thread
 * @tpr: all eight bits; MOV to CR8 sets CR8 << 4 (SDM 3A 11.8.6)
 */
void lapic_set_tpr(struct vitro_vcpu *vcpu, u8 tpr)
{
	WRITE_ONCE(vcpu->apic.tpr, tpr);
}

/* End of interrupt: of the one in service with the highest priority (SDM 3A 11.8.5). */
static void end_of_interrupt(struct lapic *apic)
{
	int vector = highest(apic->isr);

	if (vector < 0)
		return;
	__clear_bit(vector, apic->isr);
	if (test_bit(vector, apic->tmr))
		apic->eoi_vector = vector;
}

/**
 * lapic_fire_lvt - raise the interrupt of an LVT entry, unless it is masked
 * @vcpu: the vCPU
 * @entry: LVT_TIMER or LVT_ERROR, whose delivery mode is always fixed
 */
void lapic_fire_lvt(struct vitro_vcpu *vcpu, enum lapic_lvt entry)
{
	u32 lvt = READ_ONCE(vcpu->apic.lvt[entry]);

	if (!(lvt & APIC_LVT_MASKED))
		apic_deliver(vcpu, APIC_DM_FIXED, lvt & APIC_VECTOR_MASK, false);
}

/**
 * lapic_set_pic - the wire from an 8259 goes up or down
 * @vcpu: the vCPU that it leads to
 * @level: up
 */
void lapic_set_pic(struct vitro_vcpu *vcpu, bool level)
{
	WRITE_ONCE(vcpu->apic.pic, level);
	if (level)
		vcpu_kick(vcpu);
}

/**
 * lapic_error - record an error and raise the error interrupt
 * @vcpu: the vCPU that detected it
 * @error: one of APIC_ESR_*
 *
 * The interrupt comes once until the guest writes the ESR (SDM 3A 11.5.3).  That
 * also ends the recursion when the error entry itself has an illegal vector.
 */
void lapic_error(struct vitro_vcpu *vcpu, u32 error)
{
	if (!atomic_fetch_or(error, &vcpu->apic.esr_pending))
		lapic_fire_lvt(vcpu, LVT_ERROR);
}

/* -------------------------------------------------------------- register file */

/* 32 of the 256 bits of IRR, ISR or TMR; @offset is from the first register. */
static u32 vector_word(const unsigned long *bits, u32 offset)
{
	u32 first = (offset >> 4) * 32;

	return READ_ONCE(bits[BIT_WORD(first)]) >> (first % BITS_PER_LONG);
}

/* Reads the register at @reg, which exists; write-only ones are zero. */
static u32 reg_read(struct vitro_vcpu *vcpu, u32 reg)
{
	struct lapic *apic = &vcpu->apic;

	switch (reg) {
	case APIC_ID:
		return in_x2apic_mode(apic) ? vcpu->id : vcpu->id << 24;
	case APIC_LVR:
		return APIC_VERSION | (NR_LVT - 1) << 16;
	case APIC_TASKPRI:
		return apic->tpr;
	case APIC_PROCPRI:
		return lapic_ppr(apic);
	case APIC_LDR:
		return apic->ldr;
	case APIC_DFR:
		return apic->dfr;
	case APIC_SPIV:
		return apic->svr;
	case APIC_ISR ... APIC_ISR + 0x70:
		return vector_word(apic->isr, reg - APIC_ISR);
	case APIC_TMR ... APIC_TMR + 0x70:
		return vector_word(apic->tmr, reg - APIC_TMR);
	case APIC_IRR ... APIC_IRR + 0x70:
		return vector_word(apic->irr, reg - APIC_IRR);
	case APIC_ESR:
		return apic->esr;
	case APIC_ICR:
		return apic->icr;
	case APIC_ICR2:
		return apic->icr >> 32;
	case APIC_LVTT ... APIC_LVTERR:
		return apic->lvt[(reg - APIC_LVTT) >> 4];
	case APIC_TMICT:
		return apic->timer_icr;
	case APIC_TMCCT:
		return apic_timer_count(vcpu);
	case APIC_TDCR:
		return apic->timer_dcr;
	default:
		return 0;
	}
}

/* A disabled APIC keeps its LVT entries masked (SDM 3A 11.4.7.2). */
static void write_lvt(struct vitro_vcpu *vcpu, enum lapic_lvt entry, u32 value)
{
	struct lapic *apic = &vcpu->apic;

	if (!(apic->svr & APIC_SPIV_APIC_ENABLED))
		value |= APIC_LVT_MASKED;
	if (entry == LVT_TIMER)
		apic_timer_set_mode(vcpu, value);
	WRITE_ONCE(apic->lvt[entry], value);
}

static void write_svr(struct vitro_vcpu *vcpu, u32 value)
{
	struct lapic *apic = &vcpu->apic;
	int entry;

	WRITE_ONCE(apic->svr, value);
	for (entry = 0; entry < NR_LVT; entry++)
		write_lvt(vcpu, entry, apic->lvt[entry]);
}

static void write_icr(struct vitro_vcpu *vcpu, u64 value)
{
	vcpu->apic.icr = value;
	apic_send_ipi(vcpu, value);
}

/* Writes the register at @reg; @value has no bits outside of the register's rule. */
static void reg_write(struct vitro_vcpu *vcpu, u32 reg, u32 value)
{
	struct lapic *apic = &vcpu->apic;

	switch (reg) {
	case APIC_TASKPRI:
		lapic_set_tpr(vcpu, value);
		break;
	case APIC_EOI:
		end_of_interrupt(apic);
		break;
	case APIC_LDR:
		WRITE_ONCE(apic->ldr, value);
		break;
	case APIC_DFR:
		WRITE_ONCE(apic->dfr, value | APIC_DFR_CLUSTER);
		break;
	case APIC_SPIV:
		write_svr(vcpu, value);
		break;
	case APIC_ESR:
		apic->esr = atomic_xchg(&apic->esr_pending, 0);
		break;
	case APIC_ICR:
		write_icr(vcpu, (apic->icr & GENMASK_ULL(63, 32)) | value);
		break;
	case APIC_ICR2:
		apic->icr = (u64)value << 32 | (u32)apic->icr;
		break;
	case APIC_LVTT ... APIC_LVTERR:
		write_lvt(vcpu, (reg - APIC_LVTT) >> 4, value);
		break;
	case APIC_TMICT:
		apic_timer_start(vcpu, value);
		break;
	case APIC_TDCR:
		apic_timer_set_divide(vcpu, value);
		break;
	case APIC_SELF_IPI:
		apic_send_ipi(vcpu, APIC_DEST_SELF | APIC_DM_FIXED | value);
		break;
	}
}

/* ------------------------------------------------------------- door 1: the page */

/* Is there a page, and can it be accessed at @offset? */
static int check_offset(struct vitro_vcpu *vcpu, u32 offset)
{
	if (offset >= XAPIC_PAGE || offset % 16)
		return -EINVAL;
	return in_xapic_mode(&vcpu->apic) ? 0 : -ENXIO;
}

/**
 * lapic_read - read a register through the xAPIC page
 * @vcpu: the vCPU, on its own thread
 * @offset: in the page, a multiple of 16
 * @value: the register; zero for a reserved one, which is an error that the guest
 *	finds in its ESR (SDM 3A 11.5.3, illegal register address)
 *
 * Return: 0; -EINVAL for a bad offset; -ENXIO when there is no page, because the
 * APIC is disabled or in x2APIC mode.
 */
int lapic_read(struct vitro_vcpu *vcpu, u32 offset, u32 *value)
{
	u8 use = rule_of(offset >> 4)->xapic;
	int err = check_offset(vcpu, offset);

	if (err)
		return err;
	*value = 0;
	if (!use)
		lapic_error(vcpu, APIC_ESR_ILLREGA);
	if (READABLE(use))
		*value = reg_read(vcpu, offset);
	return 0;
}

/**
 * lapic_write - write a register through the xAPIC page
 * @vcpu: the vCPU, on its own thread
 * @offset: in the page, a multiple of 16
 * @value: reserved and read-only bits and registers ignore it
 *
 * Call lapic_take_eoi afterwards.
 *
 * Return: as lapic_read.
 */
int lapic_write(struct vitro_vcpu *vcpu, u32 offset, u32 value)
{
	const struct reg_rule *rule = rule_of(offset >> 4);
	int err = check_offset(vcpu, offset);

	if (err)
		return err;
	if (!rule->xapic)
		lapic_error(vcpu, APIC_ESR_ILLREGA);
	if (WRITABLE(rule->xapic))
		reg_write(vcpu, offset, value & rule->bits);
	return 0;
}

/* ------------------------------------------------------------- door 2: the MSRs */

/**
 * lapic_rdmsr - read a register through an x2APIC MSR
 * @vcpu: the vCPU, on its own thread
 * @msr: 0x800 to 0x8ff
 * @value: the register
 *
 * Return: 0, or -EINVAL, for which the guest gets #GP: not in x2APIC mode, no such
 * register, or it is write-only (SDM 3A 11.12.1.2).
 */
int lapic_rdmsr(struct vitro_vcpu *vcpu, u32 msr, u64 *value)
{
	u32 nr = msr - APIC_BASE_MSR;

	if (!in_x2apic_mode(&vcpu->apic) || !READABLE(rule_of(nr)->x2apic))
		return -EINVAL;
	/* The one register of 64 bits: its two halves became one (SDM 3A 11.12.9). */
	*value = nr << 4 == APIC_ICR ? vcpu->apic.icr : reg_read(vcpu, nr << 4);
	return 0;
}

/**
 * lapic_wrmsr - write a register through an x2APIC MSR
 * @vcpu: the vCPU, on its own thread
 * @msr: 0x800 to 0x8ff
 * @value: what to write
 *
 * Call lapic_take_eoi afterwards.
 *
 * Return: 0, or -EINVAL, for which the guest gets #GP: not in x2APIC mode, no such
 * register, it is read-only, or @value has a reserved bit (SDM 3A 11.12.1.3).
 */
int lapic_wrmsr(struct vitro_vcpu *vcpu, u32 msr, u64 value)
{
	u32 nr = msr - APIC_BASE_MSR;
	const struct reg_rule *rule = rule_of(nr);
	u32 reg = nr << 4;
	u64 bits = rule->bits;

	if (!in_x2apic_mode(&vcpu->apic) || !WRITABLE(rule->x2apic))
		return -EINVAL;
	if (reg == APIC_ICR)
		bits |= GENMASK_ULL(63, 32);
	/* Read-only in the LVT, not reserved; Linux writes them when it shuts down. */
	if (reg >= APIC_LVTT && reg <= APIC_LVTERR)
		value &= ~(u64)(APIC_SEND_PENDING | APIC_LVT_REMOTE_IRR);
	if (value & ~bits)
		return -EINVAL;
	/* Timer mode 11b is reserved (SDM 3A 11.5.1); the page takes it for one-shot. */
	if (reg == APIC_LVTT && (value & LVT_MODE_BITS) == LVT_MODE_BITS)
		return -EINVAL;
	if (reg == APIC_ICR)
		write_icr(vcpu, value);
	else
		reg_write(vcpu, reg, value);
	return 0;
}

/* ------------------------------------------------------------ modes and the rest */

/* In x2APIC mode the logical id follows from the id (SDM 3A 11.12.10.2). */
static u32 x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | BIT(id & 0xf);
}

/**
 * lapic_set_base - WRMSR to IA32_APIC_BASE
 * @vcpu: the vCPU, on its own thread
 * @value: what to write; the BSP flag cannot be changed
 *
 * The legal ways between disabled, xAPIC and x2APIC are those of SDM 3A 11.12.5:
 * from x2APIC back to xAPIC, and from disabled to x2APIC, only by way of the third.
 *
 * Return: 0, or -EINVAL, for which the guest gets #GP: a reserved bit, another
 * base address than 0xfee00000, or an illegal transition.
 */
int lapic_set_base(struct vitro_vcpu *vcpu, u64 value)
{
	const u64 modes = XAPIC_ENABLE | X2APIC_ENABLE;
	struct lapic *apic = &vcpu->apic;
	u64 from = apic->base & modes;
	u64 to = value & modes;

	if ((value & ~(modes | MSR_IA32_APICBASE_BSP)) != APIC_DEFAULT_PHYS_BASE)
		return -EINVAL;
	if (to == X2APIC_ENABLE)
		return -EINVAL;
	if ((from == modes && to == XAPIC_ENABLE) || (!from && to == modes))
		return -EINVAL;
	if (from == to)
		return 0;

	WRITE_ONCE(apic->base, (apic->base & ~modes) | to);
	if (to == modes)
		WRITE_ONCE(apic->ldr, x2apic_ldr(vcpu->id));
	if (!to)
		lapic_reset(vcpu);	/* a disabled APIC forgets (SDM 3A 11.4.3) */
	return 0;
}

/**
 * lapic_reset - the state after power-on and after INIT
 * @vcpu: the vCPU, on its own thread
 *
 * SDM 3A 11.4.7.1 and 11.4.7.3.  The id, and the mode in IA32_APIC_BASE, stay.
 */
void lapic_reset(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;
	int entry;

	apic_timer_stop(vcpu);
	for (entry = 0; entry < NR_LVT; entry++)
		WRITE_ONCE(apic->lvt[entry], APIC_LVT_MASKED);
	WRITE_ONCE(apic->svr, SVR_AFTER_RESET);
	WRITE_ONCE(apic->dfr, APIC_DFR_FLAT);
	WRITE_ONCE(apic->ldr, in_x2apic_mode(apic) ? x2apic_ldr(vcpu->id) : 0);
	WRITE_ONCE(apic->extint, -1);
	bitmap_zero(apic->irr, NR_VECTORS_APIC);
	bitmap_zero(apic->isr, NR_VECTORS_APIC);
	bitmap_zero(apic->tmr, NR_VECTORS_APIC);
	atomic_set(&apic->esr_pending, 0);
	apic->esr = 0;
	apic->icr = 0;
	apic->eoi_vector = -1;
	apic->timer_dcr = 0;
	lapic_set_tpr(vcpu, 0);
}

/**
 * lapic_init - a new vCPU's APIC, in xAPIC mode as after power-on
 * @vcpu: the vCPU, not yet reachable by others
 */
void lapic_init(struct vitro_vcpu *vcpu)
{
	vcpu->apic.base = APIC_DEFAULT_PHYS_BASE | XAPIC_ENABLE;
	if (vcpu->id == 0)
		vcpu->apic.base |= MSR_IA32_APICBASE_BSP;
	apic_timer_init(vcpu);
	lapic_reset(vcpu);
}

/**
 * lapic_fini - the vCPU ends: nothing fires any more
 * @vcpu: the vCPU, not in use by any thread
 */
void lapic_fini(struct vitro_vcpu *vcpu)
{
	apic_timer_stop(vcpu);
}
