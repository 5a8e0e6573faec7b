/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch of VT-x.  What the VMCS switches (segments, control registers,
 * RSP, RIP, RFLAGS) is not seen here; what remains are the general registers.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#define HOST_RSP	0x6c14

#include "core/gprs.S"

/*
 * bool vmx_enter_guest(struct vitro_gprs *regs, bool launched)
 *
 * Enters the guest by VMRESUME if it was @launched since VMPTRLD, else by VMLAUNCH.
 * Returns true after its next exit, false if the instruction failed (SDM 3C 27.2:
 * checks on controls and host state); the flags that tell more are lost, the error
 * number in the VMCS is not.
 *
 * The VMCS has vmx_exit_point as HOST_RIP, so a successful entry seems to go on there.
 */
SYM_FUNC_START(vmx_enter_guest)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi			/* regs */

	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax

	UNWIND_HINT_SAVE		/* the stack as vmx_exit_point finds it */
	bt	$0, %esi		/* launched; what is below leaves CF alone */

	mov	(%rdi), %rax
	LOAD_GUEST_GPRS
	CLEAR_CPU_BUFFERS_FOR_GUEST

	jnc	1f
	vmresume
	jmp	vmx_entry_failed
1:	vmlaunch
	jmp	vmx_entry_failed

SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rax
	mov	8(%rsp), %rax		/* regs */
	pop	(%rax)
	SAVE_GUEST_GPRS
	mov	$1, %eax

vmx_out:
	add	$8, %rsp

	/* The guest trained the return stack: refill it before the first RET. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	/*
	 * Where the kernel runs with IBRS, it holds for what came before the last write
	 * of 1: so write it again.  The guest has no SPEC_CTRL, and the value is the host's.
	 */
	ALTERNATIVE "jmp .Librs_done", "", X86_FEATURE_KERNEL_IBRS
	mov	%eax, %ebx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	rdmsr
	wrmsr
	mov	%ebx, %eax
.Librs_done:

	CLEAR_GPRS

	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET

vmx_entry_failed:
	xor	%eax, %eax
	jmp	vmx_out
SYM_FUNC_END(vmx_enter_guest)
