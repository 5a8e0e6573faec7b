/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The branch prediction barrier (SDM 3A, APM 2 3.2.9: PRED_CMD), for kernels whose own is
 * for KVM alone.  On AMD CPUs with the bug IBPB_NO_RET it leaves return addresses, which
 * are overwritten here.
 */
#include <linux/linkage.h>
#include <asm/asm-offsets.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>

#include "compat/probed.h"

#ifdef COMPAT_HAS_WRITE_IBPB
	.text

SYM_FUNC_START(compat_write_ibpb)
	movl	$MSR_IA32_PRED_CMD, %ecx
	movl	$PRED_CMD_IBPB, %eax
	xorl	%edx, %edx
	wrmsr
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_BUG_IBPB_NO_RET
	RET
SYM_FUNC_END(compat_write_ibpb)
#endif
