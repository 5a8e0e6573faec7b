// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to do about an exit, with the CPU still in the burst.  exit_handle() is the
 * place where a reader finds every reason; most are done with in a few lines.
 *
 * noinline are those who hand out pointers to their stack, or need many registers: its guard
 * would be set up and checked, and these would be saved, at each exit, and not only at theirs.
 */
#include <uapi/linux/kvm_para.h>
#include <asm/trapnr.h>

#include "apic/apic.h"
#include "core/core.h"
#include "core/insn.h"
#include "glass/trace.h"
#include "mm/mm.h"

/* skip_insn(), where there is more to it than the next RIP. */
static noinline void skip_carefully(struct vitro_vcpu *vcpu, u64 rip)
{
	/* Only 64-bit code goes on across a multiple of 4 GiB. */
	if ((rip ^ vcpu->regs.rip) >> 32 && !backend->is_64bit(vcpu))
		rip = (u32)rip;
	vcpu->regs.rip = rip;
	vcpu->regs.rflags &= ~(u64)X86_EFLAGS_RF;
	if ((vcpu->regs.rflags & X86_EFLAGS_TF) || debug_steps(vcpu))
		debug_skipped(vcpu);
}

/*
 * The instruction that exited is done: go on behind it, as the CPU would have
 * (SDM 3B 18.3.1.1, RF; APM 2 15.21.5, shadow).
 */
static void skip_insn(struct vitro_vcpu *vcpu)
{
	u64 rip = vcpu->regs.rip + vcpu->exit.insn_len;

	vcpu->shadow = false;
	if ((rip ^ vcpu->regs.rip) >> 32 || debug_steps(vcpu) ||
	    (vcpu->regs.rflags & (X86_EFLAGS_RF | X86_EFLAGS_TF)))
		skip_carefully(vcpu, rip);
	else
		vcpu->regs.rip = rip;
}

static void raise_gp(struct vitro_vcpu *vcpu)
{
	event_raise_error(vcpu, X86_TRAP_GP, 0);
}

static noinline enum verdict handle_cpuid(struct vitro_vcpu *vcpu)
{
	u64 *gpr = vcpu->regs.gpr;
	u32 out[4];

	cpuid_answer(vcpu, gpr[VITRO_RAX], gpr[VITRO_RCX], out);
	gpr[VITRO_RAX] = out[0];
	gpr[VITRO_RBX] = out[1];
	gpr[VITRO_RCX] = out[2];
	gpr[VITRO_RDX] = out[3];
	skip_insn(vcpu);
	return AGAIN;
}

static noinline enum verdict handle_rdmsr(struct vitro_vcpu *vcpu)
{
	u64 value;

	switch (msr_read(vcpu, vcpu->exit.msr.index, &value)) {
	case 0:
		vcpu->regs.gpr[VITRO_RAX] = (u32)value;
		vcpu->regs.gpr[VITRO_RDX] = value >> 32;
		skip_insn(vcpu);
		return AGAIN;
	case -ENOENT:
		return LEAVE_USER;
	default:
		raise_gp(vcpu);
		return AGAIN;
	}
}

/**
 * exit_eoi - make an exit of the end of a level-triggered interrupt
 * @vcpu: the vCPU, also in a burst
 *
 * The interrupt is still asserted, perhaps; userspace's IOAPIC knows.  Returns
 * true, with vcpu->exit filled in, if an interrupt was ended.
 */
bool exit_eoi(struct vitro_vcpu *vcpu)
{
	int vector = lapic_take_eoi(vcpu);

	if (vector < 0)
		return false;
	vcpu->exit.reason = VITRO_EXIT_EOI;
	vcpu->exit.insn_len = 0;
	vcpu->exit.eoi.vector = vector;
	vcpu->exit.eoi.pad = 0;
	return true;
}

static enum verdict handle_wrmsr(struct vitro_vcpu *vcpu)
{
	switch (msr_write(vcpu, vcpu->exit.msr.index, vcpu->exit.msr.data)) {
	case 0:
		skip_insn(vcpu);
		return exit_eoi(vcpu) ? LEAVE_USER : AGAIN;
	case -ENOENT:
		return LEAVE_USER;
	default:
		raise_gp(vcpu);
		return AGAIN;
	}
}

