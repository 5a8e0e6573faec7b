/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions for a debugger outside: it steps them, and breaks in them. */
#include "guest.h"

/* One instruction after the other, of all ways to be executed. */
GUEST64(g_steps)
	mov	$0x11, %eax
LABEL(g_steps_1)
	nop
LABEL(g_steps_2)
	cpuid				/* the module finishes it */
LABEL(g_steps_3)
	jmp	1f
	nop
LABEL(g_steps_4)
1:	mov	$g_steps_var, %edi
	mov	$2, %ecx
LABEL(g_steps_rep)
	rep stosb
LABEL(g_steps_5)
	say	$0x22			/* the test finishes it */
LABEL(g_steps_6)
	nop
LABEL(g_steps_end)
	stop
VAR(g_steps_var)

/* RFLAGS.TF is the guest's own, wherever it can look. */
GUEST64(g_flags)
	pushf
LABEL(g_flags_1)
	pop	%rax
	or	$0x100, %eax
	push	%rax
LABEL(g_flags_2)
	popf				/* now it is set */
LABEL(g_flags_3)
	nop				/* after which there is a #DB */
	pushf
	pop	%rbx
	stop

/* IRET loads TF, and takes it away again. */
GUEST64(g_iret)
	mov	%ss, %ecx
	mov	%rsp, %rdx
	push	%rcx
	push	%rdx
	pushq	$2			/* RFLAGS: nothing set */
	mov	%cs, %ecx
	push	%rcx
	pushq	$g_iret_1
LABEL(g_iret_insn)
	iretq
LABEL(g_iret_1)
	pushf
	pop	%rax
	stop

/* Exceptions: the handler's first instruction is the next step. */
GUEST64(g_faults)
	ud2
LABEL(g_faults_1)
	mov	$0x7000001234, %rbx
LABEL(g_faults_read)
	mov	(%rbx), %rax
LABEL(g_faults_2)
	int3
LABEL(g_faults_3)
	stop

/* Interrupts wait for the end of the steps. */
GUEST64(g_interrupts)
	x2apic_on
	say	$1
	sti
LABEL(g_interrupts_1)
	nop
LABEL(g_interrupts_2)
	nop
LABEL(g_interrupts_3)
	say	$2
	stop

/* MOV SS takes its successor with it; HLT waits. */
GUEST64(g_shadows)
	mov	%ss, %eax
LABEL(g_shadows_ss)
	mov	%eax, %ss
	nop
LABEL(g_shadows_1)
	nop
LABEL(g_shadows_2)
	stop
LABEL(g_shadows_hlt)
	hlt
LABEL(g_shadows_end)
	stop

/* The guest's own debug registers, while somebody else has them. */
GUEST64(g_own)
	mov	$g_own_here, %eax
	mov	%rax, %dr1
	mov	$4, %eax			/* L1, execution */
	mov	%rax, %dr7
	mov	%dr1, %rbx
	mov	%dr7, %rcx
	mov	%dr6, %rdx
LABEL(g_own_here)
	nop
LABEL(g_own_after)
	xor	%eax, %eax			/* see guest/debug.S */
	mov	%rax, %dr7
	stop

/* To be broken into from outside. */
GUEST64(g_broken)
	say	$1
LABEL(g_broken_here)
	nop
	mov	g_broken_var, %eax
	movl	$5, g_broken_var
LABEL(g_broken_written)
	mov	g_broken_var, %eax
LABEL(g_broken_read)
	say	$2
	stop
VAR(g_broken_var)

/* An INT3 that is the guest's own. */
GUEST64(g_int3)
	int3
LABEL(g_int3_after)
	say	$1
	stop
