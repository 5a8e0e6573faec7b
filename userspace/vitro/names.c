// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of reasons to exit and of events, for people and for JSON. */
#include <stddef.h>

#include "family.h"

#define NR_EVENTS	(VITRO_EVENT_SLOW_USER + 1)

/**
 * reason_name - the name of a reason to exit
 * @reason: enum vitro_exit_reason or enum vitro_inner_exit
 *
 * Return: it; "unknown" for what newer modules may have.
 */
const char *reason_name(unsigned int reason)
{
	static const char *const names[VITRO_NR_REASONS] = {
		[VITRO_EXIT_NONE] = "none",
		[VITRO_EXIT_INTR] = "intr",
		[VITRO_EXIT_IO] = "io",
		[VITRO_EXIT_MMIO] = "mmio",
		[VITRO_EXIT_RDMSR] = "rdmsr",
		[VITRO_EXIT_WRMSR] = "wrmsr",
		[VITRO_EXIT_HLT] = "hlt",
		[VITRO_EXIT_HYPERCALL] = "hypercall",
		[VITRO_EXIT_EOI] = "eoi",
		[VITRO_EXIT_SHUTDOWN] = "shutdown",
		[VITRO_EXIT_FAIL_ENTRY] = "fail-entry",
		[VITRO_EXIT_MEMFAULT] = "memfault",
		[VITRO_EXIT_UNHANDLED] = "unhandled",
		[VITRO_EXIT_TASK_SWITCH] = "task-switch",
		[VITRO_EXIT_INTA] = "inta",
		[VITRO_EXIT_DEBUG] = "debug",
		[VITRO_EXIT_DEADLINE] = "deadline",
		[VITRO_INNER_HOST] = "host",
		[VITRO_INNER_CPUID] = "cpuid",
		[VITRO_INNER_IRQ_WINDOW] = "irq-window",
		[VITRO_INNER_NMI_WINDOW] = "nmi-window",
		[VITRO_INNER_TDP] = "tdp",
		[VITRO_INNER_CR] = "cr",
		[VITRO_INNER_DR] = "dr",
		[VITRO_INNER_XSETBV] = "xsetbv",
		[VITRO_INNER_EXCEPTION] = "exception",
		[VITRO_INNER_UD] = "ud",
		[VITRO_INNER_GP] = "gp",
		[VITRO_INNER_SKIP] = "skip",
		[VITRO_INNER_PAUSE] = "pause",
		[VITRO_INNER_RESUME] = "resume",
		[VITRO_INNER_FETCH] = "fetch",
	};

	return reason < VITRO_NR_REASONS && names[reason] ? names[reason] : "unknown";
}

/**
 * event_name - the name of an event
 * @event: enum vitro_event
 *
 * Return: it, as in vitro.yaml.
 */
const char *event_name(unsigned int event)
{
	static const char *const names[NR_EVENTS] = {
		[VITRO_EVENT_VM_CREATED] = "vm-created",
		[VITRO_EVENT_VM_DESTROYED] = "vm-destroyed",
		[VITRO_EVENT_VM_NAMED] = "vm-named",
		[VITRO_EVENT_VCPU_CREATED] = "vcpu-created",
		[VITRO_EVENT_GUEST_PANIC] = "guest-panic",
		[VITRO_EVENT_TRIPLE_FAULT] = "triple-fault",
		[VITRO_EVENT_ENTRY_FAILURE] = "entry-failure",
		[VITRO_EVENT_SLOW_USER] = "slow-user",
	};

	return event < NR_EVENTS && names[event] ? names[event] : "unknown";
}