static enum verdict handle_hlt(struct vitro_vcpu *vcpu)
{
	if (!(vcpu->regs.rflags & X86_EFLAGS_IF))
		return LEAVE_USER;
	skip_insn(vcpu);
	return event_wakes(vcpu) ? AGAIN : LEAVE_HALT;
}

static noinline enum verdict handle_hypercall(struct vitro_vcpu *vcpu)
{
	const u64 *gpr = vcpu->regs.gpr;
	u64 mask = backend->is_64bit(vcpu) ? ~0ull : U32_MAX;

	/* User programs in the guest may not speak to the hypervisor. */
	if (backend->cpl(vcpu) != 0) {
		vcpu->regs.gpr[VITRO_RAX] = -KVM_EPERM & mask;
		skip_insn(vcpu);
		return AGAIN;
	}
	/* It is for the exit alone: the next entry delivers what waits. */
	if ((gpr[VITRO_RAX] & mask) == KVM_HC_VAPIC_POLL_IRQ) {
		vcpu->regs.gpr[VITRO_RAX] = 0;
		skip_insn(vcpu);
		return AGAIN;
	}
	vcpu->exit.hypercall.nr = gpr[VITRO_RAX] & mask;
	vcpu->exit.hypercall.args[0] = gpr[VITRO_RBX] & mask;
	vcpu->exit.hypercall.args[1] = gpr[VITRO_RCX] & mask;
	vcpu->exit.hypercall.args[2] = gpr[VITRO_RDX] & mask;
	vcpu->exit.hypercall.args[3] = gpr[VITRO_RSI] & mask;
	trace_vitro_hypercall(vcpu->exit.hypercall.nr, vcpu->exit.hypercall.args);
	return LEAVE_USER;
}

static enum verdict handle_io(struct vitro_vcpu *vcpu)
{
	const struct vitro_exit *x = &vcpu->exit;

	if (!(x->io.flags & (VITRO_IO_IN | VITRO_IO_STRING)) &&
	    ioeventfd_signal(vcpu->vm, true, x->io.port, x->io.size, x->io.data)) {
		skip_insn(vcpu);
		return AGAIN;
	}
	return LEAVE_USER;
}

/*
 * A write to an address without memory may be a doorbell, whose eventfd is signalled
 * here.  The CPU does not say what it would have written: read that from the code.
 */
static noinline enum verdict ring_doorbell(struct vitro_vcpu *vcpu, u64 gpa)
{
	struct insn insn;
	u32 size;
	u64 data;
	int len;

	if (!ioeventfd_covers(vcpu->vm, gpa))
		return LEAVE_FAULT;
	if (insn_fetch(vcpu, &insn, true))
		return LEAVE_FETCH;
	len = insn_decode_store(vcpu, &insn, &size, &data);
	if (!len || !ioeventfd_signal(vcpu->vm, false, gpa, size, data))
		return LEAVE_FAULT;
	vcpu->exit.insn_len = len;
	skip_insn(vcpu);
	return AGAIN;
}

/* Finding the process's page may sleep: that is for vcpu_run(). */
static noinline enum verdict handle_tdp(struct vitro_vcpu *vcpu)
{
	u64 gpa = vcpu->exit.mmio.gpa;
	u8 flags = vcpu->exit.mmio.flags;

	if (!(flags & VITRO_MMIO_WRITE))
		return LEAVE_FAULT;
	switch (slot_use(vcpu->vm, gpa >> PAGE_SHIFT)) {
	case SLOT_NONE:
		return flags & VITRO_MMIO_WALK ? LEAVE_FAULT : ring_doorbell(vcpu, gpa);
	case SLOT_LOGGED:
		return dirty_fault(vcpu->vm, gpa >> PAGE_SHIFT) ? AGAIN : LEAVE_FAULT;
	default:
		return LEAVE_FAULT;
	}
}

