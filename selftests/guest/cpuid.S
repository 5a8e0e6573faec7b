/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUID, as the guest sees it (SDM 2A, CPUID; APM 3 appendix E). */
#include "guest.h"

/* Asks for leaf EAX, subleaf ECX, over and over; the answer is in EAX to EDX. */
GUEST64(g_cpuid)
	cpuid
	out	%al, $PORT_SAY
	jmp	g_cpuid

/*
 * CPUID.1:ECX.OSXSAVE mirrors CR4.OSXSAVE (SDM 1 13.2).  Says ECX before and
 * after it is set, and after it is cleared again.
 */
GUEST64(g_osxsave)
	call	1f
	mov	%cr4, %rax
	or	$(1 << 18), %rax
	mov	%rax, %cr4
	call	1f
	mov	%cr4, %rax
	and	$~(1 << 18), %rax
	mov	%rax, %cr4
	call	1f
	stop
1:	mov	$1, %eax
	cpuid
	say	%ecx
	ret

/*
 * CPUID.0xd.0:EBX is the size of what XCR0 enables now (SDM 1 13.2).  Says EBX
 * with x87 only, then with SSE, then with AVX.
 */
GUEST64(g_xsave_size)
	mov	%cr4, %rax
	or	$(1 << 18), %rax
	mov	%rax, %cr4
	mov	$1, %edi
	call	1f
	mov	$3, %edi
	call	1f
	mov	$7, %edi
	call	1f
	stop
1:	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	%edi, %eax
	xsetbv
	mov	$0xd, %eax
	xor	%ecx, %ecx
	cpuid
	say	%ebx
	ret
