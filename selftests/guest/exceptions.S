/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exceptions: raised by the guest itself, and by userspace in its name
 * (SDM 3A chapter 6, APM 2 chapter 8).  guest/lib.S reports them.
 */
#include "guest.h"

/* #DE, a fault: rip is the DIV's. */
GUEST64(g_de)
	xor	%ecx, %ecx
LABEL(g_de_insn)
	div	%ecx
LABEL(g_de_after)
	say	$1
	stop

/* #UD, #BP (a trap: rip is behind it), #GP with the selector as error code. */
GUEST64(g_various)
LABEL(g_ud_insn)
	ud2
LABEL(g_bp_insn)
	int3
LABEL(g_bp_after)
	mov	$0x1238, %eax			/* beyond the GDT's limit */
LABEL(g_gp_insn)
	mov	%eax, %fs
LABEL(g_gp_after)
	int	$0x77
LABEL(g_int_after)
	stop

/* #PF: CR2 is the address, the error code tells write, present, user (SDM 3A 4.7). */
GUEST64(g_pf)
	mov	$0x7000001234, %rbx		/* not mapped */
LABEL(g_pf_read)
	mov	(%rbx), %eax
LABEL(g_pf_write)
	movb	$1, (%rbx)
LABEL(g_pf_end)
	stop

/* Single step: with TF set, #DB comes after each instruction (SDM 3B 18.3.1.4). */
GUEST64(g_step)
	pushf
	orl	$0x100, (%rsp)
	popf
	nop
LABEL(g_step_1)
	cpuid					/* intercepted, and steps all the same */
LABEL(g_step_2)
	stop

/* Nothing: the test raises something here. */
GUEST64(g_idle)
	say	$1
LABEL(g_idle_here)
	nop
	say	$2
	stop

/* 32-bit: #UD through a gate of the guest's own, three doublewords on the stack. */
GUEST32(g_ud32)
	movl	$1f, g_idt32 + 8 * 6
	movw	$SEL_CODE32, g_idt32 + 8 * 6 + 2
	movl	$0x8e00, g_idt32 + 8 * 6 + 4	/* interrupt gate, offset 31:16 is 0 */
	lidt	2f
LABEL(g_ud32_insn)
	ud2
1:	say	(%esp)				/* EIP */
	say	4(%esp)				/* CS */
	stop
	.p2align 3
2:	.word	8 * 7 - 1
	.long	g_idt32
	.p2align 3
g_idt32:
	.fill	7, 8, 0

/* No IDT at all: an exception becomes #DF, that a shutdown (SDM 3A 6.15). */
GUEST64(g_triple)
	lidt	1f
LABEL(g_triple_insn)
	ud2
	stop
	.p2align 3
1:	.word	0
	.quad	0

/*
 * A page fault while a page fault is delivered, for want of a stack: #DF with
 * error code 0 (APM 2 8.2.9).  It has a stack of its own: IST1 (APM 2 8.9.4).
 */
GUEST64(g_double)
	movq	$STACK_TOP, TSS + 0x24		/* IST1 */
	movb	$1, IDT + 16 * 8 + 4		/* #DF uses it */
	mov	$0x7000001000, %rsp		/* not mapped */
	mov	0x234(%rsp), %eax
	stop

/*
 * INT n while its stack is in a page that the host has not provided yet: the
 * delivery is interrupted by a second-level fault and has to be completed.
 */
GUEST64(g_int_new_stack)
	mov	$FREE_MEM + 0x10000, %esp
	mov	$0, %ebx
	int	$0x77
LABEL(g_int_new_stack_after)
	inc	%ebx
	say	%ebx
	stop
/* The same with a fault. */
GUEST64(g_ud_new_stack)
	mov	$FREE_MEM + 0x10000, %esp
LABEL(g_ud_new_stack_insn)
	ud2
	stop
