/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest programs whose exits have to be the same on AMD and Intel.  At the start RBX is
 * NOWHERE, where the device is, and RSI FREE_MEM.
 */
#include "guest.h"
#include "exits_layout.h"

.macro request port, value
	mov	\value, %eax
	out	%eax, $\port
.endm

/* An instruction that faults, or halts for good: R15 tells the test where to go on. */
.macro faults insn:vararg
	mov	$.Lafter\@, %r15d
	\insn
.Lafter\@:
	mov	$0, %r15d
.endm

/* 64-bit interrupt gate for a handler of the program's own. */
.macro set_gate vector, handler
	movq	$\handler, IDT + 16 * \vector
	movw	$SEL_CODE64, IDT + 16 * \vector + 2
	movl	$0x8e00, IDT + 16 * \vector + 4
.endm

/* Says RFLAGS without IF. */
.macro say_flags
	pushf
	pop	%rax
	and	$0xcd5, %eax
	out	%eax, $PORT_SAY
.endm

#include "exits_io.S"

/* ---------------------------------------- instructions that are intercepted */

GUEST64(g_msrs)
	mov	$MSR_KEEPS, %ecx
	rdmsr
	write_msr $MSR_KEEPS, $0x55667788, $0x11223344
	xor	%eax, %eax
	xor	%edx, %edx
	rdmsr
	out	%eax, $PORT_SAY
	say	%edx
	inc	%ecx
	faults	rdmsr
	faults	wrmsr
	mov	$0xc0000080, %ecx		/* EFER */
	rdmsr
	out	%eax, $PORT_SAY
	or	$0x801, %eax			/* NXE, SCE */
	wrmsr
	rdmsr
	out	%eax, $PORT_SAY
	and	$~0x100, %eax			/* LME while paging is on */
	faults	wrmsr
	mov	$0x277, %ecx			/* PAT */
	rdmsr
	out	%eax, $PORT_SAY
	mov	$2, %al				/* no such type */
	faults	wrmsr
	mov	$0x1b, %ecx			/* APIC_BASE */
	rdmsr
	out	%eax, $PORT_SAY
	write_msr $0xc0000100, $FREE_MEM	/* FS.base */
	write_msr $0xc0000101, $FREE_MEM + 0x10	/* GS.base */
	write_msr $0xc0000102, $FREE_MEM + 0x20	/* KERNEL_GS_BASE */
	say	%fs:0
	say	%gs:0
	swapgs
	say	%gs:0
	write_msr $0x174, $SEL_CODE64		/* SYSENTER */
	write_msr $0x175, $0x89abcdef, $0x7fff
	write_msr $0x176, $0x01234567, $0x7fff
	mov	$0x175, %ecx
	rdmsr
	out	%eax, $PORT_SAY
	stop

/* The table is the test's. */
GUEST64(g_cpuid)
	xor	%ebp, %ebp
1:	mov	g_leaves(,%rbp,8), %eax
	mov	g_leaves + 4(,%rbp,8), %ecx
	cpuid
	out	%eax, $PORT_SAY
	say	%ebx
	say	%ecx
	say	%edx
	inc	%ebp
	cmp	$8, %ebp
	jb	1b
	stop
	.p2align 3
g_leaves:
	.long	0, 9, 1, 9, 4, 0, 4, 1, 4, 2, 0x55, 0, 0x40000000, 0, 0x80000001, 0

/* HLT with interrupts off is the host's; else a CPU sleeps until something comes. */
GUEST64(g_hlt)
	x2apic_on
	faults	hlt
	say	$1
	request	PORT_MSI, $0x41
	sti
	hlt					/* in the shadow: ends at once */
	cli
	say	$2
	write_msr $0x83e, $0xb			/* timer: divide by 1, one-shot, 2 ms */
	write_msr $0x832, $0x60
	write_msr $0x838, $2000000
	sti
	hlt
	cli
	say	$3
	write_msr $0x832, $(2 << 17 | 0x61)	/* deadline, long past */
	write_msr $0x6e0, $1
	sti
	hlt
	cli
	say	$4
	stop

/* The test writes the vendor's own instruction over the NOPs. */
GUEST64(g_hypercalls)
	mov	$0x100000007, %rax
	mov	$0x1000000000, %rbx
	mov	$3, %ecx
	mov	$4, %edx
	mov	$5, %esi
LABEL(g_hypercall_64)
	nopl	(%rax)
	out	%eax, $PORT_SAY
	push	$SEL_CODE32
	push	$1f
	lretq
	.code32
