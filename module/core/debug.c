// SPDX-License-Identifier: GPL-2.0-only
/*
 * A debugger outside of the guest: VITRO_SET_DEBUG, and VITRO_EXIT_DEBUG.
 *
 * Two things of the CPU are lent to it.  The debug registers, while it steps or has
 * breakpoints: the guest's own then live in vcpu->dr and vcpu->debug, and each MOV DR
 * exits and is answered from there.  And RFLAGS.TF, for a step: only from debug_entry()
 * to debug_left(), so that everybody else finds the guest's own in vcpu->regs.
 *
 * A step is one entry with TF set, whose #DB is the end of it.  Exceptions of the
 * instruction would push TF with the flags and let the handler run on; so all of them
 * exit, and are injected by an entry without TF, to which a pending interrupt of the host
 * puts an end before the handler's first instruction.
 */
#include <linux/smp.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "compat/compat.h"
#include "core/core.h"
#include "core/insn.h"
#include "mm/mm.h"

#define DEBUG_FLAGS	(VITRO_DEBUG_STEP | VITRO_DEBUG_BP | VITRO_DEBUG_HW)

#define DR7_FIXED	0x400			/* bit 10 is always set (SDM 3B 18.2.4) */
#define DR7_WRITABLE	0xffff23ffULL
#define DR6_WRITABLE	0xe00fULL		/* BT, BS, BD, B3 to B0 (SDM 3B 18.2.3) */
#define DR6_BT		BIT(15)
#define DR6_BD		BIT(13)
#define DR7_GD		BIT(13)

/* All exceptions exit while stepping; vector 2 is the NMI, which is none. */
#define ALL_VECTORS	(~(u32)BIT(X86_TRAP_NMI))

/* What DR6 and DR7 the CPU is to have: the debugger's, or again the guest's. */
static void put_drs(struct vitro_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->debug;
	struct vitro_state *s = vcpu->state;

	if (debug_has_drs(vcpu)) {
		s->drs.dr6 = DR6_RESERVED;
		s->drs.dr7 = d->flags & VITRO_DEBUG_HW ? d->dr7 : DR7_FIXED;
	} else {
		s->drs.dr6 = d->guest_dr6;
		s->drs.dr7 = d->guest_dr7;
	}
	backend->load_state(vcpu, s, VITRO_STATE_DRS);
}

/**
 * debug_set - VITRO_SET_DEBUG
 * @vcpu: the vCPU, outside of the guest
 * @req: what is asked for
 *
 * Returns 0 or -EINVAL.
 */
int debug_set(struct vitro_vcpu *vcpu, const struct vitro_debug *req)
{
	struct vcpu_debug *d = &vcpu->debug;
	bool had = debug_has_drs(vcpu);
	u32 vectors = 0;

	if (req->pad || (req->flags & ~DEBUG_FLAGS) || req->dr7 >> 32 ||
	    (req->dr7 & DR7_GD))
		return -EINVAL;
	if (!had) {
		backend->store_state(vcpu, vcpu->state, VITRO_STATE_DRS);
		d->guest_dr6 = vcpu->state->drs.dr6;
		d->guest_dr7 = vcpu->state->drs.dr7;
	}
	d->flags = req->flags;
	d->borrowed = false;
	d->delivering = false;
	memcpy(d->dr, req->dr, sizeof(d->dr));
	d->dr7 = (req->dr7 & DR7_WRITABLE) | DR7_FIXED;
	if (had || debug_has_drs(vcpu))
		put_drs(vcpu);

	if (d->flags & VITRO_DEBUG_BP)
		vectors = BIT(X86_TRAP_BP);
	if (d->flags & VITRO_DEBUG_STEP)
		vectors = ALL_VECTORS;
	backend->intercept_exceptions(vcpu, vectors);
	return 0;
}

/**
 * debug_reset - the vCPU was reset, and with it the registers that a debugger has
 * @vcpu: the vCPU
 */
void debug_reset(struct vitro_vcpu *vcpu)
{
	vcpu->debug.guest_dr6 = DR6_RESERVED;
	vcpu->debug.guest_dr7 = DR7_FIXED;
	if (debug_has_drs(vcpu))
		put_drs(vcpu);
}

/**
 * debug_store_drs - the guest's DR6 and DR7, if the CPU does not have them
 * @vcpu: the vCPU
 * @drs: has what the CPU has
 */
void debug_store_drs(struct vitro_vcpu *vcpu, struct vitro_drs *drs)
{
	if (!debug_has_drs(vcpu))
		return;
	drs->dr6 = vcpu->debug.guest_dr6;
	drs->dr7 = vcpu->debug.guest_dr7;
}

/**
 * debug_load_drs - the way back; the CPU has them already, if no debugger does
 * @vcpu: the vCPU
 * @drs: checked values
 */
void debug_load_drs(struct vitro_vcpu *vcpu, const struct vitro_drs *drs)
{
	vcpu->debug.guest_dr6 = drs->dr6;
	vcpu->debug.guest_dr7 = drs->dr7;
}

