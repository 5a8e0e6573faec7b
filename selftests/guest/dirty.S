/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes to pages whose numbers the test put at RSI, -1 at the end; RBX is their base. */
#include "guest.h"

GUEST64(g_write_pages)
	movslq	(%rsi), %rax
	add	$4, %rsi
	test	%rax, %rax
	js	1f
	shl	$12, %rax
	incl	8(%rbx, %rax)
	jmp	g_write_pages
1:	say	$1
	stop

/* Reads them only. */
GUEST64(g_read_pages)
	movslq	(%rsi), %rax
	add	$4, %rsi
	test	%rax, %rax
	js	1f
	shl	$12, %rax
	mov	8(%rbx, %rax), %ecx
	jmp	g_read_pages
1:	say	$1
	stop

/* Writes to RCX pages from RBX on, one after the other, without an exit of its own. */
GUEST64(g_write_range)
	incl	(%rbx)
	add	$0x1000, %rbx
	dec	%ecx
	jnz	g_write_range
	say	$1
	stop

/* Counts in memory at RBX for ever, without an exit. */
GUEST64(g_write_on)
	inc	%ecx
	mov	%ecx, (%rbx)
	jmp	g_write_on
