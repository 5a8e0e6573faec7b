// SPDX-License-Identifier: LGPL-2.1-or-later
/* VMX: its control words, and the checks that its rules share. */
#include "why_vmx.h"

static uint32_t control_field(int word)
{
	static const uint32_t field[W_NR] = {
		[W_PIN] = PIN_BASED_CONTROLS,
		[W_CPU] = PRIMARY_CONTROLS,
		[W_CPU2] = SECONDARY_CONTROLS,
		[W_CPU3] = TERTIARY_CONTROLS,
		[W_EXIT] = VM_EXIT_CONTROLS,
		[W_EXIT2] = SECONDARY_EXIT_CONTROLS,
		[W_ENTRY] = VM_ENTRY_CONTROLS,
	};

	return field[word];
}

/* Words that are not activated function as if they were 0 (SDM 3C 25.6.2, 25.7.1). */
static int activator(int word)
{
	switch (word) {
	case W_CPU2:
		return CPU_SECONDARY;
	case W_CPU3:
		return CPU_TERTIARY;
	case W_EXIT2:
		return EXIT_SECONDARY;
	default:
		return 0;
	}
}

static const char *control_name(int control)
{
	static const struct {
		int control;
		const char *name;
	} names[] = {
		{ PIN_EXTERNAL_INTERRUPT, "external-interrupt exiting" },
		{ PIN_NMI, "NMI exiting" },
		{ PIN_VIRTUAL_NMIS, "virtual NMIs" },
		{ PIN_PREEMPTION_TIMER, "activate VMX-preemption timer" },
		{ PIN_POSTED_INTERRUPTS, "process posted interrupts" },
		{ CPU_TERTIARY, "activate tertiary controls" },
		{ CPU_TPR_SHADOW, "use TPR shadow" },
		{ CPU_NMI_WINDOW, "NMI-window exiting" },
		{ CPU_IO_BITMAPS, "use I/O bitmaps" },
		{ CPU_MTF, "monitor trap flag" },
		{ CPU_MSR_BITMAPS, "use MSR bitmaps" },
		{ CPU_SECONDARY, "activate secondary controls" },
		{ CPU2_APIC_ACCESSES, "virtualize APIC accesses" },
		{ CPU2_EPT, "enable EPT" },
		{ CPU2_X2APIC, "virtualize x2APIC mode" },
		{ CPU2_VPID, "enable VPID" },
		{ CPU2_UNRESTRICTED, "unrestricted guest" },
		{ CPU2_APIC_REGISTERS, "APIC-register virtualization" },
		{ CPU2_INTERRUPT_DELIVERY, "virtual-interrupt delivery" },
		{ CPU2_VM_FUNCTIONS, "enable VM functions" },
		{ CPU2_VMCS_SHADOWING, "VMCS shadowing" },
		{ CPU2_PML, "enable PML" },
		{ CPU2_EPT_VE, "EPT-violation #VE" },
		{ CPU2_MODE_BASED_EXEC, "mode-based execute control for EPT" },
		{ CPU2_SUB_PAGE, "sub-page write permissions for EPT" },
		{ CPU2_PT_USES_GPA, "Intel PT uses guest physical addresses" },
		{ CPU2_TSC_SCALING, "use TSC scaling" },
		{ CPU3_HLAT, "enable HLAT" },
		{ CPU3_PAGING_WRITE, "EPT paging-write control" },
		{ CPU3_PAGING_VERIFY, "guest-paging verification" },
		{ CPU3_IPI, "IPI virtualization" },
		{ EXIT_HOST_64BIT, "host address-space size" },
		{ EXIT_LOAD_PERF, "load IA32_PERF_GLOBAL_CTRL (exit)" },
		{ EXIT_ACK_INTERRUPT, "acknowledge interrupt on exit" },
		{ EXIT_LOAD_PAT, "load IA32_PAT (exit)" },
		{ EXIT_LOAD_EFER, "load IA32_EFER (exit)" },
		{ EXIT_SAVE_PREEMPTION, "save VMX-preemption timer value" },
		{ EXIT_CLEAR_RTIT, "clear IA32_RTIT_CTL" },
		{ EXIT_LOAD_CET, "load CET state (exit)" },
		{ EXIT_LOAD_PKRS, "load PKRS (exit)" },
		{ EXIT_SECONDARY, "activate secondary exit controls" },
		{ ENTRY_LOAD_DEBUG, "load debug controls" },
		{ ENTRY_IA32E, "IA-32e mode guest" },
		{ ENTRY_SMM, "entry to SMM" },
		{ ENTRY_DEACTIVATE_DUAL, "deactivate dual-monitor treatment" },
		{ ENTRY_LOAD_PERF, "load IA32_PERF_GLOBAL_CTRL (entry)" },
		{ ENTRY_LOAD_PAT, "load IA32_PAT (entry)" },
		{ ENTRY_LOAD_EFER, "load IA32_EFER (entry)" },
		{ ENTRY_LOAD_BNDCFGS, "load IA32_BNDCFGS" },
		{ ENTRY_LOAD_RTIT, "load IA32_RTIT_CTL" },
		{ ENTRY_LOAD_UINV, "load UINV" },
		{ ENTRY_LOAD_CET, "load CET state (entry)" },
		{ ENTRY_LOAD_LBR, "load guest IA32_LBR_CTL" },
		{ ENTRY_LOAD_PKRS, "load PKRS (entry)" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].control == control)
			return names[i].name;
	return NULL;
}

