/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exits in known numbers. */
#include "guest.h"

/* 10 CPUID (EAX = 7, ECX = 0), 5 RDMSR of IA32_APIC_BASE, 6 OUT to port 0x42, HLT. */
GUEST64(g_known)
	mov	$10, %r8d
1:	mov	$7, %eax
	xor	%ecx, %ecx
LABEL(g_known_cpuid)
	cpuid
	dec	%r8d
	jnz	1b
	mov	$5, %r8d
	mov	$0x1b, %ecx
2:	rdmsr
	dec	%r8d
	jnz	2b
	mov	$6, %r8d
	mov	$0x5a, %al
3:	out	%al, $0x42
	dec	%r8d
	jnz	3b
	stop

/* The same instruction in other modes. */
GUEST32(g_out32)
	out	%al, $0x42
	stop
GUEST16(g_out16)
	out	%al, $0x42
	stop

/* Enough to fill a small ring several times. */
GUEST64(g_hundred)
	mov	$100, %r8d
4:	xor	%eax, %eax
	cpuid
	dec	%r8d
	jnz	4b
	stop

/*
 * For ever.  With interrupts on: Bochs 2.7 was seen not to notice an interrupt of the host
 * that waits at an entry with them off, and then this guest never leaves the burst.
 */
GUEST64(g_cpuids)
	sti
1:	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	jmp	1b

/* Reads memory: the first page faults, and is mapped; NOWHERE has none. */
GUEST64(g_touch)
	mov	$0x100000, %ebx
	mov	(%rbx), %eax
	mov	$NOWHERE, %ebx
LABEL(g_touch_nowhere)
	mov	(%rbx), %eax
	stop

/* Jumps to a page that nobody has touched: zeroes, which are "add %al, (%rax)". */
GUEST64(g_blank)
	mov	$NOWHERE, %eax
	mov	$0x100000, %ebx
	jmp	*%rbx
