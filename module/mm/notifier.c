// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes in the owner's address space: munmap, mprotect, fork, swapping,
 * migration, KSM, collapsing into huge pages...  The kernel's memory management
 * tells its MMU notifiers before and after each, and we forget what we had copied.
 *
 * The protocol that keeps the copy honest (with fault.c):
 *
 *	invalidation                         fault
 *	  under mmu_lock:                      (i)   seq = invalidate_seq
 *	  (1) invalidating++                   (ii)  find the slot, get the page
 *	  (2) zap, flush                       under mmu_lock:
 *	  page tables change, pages are freed  (iii) invalidating == 0 and
 *	  under mmu_lock:                            invalidate_seq == seq?
 *	  (3) invalidate_seq++, invalidating--       then map, else start again
 *
 * If (iii) finds nothing, no change has begun or ended since (i), so what (ii) saw
 * is still so; and a change that begins later will zap what is mapped now.  If the
 * change ended before (i), (ii) saw its result.  If the change overlaps the fault in
 * any other way, (iii) sees one of the two numbers differ.
 *
 * A change of the memslots is an invalidation like any other (slots.c).
 *
 * selftests/models/fault.pml goes through all the orders in which this can happen.
 */
#include <linux/wait_bit.h>

#include "core/vitro.h"
#include "mm/mm.h"

/**
 * invalidate_begin() - nothing can be mapped from now on
 * @vm: the VM; mmu_lock held
 */
void invalidate_begin(struct vitro_vm *vm)
{
	lockdep_assert_held(&vm->mmu.lock);
	vm->mmu.invalidating++;
}

/**
 * invalidate_end() - it can again, by faults that start from now on
 * @vm: the VM; mmu_lock not held
 */
void invalidate_end(struct vitro_vm *vm)
{
	struct vitro_mmu *mmu = &vm->mmu;

	spin_lock(&mmu->lock);
	/* Release: a fault that sees the new number sees what changed before it. */
	smp_store_release(&mmu->invalidate_seq, mmu->invalidate_seq + 1);
	WARN_ON_ONCE(!mmu->invalidating);
	mmu->invalidating--;
	spin_unlock(&mmu->lock);
	smp_mb();	/* the count, then the look at who waits: see wait_var_event() */
	wake_up_var(&mmu->invalidating);
}

/**
 * invalidate_wait() - sleep while an invalidation lasts
 * @vm: the VM, of the current process
 *
 * It may last: the thread that invalidates can be preempted, or wait for others.
 *
 * Return: 0, or -EINTR when a signal is pending.
 */
int invalidate_wait(struct vitro_vm *vm)
{
	struct vitro_mmu *mmu = &vm->mmu;

	if (wait_var_event_interruptible(&mmu->invalidating, !READ_ONCE(mmu->invalidating)))
		return -EINTR;
	return 0;
}

static int range_start(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	struct vitro_vm *vm = container_of(notifier, struct vitro_vm, mmu.notifier);
	bool may_sleep = mmu_notifier_range_blockable(range);
	struct vitro_slots *slots;
	int idx, i;

	idx = srcu_read_lock(&vitro_srcu);
	spin_lock(&vm->mmu.lock);
	invalidate_begin(vm);

	/*
	 * Read under mmu_lock: a slot that is being taken away at this moment is
	 * either still in the array, or its range is zapped and stays so.
	 */
	slots = srcu_dereference(vm->mmu.slots, &vitro_srcu);
	for (i = 0; slots && i < slots->nr; i++) {
		struct vitro_slot *slot = slots->slot[i];
		unsigned long slot_end = slot->hva + (slot->npages << PAGE_SHIFT);
		unsigned long start = max(range->start, slot->hva);
		unsigned long end = min(range->end, slot_end);

		if (start >= end)
			continue;
		/* Half a page is a page: round outwards. */
		tdp_zap(vm, slot->base_gfn + ((start - slot->hva) >> PAGE_SHIFT),
			slot->base_gfn + (PAGE_ALIGN(end - slot->hva) >> PAGE_SHIFT),
			may_sleep);
	}
	spin_unlock(&vm->mmu.lock);
	srcu_read_unlock(&vitro_srcu, idx);
	return 0;
}

static void range_end(struct mmu_notifier *notifier, const struct mmu_notifier_range *range)
{
	invalidate_end(container_of(notifier, struct vitro_vm, mmu.notifier));
}

/*
 * The address space ends, or notifier_unregister was called.  An invalidation that
 * never ends: the tables are empty and stay so.  In the first case no thread can be
 * inside VITRO_RUN, which holds the address space; REQ_DEAD keeps it that way.
 */
static void address_space_gone(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct vitro_vm *vm = container_of(notifier, struct vitro_vm, mmu.notifier);
	struct vitro_vcpu *vcpu;
	int i;

	rcu_read_lock();
	for (i = 0; i < VITRO_MAX_VCPUS; i++) {
		vcpu = rcu_dereference(vm->vcpu[i]);
		if (vcpu)
			vcpu_request(vcpu, REQ_DEAD);
	}
	rcu_read_unlock();

	spin_lock(&vm->mmu.lock);
	invalidate_begin(vm);
	tdp_zap(vm, 0, U64_MAX, true);
	spin_unlock(&vm->mmu.lock);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = range_start,
	.invalidate_range_end = range_end,
	.release = address_space_gone,
};

/**
 * notifier_register() - be told of changes in current->mm
 * @vm: a VM of the current process, without slots
 *
 * The notifier holds mm_count, so vm->mm stays valid as an identity, but not
 * mm_users: a VM does not keep the memory of a process that has ended.
 *
 * Return: 0, -ENOMEM, or -EINTR on a fatal signal.
 */
int notifier_register(struct vitro_vm *vm)
{
	vm->mmu.notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->mmu.notifier, vm->mm);
}

/**
 * notifier_unregister() - undo it
 * @vm: the VM
 *
 * On return, no callback runs and none will, and nothing is mapped.  Sleeps.
 */
void notifier_unregister(struct vitro_vm *vm)
{
	mmu_notifier_unregister(&vm->mmu.notifier, vm->mm);
}
