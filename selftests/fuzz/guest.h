/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest fuzzer: hostile guests, thousands a second.
 *
 * A program is code, tables and state for one vCPU or for two that share memory.  All of it
 * comes from a seed and the program's number, so that a number is enough to see it again.
 *
 *	../fuzz_guest.c	options, the loop over programs, what must hold afterwards
 *	guest_vm.c	a VM whose slots lie between guard pages, used for many programs
 *	guest_run.c	running one: exits, random devices, interrupts from outside
 *	guest_memory.c	page tables, descriptor tables, data
 *	guest_state.c	registers
 *	guest_code.c	instructions
 */
#ifndef FUZZ_GUEST_H
#define FUZZ_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vitro/vitro.h>

#define FUZZ_CPUS	2
#define PAGE		4096ULL
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------------- chance */

/**
 * struct rng - a stream of random numbers (splitmix64: any state is a good one)
 * @state: where in the stream
 */
struct rng {
	uint64_t state;
};

static inline uint64_t rnd(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t below(struct rng *rng, uint64_t n)
{
	return rnd(rng) % n;
}

static inline bool one_in(struct rng *rng, unsigned int n)
{
	return below(rng, n) == 0;
}

/* ------------------------------------------------------------ guest memory */

/* Slot 0, in which all of a program is, and the other slots; elsewhere nothing is. */
#define RAM_SIZE	0x10000ULL
#define ROM		0x20000ULL	/* read-only */
#define ROM_SIZE	0x4000ULL
#define HOLE		0x40000ULL	/* the process cannot access its second page */
#define HOLE_SIZE	0x2000ULL
#define HUGE		0x200000ULL	/* three pages of a huge page of the host's */
#define HUGE_SIZE	0x3000ULL
#define HIGH		0xfffff000ULL	/* across 4 GiB; with a dirty log */
#define HIGH_SIZE	0x2000ULL
#define NOWHERE		0xd0000000ULL
#define APIC		0xfee00000ULL

/* What is where in slot 0. */
#define IVT		0x0000		/* real mode */
#define CODE(id)	(0x1000 + 0x1000 * (id))
#define STACK_TOP(id)	(0x3800 + 0x800 * (id))
#define GDT		0x4000
#define TSS		0x4400		/* with an I/O permission bitmap */
#define TSS16		0x4800
#define TSS2		0x4900
#define LDT		0x4a00
#define IDT64		0x5000
#define IDT32		0x6000
#define HANDLERS	0x7000
#define PD32		0x8000		/* two levels */
#define PT32		0x9000
#define PDPT_PAE	0xa000		/* three; four levels share the lower two */
#define PD		0xb000
#define PT		0xc000
#define PML4		0xd000
#define PDPT		0xe000
#define DATA		0xf000
#define FAULTS_LEFT	0xfff8		/* handlers end the program when this comes to 0 */

#define GDT_SIZE	0x100
#define PORT_END	0xf4		/* OUT ends the program */

/* Selectors in the GDT. */
enum {
	SEL_CODE64 = 0x08, SEL_DATA = 0x10, SEL_CODE32 = 0x18, SEL_CODE16 = 0x20,
	SEL_DATA16 = 0x28, SEL_TSS = 0x30, SEL_USER_DATA = 0x40, SEL_USER_CODE64 = 0x48,
	SEL_USER_CODE32 = 0x50, SEL_LDT = 0x58, SEL_CALL32 = 0x68, SEL_CALL64 = 0x70,
	SEL_TASK = 0x80, SEL_TSS2 = 0x88, SEL_TSS16 = 0x90, SEL_CONFORMING = 0x98,
	SEL_DOWN = 0xa0, SEL_CALL16 = 0xa8, SEL_RANDOM = 0xb0,
};

/* ------------------------------------------------------------------- things */

/**
 * struct slot - memory of the guest's, between guards that nobody may touch
 * @gpa: where the guest sees it
 * @size: its size
 * @flags: VITRO_SLOT_*
 * @guard: bytes of guard before and behind it
 * @mem: hva of the slot
 */
struct slot {
	uint64_t gpa;
	uint64_t size;
	uint32_t flags;
	uint64_t guard;
	unsigned char *mem;
};

enum { SLOT_RAM, SLOT_ROM, SLOT_HUGE, SLOT_HIGH, SLOT_HOLE, NR_SLOTS };

/**
 * enum ending - how a program ended on a vCPU
 * @END_PORT: by itself, at PORT_END
 * @END_HLT: HLT with interrupts off
 * @END_EXITS: the budget of exits was used up
 * @END_TIME: the budget of time was
 * @END_SHUTDOWN: triple fault
 * @END_REFUSED: the module found a value that the CPU would refuse (EINVAL): not run
 * @END_ENTRY: the CPU refused the state
 * @END_EMULATOR: at an instruction that libvitro does not emulate, or one in no memory
 * @END_TASK: task switch, which is left to userspace on Intel
 * @END_MEMFAULT: at memory that the process cannot access itself
 * @END_UNHANDLED: at an exit that vitro does not know
 */
enum ending {
	END_PORT, END_HLT, END_EXITS, END_TIME, END_SHUTDOWN, END_REFUSED, END_ENTRY,
	END_EMULATOR, END_TASK, END_MEMFAULT, END_UNHANDLED, NR_ENDINGS
};

struct vm;

/**
 * struct cpu - one of the two vCPUs, and the program on it
 * @vm: its machine
 * @id: 0 or 1
 * @vcpu: the handle
 * @comm: its comm area
 * @fresh: the state after power-on, all groups
 * @rng: for the program, then for what its devices answer
 * @ending: how the program ended
 * @exits: exits to userspace that it has had
 * @bits: 16, 32 or 64: what its code is meant to be
 * @serial: of runs begun and ended, for the watchdog: odd while the vCPU runs
 * @seen: the serial that the watchdog saw last
 * @ticks: how often it found this one unchanged
 */
struct cpu {
	struct vm *vm;
	unsigned int id;
	struct vitro_vcpu *vcpu;
	struct vitro_comm *comm;
	struct vitro_state fresh;
	struct rng rng;
	enum ending ending;
	unsigned int exits;
	unsigned int bits;
	unsigned long serial;
	unsigned long seen;
	unsigned int ticks;
};

/**
 * struct vm - a machine for many programs
 * @dev: the device
 * @vm: the handle
 * @slot: guest memory
 * @cpu: the vCPUs
 * @cr4: bits of CR4 that a guest may set here
 * @efer: bits of EFER
 * @no_lme: this program is to leave EFER.LME alone
 * @no_cr4: this one is not to write CR4
 */
struct vm {
	struct vitro *dev;
	struct vitro_vm *vm;
	struct slot slot[NR_SLOTS];
	struct cpu cpu[FUZZ_CPUS];
	uint64_t cr4, efer;
	bool no_lme, no_cr4;
};

extern bool verbose;	/* one program, and all about it */
extern bool on_tcg;	/* QEMU's faults are to be kept from (Documentation/fuzzing.md) */

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* guest_vm.c */
void vm_open(struct vm *vm);
void vm_close(struct vm *vm);
void vm_reset(struct cpu *cpu);
const char *vm_damage(struct vm *vm, bool thorough);

/* guest_run.c */
extern const char *const ending_names[NR_ENDINGS];
void run_program(struct cpu *cpu);
void run_show(struct cpu *cpu);
void run_known_good(struct cpu *cpu);
void run_watch(struct vm *vm, unsigned int tick_us);

static inline void put(unsigned char *ram, unsigned int at, uint64_t value)
{
	__builtin_memcpy(ram + at, &value, sizeof(value));
}

/* guest_memory.c */
uint64_t random_address(struct rng *rng);
bool has_error(unsigned int vector);
void fill_memory(struct vm *vm, struct rng *rng);

/* guest_state.c */
void random_state(struct cpu *cpu);

/* guest_code.c */
void keep_from_qemu(const struct vm *vm, unsigned char *code, unsigned int len);
void random_code(struct cpu *cpu, unsigned int start);
void write_handlers(unsigned char *ram);

#endif /* FUZZ_GUEST_H */
