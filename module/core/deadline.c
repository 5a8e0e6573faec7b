// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a VM's time: VITRO_SET_DEADLINE.
 *
 * A guest may spin with its interrupts off for as long as it likes, and the thread of the
 * process that is to stop it may wait for its turn just as long.  A timer of the kernel's
 * waits for nobody: it fires in hard interrupt context, where it marks the vCPUs and kicks
 * them.  The mark, REQ_DEADLINE, stays, so that whoever enters the guest later, leaves it.
 */
#include <linux/hrtimer.h>

#include "compat/compat.h"
#include "core/core.h"

static enum hrtimer_restart deadline_passed(struct hrtimer *timer)
{
	struct vitro_vm *vm = container_of(timer, struct vitro_vm, deadline);
	struct vitro_vcpu *vcpu;
	int i;

	WRITE_ONCE(vm->overdue, true);
	smp_mb();	/* pairs with deadline_new_vcpu() */
	rcu_read_lock();
	for (i = 0; i < VITRO_MAX_VCPUS; i++) {
		vcpu = rcu_dereference(vm->vcpu[i]);
		if (vcpu)
			vcpu_request(vcpu, REQ_DEADLINE);
	}
	rcu_read_unlock();
	return HRTIMER_NORESTART;
}

/**
 * deadline_init - a new VM has none
 * @vm: the VM
 */
void deadline_init(struct vitro_vm *vm)
{
	compat_hrtimer_setup(&vm->deadline, deadline_passed, CLOCK_MONOTONIC,
			     HRTIMER_MODE_ABS_HARD);
}

/**
 * deadline_fini - the VM ends
 * @vm: the VM
 */
void deadline_fini(struct vitro_vm *vm)
{
	hrtimer_cancel(&vm->deadline);
}

/**
 * deadline_new_vcpu - a vCPU has joined the machine, perhaps too late
 * @vcpu: it, where deadline_passed() finds it; vm->lock is held
 */
void deadline_new_vcpu(struct vitro_vcpu *vcpu)
{
	smp_mb();	/* first be found, then look: one of the two sees the other */
	if (READ_ONCE(vcpu->vm->overdue))
		set_bit(REQ_DEADLINE, &vcpu->requests);
}

/**
 * deadline_set - VITRO_SET_DEADLINE
 * @vm: the VM; its lock is held
 * @req: as userspace gave it
 *
 * Returns 0 or -EINVAL.
 */
int deadline_set(struct vitro_vm *vm, const struct vitro_deadline *req)
{
	struct vitro_vcpu *vcpu;
	ktime_t end;
	int i;

	if (req->flags || req->pad)
		return -EINVAL;
	hrtimer_cancel(&vm->deadline);
	WRITE_ONCE(vm->overdue, false);
	for (i = 0; i < VITRO_MAX_VCPUS; i++) {
		vcpu = rcu_dereference_protected(vm->vcpu[i], lockdep_is_held(&vm->lock));
		if (vcpu)
			clear_bit(REQ_DEADLINE, &vcpu->requests);
	}
	if (req->ns) {
		end = ktime_add_safe(ktime_get(), min_t(u64, req->ns, KTIME_MAX));
		hrtimer_start(&vm->deadline, end, HRTIMER_MODE_ABS_HARD);
	}
	return 0;
}
