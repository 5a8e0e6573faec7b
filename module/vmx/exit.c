// SPDX-License-Identifier: GPL-2.0-only
/*
 * From exit reason and qualification to vcpu->exit, the exit as the core knows it.
 */
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "apic/apic.h"
#include "vmx/vmx.h"

/* Qualification of I/O instructions (SDM 3C table 28-5). */
#define IO_SIZE(q)	(((q) & 7) + 1)
#define IO_IN		BIT(3)
#define IO_STRING	BIT(4)
#define IO_REP		BIT(5)
#define IO_PORT(q)	((q) >> 16 & 0xffff)

/* Instruction information of INS and OUTS (SDM 3C table 28-8). */
#define INFO_ADDR_SIZE(i)	(2 << ((i) >> 7 & 7))
#define INFO_SEGMENT(i)		((i) >> 15 & 7)

/* Qualification of control-register accesses (SDM 3C table 28-3). */
#define CR_NUMBER(q)	((q) & 15)
#define CR_TYPE(q)	((q) >> 4 & 3)	/* 0 MOV to CR, 1 MOV from CR */
#define CR_GPR(q)	((q) >> 8 & 15)

/* Qualification of debug-register accesses (SDM 3C table 28-4). */
#define DR_NUMBER(q)	((q) & 7)
#define DR_READ		BIT(4)

/* General detect: in DR6 and in the qualification BD, in DR7 GD (SDM 3B 18.2.3). */
#define DEBUG_BD	BIT(13)

/* Qualification of task switches (SDM 3C table 28-2). */
#define TASK_SELECTOR(q) ((q) & 0xffff)
#define TASK_SOURCE(q)	((q) >> 30 & 3)

static void translate_io(struct vitro_vcpu *vcpu, u64 qual)
{
	struct vitro_exit *x = &vcpu->exit;
	u32 info;

	x->reason = VITRO_EXIT_IO;
	x->io.port = IO_PORT(qual);
	x->io.size = IO_SIZE(qual);
	if (!(qual & (IO_IN | IO_STRING))) {
		x->io.data = vcpu->regs.gpr[VITRO_RAX] &
			     GENMASK_ULL(8 * x->io.size - 1, 0);
		return;
	}
	if (qual & IO_IN)
		x->io.flags |= VITRO_IO_IN;
	if (qual & IO_STRING) {
		info = vmcs_read(VM_EXIT_INSTRUCTION_INFO);
		x->io.flags |= VITRO_IO_STRING;
		if (qual & IO_REP)
			x->io.flags |= VITRO_IO_REP;
		x->io.addr_size = INFO_ADDR_SIZE(info);
		x->io.seg = qual & IO_IN ? VITRO_ES : INFO_SEGMENT(info);
	}
}

/* An IRET that could not complete has opened NMIs too early (SDM 3C 28.2.3). */
static void undo_nmi_unblocking(struct vitro_vcpu *vcpu, u64 qual)
{
	if ((qual & EPT_QUAL_NMI_UNBLOCKED) && vcpu->events.inflight.type == EV_NONE)
		vcpu->events.nmi_blocked = true;
}

static void translate_ept(struct vitro_vcpu *vcpu, u64 qual)
{
	struct vitro_exit *x = &vcpu->exit;

	x->reason = EXIT_TDP;
	x->insn_len = 0;
	x->mmio.gpa = vmcs_read(GUEST_PHYSICAL_ADDRESS);
	x->raw.info2 = x->mmio.gpa;
	if (qual & EPT_QUAL_FETCH)
		x->mmio.flags = VITRO_MMIO_EXEC;
	else if (qual & EPT_QUAL_WRITE)
		x->mmio.flags = VITRO_MMIO_WRITE;
	else
		x->mmio.flags = VITRO_MMIO_READ;
	if ((qual & EPT_QUAL_LINEAR_VALID) && !(qual & EPT_QUAL_TRANSLATED))
		x->mmio.flags |= VITRO_MMIO_WALK;
	undo_nmi_unblocking(vcpu, qual);
}

