/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The local APIC (SDM 3A chapter 11), as the rest of the module sees it.
 *
 *   a register access                        a message: MSI, IPI, timer
 *   lapic_read/write    lapic_rdmsr/wrmsr        apic_send_msi/ipi
 *          \                 /                          |
 *           one register file                     who is addressed?
 *                                                       |
 *   lapic_pending, lapic_ack  <-- IRR, kick --  apic_deliver, once per target
 *
 * The left column runs on the vCPU's own thread, in a burst or outside of one.
 * The right column runs anywhere, hard interrupts included.
 */
#ifndef VITRO_APIC_H
#define VITRO_APIC_H

#include <asm/apicdef.h>

#include "core/vitro.h"

/* lapic.c: registers and the priority rules */
void lapic_init(struct vitro_vcpu *vcpu);
void lapic_fini(struct vitro_vcpu *vcpu);
void lapic_reset(struct vitro_vcpu *vcpu);
int lapic_read(struct vitro_vcpu *vcpu, u32 offset, u32 *value);
int lapic_write(struct vitro_vcpu *vcpu, u32 offset, u32 value);
int lapic_rdmsr(struct vitro_vcpu *vcpu, u32 msr, u64 *value);
int lapic_wrmsr(struct vitro_vcpu *vcpu, u32 msr, u64 value);
int lapic_set_base(struct vitro_vcpu *vcpu, u64 value);
void lapic_set_tpr(struct vitro_vcpu *vcpu, u8 tpr);

/*
 * Interrupts for the guest.  lapic_pending: the vector that would be delivered
 * now, or -1 (TPR and PPR are taken into account, RFLAGS.IF is not).  lapic_has_irr:
 * when there is none, would a lower TPR let one through?  lapic_ack: it is being
 * delivered; from then on vcpu->events.inflight remembers it.
 */
int lapic_pending(struct vitro_vcpu *vcpu);
bool lapic_has_irr(struct vitro_vcpu *vcpu);
void lapic_ack(struct vitro_vcpu *vcpu, u8 vector);

/*
 * Asked at each entry, and nearly always true: nothing is requested, so there is nothing
 * that priorities could say.
 */
static inline bool lapic_quiet(const struct lapic *apic)
{
	unsigned long irr = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(apic->irr); i++)
		irr |= READ_ONCE(apic->irr[i]);
	return !irr && READ_ONCE(apic->extint) < 0 && !READ_ONCE(apic->pic);
}

/*
 * The wire from an 8259 is up, and the processor listens to it: it is the INTR pin
 * while the APIC is disabled (SDM 3A 11.4.3), and else what LINT0 makes of it.  The
 * vector is asked for when the interrupt is delivered: VITRO_EXIT_INTA.
 */
static inline bool lapic_pic_asks(const struct vitro_vcpu *vcpu)
{
	const struct lapic *apic = &vcpu->apic;
	u32 lint0 = READ_ONCE(apic->lvt[LVT_LINT0]);

	if (!READ_ONCE(apic->pic))
		return false;
	if (!(READ_ONCE(apic->base) & XAPIC_ENABLE))
		return true;
	return (lint0 & (APIC_LVT_MASKED | APIC_MODE_MASK)) == APIC_DM_EXTINT;
}

/*
 * After a successful lapic_write or lapic_wrmsr: the vector of a level-triggered
 * interrupt that this write ended, once, or -1.  The IOAPIC, which is in userspace,
 * must hear of it: it exits to there as VITRO_EXIT_EOI.
 */
static inline int lapic_take_eoi(struct vitro_vcpu *vcpu)
{
	int vector = vcpu->apic.eoi_vector;

	vcpu->apic.eoi_vector = -1;
	return vector;
}

/* lapic.c, for the other files of this room; from any context */
u8 lapic_ppr(const struct lapic *apic);
void lapic_error(struct vitro_vcpu *vcpu, u32 error);
void lapic_fire_lvt(struct vitro_vcpu *vcpu, enum lapic_lvt entry);
void lapic_set_pic(struct vitro_vcpu *vcpu, bool level);

/*
 * dest.c: who is addressed, and delivery; from any context.  A mode is one of
 * APIC_DM_* of asm/apicdef.h.
 */
int apic_check_msi(u64 addr, u32 data);
int apic_send_msi(struct vitro_vm *vm, u64 addr, u32 data);
void apic_send_ipi(struct vitro_vcpu *from, u64 icr);
bool apic_deliver(struct vitro_vcpu *to, u32 mode, u8 vector, bool level);

/* timer.c: on the vCPU's own thread */
void apic_timer_init(struct vitro_vcpu *vcpu);
void apic_timer_stop(struct vitro_vcpu *vcpu);
void apic_timer_start(struct vitro_vcpu *vcpu, u32 count);
u32 apic_timer_count(struct vitro_vcpu *vcpu);
void apic_timer_set_mode(struct vitro_vcpu *vcpu, u32 lvt);
void apic_timer_set_divide(struct vitro_vcpu *vcpu, u32 dcr);
void apic_timer_set_deadline(struct vitro_vcpu *vcpu, u64 guest_tsc);
void apic_timer_tsc_moved(struct vitro_vcpu *vcpu);
void apic_timer_due(struct vitro_vcpu *vcpu);	/* outside of a burst */
void apic_timer_sleep(struct vitro_vcpu *vcpu);	/* likewise */
bool apic_timer_over(struct vitro_vcpu *vcpu);

#endif /* VITRO_APIC_H */
