/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

GUEST64(g_out)
	out	%al, $0x42
	out	%al, $0x42
	stop

/* No IDT, and an exception: a triple fault. */
GUEST64(g_triple)
	lidt	no_idt(%rip)
LABEL(g_triple_insn)
	ud2
	.p2align 3
no_idt:
	.word	0
	.quad	0
