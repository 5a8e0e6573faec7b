/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch of VT-x.  What the VMCS switches (segments, control registers,
 * RSP, RIP, RFLAGS) is not seen here; what remains are the general registers.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#define HOST_RSP	0x6c14

/* struct vitro_gprs: general registers by their number in ModRM, 8 bytes each. */
#define GPR(n)	(8 * (n))(%rdi)
#define GPR_A(n)	(8 * (n))(%rax)

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
	test	%sil, %sil		/* the MOVs below leave ZF alone */

	mov	GPR(0), %rax
	mov	GPR(1), %rcx
	mov	GPR(2), %rdx
	mov	GPR(3), %rbx
	mov	GPR(5), %rbp
	mov	GPR(6), %rsi
	mov	GPR(8), %r8
	mov	GPR(9), %r9
	mov	GPR(10), %r10
	mov	GPR(11), %r11
	mov	GPR(12), %r12
	mov	GPR(13), %r13
	mov	GPR(14), %r14
	mov	GPR(15), %r15
	mov	GPR(7), %rdi

	jz	1f
	vmresume
	jmp	vmx_entry_failed
1:	vmlaunch
	jmp	vmx_entry_failed

SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR
	push	%rax
	mov	8(%rsp), %rax		/* regs */
	pop	GPR_A(0)
	mov	%rcx, GPR_A(1)
	mov	%rdx, GPR_A(2)
	mov	%rbx, GPR_A(3)
	mov	%rbp, GPR_A(5)
	mov	%rsi, GPR_A(6)
	mov	%rdi, GPR_A(7)
	mov	%r8, GPR_A(8)
	mov	%r9, GPR_A(9)
	mov	%r10, GPR_A(10)
	mov	%r11, GPR_A(11)
	mov	%r12, GPR_A(12)
	mov	%r13, GPR_A(13)
	mov	%r14, GPR_A(14)
	mov	%r15, GPR_A(15)
	mov	$1, %eax

vmx_out:
	add	$8, %rsp

	/* The guest trained the return stack: refill it before the first RET. */
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	/* The guest's values must not live on in registers to feed speculation. */
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d

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
