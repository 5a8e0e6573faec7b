/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's own debug registers (SDM 3B chapter 18).
 *
 * Snippets disarm what they armed: QEMU 7.2's TCG keeps breakpoints by the last
 * MOV to DR7, not by what VMRUN and #VMEXIT load, and a MOV that finds others
 * than DR7 says can crash it.
 */
#include "guest.h"

.macro disarm
	xor	%eax, %eax
	mov	%rax, %dr7
.endm

/* A breakpoint on an instruction, DR0: #DB before it, with DR6.B0. */
GUEST64(g_exec)
	mov	$g_exec_here, %eax
	mov	%rax, %dr0
	mov	$1, %eax			/* L0, execution */
	mov	%rax, %dr7
	say	$1
LABEL(g_exec_here)
	nop
	disarm
	say	$2
	stop

/* A watchpoint on a write of 4 bytes, DR3: #DB after it, with DR6.B3. */
GUEST64(g_watch)
	mov	$g_watched, %eax
	mov	%rax, %dr3
	mov	$(0xd << 28 | 1 << 6), %eax	/* LEN3 4, RW3 write, L3 */
	mov	%rax, %dr7
	mov	g_watched, %ecx			/* a read does not count */
	movl	$1, g_watched
LABEL(g_watch_after)
	disarm
	say	$1
	stop
VAR(g_watched)

/* Armed by the test, from outside: DR2. */
GUEST64(g_armed)
	say	$1
	stop

/* Writes RBX to RBX + 3 to DR0 to DR3; says what they hold when asked again. */
GUEST64(g_drs)
	mov	%rbx, %dr0
	inc	%rbx
	mov	%rbx, %dr1
	inc	%rbx
	mov	%rbx, %dr2
	inc	%rbx
	mov	%rbx, %dr3
	say	$1
	mov	%dr0, %rax
	out	%eax, $PORT_SAY
	mov	%dr1, %rax
	out	%eax, $PORT_SAY
	mov	%dr2, %rax
	out	%eax, $PORT_SAY
	mov	%dr3, %rax
	out	%eax, $PORT_SAY
	stop

/*
 * A watchpoint where #DB, which has a stack of its own (IST1), pushes its frame: each
 * delivery is the reason for the next one.
 */
GUEST64(g_storm)
	movq	$FREE_MEM + 0x10000, TSS + 0x24	/* IST1 */
	movb	$1, IDT + 16 * 1 + 4		/* #DB uses it */
	mov	$FREE_MEM + 0x10000 - 8, %eax
	mov	%rax, %dr0
	mov	$(2 << 18 | 1 << 16 | 1), %eax	/* LEN0 8, RW0 write, L0 */
	mov	%rax, %dr7
	say	$1
	movq	$0, FREE_MEM + 0x10000 - 8
	stop

/* A watchpoint that MOV SS hits: the trap waits for the next instruction, which exits. */
GUEST64(g_held)
	mov	$g_watched, %eax
	mov	%rax, %dr3
	mov	$(0xf << 28 | 1 << 6), %eax	/* LEN3 4, RW3 read and write, L3 */
	mov	%rax, %dr7
	mov	$1, %eax
	mov	g_watched, %ss
	out	%eax, $PORT_SAY
	stop

/* DR7 63:32 must be zero: #GP (SDM 3B 18.2.6); DR6 and DR7 have bits that are fixed. */
GUEST64(g_fixed)
	xor	%eax, %eax
	mov	%rax, %dr6
	mov	%rax, %dr7
	mov	%dr6, %rax
	out	%eax, $PORT_SAY
	mov	%dr7, %rax
	out	%eax, $PORT_SAY
	mov	$0x100000000, %rax
	mov	%rax, %dr7
	stop
