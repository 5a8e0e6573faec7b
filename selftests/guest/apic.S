/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC's registers and messages (SDM 3A chapter 11). */
#include "guest.h"

/* x2APIC mode, then RDMSR and WRMSR for the test: ECX, EDX:EAX. */
GUEST64(g_apic)
	x2apic_on
	say	$1
LABEL(g_rdmsr)
	rdmsr
	out	%al, $PORT_SAY
LABEL(g_wrmsr)
	wrmsr
	out	%al, $PORT_SAY
	stop

/* Sends itself an interrupt, three ways: self-IPI register, shorthand, own id. */
GUEST64(g_self_ipi)
	x2apic_on
	sti
	write_msr $0x83f, $0x51
	nop
	write_msr $0x830, $(1 << 18 | 0x52)	/* ICR, shorthand "self" */
	nop
	mov	$0x802, %ecx
	rdmsr
	mov	%eax, %edx			/* destination: bits 63:32 */
	mov	$0x53, %eax
	mov	$0x830, %ecx
	wrmsr
	nop
	write_msr $0x830, $(3 << 18 | 0x54)	/* all but self: nobody here */
	nop
	cli
	say	$1
	stop

/* xAPIC mode: the handler's EOI is userspace's to do. */
GUEST64(g_xapic)
	say	$1
	sti
	nop
	cli
	say	$2
	stop
