/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * External interrupts and NMIs: when exactly they are taken (SDM 3A 6.8, APM 2
 * 8.5).  In each snippet the test sends its interrupts at "say $1"; after that,
 * EBX counts instructions, so that it tells where the interrupt came.
 */
#include "guest.h"

/* Interrupts are on: it comes at the first chance. */
GUEST64(g_if_on)
	x2apic_on
	sti
	nop
	say	$1
LABEL(g_if_on_after)
	nop
	say	$2
	stop

/* Interrupts are off until STI, whose shadow covers one more instruction. */
GUEST64(g_sti)
	x2apic_on
	xor	%ebx, %ebx
	say	$1
	sti
	inc	%ebx				/* in the shadow */
	inc	%ebx				/* the interrupt comes before this one */
	cli
	say	%ebx
	stop

/* POPF has no shadow. */
GUEST64(g_popf)
	x2apic_on
	xor	%ebx, %ebx
	push	$0x202
	say	$1
	popf
	inc	%ebx
	cli
	say	%ebx
	stop

/*
 * MOV SS has a shadow, too (SDM 3A 6.8.3).  Exits in it; the test looks whether
 * it is reported.
 */
GUEST64(g_mov_ss)
	x2apic_on
	sti
	mov	%ss, %edx
	mov	%edx, %ss
	out	%eax, $PORT_SAY
	nop
	say	$2
	stop

/* The test declares the first INC shadowed, by loading vitro_events.shadow. */
GUEST64(g_shadow)
	x2apic_on
	xor	%ebx, %ebx
	say	$1
	inc	%ebx
	inc	%ebx
	cli
	say	%ebx
	stop

/* Turns interrupts on for two instructions; more than one may be pending. */
GUEST64(g_window)
	x2apic_on
	say	$1
	sti
	nop
	nop
	cli
	say	$2
	stop

/* CR8 holds the priority class below which interrupts wait (SDM 3A 11.8.3.1). */
GUEST64(g_cr8)
	x2apic_on
	mov	$5, %eax
	mov	%rax, %cr8
	say	$1				/* classes 5 and 6 are sent */
	sti
	nop
	nop
	say	$2
	mov	$4, %eax
	mov	%rax, %cr8
	nop
	cli
	say	$3
	stop

/* Spins for ever: nothing here exits. */
GUEST64(g_spin)
	x2apic_on
	say	$1
	sti
1:	incq	g_spins
	jmp	1b
VAR(g_spins)

/* NMIs come through CLI; another one waits until the handler's IRET (SDM 3A 6.7.1). */
GUEST64(g_nmi)
	say	$1
LABEL(g_nmi_after)
	nop
	say	$2
	stop

/* A level-triggered interrupt: the EOI in lib.S is one to tell userspace of. */
GUEST64(g_level)
	x2apic_on
	say	$1
	sti
	nop
	cli
	say	$2
	stop

/* An interrupt whose stack is in a page that the host has not provided yet. */
GUEST64(g_new_stack)
	x2apic_on
	say	$1
	mov	$FREE_MEM + 0x10000, %esp
	sti
	nop
LABEL(g_new_stack_after)
	nop
	cli
	say	$2
	stop

/* RDMSR of the in-service and request bits for vector 0x41 and 0x42 (SDM 3A 11.8.4). */
GUEST64(g_isr_irr)
	x2apic_on
	movq	$1f, IDT + 16 * 0x41		/* a handler of our own */
	movw	$SEL_CODE64, IDT + 16 * 0x41 + 2
	movl	$0x8e00, IDT + 16 * 0x41 + 4
	say	$1
	sti
	nop
	stop
1:	mov	$0x812, %ecx			/* ISR of 0x40 to 0x5f */
	rdmsr
	out	%eax, $PORT_SAY
	mov	$0x822, %ecx			/* IRR */
	rdmsr
	out	%eax, $PORT_SAY
	mov	$0x80a, %ecx			/* PPR */
	rdmsr
	out	%eax, $PORT_SAY
	write_msr $0x80b, $0
	mov	$0x812, %ecx
	rdmsr
	out	%eax, $PORT_SAY
	stop
