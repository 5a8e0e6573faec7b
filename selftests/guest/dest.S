/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages between local APICs, one register access at a time. */
#include "guest.h"

/* x2APIC mode; then, wherever the test jumps to, WRMSR or RDMSR with its registers. */
GUEST64(g_enable)
	x2apic_on
	say	$1
	stop

GUEST64(g_wrmsr)
	wrmsr
	say	$2
	stop

GUEST64(g_rdmsr)
	rdmsr
	out	%eax, $PORT_SAY
	stop

/* Takes one interrupt, and stays in its handler: no EOI before the test goes on. */
GUEST64(g_take)
	sti
	nop
	cli
	stop