/*
 * A capability MSR of 2 × 32 bits: bits that are 1 in the low half must be 1, and
 * those that are 0 in the high half must be 0 (SDM 3D A.2).  With bit 55 of
 * IA32_VMX_BASIC, the TRUE MSRs say so instead; rules name these.
 */
static uint32_t capability(const struct why *w, uint32_t msr)
{
	if (msr >= IA32_VMX_TRUE_PINBASED_CTLS && msr <= IA32_VMX_TRUE_ENTRY_CTLS &&
	    !(why_get(w, IA32_VMX_BASIC) >> 55 & 1))
		return msr - (IA32_VMX_TRUE_PINBASED_CTLS - IA32_VMX_PINBASED_CTLS);
	return msr;
}

static bool knows(const struct why *w, uint32_t cap)
{
	return cap >= WHY_FACTS || why_has(w, capability(w, cap));
}

/**
 * vmx_allowed - a control word has the bits that the processor demands and allows
 * @w: the explanation
 * @r: the rule, with .field and .cap
 */
void vmx_allowed(struct why *w, const struct why_rule *r)
{
	uint64_t cap = why_get(w, capability(w, r->cap));
	uint64_t value = why_get(w, r->field);
	uint32_t must = cap, may = cap >> 32, bad = (must & ~value) | (value & ~may);

	if (bad)
		why_bad(w, r->field, bad, (value | must) & may);
}

/**
 * vmx_cleared - a control word has only bits that the processor allows
 * @w: the explanation
 * @r: the rule, with .field, and in .cap the MSR that is a mask of them
 */
void vmx_cleared(struct why *w, const struct why_rule *r)
{
	uint64_t may = why_get(w, r->cap), value = why_get(w, r->field);

	if (value & ~may)
		why_bad(w, r->field, value & ~may, value & may);
}

/**
 * vmx_fixed - a control register has the bits that VMX operation demands and allows
 * @w: the explanation
 * @r: the rule, with .field, and in .cap the MSR that tells what must be 1; the next
 *	one tells what may be
 */
void vmx_fixed(struct why *w, const struct why_rule *r)
{
	uint64_t must = why_get(w, r->cap), may = why_get(w, r->cap + 1);
	uint64_t value = why_get(w, r->field), bad = (must & ~value) | (value & ~may);

	if (bad)
		why_bad(w, r->field, bad, (value | must) & may);
}

/* Bits of IA32_S_CET (SDM 1 17.2) that are reserved, and two that exclude each other. */
#define CET_RESERVED	0x3c0ULL
#define CET_SUPPRESS	(1ULL << 10)
#define CET_TRACKER	(1ULL << 11)

/**
 * vmx_s_cet - IA32_S_CET has no reserved bit, and a canonical address
 * @w: the explanation
 * @r: the rule, with .field
 */
void vmx_s_cet(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), bad = value & CET_RESERVED;

	if ((value & CET_SUPPRESS) && (value & CET_TRACKER))
		bad |= CET_SUPPRESS;
	if (bad)
		why_bad(w, r->field, bad, value & ~bad);
	else
		why_canonical(w, r);
}

static const struct why_rule *const rules[] = {
	vmx_control_rules, vmx_host_rules, vmx_guest_rules, vmx_segment_rules, vmx_msr_rules, NULL
};

const struct why_vendor why_vmx = {
	.rules = rules,
	.nr_words = W_NR - 1,
	.control_field = control_field,
	.activator = activator,
	.control_name = control_name,
	.knows = knows,
};
