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

/* Before another try: @hva was not in memory, or was taken away again. */
static int bring_in(unsigned long hva, bool write, int *tries)
{
	if (++*tries > MAX_TRIES)
		return -EFAULT;
	cond_resched();
	return hva_touch(hva, write);
}

static int copy_one(struct vitro_vm *vm, u64 gpa, void *buf, size_t len, bool write)
{
	unsigned long hva;
	int tries = 0, r;

	do {
		r = copy_try(vm, gpa, buf, len, write, &hva);
	} while (r == -EAGAIN && !(r = bring_in(hva, write, &tries)));
	return r;
}

static int copy(struct vitro_vm *vm, u64 gpa, void *buf, size_t len, bool write)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		int r = copy_one(vm, gpa, buf, n, write);

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
 *
 * Sleeps.
 * Return: 0; -ENXIO where there is no slot; -EFAULT where the process itself cannot
 * read; -EINTR on a fatal signal; -ENOMEM.  On an error, part of @dst may have been
 * written.
 */
int guest_read(struct vitro_vm *vm, u64 gpa, void *dst, size_t len)
{
	return copy(vm, gpa, dst, len, false);
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
	return copy(vm, gpa, (void *)src, len, true);
}

/**
 * struct reader - reads of guest memory that succeed or fail as a whole
 * @vm: the VM; vitro_srcu is held, and page faults are forbidden
 * @slot: where the last read was: the next one often is there as well
 * @hva: after -EAGAIN: what the process must touch
 * @srcu: from reader_begin() to reader_end()
 *
 * One exit may need a dozen words, of tables and of code.  They are read by plain loads,
 * atomically where the CPU reads them so, with what each needs done once for all.
 */
struct reader {
	struct vitro_vm *vm;
	struct vitro_slot *slot;
	unsigned long hva;
	int srcu;
};

static void reader_begin(struct reader *r)
	__acquires(&vitro_srcu)
{
	r->srcu = srcu_read_lock(&vitro_srcu);
	r->slot = NULL;		/* that of the last try may be gone */
	pagefault_disable();
}

static void reader_end(struct reader *r)
	__releases(&vitro_srcu)
{
	pagefault_enable();
	srcu_read_unlock(&vitro_srcu, r->srcu);
}

/* Where @gpa is in the process.  The slot's addresses were checked when it was made. */
static int reader_find(struct reader *r, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT;

	if (!r->slot || gfn - r->slot->base_gfn >= r->slot->npages) {
		r->slot = slot_find(r->vm, gfn);
		if (!r->slot)
			return -ENXIO;
	}
	r->hva = slot_hva(r->slot, gfn) + offset_in_page(gpa);
	return 0;
}

/* An entry of a page table, of @size bytes: 4 or 8. */
static int read_entry(struct reader *r, u64 gpa, int size, u64 *entry)
{
	u32 half;
	int err;

	err = reader_find(r, gpa);
	if (err)
		return err;
	if (size == 8)
		return __get_user(*entry, (u64 __user *)r->hva) ? -EAGAIN : 0;
	err = __get_user(half, (u32 __user *)r->hva);
	*entry = half;
	return err ? -EAGAIN : 0;
}

/* @len bytes inside one page: */
static int read_code(struct reader *r, u64 gpa, u8 *to, int len)
{
	int err = reader_find(r, gpa);

	if (err)
		return err;
	return copy_from_user_nofault(to, (void __user *)r->hva, len) ? -EAGAIN : 0;
}

/* or, as nearly always, 16 of them, by two loads. */
static int read_code_16(struct reader *r, u64 gpa, u8 *to)
{
	u64 word[2];
	int err;

	err = reader_find(r, gpa);
	if (err)
		return err;
	if (__get_user(word[0], (u64 __user *)r->hva) ||
	    __get_user(word[1], (u64 __user *)r->hva + 1))
		return -EAGAIN;
	memcpy(to, word, sizeof(word));
	return 0;
}

/* guest_walk(), once: 0, -ENXIO or -EAGAIN. */
static int walk(struct reader *r, const struct guest_paging *paging, u64 gva, u64 *gpa)
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
		int err;

		err = read_entry(r, table + index * entry_size, entry_size, &entry);
		if (err)
			return err;
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

/* guest_fetch(), once: how many bytes, -ENXIO or -EAGAIN. */
static int fetch(struct reader *r, const struct guest_paging *paging, u64 gva, u8 bytes[16],
		 bool atomic)
{
	int got = 0;
	u64 gpa;
	int err;

	if (offset_in_page(gva) <= PAGE_SIZE - 16) {
		err = walk(r, paging, gva, &gpa);
		if (!err)
			err = read_code_16(r, gpa, bytes);
		return err ?: 15;
	}
	while (got < 15) {
		int n = min_t(int, 15 - got, PAGE_SIZE - offset_in_page(gva + got));

		err = walk(r, paging, gva + got, &gpa);
		if (!err)
			err = read_code(r, gpa, bytes + got, n);
		if (err)
			return got && (err == -ENXIO || atomic) ? got : err;
		got += n;
	}
	return got;
}

/**
 * guest_walk() - translate a linear address by the guest's own page tables
 * @vm: the VM, of the current process
 * @paging: the registers that govern paging
 * @gva: linear address
 * @gpa: out: guest physical address
 *
 * Only presence counts.  Permissions and reserved bits are not looked at: this serves
 * to find an instruction that the CPU has just executed, and so was allowed to fetch.
 * (SDM 3A 4.3 to 4.5, APM 2 5.2 and 5.3.)
 *
 * Sleeps.
 * Return: 0; -ENXIO when an entry is not present or lies outside of the slots; -EFAULT
 * where the process itself cannot read; -EINTR on a fatal signal; -ENOMEM.
 */
int guest_walk(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva, u64 *gpa)
{
	struct reader r = { .vm = vm };
	int tries = 0, err;

	do {
		reader_begin(&r);
		err = walk(&r, paging, gva, gpa);
		reader_end(&r);
	} while (err == -EAGAIN && !(err = bring_in(r.hva, false, &tries)));
	return err;
}

/**
 * guest_fetch() - read the bytes of an instruction
 * @vm: the VM, of the current process
 * @paging: the registers that govern paging
 * @gva: linear address of the first byte
 * @bytes: out: up to 15, the longest there are, and room for one more
 * @atomic: never sleep
 *
 * Return: how many bytes were read, at least 1; or, for the first byte, an error of
 * guest_walk, or -EAGAIN, only with @atomic, where a page must be brought into memory
 * first.  There are fewer than 15 when the instruction's last page is followed
 * by one that the guest does not have; and, with @atomic, by one that is not in
 * memory.  If the instruction proves to be longer, ask again without @atomic: then a
 * following page that the process cannot access is an error as well.
 */
int guest_fetch(struct vitro_vm *vm, const struct guest_paging *paging, u64 gva,
		u8 bytes[16], bool atomic)
{
	struct reader r = { .vm = vm };
	int tries = 0, got;

	do {
		reader_begin(&r);
		got = fetch(&r, paging, gva, bytes, atomic);
		reader_end(&r);
	} while (got == -EAGAIN && !atomic && !(got = bring_in(r.hva, false, &tries)));
	return got;
}
