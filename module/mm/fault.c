// SPDX-License-Identifier: GPL-2.0-only
/*
 * Second-level faults: the guest touched a page that the tables do not map, or not
 * for writing.  Find the process's page behind it, and map that.  The protocol with
 * changes of the process's page tables is told in notifier.c, and checked in
 * selftests/models/fault.pml.
 *
 * Nothing stays pinned: the reference that get_user_pages takes lives until the page
 * is mapped; from then on the notifier answers for it.  Memory without a struct page
 * (devices mapped by the process) cannot be had this way: that is -EFAULT.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>

#include "core/backend.h"
#include "glass/trace.h"
#include "mm/mm.h"

/*
 * A fault maps what the process has right there, up to the end of a block of so many pages:
 * who touches one page commonly touches the next.
 */
#define AROUND	16

/*
 * Gets the pages from @gfn on, as far as the process's page tables let it write them right
 * now.  Nothing is brought in or broken for it: no copy-on-write is resolved, no KSM page
 * unshared.  Returns how many, perhaps 0.
 */
static int get_around(const struct vitro_slot *slot, u64 gfn, struct page *page[AROUND])
{
	u64 end = min((gfn | (AROUND - 1)) + 1, slot->base_gfn + slot->npages);

	return get_user_pages_fast_only(slot_hva(slot, gfn), end - gfn, FOLL_WRITE, page);
}

/* Gets the page at @hva of current->mm, wherever it is now. */
static int hva_get_page(unsigned long hva, bool write, struct page **page)
{
	int r;

	r = get_user_pages_fast(hva, 1, write ? FOLL_WRITE : 0, page);
	if (r == 1)
		return 0;
	return r == -EINTR || r == -ENOMEM ? r : -EFAULT;
}

/**
 * hva_touch() - bring a page of the process into memory
 * @hva: its address in current->mm
 * @write: for writing
 *
 * It may be gone again by the time this returns: try, touch, try again.
 * Return: 0, -EFAULT, -EINTR, -ENOMEM.
 */
int hva_touch(unsigned long hva, bool write)
{
	struct page *page;
	int r = hva_get_page(hva, write, &page);

	if (!r)
		put_page(page);
	return r;
}

/*
 * How large a page the process has at @hva of its address space: the level of the leaf
 * in the host's own page tables.  They are read without locks, as the fast path of
 * get_user_pages does: interrupts off keep table pages from being freed under our feet,
 * and each entry is read once, since it may turn from a table into a leaf at any time.
 */
