/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests whose state the test loads and reads. */
#include "guest.h"

GUEST64(g_say)
	say	$1
	stop

/* The first three bytes become the vendor's hypercall instruction. */
GUEST64(g_hypercall)
	.byte	0x0f, 0x0b, 0x90
	out	%eax, $PORT_SAY
	stop
GUEST32(g_hypercall32)
	.byte	0x0f, 0x0b, 0x90
	out	%eax, $PORT_SAY
	stop

/* The same at CPL 3, where the OUT behind it faults. */
GUEST64(g_hypercall_user)
	push	$SEL_USER_DATA | 3
	push	$STACK_TOP - 0x800
	push	$2
	push	$SEL_USER_CODE | 3
	push	$g_hypercall
	iretq

/* An instruction of nested virtualization: VMLOAD. */
GUEST64(g_vmload)
	mov	$FREE_MEM, %eax
	.byte	0x0f, 0x01, 0xda
	stop
