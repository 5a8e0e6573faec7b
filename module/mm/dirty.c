// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: which pages of a slot the guest has written.
 *
 * In a slot with a log, leaves are of 4 KiB, and a leaf is writable only while the
 * page's bit is set: both happen in one stretch of mmu_lock, on a write fault (fault.c;
 * or dirty_fault() below, if the log is the only reason for it).  To take the log is to
 * do the reverse: take the bits, write-protect their pages, flush.  A write before the
 * flush is in the log just taken, and its data in memory when the flush has returned; a
 * write after it faults, and sets the bit again.  So each write is reported exactly
 * once, and none is lost (selftests/models/dirty.pml).
 *
 * Where the CPU logs writes itself (Intel's page-modification log, SDM 3C 29.3.6), the
 * leaf stays writable and loses its dirty bit instead: see tdp_format.watch.  The next
 * write sets that bit, and the page's address goes to a buffer of the vCPU, which is
 * emptied into our log before the vCPU's mode leaves IN_GUEST.  So now the rule is: a
 * leaf is writable and dirty only while the page's bit is set, or its address in the
 * buffer of a vCPU in the guest.  Therefore all vCPUs are made to leave the guest before
 * the bits are taken: what was written until then is in the log.  What is written from
 * then on and finds the bit clear stays dirty, and is reported the next time.
 *
 * What the kernel itself writes for the guest is marked after the write: marked
 * before, a collector could take the bit and read the page too early.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "core/backend.h"
#include "glass/trace.h"
#include "mm/mm.h"

/**
 * dirty_mark() - log a page as written
 * @slot: its slot, or a copy of it while the slot cannot go away
 * @gfn: guest frame
 */
void dirty_mark(const struct vitro_slot *slot, u64 gfn)
{
	if (slot->dirty)
		set_bit(gfn - slot->base_gfn, slot->dirty);
}

/**
 * dirty_fault() - a write to a page that is mapped, but watched since the last log
 * @vm: the VM
 * @gfn: guest frame, which is SLOT_LOGGED by slot_use()
 *
 * In a burst, so mmu_lock can only be tried.  Nobody needs to ask for the process's
 * page again: had that changed, the leaf would be gone.
 *
 * Return: true if the write is in the log and the guest may go on; false: tdp_fault()
 * has to look.
 */
bool dirty_fault(struct vitro_vm *vm, u64 gfn)
{
	struct vitro_slot *slot;
	bool done = false;
	int idx;

	/* On PREEMPT_RT, a spinlock is not to be touched with interrupts off. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || !spin_trylock(&vm->mmu.lock))
		return false;
	/* Under the lock, again: the leaf that is there is one of this slot. */
	idx = srcu_read_lock(&vitro_srcu);
	slot = slot_find(vm, gfn);
	if (slot && slot->dirty && tdp_unwatch(vm, gfn)) {
		dirty_mark(slot, gfn);
		done = true;
	}
	srcu_read_unlock(&vitro_srcu, idx);
	spin_unlock(&vm->mmu.lock);
	return done;
}

/**
 * dirty_logged() - the CPU has logged a write
 * @vm: the VM of the vCPU that wrote
 * @gpa: where
 *
 * In a burst, with the vCPU out of the guest and its mode still IN_GUEST.
 */
void dirty_logged(struct vitro_vm *vm, u64 gpa)
{
	struct vitro_slot *slot;
	int idx;

	idx = srcu_read_lock(&vitro_srcu);
	slot = slot_find(vm, gpa >> PAGE_SHIFT);
	if (slot)
		dirty_mark(slot, gpa >> PAGE_SHIFT);
	srcu_read_unlock(&vitro_srcu, idx);
}

/* Moves @nr words of the log, from word @first on, to @log; and watches their pages. */
static void take_words(struct vitro_vm *vm, struct vitro_slot *slot, u64 first,
		       unsigned long *log, u64 nr)
{
	bool owed = false;
	unsigned long bit;
	u64 w;

	if (backend->tdp->watch != backend->tdp->write) {
		smp_mb();	/* as before (3) in tdp.c */
		tdp_interrupt(vm);
	}
	spin_lock(&vm->mmu.lock);
	for (w = 0; w < nr; w++) {
		u64 gfn = slot->base_gfn + (first + w) * BITS_PER_LONG;

		log[w] = 0;
		if (!READ_ONCE(slot->dirty[first + w]))
			continue;
		log[w] = xchg(&slot->dirty[first + w], 0);
		for_each_set_bit(bit, &log[w], BITS_PER_LONG)
			owed |= tdp_watch(vm, gfn + bit);

		if (need_resched()) {
			if (owed)
				tdp_flush(vm);
			owed = false;
			cond_resched_lock(&vm->mmu.lock);
		}
	}
	if (owed)
		tdp_flush(vm);
	spin_unlock(&vm->mmu.lock);
}

/* Undoes it, as far as the log goes: the pages may stay watched. */
static void put_words(struct vitro_slot *slot, u64 first, unsigned long *log, u64 nr)
{
	unsigned long bit;
	u64 w;

	for (w = 0; w < nr; w++)
		for_each_set_bit(bit, &log[w], BITS_PER_LONG)
			set_bit((first + w) * BITS_PER_LONG + bit, slot->dirty);
}

static int get_log(struct vitro_vm *vm, const struct vitro_dirty_log *req)
{
	struct vitro_slot *slot = slot_by_id(vm, req->slot);
	unsigned long *log;
	u64 nr;
	int r = 0;

	if (!slot || !slot->dirty)
		return -ENOENT;
	if (req->first % BITS_PER_LONG || req->first > slot->npages ||
	    req->nr > slot->npages - req->first)
		return -EINVAL;
	if (req->nr % BITS_PER_LONG && req->first + req->nr != slot->npages)
		return -EINVAL;
	if (!req->nr)
		return 0;

	nr = BITS_TO_LONGS(req->nr);
	log = kvmalloc_array(nr, sizeof(*log), GFP_KERNEL_ACCOUNT);
	if (!log)
		return -ENOMEM;
	trace_vitro_dirty_log(vm, req);
	take_words(vm, slot, req->first / BITS_PER_LONG, log, nr);
	if (copy_to_user(u64_to_user_ptr(req->bitmap), log, nr * sizeof(*log))) {
		put_words(slot, req->first / BITS_PER_LONG, log, nr);
		r = -EFAULT;
	}
	kvfree(log);
	return r;
}

/**
 * dirty_get() - take the dirty log of a slot: VITRO_DIRTY_LOG
 * @vm: the VM; vm->lock held, so that the slot stays
 * @req: as userspace gave it
 *
 * Return: 0, and the log is cleared; or, and it is not, -ENOENT without a slot or a
 * log, -EINVAL for a range that is not in the slot or not of whole words, -EFAULT,
 * -ENOMEM.
 */
int dirty_get(struct vitro_vm *vm, const struct vitro_dirty_log *req)
{
	return req->flags ? -EINVAL : get_log(vm, req);
}
