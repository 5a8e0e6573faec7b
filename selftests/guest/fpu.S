/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x87, SSE and AVX registers, and XCR0 that enables them (SDM 1 chapter 13). */
#include "guest.h"

/* All XMM registers become RBX + number, in both halves; then they are checked. */
GUEST64(g_xmm)
	movq	%rbx, %xmm0
	punpcklqdq %xmm0, %xmm0
	mov	$1, %eax
	movd	%eax, %xmm15
	punpcklqdq %xmm15, %xmm15
	.irp	n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
	movdqa	%xmm0, %xmm\n
	.endr
	paddq	%xmm15, %xmm14
	fldpi					/* something in the x87, too */
	say	$1
	/* Others had the CPU meanwhile.  Says how many registers are not as left. */
	xor	%edi, %edi
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
	movq	%xmm\n, %rax
	cmp	%rbx, %rax
	setne	%al
	movzbl	%al, %eax
	add	%eax, %edi
	.endr
	movhlps	%xmm14, %xmm14
	movq	%xmm14, %rax
	sub	$1, %rax
	cmp	%rbx, %rax
	setne	%al
	movzbl	%al, %eax
	add	%eax, %edi
	fldpi
	fcomip	%st(1), %st
	setne	%al
	movzbl	%al, %eax
	add	%eax, %edi
	say	%edi
	stop

/* The upper half of YMM5 keeps its value as well. */
GUEST64(g_ymm)
	mov	%cr4, %rax
	or	$(1 << 18), %eax		/* OSXSAVE */
	mov	%rax, %cr4
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$7, %eax
	xsetbv
	vmovq	%rbx, %xmm5
	vinsertf128 $1, %xmm5, %ymm5, %ymm5
	say	$1
	vextractf128 $1, %ymm5, %xmm6
	vmovq	%xmm6, %rax
	cmp	%rbx, %rax
	sete	%al
	movzbl	%al, %eax
	out	%eax, $PORT_SAY
	stop

/* XSETBV and XGETBV for the test: ECX, EDX:EAX.  CR4.OSXSAVE is set here. */
GUEST64(g_xsetbv)
	mov	%rax, %rbx
	mov	%cr4, %rax
	or	$(1 << 18), %eax
	mov	%rax, %cr4
	mov	%rbx, %rax
	xsetbv
	xor	%ecx, %ecx
	xgetbv
	out	%eax, $PORT_SAY
	stop

/* Leaves AVX off, and says XCR0 again and again. */
GUEST64(g_xcr0)
	mov	%cr4, %rax
	or	$(1 << 18), %eax
	mov	%rax, %cr4
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$3, %eax
	xsetbv
1:	xgetbv
	out	%eax, $PORT_SAY
	jmp	1b

/* Without CR4.OSXSAVE there is no XSETBV: #UD. */
GUEST64(g_xsetbv_off)
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$1, %eax
	xsetbv
	stop

/* XMM3 as the test loaded it; then the guest's own value for the test to read. */
GUEST64(g_state)
	movd	%xmm3, %eax
	out	%eax, $PORT_SAY
	mov	$0x600d, %eax
	movd	%eax, %xmm3
	stmxcsr	g_mxcsr
	say	g_mxcsr
	stop
VAR(g_mxcsr)

/* CR0.TS: the next FPU instruction is #NM, whatever the host does with its own TS. */
GUEST64(g_ts)
	mov	%cr0, %rax
	or	$8, %al
	mov	%rax, %cr0
LABEL(g_ts_insn)
	movd	%eax, %xmm0
	stop
