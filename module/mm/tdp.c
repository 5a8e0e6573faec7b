// SPDX-License-Identifier: GPL-2.0-only
/*
 * The second-level page tables: guest physical to host physical.
 *
 *   mmu.root_hpa (nCR3, EPTP)
 *        |
 *        v          a page of 512 entries at each level; 9 bits of the gfn choose one
 *   +---------+
 *   | level 4 |--+  an entry spans 512 GiB  (level 5 above it where the host has it)
 *   +---------+  |
 *                v
 *           +---------+
 *           | level 3 |--+  1 GiB: a table, or a leaf (large)
 *           +---------+  |
 *                        v
 *                   +---------+
 *                   | level 2 |--+  2 MiB: a table, or a leaf (large)
 *                   +---------+  |
 *                                v
 *                           +---------+
 *                           | level 1 |---> 4 KiB page of the process
 *                           +---------+
 *
 * The tables hold no truth of their own: each leaf is a copy of what the process's
 * page tables said, made on a fault (fault.c), and taken away when the process's
 * change (notifier.c).  So leaves can be thrown away at any time; the next access
 * brings them back.  All changes happen under mmu_lock.  Hardware walks the tables
 * without it: an entry is always written as a whole, and a table that is unlinked
 * is kept until no CPU can be walking it any more.
 *
 * The flush protocol.  tdp_flush promises: when it returns, no CPU translates by
 * what an entry said before.  A vCPU, with interrupts off, right before its entry:
 *
 *	tdp_flush()                        vCPU (core/burst.c)
 *	  (1) entries were changed           (a) mode = IN_GUEST
 *	  (2) tlb_gen++                          full barrier
 *	      full barrier                   (b) tlb_gen == mine? else flush at entry
 *	  (3) mode == IN_GUEST?              (c) enter; then mine = what (b) read
 *	      then interrupt it, and wait    (d) after the exit: mode = OUTSIDE
 *
 * Either (b) sees the new tlb_gen, and then the entry flushes and walks the new
 * entries; or it does not, and then, by the barriers, (3) sees IN_GUEST.  The
 * interrupt forces the exit, and is answered only when interrupts are open again,
 * that is when the burst is over; the next one begins at (a) and sees the new
 * tlb_gen.  If the thread has moved to another CPU when (3) reads vcpu->cpu, it has
 * been out of the guest since (2), and the interrupt is only superfluous.
 *
 * selftests/models/flush.pml goes through all the orders in which this can happen.
 *
 * The wait is safe under mmu_lock since no burst waits for a lock, and since interrupts
 * are on wherever somebody waits for mmu_lock.
 */
#include <linux/capability.h>
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "core/backend.h"
#include "mm/mm.h"

static bool is_present(u64 entry)
{
	return entry & backend->tdp->present;
}

static bool is_leaf(u64 entry, int level)
{
	return level == 1 || (entry & backend->tdp->large);
}

static u64 *table_of(u64 entry)
{
	return __va(entry & PHYSICAL_PAGE_MASK);
}

static u64 *entry_in(u64 *table, u64 gfn, int level)
{
	return &table[(gfn >> (9 * (level - 1))) & 511];
}

/* First gfn that no table can express. */
static u64 gfn_end(const struct vitro_mmu *mmu)
{
	return level_pages(mmu->levels + 1);
}

/**
 * mmu_gpa_bits() - width of a guest physical address
 *
 * What the tables can express, but not more than the host's own: entries of the
 * guest's tables with higher bits set are malformed for the CPU.
 */
u32 mmu_gpa_bits(void)
{
	return min_t(u32, PAGE_SHIFT + 9 * backend->tdp->levels, boot_cpu_data.x86_phys_bits);
}

/**
 * pt_cache_fill() - have enough table pages for one tdp_map
 * @cache: where they are kept
 *
 * Without a lock, since it may sleep.  Return: 0 or -ENOMEM.
 */
int pt_cache_fill(struct vitro_pt_cache *cache)
{
	/* All levels but the root, which is always there. */
	while (cache->nr < backend->tdp->levels - 1) {
		u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

		if (!table)
			return -ENOMEM;
		cache->page[cache->nr++] = table;
	}
	return 0;
}

/**
 * pt_cache_free() - give back what was never used
 * @cache: the cache
 */
void pt_cache_free(struct vitro_pt_cache *cache)
{
	while (cache->nr)
		free_page((unsigned long)cache->page[--cache->nr]);
}

