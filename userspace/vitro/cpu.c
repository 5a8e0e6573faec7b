// SPDX-License-Identifier: GPL-2.0-or-later
/* A processor's thread: run the guest, deal with what it needs, run it again. */
#include <stdio.h>
#include <string.h>

#include "gdb.h"
#include "machine.h"
#include "sandbox.h"

#define EFER_LMA	(1ULL << 10)
#define VECTOR_GP	13	/* SDM 3A 6.15: general protection */
#define KVM_ENOSYS	1000	/* of KVM's hypercall interface, which the guest sees */

/* ------------------------------------------------------- the bus' two sides */

static int io(void *opaque, struct vitro_vcpu *vcpu, uint16_t port, int size, bool in,
	      uint32_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	pthread_mutex_lock(&m->lock);
	if (in)
		*data = bus_read(&m->bus, BUS_PIO, port, size);
	else
		bus_write(&m->bus, BUS_PIO, port, size, *data);
	pthread_mutex_unlock(&m->lock);
	console_throttle(&m->console);
	return 0;
}

static int mmio(void *opaque, struct vitro_vcpu *vcpu, uint64_t gpa, int size, bool write,
		uint64_t *data)
{
	struct machine *m = opaque;

	(void)vcpu;
	pthread_mutex_lock(&m->lock);
	if (write) {
		bus_write(&m->bus, BUS_MMIO, gpa, size, *data);
		io_settle(m);
	} else {
		*data = bus_read(&m->bus, BUS_MMIO, gpa, size);
	}
	pthread_mutex_unlock(&m->lock);
	return 0;
}

/**
 * cpu_linear - the linear address of code or stack (SDM 3A 3.4.4)
 * @state: the vCPU's, with SEGS and CRS
 * @seg: VITRO_CS or VITRO_SS
 * @offset: rip or rsp
 *
 * Return: it; 64-bit code has no bases, whatever the registers hold.
 */
uint64_t cpu_linear(const struct vitro_state *state, unsigned int seg, uint64_t offset)
{
	bool wide = state->crs.efer & EFER_LMA && state->segs.seg[VITRO_CS].attrib & VITRO_SEG_L;

	return wide ? offset : (uint32_t)(offset + state->segs.seg[seg].base);
}

/* ---------------------------------------------------------------- bad ends */

/* Where the guest is, for the last line: "rip 0x1000: f4  hlt". */
static const char *where(struct cpu *cpu, char *buf, size_t size)
{
	const struct vitro_comm *comm = vitro_vcpu_comm(cpu->vcpu);
	char insn[96] = "";

	if (vitro_vcpu_get(cpu->vcpu, VITRO_STATE_GPRS)) {
		snprintf(buf, size, "rip unknown");
		return buf;
	}
	vitro_disassemble(cpu->vcpu, insn, sizeof(insn));
	snprintf(buf, size, "rip 0x%llx%s%s", comm->state.gprs.rip, insn[0] ? ": " : "", insn);
	return buf;
}

static void end_raw(struct cpu *cpu, enum exitcode status, const char *what)
{
	const struct vitro_exit *exit = &vitro_vcpu_comm(cpu->vcpu)->exit;
	char at[128];

	machine_end(cpu->machine, status,
		    "%s: code 0x%llx, info1 0x%llx, info2 0x%llx, intinfo 0x%llx, at %s", what,
		    exit->raw.code, exit->raw.info1, exit->raw.info2, exit->raw.intinfo,
		    where(cpu, at, sizeof(at)));
}

static void end_refused(struct cpu *cpu)
{
	const struct vitro_exit *exit = &vitro_vcpu_comm(cpu->vcpu)->exit;
	char why[320];

	refused_why(cpu, why, sizeof(why));
	machine_end(cpu->machine, END_ENTRY, "the CPU refused the guest's state (code 0x%llx): %s",
		    exit->raw.code, why);
}

/* What led to it is said when the machine stands still: see run.c. */
static void end_triple(struct cpu *cpu)
{
	char at[128];

	if (machine_end(cpu->machine, END_TRIPLE, "triple fault at %s",
			where(cpu, at, sizeof(at))))
		cpu->machine->fallen = cpu;
}

static void end_memfault(struct cpu *cpu)
{
	const struct vitro_exit *exit = &vitro_vcpu_comm(cpu->vcpu)->exit;

	machine_end(cpu->machine, END_HOST,
		    "the host cannot provide guest memory at gpa 0x%llx; is it out of memory?",
		    exit->mmio.gpa);
}

/* -------------------------------------------------------------------- exits */

static void emulated(struct cpu *cpu, int err)
{
	struct machine *m = cpu->machine;

	if (err < 0)
		machine_end(m, END_UNSUPPORTED, "%s", vitro_error());
	if (m->console.failed)
		machine_end(m, END_HOST, "cannot write the guest's console to stdout: %s",
			    strerror(m->console.failed));
}

static void finish(struct cpu *cpu)
{
	vitro_vcpu_put(cpu->vcpu, VITRO_STATE_GPRS);
	vitro_finish_insn(cpu->vcpu);
}

