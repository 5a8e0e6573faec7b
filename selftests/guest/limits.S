/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that do not stop by themselves. */
#include "guest.h"

/* Spins with interrupts off, and without an exit. */
GUEST64(g_spin)
	cli
1:	incq	g_counter
	jmp	1b
VAR(g_counter)

/* Sleeps, with interrupts on that nobody sends. */
GUEST64(g_sleep)
	sti
	hlt
	jmp	g_sleep

/* Exits to userspace for ever. */
GUEST64(g_out)
	say	$1
	jmp	g_out