/* ----------------------------------------------------------------------- a step */

/**
 * debug_look - what will the next instruction do with TF?
 * @vcpu: it steps; outside of a burst
 *
 * If the instruction is not there to be read, the guest will not execute it either.
 *
 * Returns 0 or -ENOMEM.
 */
int debug_look(struct vitro_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->debug;
	struct insn insn;
	int ret;

	d->step_rip = vcpu->regs.rip;
	d->step_tf = TF_UNUSED;
	ret = insn_fetch(vcpu, &insn, false);
	if (ret)
		return ret == -ENOMEM ? ret : 0;
	switch (insn.bytes[insn.opcode]) {
	case 0x9c:		/* PUSHF */
		d->step_tf = TF_PUSHED;
		break;
	case 0x9d:		/* POPF */
	case 0xcf:		/* IRET */
		d->step_tf = TF_LOADED;
		break;
	case 0x0f:		/* SYSRET */
		if (insn.opcode + 1 < insn.nr && insn.bytes[insn.opcode + 1] == 0x07)
			d->step_tf = TF_LOADED;
		break;
	}
	return 0;
}

/**
 * debug_entry - make the entry that follows a step
 * @vcpu: it steps; in a burst, about to enter
 * @event: an event will be delivered
 */
void debug_entry(struct vitro_vcpu *vcpu, bool event)
{
	struct vcpu_debug *d = &vcpu->debug;

	d->borrowed = !event;
	d->delivering = event;
	if (d->delivering) {
		d->step_tf = TF_UNUSED;
		smp_send_reschedule(smp_processor_id());
	}
	if (!d->borrowed)
		return;
	d->rip = vcpu->regs.rip;
	d->tf = vcpu->regs.rflags & X86_EFLAGS_TF;
	/*
	 * With TF and a shadow, VT-x takes the #DB as pending already (SDM 3C 27.3.1.5).
	 * What the shadow holds back, waits for the end of the step anyway.
	 */
	d->shadow = vcpu->shadow;
	vcpu->shadow = false;
	vcpu->regs.rflags |= X86_EFLAGS_TF;
}

static bool trapped(const struct vitro_vcpu *vcpu)
{
	return vcpu->exit.reason == EXIT_EXCEPTION && vcpu->exit_exception.vector == X86_TRAP_DB;
}

/**
 * debug_left - take back what debug_entry() has lent
 * @vcpu: it steps; in a burst, just out of the guest
 */
void debug_left(struct vitro_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->debug;

	if (d->delivering && vcpu->exit.reason != VITRO_EXIT_FAIL_ENTRY &&
	    vcpu->events.inflight.type == EV_NONE)
		d->done |= VITRO_DEBUG_STEP;
	if (!d->borrowed)
		return;
	if (!trapped(vcpu) || d->step_tf != TF_LOADED)
		vcpu->regs.rflags = (vcpu->regs.rflags & ~(u64)X86_EFLAGS_TF) | d->tf;
	/* The instruction is still to be executed, and its shadow in force. */
	if (!trapped(vcpu) && vcpu->regs.rip == d->rip)
		vcpu->shadow = d->shadow;
}

static void guest_dr6_set(struct vitro_vcpu *vcpu, u64 bits)
{
	if (debug_has_drs(vcpu))
		vcpu->debug.guest_dr6 |= bits;
	else
		backend->set_dr6(vcpu, backend->dr6(vcpu) | bits);
}

/**
 * debug_skipped - an instruction was finished for the guest, by which somebody steps
 * @vcpu: in a burst; RIP is behind the instruction
 */
void debug_skipped(struct vitro_vcpu *vcpu)
{
	if (vcpu->regs.rflags & X86_EFLAGS_TF) {
		guest_dr6_set(vcpu, DR_STEP);
		event_raise(vcpu, X86_TRAP_DB);
	}
	if (debug_steps(vcpu))
		vcpu->debug.done |= VITRO_DEBUG_STEP;
}

/* The word that PUSHF wrote has TF, bit 8, as the CPU had it. */
static void hide_pushed_tf(struct vitro_vcpu *vcpu)
{
	struct vitro_state *s = vcpu->state;
	struct guest_code code;
	u64 gpa, gva = vcpu->regs.gpr[VITRO_RSP];
	u8 byte;

	backend->code(vcpu, &code);
	if (code.bits != 64) {
		backend->store_state(vcpu, s, VITRO_STATE_SEGS);
		if (!(s->segs.seg[VITRO_SS].attrib & VITRO_SEG_DB))
			gva = (u16)gva;
		gva = (u32)(gva + s->segs.seg[VITRO_SS].base);
	}
	if (guest_walk(vcpu->vm, &code.paging, gva + 1, &gpa) ||
	    guest_read(vcpu->vm, gpa, &byte, 1))
		return;
	byte &= ~(X86_EFLAGS_TF >> 8);
	guest_write(vcpu->vm, gpa, &byte, 1);
}

/* -------------------------------------------------------------------- its exits */

