// SPDX-License-Identifier: LGPL-2.1-or-later
/* Guest physical memory: slots, and getting at what is in them. */

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "internal.h"

#define HUGE_PAGE	(2ULL << 20)

/* ------------------------------------------------------------------- slots */

/* Under the lock.  The number of the slot that starts at @gpa, or -1. */
static int slot_at(const struct vitro_vm *vm, uint64_t gpa)
{
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		if (vm->slot[i].size && vm->slot[i].gpa == gpa)
			return i;
	}
	return -1;
}

/* Under the lock. */
static void slots_changed(struct vitro_vm *vm)
{
	__atomic_fetch_add(&vm->slots_changed, 1, __ATOMIC_RELEASE);
}

/* Under the lock.  A free slot number, or -1. */
static int slot_free(const struct vitro_vm *vm)
{
	for (unsigned int i = 0; i < vm->max_slots; i++) {
		if (!vm->slot[i].size)
			return i;
	}
	return -1;
}

static int slot_ioctl(struct vitro_vm *vm, int nr, const struct vi_slot *slot)
{
	struct vitro_memslot arg = {
		.slot = nr,
		.flags = slot->flags,
		.gpa = slot->gpa,
		.size = slot->size,
		.hva = (uintptr_t)slot->hva,
	};

	return ioctl(vm->fd, VITRO_SET_MEMSLOT, &arg) < 0 ? -errno : 0;
}

static const char *map_cause(int err)
{
	switch (err) {
	case ENOSPC:
		return "all memslots are taken";
	case EEXIST:
		return "it overlaps other guest memory";
	case EINVAL:
		return "no multiples of 4096, or more than a guest can address";
	default:
		return strerror(err);
	}
}

static int slot_add(struct vitro_vm *vm, const struct vi_slot *slot)
{
	int nr, ret;

	if (!slot->size)	/* would delete in the kernel, and mean free here */
		return vi_fail(EINVAL, "guest memory of size 0 at gpa 0x%llx",
			       (unsigned long long)slot->gpa);

	pthread_rwlock_wrlock(&vm->lock);
	nr = slot_free(vm);
	ret = nr < 0 ? -ENOSPC : slot_ioctl(vm, nr, slot);
	if (!ret) {
		vm->slot[nr] = *slot;
		slots_changed(vm);
		if ((unsigned int)nr >= vm->nr_slots)
			vm->nr_slots = nr + 1;
	}
	pthread_rwlock_unlock(&vm->lock);

	if (ret)
		return vi_fail(-ret, "cannot map guest memory at gpa 0x%llx, size 0x%llx: %s",
			       (unsigned long long)slot->gpa, (unsigned long long)slot->size,
			       map_cause(-ret));
	return 0;
}

/*
 * Anonymous memory whose hva and gpa are equal modulo 2 MiB: only then can one huge
 * page serve the process and the second-level page tables.
 */
