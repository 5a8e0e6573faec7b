/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two vCPUs in one VM, and their messages. */
#include "guest.h"

/*
 * Start-up code of an application processor: a SIPI with vector n starts it at
 * n000:0000 (SDM 3A 8.4.3).  Position-independent; the test copies it to 0x8000
 * or starts it here, CS is not 0.
 */
	.p2align 12
GUEST16(g_ap)
	mov	%cs, %ax
	movzwl	%ax, %eax
	out	%eax, $PORT_SAY
1:	hlt
	jmp	1b
LABEL(g_ap_end)

/* The bootstrap processor wakes number 1: INIT, then SIPI with the page of g_ap. */
GUEST64(g_wake)
	x2apic_on
	write_msr $0x830, $(5 << 8 | 1 << 14), $1
	mov	$g_ap, %eax
	shr	$12, %eax
	or	$(6 << 8 | 1 << 14), %eax
	mov	$0x830, %ecx
	mov	$1, %edx
	wrmsr
	say	$1
	stop

/* The same in the wrong order. */
GUEST64(g_wake_badly)
	x2apic_on
	mov	$g_ap, %eax
	shr	$12, %eax
	or	$(6 << 8 | 1 << 14), %eax
	mov	$0x830, %ecx
	mov	$1, %edx
	wrmsr
	write_msr $0x830, $(5 << 8 | 1 << 14), $1
	say	$1
	stop

/* INIT to number 1, which runs; then, when the test says so, SIPI. */
GUEST64(g_init)
	x2apic_on
	write_msr $0x830, $(5 << 8 | 1 << 14), $1
	say	$1
	jmp	sipi

/* SIPI to number 1, without INIT. */
GUEST64(g_sipi)
	x2apic_on
sipi:	mov	$g_ap, %eax
	shr	$12, %eax
	or	$(6 << 8 | 1 << 14), %eax
	mov	$0x830, %ecx
	mov	$1, %edx
	wrmsr
	say	$2
	stop

/* INIT and SIPI to all but itself. */
GUEST64(g_wake_all)
	x2apic_on
	write_msr $0x830, $(3 << 18 | 5 << 8 | 1 << 14)
	mov	$g_ap, %eax
	shr	$12, %eax
	or	$(3 << 18 | 6 << 8 | 1 << 14), %eax
	mov	$0x830, %ecx
	xor	%edx, %edx
	wrmsr
	say	$1
	stop

/* Counts without end. */
GUEST64(g_count)
1:	incq	g_counter
	jmp	1b
VAR(g_counter)

/*
 * Hands a token on, RCX times: RBX is this vCPU's token, RDX the next one's.  While it
 * waits it spins, as for a lock, and counts its PAUSEs in RSI.
 */
GUEST64(g_hand_over)
1:	cmp	%rbx, g_token
	je	2f
	pause
	inc	%rsi
	jmp	1b
2:	mov	%rdx, g_token
	dec	%rcx
	jnz	1b
	stop
VAR(g_token)

/* PAUSE in all its forms, 5,000 of each, then one that is stepped over. */
GUEST64(g_pause)
	mov	$5000, %ecx
1:	pause
	.byte	0x2e, 0xf3, 0x90		/* a segment override */
	.byte	0xf3, 0x48, 0x90		/* REX.W */
	dec	%ecx
	jnz	1b
	say	$1
	pushf
	orl	$0x100, (%rsp)			/* TF */
	popf
	pause
LABEL(g_pause_end)
	nop

/* Waits for interrupts, counting nothing: the handler reports them. */
GUEST64(g_idle)
	x2apic_on
	say	$1
	sti
1:	hlt
	jmp	1b

/* Sends vector 0x71 to id 1, 0x72 to all but itself, an NMI to id 1. */
GUEST64(g_send)
	x2apic_on
	write_msr $0x830, $0x71, $1
	say	$1
	write_msr $0x830, $(3 << 18 | 0x72)
	say	$2
	write_msr $0x830, $(4 << 8), $1
	say	$3
	stop

/* Both vCPUs at once: RCX times LOCK INC of one variable. */
GUEST64(g_add)
1:	lock incq g_sum
	dec	%rcx
	jnz	1b
	stop
VAR(g_sum)

/* Writes RBX where the test looks, and reads what is there. */
GUEST64(g_store)
	mov	%rbx, FREE_MEM
	say	$1
	say	FREE_MEM
	stop
