/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first instructions of a test kernel, and how a loader finds them.  Of this file
 * there are four versions:
 *
 *	-m32		multiboot, ELF32
 *	-m64		multiboot, ELF64, loaded by the header's address fields; the processor
 *			comes in 32-bit mode and goes to 64-bit mode here
 *	-DPVH		instead of the multiboot header, a note with the PVH entry; -m32 or -m64
 */
#define MAGIC		0x1badb002
#define WANT		3		/* modules on page borders, information on memory */
#define HAS_ADDRESSES	(1 << 16)

#define CODE32		0x08		/* selectors in our GDT */
#define DATA		0x10
#define CODE64		0x18

#if defined(PVH)
	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	start
#else
	.section .header, "a"
	.balign	4
#ifdef __x86_64__
#define FLAGS		(WANT | HAS_ADDRESSES)
header:	.long	MAGIC, FLAGS, -(MAGIC + FLAGS)
	.long	header, image_start, image_end, bss_end, start
#else
header:	.long	MAGIC, WANT, -(MAGIC + WANT)
#endif
#endif

	.text
	.code32
	.globl	start
start:
	/* What the loader left in the registers, before it is gone. */
	mov	%eax, boot_eax
	mov	%ebx, boot_ebx
	mov	%cr0, %eax
	mov	%eax, boot_cr0
	mov	$stack_end, %esp	/* the loader promises none */
	pushf
	pop	boot_eflags
	cld

	lgdt	gdt_pointer
	ljmp	$CODE32, $1f
1:	mov	$DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
#ifdef __x86_64__
	/* The first GiB, mapped to itself by pages of 2 MiB; PAE, LME, PG (SDM 3A 10.8.5). */
	movl	$pdpt + 3, pml4
	movl	$page_dir + 3, pdpt
	mov	$page_dir, %edi
	mov	$0x83, %eax
2:	mov	%eax, (%edi)
	add	$8, %edi
	add	$0x200000, %eax
	cmp	$0x40000000, %eax
	jb	2b
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	%cr4, %eax
	or	$0x20, %eax
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	ljmp	$CODE64, $3f
	.code64
3:
#endif
	call	kernel_main
4:	cli
	hlt
	jmp	4b

	/*
	 * Interrupts: of the timer, and of ACPI, whose line stays up until the event that
	 * kernel.c has enabled is cleared.  Both are counted, and ended at the 8259s.
	 */
#ifdef __x86_64__
#define RETURN	iretq
#define RAX	%rax
#define RDX	%rdx
#else
#define RETURN	iret
#define RAX	%eax
#define RDX	%edx
#endif
	.globl	on_timer, on_event
on_event:
	push	RAX
	push	RDX
	mov	$0x600, %edx		/* PM1 status: cleared by writing 1 */
	mov	$0x100, %eax
	out	%ax, %dx
	pop	RDX
	incl	events
	mov	$0x20, %al
	out	%al, $0xa0		/* EOI, at the slave first */
	jmp	1f
on_timer:
	push	RAX
	incl	ticks
	mov	$0x20, %al
1:	out	%al, $0x20
	pop	RAX
	RETURN

	.data
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	/* Not in the bss: some of it is written before anybody could clear that. */
	.globl	boot_eax, boot_ebx, boot_cr0, boot_eflags, ticks, events
boot_eax:	.long	0
boot_ebx:	.long	0
boot_cr0:	.long	0
boot_eflags:	.long	0
ticks:		.long	0
events:		.long	0

	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
page_dir:
	.skip	4096
	.skip	8192
stack_end:
	.section .note.GNU-stack, "", @progbits
