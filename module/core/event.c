// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions, interrupts and NMIs on their way into the guest.
 *
 * Before each entry event_prepare() picks at most one, in the order of the manual
 * (SDM 3A table 6-2, APM 2 table 8-9), hands it to the backend, and asks for an
 * exit when something else is held back.  After each exit the backend leaves in
 * events.inflight what the CPU began to deliver and did not finish, because the
 * delivery itself exited: that goes first next time.
 */
#include <linux/smp.h>
#include <asm/trapnr.h>

#include "apic/apic.h"
#include "compat/compat.h"
#include "core/core.h"
#include "glass/trace.h"

/* The class of exceptions that make a double fault of each other (SDM 3A table 6-4). */
static bool contributory(u8 vector)
{
	return vector == X86_TRAP_DE ||
	       (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

/* Raises @ev, or what it becomes when it meets an exception not yet delivered. */
static void raise(struct vitro_vcpu *vcpu, struct vcpu_event ev)
{
	struct vcpu_events *events = &vcpu->events;
	struct vcpu_event first = events->exception;

	if (first.type == EV_NONE && events->inflight.type == EV_EXCEPTION) {
		first = events->inflight;
		events->inflight.type = EV_NONE;
	}
	if (first.type == EV_EXCEPTION) {
		if (first.vector == X86_TRAP_DF) {
			/* A fault while delivering #DF: the third one (SDM 3A 6.15). */
			events->exception.type = EV_NONE;
			vcpu->mp_state = VITRO_MP_SHUTDOWN;
			return;
		}
		if ((contributory(first.vector) && contributory(ev.vector)) ||
		    (first.vector == X86_TRAP_PF &&
		     (contributory(ev.vector) || ev.vector == X86_TRAP_PF))) {
			ev.vector = X86_TRAP_DF;
			ev.has_error = true;
			ev.error = 0;
		}
		/* Else one after the other: the first occurs again by itself. */
	}
	events->exception = ev;
}

/**
 * event_raise - raise an exception without error code at the present instruction
 * @vcpu: the vCPU, also in a burst
 * @vector: its vector
 */
void event_raise(struct vitro_vcpu *vcpu, u8 vector)
{
	raise(vcpu, (struct vcpu_event){ .type = EV_EXCEPTION, .vector = vector });
}

/**
 * event_raise_error - raise an exception with error code at the present instruction
 * @vcpu: the vCPU, also in a burst
 * @vector: its vector
 * @error: its error code
 */
void event_raise_error(struct vitro_vcpu *vcpu, u8 vector, u32 error)
{
	raise(vcpu, (struct vcpu_event){
		.type = EV_EXCEPTION, .vector = vector, .has_error = true, .error = error,
	});
}

/**
 * event_raise_again - give the guest an exception that was intercepted
 * @vcpu: the vCPU, also in a burst
 * @ev: the exception
 */
void event_raise_again(struct vitro_vcpu *vcpu, const struct vcpu_event *ev)
{
	raise(vcpu, *ev);
}

/**
 * event_nmi - an NMI arrives at the vCPU
 * @vcpu: the vCPU
 *
 * From any context.  One may wait behind the one being handled; more are lost, as
 * on the CPU's own pin (SDM 3A 6.7.1).
 */
void event_nmi(struct vitro_vcpu *vcpu)
{
	atomic_add_unless(&vcpu->events.nmi_pending, 1, 2);
	vcpu_kick(vcpu);
}

static void inject(struct vitro_vcpu *vcpu, struct vcpu_event *ev)
{
	trace_vitro_inject(vcpu, ev);
	backend->inject(vcpu, ev);
	ev->type = EV_NONE;
}

/**
 * event_inta - is the interrupt of an 8259 that asks the next thing that the guest gets?
 * @vcpu: the vCPU, also in a burst; lapic_pic_asks()
 *
 * It is not in the hands of event_prepare(), for its vector is in userspace.
 *
 * Return: true if the guest must not be entered before that has been asked.
 */
bool event_inta(struct vitro_vcpu *vcpu)
{
	struct vcpu_events *events = &vcpu->events;

	if (debug_steps(vcpu))
		return false;
	if (!(vcpu->regs.rflags & X86_EFLAGS_IF) || vcpu->shadow)
		return false;
	if (events->exception.type != EV_NONE || events->inflight.type != EV_NONE)
		return false;
	return !atomic_read(&events->nmi_pending) || events->nmi_blocked;
}

/* Has the backend exit when @windows open.  That there are still none, it knows. */
static void wait_for(struct vitro_vcpu *vcpu, unsigned int windows)
{
	if (windows || vcpu->events.windows)
		backend->set_window(vcpu, windows);
	vcpu->events.windows = windows;
}

/**
 * event_prepare - choose what the guest gets with this entry
 * @vcpu: in a burst, about to enter; not event_quiet()
 *
 * Return: true if it gets something.
 */
bool event_prepare(struct vitro_vcpu *vcpu)
{
	struct vcpu_events *events = &vcpu->events;
	bool irq_open = (vcpu->regs.rflags & X86_EFLAGS_IF) && !vcpu->shadow;
	bool nmi_open = !events->nmi_blocked && !vcpu->shadow;
	unsigned int windows = 0;
	bool taken = true;
	int vector;

	/* While a debugger steps, what is not part of the guest's own work waits. */
	if (debug_steps(vcpu)) {
		irq_open = false;
		nmi_open = false;
	}

	/* One event an entry. */
	if (events->exception.type != EV_NONE) {
		vcpu->stat[VITRO_STAT_INJECT_EXCEPTION]++;
		inject(vcpu, &events->exception);
	} else if (events->inflight.type != EV_NONE) {
		if (events->inflight.type == EV_NMI)
			events->nmi_blocked = true;
		inject(vcpu, &events->inflight);
	} else if (atomic_read(&events->nmi_pending) && nmi_open) {
		struct vcpu_event nmi = { .type = EV_NMI, .vector = X86_TRAP_NMI };

		atomic_dec(&events->nmi_pending);
		events->nmi_blocked = true;
		vcpu->stat[VITRO_STAT_INJECT_NMI]++;
		inject(vcpu, &nmi);
	} else {
		taken = false;
	}

	vector = lapic_pending(vcpu);
	if (vector >= 0 && !taken && irq_open) {
		struct vcpu_event irq = { .type = EV_INTR, .vector = vector };

		lapic_ack(vcpu, vector);
		vcpu->stat[VITRO_STAT_INJECT_IRQ]++;
		inject(vcpu, &irq);
		taken = true;
		vector = lapic_pending(vcpu);
	}

	if (vector >= 0 || events->inflight.type == EV_INTR || lapic_pic_asks(vcpu))
		windows |= WINDOW_IRQ;
	else if (lapic_has_irr(vcpu))
		windows |= WINDOW_TPR;	/* something is there, but TPR holds it back */
	if (atomic_read(&events->nmi_pending)) {
		windows |= WINDOW_NMI;
		/* Held back only by the event before it: be back right after that one. */
		if (taken && nmi_open && !events->nmi_blocked)
			smp_send_reschedule(smp_processor_id());
	}
	wait_for(vcpu, debug_steps(vcpu) ? 0 : windows);
	return taken;
}

/**
 * event_wakes - would anything pending end a HLT?
 * @vcpu: the vCPU, halted
 */
bool event_wakes(struct vitro_vcpu *vcpu)
{
	struct vcpu_events *events = &vcpu->events;

	if (events->exception.type != EV_NONE || events->inflight.type != EV_NONE)
		return true;
	if (atomic_read(&events->nmi_pending) && !events->nmi_blocked)
		return true;
	return (vcpu->regs.rflags & X86_EFLAGS_IF) &&
	       (lapic_pending(vcpu) >= 0 || lapic_pic_asks(vcpu));
}

/**
 * event_reset - forget everything pending
 * @vcpu: the vCPU
 */
void event_reset(struct vitro_vcpu *vcpu)
{
	struct vcpu_events *events = &vcpu->events;

	events->exception.type = EV_NONE;
	events->inflight.type = EV_NONE;
	events->nmi_blocked = false;
	atomic_set(&events->nmi_pending, 0);
}

/**
 * event_store - the state group EVENTS
 * @vcpu: the vCPU, outside of the guest
 * @to: filled in
 */
void event_store(struct vitro_vcpu *vcpu, struct vitro_events *to)
{
	const struct vcpu_events *events = &vcpu->events;
	const struct vcpu_event *exc = &events->exception;

	memset(to, 0, sizeof(*to));
	if (exc->type == EV_NONE && events->inflight.type == EV_EXCEPTION)
		exc = &events->inflight;
	if (exc->type == EV_EXCEPTION) {
		to->exc_pending = 1;
		to->exc_vector = exc->vector;
		to->exc_has_error = exc->has_error;
		to->exc_error = exc->error;
	}
	if (events->inflight.type == EV_INTR) {
		to->intr_pending = 1;
		to->intr_vector = events->inflight.vector;
	}
	to->nmi_pending = atomic_read(&events->nmi_pending);
	if (events->inflight.type == EV_NMI)
		to->nmi_pending = min(to->nmi_pending + 1, 2);
	to->nmi_blocked = events->nmi_blocked;
	to->shadow = vcpu->shadow;
	to->mp_state = vcpu->mp_state;
}

/**
 * event_load - load the state group EVENTS
 * @vcpu: the vCPU, outside of the guest
 * @from: values, which state_load() has checked
 */
void event_load(struct vitro_vcpu *vcpu, const struct vitro_events *from)
{
	struct vcpu_events *events = &vcpu->events;
	int nmis;

	events->exception.type = EV_NONE;
	events->inflight.type = EV_NONE;
	if (from->exc_pending)
		events->exception = (struct vcpu_event){
			.type = EV_EXCEPTION,
			.vector = from->exc_vector,
			.has_error = from->exc_has_error,
			.error = from->exc_error,
		};
	if (from->intr_pending)
		events->inflight = (struct vcpu_event){
			.type = EV_INTR,
			.vector = from->intr_vector,
		};
	/* NMIs that came since userspace looked are not undone. */
	for (nmis = atomic_read(&events->nmi_pending); nmis < from->nmi_pending; nmis++)
		atomic_add_unless(&events->nmi_pending, 1, 2);
	events->nmi_blocked = from->nmi_blocked;
	vcpu->shadow = from->shadow;
	vcpu->mp_state = from->mp_state;
}