/* Those of @dr6's breakpoints that the debugger has armed. */
static u64 hit(const struct vcpu_debug *d, u64 dr6)
{
	u64 bits = 0;
	int i;

	if (!(d->flags & VITRO_DEBUG_HW))
		return 0;
	for (i = 0; i < 4; i++) {
		/* B0 to B3 may be set for breakpoints that are off (SDM 3B 18.2.3). */
		if ((dr6 & BIT(i)) && (d->dr7 >> (2 * i) & 3))
			bits |= BIT(i);
	}
	return bits;
}

/**
 * debug_takes_exception - is the exception that exited for the debugger alone?
 * @vcpu: in a burst, with vcpu->exit_exception
 *
 * Returns true, and the burst is to end; or false: the guest gets it.
 */
bool debug_takes_exception(struct vitro_vcpu *vcpu)
{
	u8 vector = vcpu->exit_exception.vector;
	struct vcpu_debug *d = &vcpu->debug;
	u64 dr6, guests;

	if (vector == X86_TRAP_BP && (d->flags & VITRO_DEBUG_BP)) {
		d->done |= VITRO_DEBUG_BP;
		return true;
	}
	if (vector != X86_TRAP_DB || !debug_has_drs(vcpu))
		return false;

	dr6 = backend->dr6(vcpu);
	backend->set_dr6(vcpu, DR6_RESERVED);
	guests = dr6 & (DR_STEP | DR6_BT);
	d->dr6 = hit(d, dr6);
	if (d->dr6)
		d->done |= VITRO_DEBUG_HW;
	if (d->borrowed && (dr6 & DR_STEP)) {
		d->done |= VITRO_DEBUG_STEP;
		if (!d->tf)
			guests &= ~(u64)DR_STEP;
	}
	if (guests) {
		d->guest_dr6 = (d->guest_dr6 & ~(u64)DR_TRAP_BITS) | guests;
		if (d->done)
			event_raise(vcpu, X86_TRAP_DB);
	}
	return d->done;
}

/**
 * debug_report - make of what has happened an exit to userspace
 * @vcpu: outside of a burst
 *
 * Returns true, with vcpu->exit filled in, if anything has happened.
 */
bool debug_report(struct vitro_vcpu *vcpu)
{
	struct vcpu_debug *d = &vcpu->debug;
	struct vitro_exit *x = &vcpu->exit;

	if (!d->done)
		return false;
	if ((d->done & VITRO_DEBUG_STEP) && d->step_tf == TF_PUSHED && !d->tf)
		hide_pushed_tf(vcpu);
	x->reason = VITRO_EXIT_DEBUG;
	x->insn_len = 0;
	memset(x->reserved, 0, sizeof(x->reserved));
	x->debug.flags = d->done;
	if (d->done & VITRO_DEBUG_HW)
		x->debug.dr6 = d->dr6;
	d->done = 0;
	return true;
}

/* --------------------------------------------------- the guest's own registers */

static bool mov_to_dr(struct vitro_vcpu *vcpu, int nr, u64 value)
{
	struct vcpu_debug *d = &vcpu->debug;

	if (nr >= 6 && value >> 32) {
		event_raise_error(vcpu, X86_TRAP_GP, 0);
		return false;
	}
	if (nr < 4)
		vcpu->dr[nr] = value;
	else if (nr == 6)
		d->guest_dr6 = (value & DR6_WRITABLE) | DR6_RESERVED;
	else
		d->guest_dr7 = (value & DR7_WRITABLE) | DR7_FIXED;
	return true;
}

/**
 * debug_mov_dr - MOV DR while the debugger has the registers (SDM 2B, MOV)
 * @vcpu: in a burst, with vcpu->cr_access
 *
 * Returns true: done, the instruction is to be skipped; or false: it has raised an exception.
 */
bool debug_mov_dr(struct vitro_vcpu *vcpu)
{
	const struct cr_access *a = &vcpu->cr_access;
	u64 mask = backend->is_64bit(vcpu) ? ~0ull : U32_MAX;
	struct vcpu_debug *d = &vcpu->debug;
	u64 *gpr = &vcpu->regs.gpr[a->gpr];
	int nr = a->cr;

	/* DR4 and DR5 are other names of DR6 and DR7, or none. */
	if (nr == 4 || nr == 5) {
		if (vcpu->guest_cr4 & X86_CR4_DE) {
			event_raise(vcpu, X86_TRAP_UD);
			return false;
		}
		nr += 2;
	}
	if (d->guest_dr7 & DR7_GD) {
		d->guest_dr7 &= ~(u64)DR7_GD;
		d->guest_dr6 |= DR6_BD;
		event_raise(vcpu, X86_TRAP_DB);
		return false;
	}
	if (a->write)
		return mov_to_dr(vcpu, nr, *gpr & mask);
	*gpr = mask & (nr < 4 ? vcpu->dr[nr] : nr == 6 ? d->guest_dr6 : d->guest_dr7);
	return true;
}
