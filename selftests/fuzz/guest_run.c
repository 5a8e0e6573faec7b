// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running a program as the launcher runs a guest: libvitro emulates, devices answer, with random
 * data, and interrupts come from outside.  A program has a budget of exits; the watchdog is its
 * budget of time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define MAX_EXITS	40
#define VECTOR_GP	13
#define STUCK_SECONDS	60	/* of real time, which others may be using */

const char *const ending_names[NR_ENDINGS] = {
	[END_PORT] = "came to their end", [END_HLT] = "halted", [END_EXITS] = "used up their exits",
	[END_TIME] = "used up their time", [END_SHUTDOWN] = "triple faults",
	[END_REFUSED] = "state refused by the module", [END_ENTRY] = "state refused by the CPU",
	[END_EMULATOR] = "not emulated", [END_TASK] = "task switches",
	[END_MEMFAULT] = "memory that the process cannot access", [END_UNHANDLED] = "unknown exits",
};

/* ------------------------------------------------------------------ devices */

static int bus_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		  uint32_t *data)
{
	struct cpu *cpu = opaque;

	(void)vcpu;
	if (verbose)
		printf("#   %s port 0x%x, %d bytes\n", in ? "in" : "out", port, size);
	if (!in && port == PORT_END)
		return -ECANCELED;
	*data = rnd(&cpu->rng);
	return 0;
}

static int bus_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		    uint64_t *data)
{
	struct cpu *cpu = opaque;

	(void)vcpu;
	if (verbose)
		printf("#   %s gpa 0x%llx, %d bytes\n", write ? "write" : "read",
		       (unsigned long long)gpa, size);
	*data = rnd(&cpu->rng);
	return 0;
}

/* Messages to either vCPU or both: any vector, delivery mode, trigger mode. */
static void interrupt(struct cpu *cpu)
{
	struct rng *rng = &cpu->rng;
	uint64_t addr = APIC | below(rng, 4) << 12 | (one_in(rng, 4) ? rnd(rng) & 0xfffff : 0);
	uint32_t data = rnd(rng) & 0xff;

	if (one_in(rng, 2))
		data |= rnd(rng) & 0xcf00;
	if (one_in(rng, 4))
		data = 0x400;		/* NMI */
	/* INIT is the end of a program: not often. */
	if ((data >> 8 & 7) == 5 && !one_in(rng, 8))
		data = 0x41;
	vitro_vm_msi(cpu->vm->vm, addr & ~3ULL, data);
}

/* -------------------------------------------------------------------- exits */

static void set_ending(struct cpu *cpu, enum ending ending)
{
	cpu->ending = ending;
}

static bool emulated(struct cpu *cpu, int err)
{
	if (!err)
		return true;
	set_ending(cpu, err == -ECANCELED ? END_PORT : END_EMULATOR);
	if (verbose && err != -ECANCELED)
		printf("#   %s\n", vitro_error());
	return false;
}

static void finish(struct cpu *cpu)
{
	vitro_vcpu_put(cpu->vcpu, VITRO_STATE_GPRS);
	vitro_finish_insn(cpu->vcpu);
}

/* As a guest finds it in the launcher, #GP; or else as if the MSR existed. */
static void answer_msr(struct cpu *cpu)
{
	struct vitro_comm *comm = cpu->comm;

	if (one_in(&cpu->rng, 2)) {
		vitro_raise(cpu->vcpu, VECTOR_GP, true, 0);
		return;
	}
	if (comm->exit.reason == VITRO_EXIT_RDMSR) {
		comm->state.gprs.gpr[VITRO_RAX] = (uint32_t)rnd(&cpu->rng);
		comm->state.gprs.gpr[VITRO_RDX] = (uint32_t)rnd(&cpu->rng);
	}
	finish(cpu);
}

static void answer_inta(struct cpu *cpu)
{
	struct vitro_comm *comm = cpu->comm;

	if (vitro_vcpu_get(cpu->vcpu, VITRO_STATE_EVENTS))
		die("%s", vitro_error());
	comm->state.events.intr_pending = 1;
	comm->state.events.intr_vector = rnd(&cpu->rng);
	vitro_vcpu_put(cpu->vcpu, VITRO_STATE_EVENTS);
}

