// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory as the kernel side itself reads and writes it: instruction bytes, the
 * guest's page tables, the paravirtual clock's page.  The way is gpa, slot, hva, and
 * then the process's own mapping, so all of this runs in a thread of the process.
 *
 * Copies are made with page faults forbidden, since a burst cannot sleep, and since
 * vitro_srcu must not be held over a page fault.  Who may sleep then brings the page
 * in, holding nothing, and tries again.
 */
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "mm/mm.h"

/* Ends the contest with a process that takes pages away as fast as we bring them in. */
#define MAX_TRIES		100

#define PTE_PRESENT		BIT_ULL(0)
#define PTE_LARGE		BIT_ULL(7)

/*
 * A word, such as an entry of a page table, is one load: atomic, and cheaper than a copy
 * of any size.  The slot's addresses were checked when it was made (slot_check).
 */
static int load_word(void *to, unsigned long hva)
{
	u64 word;
	int r;

	pagefault_disable();
	r = __get_user(word, (u64 __user *)hva);
	pagefault_enable();
	memcpy(to, &word, sizeof(word));
	return r;
}

/*
 * Copies @len bytes inside one page, once.  0; -EAGAIN when the process's page is not
 * there: then *@hva is its address; -ENXIO, -EPERM as guest_read and guest_write.
 */
static int copy_try(struct vitro_vm *vm, u64 gpa, void *buf, size_t len, bool write,
		    unsigned long *hva)
{
	struct vitro_slot *slot;
	int idx, r;

	idx = srcu_read_lock(&vitro_srcu);
	slot = slot_find(vm, gpa >> PAGE_SHIFT);
	if (!slot) {
		r = -ENXIO;
	} else if (write && (slot->flags & VITRO_SLOT_READONLY)) {
		r = -EPERM;
	} else {
		*hva = slot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa);
		if (write)
			r = copy_to_user_nofault((void __user *)*hva, buf, len);
		else if (len == sizeof(u64))
			r = load_word(buf, *hva);
		else
			r = copy_from_user_nofault(buf, (void __user *)*hva, len);
		if (r)
			r = -EAGAIN;
		else if (write)
			dirty_mark(slot, gpa >> PAGE_SHIFT);
	}
	srcu_read_unlock(&vitro_srcu, idx);
	return r;
}

static int copy_one(struct vitro_vm *vm, u64 gpa, void *buf, size_t len, bool write,
		    bool atomic)
{
	unsigned long hva;
	int tries, r;

	for (tries = 0; tries < MAX_TRIES; tries++) {
		r = copy_try(vm, gpa, buf, len, write, &hva);
		if (r != -EAGAIN || atomic)
			return r;
		r = hva_touch(hva, write);
		if (r)
			return r;
		cond_resched();
	}
	return -EFAULT;
}

static int copy(struct vitro_vm *vm, u64 gpa, void *buf, size_t len, bool write, bool atomic)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		int r = copy_one(vm, gpa, buf, n, write, atomic);

		if (r)
			return r;
		gpa += n;
		buf += n;
		len -= n;
	}
	return 0;
}

/**
 * guest_read() - read guest physical memory
 * @vm: the VM, of the current process
 * @gpa: first address
 * @dst: where to
 * @len: bytes; they may span pages and slots
 * @atomic: never sleep
 *
 * Return: 0; -ENXIO where there is no slot; -EFAULT where the process itself cannot
 * read; -EAGAIN, only with @atomic, where it might after a page fault; -EINTR on a
 * fatal signal; -ENOMEM.  On an error, part of @dst may have been written.
 */
int guest_read(struct vitro_vm *vm, u64 gpa, void *dst, size_t len, bool atomic)
{
	return copy(vm, gpa, dst, len, false, atomic);
}

/**
 * guest_write() - write guest physical memory
 * @vm: the VM, of the current process
 * @gpa: first address
 * @src: what
 * @len: bytes; they may span pages and slots
 *
 * Sleeps.  The pages are marked in their dirty logs.
 * Return: as guest_read; -EPERM in a read-only slot.  On an error, part of it may
 * have been written.
 */
