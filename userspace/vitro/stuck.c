// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests that get nowhere: noticing, and saying so; stuck.h tells the story. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "family.h"
#include "machine.h"
#include "recording.h"
#include "symbols.h"

#define LOOK_EVERY	512	/* exits: the clock is looked at that often */
#define LOOP_SIZE	256	/* bytes: a loop may have that many */
#define FLAG_IF		(1ULL << 9)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ------------------------------------------------------------------------- saying so */

static struct stuck_facts facts_of(const struct cpu *cpu)
{
	const struct bus *bus = &cpu->machine->bus;
	const struct stuck *s = &cpu->stuck;
	struct stuck_facts f = {
		.exit = &s->exit, .advanced = s->advanced, .raised = s->raised,
	};

	if (s->exit.reason == VITRO_EXIT_IO)
		f.has_device = bus_find(bus, BUS_PIO, s->exit.io.port);
	if (s->exit.reason == VITRO_EXIT_MMIO) {
		f.has_device = bus_find(bus, BUS_MMIO, s->exit.mmio.gpa);
		f.is_ram = vitro_gpa_to_hva(cpu->machine->vm, s->exit.mmio.gpa, 1);
	}
	return f;
}

/* The guest is where the vCPU is now; the terminal may be raw, hence the \r. */
static void say_where(struct cpu *cpu)
{
	const struct vitro_comm *comm = vitro_vcpu_comm(cpu->vcpu);
	struct machine *m = cpu->machine;
	char insn[128] = "", name[SYMBOL_TEXT] = "";

	vitro_disassemble(cpu->vcpu, insn, sizeof(insn));
	if (m->symbols && !vitro_vcpu_get(cpu->vcpu, VITRO_STATE_MSRS)) {
		pthread_mutex_lock(&m->lock);
		symbols_detect(m->symbols, comm->state.msrs.lstar);
		symbols_format(m->symbols, comm->state.gprs.rip, name, sizeof(name));
		pthread_mutex_unlock(&m->lock);
	}
	fprintf(stderr, "  at rip 0x%llx%s%s%s: %s\r\n", comm->state.gprs.rip, name[0] ? " <" : "",
		name, name[0] ? ">" : "", insn);
}

static void say(struct cpu *cpu, const char *what, const struct stuck_facts *f)
{
	cpu->stuck.told = true;
	fprintf(stderr, "vitro: vCPU %u seems to be stuck: %s\r\n", cpu->id, what);
	say_where(cpu);
	fprintf(stderr, "  likely cause: %s\r\n", stuck_cause(f));
	fprintf(stderr, "  to see more: vitro trace record, vitro walk\r\n");
}

static void say_exits(struct cpu *cpu, uint64_t ns)
{
	const struct stuck *s = &cpu->stuck;
	const struct stuck_facts f = facts_of(cpu);
	const struct vitro_record r = exit_as_record(&s->exit);
	char what[96], text[256];

	describe_exit(&r, what, sizeof(what));
	snprintf(text, sizeof(text), "%llu times in %llu s the same exit and registers: %s",
		 (unsigned long long)s->count, (unsigned long long)(ns / 1000000000),
		 what[0] ? what : reason_name(s->exit.reason));
	say(cpu, text, &f);
}

/* --------------------------------------------------------------------------- noticing */

/* Exits that have an address, after which the guest's general registers are there. */
static bool is_repeatable(const struct vitro_exit *x)
{
	return x->reason == VITRO_EXIT_IO || x->reason == VITRO_EXIT_MMIO ||
	       x->reason == VITRO_EXIT_RDMSR || x->reason == VITRO_EXIT_WRMSR ||
	       x->reason == VITRO_EXIT_HYPERCALL;
}

