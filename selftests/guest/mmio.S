/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accesses to guest physical addresses without memory.  In all snippets RBX is
 * the address of the device, RSI that of ordinary memory.
 */
#include "guest.h"

GUEST64(g_read)
	mov	(%rbx), %eax
	stop
GUEST64(g_write)
	movb	$0x5a, 3(%rbx)
	stop

/* Fetches an instruction from the device. */
GUEST64(g_jump)
	jmp	*%rbx

/* Reads and writes a read-only slot: the read must work without an exit. */
GUEST64(g_rom)
	say	(%rbx)
	movl	$0x11223344, 4(%rbx)
	say	4(%rbx)
	stop

/*
 * Reads, through libvitro's emulation.  The device's byte at offset n is n + 0x80,
 * so that sign extension shows.  Results go to memory at RSI, 8 bytes each.
 */
GUEST64(g_reads)
	mov	$-1, %rax
	mov	0x10(%rbx), %al			/* leaves 63:8 alone */
	mov	%rax, (%rsi)
	mov	$-1, %rax
	mov	0x10(%rbx), %ax			/* leaves 63:16 alone */
	mov	%rax, 8(%rsi)
	mov	$-1, %rax
	mov	0x10(%rbx), %eax		/* clears 63:32 */
	mov	%rax, 16(%rsi)
	mov	0x10(%rbx), %r11
	mov	%r11, 24(%rsi)
	movzbl	0x10(%rbx), %eax
	mov	%rax, 32(%rsi)
	movzwl	0x10(%rbx), %eax
	mov	%rax, 40(%rsi)
	movsbq	0x10(%rbx), %rax
	mov	%rax, 48(%rsi)
	movswl	0x10(%rbx), %eax
	mov	%rax, 56(%rsi)
	movslq	0x10(%rbx), %rax
	mov	%rax, 64(%rsi)
	mov	$0, %eax
	mov	$2, %ecx
	mov	0xc(%rbx,%rcx,2), %ah		/* scaled index; a high byte register */
	mov	%rax, 72(%rsi)
	stop

/* Writes; the test compares the device's memory afterwards. */
GUEST64(g_writes)
	mov	$0x8877665544332211, %rax
	mov	%al, 0x00(%rbx)
	mov	%ah, 0x01(%rbx)
	mov	%ax, 0x02(%rbx)
	mov	%eax, 0x04(%rbx)
	mov	%rax, 0x08(%rbx)
	movb	$0xb1, 0x10(%rbx)
	movw	$0xb2b2, 0x12(%rbx)
	movl	$0xb4b4b4b4, 0x14(%rbx)
	movq	$-2, 0x18(%rbx)
	stop

/* String instructions: memory to device, device to memory, and STOS. */
GUEST64(g_strings)
	cld
	lea	(%rbx), %rdi
	mov	$5, %ecx
	rep movsb				/* RSI: the test's 5 bytes */
	mov	$0x77, %al
	mov	$3, %ecx
	rep stosb
	mov	%rbx, %rsi
	mov	$FREE_MEM + 0x100, %edi
	mov	$2, %ecx
	rep movsl
	stop

/*
 * Read-modify-write and compares: flags must be as after the real instruction.
 * Says 1, 2, 3 on the expected way; jumps to `stop` without it otherwise.
 */
GUEST64(g_modify)
	movl	$0xf0, (%rbx)
	orl	$0x0f, (%rbx)			/* 0xff */
	andl	$0x3c, (%rbx)			/* 0x3c */
	xorl	$0x3c, (%rbx)			/* 0: ZF */
	jnz	1f
	say	$1
	cmpl	$1, (%rbx)			/* 0 - 1: CF */
	jnc	1f
	say	$2
	movl	$0x80000000, (%rbx)
	testl	$0x80000000, (%rbx)		/* SF */
	jns	1f
	say	$3
	mov	$0x1234, %eax
	xchg	%eax, (%rbx)
	say	%eax				/* 0x80000000 */
	say	(%rbx)				/* 0x1234 */
1:	stop

/* An access that begins in memory and ends on the device. */
GUEST64(g_straddle)
	mov	-4(%rbx), %rax
	mov	%rax, (%rsi)
	stop
