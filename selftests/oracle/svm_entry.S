/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <linux/linkage.h>

/*
 * void oracle_svm_enter(phys_addr_t vmcb_pa)
 *
 * VMRUN, until the exit.  A VMLOAD before it, and one of the host's state after it, are not
 * needed: the guest does not get to change what VMRUN does not switch.
 */
SYM_FUNC_START(oracle_svm_enter)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	clgi
	mov	%rdi, %rax
	vmrun	%rax
	stgi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(oracle_svm_enter)
