/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests with secrets, and guests that look for those of others.
 *
 * RBX is the secret: what is written to a register is that, or that plus the number of
 * the register, so that whose value is where can be told from the value.
 */
#include "guest.h"

#define CR4_OSXSAVE	(1 << 18)
#define NR_MSRS		9
#define SYSENTER_CS	6		/* among msrs */

/* One of the checks of g_keeper: what it compared last must have been equal. */
.macro expect code
	je	.Lgood\@
	mov	$\code, %edi
	jmp	leaked
.Lgood\@:
.endm

.macro avx_on
	mov	%cr4, %rax
	or	$CR4_OSXSAVE, %eax
	mov	%rax, %cr4
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$7, %eax
	xsetbv
.endm

/*
 * Puts its secret wherever a guest can put something; then, exit after exit, sees whether
 * it still is there.  Says the secret's low half if so.
 */
GUEST64(g_keeper)
	cmpl	$0, g_with_avx
	je	1f
	avx_on
1:	mov	%rbx, g_secret
	/* The MSRs that this machine has; 32 bits, which all of them take. */
	xor	%esi, %esi
2:	mov	msrs(,%rsi,4), %ecx
	lea	(%rbx,%rsi), %eax
	xor	%edx, %edx
	wrmsr
	inc	%esi
	cmp	$NR_MSRS, %esi
	jb	2b
	mov	$0x277, %ecx			/* PAT: not any value, so the test chooses */
	mov	g_pat, %eax
	mov	g_pat + 4, %edx
	wrmsr
	mov	%rbx, %cr2
	.irp	n, 0, 1, 2, 3
	lea	\n(%rbx), %rax
	mov	%rax, %dr\n
	.endr
	mov	g_dr6, %rax
	mov	%rax, %dr6
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	lea	\n(%rbx), %rax
	movq	%rax, %mm\n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	lea	\n(%rbx), %rax
	movq	%rax, %xmm\n
	punpcklqdq %xmm\n, %xmm\n
	.endr
	cmpl	$0, g_with_avx
	je	keep
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vinsertf128 $1, %xmm\n, %ymm\n, %ymm\n
	.endr

keep:	mov	g_secret, %rax
	.irp	reg, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	mov	%rax, %\reg
	.endr
	out	%eax, $PORT_SAY
	/* Others had this CPU.  General registers first, without spoiling any. */
	.irp	reg, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	cmp	g_secret, %\reg
	expect	0x100
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	lea	\n(%rbx), %rcx
	movq	%xmm\n, %rax
	cmp	%rcx, %rax
	expect	0x200 + \n
	.endr
	cmpl	$0, g_with_avx
	je	1f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	lea	\n(%rbx), %rcx
	vmovdqu	%ymm\n, g_area
	cmp	%rcx, g_area + 24
	expect	0x300 + \n
	.endr
1:	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	lea	\n(%rbx), %rcx
	movq	%mm\n, %rax
	cmp	%rcx, %rax
	expect	0x400 + \n
	.endr
	.irp	n, 0, 1, 2, 3
	lea	\n(%rbx), %rcx
	mov	%dr\n, %rax
	cmp	%rcx, %rax
	expect	0x500 + \n
	.endr
	mov	%dr6, %rax
	cmp	g_dr6, %rax
	expect	0x506
	mov	%cr2, %rax
	cmp	%rbx, %rax
	expect	0x600
	xor	%esi, %esi
2:	mov	msrs(,%rsi,4), %ecx
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	lea	(%rbx,%rsi), %ecx
	cmp	$SYSENTER_CS, %esi		/* a selector: not all CPUs keep more of it */
	jne	3f
	movzwl	%ax, %eax
	movzwl	%cx, %ecx
3:	cmp	%rcx, %rax
	expect	0x700
	inc	%esi
	cmp	$NR_MSRS, %esi
	jb	2b
	mov	$0x277, %ecx
	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	cmp	g_pat, %rax
	expect	0x777
	jmp	keep

leaked:	mov	%edi, %eax
	out	%eax, $PORT_SAY
	stop

	/* STAR, LSTAR, CSTAR, SFMASK; KERNEL_GS_BASE; TSC_AUX; SYSENTER_CS, _ESP, _EIP. */
	.p2align 2
msrs:	.long	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102, 0xc0000103
	.long	0x174, 0x175, 0x176

VAR(g_secret)
VAR(g_with_avx)
VAR(g_pat)
VAR(g_dr6)

/* With the inverse of RBX. */
GUEST64(g_inverse)
	not	%rbx
	jmp	g_keeper

/* An x87 instruction with an operand: where both are is in the x87's pointers. */
GUEST64(g_pointers)
	fninit
LABEL(g_pointers_insn)
	fildl	g_secret
	say	$1
	jmp	g_pointers

/* A newcomer writes down all that it finds before it has touched anything. */
GUEST64(g_newcomer)
	fxsave64 g_area
	mov	%cr2, %rax
	mov	%rax, g_found
	.irp	n, 0, 1, 2, 3
	mov	%dr\n, %rax
	mov	%rax, g_found + 8 + 8 * \n
	.endr
	xor	%esi, %esi
1:	mov	msrs(,%rsi,4), %ecx
	rdmsr
	mov	%eax, g_found + 40(,%rsi,8)
	mov	%edx, g_found + 44(,%rsi,8)
	inc	%esi
	cmp	$NR_MSRS, %esi
	jb	1b
	say	$1
	/* And with AVX, which it may turn on. */
	avx_on
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vmovdqu	%ymm\n, g_area + 32 * \n
	.endr
	say	$2
	stop

	.p2align 3
	.globl	g_found
g_found:
	.skip	8 * (5 + NR_MSRS)

/* XSAVES of everything; CR4.OSXSAVE is needed for it. */
GUEST64(g_xsaves)
	mov	%cr4, %rax
	or	$CR4_OSXSAVE, %eax
	mov	%rax, %cr4
	mov	$-1, %eax
	mov	$-1, %edx
	xsaves64 g_area
	say	$1
	stop

/* Instructions that read what is the host's. */
GUEST64(g_rdpmc)
	xor	%ecx, %ecx
	rdpmc
	say	$1
	stop
GUEST64(g_rdpkru)
	xor	%ecx, %ecx
	.byte	0x0f, 0x01, 0xee
	say	$1
	stop
GUEST64(g_rdpru)
	mov	$1, %ecx			/* APERF */
	.byte	0x0f, 0x01, 0xfd
	say	$1
	stop

/* RDMSR of ECX. */
GUEST64(g_msr)
	rdmsr
	say	$1
	stop

/* Reads one address, which is in RBX, for ever; by way of the TLB if that can be. */
GUEST64(g_read)
	say	(%rbx)
	jmp	g_read

	.p2align 6
	.globl	g_area
g_area:	.skip	4096