1:
LABEL(g_hypercall_32)
	nopl	(%eax)
	out	%eax, $PORT_SAY
	stop

/* Control registers: what a guest may, and may not. */
GUEST64(g_control)
	mov	%cr0, %rax
	out	%eax, $PORT_SAY
	mov	%cr4, %rax
	out	%eax, $PORT_SAY
	or	$0x80, %eax			/* PGE */
	mov	%rax, %cr4
	mov	%cr4, %rbp
	say	%ebp
	or	$0x2000, %ebp			/* VMXE */
	faults	mov %rbp, %cr4
	and	$~0x2020, %ebp			/* long mode without PAE */
	faults	mov %rbp, %cr4
	mov	%cr4, %rax
	out	%eax, $PORT_SAY
	mov	%cr0, %rax
	or	$0x40008, %eax			/* AM, TS */
	mov	%rax, %cr0
	faults	fninit				/* #NM */
	clts
	fninit
	smsw	%ebp
	say	%ebp
	mov	$0xb, %eax			/* TS, MP, PE */
	lmsw	%ax
	smsw	%ebp
	say	%ebp
	mov	$0x12345678, %eax
	mov	%rax, %cr2
	mov	$6, %eax
	mov	%rax, %cr8
	mov	%cr3, %rax
	mov	%rax, %cr3
	invlpg	(%rax)
	wbinvd
	mov	%cr8, %rax
	out	%eax, $PORT_SAY
	stop

/* XCR0 selects what XSAVE saves. */
GUEST64(g_xsetbv)
	xor	%ecx, %ecx
	faults	xgetbv				/* #UD before OSXSAVE */
	mov	%cr4, %rax
	or	$0x40000, %eax
	mov	%rax, %cr4
	xgetbv
	out	%eax, $PORT_SAY
	mov	$3, %eax			/* x87, SSE */
	xor	%edx, %edx
	xsetbv
	xgetbv
	out	%eax, $PORT_SAY
	mov	$2, %eax			/* not without x87 */
	faults	xsetbv
	xgetbv
	out	%eax, $PORT_SAY
	stop

/* ---------------------------------------------------------------- exceptions */

GUEST64(g_exceptions)
	xor	%ecx, %ecx
	faults	div %ecx			/* #DE */
	faults	ud2				/* #UD */
	int3					/* #BP, a trap */
	mov	$0x1238, %eax
	faults	mov %eax, %fs			/* #GP with a selector */
	mov	$0x800000000000, %rdi
	faults	mov (%rdi), %eax		/* #GP: not canonical */
	mov	$0x7000001234, %rdi
	faults	mov (%rdi), %eax		/* #PF: not present, read */
	faults	movb $1, (%rdi)			/* ... write */
	faults	incl (%rdi)			/* ... read and write */
	faults	call *%rdi			/* ... fetch; no NX */
	mov	$STACK_TOP, %esp
	fninit
	movw	$0x037b, FREE_MEM		/* zero divide is not masked */
	fldcw	FREE_MEM
	fld1
	fdivs	FREE_MEM + 0x400
	faults	fwait				/* #MF */
	int	$0x77
	stop

/* Raised by the host in the guest's name. */
GUEST64(g_raised)
	request	PORT_RAISE, $6
	nop
	request	PORT_RAISE, $(0x1230 << 16 | 0x10d)
	nop
	request	PORT_RAISE, $(2 << 16 | 0x10e)
	nop
	request	PORT_RAISE, $0x111		/* #AC */
	nop
	say	$1
	stop

/* Delivery that the host has to help with: the stack's page was never touched. */
GUEST64(g_delivery)
	mov	$FREE_MEM + 0x10000, %esp
	int	$0x77
	mov	$FREE_MEM + 0x20000, %esp
	faults	ud2
	x2apic_on
	mov	$FREE_MEM + 0x30000, %esp
	request	PORT_MSI, $0x41
	sti
	nop
	nop
	cli
	stop

/* A page fault without a stack is #DF; without an IDT, the end. */
GUEST64(g_triple)
	movq	$STACK_TOP, TSS + 0x24		/* IST1 */
	movb	$1, IDT + 16 * 8 + 4		/* for #DF */
	mov	$0x7000001000, %rsp
	faults	mov 0x234(%rsp), %eax
	mov	$STACK_TOP, %esp
	say	$1
	lidt	1f
	ud2
	stop
	.p2align 3
