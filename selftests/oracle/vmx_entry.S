/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/linkage.h>
#include <asm/msr-index.h>
#include <asm/segment.h>

.macro RESTORE_MSR index, value
	mov	$\index, %ecx
	mov	\value(%rip), %eax
	mov	\value + 4(%rip), %edx
	wrmsr
.endm

	.bss
	.balign	8
saved_rsp:
	.quad	0

	.text
/*
 * u32 oracle_vmx_enter(void)
 *
 * VMLAUNCH.  Returns 0 after an exit, 1 if the instruction has set CF, 2 if ZF (SDM 3C 31.2).
 *
 * The exit finds whatever the VMCS says of the host.  Of that, RIP, CR3, and EFER.NXE have to
 * be right; all else is put right here, without a look at the stack or at per-CPU data before.
 */
SYM_FUNC_START(oracle_vmx_enter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, saved_rsp(%rip)

	vmlaunch
	mov	$1, %eax
	jc	out
	mov	$2, %eax
	jmp	out

SYM_INNER_LABEL(oracle_vmx_exit, SYM_L_GLOBAL)
	lgdt	oracle_gdt(%rip)
	lidt	oracle_idt(%rip)
	mov	oracle_cr0(%rip), %rax
	mov	%rax, %cr0
	mov	%cr3, %rdx		/* CR4.PCIDE is set only with PCID 0 (SDM 3A 4.10.1) */
	mov	%rdx, %rax
	and	$~0xfff, %rax
	mov	%rax, %cr3
	mov	oracle_cr4(%rip), %rax
	mov	%rax, %cr4
	mov	%rdx, %cr3
	mov	$__KERNEL_DS, %eax
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	RESTORE_MSR MSR_FS_BASE, oracle_fs_base
	RESTORE_MSR MSR_GS_BASE, oracle_gs_base
	mov	saved_rsp(%rip), %rsp
	push	$__KERNEL_CS
	lea	1f(%rip), %rax
	push	%rax
	lretq
1:	xor	%eax, %eax
out:
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(oracle_vmx_enter)
