// SPDX-License-Identifier: GPL-2.0-only
/*
 * From EXITCODE and its friends to vcpu->exit, the exit as the core knows it.
 */
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "core/insn.h"
#include "svm/svm.h"

static void translate_io(struct vitro_vcpu *vcpu, const struct vmcb_control *c)
{
	struct vitro_exit *x = &vcpu->exit;
	u64 info = c->exitinfo1;

	x->reason = VITRO_EXIT_IO;
	x->insn_len = c->exitinfo2 - vcpu->regs.rip;
	x->io.port = IOIO_PORT(info);
	x->io.size = IOIO_SIZE(info);
	if (info & IOIO_TYPE_IN)
		x->io.flags |= VITRO_IO_IN;
	if (info & IOIO_REP)
		x->io.flags |= VITRO_IO_REP;
	if (info & IOIO_STR) {
		x->io.flags |= VITRO_IO_STRING;
		if (svm_backend.features & VITRO_CPU_DECODE) {
			x->io.addr_size = IOIO_ADDR_SIZE(info);
			x->io.seg = IOIO_SEG(info);
		} else if (svm_decode_string_io(vcpu)) {
			x->reason = EXIT_FETCH;
		}
	} else if (!(info & IOIO_TYPE_IN)) {
		x->io.data = vcpu->regs.gpr[VITRO_RAX] &
			     GENMASK_ULL(8 * x->io.size - 1, 0);
	}
}

static void translate_npf(struct vitro_vcpu *vcpu, const struct vmcb_control *c)
{
	struct vitro_exit *x = &vcpu->exit;

	x->reason = EXIT_TDP;
	x->mmio.gpa = c->exitinfo2;
	if (c->exitinfo1 & NPF_FETCH)
		x->mmio.flags = VITRO_MMIO_EXEC;
	else if (c->exitinfo1 & NPF_WRITE)
		x->mmio.flags = VITRO_MMIO_WRITE;
	else
		x->mmio.flags = VITRO_MMIO_READ;
	if (c->exitinfo1 & NPF_WALK)
		x->mmio.flags |= VITRO_MMIO_WALK;
	if (svm_backend.features & VITRO_CPU_DECODE) {
		x->mmio.nr_bytes = min_t(u8, c->nr_bytes_fetched, sizeof(x->mmio.bytes));
		memcpy(x->mmio.bytes, c->bytes_fetched, x->mmio.nr_bytes);
	}
}

/* Exceptions with an error code (APM 2 table 8-1). */
#define HAS_ERROR	(BIT(X86_TRAP_DF) | BIT(X86_TRAP_TS) | BIT(X86_TRAP_NP) | \
			 BIT(X86_TRAP_SS) | BIT(X86_TRAP_GP) | BIT(X86_TRAP_PF) | \
			 BIT(X86_TRAP_AC) | BIT(21))

static void translate_exception(struct vitro_vcpu *vcpu, const struct vmcb_control *c)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vitro_exit *x = &vcpu->exit;
	u8 vector = c->exitcode - SVM_EXIT_EXCP(0);

	switch (vector) {
	case X86_TRAP_MC:
		/*
		 * A machine check of the host, taken here because its IDT was not in
		 * force.  The banks still hold it: raise it again.
		 */
		asm volatile("int $18");
		x->reason = EXIT_HOST;
		break;
	case X86_TRAP_DB:
		if (svm->step) {
			/* After IRET, TF is what the guest had on its stack. */
			if (svm->step == STEP_SHADOW)
				vcpu->regs.rflags &= ~(u64)X86_EFLAGS_TF;
			svm->step = STEP_NONE;
			svm->vmcb->save.dr6 &= ~(u64)DR_STEP;
			svm_changed(svm, CLEAN_DRX);
			if (!(svm->vmcb->save.dr6 & DR_TRAP_BITS)) {
				x->reason = EXIT_RESUME;
				break;
			}
		}
		fallthrough;
	default:
		/*
		 * #DB and #AC are intercepted because a guest could make their delivery
		 * loop inside the CPU for ever.  Once through here, each round of that
		 * loop is an exit.  All others are for a debugger.
		 */
		x->reason = EXIT_EXCEPTION;
		vcpu->exit_exception = (struct vcpu_event){
			.type = EV_EXCEPTION,
			.vector = vector,
			.has_error = HAS_ERROR & BIT(vector),
			.error = HAS_ERROR & BIT(vector) ? c->exitinfo1 : 0,
		};
		/* Intercepted before CR2 was written (APM 2 15.12.15). */
		if (vector == X86_TRAP_PF) {
			svm->vmcb->save.cr2 = c->exitinfo2;
			svm_changed(svm, CLEAN_CR2);
		}
		break;
	}
}