1:	.word	0
	.quad	0

/* CPL 3: privileged instructions fault in the guest; SYSCALL comes back. */
GUEST64(g_user)
	mov	$0xc0000080, %ecx
	rdmsr
	or	$1, %eax			/* SCE */
	wrmsr
	write_msr $0xc0000081, $0, $((SEL_USER_DATA - 8) << 16 | SEL_CODE64)
	write_msr $0xc0000082, $2f
	write_msr $0xc0000084, $0x400
	mov	$1f, %ecx
	mov	$0x402, %r11d
	sysretq
1:	mov	$STACK_TOP - 0x800, %esp
	faults	in $PORT_SAY, %al
	faults	hlt
	faults	mov %cr0, %rax
	faults	rdmsr
	mov	$0x7000001234, %rdi
	faults	movb $1, (%rdi)
	int	$0x90
LABEL(g_hypercall_user)
	nopl	(%rax)
	mov	%rax, %rbp			/* -1: not for users */
	movl	$0x5a, 8(%rbx)			/* the device is */
	syscall
2:	say	%ebp
	say	%r11d
	stop

/* ---------------------------------------------------------------- interrupts */

/* Message-signalled interrupts: priorities, windows, shadows, CR8, level-triggered. */
GUEST64(g_msi)
	x2apic_on
	request	PORT_MSI, $0x40
	request	PORT_MSI, $0xe1
	request	PORT_MSI, $0x31
	sti
	nop
	nop
	cli
	say	$1
	mov	$5, %eax
	mov	%rax, %cr8
	request	PORT_MSI, $0x51
	request	PORT_MSI, $0x161		/* lowest priority */
	sti
	nop
	nop
	say	$2
	mov	$4, %eax
	mov	%rax, %cr8
	nop
	cli
	say	$3
	xor	%ecx, %ecx
	mov	%rcx, %cr8
	request	PORT_MSI, $0x41
	push	$0x202
	popf					/* no shadow */
	inc	%ecx
	cli
	request	PORT_MSI, $0x71
	sti
	inc	%ecx				/* in the shadow */
	inc	%ecx
	cli
	request	PORT_MSI, $0xc0a4		/* level: EOI is the host's, too */
	sti
	nop
	nop
	cli
	say	%ecx
	stop

/* The APIC's own messages, and its registers from within a handler. */
GUEST64(g_apic)
	set_gate 0x41, 1f
	x2apic_on
	mov	$0x802, %ecx			/* id */
	rdmsr
	mov	$0x803, %ecx			/* version */
	rdmsr
	sti
	write_msr $0x83f, $0x51			/* self-IPI */
	nop
	write_msr $0x830, $(1 << 18 | 0x52)	/* ICR, shorthand */
	nop
	write_msr $0x830, $0x53, $0		/* ICR, own id */
	nop
	cli
	mov	$1, %edx
	xor	%eax, %eax
	mov	$0x80b, %ecx
	faults	wrmsr				/* EOI has to be 0 */
	write_msr $0x83f, $0x41
	write_msr $0x83f, $0x40
	sti
	nop
	nop
	cli
	say	$1
	stop
1:	mov	$0x812, %ecx			/* ISR of 0x40 to 0x5f */
	rdmsr
	out	%eax, $PORT_SAY
	mov	$0x822, %ecx			/* IRR */
	rdmsr
	out	%eax, $PORT_SAY
	mov	$0x80a, %ecx			/* PPR */
	rdmsr
	out	%eax, $PORT_SAY
	write_msr $0x80b, $0
	iretq

/* An NMI comes although IF = 0; one that comes in its handler waits for IRET. */
GUEST64(g_nmi)
	set_gate 2, 1f
	xor	%ecx, %ecx
	request	PORT_MSI, $0x400
LABEL(g_nmi_after)
	nop
	say	$1
	stop
1:	inc	%ecx
	say	%ecx
	cmp	$2, %ecx
	je	2f
	request	PORT_MSI, $0x400
	say	(%rsp)				/* still in the first */
2:	iretq

/*
 * Single steps, the CPU's and the host's; a breakpoint; a watchpoint.  The device's page
 * is touched before, as Bochs 2.7 leaves a pending #DB behind when a stepped instruction
 * makes an EPT violation, and does so for the guest's page tables, too (SDM 3C 28.3.4).
 */
