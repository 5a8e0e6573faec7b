/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory, as the rest of the module sees it. */
#ifndef VITRO_MM_H
#define VITRO_MM_H

#include "core/vitro.h"

/**
 * struct tdp_format - how a vendor's second-level entries look
 *
 * TDP is two-dimensional paging: AMD's NPT, Intel's EPT.
 * @levels: depth of the tables on this host
 * @max_leaf: highest level at which an entry can be a leaf: 1, 2 (2 MiB), 3 (1 GiB)
 * @table: bits of an entry that points to a table, beside its address
 * @leaf: bits of every leaf: present, readable, executable, write-back, and already
 *	accessed and dirty where the format has these, so that no CPU writes to our entries
 * @write: bit that makes a leaf writable
 * @watch: bit that a writable leaf loses to have the next write noticed: @write, and
 *	the write faults; or the dirty bit, where the CPU logs the write that sets it
 *	and the backend calls dirty_logged()
 * @large: bit that makes an entry above level 1 a leaf
 * @fetch: bit of @leaf that large leaves must do without: who executes there gets pages of
 *	4 KiB.  0 where the CPU can execute from large pages, whatever the guest does
 * @present: mask that is zero in an entry that is not present
 */
struct tdp_format {
	int levels;
	int max_leaf;
	u64 table;
	u64 leaf;
	u64 write;
	u64 watch;
	u64 large;
	u64 fetch;
	u64 present;
};

/*
 * In a leaf that has lost its watch bit, and nothing else: the process's page is as
 * writable as ever.  The CPU ignores this bit (APM 2 5.4.1; SDM 3C table 29-6).
 */
#define TDP_WATCHED	BIT_ULL(11)

/*
 * A VM's memory begins with tdp_init, then notifier_register; and ends, when no
 * vCPU is left, with notifier_unregister, then slots_free and tdp_fini.
 */

/* slots.c */
int slots_set(struct vitro_vm *vm, const struct vitro_memslot *req);	/* under vm->lock */
void slots_free(struct vitro_vm *vm);
enum slot_use { SLOT_NONE, SLOT_PLAIN, SLOT_LOGGED };
enum slot_use slot_use(struct vitro_vm *vm, u64 gfn);
/* These two need vitro_srcu or vm->lock, for as long as the slot is used. */
struct vitro_slot *slot_find(struct vitro_vm *vm, u64 gfn);
struct vitro_slot *slot_by_id(struct vitro_vm *vm, u32 id);

static inline unsigned long slot_hva(const struct vitro_slot *slot, u64 gfn)
{
	return slot->hva + ((gfn - slot->base_gfn) << PAGE_SHIFT);
}

/*
 * tdp.c: the second-level tables.  From tdp_map to tdp_flush, callers hold
 * mmu_lock, and none of them lets go of it while a flush is owed.
 */
u32 mmu_gpa_bits(void);			/* width of a guest physical address */
int tdp_init(struct vitro_vm *vm);
void tdp_fini(struct vitro_vm *vm);
int pt_cache_fill(struct vitro_pt_cache *cache);	/* may sleep, no lock */
void pt_cache_free(struct vitro_pt_cache *cache);
void tdp_map(struct vitro_vm *vm, struct vitro_pt_cache *cache, u64 gfn, u64 pfn,
	     int level, bool write);
void tdp_zap(struct vitro_vm *vm, u64 first_gfn, u64 end_gfn, bool may_sleep);
bool tdp_is_split(struct vitro_vm *vm, u64 gfn, int level);
bool tdp_watch(struct vitro_vm *vm, u64 gfn);	/* true: a flush is owed */
bool tdp_unwatch(struct vitro_vm *vm, u64 gfn);	/* true: writable again */
void tdp_flush(struct vitro_vm *vm);	/* returns when no CPU uses a mapping taken away */
void tdp_interrupt(struct vitro_vm *vm);	/* returns when each vCPU has left the guest once */

/* These take mmu_lock themselves. */
int tdp_walk(struct vitro_vm *vm, struct vitro_tdp_walk *w);

/* 4 KiB pages that one entry of a table at @level stands for. */
static inline u64 level_pages(int level)
{
	return 1ULL << (9 * (level - 1));
}

/*
 * fault.c: resolve a second-level fault of @vcpu at @gpa; @access is a set of
 * VITRO_MMIO_*.  May sleep.  0: try the guest again; 1: no slot there, or a write
 * to a read-only one; -EFAULT: the process itself could not access that hva;
 * -EINTR, -ENOMEM.
 */
int tdp_fault(struct vitro_vcpu *vcpu, u64 gpa, u8 access);
int hva_touch(unsigned long hva, bool write);	/* fault a page of current->mm in */

/* notifier.c */
int notifier_register(struct vitro_vm *vm);	/* for current->mm */
void notifier_unregister(struct vitro_vm *vm);
void invalidate_begin(struct vitro_vm *vm);	/* with mmu_lock */
void invalidate_end(struct vitro_vm *vm);	/* without */
int invalidate_wait(struct vitro_vm *vm);	/* may sleep */

/* dirty.c */
int dirty_get(struct vitro_vm *vm, const struct vitro_dirty_log *req);	/* under vm->lock */
void dirty_mark(const struct vitro_slot *slot, u64 gfn);
bool dirty_fault(struct vitro_vm *vm, u64 gfn);		/* in a burst; true: dealt with */
void dirty_logged(struct vitro_vm *vm, u64 gpa);	/* also in a burst */

/**
 * struct guest_paging - what a walk of the guest's own page tables depends on
 * @cr0: @cr3: @cr4: @efer: the registers
 */
struct guest_paging {
	u64 cr0, cr3, cr4, efer;
};

/*
 * guest.c: guest memory, from a thread of the owning process.  -ENXIO: no slot there,
 * or a page-table entry is not present; -EPERM: a write to a read-only slot; -EFAULT:
 * the process itself cannot access it.  With @atomic, for use in a burst, guest_fetch
 * never sleeps, and gives -EAGAIN when a page must be brought into memory first.
 */
int guest_read(struct vitro_vm *vm, u64 gpa, void *dst, size_t len);
int guest_write(struct vitro_vm *vm, u64 gpa, const void *src, size_t len);
int guest_walk(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva, u64 *gpa);
/* Reads up to 15 bytes of code at linear address @gva; returns how many it got. */
int guest_fetch(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva,
		u8 bytes[16], bool atomic);

#endif /* VITRO_MM_H */