/* Exits on instructions whose length the core wants. */
static void translate_insn(struct vitro_vcpu *vcpu, const struct vmcb_control *c)
{
	struct vitro_exit *x = &vcpu->exit;
	int len;

	switch (c->exitcode) {
	case SVM_EXIT_CPUID:
		x->reason = EXIT_CPUID;
		break;
	case SVM_EXIT_MSR:
		x->reason = c->exitinfo1 ? VITRO_EXIT_WRMSR : VITRO_EXIT_RDMSR;
		x->msr.index = vcpu->regs.gpr[VITRO_RCX];
		if (x->reason == VITRO_EXIT_WRMSR)
			x->msr.data = (u32)vcpu->regs.gpr[VITRO_RAX] |
				      vcpu->regs.gpr[VITRO_RDX] << 32;
		break;
	case SVM_EXIT_HLT:
		x->reason = VITRO_EXIT_HLT;
		break;
	case SVM_EXIT_PAUSE:
		x->reason = EXIT_PAUSE;
		break;
	case SVM_EXIT_VMMCALL:
		x->reason = VITRO_EXIT_HYPERCALL;
		break;
	case SVM_EXIT_XSETBV:
		x->reason = EXIT_XSETBV;
		break;
	default:	/* INVD, WBINVD: caches are coherent whatever the guest does */
		x->reason = EXIT_SKIP;
		break;
	}

	if (svm_backend.features & VITRO_CPU_NRIPS)
		len = c->nrip - vcpu->regs.rip;
	else
		len = svm_insn_length(vcpu);
	if (len > 0)
		x->insn_len = len;
	else
		x->reason = len == -EAGAIN ? EXIT_FETCH : EXIT_RESUME;
}

/* MOV CR and MOV DR; @write: the first exit code of those that write; @opcode: as svm_decode_mov */
static void translate_mov(struct vitro_vcpu *vcpu, const struct vmcb_control *c,
			  enum internal_exit reason, u64 write, u8 opcode)
{
	int len;

	vcpu->cr_access.cr = c->exitcode & 15;
	vcpu->cr_access.write = c->exitcode >= write;
	if ((svm_backend.features & VITRO_CPU_DECODE) &&
	    (svm_backend.features & VITRO_CPU_NRIPS) &&
	    (reason == EXIT_DR || (c->exitinfo1 & CR_INFO_MOV))) {
		vcpu->cr_access.gpr = CR_INFO_GPR(c->exitinfo1);
		len = c->nrip - vcpu->regs.rip;
	} else {
		len = svm_decode_mov(vcpu, opcode);
	}
	if (len > 0) {
		vcpu->exit.reason = reason;
		vcpu->exit.insn_len = len;
	} else {
		vcpu->exit.reason = len == -EAGAIN ? EXIT_FETCH : EXIT_RESUME;
	}
}

/*
 * For QEMU's TCG an INT3 is an INT n, and no #BP.  One that really is an INT n, the guest
 * executes by itself, with the intercept off until the next exit.  Apart, for the sake of
 * all other exits: room for an instruction on the stack has its price.
 */
