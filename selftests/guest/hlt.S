/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HLT: where a CPU waits (SDM 2A, HLT; APM 3, HLT). */
#include "guest.h"

/* With interrupts off, only NMI or INIT could end it. */
GUEST64(g_hlt_off)
	cli
LABEL(g_hlt_insn)
	hlt
	say	$1
	stop

/* With interrupts on it sleeps until one comes, then goes on behind the HLT. */
GUEST64(g_hlt_on)
	x2apic_on
	say	$1
	sti
	hlt
LABEL(g_hlt_after)
	cli
	say	$2
	stop

/*
 * STI; HLT with an interrupt pending: the shadow of STI covers the HLT, which
 * then ends at once (SDM 2B, STI).
 */
GUEST64(g_sti_hlt)
	x2apic_on
	say	$1				/* here the test sends one */
	sti
	hlt
	cli
	say	$2
	stop

/* Arms the APIC timer, TSC-deadline mode, RBX ticks ahead; then sleeps. */
GUEST64(g_hlt_timer)
	x2apic_on
	write_msr $0x832, $(2 << 17 | 0x60)	/* LVT timer: TSC deadline, vector */
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	add	%rbx, %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$0x6e0, %ecx
	wrmsr
	sti
	hlt
	cli
	say	$2
	stop