/* DR6 as the guest's handler is to find it (SDM 3C 28.2.1, table 28-1). */
static void update_dr6(struct vitro_vcpu *vcpu, u64 qual)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	if (vcpu->dr_loaded)
		get_debugreg(vmx->dr6, 6);
	vmx->dr6 &= ~(u64)DR_TRAP_BITS;
	vmx->dr6 |= qual & (DR_TRAP_BITS | DR_STEP | DEBUG_BD);
	if (vcpu->dr_loaded)
		set_debugreg(vmx->dr6, 6);
	/* General detect has done its duty. */
	if (qual & DEBUG_BD)
		vmcs_write(GUEST_DR7, vmcs_read(GUEST_DR7) & ~(u64)DEBUG_BD);
}

static void translate_exception(struct vitro_vcpu *vcpu, u64 qual)
{
	u32 info = vmcs_read(VM_EXIT_INTERRUPTION_INFO);
	struct vitro_exit *x = &vcpu->exit;
	u8 vector = info & INTERRUPTION_VECTOR;

	x->insn_len = 0;
	if ((info & INTERRUPTION_TYPE) == INTERRUPTION_NMI) {
		/*
		 * The host's NMI.  Its handler ends with the IRET that opens NMIs again,
		 * which the exit has blocked, as for any NMI.
		 */
		asm volatile("int $2");
		x->reason = EXIT_HOST;
		return;
	}
	if ((info & INTERRUPTION_NMI_UNBLOCKED) && vector != X86_TRAP_DF &&
	    vcpu->events.inflight.type == EV_NONE)
		vcpu->events.nmi_blocked = true;

	switch (vector) {
	case X86_TRAP_MC:
		asm volatile("int $18");	/* the host's: the banks still hold it */
		x->reason = EXIT_HOST;
		return;
	case X86_TRAP_DB:
		update_dr6(vcpu, qual);
		break;
	case X86_TRAP_PF:
		to_vmx(vcpu)->cr2 = qual;	/* the CPU has not (SDM 3C 28.1) */
		break;
	}
	/*
	 * #DB and #AC are intercepted because a guest could make their delivery loop
	 * inside the CPU for ever.  All others are for a debugger.
	 */
	x->reason = EXIT_EXCEPTION;
	vcpu->exit_exception = (struct vcpu_event){
		.type = EV_EXCEPTION,
		.vector = vector,
		.has_error = info & INTERRUPTION_ERROR,
		.error = vmcs_read(VM_EXIT_INTERRUPTION_ERROR_CODE),
	};
}

static void translate_cr(struct vitro_vcpu *vcpu, u64 qual)
{
	vcpu->exit.reason = EXIT_CR;
	vcpu->cr_access.cr = CR_NUMBER(qual);
	vcpu->cr_access.gpr = CR_GPR(qual);
	vcpu->cr_access.write = CR_TYPE(qual) == 0;
	/* CLTS and LMSW touch no bit that the guest does not own. */
	if (CR_TYPE(qual) > 1)
		vcpu->exit.reason = VITRO_EXIT_UNHANDLED;
}

static void translate_task_switch(struct vitro_vcpu *vcpu, u64 qual)
{
	const struct vcpu_event *ev = &vcpu->events.inflight;
	struct vitro_exit *x = &vcpu->exit;

	x->reason = VITRO_EXIT_TASK_SWITCH;
	x->task_switch.selector = TASK_SELECTOR(qual);
	x->task_switch.source = TASK_SOURCE(qual);
	if (ev->type != EV_NONE) {
		/* Not an instruction that switches, but one that was interrupted. */
		x->insn_len = 0;
		x->task_switch.event = 1;
		x->task_switch.vector = ev->vector;
		x->task_switch.has_error = ev->has_error;
		x->task_switch.error = ev->error;
	}
}

/**
 * vmx_translate_exit - fill vcpu->exit from the VMCS
 * @vcpu: it has just left the guest; its registers and events are up to date
 * @reason: why
 */
