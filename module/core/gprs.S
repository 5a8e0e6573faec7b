/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the vendors' entry.S have in common; included by both.  The guest's general
 * registers across the world switch: struct vitro_gprs holds them by their number in
 * ModRM, 8 bytes each.  RAX (0) and RSP (4) are the includer's business.
 */

/* From the struct at RDI, which goes last. */
.macro LOAD_GUEST_GPRS
	mov	8 * 1(%rdi), %rcx
	mov	8 * 2(%rdi), %rdx
	mov	8 * 3(%rdi), %rbx
	mov	8 * 5(%rdi), %rbp
	mov	8 * 6(%rdi), %rsi
	mov	8 * 8(%rdi), %r8
	mov	8 * 9(%rdi), %r9
	mov	8 * 10(%rdi), %r10
	mov	8 * 11(%rdi), %r11
	mov	8 * 12(%rdi), %r12
	mov	8 * 13(%rdi), %r13
	mov	8 * 14(%rdi), %r14
	mov	8 * 15(%rdi), %r15
	mov	8 * 7(%rdi), %rdi
.endm

/* To the struct at RAX. */
.macro SAVE_GUEST_GPRS
	mov	%rcx, 8 * 1(%rax)
	mov	%rdx, 8 * 2(%rax)
	mov	%rbx, 8 * 3(%rax)
	mov	%rbp, 8 * 5(%rax)
	mov	%rsi, 8 * 6(%rax)
	mov	%rdi, 8 * 7(%rax)
	mov	%r8, 8 * 8(%rax)
	mov	%r9, 8 * 9(%rax)
	mov	%r10, 8 * 10(%rax)
	mov	%r11, 8 * 11(%rax)
	mov	%r12, 8 * 12(%rax)
	mov	%r13, 8 * 13(%rax)
	mov	%r14, 8 * 14(%rax)
	mov	%r15, 8 * 15(%rax)
.endm

/*
 * Between the last value of the host's that was loaded and the entry, where this CPU lets
 * a guest sample its buffers (MDS, TAA, RFDS; TSA): VERW with a memory operand empties
 * them, by microcode.  MMIO stale data needs no more than that, since no guest gets at a
 * device.  Changes ZF.  The kernel has a macro for it, whose selector it does not export
 * to all.
 */
.macro CLEAR_CPU_BUFFERS_FOR_GUEST
#ifdef X86_FEATURE_CLEAR_CPU_BUF
	ALTERNATIVE "jmp .Lbuffers_\@", "", X86_FEATURE_CLEAR_CPU_BUF
	verw	.Lkernel_ds(%rip)
.Lbuffers_\@:
#endif
#ifdef X86_FEATURE_CLEAR_CPU_BUF_VM
	ALTERNATIVE "jmp .Lbuffers_vm_\@", "", X86_FEATURE_CLEAR_CPU_BUF_VM
	verw	.Lkernel_ds(%rip)
.Lbuffers_vm_\@:
#endif
.endm

	.pushsection .rodata
	.balign	2
.Lkernel_ds:
	.word	__KERNEL_DS
	.popsection

/* The guest's values must not live on in registers to feed speculation. */
.macro CLEAR_GPRS
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
.endm