static int host_level(struct mm_struct *mm, unsigned long hva)
{
	unsigned long flags;
	int level = 1;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (!pgd_present(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (!p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (!pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		level = 3;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (pmd_present(pmd) && pmd_leaf(pmd))
		level = 2;
out:
	local_irq_restore(flags);
	return level;
}

/*
 * The level at which @gfn of @slot can be mapped.  mmu_lock held, and no invalidation
 * since the page was got: so the process's page tables still say what they said.
 */
static int leaf_level(struct vitro_vm *vm, const struct vitro_slot *slot, u64 gfn, bool fetch)
{
	unsigned long hva = slot_hva(slot, gfn);
	int level;

	/* Its pages must fault one by one. */
	if (slot->flags & VITRO_SLOT_LOG_DIRTY)
		return 1;
	if (fetch && backend->tdp->fetch)
		return 1;

	for (level = min(host_level(vm->mm, hva), backend->tdp->max_leaf); level > 1; level--) {
		u64 mask = level_pages(level) - 1;
		u64 first = gfn & ~mask;

		/* The guest executes there: a large page would only come and go. */
		if (backend->tdp->fetch && tdp_is_split(vm, gfn, level))
			continue;
		/* gpa and hva lie alike in their large page, and all of it is in the slot. */
		if (!(((hva >> PAGE_SHIFT) ^ gfn) & mask) && first >= slot->base_gfn &&
		    first + mask < slot->base_gfn + slot->npages)
			break;
	}
	return level;
}

/* Maps @page, which was got for @gfn, at @level. */
static void map_page(struct vitro_vcpu *vcpu, const struct vitro_slot *slot, u64 gfn,
		     struct page *page, int level, bool write)
{
	u64 mask = level_pages(level) - 1;

	if (write) {
		dirty_mark(slot, gfn);
		/*
		 * The host must not take the page for clean.  Its own entry is
		 * writable, but nobody has written through it: it may be clean, on
		 * tmpfs for example, or after MADV_FREE.  Whoever cleans the page
		 * later has to invalidate first, and so waits for mmu_lock.
		 */
		folio_mark_dirty(page_folio(page));
	}
	tdp_map(vcpu->vm, &vcpu->pt_cache, gfn & ~mask, page_to_pfn(page) & ~mask, level,
		write);
	vcpu->stat[VITRO_STAT_PAGES_MAPPED]++;
}

/*
 * Maps the @nr pages that were got for @gfn and those behind it.  The others find the table
 * that the first has made: it has room for their block.
 */
static void map_pages(struct vitro_vcpu *vcpu, const struct vitro_slot *slot, u64 gfn,
		      struct page **page, int nr, bool write, bool fetch)
{
	int i, level = leaf_level(vcpu->vm, slot, gfn, fetch);

	map_page(vcpu, slot, gfn, page[0], level, write);
	for (i = 1; i < nr && level == 1; i++)
		map_page(vcpu, slot, gfn + i, page[i], 1, write);
}

/* One try; -EAGAIN when the process's page tables or the slots changed meanwhile. */
static int fault_try(struct vitro_vcpu *vcpu, u64 gfn, bool write, bool fetch)
{
	struct vitro_vm *vm = vcpu->vm;
	struct vitro_mmu *mmu = &vm->mmu;
	struct vitro_slot *found, slot;
	struct page *page[AROUND];
	int idx, nr = 0, r = 0;
	unsigned long seq;

	/* Acquire: what is read from here on is newer than the invalidations counted. */
	seq = smp_load_acquire(&mmu->invalidate_seq);

	/*
	 * By value, as vitro_srcu must not be held over a page fault, which may take
	 * as long as some process's userfaultfd handler likes.
	 */
	idx = srcu_read_lock(&vitro_srcu);
	found = slot_find(vm, gfn);
	if (found)
		slot = *found;
	srcu_read_unlock(&vitro_srcu, idx);

	if (!found || (write && (slot.flags & VITRO_SLOT_READONLY)))
		return 1;

	/*
	 * Pages that are only read are had for writing, too, which saves a fault later; but a
	 * page of a dirty log is mapped writable only when it is written.
	 */
	if (!slot.flags)
		nr = get_around(&slot, gfn, page);
	if (nr > 0) {
		write = true;
	} else {
		r = hva_get_page(slot_hva(&slot, gfn), write, page);
		if (r)
			return r;
		nr = 1;
	}

	spin_lock(&mmu->lock);
	/* No invalidation since seq: the slot is current, and its dirty log alive. */
	if (mmu->invalidating || mmu->invalidate_seq != seq)
		r = -EAGAIN;
	else
		map_pages(vcpu, &slot, gfn, page, nr, write, fetch);
	spin_unlock(&mmu->lock);

	while (nr > 0)
		put_page(page[--nr]);
	return r;
}

/**
 * tdp_fault() - resolve a second-level fault
 * @vcpu: the vCPU of the current thread, which belongs to the owning process
 * @gpa: where
 * @access: VITRO_MMIO_* bits.  The CPU's walks of the guest's page tables come as
 *	writes, even when they only read (APM 2 15.25.5): so they are treated.
 *
 * Return: 0 to try the guest again; 1 when there is no slot, or a write met a
 * read-only one; -EFAULT when the process itself could not access the page;
 * -EINTR when a signal is pending; -ENOMEM.
 */
int tdp_fault(struct vitro_vcpu *vcpu, u64 gpa, u8 access)
{
	int r;

	trace_vitro_page_fault(vcpu, gpa, access);
	for (;;) {
		r = pt_cache_fill(&vcpu->pt_cache);
		if (r)
			return r;
		r = fault_try(vcpu, gpa >> PAGE_SHIFT, access & VITRO_MMIO_WRITE,
			      access & VITRO_MMIO_EXEC);
		if (r != -EAGAIN)
			return r;
		r = invalidate_wait(vcpu->vm);
		if (r)
			return r;
		/* Whoever invalidates all the time shall not keep us here for ever. */
		if (READ_ONCE(vcpu->requests) || signal_pending(current))
			return 0;
		cond_resched();
	}
}