static noinline enum verdict handle_xsetbv(struct vitro_vcpu *vcpu)
{
	const u64 *gpr = vcpu->regs.gpr;
	u64 xcr0 = (u32)gpr[VITRO_RAX] | gpr[VITRO_RDX] << 32;

	/* XCR0 is the only one there is (SDM 2C, XSETBV). */
	if (backend->cpl(vcpu) != 0 || (u32)gpr[VITRO_RCX] != 0 || !host_xcr0_valid(xcr0)) {
		raise_gp(vcpu);
		return AGAIN;
	}
	host_set_xcr0(vcpu, xcr0);
	skip_insn(vcpu);
	return AGAIN;
}

static noinline enum verdict handle_cr(struct vitro_vcpu *vcpu)
{
	const struct cr_access *a = &vcpu->cr_access;
	u64 *gpr = &vcpu->regs.gpr[a->gpr];
	u64 value = *gpr;

	if (!backend->is_64bit(vcpu))
		value = (u32)value;

	if (a->cr == 0 && a->write && backend->set_cr0) {
		if (!cr0_valid(vcpu, value)) {
			raise_gp(vcpu);
			return AGAIN;
		}
		backend->set_cr0(vcpu, value);
	} else if (a->cr == 4 && !a->write) {
		*gpr = vcpu->guest_cr4;
	} else if (a->cr == 4) {
		if (!cr4_valid(vcpu, value)) {
			raise_gp(vcpu);
			return AGAIN;
		}
		backend->set_cr4(vcpu, value);
	} else if (a->cr == 8 && a->write) {
		if (value > 15) {
			raise_gp(vcpu);
			return AGAIN;
		}
		lapic_set_tpr(vcpu, value << 4);
	} else {
		vcpu->exit.reason = VITRO_EXIT_UNHANDLED;
		return LEAVE_USER;
	}
	skip_insn(vcpu);
	return AGAIN;
}

static enum verdict handle_dr(struct vitro_vcpu *vcpu)
{
	if (!debug_has_drs(vcpu))
		host_load_drs(vcpu);
	else if (debug_mov_dr(vcpu))
		skip_insn(vcpu);
	return AGAIN;
}

/**
 * exit_handle - deal with vcpu->exit
 * @vcpu: in a burst, just out of the guest
 *
 * Returns what to do next.
 */
enum verdict exit_handle(struct vitro_vcpu *vcpu)
{
	switch (vcpu->exit.reason) {
	case EXIT_HOST:
		return LEAVE;	/* the host takes it as soon as interrupts are on */
	case EXIT_CPUID:
		return handle_cpuid(vcpu);
	case VITRO_EXIT_RDMSR:
		return handle_rdmsr(vcpu);
	case VITRO_EXIT_WRMSR:
		return handle_wrmsr(vcpu);
	case VITRO_EXIT_HLT:
		return handle_hlt(vcpu);
	case VITRO_EXIT_HYPERCALL:
		return handle_hypercall(vcpu);
	case VITRO_EXIT_IO:
		return handle_io(vcpu);
	case EXIT_TDP:
		return handle_tdp(vcpu);
	case EXIT_CR:
		return handle_cr(vcpu);
	case EXIT_DR:
		return handle_dr(vcpu);
	case EXIT_XSETBV:
		return handle_xsetbv(vcpu);
	case EXIT_EXCEPTION:
		if (debug_takes_exception(vcpu))
			return AGAIN;
		event_raise_again(vcpu, &vcpu->exit_exception);
		return AGAIN;
	case EXIT_UD:
		event_raise(vcpu, X86_TRAP_UD);
		return AGAIN;
	case EXIT_GP:
		raise_gp(vcpu);
		return AGAIN;
	case EXIT_SKIP:
		skip_insn(vcpu);
		return AGAIN;
	case EXIT_IRQ_WINDOW:
	case EXIT_NMI_WINDOW:
	case EXIT_RESUME:
		return AGAIN;
	case EXIT_PAUSE:
		skip_insn(vcpu);
		return LEAVE_YIELD;
	case EXIT_FETCH:
		return LEAVE_FETCH;
	case VITRO_EXIT_SHUTDOWN:
		/* Its cause is not pending any more; an AMD CPU still names it (SDM 3C 28.2.4). */
		vcpu->events.inflight.type = EV_NONE;
		vcpu->mp_state = VITRO_MP_SHUTDOWN;
		return LEAVE_USER;
	default:		/* FAIL_ENTRY, UNHANDLED */
		return LEAVE_USER;
	}
}
