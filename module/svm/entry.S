/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch of AMD-V: everything between the last C statement of the host
 * and the first instruction of the guest, and back.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>

/* struct vitro_gprs: general registers by their number in ModRM, 8 bytes each. */
#define GPR(n)	(8 * (n))(%rdi)
#define GPR_A(n)	(8 * (n))(%rax)

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

	vmrun	%rax

	/* VMRUN brought back the host's RAX, RSP and RFLAGS; the rest is the guest's. */
	pop	%rax
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

	pop	%rax
	vmsave	%rax
	pop	%rax
	vmload	%rax

	/*
	 * The guest trained the return stack; refill it before the first RET that
	 * could be predicted from it.  UNTRAIN_RET is the kernel's own answer to
	 * RETBleed and SRSO, a NOP where the CPU needs none.
	 */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RETPOLINE
	UNTRAIN_RET

	/* The guest's values must not live on in registers to feed speculation. */
	xor	%eax, %eax
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