/*
 * An MSR that the module does not know: there is no such register, and the guest
 * gets what a CPU without it gives.  Kernels expect that wherever they are not sure.
 */
static void handle_msr(struct cpu *cpu)
{
	vitro_raise(cpu->vcpu, VECTOR_GP, true, 0);
}

static void handle_hypercall(struct cpu *cpu)
{
	/* None of KVM's hypercalls is offered by CPUID, so none is expected. */
	vitro_vcpu_comm(cpu->vcpu)->state.gprs.gpr[VITRO_RAX] = -KVM_ENOSYS;
	finish(cpu);
}

/*
 * HLT with interrupts off.  Nothing wakes the bootstrap processor of a machine
 * without a device that sends NMIs, so that is how kernels stop for good.  The
 * others may be waiting for an INIT: they sleep in the kernel.
 */
static void handle_hlt(struct cpu *cpu)
{
	struct machine *m = cpu->machine;

	if (cpu->id == 0 && m->is_snippet) {
		machine_end(m, END_POWEROFF, "the snippet halted");
	} else if (cpu->id == 0) {
		machine_end(m, END_HALTED, "the guest halted with interrupts off");
	} else {
		finish(cpu);
		vitro_vcpu_get(cpu->vcpu, VITRO_STATE_EVENTS);
		vitro_vcpu_comm(cpu->vcpu)->state.events.mp_state = VITRO_MP_HALTED;
		vitro_vcpu_put(cpu->vcpu, VITRO_STATE_EVENTS);
	}
}

static void handle_eoi(struct cpu *cpu)
{
	struct machine *m = cpu->machine;

	pthread_mutex_lock(&m->lock);
	ioapic_eoi(&m->ioapic, vitro_vcpu_comm(cpu->vcpu)->exit.eoi.vector);
	pthread_mutex_unlock(&m->lock);
}

/* The guest takes an interrupt from the 8259s: here is its vector. */
static void handle_inta(struct cpu *cpu)
{
	struct vitro_events *events = &vitro_vcpu_comm(cpu->vcpu)->state.events;
	int vector = machine_inta(cpu->machine);

	if (vector < 0)
		return;
	if (vitro_vcpu_get(cpu->vcpu, VITRO_STATE_EVENTS) < 0) {
		machine_end(cpu->machine, END_HOST, "%s", vitro_error());
		return;
	}
	events->intr_pending = 1;
	events->intr_vector = vector;
	vitro_vcpu_put(cpu->vcpu, VITRO_STATE_EVENTS);
}

static void handle_exit(struct cpu *cpu)
{
	struct machine *m = cpu->machine;
	const struct vitro_bus bus = { .io = io, .mmio = mmio, .opaque = m };

	switch (vitro_vcpu_comm(cpu->vcpu)->exit.reason) {
	case VITRO_EXIT_INTR:
	case VITRO_EXIT_DEBUG:		/* see gdb_look() */
		break;
	case VITRO_EXIT_IO:
		emulated(cpu, vitro_emulate_io(cpu->vcpu, &bus));
		break;
	case VITRO_EXIT_MMIO:
		emulated(cpu, vitro_emulate_mmio(cpu->vcpu, &bus));
		break;
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
		handle_msr(cpu);
		break;
	case VITRO_EXIT_HLT:
		handle_hlt(cpu);
		break;
	case VITRO_EXIT_HYPERCALL:
		handle_hypercall(cpu);
		break;
	case VITRO_EXIT_EOI:
		handle_eoi(cpu);
		break;
	case VITRO_EXIT_INTA:
		handle_inta(cpu);
		break;
	case VITRO_EXIT_SHUTDOWN:
		end_triple(cpu);
		break;
	case VITRO_EXIT_DEADLINE:
		machine_end(m, END_DEADLINE, "the deadline has passed");
		break;
	case VITRO_EXIT_FAIL_ENTRY:
		end_refused(cpu);
		break;
	case VITRO_EXIT_MEMFAULT:
		end_memfault(cpu);
		break;
	default:
		end_raw(cpu, END_UNSUPPORTED, "an exit that vitro does not know");
		break;
	}
}

/**
 * cpu_run - a vCPU's thread
 * @arg: the struct cpu
 *
 * Runs until the machine has ended; whoever ends it kicks the others.  Whoever wants the
 * vCPUs to stand still finds them at the top of the loop, where nothing is half done.
 *
 * Return: NULL.
 */
void *cpu_run(void *arg)
{
	struct cpu *cpu = arg;
	struct machine *m = cpu->machine;

	if (!sandbox_enter(SANDBOX_VCPU))
		machine_end(m, END_HOST, "no sandbox for a vCPU's thread");
	while (!m->ended) {
		pause_point(cpu);
		if (vitro_vcpu_run(cpu->vcpu) < 0) {
			machine_end(m, END_HOST, "%s", vitro_error());
			continue;
		}
		stuck_exit(cpu);
		handle_exit(cpu);
		stuck_handled(cpu);
		gdb_look(cpu);
	}
	return NULL;
}
