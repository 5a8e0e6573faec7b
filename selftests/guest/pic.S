/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupts from an 8259, which is in the test: it raises and lowers the wire at
 * "say $1", and gives the vector when the processor asks.
 */
#include "guest.h"

.macro lint0_extint
	write_msr $0x835, $0x700
.endm

GUEST64(g_on)
	x2apic_on
	lint0_extint
	sti
	nop
	say	$1
LABEL(g_on_after)
	nop
	say	$2
	stop

/* EBX counts the instructions before the interrupt. */
GUEST64(g_sti)
	x2apic_on
	lint0_extint
	xor	%ebx, %ebx
	say	$1
	inc	%ebx
	sti
	inc	%ebx				/* in the shadow */
	inc	%ebx				/* the interrupt comes before this one */
	cli
	say	%ebx
	stop

/* LINT0 is masked after reset (SDM 3A 11.4.7.1). */
GUEST64(g_masked)
	x2apic_on
	sti
	say	$1
	nop
	say	$2
	lint0_extint
LABEL(g_unmasked)
	nop
	say	$3
	stop

/* LINT0 of the wrong kind: fixed, vector 0x55. */
GUEST64(g_fixed)
	x2apic_on
	write_msr $0x835, $0x55
	sti
	say	$1
	nop
	say	$2
	stop

GUEST64(g_hlt)
	x2apic_on
	lint0_extint
	sti
	say	$1
	hlt
LABEL(g_hlt_after)
	say	$2
	stop

/* Without a local APIC, the wire is the processor's INTR pin (SDM 3A 11.4.3). */
GUEST64(g_disabled)
	mov	$0x1b, %ecx
	rdmsr
	and	$~(1 << 11), %eax
	wrmsr
	sti
	say	$1
	nop
	say	$2
	stop

GUEST64(g_spin)
	x2apic_on
	lint0_extint
	sti
	say	$1
1:	jmp	1b
