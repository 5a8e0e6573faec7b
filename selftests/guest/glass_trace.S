/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest.h"

/* Three CPUID, an OUT, then an interrupt when it comes. */
GUEST64(g_traced)
	mov	$3, %r8d
1:	xor	%eax, %eax
	cpuid
	dec	%r8d
	jnz	1b
	x2apic_on
LABEL(g_traced_out)
	out	%al, $0x42
	sti
2:	jmp	2b

/* The vendor's hypercall instruction. */
GUEST64(g_call)
	.skip	3
	stop
