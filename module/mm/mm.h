/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory, as the rest of the module sees it. */
#ifndef VITRO_MM_H
#define VITRO_MM_H

#include "core/vitro.h"

/**
 * struct tdp_format - how a vendor's second-level entries look
 * @levels: depth of the tables on this host
 * @table: bits of an entry that points to a table, beside its address
 * @leaf: bits of every leaf: present, readable, executable, write-back
 * @write: bit that makes a leaf writable
 * @large: bit that makes an entry above level 1 a leaf
 * @present: mask that is zero in an entry that is not present
 */
struct tdp_format {
	int levels;
	u64 table;
	u64 leaf;
	u64 write;
	u64 large;
	u64 present;
};

/* slots.c */
int slots_set(struct vitro_vm *vm, const struct vitro_memslot *req);
struct vitro_slot *slot_find(struct vitro_vm *vm, u64 gfn);	/* under vitro_srcu */
struct vitro_slot *slot_by_id(struct vitro_vm *vm, u32 id);	/* likewise */
void slots_free(struct vitro_vm *vm);

/* tdp.c: the second-level tables; callers hold mmu_lock unless it says otherwise */
int tdp_init(struct vitro_vm *vm);
void tdp_fini(struct vitro_vm *vm);
int pt_cache_fill(struct vitro_pt_cache *cache);	/* may sleep, no lock */
void pt_cache_free(struct vitro_pt_cache *cache);
void tdp_map(struct vitro_vm *vm, struct vitro_pt_cache *cache, u64 gfn, u64 pfn,
	     int level, bool write);
bool tdp_zap(struct vitro_vm *vm, u64 first_gfn, u64 end_gfn);	/* true: needs a flush */
bool tdp_write_protect(struct vitro_vm *vm, u64 first_gfn, u64 end_gfn);
void tdp_flush(struct vitro_vm *vm);	/* returns when no CPU uses a zapped mapping */

/*
 * fault.c: resolve a second-level fault of @vcpu at @gpa; @access is a set of
 * VITRO_MMIO_*.  May sleep.  0: try the guest again; 1: no slot there, or a write
 * to a read-only one; -EFAULT: the process itself could not access that hva;
 * -EINTR, -ENOMEM.
 */
int tdp_fault(struct vitro_vcpu *vcpu, u64 gpa, u8 access);

/* notifier.c */
int notifier_register(struct vitro_vm *vm);	/* for current->mm */
void notifier_unregister(struct vitro_vm *vm);

/* dirty.c */
int dirty_get(struct vitro_vm *vm, const struct vitro_dirty_log *req);

/**
 * struct guest_paging - what a walk of the guest's own page tables depends on
 * @cr0: @cr3: @cr4: @efer: the registers
 */
struct guest_paging {
	u64 cr0, cr3, cr4, efer;
};

/*
 * guest.c: guest memory from the vCPU's own thread.  With @atomic, for use in a
 * burst: never sleeps, and gives -EAGAIN when the page must be faulted in first.
 * -ENXIO: no slot there, or a page-table entry is not present.
 */
int guest_read(struct vitro_vm *vm, u64 gpa, void *dst, size_t len, bool atomic);
int guest_write(struct vitro_vm *vm, u64 gpa, const void *src, size_t len);
int guest_walk(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva,
	       u64 *gpa, bool atomic);
/* Reads up to 15 bytes of code at linear address @gva; returns how many it got. */
int guest_fetch(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva,
		u8 bytes[15], bool atomic);

#endif /* VITRO_MM_H */
