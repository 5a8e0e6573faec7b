// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: which guest physical addresses are which addresses of the process.
 *
 * A slot never changes.  All slots are in one sorted array, which never changes
 * either, but is replaced as a whole under vm->lock; readers hold vitro_srcu.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "glass/trace.h"
#include "mm/mm.h"

/* Where the xAPIC's registers are (SDM 3A 11.4.1): no slot may shadow it. */
#define APIC_PAGE_GPA		0xfee00000ULL

/* Bounds the bitmap of a dirty log, and what VITRO_DIRTY_LOG copies: 1 TiB, 32 MiB. */
#define LOG_MAX_PAGES		BIT_ULL(28)

static u64 slot_end(const struct vitro_slot *slot)
{
	return slot->base_gfn + slot->npages;
}

static struct vitro_slots *slots_get(struct vitro_vm *vm)
{
	return srcu_dereference_check(vm->mmu.slots, &vitro_srcu, lockdep_is_held(&vm->lock));
}

/**
 * slot_find() - the slot that has a guest frame
 * @vm: the VM; vitro_srcu or vm->lock held while the slot is used
 * @gfn: the frame
 *
 * Return: the slot, or NULL.
 */
struct vitro_slot *slot_find(struct vitro_vm *vm, u64 gfn)
{
	struct vitro_slots *slots = slots_get(vm);
	int low = 0, high = slots ? slots->nr : 0;

	while (low < high) {
		int mid = (low + high) / 2;
		struct vitro_slot *slot = slots->slot[mid];

		if (gfn < slot->base_gfn)
			high = mid;
		else if (gfn >= slot_end(slot))
			low = mid + 1;
		else
			return slot;
	}
	return NULL;
}

/**
 * slot_use() - is there memory at a guest frame?
 * @vm: the VM
 * @gfn: the frame
 *
 * Also in a burst.  The answer may be old by the time it is looked at.
 */
enum slot_use slot_use(struct vitro_vm *vm, u64 gfn)
{
	int idx = srcu_read_lock(&vitro_srcu);
	const struct vitro_slot *slot = slot_find(vm, gfn);
	enum slot_use use = !slot ? SLOT_NONE : slot->dirty ? SLOT_LOGGED : SLOT_PLAIN;

	srcu_read_unlock(&vitro_srcu, idx);
	return use;
}

/**
 * slot_by_id() - the slot with a number
 * @vm: the VM; vitro_srcu or vm->lock held while the slot is used
 * @id: the number
 *
 * Return: the slot, or NULL.
 */
struct vitro_slot *slot_by_id(struct vitro_vm *vm, u32 id)
{
	struct vitro_slots *slots = slots_get(vm);
	int i;

	for (i = 0; slots && i < slots->nr; i++)
		if (slots->slot[i]->id == id)
			return slots->slot[i];
	return NULL;
}

static void slot_free(struct vitro_slot *slot)
{
	if (!slot)
		return;
	kvfree(slot->dirty);
	kfree(slot);
}

static int slot_check(const struct vitro_memslot *req)
{
	u64 gpa_limit = 1ULL << mmu_gpa_bits();

	if (req->slot >= VITRO_MAX_SLOTS ||
	    (req->flags & ~(VITRO_SLOT_READONLY | VITRO_SLOT_LOG_DIRTY)))
		return -EINVAL;
	if (!PAGE_ALIGNED(req->gpa) || !PAGE_ALIGNED(req->size) || !PAGE_ALIGNED(req->hva))
		return -EINVAL;
	if (req->gpa > gpa_limit || req->size > gpa_limit - req->gpa)
		return -EINVAL;
	/*
	 * Stricter than access_ok(): no tag bits (LAM, UAI) in the address.  They
	 * would do for get_user_pages, but notifiers speak of untagged ranges: we
	 * would miss that the page is taken away.
	 */
	if (req->hva > TASK_SIZE_MAX || req->size > TASK_SIZE_MAX - req->hva)
		return -EINVAL;
	if (req->gpa <= APIC_PAGE_GPA && req->size > APIC_PAGE_GPA - req->gpa)
		return -EINVAL;
	if ((req->flags & VITRO_SLOT_LOG_DIRTY) && req->size >> PAGE_SHIFT > LOG_MAX_PAGES)
		return -EINVAL;
	return 0;
}

static struct vitro_slot *slot_alloc(const struct vitro_memslot *req)
{
	struct vitro_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);

	if (!slot)
		return NULL;
	slot->base_gfn = req->gpa >> PAGE_SHIFT;
	slot->npages = req->size >> PAGE_SHIFT;
	slot->hva = req->hva;
	slot->flags = req->flags;
	slot->id = req->slot;
	if (slot->flags & VITRO_SLOT_LOG_DIRTY) {
		slot->dirty = kvcalloc(BITS_TO_LONGS(slot->npages), sizeof(long),
				       GFP_KERNEL_ACCOUNT);
		if (!slot->dirty) {
			kfree(slot);
			return NULL;
		}
	}
	return slot;
}

