/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes of memory that the test takes away, replaces and shares. */
#include "guest.h"

/* Says the word at RBX, again and again. */
GUEST64(g_read)
	say	(%rbx)
	jmp	g_read

/* Writes ECX to RBX, again and again. */
GUEST64(g_write)
	mov	%ecx, (%rbx)
	say	$1
	jmp	g_write

/* Copies a word from RBX to g_seen for ever, without an exit. */
GUEST64(g_copy)
	mov	(%rbx), %eax
	mov	%rax, g_seen
	jmp	g_copy
VAR(g_seen)

/* Writes one word in each of RCX pages from RBX on. */
GUEST64(g_touch)
	movl	$0x70c4, (%rbx)
	add	$4096, %rbx
	dec	%ecx
	jnz	g_touch
	say	$1
	stop

/* Jumps to code at RBX. */
GUEST64(g_call)
	call	*%rbx
	out	%eax, $PORT_SAY
	jmp	g_call