/* Deals with an exit; false: the program has ended. */
static bool answer(struct cpu *cpu)
{
	const struct vitro_bus bus = { .io = bus_io, .mmio = bus_mmio, .opaque = cpu };
	struct vitro_comm *comm = cpu->comm;

	switch (comm->exit.reason) {
	case VITRO_EXIT_INTR:
		set_ending(cpu, END_TIME);
		return __atomic_load_n(&cpu->ticks, __ATOMIC_RELAXED) < 2;
	case VITRO_EXIT_IO:
		return emulated(cpu, vitro_emulate_io(cpu->vcpu, &bus));
	case VITRO_EXIT_MMIO:
		return emulated(cpu, vitro_emulate_mmio(cpu->vcpu, &bus));
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		answer_msr(cpu);
		return true;
	case VITRO_EXIT_HLT:
		set_ending(cpu, END_HLT);
		finish(cpu);
		return one_in(&cpu->rng, 4);
	case VITRO_EXIT_HYPERCALL:
		comm->state.gprs.gpr[VITRO_RAX] = rnd(&cpu->rng);
		finish(cpu);
		return true;
	case VITRO_EXIT_EOI:
		return true;
	case VITRO_EXIT_INTA:
		answer_inta(cpu);
		return true;
	case VITRO_EXIT_SHUTDOWN:
		set_ending(cpu, END_SHUTDOWN);
		return false;
	case VITRO_EXIT_FAIL_ENTRY:
		set_ending(cpu, END_ENTRY);
		return false;
	case VITRO_EXIT_MEMFAULT:
		set_ending(cpu, END_MEMFAULT);
		return false;
	case VITRO_EXIT_TASK_SWITCH:
		set_ending(cpu, END_TASK);
		return false;
	default:
		set_ending(cpu, END_UNHANDLED);
		return false;
	}
}

/**
 * run_show - print the last exit, and where it was
 * @cpu: the vCPU
 */
void run_show(struct cpu *cpu)
{
	const struct vitro_exit *exit = &cpu->comm->exit;
	char insn[96] = "";

	vitro_vcpu_get(cpu->vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS);
	vitro_disassemble(cpu->vcpu, insn, sizeof(insn));
	printf("# vCPU %u: exit %u at 0x%llx: %s ", cpu->id, exit->reason,
	       (unsigned long long)cpu->comm->state.gprs.rip, insn);
	printf("(code 0x%llx, info 0x%llx 0x%llx, intinfo 0x%llx)\n",
	       (unsigned long long)exit->raw.code, (unsigned long long)exit->raw.info1,
	       (unsigned long long)exit->raw.info2, (unsigned long long)exit->raw.intinfo);
}

/* For the watchdog: a run begins, with a time of its own, or has ended (odd and even serial). */
static void begin(struct cpu *cpu)
{
	cpu->exits = 0;
	__atomic_store_n(&cpu->ticks, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->serial, cpu->serial + 1, __ATOMIC_RELEASE);
}

static void end(struct cpu *cpu)
{
	__atomic_store_n(&cpu->serial, cpu->serial + 1, __ATOMIC_RELEASE);
}

static void run_to_end(struct cpu *cpu)
{
	int err;

	while (cpu->exits < MAX_EXITS) {
		if (one_in(&cpu->rng, 8))
			interrupt(cpu);
		err = vitro_vcpu_run(cpu->vcpu);
		if (err == -EINVAL) {
			set_ending(cpu, cpu->exits ? END_EMULATOR : END_REFUSED);
			return;
		}
		if (err)
			die("VITRO_RUN: %s", vitro_error());
		cpu->exits++;
		if (verbose)
			run_show(cpu);
		if (!answer(cpu))
			return;
	}
	set_ending(cpu, END_EXITS);
}

/**
 * run_program - run what is in memory and in comm->state, to its end
 * @cpu: the vCPU; its ending is set
 */
void run_program(struct cpu *cpu)
{
	begin(cpu);
	run_to_end(cpu);
	end(cpu);
}

/* ------------------------------------------------------------- a good program */

/*
 * It adds up what a port, a device and memory say, with a stack and a call, and stops with the sum
 * in RAX. By the way it looks at what a program before it could have left behind: DR7 and flags.
 */
extern const char good_start[], good_end[];
asm(".section .rodata\n"
	"good_start:\n"
	"	mov	$0xfee00000, %ebx\n"
	"	xor	%eax, %eax\n"
	"	mov	$1000, %ecx\n"
	"1:	lea	(%rax,%rcx,2), %rax\n"
	"	push	%rax\n"
	"	pop	(%rsi,%rcx)\n"
	"	xor	(%rsi,%rcx), %rdx\n"
	"	dec	%ecx\n"
	"	jnz	1b\n"
	"	mov	%rax, %rdi\n"
	"	mov	$0x80, %dx\n"
	"	in	%dx, %eax\n"
	"	add	%rax, %rdi\n"
	"	mov	$0xd0000000, %ebx\n"
	"	mov	(%rbx), %eax\n"
	"	add	%rax, %rdi\n"
	"	mov	%dr7, %rax\n"
	"	add	%rdi, %rax\n"
	"	hlt\n"
	"good_end:\n"
	".previous");

