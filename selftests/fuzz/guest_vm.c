// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM for many programs: memory between guards, and two vCPUs that can be made as good as new. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "guest.h"

#define MIB		(1ULL << 20)
#define GUARD		0xa5
#define NEAR		PAGE	/* of the guards, what is looked at after each program */
#define SLOT_NR_HOLE	500	/* far from the numbers that libvitro gives */
#define MSI_INIT	0x4500	/* SDM 3A 11.11.2: delivery mode 5, level asserted */

/* ------------------------------------------------------------------- memory */

/*
 * All slots but one have 64 KiB of guard on both sides.  HUGE has 2 MiB: it is the first three
 * pages of a huge page, all of which the guest would reach if it were mapped as one.
 */
static void add_slot(struct vm *vm, unsigned int nr, uint64_t gpa, uint64_t size, uint32_t flags)
{
	uint64_t guard = nr == SLOT_HUGE ? 2 * MIB : 0x10000;
	struct slot *slot = &vm->slot[nr];
	unsigned char *area;

	/* Reserve more than is needed, for the alignment. */
	area = mmap(NULL, 2 * guard + size + 2 * MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		die("no memory for a slot of 0x%llx bytes: %s", (unsigned long long)size,
		    strerror(errno));
	slot->mem = (unsigned char *)(((uintptr_t)area + guard + 2 * MIB - 1) & ~(2 * MIB - 1));
	munmap(area, slot->mem - guard - area);
	area += 2 * guard + size + 2 * MIB;
	munmap(slot->mem + size + guard, area - (slot->mem + size + guard));
	slot->gpa = gpa;
	slot->size = size;
	slot->flags = flags;
	slot->guard = guard;
	if (nr == SLOT_HUGE)
		madvise(slot->mem, guard, MADV_HUGEPAGE);
	memset(slot->mem - guard, GUARD, guard);
	memset(slot->mem + size, GUARD, guard);
}

static void map_slots(struct vm *vm)
{
	struct vitro_memslot hole = { .slot = SLOT_NR_HOLE, .gpa = HOLE, .size = HOLE_SIZE };
	unsigned int i;

	add_slot(vm, SLOT_RAM, 0, RAM_SIZE, 0);
	add_slot(vm, SLOT_ROM, ROM, ROM_SIZE, VITRO_SLOT_READONLY);
	add_slot(vm, SLOT_HUGE, HUGE, HUGE_SIZE, 0);
	add_slot(vm, SLOT_HIGH, HIGH, HIGH_SIZE, VITRO_SLOT_LOG_DIRTY);
	add_slot(vm, SLOT_HOLE, HOLE, HOLE_SIZE, 0);

	for (i = SLOT_RAM; i < SLOT_HOLE; i++) {
		const struct slot *slot = &vm->slot[i];

		if (vitro_mem_map(vm->vm, slot->gpa, slot->size, slot->mem, slot->flags))
			die("%s", vitro_error());
	}
	memset(vm->slot[SLOT_ROM].mem, 0xf4, ROM_SIZE);	/* hlt */

	/* libvitro is not told of this one: its emulation would go there, and die. */
	hole.hva = (uintptr_t)vm->slot[SLOT_HOLE].mem;
	mprotect(vm->slot[SLOT_HOLE].mem + PAGE, PAGE, PROT_NONE);
	if (ioctl(vitro_vm_fd(vm->vm), VITRO_SET_MEMSLOT, &hole))
		die("a slot with a hole: %s", strerror(errno));
}

static void unmap_slots(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++)
		munmap(vm->slot[i].mem - vm->slot[i].guard,
		       vm->slot[i].size + 2 * vm->slot[i].guard);
}

static bool all_bytes(const unsigned char *mem, size_t len, unsigned char value)
{
	return mem[0] == value && !memcmp(mem, mem + 1, len - 1);
}

/**
 * vm_damage - has a program written where it must not?
 * @vm: the machine
 * @thorough: look at all of the guards, not only at the pages next to the slots
 *
 * Return: what is damaged, or NULL.
 */
const char *vm_damage(struct vm *vm, bool thorough)
{
	unsigned int i;

	for (i = 0; i < NR_SLOTS; i++) {
		const struct slot *slot = &vm->slot[i];
		size_t len = thorough ? slot->guard : NEAR;

		if (!all_bytes(slot->mem - len, len, GUARD))
			return "memory before a slot";
		if (!all_bytes(slot->mem + slot->size, len, GUARD))
			return "memory behind a slot";
	}
	if (!all_bytes(vm->slot[SLOT_ROM].mem, ROM_SIZE, 0xf4))
		return "a read-only slot";
	return NULL;
}