/* An unlinked table and all below it: to be freed once no CPU can be walking there. */
static void doom(struct vitro_mmu *mmu, u64 *table, int level)
{
	int i;

	/* At most four deep: a table's children are one level lower. */
	for (i = 0; level > 1 && i < 512; i++)
		if (is_present(table[i]) && !is_leaf(table[i], level))
			doom(mmu, table_of(table[i]), level - 1);

	/* Not linked through the page itself: its content must stay valid until then. */
	set_page_private(virt_to_page(table), (unsigned long)mmu->doomed);
	mmu->doomed = table;
	mmu->pages--;
}

static void free_doomed(struct vitro_mmu *mmu)
{
	while (mmu->doomed) {
		u64 *table = mmu->doomed;

		mmu->doomed = (u64 *)page_private(virt_to_page(table));
		set_page_private(virt_to_page(table), 0);
		free_page((unsigned long)table);
	}
}

/* Makes a present entry absent; a flush is owed. */
static void clear_entry(struct vitro_mmu *mmu, u64 *entry, int level)
{
	u64 old = *entry;

	WRITE_ONCE(*entry, 0);
	if (!is_leaf(old, level))
		doom(mmu, table_of(old), level - 1);
}

static void answer_flush(void *unused)
{
	/* That the CPU takes the interrupt is all that is wanted. */
}

/**
 * tdp_interrupt() - let every vCPU that is in the guest leave it
 * @vm: the VM
 *
 * Begins with step (3) above: a full barrier comes before it.  On return, each has
 * been out of the guest since the call.  It may be back.
 */
void tdp_interrupt(struct vitro_vm *vm)
{
	struct vitro_vcpu *vcpu;
	int i;

	rcu_read_lock();
	for (i = 0; i < VITRO_MAX_VCPUS; i++) {
		vcpu = rcu_dereference(vm->vcpu[i]);
		/* Acquire: vcpu->cpu was set before. */
		if (vcpu && smp_load_acquire(&vcpu->mode) == IN_GUEST)
			smp_call_function_single(READ_ONCE(vcpu->cpu), answer_flush, NULL, 1);
	}
	rcu_read_unlock();
}

/**
 * tdp_flush() - let every CPU forget what has been changed or taken away
 * @vm: the VM; mmu_lock held
 *
 * On return, no CPU translates by old entries or walks unlinked tables: see the top
 * of this file.  The latter are freed.
 */
void tdp_flush(struct vitro_vm *vm)
{
	lockdep_assert_held(&vm->mmu.lock);

	/* Fully ordered: (1) before (2) before (3). */
	atomic64_inc_return(&vm->mmu.tlb_gen);
	tdp_interrupt(vm);
	free_doomed(&vm->mmu);
}

/**
 * tdp_map() - map one page, of 4 KiB, 2 MiB or 1 GiB
 * @vm: the VM; mmu_lock held, and it was checked that @pfn is still what the process has
 * @cache: filled by pt_cache_fill
 * @gfn: guest frame, a multiple of level_pages(@level)
 * @pfn: host frame, likewise
 * @level: 1, 2 or 3
 * @write: may the guest write there?
 *
 * A mapping that is there already is never made narrower: if it lost its write
 * permission here, without a flush, then tdp_watch would later find a read-only leaf
 * and not know that a TLB still allows writes.
 */
void tdp_map(struct vitro_vm *vm, struct vitro_pt_cache *cache, u64 gfn, u64 pfn,
	     int level, bool write)
{
	const struct tdp_format *f = backend->tdp;
	struct vitro_mmu *mmu = &vm->mmu;
	u64 *entry = entry_in(mmu->root, gfn, mmu->levels);
	u64 leaf = (pfn << PAGE_SHIFT) | f->leaf;
	int l;

	lockdep_assert_held(&mmu->lock);

	if (level > 1)
		leaf = (leaf | f->large) & ~f->fetch;

	for (l = mmu->levels; l > level; l--) {
		if (is_present(*entry) && is_leaf(*entry, l)) {
			/* A larger page, whose host mapping was split. */
			clear_entry(mmu, entry, l);
			tdp_flush(vm);
		}
		if (!is_present(*entry)) {
			u64 *table = cache->page[--cache->nr];

			/* Release: a walker that sees the table sees that it is empty. */
			smp_store_release(entry, __pa(table) | f->table);
			mmu->pages++;
		}
		entry = entry_in(table_of(*entry), gfn, l - 1);
	}

	if (!((*entry ^ leaf) & ~(f->write | f->watch | TDP_WATCHED))) {
		/*
		 * The same page, as another vCPU mapped it a moment ago, or for
		 * reading.  More permission needs no flush: a CPU that faults by
		 * an old TLB entry drops that entry (APM 2 5.5.2).
		 */
		if (!write)
			return;
	} else if (is_present(*entry)) {
		/* A table of smaller pages.  Never two translations at a time. */
		clear_entry(mmu, entry, level);
		tdp_flush(vm);
	}
	if (write)
		leaf |= f->write;
	WRITE_ONCE(*entry, leaf);
}

