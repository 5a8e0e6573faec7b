/* SPDX-License-Identifier: GPL-2.0-only */
/* The local APIC, as the rest of the module sees it. */
#ifndef VITRO_APIC_H
#define VITRO_APIC_H

#include "core/vitro.h"

/* lapic.c: registers and the priority rules; all on the vCPU's own thread */
void lapic_init(struct vitro_vcpu *vcpu);
void lapic_fini(struct vitro_vcpu *vcpu);
void lapic_reset(struct vitro_vcpu *vcpu);
int lapic_read(struct vitro_vcpu *vcpu, u32 offset, u32 *value);
int lapic_write(struct vitro_vcpu *vcpu, u32 offset, u32 value);
int lapic_rdmsr(struct vitro_vcpu *vcpu, u32 msr, u64 *value);
int lapic_wrmsr(struct vitro_vcpu *vcpu, u32 msr, u64 value);
int lapic_set_base(struct vitro_vcpu *vcpu, u64 value);

/*
 * Interrupts for the guest.  lapic_pending: the vector that would be delivered
 * now, or -1 (TPR and PPR are taken into account, RFLAGS.IF is not).  lapic_ack:
 * it is being delivered.  lapic_unack: it was not, after all.
 */
int lapic_pending(struct vitro_vcpu *vcpu);
void lapic_ack(struct vitro_vcpu *vcpu, u8 vector);
void lapic_set_tpr(struct vitro_vcpu *vcpu, u8 tpr);

/* dest.c: who is addressed, and delivery; from any context */
int apic_send_msi(struct vitro_vm *vm, u64 addr, u32 data);
void apic_send_ipi(struct vitro_vcpu *from, u64 icr);
bool apic_deliver(struct vitro_vcpu *to, u32 mode, u8 vector, bool level);

/* timer.c */
void apic_timer_init(struct vitro_vcpu *vcpu);
void apic_timer_stop(struct vitro_vcpu *vcpu);
void apic_timer_start(struct vitro_vcpu *vcpu);
u32 apic_timer_count(struct vitro_vcpu *vcpu);
void apic_timer_set_deadline(struct vitro_vcpu *vcpu, u64 guest_tsc);
void apic_timer_deliver(struct vitro_vcpu *vcpu);

#endif /* VITRO_APIC_H */
