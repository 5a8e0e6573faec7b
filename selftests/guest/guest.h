/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guest snippets are written with.  A snippet is a global symbol between
 * GUEST and the next one; its name, and those of its variables, can be used in
 * the C test, where they are guest addresses.
 */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "layout.h"

#define GUEST16(name)	.code16; .p2align 4; .globl name; name:
#define GUEST32(name)	.code32; .p2align 4; .globl name; name:
#define GUEST64(name)	.code64; .p2align 4; .globl name; name:
#define LABEL(name)	.globl name; name:
#define VAR(name)	.p2align 3; .globl name; name: .quad 0

/* Report a result: vt_says() in the test returns it.  Clobbers EAX. */
.macro say value
	mov	\value, %eax
	out	%eax, $PORT_SAY
.endm

/* End of a snippet: HLT with interrupts off comes out as VITRO_EXIT_HLT. */
.macro stop
	cli
.Lstop\@:
	hlt
	jmp	.Lstop\@
.endm

/* Write an MSR.  Clobbers EAX, ECX, EDX. */
.macro write_msr index, low, high=$0
	mov	\index, %ecx
	mov	\low, %eax
	mov	\high, %edx
	wrmsr
.endm

/* x2APIC mode, software-enabled, spurious vector 0xff (SDM 3A 11.12.1, 11.9). */
.macro x2apic_on
	mov	$0x1b, %ecx
	rdmsr
	or	$(1 << 10), %eax
	wrmsr
	write_msr $0x80f, $0x1ff
	movl	$1, g_x2apic
.endm

#endif /* GUEST_GUEST_H */
