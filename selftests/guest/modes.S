/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor modes: what a guest computes in each, and how it changes them. */
#include "guest.h"

/*
 * The first 16 bytes at the reset vector, 0xfffffff0: code after power-on starts
 * here with CS.base 0xffff0000 and IP 0xfff0 (SDM 3A 10.1.4).  Copied by the test.
 */
GUEST16(g_reset_vector)
	mov	$0x1234, %ax
	out	%eax, $PORT_SAY
	hlt

/*
 * Real mode: a segment is a base, the selector times 16 (SDM 3B 21.1.1).
 * Writes a word at 2000:0010, which is 0x20010.
 */
GUEST16(g_real_segments)
	mov	$0x2000, %ax
	mov	%ax, %ds
	movw	$0xcafe, 0x10
	mov	%ds, %ax
	movzwl	%ax, %eax
	out	%eax, $PORT_SAY
	stop

/*
 * Real mode, INT through the interrupt vector table: IP, CS and FLAGS are pushed
 * as words, IRET takes them back (SDM 3B 21.1.4).
 */
GUEST16(g_real_int)
	movw	$1f, 4 * 0x21
	movw	$0, 4 * 0x21 + 2
	mov	$1, %ebx
	int	$0x21
	say	%ebx
	stop
1:	add	$0x41, %ebx
	iretw

/*
 * "Unreal" mode: a segment loaded in protected mode keeps its 4 GiB limit after
 * the return to real mode (SDM 3A 9.9.2 tells to reload them for this reason).
 * Writes at 0x100000, out of reach of a real-mode segment.
 */
GUEST16(g_unreal)
	cli
	lgdtl	g_gdtr
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	mov	$SEL_DATA, %bx
	mov	%bx, %fs
	and	$0xfe, %al
	mov	%eax, %cr0
	mov	$0x100000, %esi
	movl	$0xdecade, %fs:(%esi)
	say	%fs:(%esi)
	stop

/* 32-bit arithmetic carries at bit 32, not at 16 or 64. */
GUEST32(g_add32)
	mov	$0xfffffffe, %eax
	add	$7, %eax
	adc	$0, %eax
	out	%eax, $PORT_SAY
	stop

/* Reads a word through paging: RBX holds its virtual address. */
GUEST32(g_read32)
	say	(%ebx)
	stop
GUEST64(g_read64)
	say	(%rbx)
	stop

/*
 * All 16 general registers, each changed by its number plus one: every one has
 * to be the guest's own on both sides of the world switch.
 */
GUEST64(g_gprs)
	add	$1, %rax
	add	$2, %rcx
	add	$3, %rdx
	add	$4, %rbx
	add	$5, %rsp
	add	$6, %rbp
	add	$7, %rsi
	add	$8, %rdi
	add	$9, %r8
	add	$10, %r9
	add	$11, %r10
	add	$12, %r11
	add	$13, %r12
	add	$14, %r13
	add	$15, %r14
	add	$16, %r15
	out	%al, $PORT_SAY
	stop

/*
 * From real mode to 64-bit mode and all the way back (SDM 3A 9.9.1, 9.8.5, APM 2
 * 14.6).  Says 16, 32, 64, 32, 16: where it is.
 */
GUEST16(g_tour)
	say	$16
	lgdtl	g_gdtr
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$SEL_CODE32, $1f

	.code32
1:	mov	$SEL_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	mov	$STACK_TOP, %esp
	say	$32
	mov	%cr4, %eax
	or	$0x20, %eax			/* PAE */
	mov	%eax, %cr4
	mov	$PML4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax		/* PG: long mode is active now */
	mov	%eax, %cr0
	ljmp	$SEL_CODE64, $2f

	.code64
2:	mov	$0x100000000, %rax		/* needs a 64-bit register */
	shr	$26, %rax
	out	%eax, $PORT_SAY
	push	$SEL_CODE32
	push	$3f
	lretq

	.code32
3:	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	mov	$0xc0000080, %ecx
	rdmsr
	and	$~0x100, %eax
	wrmsr
	say	$32
	ljmp	$SEL_CODE16, $4f

	.code16
4:	mov	$SEL_DATA16, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	%cr0, %eax
	and	$0xfe, %al
	mov	%eax, %cr0
	ljmp	$0, $5f
5:	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	say	$16
	stop

/* Compatibility mode: a 32-bit code segment under long mode; INC is one byte there. */
GUEST64(g_compat)
	push	$SEL_CODE32
	push	$1f
	lretq
	.code32
1:	mov	$0xffffffff, %eax
	.byte	0x40				/* inc %eax; in 64-bit mode a REX prefix */
	out	%eax, $PORT_SAY
	stop

/* Reads the control registers, as the guest sees them. */
GUEST64(g_read_crs)
	mov	%cr0, %rax
	out	%eax, $PORT_SAY
	mov	%cr3, %rax
	out	%eax, $PORT_SAY
	mov	%cr4, %rax
	out	%eax, $PORT_SAY
	mov	%cr8, %rax
	out	%eax, $PORT_SAY
	stop

/*
 * Each of these MOVs must raise #GP(0) and change nothing (SDM 2A, MOV to CR).
 * RBX holds the value.
 */
GUEST64(g_write_cr0)
	mov	%rbx, %cr0
LABEL(g_write_cr0_end)
	stop
GUEST64(g_write_cr4)
	mov	%rbx, %cr4
LABEL(g_write_cr4_end)
	stop
GUEST64(g_write_cr8)
	mov	%rbx, %cr8
LABEL(g_write_cr8_end)
	stop

/* CPL 3: IN is refused without an I/O bitmap (SDM 1 19.5.2), so is HLT. */
GUEST64(g_user)
	push	$SEL_USER_DATA | 3
	push	$STACK_TOP - 0x800
	push	$2				/* RFLAGS with IOPL 0 */
	push	$SEL_USER_CODE | 3
	push	$1f
	iretq
1:
LABEL(g_user_in)
	in	$PORT_SAY, %al
LABEL(g_user_hlt)
	hlt
LABEL(g_user_int)
	int	$0x90
	stop

	.p2align 3
g_gdtr:	.word	0x4f
	.long	GDT
