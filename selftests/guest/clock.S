/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: the TSC and the paravirtual clock. */
#include "guest.h"

/* RDTSC, over and over: the test reads RDX:RAX. */
GUEST64(g_tsc)
	rdtsc
	out	%al, $PORT_SAY
	jmp	g_tsc

/* Enables the clock at the address in EBX (KVM's MSR_KVM_SYSTEM_TIME_NEW; bit 0: on). */
GUEST64(g_clock)
	mov	%ebx, %eax
	or	$1, %eax
	xor	%edx, %edx
	mov	$0x4b564d01, %ecx
	wrmsr
1:	rdtsc
	out	%al, $PORT_SAY
	jmp	1b

/* Asks for the wall clock at boot, once, at the address in EBX. */
GUEST64(g_wall)
	mov	%ebx, %eax
	xor	%edx, %edx
	mov	$0x4b564d00, %ecx
	wrmsr
	say	$1
	stop