void vmx_translate_exit(struct vitro_vcpu *vcpu, u32 reason)
{
	u64 qual = vmcs_read(EXIT_QUALIFICATION);
	struct vitro_exit *x = &vcpu->exit;

	x->raw.code = reason;
	x->raw.info1 = qual;
	x->raw.info2 = 0;
	/* Defined for all exits on instructions; the others below set 0. */
	x->insn_len = vmcs_read(VM_EXIT_INSTRUCTION_LENGTH);

	switch (reason) {
	case VMX_EXTERNAL_INTERRUPT:
	case VMX_INIT:
	case VMX_SIPI:
		x->reason = EXIT_HOST;
		break;
	case VMX_PREEMPTION_TIMER:
		x->reason = apic_timer_over(vcpu) ? EXIT_RESUME : EXIT_HOST;
		break;
	case VMX_EXCEPTION_NMI:
		translate_exception(vcpu, qual);
		break;
	case VMX_INTERRUPT_WINDOW:
	case VMX_TPR_BELOW_THRESHOLD:
		x->reason = EXIT_IRQ_WINDOW;
		break;
	case VMX_NMI_WINDOW:
		x->reason = EXIT_NMI_WINDOW;
		break;
	case VMX_IO:
		translate_io(vcpu, qual);
		break;
	case VMX_EPT_VIOLATION:
		translate_ept(vcpu, qual);
		break;
	case VMX_PML_FULL:	/* it is empty again by now: see drain_pml() */
		undo_nmi_unblocking(vcpu, qual);
		x->insn_len = 0;
		x->reason = EXIT_RESUME;
		break;
	case VMX_CPUID:
		x->reason = EXIT_CPUID;
		break;
	case VMX_RDMSR:
		x->reason = VITRO_EXIT_RDMSR;
		x->msr.index = vcpu->regs.gpr[VITRO_RCX];
		break;
	case VMX_WRMSR:
		x->reason = VITRO_EXIT_WRMSR;
		x->msr.index = vcpu->regs.gpr[VITRO_RCX];
		x->msr.data = (u32)vcpu->regs.gpr[VITRO_RAX] |
			      vcpu->regs.gpr[VITRO_RDX] << 32;
		break;
	case VMX_HLT:
		x->reason = VITRO_EXIT_HLT;
		break;
	case VMX_VMCALL:
		x->reason = VITRO_EXIT_HYPERCALL;
		break;
	case VMX_CR_ACCESS:
		translate_cr(vcpu, qual);
		break;
	case VMX_MOV_DR:
		x->reason = EXIT_DR;
		vcpu->cr_access.cr = DR_NUMBER(qual);
		vcpu->cr_access.gpr = CR_GPR(qual);
		vcpu->cr_access.write = !(qual & DR_READ);
		break;
	case VMX_XSETBV:
		x->reason = EXIT_XSETBV;
		break;
	case VMX_INVD:
	case VMX_WBINVD:
		x->reason = EXIT_SKIP;
		break;
	case VMX_PAUSE:
		x->reason = EXIT_PAUSE;
		break;
	case VMX_RDPMC:
		x->reason = EXIT_GP;
		break;
	case VMX_TASK_SWITCH:
		translate_task_switch(vcpu, qual);
		break;
	case VMX_GETSEC:
	case VMX_RSM:
	case VMX_VMCLEAR ... VMX_VMXON:
	case VMX_MWAIT:
	case VMX_MONITOR:
	case VMX_INVEPT:
	case VMX_INVVPID:
		x->reason = EXIT_UD;
		break;
	case VMX_TRIPLE_FAULT:
		x->reason = VITRO_EXIT_SHUTDOWN;
		break;
	case VMX_EPT_MISCONFIG:
		x->raw.info2 = vmcs_read(GUEST_PHYSICAL_ADDRESS);
		fallthrough;
	default:
		x->reason = VITRO_EXIT_UNHANDLED;
		break;
	}
}
