/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch of AMD-V: everything between the last C statement of the host
 * and the first instruction of the guest, and back.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>

#include "compat/entry.h"
#include "core/gprs.S"

/*
 * With retbleed=ibpb, or spec_rstack_overflow=ibpb-vmexit: forget all branches of the
 * guest's (APM 2 3.2.9).  The kernel's function for it is not for all modules.
 */
.macro IBPB_AFTER_GUEST
#ifdef X86_FEATURE_IBPB_ON_VMEXIT
	ALTERNATIVE "jmp .Libpb_done_\@", "", X86_FEATURE_IBPB_ON_VMEXIT
	mov	$MSR_IA32_PRED_CMD, %ecx
	mov	$PRED_CMD_IBPB, %eax
	xor	%edx, %edx
	wrmsr
.Libpb_done_\@:
#endif
.endm

/*
 * Refills the return stack, all of it, where the kernel does so after a guest.  That is
 * FILL_RETURN_BUFFER of asm/nospec-branch.h with its loop written out: 33 instructions and
 * not 81, and no branch that could be mispredicted, against which the loop needs an LFENCE.
 */
.macro FILL_RETURN_STACK
	ALTERNATIVE "jmp .Lfilled_\@", "", X86_FEATURE_RETPOLINE
	.rept RSB_CLEAR_LOOPS
	__FILL_RETURN_SLOT
	.endr
	add	$8 * RSB_CLEAR_LOOPS, %rsp
.Lfilled_\@:
.endm

/*
 * void svm_enter_guest(struct vitro_gprs *regs, phys_addr_t vmcb_pa, phys_addr_t host_pa)
 *
 * Enters the guest, returns after its next exit.  RAX, RSP, RIP and RFLAGS travel
 * in the VMCB; VMRUN swaps them.  VMLOAD and VMSAVE swap what VMRUN leaves alone:
 * FS, GS, TR and LDTR with their hidden parts, KERNEL_GS_BASE, and the MSRs of
 * SYSCALL and SYSENTER (APM 2 15.5.2).  The host's were saved at @host_pa when the
 * burst began.
 *
 * Called with interrupts off.  CLGI blocks even NMIs; under it RFLAGS.IF may go up,
 * because with V_INTR_MASKING it is the *host's* IF that decides whether a physical
 * interrupt ends the guest (APM 2 15.21.1).  From VMLOAD of the guest to VMLOAD of
 * the host, GS is the guest's: no per-CPU access, hence no C.
 */
SYM_FUNC_START(svm_enter_guest)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx			/* host_pa, wanted last */
	push	%rsi			/* vmcb_pa */
	push	%rdi			/* regs, wanted first */

	clgi
	sti

	mov	%rsi, %rax
	vmload	%rax

	LOAD_GUEST_GPRS
	CLEAR_CPU_BUFFERS_FOR_GUEST

	vmrun	%rax

	/* VMRUN brought back the host's RAX, RSP and RFLAGS; the rest is the guest's. */
	pop	%rax
	SAVE_GUEST_GPRS

	pop	%rax
	vmsave	%rax
	pop	%rax
	vmload	%rax

	/*
	 * The guest trained the return stack; refill it before the first RET that
	 * could be predicted from it.  UNTRAIN_RET is the kernel's own answer to
	 * RETBleed and SRSO, a NOP where the CPU needs none.  It may prefer an IBPB
	 * after each exit, which leaves the return stack of some CPUs as it is: so
	 * that comes first.
	 */
	IBPB_AFTER_GUEST
	FILL_RETURN_STACK
	UNTRAIN_RET

	xor	%eax, %eax
	CLEAR_GPRS

	/* A host NMI that was held back is taken at STGI, with IF down again. */
	cli
	stgi

	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(svm_enter_guest)
