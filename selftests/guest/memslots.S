/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses to memory whose slots the test changes.  RBX is the address. */
#include "guest.h"

/* Reads again and again. */
GUEST64(g_reads)
	say	(%rbx)
	jmp	g_reads

/* Writes ECX; then the test looks. */
GUEST64(g_write)
	mov	%ecx, (%rbx)
	say	$1
	jmp	g_write

/* One access of 8 bytes over the border of two slots, read and written. */
GUEST64(g_straddle)
	mov	-4(%rbx), %rax
	mov	%rax, %rcx
	notq	-4(%rbx)
	out	%al, $PORT_SAY
	stop

/* Copies a word from RBX to g_seen for ever, without an exit. */
GUEST64(g_copy)
	mov	(%rbx), %eax
	mov	%rax, g_seen
	jmp	g_copy
VAR(g_seen)
