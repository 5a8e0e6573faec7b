// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rules about the host-state area (SDM 3C 27.2.2 to 27.2.4).  Who violates one makes
 * VMLAUNCH and VMRESUME fail with VM-instruction error 8.
 */
#include "why_vmx.h"

#define SELECTOR_RPL_TI	7

static void check_efer_mode(struct why *w, const struct why_rule *r)
{
	uint64_t mode = why_on(w, EXIT_HOST_64BIT) ? EFER_LMA | EFER_LME : 0;
	uint64_t value = why_get(w, r->field), bad = (value ^ mode) & (EFER_LMA | EFER_LME);

	if (bad)
		why_bad(w, r->field, bad, value ^ bad);
}

/* The host runs in IA-32e mode if the processor does at the entry. */
static void check_mode(struct why *w, const struct why_rule *r)
{
	uint64_t bit = 1ULL << (EXIT_HOST_64BIT & 63), value = why_get(w, VM_EXIT_CONTROLS);
	bool long_mode = why_fact(w, CPU_EFER, EFER_LMA) & EFER_LMA;

	(void)r;
	if (why_on(w, EXIT_HOST_64BIT) != long_mode)
		why_bad(w, VM_EXIT_CONTROLS, bit, value ^ bit);
}

#define HOST(sub, sentence)	\
	.class = VITRO_WHY_HOST, .section = "SDM 3C 27.2." sub, .text = sentence
#define SELECTOR(name)								\
	{ HOST("3", "the selector's RPL and TI are 0"),				\
	  .check = why_zero, .field = HOST_##name##_SELECTOR, .arg = SELECTOR_RPL_TI }
#define CANONICAL(sub, name)							\
	{ HOST(sub, "the field is a canonical address"), .check = why_canonical, .field = name }

const struct why_rule vmx_host_rules[] = {
	/* Control registers and MSRs */
	{ HOST("2", "CR0 has what VMX operation demands, and nothing that it forbids"),
	  .check = vmx_fixed, .field = HOST_CR0, .cap = IA32_VMX_CR0_FIXED0 },
	{ HOST("2", "CR4 has what VMX operation demands, and nothing that it forbids"),
	  .check = vmx_fixed, .field = HOST_CR4, .cap = IA32_VMX_CR4_FIXED0 },
	{ HOST("2", "with CR4.CET, CR0.WP is 1"), .check = why_cet_wp, .field = HOST_CR0,
	  .arg = HOST_CR4 },
	{ HOST("2", "CR3 has no bit beyond the physical-address width"),
	  .check = why_phys, .field = HOST_CR3, .cap = CPU_PHYS_BITS },
	CANONICAL("2", HOST_SYSENTER_ESP),
	CANONICAL("2", HOST_SYSENTER_EIP),
	{ HOST("2", "IA32_PERF_GLOBAL_CTRL has no reserved bit"), .when = { ON(EXIT_LOAD_PERF) },
	  .check = why_known, .field = HOST_IA32_PERF_GLOBAL_CTRL, .cap = CPU_PERF_BITS },
	{ HOST("2", "each byte of IA32_PAT is a memory type: 0, 1, 4, 5, 6 or 7"),
	  .when = { ON(EXIT_LOAD_PAT) }, .check = why_pat, .field = HOST_IA32_PAT },
	{ HOST("2", "IA32_EFER has no bit that the CPU lacks"), .when = { ON(EXIT_LOAD_EFER) },
	  .check = why_known, .field = HOST_IA32_EFER, .cap = CPU_EFER_BITS },
	{ HOST("2", "IA32_EFER.LMA and LME are what \"host address-space size\" is"),
	  .when = { ON(EXIT_LOAD_EFER) }, .check = check_efer_mode, .field = HOST_IA32_EFER },
	{ HOST("2",
	       "IA32_S_CET has no reserved bit, not SUPPRESS and TRACKER, a canonical address"),
	  .when = { ON(EXIT_LOAD_CET) }, .check = vmx_s_cet, .field = HOST_IA32_S_CET },
	{ HOST("2", "the shadow-stack pointer is a multiple of 4"), .when = { ON(EXIT_LOAD_CET) },
	  .check = why_zero, .field = HOST_SSP, .arg = 3 },
	{ HOST("2", "IA32_INTERRUPT_SSP_TABLE_ADDR is a canonical address"),
	  .when = { ON(EXIT_LOAD_CET) }, .check = why_canonical, .field = HOST_SSP_TABLE },
	{ HOST("2", "PKRS has 32 bits"), .when = { ON(EXIT_LOAD_PKRS) },
	  .check = why_zero, .field = HOST_IA32_PKRS, .arg = 0xffffffff00000000 },

	/* Segments and descriptor tables */
	SELECTOR(ES), SELECTOR(CS), SELECTOR(SS), SELECTOR(DS), SELECTOR(FS), SELECTOR(GS),
	SELECTOR(TR),
	{ HOST("3", "CS is not a null selector"),
	  .check = why_nonzero, .field = HOST_CS_SELECTOR, .arg = 8 },
	{ HOST("3", "TR is not a null selector"),
	  .check = why_nonzero, .field = HOST_TR_SELECTOR, .arg = 8 },
	{ HOST("3", "SS is not a null selector, for a 32-bit host"),
	  .when = { OFF(EXIT_HOST_64BIT) },
	  .check = why_nonzero, .field = HOST_SS_SELECTOR, .arg = 8 },
	CANONICAL("3", HOST_FS_BASE),
	CANONICAL("3", HOST_GS_BASE),
	CANONICAL("3", HOST_GDTR_BASE),
	CANONICAL("3", HOST_IDTR_BASE),
	CANONICAL("3", HOST_TR_BASE),

	/* Address-space size */
	{ HOST("4", "the host's mode after an exit is the processor's mode at the entry"),
	  .check = check_mode, .cap = CPU_EFER },
	{ HOST("4", "a 32-bit host has no 64-bit guests"), .when = { OFF(EXIT_HOST_64BIT) },
	  .check = why_must, .control = OFF(ENTRY_IA32E) },
	{ HOST("4", "a 32-bit host has CR4.PCIDE = 0"), .when = { OFF(EXIT_HOST_64BIT) },
	  .check = why_zero, .field = HOST_CR4, .arg = CR4_PCIDE },
	{ HOST("4", "a 32-bit host's RIP has 32 bits"), .when = { OFF(EXIT_HOST_64BIT) },
	  .check = why_zero, .field = HOST_RIP, .arg = 0xffffffff00000000 },
	{ HOST("4", "a 64-bit host has CR4.PAE = 1"), .when = { ON(EXIT_HOST_64BIT) },
	  .check = why_set, .field = HOST_CR4, .arg = CR4_PAE },
	{ HOST("4", "a 64-bit host's RIP is canonical"), .when = { ON(EXIT_HOST_64BIT) },
	  .check = why_canonical, .field = HOST_RIP },
	{ HOST("4", "a 64-bit host's shadow-stack pointer is canonical"),
	  .when = { ON(EXIT_HOST_64BIT), ON(EXIT_LOAD_CET) },
	  .check = why_canonical, .field = HOST_SSP },
	{ .text = NULL }
};
