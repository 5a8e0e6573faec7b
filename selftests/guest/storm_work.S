/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guests of the storms do: write to their pages, round after round, and look
 * whether what they wrote the round before is still there.
 *
 * RBX: the first page; RCX: their number; RDI: where the number of the last finished round
 * goes; R11: 1 if the pages are to differ, 0 if they are to be alike; R10: 1 if the host may
 * make pages zero; R8 and XMM0: 0 at first.
 *
 * In round N, page I holds N * (1 + I * R11), in its first and its last word.  What is found
 * wrong is said, and RDX says where.  No round has an exit of its own: only what the host
 * does to the memory interrupts them.
 */
#include "guest.h"

/* Page's word at \offset must hold R9, or 0 if R10 allows. */
.macro check_word offset
	mov	\offset(%rdx), %rax
	cmp	%r9, %rax
	je	.Lgood\@
	test	%rax, %rax
	jnz	bad_word
	test	%r10, %r10
	jz	bad_word
.Lgood\@:
.endm

GUEST64(g_work)
	mov	%r8, %r9		/* R9: expected; R12: how much more in the next page */
	mov	%r8, %r12
	imul	%r11, %r12
	lea	1(%r8), %r15		/* R15: to be written; R14: likewise */
	mov	%r15, %r14
	imul	%r11, %r14
	mov	%rbx, %rdx
	mov	%ecx, %esi
1:	check_word 0
	check_word 4088
	mov	%r15, (%rdx)
	mov	%r15, 4088(%rdx)
	add	%r12, %r9
	add	%r14, %r15
	add	$4096, %rdx
	dec	%esi
	jnz	1b

	movq	%xmm0, %rax		/* nor may registers get lost */
	cmp	%r8, %rax
	jne	bad_register
	inc	%r8
	movq	%r8, %xmm0
	mov	%r8, (%rdi)
	jmp	g_work

bad_register:
	xor	%edx, %edx
bad_word:
	say	%eax
	stop