static uint8_t *alloc_aligned(uint64_t gpa, uint64_t size)
{
	uint64_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
	uint64_t skip;
	uint8_t *base;

	if (size > UINT64_MAX - slack)
		return vi_fail_ptr(ENOMEM, "no address space for guest memory of that size");
	base = mmap(NULL, size + slack, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return vi_fail_ptr(errno, "cannot allocate 0x%llx bytes for the guest: %s",
				   (unsigned long long)size, strerror(errno));
	if (!slack)
		return base;

	skip = (gpa - (uintptr_t)base) & (HUGE_PAGE - 1);
	if (skip)
		munmap(base, skip);
	munmap(base + skip + size, slack - skip);
	return base + skip;
}

void *vitro_mem_alloc(struct vitro_vm *vm, uint64_t gpa, uint64_t size, uint32_t flags)
{
	struct vi_slot slot = { .gpa = gpa, .size = size, .flags = flags, .owned = true };
	int ret;

	if (!size || size & PAGE_MASK || gpa & PAGE_MASK)
		return vi_fail_ptr(EINVAL, "guest memory at gpa 0x%llx, size 0x%llx; "
				   "both must be multiples of 4096",
				   (unsigned long long)gpa, (unsigned long long)size);
	slot.hva = alloc_aligned(gpa, size);
	if (!slot.hva)
		return NULL;
	ret = slot_add(vm, &slot);
	if (ret) {
		munmap(slot.hva, size);
		errno = -ret;
		return NULL;
	}
	return slot.hva;
}

int vitro_mem_map(struct vitro_vm *vm, uint64_t gpa, uint64_t size, void *hva, uint32_t flags)
{
	struct vi_slot slot = { .gpa = gpa, .size = size, .hva = hva, .flags = flags };

	return slot_add(vm, &slot);
}

int vitro_mem_unmap(struct vitro_vm *vm, uint64_t gpa)
{
	struct vi_slot old = { 0 };
	int ret = -ENOENT;
	int nr;

	pthread_rwlock_wrlock(&vm->lock);
	nr = slot_at(vm, gpa);
	if (nr >= 0) {
		struct vi_slot none = { .gpa = gpa };

		old = vm->slot[nr];
		ret = slot_ioctl(vm, nr, &none);
		if (!ret) {
			vm->slot[nr] = none;
			slots_changed(vm);
		}
	}
	pthread_rwlock_unlock(&vm->lock);

	if (ret)
		return vi_fail(-ret, "cannot unmap guest memory at gpa 0x%llx: %s",
			       (unsigned long long)gpa,
			       nr < 0 ? "no memory was mapped to just that address" :
			       strerror(-ret));
	if (old.owned)
		munmap(old.hva, old.size);
	return 0;
}

int vitro_mem_dirty_log(struct vitro_vm *vm, uint64_t gpa, uint64_t first, uint64_t nr,
			uint64_t *bitmap)
{
	struct vitro_dirty_log arg = { .first = first, .nr = nr, .bitmap = (uintptr_t)bitmap };
	int ret = -ENOENT;
	int slot;

	pthread_rwlock_rdlock(&vm->lock);
	slot = slot_at(vm, gpa);
	if (slot >= 0) {
		arg.slot = slot;
		ret = ioctl(vm->fd, VITRO_DIRTY_LOG, &arg) < 0 ? -errno : 0;
	}
	pthread_rwlock_unlock(&vm->lock);

	if (ret)
		return vi_fail(-ret, "dirty log of gpa 0x%llx, pages %llu + %llu: %s",
			       (unsigned long long)gpa, (unsigned long long)first,
			       (unsigned long long)nr,
			       ret == -ENOENT ? "map that memory with VITRO_SLOT_LOG_DIRTY first" :
			       strerror(-ret));
	return 0;
}

/* ----------------------------------------------------------------- content */

/**
 * vi_gpa_find - find guest memory, or the lack of it
 * @vm: the VM
 * @gpa: guest physical address
 * @len: in: bytes wanted; out: how many of them are in the same slot
 * @flags: set to the slot's VITRO_SLOT_* flags; may be NULL
 *
 * The hva stays good until the slot is unmapped, which is the caller's to prevent.
 *
 * Return: the hva, or NULL when there is no memory at @gpa; vitro_error() is left
 * alone, because that may be just what the caller wants to know.
 */
uint8_t *vi_gpa_find(struct vitro_vm *vm, uint64_t gpa, uint64_t *len, uint32_t *flags)
{
	uint8_t *hva = NULL;

	pthread_rwlock_rdlock(&vm->lock);
	for (unsigned int i = 0; i < vm->nr_slots; i++) {
		const struct vi_slot *slot = &vm->slot[i];
		uint64_t offset = gpa - slot->gpa;	/* huge when gpa is below */

		if (offset >= slot->size)
			continue;
		if (*len > slot->size - offset)
			*len = slot->size - offset;
		if (flags)
			*flags = slot->flags;
		hva = slot->hva + offset;
		break;
	}
	pthread_rwlock_unlock(&vm->lock);
	return hva;
}

void *vitro_gpa_to_hva(struct vitro_vm *vm, uint64_t gpa, uint64_t len)
{
	uint64_t got = len;
	uint8_t *hva = vi_gpa_find(vm, gpa, &got, NULL);

	if (!hva || got < len)
		return vi_fail_ptr(ENXIO, "the guest has no memory at gpa 0x%llx, size 0x%llx",
				   (unsigned long long)gpa, (unsigned long long)len);
	return hva;
}

static int copy_gpa(struct vitro_vm *vm, uint64_t gpa, void *to, const void *from, size_t len)
{
	while (len) {
		uint64_t part = len;
		uint8_t *hva = vi_gpa_find(vm, gpa, &part, NULL);

		if (!hva)
			return vi_fail(ENXIO, "the guest has no memory at gpa 0x%llx",
				       (unsigned long long)gpa);
		if (to) {
			memcpy(to, hva, part);
			to = (uint8_t *)to + part;
		} else {
			memcpy(hva, from, part);
			from = (const uint8_t *)from + part;
		}
		gpa += part;
		len -= part;
	}
	return 0;
}

int vitro_read_gpa(struct vitro_vm *vm, uint64_t gpa, void *buf, size_t len)
{
	return copy_gpa(vm, gpa, buf, NULL, len);
}

int vitro_write_gpa(struct vitro_vm *vm, uint64_t gpa, const void *buf, size_t len)
{
	return copy_gpa(vm, gpa, NULL, buf, len);
}
