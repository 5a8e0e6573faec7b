/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ways to switch tasks.  The selectors are those of ../taskswitch.c. */
#include "guest.h"
#include "taskswitch.h"

GUEST32(g_jump_tss)
	ljmp	$SEL_NEW, $0
LABEL(g_jump_tss_end)
	stop

GUEST32(g_call_tss)
	lcall	$SEL_NEW, $0
LABEL(g_call_tss_end)
	stop

GUEST32(g_jump_gate)
	ljmp	$SEL_GATE, $0
LABEL(g_jump_gate_end)
	stop

/* IRET of a task that was called: to the one before it. */
GUEST32(g_iret)
	pushf
	orl	$(1 << 14), (%esp)	/* NT */
	popf
LABEL(g_iret_insn)
	iret
LABEL(g_iret_end)
	stop

GUEST32(g_int)
	int	$0x30
LABEL(g_int_end)
	stop

GUEST32(g_ud)
	ud2
	stop

/* The new task's stack is this one: in memory, as QEMU TCG cannot switch half of a task. */
GUEST32(g_gp)
	push	%eax
	mov	$0xfff8, %eax
LABEL(g_gp_insn)
	mov	%eax, %ds		/* beyond the GDT */
	stop

/* The task switched to. */
GUEST32(g_task)
	say	$0x7a5c
	say	%ebx
	stop

/* The same, behind an exception with an error code. */
GUEST32(g_task_error)
	say	$0x7a5c
	pop	%ebx
	say	%ebx
	stop