int guest_write(struct vitro_vm *vm, u64 gpa, const void *src, size_t len)
{
	return copy(vm, gpa, (void *)src, len, true, false);
}

/**
 * guest_walk() - translate a linear address by the guest's own page tables
 * @vm: the VM, of the current process
 * @paging: the registers that govern paging
 * @gva: linear address
 * @gpa: out: guest physical address
 * @atomic: never sleep
 *
 * Only presence counts.  Permissions and reserved bits are not looked at: this serves
 * to find an instruction that the CPU has just executed, and so was allowed to fetch.
 * (SDM 3A 4.3 to 4.5, APM 2 5.2 and 5.3.)
 *
 * Return: 0; -ENXIO when an entry is not present or lies outside of the slots; or as
 * guest_read.
 */
int guest_walk(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva,
	       u64 *gpa, bool atomic)
{
	u64 phys = GENMASK_ULL(mmu_gpa_bits() - 1, PAGE_SHIFT);
	bool long_mode = paging->efer & EFER_LMA;
	bool pae = paging->cr4 & X86_CR4_PAE;
	int level, bits, entry_size;
	u64 table, entry;

	if (!long_mode)
		gva = (u32)gva;
	if (!(paging->cr0 & X86_CR0_PG)) {
		*gpa = gva;
		return 0;
	}

	if (long_mode) {
		level = paging->cr4 & X86_CR4_LA57 ? 5 : 4;
		table = paging->cr3 & phys;
	} else if (pae) {
		/* Four entries at level 3, aligned to their 32 bytes. */
		level = 3;
		table = paging->cr3 & GENMASK_ULL(31, 5);
	} else {
		level = 2;
		table = paging->cr3 & GENMASK_ULL(31, 12);
	}
	bits = long_mode || pae ? 9 : 10;
	entry_size = long_mode || pae ? 8 : 4;

	for (;; level--) {
		int shift = PAGE_SHIFT + bits * (level - 1);
		u64 index = (gva >> shift) & ((1 << bits) - 1);
		u64 offset_mask = (1ULL << shift) - 1;
		bool large;
		int r;

		entry = 0;
		r = guest_read(vm, table + index * entry_size, &entry, entry_size, atomic);
		if (r)
			return r;
		if (!(entry & PTE_PRESENT))
			return -ENXIO;

		/* 4 MiB pages need CR4.PSE; 1 GiB pages exist in long mode only. */
		large = (entry & PTE_LARGE) &&
			((level == 2 && (bits == 9 || (paging->cr4 & X86_CR4_PSE))) ||
			 (level == 3 && long_mode));
		table = entry & phys;
		if (large && bits == 10)
			/* PSE-36: address bits 39:32 are in 20:13 of the entry. */
			table = ((entry & GENMASK_ULL(20, 13)) << 19) |
				(entry & GENMASK_ULL(31, 22));
		if (large || level == 1) {
			*gpa = (table & ~offset_mask) | (gva & offset_mask);
			return 0;
		}
	}
}

/**
 * guest_fetch() - read the bytes of an instruction
 * @vm: the VM, of the current process
 * @paging: the registers that govern paging
 * @gva: linear address of the first byte
 * @bytes: out: up to 15, the longest there are
 * @atomic: never sleep
 *
 * Return: how many bytes were read, at least 1, or an error of guest_walk for the
 * first byte.  There are fewer than 15 when the instruction's last page is followed
 * by one that the guest does not have; and, with @atomic, by one that is not in
 * memory.  If the instruction proves to be longer, ask again without @atomic: then a
 * following page that the process cannot access is an error as well.
 */
int guest_fetch(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva,
		u8 bytes[15], bool atomic)
{
	int got = 0;

	while (got < 15) {
		int n = min_t(int, 15 - got, PAGE_SIZE - offset_in_page(gva + got));
		u64 gpa;
		int r;

		r = guest_walk(vm, paging, gva + got, &gpa, atomic);
		if (!r)
			r = guest_read(vm, gpa, bytes + got, n, atomic);
		if (r)
			return got && (r == -ENXIO || r == -EAGAIN) ? got : r;
		got += n;
	}
	return got;
}