/**
 * tdp_zap() - take the mappings of a range away
 * @vm: the VM; mmu_lock held
 * @first: first gfn
 * @end: the gfn after the last
 * @may_sleep: mmu_lock may be dropped now and then.  Then the caller has called
 *	invalidate_begin, so that nobody maps anything meanwhile.
 *
 * On return, no entry maps a page of the range and no CPU remembers one.  A larger
 * page that reaches into the range goes as a whole.  Tables all of whose span is in
 * the range go too, except that those at level 3 and above, of which there can only be
 * few, stay.  The cost is that of the tables there are, not of the range.
 */
void tdp_zap(struct vitro_vm *vm, u64 first, u64 end, bool may_sleep)
{
	struct vitro_mmu *mmu = &vm->mmu;
	bool owed = false;

	lockdep_assert_held(&mmu->lock);

	end = min(end, gfn_end(mmu));

	while (first < end) {
		int level = mmu->levels;
		u64 *entry = entry_in(mmu->root, first, level);
		u64 last = first | (level_pages(level) - 1);

		/*
		 * Down to the first entry that is absent, a leaf, or the table of a
		 * span that goes altogether.  No more than 1 GiB in one step, which
		 * is up to 513 tables, for the sake of those who wait for mmu_lock.
		 */
		while (is_present(*entry) && !is_leaf(*entry, level)) {
			bool whole = !(first & (level_pages(level) - 1)) && last < end;

			if (whole && level <= 3)
				break;
			level--;
			entry = entry_in(table_of(*entry), first, level);
			last = first | (level_pages(level) - 1);
		}

		if (is_present(*entry)) {
			clear_entry(mmu, entry, level);
			owed = true;
		}
		first = last + 1;

		if (may_sleep && need_resched()) {
			if (owed)
				tdp_flush(vm);
			owed = false;
			cond_resched_lock(&mmu->lock);
		}
	}
	if (owed)
		tdp_flush(vm);
}

/* The entry of a 4 KiB page, if its tables are there; mmu_lock held. */
static u64 *small_entry(struct vitro_mmu *mmu, u64 gfn)
{
	u64 *entry = entry_in(mmu->root, gfn, mmu->levels);
	int level;

	lockdep_assert_held(&mmu->lock);

	for (level = mmu->levels; level > 1; level--) {
		if (!is_present(*entry))
			return NULL;
		entry = entry_in(table_of(*entry), gfn, level - 1);
	}
	return entry;
}

/**
 * tdp_is_split() - is a table of smaller pages where a large page could be?
 * @vm: the VM; mmu_lock held
 * @gfn: guest frame
 * @level: of the large page
 */
bool tdp_is_split(struct vitro_vm *vm, u64 gfn, int level)
{
	struct vitro_mmu *mmu = &vm->mmu;
	u64 *entry = entry_in(mmu->root, gfn, mmu->levels);
	int l;

	lockdep_assert_held(&mmu->lock);

	for (l = mmu->levels; l > level; l--) {
		if (!is_present(*entry) || is_leaf(*entry, l))
			return false;
		entry = entry_in(table_of(*entry), gfn, l - 1);
	}
	return is_present(*entry) && !is_leaf(*entry, level);
}

/**
 * tdp_watch() - have the next write to a 4 KiB page noticed
 * @vm: the VM; mmu_lock held
 * @gfn: guest frame in a slot that logs dirty pages, where all leaves are of level 1
 *
 * Return: true when writes went unnoticed before, so that tdp_flush is due.
 */
