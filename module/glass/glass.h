/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The room for those who look inside: times and counters (watch.c), the exit recorder
 * (recorder.c), queries and events over netlink (netlink.c), tracepoints (trace.h).
 *
 * While nobody watches or records, each call in the way of an exit is a static branch.
 */
#ifndef VITRO_GLASS_H
#define VITRO_GLASS_H

#include <linux/jump_label_ratelimit.h>
#include <linux/vitro_netlink.h>

#include "core/vitro.h"

/*
 * watch.c.  The key is on while any VM is watched or any vCPU recorded, and a second longer:
 * anybody with a VM can turn it, and each turn patches code and interrupts all CPUs.
 */
extern struct static_key_false_deferred glass_key;
int glass_vcpu_init(struct vitro_vcpu *vcpu);
void glass_note_entry(struct vitro_vcpu *vcpu);
void glass_note_exit(struct vitro_vcpu *vcpu);
void glass_note_place(struct vitro_vcpu *vcpu, enum vitro_place place);
void glass_note_reason(struct vitro_vcpu *vcpu);

/* In a burst, right before the guest is entered: the exit before is done with. */
static inline void glass_entry(struct vitro_vcpu *vcpu)
{
	if (static_branch_unlikely(&glass_key.key))
		glass_note_entry(vcpu);
}

/* In a burst, right after the guest: vcpu->exit and vcpu->regs are new. */
static inline void glass_exit(struct vitro_vcpu *vcpu)
{
	if (static_branch_unlikely(&glass_key.key))
		glass_note_exit(vcpu);
}

/* The vCPU's thread has come to @place. */
static inline void glass_place(struct vitro_vcpu *vcpu, enum vitro_place place)
{
	if (static_branch_unlikely(&glass_key.key))
		glass_note_place(vcpu, place);
}

/* The reason in vcpu->exit has turned out to be another. */
static inline void glass_reason(struct vitro_vcpu *vcpu)
{
	if (static_branch_unlikely(&glass_key.key))
		glass_note_reason(vcpu);
}

/* recorder.c */
int ring_start(struct vitro_vcpu *vcpu, const struct vitro_record_start *req);
void ring_end(struct vitro_vcpu *vcpu);
void ring_add(struct vitro_vcpu *vcpu);
void ring_update(struct vitro_vcpu *vcpu);
void ring_complete(struct vitro_vcpu *vcpu);

/* netlink.c */
int glass_init(void);
void glass_exit_module(void);
void glass_vm_init(struct vitro_vm *vm);
void glass_vm_fini(struct vitro_vm *vm);
int glass_set_name(struct vitro_vm *vm, const struct vitro_name *name);
int glass_report(struct vitro_vm *vm, const struct vitro_report *report);
void glass_vcpu_event(const struct vitro_vcpu *vcpu, enum vitro_event event);

#endif /* VITRO_GLASS_H */