/* -------------------------------------------------------------------- vCPUs */

/* Which bits of CR4 and EFER the module takes, found by trying. */
static void learn_bits(struct cpu *cpu)
{
	struct vitro_crs *crs = &cpu->comm->state.crs;
	unsigned int bit;

	for (bit = 0; bit < 32; bit++) {
		*crs = cpu->fresh.crs;
		crs->cr4 = 1ULL << bit;
		if (!vitro_vcpu_set(cpu->vcpu, VITRO_STATE_CRS))
			cpu->vm->cr4 |= 1ULL << bit;
		*crs = cpu->fresh.crs;
		crs->efer = 1ULL << bit;
		if (!vitro_vcpu_set(cpu->vcpu, VITRO_STATE_CRS))
			cpu->vm->efer |= 1ULL << bit;
	}
	*crs = cpu->fresh.crs;
	if (vitro_vcpu_set(cpu->vcpu, VITRO_STATE_CRS))
		die("%s", vitro_error());
}

/*
 * QEMU dies of a guest's breakpoints (Documentation/fuzzing.md).  To a debugger the CPU's debug
 * registers are lent, and the guest's own do nothing; this one has no breakpoints in them.
 */
static void lend_debug_registers(struct cpu *cpu)
{
	const struct vitro_debug debug = { .flags = VITRO_DEBUG_HW };

	if (ioctl(vitro_vcpu_fd(cpu->vcpu), VITRO_SET_DEBUG, &debug))
		die("VITRO_SET_DEBUG: %s", strerror(errno));
}

/**
 * vm_open - make the machine
 * @vm: filled in
 */
void vm_open(struct vm *vm)
{
	unsigned int id;

	memset(vm, 0, sizeof(*vm));
	vm->dev = vitro_open(NULL);
	vm->vm = vm->dev ? vitro_vm_create(vm->dev) : NULL;
	if (!vm->vm)
		die("%s", vitro_error());
	map_slots(vm);
	for (id = 0; id < FUZZ_CPUS; id++) {
		struct cpu *cpu = &vm->cpu[id];

		cpu->vm = vm;
		cpu->id = id;
		cpu->vcpu = vitro_vcpu_create(vm->vm, id);
		if (!cpu->vcpu)
			die("%s", vitro_error());
		cpu->comm = vitro_vcpu_comm(cpu->vcpu);
		if (vitro_vcpu_get(cpu->vcpu, VITRO_STATE_ALL))
			die("%s", vitro_error());
		cpu->fresh = cpu->comm->state;
		cpu->fresh.events.mp_state = VITRO_MP_RUNNABLE;
		if (on_tcg)
			lend_debug_registers(cpu);
	}
	learn_bits(&vm->cpu[0]);
}

/**
 * vm_close - end it
 * @vm: the machine; none of its vCPUs runs
 */
void vm_close(struct vm *vm)
{
	unsigned int id;

	for (id = 0; id < FUZZ_CPUS; id++)
		vitro_vcpu_destroy(vm->cpu[id].vcpu);
	vitro_vm_destroy(vm->vm);
	vitro_close(vm->dev);
	unmap_slots(vm);
}

/**
 * vm_reset - undo what the last program has left in a vCPU
 * @cpu: the vCPU, not running
 *
 * Loading state does most of it.  But NMIs are never taken away that way, nor what waits in the
 * APIC, nor requests that come from other vCPUs: for these, the APIC is disabled and enabled, and
 * INIT is sent. The memory may be written, as the paravirtual clock is.
 */
void vm_reset(struct cpu *cpu)
{
	struct vitro_comm *comm = cpu->comm;

	comm->dirty = 0;
	comm->state.msrs = cpu->fresh.msrs;
	comm->state.msrs.apic_base &= ~0xc00ULL;
	if (vitro_vcpu_set(cpu->vcpu, VITRO_STATE_MSRS))
		die("disabling the APIC: %s", vitro_error());
	comm->state.msrs = cpu->fresh.msrs;
	if (vitro_vcpu_set(cpu->vcpu, VITRO_STATE_MSRS))
		die("enabling the APIC: %s", vitro_error());
	if (vitro_vm_msi(cpu->vm->vm, APIC | cpu->id << 12, MSI_INIT) != 1)
		die("INIT has not found vCPU %u: %s", cpu->id, vitro_error());
	comm->immediate_exit = 1;
	if (vitro_vcpu_run(cpu->vcpu) || comm->exit.reason != VITRO_EXIT_INTR)
		die("INIT on vCPU %u: exit %u, %s", cpu->id, comm->exit.reason, vitro_error());
}
