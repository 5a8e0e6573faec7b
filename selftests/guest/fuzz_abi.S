/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guests of the ABI fuzzer do, again and again, with the registers they are given:
 * each snippet makes exits of a kind.  In 16-bit and 32-bit modes, which start at the same
 * addresses, the bytes mean something else; that is as good.
 */
#include "guest.h"

	.text

/* DX: a port. */
GUEST64(g_io)
1:	out	%al, %dx
	out	%ax, %dx
	out	%eax, %dx
	in	%dx, %al
	in	%dx, %eax
	in	$0x81, %ax
	jmp	1b

/* RSI, RDI: memory. */
GUEST64(g_string_io)
1:	outsb
	insw
	mov	$3, %ecx
	rep outsl
	mov	$3, %ecx
	rep insb
	jmp	1b

/* ECX: an MSR. */
GUEST64(g_msr)
1:	wrmsr
	rdmsr
	jmp	1b

/* All from ECX on; each keeps what it has. */
GUEST64(g_msr_sweep)
1:	rdmsr
	wrmsr
	inc	%ecx
	jmp	1b

GUEST64(g_cpu)
1:	cpuid
	rdtsc
	rdtscp
	pause
	wbinvd
	invd
	inc	%eax
	jmp	1b

GUEST64(g_xsetbv)
	mov	%cr4, %rsi
	or	$(1 << 18), %rsi		/* OSXSAVE */
	mov	%rsi, %cr4
1:	xor	%ecx, %ecx
	xgetbv
	xsetbv
	xor	$6, %eax
	xsetbv
	jmp	1b

GUEST64(g_cr)
1:	mov	%cr0, %rsi
	mov	%rsi, %cr0
	mov	%cr2, %rsi
	mov	%rsi, %cr2
	mov	%cr3, %rsi
	mov	%rsi, %cr3
	mov	%cr4, %rsi
	mov	%rsi, %cr4
	mov	%cr8, %rsi
	mov	%rsi, %cr8
	clts
	smsw	%esi
	lmsw	%si
	invlpg	(%rbx)
	jmp	1b

/* RAX, RCX, RDX: what to load. */
GUEST64(g_cr_write)
	mov	%rdx, %cr8
	mov	%rax, %cr4
	mov	%rcx, %cr0
	mov	%rdx, %cr3
	jmp	g_cr

GUEST64(g_dr)
1:	mov	%rbx, %dr0
	mov	%rax, %dr7
	mov	%rdx, %dr6
	mov	%dr7, %rsi
	mov	%dr6, %rsi
	mov	%dr4, %rsi
	jmp	1b

/* RBX: memory, page by page. */
GUEST64(g_pages)
1:	mov	(%rbx), %rsi
	mov	%rsi, (%rbx)
	add	$4096, %rbx
	jmp	1b

/* ... 2 MiB by 2 MiB, and then where no slot is. */
GUEST64(g_far_pages)
1:	mov	(%rbx), %rsi
	mov	%esi, 3(%rbx)
	add	$0x200000, %rbx
	jmp	1b

GUEST64(g_halt)
	x2apic_on
1:	sti
	hlt
	cli
	jmp	1b

/* EAX: initial count; one-shot and periodic. */
GUEST64(g_timer)
	mov	%eax, %esi
	x2apic_on
	write_msr $0x83e, $3
1:	write_msr $0x832, $0x20031
	write_msr $0x838, %esi
	rdmsr
	sti
	nop
	hlt
	cli
	write_msr $0x832, $0x31
	write_msr $0x838, %esi
	mov	$0x839, %ecx
	rdmsr
	sti
	hlt
	cli
	jmp	1b

GUEST64(g_deadline)
	x2apic_on
	write_msr $0x832, $0x40031
1:	rdtsc
	add	$1000, %eax
	mov	$0x6e0, %ecx
	wrmsr
	rdmsr
	sti
	hlt
	cli
	jmp	1b

/* To itself, by both ways, with vectors from EAX on. */
GUEST64(g_self_ipi)
	mov	%eax, %esi
	x2apic_on
	sti
1:	mov	$0x83f, %ecx
	mov	%esi, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x830, %ecx
	mov	%esi, %eax
	and	$0xff, %eax
	or	$0x40000, %eax
	wrmsr
	inc	%esi
	jmp	1b

/* EAX, EDX: the command; then NMIs to everybody else. */
GUEST64(g_ipi)
	mov	%eax, %esi
	mov	%edx, %edi
	x2apic_on
	sti
1:	mov	$0x830, %ecx
	mov	%esi, %eax
	mov	%edi, %edx
	wrmsr
	write_msr $0x830, $0xc0400
	jmp	1b

/* INIT and SIPI to everybody else: they start at page 1, in real mode. */
GUEST64(g_start_others)
	x2apic_on
1:	write_msr $0x830, $0xc4500
	write_msr $0x830, $0xc4601
	write_msr $0x830, $0xc4601
	pause
	jmp	1b

GUEST64(g_hypercall)
1:	vmmcall
	vmcall
	jmp	1b

GUEST64(g_exceptions)
1:	int3
	int	$0x20
	int1
	ud2
	xor	%esi, %esi
	div	%esi
	jmp	1b

GUEST64(g_triple)
	pushq	$0
	pushq	$0
	lidt	(%rsp)
	int3

GUEST64(g_spin)
1:	pause
	jmp	1b

/* RBX: where the paravirtual clock is to be, bit 0 set; EAX, EDX: any other place. */
GUEST64(g_clock)
	write_msr $0x4b564d01, %eax, %edx
1:	lea	1(%rbx), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$0x4b564d01, %ecx
	wrmsr
	dec	%ecx
	and	$-4, %eax
	wrmsr
	pause
	jmp	1b

/* The registers of the APIC as memory, and with it in no mode. */
GUEST64(g_xapic)
	mov	$0xfee00000, %esi
1:	mov	(%rsi), %eax
	mov	%edx, (%rsi)
	add	$16, %esi
	and	$0xfee00fff, %esi
	jnz	1b

/* All of its registers as MSRs, with EAX. */
GUEST64(g_x2apic_sweep)
	mov	%eax, %esi
	x2apic_on
	mov	$0x800, %ecx
1:	rdmsr
	mov	%esi, %eax
	wrmsr
	inc	%ecx
	and	$0x8ff, %ecx
	jmp	1b

/* EAX: flags; interrupt shadows, single steps. */
GUEST64(g_flags)
1:	push	%rax
	popf
	sti
	mov	%ds, %esi
	mov	%esi, %ss
	nop
	pushf
	pop	%rsi
	jmp	1b

/* Instructions that virtual machines have no use for. */
GUEST64(g_strange)
1:	sgdt	-16(%rsp)
	lgdt	-16(%rsp)
	sidt	-16(%rsp)
	sldt	%esi
	str	%esi
	rdpmc
	monitor
	mwait
	clgi
	stgi
	vmrun	%rax
	vmload	%rax
	invlpga	%rax, %ecx
	skinit	%eax
	vmxoff
	rsm
	swapgs
	jmp	1b

/* At CPL 3. */
GUEST64(g_user)
	mov	$0xc0000080, %ecx
	rdmsr
	or	$1, %eax			/* SYSCALL */
	wrmsr
	write_msr $0xc0000081, $0, $(SEL_USER_DATA - 8) << 16 | SEL_CODE64
	lea	1f(%rip), %rcx
	mov	$0x202, %r11d
	sysretq
1:	vmcall
	cpuid
	in	%dx, %al
	hlt
	int3
	jmp	1b

/* RBX: code, wherever that is. */
GUEST64(g_jump)
	jmp	*%rbx