static bool is_same(const struct stuck *s, const struct vitro_comm *comm)
{
	return s->exit.reason == comm->exit.reason &&
	       s->gprs.rip == comm->state.gprs.rip &&
	       !memcmp(s->exit.reserved, comm->exit.reserved, sizeof(s->exit.reserved)) &&
	       !memcmp(&s->gprs, &comm->state.gprs, sizeof(s->gprs));
}

/* Another exit between: an idle guest's timer interrupts are alike, too, but for the INTA. */
static void forget(struct stuck *s)
{
	s->count = 0;
	s->since = 0;
}

static void compare(struct cpu *cpu, const struct vitro_comm *comm)
{
	struct stuck *s = &cpu->stuck;
	uint64_t ns;

	if (!is_same(s, comm)) {
		s->exit = comm->exit;
		s->gprs = comm->state.gprs;
		forget(s);
	}
	/* Reading the clock at each exit would cost more than the rest. */
	if (++s->count % LOOK_EVERY)
		return;
	if (!s->since)
		s->since = now_ns();
	ns = now_ns() - s->since;
	if (ns >= cpu->machine->stuck_ns)
		say_exits(cpu, ns);
}

/*
 * Is the guest where it was, computing nothing?  A kernel that unpacks itself is for seconds
 * in a loop that copies, but not with the same registers.
 */
static bool is_same_loop(const struct stuck *s, const struct vitro_gprs *gprs)
{
	return s->nr_seen && s->others == s->seen_others &&
	       !memcmp(gprs->gpr, s->loop_gprs.gpr, sizeof(gprs->gpr)) &&
	       gprs->rip - (s->loop_gprs.rip - LOOP_SIZE) <= 2 * LOOP_SIZE;
}

/* A kick: where is the guest, and can anything get it away from there? */
static void look(struct cpu *cpu, const struct vitro_comm *comm)
{
	const uint64_t groups = VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS |
				VITRO_STATE_EVENTS;
	const struct stuck_facts f = { .exit = NULL };
	struct stuck *s = &cpu->stuck;
	const uint64_t now = now_ns();

	/* Others kick, too; and a machine that a debugger has held has not looped meanwhile. */
	if (now - s->looked < cpu->machine->stuck_ns / STUCK_LOOKS / 2)
		return;
	if (vitro_vcpu_get(cpu->vcpu, groups))
		return;
	s->looked = now;
	if (comm->state.gprs.rflags & FLAG_IF ||
	    comm->state.events.mp_state != VITRO_MP_RUNNABLE) {
		s->nr_seen = 0;
	} else if (!is_same_loop(s, &comm->state.gprs)) {
		s->nr_seen = 1;
		s->loop_gprs = comm->state.gprs;
		s->seen_others = s->others;
	} else if (++s->nr_seen > STUCK_LOOKS) {
		say(cpu, "it goes round in a few instructions, with interrupts off", &f);
	}
}

/**
 * stuck_exit - a vCPU has exited; is it always the same?
 * @cpu: it; called by its thread before the exit is dealt with
 */
void stuck_exit(struct cpu *cpu)
{
	const struct vitro_comm *comm = vitro_vcpu_comm(cpu->vcpu);

	if (cpu->stuck.told)
		return;
	if (comm->exit.reason == VITRO_EXIT_INTR) {
		look(cpu, comm);
		return;
	}
	cpu->stuck.others++;
	if (is_repeatable(&comm->exit))
		compare(cpu, comm);
	else
		forget(&cpu->stuck);
}

/**
 * stuck_handled - the exit has been dealt with
 * @cpu: the vCPU; called by its thread
 */
void stuck_handled(struct cpu *cpu)
{
	const struct vitro_comm *comm = vitro_vcpu_comm(cpu->vcpu);
	struct stuck *s = &cpu->stuck;

	if (comm->exit.reason == VITRO_EXIT_INTR)	/* it says nothing of the exit before */
		return;
	s->advanced = comm->state.gprs.rip != s->gprs.rip;
	s->raised = comm->dirty & VITRO_STATE_EVENTS && comm->state.events.exc_pending;
}
