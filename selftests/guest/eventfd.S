/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes that ring a doorbell in userspace, and interrupts that come from there. */
#include "guest.h"

/* Port 0x510: 1, 2 and 4 bytes wide. */
GUEST64(g_pio)
	mov	$0x510, %edx
	mov	$7, %eax
	out	%al, %dx
	out	%ax, %dx
	out	%eax, %dx
	say	$1
	stop

/* The same address with value 7, then 8. */
GUEST64(g_pio_match)
	mov	$0x510, %edx
	mov	$7, %eax
	out	%eax, %dx
	mov	$8, %eax
	out	%eax, %dx
	say	$1
	stop

/*
 * Doorbells of virtio devices: a 2- or 4-byte MOV from a register, or of a
 * constant.  RBX is the address.  Each must be swallowed and skipped exactly.
 */
GUEST64(g_mmio)
	mov	$7, %eax
	mov	%eax, (%rbx)
	movl	$7, (%rbx)
	mov	%ax, (%rbx)
	mov	$7, %r9d
	mov	%r9d, (%rbx)
	mov	%eax, 0x10(%rbx)		/* another address: exits */
	stop

/* Sleeps until an interrupt comes. */
GUEST64(g_wait)
	x2apic_on
	say	$1
	sti
	hlt
	cli
	say	$2
	stop
