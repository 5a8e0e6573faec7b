/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vitro - debugging a guest from outside, without its knowledge
 *
 * Part of the ABI in <linux/vitro.h>, which includes this file.  A debugger asks, vCPU by
 * vCPU, for exits that a guest would otherwise not make: VITRO_EXIT_DEBUG.
 *
 * What the guest may notice, nevertheless: that its own breakpoints in DR0 to DR3 do not
 * fire while the debugger has the debug registers, and that time passes.
 */
#ifndef _UAPI_LINUX_VITRO_DEBUG_H
#define _UAPI_LINUX_VITRO_DEBUG_H

#include <linux/types.h>

/*
 * What to exit for, and in an exit, what it was.
 *
 * BP: an INT3 (CC) of the guest.  It has not been executed; rip points at it.  If it is the
 * guest's own, load vitro_events with an exception of vector 3: the guest then gets what
 * the INT3 would have raised.
 *
 * HW: the debugger's breakpoints, @dr and @dr7 of struct vitro_debug.  Of an execution, rip
 * points at the instruction, which has not been executed; to get past it, load RFLAGS.RF.
 * Of data, rip is behind the instruction that accessed it.  The guest reads and writes its
 * own debug registers as ever, but its breakpoints do not fire meanwhile.
 *
 * STEP: one instruction.
 *  - Exits that need userspace come as always.  Who finishes the instruction then, has
 *    made the step: there is no VITRO_EXIT_DEBUG for it.  VITRO_EXIT_EOI comes after it.
 *  - Interrupts and NMIs wait until the debugger no longer steps.
 *  - The instruction may raise an exception.  That is delivered, and is the step: rip is at
 *    the first instruction of the handler.  An event that waits for its delivery when the
 *    step begins goes first, with the same result.
 *  - A REP prefix makes an iteration of each step.  MOV SS and POP SS take the next
 *    instruction with them (SDM 3A 6.8.3).  HLT leaves the vCPU halted; the step after it
 *    waits for an event.
 *  - The guest's own breakpoints do not fire, as with HW.  Its own single step does.
 *  - The CPU steps by RFLAGS.TF.  The guest finds its own TF in RFLAGS and where PUSHF
 *    writes it; POPF and IRET load it.  But INT n writes ours to the stack, and SYSCALL to
 *    R11, both clear it, and so the step ends only when their handler returns.  SYSENTER
 *    clears nothing: it steps like others.
 */
#define VITRO_DEBUG_STEP	(1U << 0)
#define VITRO_DEBUG_BP		(1U << 1)
#define VITRO_DEBUG_HW		(1U << 2)

/**
 * struct vitro_debug - VITRO_SET_DEBUG: what the vCPU shall exit for, from now on
 * @flags: VITRO_DEBUG_*; 0 ends it, and the guest's breakpoints are back in force
 * @pad: zero
 * @dr: with VITRO_DEBUG_HW: linear addresses, as DR0 to DR3 have them
 * @dr7: with VITRO_DEBUG_HW: which, and for what kind of access, as DR7 has it (SDM 3B
 *	18.2.4).  GD must be 0.
 *
 * Waits for a running VITRO_RUN of the same vCPU (kick it by a signal).
 * Errors: EINVAL.
 */
struct vitro_debug {
	__u32 flags;
	__u32 pad;
	__u64 dr[4];
	__u64 dr7;
};

/**
 * struct vitro_debug_exit - VITRO_EXIT_DEBUG
 * @flags: VITRO_DEBUG_*: all that has happened
 * @pad: zero
 * @dr6: with VITRO_DEBUG_HW: bits 3:0 tell which of the debugger's breakpoints
 */
struct vitro_debug_exit {
	__u32 flags;
	__u32 pad;
	__u64 dr6;
};

#define VITRO_SET_DEBUG		_IOW(VITRO_IOC, 0x28, struct vitro_debug)	/* on a vCPU */

#endif /* _UAPI_LINUX_VITRO_DEBUG_H */
