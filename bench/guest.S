/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guests do: snippets of 64-bit code.  Each begins with a count in RDI, does its
 * thing as often, and stores the TSC from before and from after at RESULT.
 */
#include "guest.h"

#define X2APIC_EOI	0x80b
#define X2APIC_SVR	0x80f
#define X2APIC_ICR	0x830
#define X2APIC_LVTT	0x832
#define X2APIC_SELF	0x83f
#define IA32_APIC_BASE	0x1b
#define TSC_DEADLINE	0x6e0

	.macro write_msr msr, low, high=0
	mov	$\msr, %ecx
	mov	$\low, %eax
	mov	$\high, %edx
	wrmsr
	.endm

	.macro tsc to
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, \to
	.endm

	/* A snippet: its name, then its code, which the loop repeats. */
	.macro begin name
	.p2align 4
	.globl	guest_\name
guest_\name:
	mov	%rdi, %r12
	tsc	%r14
1:
	.endm

	.macro end
	dec	%r12
	jnz	1b
	jmp	done
	.endm

	.section .rodata
	.p2align 4
	.globl	guest_image, guest_image_end, guest_handler
	.code64
guest_image:

done:
	tsc	%r15
	mov	%r14, RESULT
	mov	%r15, RESULT + 8
	out	%al, $PORT_DONE
	hlt

/* The interrupt of VECTOR.  RBX counts them. */
guest_handler:
	push	%rax
	push	%rcx
	push	%rdx
	write_msr X2APIC_EOI, 0
	inc	%rbx
	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

/* Not timed: switches the APIC to x2APIC mode and on. */
	.globl	guest_apic_on
guest_apic_on:
	mov	$IA32_APIC_BASE, %ecx
	rdmsr
	or	$0xc00, %eax
	wrmsr
	write_msr X2APIC_SVR, 0x1ff
	jmp	done

begin nothing
end

begin cpuid
	xor	%eax, %eax
	cpuid
end

begin hypercall_svm
	mov	$1, %eax			/* KVM_HC_VAPIC_POLL_IRQ: an exit, and no more */
	vmmcall
end

begin hypercall_vmx
	mov	$1, %eax
	vmcall
end

begin out_eventfd
	out	%al, $PORT_EVENTFD
end

begin out_user
	out	%al, $PORT_USER
end

begin in_user
	in	$PORT_USER, %al
end

begin mmio_read
	mov	$DEVICE, %ecx
	mov	(%rcx), %eax
end

begin mmio_write
	mov	$DEVICE, %ecx
	mov	%eax, (%rcx)
end

begin doorbell
	mov	$DOORBELL, %ecx
	movl	$1, (%rcx)
end

/* PAT: in the kernel, for both. */
begin msr_kernel
	mov	$0x277, %ecx
	rdmsr
end

begin msr_user
	mov	$MSR_USER, %ecx
	rdmsr
end

begin cr8
	mov	$4, %eax
	mov	%rax, %cr8
	xor	%eax, %eax
	mov	%rax, %cr8
end

begin cr0_wp
	mov	%cr0, %rax
	xor	$0x10000, %eax
	mov	%rax, %cr0
end

begin cr4_pge
	mov	%cr4, %rax
	xor	$0x80, %eax
	mov	%rax, %cr4
end

begin eoi
	write_msr X2APIC_EOI, 0
end

/* Interrupts are off: the write alone. */
begin self_ipi_write
	write_msr X2APIC_SELF, VECTOR
end

begin self_ipi
	sti
	write_msr X2APIC_SELF, VECTOR
	cli
end

begin self_ipi_hlt
	cli
	write_msr X2APIC_SELF, VECTOR
	sti
	hlt
end

/* The deadline is 50,000 ticks off, long enough for any hypervisor to arm a timer. */
	.globl	guest_deadline
guest_deadline:
	write_msr X2APIC_LVTT, 0x40000 | VECTOR
	mov	%rdi, %r12
	xor	%ebx, %ebx
	xor	%r8d, %r8d
	sti
	tsc	%r14
1:	rdtsc
	shl	$32, %rdx
	or	%rax, %rdx
	lea	50000(%rdx), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$TSC_DEADLINE, %ecx
	wrmsr
	inc	%r8
2:	cmp	%r8, %rbx
	jne	2b
	dec	%r12
	jnz	1b
	cli
	jmp	done

/* vCPU 0 sends vCPU 1 an interrupt and sleeps; the other answers likewise. */
begin ping
	cli
	write_msr X2APIC_ICR, VECTOR, 1
	sti
	hlt
end

	.globl	guest_pong
guest_pong:
	sti
	hlt
	cli
	write_msr X2APIC_ICR, VECTOR, 0
	jmp	guest_pong

/* A device wakes it: rings, and sleeps until the device's thread has answered. */
begin ring_and_wait
	cli
	out	%al, $PORT_EVENTFD
	sti
	hlt
end

/* Writes to RDI pages, or large pages, of the second slot. */
	.globl	guest_touch_4k
guest_touch_4k:
	mov	$TOUCHED, %esi
	tsc	%r14
1:	movb	$1, (%rsi)
	add	$0x1000, %rsi
	dec	%rdi
	jnz	1b
	jmp	done

	.globl	guest_touch_2m
guest_touch_2m:
	mov	$TOUCHED, %esi
	tsc	%r14
1:	movb	$1, (%rsi)
	add	$0x200000, %rsi
	dec	%rdi
	jnz	1b
	jmp	done

guest_image_end:

	.section .note.GNU-stack, "", @progbits
