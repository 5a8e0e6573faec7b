/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the core offer each other, and nobody else. */
#ifndef VITRO_CORE_H
#define VITRO_CORE_H

#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "apic/apic.h"
#include "core/backend.h"

/* dev.c: what fds are made of */
extern const struct file_operations vitro_dev_fops;
extern const struct file_operations vitro_vm_fops;
extern const struct file_operations vitro_vcpu_fops;

/* vm.c */
struct vitro_vm *vm_create(void);
void vm_put(struct vitro_vm *vm);
int vm_create_vcpu(struct vitro_vm *vm, u32 id);

/* vcpu.c */
struct vitro_vcpu *vcpu_create(struct vitro_vm *vm, u32 id);
void vcpu_free(struct vitro_vcpu *vcpu);
void vcpu_close(struct vitro_vcpu *vcpu);
void vcpu_reset(struct vitro_vcpu *vcpu, bool power_on);
int vcpu_run(struct vitro_vcpu *vcpu);

/*
 * Does something wait for this thread to return to userspace?  Signals, and work that
 * other parts of the kernel have left for that moment.
 */
static inline bool vcpu_must_return(void)
{
	return signal_pending(current) || task_work_pending(current);
}

/* burst.c */
int burst(struct vitro_vcpu *vcpu);

/* exit.c */
enum verdict exit_handle(struct vitro_vcpu *vcpu);
bool exit_eoi(struct vitro_vcpu *vcpu);

/* event.c */
void event_raise_again(struct vitro_vcpu *vcpu, const struct vcpu_event *ev);
bool event_prepare(struct vitro_vcpu *vcpu);
bool event_wakes(struct vitro_vcpu *vcpu);
bool event_inta(struct vitro_vcpu *vcpu);
void event_reset(struct vitro_vcpu *vcpu);
void event_store(struct vitro_vcpu *vcpu, struct vitro_events *to);
void event_load(struct vitro_vcpu *vcpu, const struct vitro_events *from);

/*
 * Asked at each entry, and nearly always true: nothing waits to be delivered, whatever the
 * guest's flags are, and the backend watches for no window.
 */
static inline bool event_quiet(const struct vitro_vcpu *vcpu)
{
	const struct vcpu_events *events = &vcpu->events;

	return events->exception.type == EV_NONE && events->inflight.type == EV_NONE &&
	       !events->windows && !atomic_read(&events->nmi_pending) &&
	       lapic_quiet(&vcpu->apic);
}

/* state.c */
int state_load(struct vitro_vcpu *vcpu, u64 mask);
void state_store(struct vitro_vcpu *vcpu, u64 mask);
void state_store_exit(struct vitro_vcpu *vcpu);
bool cr0_valid(struct vitro_vcpu *vcpu, u64 cr0);
bool cr4_valid(const struct vitro_vcpu *vcpu, u64 cr4);

/* deadline.c */
void deadline_init(struct vitro_vm *vm);
void deadline_fini(struct vitro_vm *vm);
void deadline_new_vcpu(struct vitro_vcpu *vcpu);
int deadline_set(struct vitro_vm *vm, const struct vitro_deadline *req);

/* dump.c */
int dump_get(struct vitro_vcpu *vcpu, struct vitro_dump *req);

/* debug.c: a debugger outside */
int debug_set(struct vitro_vcpu *vcpu, const struct vitro_debug *req);
void debug_reset(struct vitro_vcpu *vcpu);
void debug_store_drs(struct vitro_vcpu *vcpu, struct vitro_drs *drs);
void debug_load_drs(struct vitro_vcpu *vcpu, const struct vitro_drs *drs);
int debug_look(struct vitro_vcpu *vcpu);
void debug_entry(struct vitro_vcpu *vcpu, bool event);
void debug_left(struct vitro_vcpu *vcpu);
void debug_skipped(struct vitro_vcpu *vcpu);
bool debug_takes_exception(struct vitro_vcpu *vcpu);
bool debug_mov_dr(struct vitro_vcpu *vcpu);
bool debug_report(struct vitro_vcpu *vcpu);

/* Its breakpoints, and not the guest's, are in force. */
static inline bool debug_has_drs(const struct vitro_vcpu *vcpu)
{
	return vcpu->debug.flags & (VITRO_DEBUG_HW | VITRO_DEBUG_STEP);
}

static inline bool debug_steps(const struct vitro_vcpu *vcpu)
{
	return vcpu->debug.flags & VITRO_DEBUG_STEP;
}

/* It does, and the instruction at RIP is one that debug_look() has not seen. */
static inline bool debug_stale(const struct vitro_vcpu *vcpu)
{
	return debug_steps(vcpu) && vcpu->debug.step_rip != vcpu->regs.rip;
}

/* cpuid.c */
void cpuid_init(void);
int cpuid_copy_default(u64 __user *dst, u32 room, u32 *nr);
int cpuid_set(struct vitro_vcpu *vcpu, const struct vitro_cpuid *req);
int cpuid_set_default(struct vitro_vcpu *vcpu);
void cpuid_answer(struct vitro_vcpu *vcpu, u32 leaf, u32 subleaf, u32 out[4]);

/* msr.c */
int msr_read(struct vitro_vcpu *vcpu, u32 index, u64 *value);
int msr_write(struct vitro_vcpu *vcpu, u32 index, u64 value);
bool msr_pat_valid(u64 pat);

/* host.c: what host and guest share and no VMCB or VMCS switches */
int host_init(void);
u64 host_xcr0(void);
u32 host_xsave_size(void);
void *host_xsave_alloc(void);
void host_xsave_reset(void *xsave);
bool host_xsave_valid(const void *xsave);
void host_xsave_fill(void *xsave);
bool host_xcr0_valid(u64 xcr0);
void host_set_xcr0(struct vitro_vcpu *vcpu, u64 xcr0);
bool host_has_tsc_aux(void);
void host_set_tsc_aux(struct vitro_vcpu *vcpu, u64 value);
void host_enter(struct vitro_vcpu *vcpu);
void host_leave(struct vitro_vcpu *vcpu);
void host_load_drs(struct vitro_vcpu *vcpu);

#endif /* VITRO_CORE_H */