static noinline void translate_int(struct vitro_vcpu *vcpu)
{
	struct insn insn;
	int ret;

	ret = insn_fetch(vcpu, &insn, true);
	if (ret) {
		vcpu->exit.reason = ret == -EAGAIN ? EXIT_FETCH : EXIT_RESUME;
	} else if (insn.bytes[insn.opcode] == 0xcc) {
		vcpu->exit.reason = EXIT_EXCEPTION;
		vcpu->exit_exception = (struct vcpu_event){
			.type = EV_EXCEPTION, .vector = X86_TRAP_BP,
		};
	} else {
		svm_intercept_int(to_svm(vcpu), false);
		vcpu->exit.reason = EXIT_RESUME;
	}
}

static void translate_iret(struct vitro_vcpu *vcpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	/* The intercept comes before the IRET; NMIs open after it. */
	svm->vmcb->control.intercept_misc1 &= ~INTERCEPT_IRET;
	svm_changed(svm, CLEAN_INTERCEPTS);
	svm->iret = true;
	svm->iret_rip = vcpu->regs.rip;
	vcpu->exit.reason = EXIT_NMI_WINDOW;
}

/**
 * svm_translate_exit - fill vcpu->exit from the VMCB
 * @vcpu: it has just left the guest
 */
void svm_translate_exit(struct vitro_vcpu *vcpu)
{
	const struct vmcb_control *c = &to_svm(vcpu)->vmcb->control;
	struct vitro_exit *x = &vcpu->exit;

	exit_clear(x);
	x->raw.code = c->exitcode;
	x->raw.info1 = c->exitinfo1;
	x->raw.info2 = c->exitinfo2;
	x->raw.intinfo = c->exitintinfo;

	if (svm_refused(c)) {
		x->reason = VITRO_EXIT_FAIL_ENTRY;
		return;
	}
	switch (c->exitcode) {
	case SVM_EXIT_INTR:
	case SVM_EXIT_NMI:
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		x->reason = EXIT_HOST;
		break;
	case SVM_EXIT_VINTR:
		x->reason = EXIT_IRQ_WINDOW;
		break;
	case SVM_EXIT_INTN:
		translate_int(vcpu);
		break;
	case SVM_EXIT_IRET:
		translate_iret(vcpu);
		break;
	case SVM_EXIT_IOIO:
		translate_io(vcpu, c);
		break;
	case SVM_EXIT_NPF:
		translate_npf(vcpu, c);
		break;
	case SVM_EXIT_CPUID:
	case SVM_EXIT_MSR:
	case SVM_EXIT_HLT:
	case SVM_EXIT_PAUSE:
	case SVM_EXIT_VMMCALL:
	case SVM_EXIT_XSETBV:
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
		translate_insn(vcpu, c);
		break;
	case SVM_EXIT_CR_READ(0) ... SVM_EXIT_CR_WRITE(15):
		translate_mov(vcpu, c, EXIT_CR, SVM_EXIT_CR_WRITE(0), 0x20);
		break;
	case SVM_EXIT_DR_READ(0) ... SVM_EXIT_DR_WRITE(15):
		translate_mov(vcpu, c, EXIT_DR, SVM_EXIT_DR_WRITE(0), 0x21);
		break;
	case SVM_EXIT_EXCP(0) ... SVM_EXIT_EXCP(31):
		translate_exception(vcpu, c);
		break;
	case SVM_EXIT_RDPMC:
		x->reason = EXIT_GP;
		break;
	case SVM_EXIT_RSM:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_MWAIT_ARMED:
	case SVM_EXIT_RDPRU:
	case SVM_EXIT_INVLPGB:
	case SVM_EXIT_INVLPGB_ILL:
	case SVM_EXIT_MCOMMIT:
	case SVM_EXIT_TLBSYNC:
		x->reason = EXIT_UD;
		break;
	case SVM_EXIT_SHUTDOWN:
		x->reason = VITRO_EXIT_SHUTDOWN;
		break;
	default:
		x->reason = VITRO_EXIT_UNHANDLED;
		break;
	}
}
