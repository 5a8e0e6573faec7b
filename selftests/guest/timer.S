/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The APIC timer (SDM 3A 11.5.4): one count is a nanosecond times the divisor.
 * Times are guest TSC.  RBX: what to load, RSI: where the handler puts the TSC.
 */
#include "guest.h"

.macro tsc_to reg
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, \reg
.endm

/* The handler for vector 0x60 of all of them: notes the time, acknowledges. */
.macro set_handler
	movq	$handler, IDT + 16 * 0x60
	movw	$SEL_CODE64, IDT + 16 * 0x60 + 2
	movl	$0x8e00, IDT + 16 * 0x60 + 4
.endm
	.code64
handler:
	tsc_to	%r15
	incq	g_count
	mov	g_count, %rax
	cmp	$8, %rax
	ja	1f
	mov	%r15, g_times - 8(, %rax, 8)
1:	write_msr $0x80b, $0
	iretq
VAR(g_count)
VAR(g_start)
	.globl	g_times
g_times:
	.fill	8, 8, 0

/* One-shot, divided by 1, RBX counts; it must come once.  Says the current count. */
GUEST64(g_oneshot)
	set_handler
	x2apic_on
	write_msr $0x83e, $0xb			/* divide by 1 */
	write_msr $0x832, $0x60			/* one-shot, vector 0x60 */
	tsc_to	%r14
	mov	%r14, g_start
	write_msr $0x838, %ebx
	mov	$0x839, %ecx
	rdmsr
	out	%eax, $PORT_SAY			/* counting down */
	sti
1:	pause
	cmpq	$1, g_count
	jb	1b
	cli
	mov	$0x839, %ecx
	rdmsr
	out	%eax, $PORT_SAY			/* stays at 0 */
	say	g_count
	stop

/* Periodic, divided by 2, RBX counts: four interrupts. */
GUEST64(g_periodic)
	set_handler
	x2apic_on
	write_msr $0x83e, $0			/* divide by 2 */
	write_msr $0x832, $(1 << 17 | 0x60)
	tsc_to	%r14
	mov	%r14, g_start
	write_msr $0x838, %ebx
	sti
1:	hlt
	cmpq	$4, g_count
	jb	1b
	cli
	write_msr $0x838, $0			/* off */
	say	g_count
	stop

/* TSC deadline, RBX from now.  Says the MSR while armed and afterwards. */
GUEST64(g_deadline)
	set_handler
	x2apic_on
	write_msr $0x832, $(2 << 17 | 0x60)
	tsc_to	%r14
	add	%rbx, %r14
	mov	%r14, g_start			/* here: when it is due */
	mov	%r14, %rdx
	shr	$32, %rdx
	mov	%r14d, %eax
	mov	$0x6e0, %ecx
	wrmsr
	rdmsr
	out	%eax, $PORT_SAY
	sti
1:	pause
	cmpq	$1, g_count
	jb	1b
	cli
	mov	$0x6e0, %ecx
	rdmsr
	or	%edx, %eax
	out	%eax, $PORT_SAY
	stop

/*
 * Must not come: masked (RDI = 0), or disarmed before it is due (RDI = 1).  RBX is
 * twice as long as the timer.  Says how many came.
 */
GUEST64(g_never)
	set_handler
	x2apic_on
	write_msr $0x83e, $0xb
	write_msr $0x832, $(1 << 16 | 0x60)
	test	%edi, %edi
	jz	1f
	write_msr $0x832, $0x60
1:	write_msr $0x838, $50000000		/* 50 ms */
	test	%edi, %edi
	jz	2f
	write_msr $0x838, $0
2:	sti
	tsc_to	%r14
	add	%rbx, %r14
3:	pause
	tsc_to	%r13
	cmp	%r14, %r13
	jb	3b
	cli
	say	g_count
	stop

/* A deadline in the past comes at once (SDM 3A 11.5.4.1). */
GUEST64(g_past)
	set_handler
	x2apic_on
	write_msr $0x832, $(2 << 17 | 0x60)
	sti
	write_msr $0x6e0, $1
1:	pause
	cmpq	$1, g_count
	jb	1b
	cli
	say	g_count
	stop
