/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Model-specific registers. */
#include "guest.h"

/* RDMSR, WRMSR for the test: ECX is the index, EDX:EAX the value. */
GUEST64(g_rdmsr)
	rdmsr
LABEL(g_rdmsr_end)
	out	%al, $PORT_SAY
	stop
GUEST64(g_wrmsr)
	wrmsr
LABEL(g_wrmsr_end)
	out	%al, $PORT_SAY
	stop

/* FS and GS have their base in MSRs; SWAPGS exchanges GS's with KERNEL_GS_BASE. */
GUEST64(g_bases)
	write_msr $0xc0000100, $FREE_MEM, $0x12	/* FS.base, all 64 bits of it */
	write_msr $0xc0000101, $FREE_MEM + 0x100
	write_msr $0xc0000102, $FREE_MEM + 0x200
	say	%gs:0
	swapgs
	say	%gs:0
	swapgs
	say	%gs:0
	stop

/*
 * SYSCALL goes to LSTAR with CS from STAR 47:32, RIP in RCX and RFLAGS in R11,
 * less the bits in SFMASK; SYSRET goes back to CPL 3 (APM 2 6.1.1).
 */
GUEST64(g_syscall)
	mov	$0xc0000080, %ecx
	rdmsr
	or	$1, %eax			/* EFER.SCE */
	wrmsr
	/* SYSRET: CS = base + 16, SS = base + 8, in the order of the GDT. */
	write_msr $0xc0000081, $0, $((SEL_USER_DATA - 8) << 16 | SEL_CODE64)
	write_msr $0xc0000082, $2f
	write_msr $0xc0000084, $0x400		/* clear DF */
	mov	$1f, %ecx
	mov	$0x402, %r11d			/* DF on */
	sysretq
1:	mov	%cs, %edi
	mov	$0x77, %esi
	syscall
LABEL(g_syscall_after)
2:	mov	%cs, %eax
	shl	$16, %edi
	or	%edi, %eax
	out	%eax, $PORT_SAY			/* user CS, kernel CS */
	say	%ecx				/* where SYSCALL came from */
	pushf
	pop	%rax
	out	%eax, $PORT_SAY			/* DF is off */
	say	%r11d				/* and saved */
	stop

/* RDTSCP gives TSC_AUX in ECX. */
GUEST64(g_rdtscp)
	write_msr $0xc0000103, $0xa5a5
	rdtscp
	say	%ecx
	stop
