/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that keep a CPU busy in different ways, for ever. */
#include "guest.h"

/* No exit. */
GUEST64(g_spin)
	jmp	g_spin

/* To userspace and back. */
GUEST64(g_out)
	say	$1
	jmp	g_out

/* Exits that never leave the burst: CPUID, */
GUEST64(g_cpuid)
	xor	%eax, %eax
	cpuid
	jmp	g_cpuid

/* a port whose eventfd is the last of all that are looked at, */
GUEST64(g_port)
	mov	$0x4ff, %edx
1:	out	%al, %dx
	jmp	1b

/* a doorbell in memory, likewise, where the instruction must be read and decoded, */
GUEST64(g_doorbell)
	mov	%eax, NOWHERE
	jmp	g_doorbell

/* an interrupt to everybody: x2APIC ICR, fixed, all but itself (SDM 3A 11.12.9). */
GUEST64(g_broadcast)
	x2apic_on
	mov	$0x830, %ecx
	xor	%edx, %edx
1:	mov	$0xc0040, %eax
	wrmsr
	jmp	1b

/* A byte of each page, again and again; 16 MiB at 1 GiB. */
GUEST64(g_pages)
	mov	$(1 << 30), %rbx
1:	movb	$1, (%rbx)
	add	$4096, %rbx
	cmp	$((1 << 30) + (16 << 20)), %rbx
	jb	1b
	say	$1
	jmp	g_pages