bool tdp_watch(struct vitro_vm *vm, u64 gfn)
{
	u64 *entry = small_entry(&vm->mmu, gfn);

	/* With the bit set, the CPU has nothing left to write to this entry. */
	if (!entry || !(READ_ONCE(*entry) & backend->tdp->watch))
		return false;
	WRITE_ONCE(*entry, (*entry & ~backend->tdp->watch) | TDP_WATCHED);
	return true;
}

/**
 * tdp_unwatch() - undo tdp_watch, for a page that now faults because of it
 * @vm: the VM; mmu_lock held
 * @gfn: guest frame in a slot that logs dirty pages
 *
 * More permission needs no flush, as in tdp_map.
 *
 * Return: true if the guest may write there again; false: it never could, or nothing
 * is mapped there any more.
 */
bool tdp_unwatch(struct vitro_vm *vm, u64 gfn)
{
	u64 *entry = small_entry(&vm->mmu, gfn);

	if (!entry || !(*entry & TDP_WATCHED) || (*entry & backend->tdp->write))
		return false;
	WRITE_ONCE(*entry, (*entry & ~TDP_WATCHED) | backend->tdp->write);
	return true;
}

/**
 * tdp_walk() - VITRO_TDP_WALK: what the tables say of an address
 * @vm: the VM
 * @w: as userspace gave it; filled in
 *
 * Under mmu_lock no table goes away: whoever unlinks one holds it until it is freed.
 * That is a handful of reads, so that nobody waits for long.
 *
 * Return: 0 or -EINVAL.
 */
int tdp_walk(struct vitro_vm *vm, struct vitro_tdp_walk *w)
{
	struct vitro_mmu *mmu = &vm->mmu;
	u64 gfn = w->gpa >> PAGE_SHIFT;
	u64 *table = mmu->root;
	int level = mmu->levels;
	u64 entry, size;
	int i;

	BUILD_BUG_ON(VITRO_TDP_LEVELS < PT_LEVELS_MAX);
	if (w->flags || w->pad || w->gpa >> mmu_gpa_bits())
		return -EINVAL;
	*w = (struct vitro_tdp_walk){
		.gpa = w->gpa,
		.vendor = backend->vendor,
		.levels = mmu->levels,
		.root = mmu->root_hpa,
	};

	spin_lock(&mmu->lock);
	for (;; level--) {
		/* Once: a CPU may be setting its dirty bit. */
		entry = READ_ONCE(*entry_in(table, gfn, level));
		w->entry[w->nr++] = entry;
		if (!is_present(entry) || is_leaf(entry, level))
			break;
		table = table_of(entry);
	}
	spin_unlock(&mmu->lock);

	if (is_present(entry)) {
		size = level_pages(level) << PAGE_SHIFT;
		w->page_size = size;
		w->hpa = (entry & PHYSICAL_PAGE_MASK & -size) | (w->gpa & (size - 1));
	}
	if (capable(CAP_SYS_ADMIN))
		return 0;
	/* Where the host's memory is, is for nobody else to know; see core/dump.c. */
	for (i = 0; i < w->nr; i++)
		w->entry[i] &= ~GENMASK_ULL(51, PAGE_SHIFT);
	w->root = 0;
	w->hpa = 0;
	w->withheld = 1;
	return 0;
}

/**
 * tdp_init() - begin with an empty guest memory
 * @vm: the VM, which nobody else knows yet
 *
 * Return: 0 or -ENOMEM.
 */
int tdp_init(struct vitro_vm *vm)
{
	struct vitro_mmu *mmu = &vm->mmu;

	mmu->root = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!mmu->root)
		return -ENOMEM;
	spin_lock_init(&mmu->lock);
	mmu->pages = 1;
	mmu->root_hpa = __sme_pa(mmu->root);
	mmu->levels = backend->tdp->levels;
	/* A new vCPU, whose own tlb_gen is 0, starts with a flush. */
	atomic64_set(&mmu->tlb_gen, 1);
	return 0;
}

/**
 * tdp_fini() - free the tables
 * @vm: the VM; it has no vCPU and no notifier any more
 */
void tdp_fini(struct vitro_vm *vm)
{
	struct vitro_mmu *mmu = &vm->mmu;

	/* By now that is the root and the few tables that tdp_zap leaves: see there. */
	doom(mmu, mmu->root, mmu->levels);
	free_doomed(mmu);
	WARN_ON_ONCE(mmu->pages);
}
