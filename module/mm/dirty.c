// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: which pages of a slot the guest has written.
 *
 * In a slot with a log, leaves are of 4 KiB, and a leaf is writable only while the
 * page's bit is set: both happen in one stretch of mmu_lock, on a write fault
 * (fault.c).  To take the log is to do the reverse: take the bits, write-protect
 * their pages, flush.  A write before the flush is in the log just taken, and its
 * data in memory when the flush has returned; a write after it faults, and sets the
 * bit again.  So each write is reported exactly once, and none is lost.
 *
 * What the kernel itself writes for the guest is marked after the write: marked
 * before, a collector could take the bit and read the page too early.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

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

/* Moves @nr words of the log, from word @first on, to @log; and protects their pages. */
static void take_words(struct vitro_vm *vm, struct vitro_slot *slot, u64 first,
		       unsigned long *log, u64 nr)
{
	bool owed = false;
	unsigned long bit;
	u64 w;

	spin_lock(&vm->mmu.lock);
	for (w = 0; w < nr; w++) {
		u64 gfn = slot->base_gfn + (first + w) * BITS_PER_LONG;

		log[w] = 0;
		if (!READ_ONCE(slot->dirty[first + w]))
			continue;
		log[w] = xchg(&slot->dirty[first + w], 0);
		for_each_set_bit(bit, &log[w], BITS_PER_LONG)
			owed |= tdp_write_protect(vm, gfn + bit);

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

/* Undoes it, as far as the log goes: the pages may stay protected. */
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