/* A copy of @old without the slot numbered @id, and with @new in its place if not NULL. */
static int slots_copy(const struct vitro_slots *old, u32 id, struct vitro_slot *new,
		      struct vitro_slots **copy)
{
	int i, nr = old ? old->nr : 0;
	struct vitro_slots *slots;
	bool done = !new;

	slots = kzalloc(struct_size(slots, slot, nr + 1), GFP_KERNEL_ACCOUNT);
	if (!slots)
		return -ENOMEM;

	for (i = 0; i < nr; i++) {
		struct vitro_slot *slot = old->slot[i];

		if (slot->id == id)
			continue;
		if (new && slot->base_gfn < slot_end(new) && new->base_gfn < slot_end(slot)) {
			kfree(slots);
			return -EEXIST;
		}
		if (!done && new->base_gfn < slot->base_gfn) {
			slots->slot[slots->nr++] = new;
			done = true;
		}
		slots->slot[slots->nr++] = slot;
	}
	if (!done)
		slots->slot[slots->nr++] = new;
	*copy = slots;
	return 0;
}

/*
 * Takes the mappings of @slot away, and with them all tables that no other slot needs:
 * the range is widened to the neighbours, so that it covers the tables' whole spans.
 * mmu_lock held.
 */
static void zap_slot(struct vitro_vm *vm, const struct vitro_slots *slots,
		     const struct vitro_slot *slot)
{
	u64 first = 0, end = U64_MAX;
	int i;

	for (i = 0; i < slots->nr; i++) {
		if (slots->slot[i]->base_gfn < slot->base_gfn)
			first = slot_end(slots->slot[i]);
		if (slots->slot[i]->base_gfn > slot->base_gfn) {
			end = slots->slot[i]->base_gfn;
			break;
		}
	}
	tdp_zap(vm, first, end, true);
}

/*
 * To all others, a change of the slots looks like a change of the process's page
 * tables, from invalidate_begin to invalidate_end (see notifier.c):
 *  - the old slot's mappings are zapped while it is still in the array, so that
 *    there is no moment at which pages are mapped of which no notifier would know;
 *  - a fault that found the old slot does not map what it found, because
 *    invalidate_end comes after the new array.
 * Then, after a grace period, nobody has hold of the old slot or array.
 * selftests/models/fault.pml checks it.
 */
static int slots_replace(struct vitro_vm *vm, u32 id, struct vitro_slot *new)
{
	struct vitro_slot *old_slot = slot_by_id(vm, id);
	struct vitro_slots *old = slots_get(vm);
	struct vitro_slots *slots;
	int r;

	if (!new && !old_slot)
		return -ENOENT;
	r = slots_copy(old, id, new, &slots);
	if (r)
		return r;

	spin_lock(&vm->mmu.lock);
	invalidate_begin(vm);
	if (old_slot)
		zap_slot(vm, old, old_slot);
	spin_unlock(&vm->mmu.lock);

	rcu_assign_pointer(vm->mmu.slots, slots);
	invalidate_end(vm);

	synchronize_srcu_expedited(&vitro_srcu);
	slot_free(old_slot);
	kfree(old);
	return 0;
}

/**
 * slots_set() - add, replace or delete a memslot: VITRO_SET_MEMSLOT
 * @vm: the VM; vm->lock held
 * @req: as userspace gave it
 *
 * A slot that is replaced loses its dirty log, and all its mappings, even if the new
 * one is the same.  Memory of the process is neither touched nor pinned.
 *
 * Return: 0; -EINVAL for a bad number, flag, alignment or range, a range with the
 * APIC's page in it, or a log of more than 1 TiB; -EEXIST, -ENOENT, -ENOMEM.
 */
int slots_set(struct vitro_vm *vm, const struct vitro_memslot *req)
{
	struct vitro_slot *new = NULL;
	int r;

	r = slot_check(req);
	if (r)
		return r;
	if (req->size) {
		new = slot_alloc(req);
		if (!new)
			return -ENOMEM;
	}

	r = slots_replace(vm, req->slot, new);
	if (r)
		slot_free(new);
	else
		trace_vitro_memslot(vm, req);
	return r;
}

/**
 * slots_free() - free them all
 * @vm: the VM, which nobody else can reach any more
 */
void slots_free(struct vitro_vm *vm)
{
	struct vitro_slots *slots = rcu_dereference_protected(vm->mmu.slots, true);
	int i;

	for (i = 0; slots && i < slots->nr; i++)
		slot_free(slots->slot[i]);
	kfree(slots);
	RCU_INIT_POINTER(vm->mmu.slots, NULL);
}
