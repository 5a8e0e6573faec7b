/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part of every guest image: handlers for all 256 vectors in 64-bit mode.
 *
 * Each reports its vector to the test (vt_trap), which may look at the frame and
 * change it, then acknowledges an interrupt at the APIC and returns.  Exceptions
 * that push no error code get a 0 in its place, so that all frames look like
 * struct vt_frame (SDM 3A 6.14.2, APM 2 8.9.3).
 */
#include "guest.h"

	.text
	.code64

	/* Stub n is at g_stubs + 16 * n. */
	.p2align 4
	.globl	g_stubs
g_stubs:
	vector = 0
	.rept	256
	.p2align 4
	/* #DF, #TS to #PF, #AC, #CP, #VC, #SX push an error code (APM 2 table 8-1). */
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
	      vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap
	vector = vector + 1
	.endr

trap:
	push	%rax
	mov	8(%rsp), %eax
	out	%eax, $PORT_TRAP
	cmp	$32, %eax
	jb	1f
	cmpl	$0, g_x2apic
	je	1f
	push	%rcx
	push	%rdx
	write_msr $0x80b, $0		/* EOI */
	pop	%rdx
	pop	%rcx
1:	pop	%rax
	add	$16, %rsp
	iretq

VAR(g_x2apic)
