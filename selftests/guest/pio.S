/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port I/O: IN, OUT, INS, OUTS of all sizes (SDM 1 chapter 19, APM 2 15.10). */
#include "guest.h"

/* OUT, both forms, three sizes.  Only the low 1, 2, 4 bytes of RAX go out. */
GUEST64(g_out)
	mov	$0x8877665544332211, %rax
	mov	$0xfffe1234, %edx		/* the port is DX, not EDX */
	out	%al, $0x42
	out	%ax, $0x42
	out	%eax, $0x42
	out	%al, %dx
	out	%ax, %dx
	out	%eax, %dx
	stop

/* IN of three sizes: AL and AX leave the rest of RAX alone, EAX does not. */
GUEST64(g_in)
	mov	$-1, %rax
	mov	$0xabc, %edx
	in	%dx, %al
	in	$0x55, %ax
	in	%dx, %eax
	mov	%rax, %rbx
	shr	$32, %rbx
	say	%ebx
	stop

/* The last port there is. */
GUEST64(g_last_port)
	mov	$0xffff, %edx
	mov	$7, %al
	out	%al, %dx
	in	%dx, %al
	movzbl	%al, %eax
	say	%eax
	stop

/* The same byte sequences mean other sizes in 16-bit code: 66 makes them 32 bits. */
GUEST16(g_out16)
	mov	$0xdead1357, %eax
	out	%ax, $0x42
	out	%eax, $0x42
	stop
GUEST32(g_out32)
	mov	$0xdead1357, %eax
	out	%ax, $0x42
	out	%eax, $0x42
	stop

/* String forms, with REP, segment and address-size prefixes. */
GUEST64(g_outs)
	mov	$0x300, %edx
	mov	$FREE_MEM, %esi
	mov	$3, %ecx
	rep outsb
	outsw
	addr32 outsl
	stop
GUEST64(g_ins)
	mov	$0x300, %edx
	mov	$FREE_MEM, %edi
	mov	$3, %ecx
	rep insl
	stop
GUEST16(g_outs16)
	mov	$0x300, %dx
	mov	$0x100, %si
	mov	$2, %cx
	rep outsw
	stop

/* REP with a count of 0 does nothing: no exit but the last. */
GUEST64(g_rep_zero)
	mov	$0x300, %edx
	xor	%ecx, %ecx
	mov	$FREE_MEM, %esi
	rep outsb
	say	$1
	stop
