/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of exits.S that access ports, devices in memory, and memory of all sorts. */

/* ----------------------------------------------------------------- port I/O */

/* All widths, both forms; strings with REP, a segment, a short address, backwards. */
GUEST64(g_pio)
	mov	$0x8877665544332211, %rax
	mov	$0xfffe1234, %edx		/* the port is DX */
	out	%al, $0x42
	out	%ax, $0x42
	out	%eax, $0x42
	out	%al, %dx
	out	%ax, %dx
	out	%eax, %dx
	mov	$-1, %rax
	in	%dx, %al
	in	$0x55, %ax
	mov	%rax, %rdi
	mov	$0xffff, %edx
	in	%dx, %eax
	out	%eax, $PORT_SAY
	ror	$8, %rdi
	say	%edi
	mov	$3, %ecx
	rep outsb
	outsw
	addr32 outsl
	.byte	0x64, 0x6e			/* outsb %fs:(%rsi), (%dx) */
	mov	$FREE_MEM + 0x100, %edi
	mov	$3, %ecx
	rep insl
	std
	insw
	cld
	say	FREE_MEM + 0x108
	xor	%ecx, %ecx
	rep outsb				/* no times at all */
	stop

/* Real mode: prefixes mean the opposite, addresses have 16 bits, INT goes by the IVT. */
GUEST16(g_pio_real)
	movw	$1f, 4 * 0x21
	movw	$0, 4 * 0x21 + 2
	mov	$0xdead1357, %eax
	out	%ax, $0x42
	out	%eax, $0x42
	in	$0x43, %al
	out	%eax, $PORT_SAY
	mov	$0x2000, %ax
	mov	%ax, %ds
	mov	%ax, %es
	xor	%si, %si
	mov	$0x300, %dx
	mov	$2, %cx
	rep outsw
	mov	$0xfffe, %di			/* the next one is at 0 */
	mov	$2, %cx
	rep insw
	mov	%ds:0, %bx
	xor	%ax, %ax
	mov	%ax, %ds
	int	$0x21
	say	%ebx
	stop
1:	movzwl	%bx, %ebx
	iretw

/* 32-bit mode with 32-bit paging: the device's page has a second address. */
GUEST32(g_prot32)
	out	%ax, $0x42
	mov	$0x300, %edx
	mov	$2, %ecx
	rep outsl
	mov	$FREE_MEM + 0x100, %edi
	mov	$2, %ecx
	rep insb
	mov	$NOWHERE + 0x83, %eax		/* 4 MiB page */
	mov	%eax, PAGE_DIR_PSE + 4 * 0x300
	mov	%cr3, %eax
	mov	%eax, %cr3
	mov	$0xc0000000, %ebx
	movl	$0x32323232, 0x20(%ebx)
	say	0x1e(%ebx)
	movl	$1f, g_idt32 + 8 * 6
	movw	$SEL_CODE32, g_idt32 + 8 * 6 + 2
	movl	$0x8e00, g_idt32 + 8 * 6 + 4
	lidt	2f
LABEL(g_prot32_ud)
	ud2
1:	say	(%esp)				/* EIP */
	say	4(%esp)				/* CS */
	stop
	.p2align 3
2:	.word	8 * 7 - 1
	.long	g_idt32
	.p2align 3
g_idt32:
	.fill	7, 8, 0

/* --------------------------------------------------------- memory-mapped I/O */

/* Plain moves of all widths, to and from all kinds of registers. */
GUEST64(g_mmio_moves)
	mov	$-1, %rax
	mov	0x10(%rbx), %al
	mov	0x21(%rbx), %ah
	mov	0x10(%rbx), %cx
	mov	0x10(%rbx), %edx
	mov	0x11(%rbx), %r11		/* not aligned */
	movzbl	0x10(%rbx), %ebp
	movzwl	0x10(%rbx), %edi
	movsbq	0x10(%rbx), %r12
	movswl	0x10(%rbx), %r13d
	movslq	0x10(%rbx), %r14
	mov	$2, %r8d
	mov	0xc(%rbx,%r8,2), %r9b
	mov	%fs:0x18(%rbx), %r10d
	movups	0x20(%rbx), %xmm0
	movq	%xmm0, %r8
	mov	$0x8877665544332211, %rax
	mov	%al, 0x40(%rbx)
	mov	%ah, 0x41(%rbx)
	mov	%ax, 0x42(%rbx)
	mov	%eax, 0x44(%rbx)
	mov	%rax, 0x48(%rbx)
	movb	$0xb1, 0x50(%rbx)
	movw	$0xb2b2, 0x52(%rbx)
	movl	$0xb4b4b4b4, 0x54(%rbx)
	movq	$-2, 0x58(%rbx)
	movups	%xmm0, 0x60(%rbx)
	push	0x40(%rbx)
	pop	0x70(%rbx)
	cmp	%eax, %eax
	cmove	0x48(%rbx), %rdi
	say	0x72(%rbx)
	say	%edi
	stop

