/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests to interrupt. */
#include "guest.h"

/* Counts, and never exits by itself. */
GUEST64(g_count)
	incq	g_counter
	jmp	g_count
VAR(g_counter)

/* Exits all the time, and never takes an interrupt. */
GUEST64(g_ask)
	cli
1:	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	jmp	1b

/* Sleeps. */
GUEST64(g_sleep)
	x2apic_on
	say	$1
	sti
	hlt
	cli
	say	$2
	stop
