/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that need the host's memory in all the ways there are, in one VITRO_RUN each. */
#include "guest.h"

/* Is the machine in order? */
GUEST64(g_count)
	inc	%ebx
	say	%ebx
	jmp	g_count

/* Says the word at RBX. */
GUEST64(g_reads)
	say	(%rbx)
	jmp	g_reads

/* Writes to RBX. */
GUEST64(g_writes)
	movl	$1, (%rbx)
	say	$1
	jmp	g_writes

/*
 * At RBX, and R12, there are pages that nobody has touched yet: one to read, one to write, one
 * for KVM's clock, and one for the time of day; at RBP there is a doorbell.  Says 7 if all is
 * well: 1, the write; 2, the clock, which runs; 4, the time of day.
 */
GUEST64(g_uses)
	mov	(%rbx), %eax
	incl	0x1000(%rbx)
	lea	0x2001(%rbx), %eax
	xor	%edx, %edx
	mov	$0x4b564d01, %ecx		/* MSR_KVM_SYSTEM_TIME_NEW */
	wrmsr
	lea	0x3000(%rbx), %eax
	mov	$0x4b564d00, %ecx		/* MSR_KVM_WALL_CLOCK_NEW */
	wrmsr
	movl	$7, (%rbp)
	xor	%eax, %eax
	xor	%ecx, %ecx
	cpuid
	mov	0x1000(%r12), %esi
	/* Their first words are versions: not 0, and even. */
	mov	0x2000(%r12), %eax
	test	$1, %al
	jnz	1f
	test	%eax, %eax
	jz	1f
	cmpl	$0, 0x2018(%r12)		/* tsc_to_system_mul */
	je	1f
	or	$2, %esi
1:	mov	0x3000(%r12), %eax
	test	$1, %al
	jnz	2f
	test	%eax, %eax
	jz	2f
	or	$4, %esi
2:	say	%esi
	jmp	g_count

/* The page directories come from memory that the host has to bring first. */
GUEST32(g_pae)
	say	$7
	jmp	g_pae

/* One step over PUSHF: what it pushes has the guest's own TF, which is clear. */
GUEST64(g_pushf)
	pushfq
	nop

/* Shutdown: no handler, as there is no IDT. */
GUEST64(g_triple)
	lidt	g_no_idt
	ud2
VAR(g_no_idt)
	.quad	0