#define GOOD_DATA	0x3000
#define GOOD_TABLES	0x4000
#define GOOD_IO		0x1111
#define GOOD_MMIO	0x222200
/* The sum of 2 * i for i from 1 to 1000, what the two devices say, and DR7 as after a reset. */
#define GOOD_SUM	(1000 * 1001 + GOOD_IO + GOOD_MMIO + 0x400)

static int good_io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
		   uint32_t *data)
{
	(void)opaque; (void)vcpu; (void)port; (void)size; (void)in;
	*data = GOOD_IO;
	return 0;
}

static int good_mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		     uint64_t *data)
{
	(void)opaque; (void)vcpu; (void)gpa; (void)size; (void)write;
	*data = GOOD_MMIO;
	return 0;
}

/**
 * run_known_good - does a vCPU still run an ordinary program?
 * @cpu: the vCPU, which may have run any others
 *
 * Does not return if it does not, or if the result is wrong.
 */
void run_known_good(struct cpu *cpu)
{
	const struct vitro_bus bus = { .io = good_io, .mmio = good_mmio };
	unsigned char *ram = cpu->vm->slot[SLOT_RAM].mem;
	struct vitro_comm *comm = cpu->comm;
	unsigned int exits = 0;
	int err = 0;

	vm_reset(cpu);
	memcpy(ram + CODE(cpu->id), good_start, good_end - good_start);
	comm->state = cpu->fresh;
	comm->dirty = VITRO_STATE_ALL & ~VITRO_STATE_TIME;
	comm->valid |= VITRO_STATE_ALL;
	if (vitro_vcpu_set_mode(cpu->vcpu, VITRO_MODE_LONG, CODE(cpu->id),
				GOOD_TABLES))
		die("%s", vitro_error());
	comm->state.gprs.gpr[VITRO_RSP] = STACK_TOP(cpu->id);
	comm->state.gprs.gpr[VITRO_RSI] = GOOD_DATA;

	begin(cpu);
	for (;;) {
		err = vitro_vcpu_run(cpu->vcpu);
		if (err)
			break;
		if (verbose)
			run_show(cpu);
		if (comm->exit.reason == VITRO_EXIT_INTR)
			continue;
		if (++exits > 3)
			break;
		if (comm->exit.reason == VITRO_EXIT_IO)
			err = vitro_emulate_io(cpu->vcpu, &bus);
		else if (comm->exit.reason == VITRO_EXIT_MMIO)
			err = vitro_emulate_mmio(cpu->vcpu, &bus);
		else
			break;
		if (err)
			break;
	}
	end(cpu);
	if (!err && exits == 3 && comm->exit.reason == VITRO_EXIT_HLT &&
	    comm->state.gprs.gpr[VITRO_RAX] == GOOD_SUM)
		return;
	printf("# the known program: error %d, exit %u after %u, rax 0x%llx instead of 0x%x\n", err,
	       comm->exit.reason, exits, (unsigned long long)comm->state.gprs.gpr[VITRO_RAX],
	       GOOD_SUM);
	run_show(cpu);
	die("after it, vCPU %u does not run the known program", cpu->id);
}

/* ---------------------------------------------------------------- watchdog */

struct watch {
	struct vm *vm;
	struct timespec tick;
	unsigned long stuck_after;	/* ticks */
};

static void look_at(struct cpu *cpu, unsigned long stuck_after)
{
	unsigned long serial = __atomic_load_n(&cpu->serial, __ATOMIC_ACQUIRE);

	if (serial != cpu->seen || !(serial & 1)) {
		cpu->seen = serial;
		return;
	}
	if (__atomic_add_fetch(&cpu->ticks, 1, __ATOMIC_RELAXED) > stuck_after)
		die("vCPU %u does not come back from a program", cpu->id);
	vitro_vcpu_kick(cpu->vcpu);
}

static void *watch_main(void *arg)
{
	struct watch *watch = arg;
	unsigned int id;

	for (;;) {
		nanosleep(&watch->tick, NULL);
		for (id = 0; id < FUZZ_CPUS; id++)
			look_at(&watch->vm->cpu[id], watch->stuck_after);
	}
	return NULL;
}

/**
 * run_watch - start the watchdog
 * @vm: the machine
 * @tick_us: how often it looks: a program has one to two ticks
 */
void run_watch(struct vm *vm, unsigned int tick_us)
{
	static struct watch watch;
	pthread_t thread;

	watch.vm = vm;
	watch.tick.tv_nsec = tick_us * 1000L;
	watch.stuck_after = STUCK_SECONDS * 1000000UL / tick_us;
	if (pthread_create(&thread, NULL, watch_main, &watch))
		die("no thread for the watchdog");
}