/* Read, modify, write; compares; the flags of each. */
GUEST64(g_mmio_modify)
	movl	$0xf0, (%rbx)
	orl	$0x0f, (%rbx)
	andl	$0x3c, (%rbx)
	xorl	$0x3c, (%rbx)
	say_flags				/* ZF, PF */
	cmpl	$1, (%rbx)
	say_flags				/* CF, SF, AF, PF */
	stc
	adcl	$0x7fffffff, (%rbx)
	say_flags				/* OF, SF, AF, PF */
	testl	$0x80000000, (%rbx)
	mov	$0x1234, %eax
	xchg	%eax, (%rbx)
	out	%eax, $PORT_SAY
	lock incl (%rbx)
	mov	$5, %ecx
	lock xadd %ecx, (%rbx)
	say	%ecx				/* 0x1235 */
	mov	$1, %eax
	mov	$7, %edx
	lock cmpxchg %edx, (%rbx)		/* is not 1 */
	out	%eax, $PORT_SAY			/* 0x123a */
	lock cmpxchg %edx, (%rbx)
	btsl	$4, (%rbx)
	shll	$3, (%rbx)
	negb	(%rbx)
	sete	1(%rbx)
	say	(%rbx)
	stop

/* String instructions, which go on inside the emulation. */
GUEST64(g_mmio_strings)
	cld
	lea	0x100(%rbx), %rdi
	mov	$5, %ecx
	rep movsb
	mov	$0x7788, %eax
	mov	$3, %ecx
	rep stosw
	lea	0x100(%rbx), %rsi
	mov	$FREE_MEM + 0x200, %edi
	mov	$2, %ecx
	rep movsl
	say	FREE_MEM + 0x204
	lea	0x100(%rbx), %rsi
	lodsq
	say	%eax
	lea	0x100(%rbx), %rdi
	mov	$4, %al
	mov	$16, %ecx
	repne scasb
	say	%ecx				/* found as the fourth: 12 */
	lea	0x100(%rbx), %rsi
	mov	$FREE_MEM + 0x200, %edi
	mov	$16, %ecx
	repe cmpsb
	say	%ecx				/* eight are equal: 7 */
	std
	lea	0x104(%rbx), %rsi
	mov	$FREE_MEM + 0x304, %edi
	mov	$5, %ecx
	rep movsb
	cld
	say	FREE_MEM + 0x301
	stop

/* Half in memory, half in the device. */
GUEST64(g_mmio_straddle)
	movl	$0x44332211, -4(%rbx)
	mov	-4(%rbx), %rax
	ror	$16, %rax
	out	%eax, $PORT_SAY
	mov	$0x1122334455667788, %rax
	mov	%rax, -2(%rbx)
	say	-2(%rbx)
	say	2(%rbx)
	stop

/*
 * "Unreal" mode: real mode with a segment of 4 GiB, left from protected mode, reaches
 * the device from 16-bit code.
 */
GUEST16(g_mmio_unreal)
	cli
	lgdtl	g_gdtr
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	mov	$SEL_DATA, %dx
	mov	%dx, %fs
	mov	%dx, %es
	and	$0xfe, %al
	mov	%eax, %cr0
	movb	$0x11, %fs:(%ebx)
	movw	$0x2222, %fs:2(%ebx)
	movl	$0x44444444, %fs:4(%ebx)
	mov	%fs:(%ebx), %ax
	orw	$0x8001, %fs:6(%ebx)
	lea	8(%ebx), %edi
	mov	$2, %ecx
	addr32 rep stosw
	mov	%fs:6(%ebx), %eax
	out	%eax, $PORT_SAY
	stop

/* The local APIC's page in xAPIC mode: an interrupt to itself, and the end of it. */
GUEST64(g_xapic)
	mov	$0xfee00000, %ebx
	movl	$0x1ff, 0xf0(%rbx)		/* software-enabled */
	mov	0x20(%rbx), %ecx		/* id */
	mov	0x30(%rbx), %edx		/* version */
	movl	$0x40, 0x80(%rbx)		/* TPR */
	mov	%cr8, %rax
	out	%eax, $PORT_SAY
	movl	$0x40051, 0x300(%rbx)		/* ICR: to itself */
	sti
	nop
	cli
	movl	$0, 0xb0(%rbx)			/* EOI */
	mov	0x120(%rbx), %eax		/* ISR 0x40 to 0x5f */
	out	%eax, $PORT_SAY
	stop

/* No instruction can be read from the device. */
GUEST64(g_exec_nowhere)
	jmp	*%rbx

/* No page table can be read from the device. */
GUEST64(g_walk_nowhere)
	mov	%rbx, %cr3
	stop

/* Memory with a dirty log, read-only memory, memory that the host has to provide first. */
GUEST64(g_memory)
	mov	$LOGGED, %ebp
	mov	0x7000(%rbp), %eax		/* reading does not count */
	movb	$1, 0x1fff(%rbp)
	movq	$-1, 0x3ffc(%rbp)		/* pages 3 and 4 */
	lock incl 0x6000(%rbp)
	lea	0x8f00(%rbp), %rdi
	mov	$0x200, %ecx
	rep stosb				/* pages 8 and 9 */
	say	READONLY
	movl	$0x11223344, READONLY
	incl	READONLY
	say	READONLY
	incl	GUARDED
	say	GUARDED
	stop