GUEST64(g_debug)
	mov	(%rbx), %dl
	push	$2
	push	$0x102				/* TF */
	popf
	nop
	wbinvd
	out	%al, $0x42
	mov	(%rbx), %dl
	popf
	mov	%r15, %dr6
	mov	$1f, %ebp
	mov	%rbp, %dr0
	mov	$1, %eax			/* L0, execution */
	mov	%rax, %dr7
	mov	$2f, %r15d
1:	nop
2:	mov	$0, %r15d
	mov	%r15, %dr7
	mov	%r15, %dr6
	mov	$FREE_MEM, %ebp
	mov	%rbp, %dr3
	mov	$(0xd << 28 | 1 << 6), %eax	/* 4 bytes, written, L3 */
	mov	%rax, %dr7
	mov	(%rbp), %ecx			/* a read does not count */
	movl	$1, (%rbp)
	mov	%r15, %dr7
	mov	%dr3, %rax
	out	%eax, $PORT_SAY
	stop

/* -------------------------------------------------------------- modes, tasks */

/* From real mode to 64-bit mode and back; says where it is. */
GUEST16(g_modes)
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
	or	$0x80000000, %eax
	mov	%eax, %cr0
	say	$33				/* compatibility mode */
	movl	$0x1234, (%ebx)
	ljmp	$SEL_CODE64, $2f
	.code64
2:	say	$64
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
	mov	$PDPT_PAE, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	say	$34				/* PAE paging */
	mov	%cr0, %eax
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
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
	say	$17
	stop

/*
 * Two tasks.  The first goes to the second by JMP, which comes back by JMP, and again by
 * CALL, which comes back by IRET (SDM 3A 8.3).
 */
#define TSS_1		(FREE_MEM + 0x1000)
#define TSS_2		(FREE_MEM + 0x1100)
GUEST32(g_tasks)
	movl	$((TSS_1 & 0xffff) << 16 | 0x67), GDT + 0x50
	movl	$(TSS_1 >> 16 | 0x8900), GDT + 0x54
	movl	$((TSS_2 & 0xffff) << 16 | 0x67), GDT + 0x58
	movl	$(TSS_2 >> 16 | 0x8900), GDT + 0x5c
	lgdt	g_tasks_gdtr
	mov	$0x50, %eax
	ltr	%ax
	movl	$2f, TSS_2 + 0x20		/* EIP */
	movl	$2, TSS_2 + 0x24		/* EFLAGS */
	movl	$0x22222222, TSS_2 + 0x34	/* EBX */
	movl	$STACK_TOP - 0x800, TSS_2 + 0x38
	.irp	seg, 0x48, 0x50, 0x54, 0x58, 0x5c
	movl	$SEL_DATA, TSS_2 + \seg
	.endr
	movl	$SEL_CODE32, TSS_2 + 0x4c
	mov	$1, %ebx
	ljmp	$0x58, $0
	say	%ebx
	mov	$2, %ebx
	lcall	$0x58, $0
	say	%ebx
	str	%ecx
	say	%ecx
	stop
2:	str	%ecx
	say	%ecx
	say	%ebx
	mov	%cr0, %ecx
	and	$8, %ecx
	say	%ecx				/* TS: the FPU is still the other task's */
	ljmp	$0x50, $0
	pushf
	pop	%ecx
	and	$0x4000, %ecx
	say	%ecx				/* NT */
	movzwl	TSS_2, %ecx
	say	%ecx				/* the link */
	iret
	.p2align 3
g_tasks_gdtr:
	.word	0x5f
	.long	GDT

/*
 * Two vCPUs, one at a time.  The first wakes the second by INIT and SIPI; that starts in
 * real mode at the page in the SIPI, answers by an interrupt, and halts.
 */
GUEST64(g_smp)
	x2apic_on
	write_msr $0x830, $(5 << 8 | 1 << 14), $1
	write_msr $0x830, $(6 << 8 | 1 << 14 | 0x1f), $1
	movb	$0xea, 0x1f000			/* ljmp $0, $g_ap */
	movw	$g_ap, 0x1f001
	movw	$0, 0x1f003
	request	PORT_YIELD, $0
	sti
	nop
	nop
	cli
	say	$1
	stop
GUEST16(g_ap)
	mov	%cs, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$STACK_TOP - 0x400, %sp
	say	$0xa9
	x2apic_on
	write_msr $0x830, $0x61, $0
	stop

	.p2align 3
g_gdtr:	.word	0x4f
	.long	GDT
