// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rules about the guest-state area, segments apart (SDM 3C 27.3.1), and about the
 * MSRs that an entry loads (27.4).  Who violates one is not entered: there is an exit
 * with reason 33, or 34 for MSRs, and bit 31 of the exit reason set.
 */
#include "why_vmx.h"

#define CR0_NW_CD	(3ULL << 29)	/* entries leave them alone (SDM 3C 27.3.2.1) */

#define RFLAGS_RESERVED	0xffffffffffc08028ULL
#define RFLAGS_IF	(1ULL << 9)

#define DEBUGCTL_BTF	(1ULL << 1)

/* Reserved on every CPU (SDM 3C 33.2.8.2, SDM 3B 20.1.2); CPUID may take away more. */
#define RTIT_CTL_RESERVED	0xfe7f000070840000ULL
#define LBR_CTL_RESERVED	0xffffffffff80fff0ULL

/* Interruptibility state (SDM 3C table 25-3). */
#define BLOCKING_STI	(1ULL << 0)
#define BLOCKING_MOV_SS	(1ULL << 1)
#define BLOCKING_SMI	(1ULL << 2)
#define BLOCKING_NMI	(1ULL << 3)
#define ENCLAVE		(1ULL << 4)
#define INTERRUPTIBILITY_RESERVED 0xffffffe0ULL

/* Activity states (SDM 3C 25.4.2); IA32_VMX_MISC bits 8:6 tell which there are. */
enum { ACTIVE, HLT, SHUTDOWN, WAIT_FOR_SIPI };
#define MISC_STATES_SHIFT 6

/* Pending debug exceptions (SDM 3C table 25-4). */
#define PENDING_BS	(1ULL << 14)
#define PENDING_RTM	(1ULL << 16)
#define PENDING_RESERVED 0xfffffffffffeaff0ULL

/* Events to be injected (SDM 3C table 25-17). */
#define INFO_VALID	(1ULL << 31)
#define INFO_TYPE(i)	((i) >> 8 & 7)
#define INFO_VECTOR(i)	((i) & 0xff)
enum { EXTERNAL = 0, NMI = 2, HARDWARE = 3, OTHER = 7 };

#define PDPTE_PRESENT	1ULL
#define PDPTE_RESERVED	0x1e6ULL

static uint64_t info(const struct why *w)
{
	return why_get(w, VM_ENTRY_INTERRUPTION_INFO);
}

static bool injects(const struct why *w, unsigned int type)
{
	return (info(w) & INFO_VALID) && INFO_TYPE(info(w)) == type;
}

static bool is_64bit(const struct why *w)
{
	return why_on(w, ENTRY_IA32E) && (why_get(w, GUEST_CS_ACCESS_RIGHTS) & 1 << 13);
}

/* ------------------------------------------ control registers, debug registers, MSRs */

/* An unrestricted guest may be in real mode and without paging; NW and CD are ignored. */
static void check_cr0(struct why *w, const struct why_rule *r)
{
	uint64_t must = why_get(w, IA32_VMX_CR0_FIXED0), may = why_get(w, IA32_VMX_CR0_FIXED1);
	uint64_t value = why_get(w, r->field), bad;

	may |= CR0_NW_CD;
	must &= ~CR0_NW_CD;
	if (why_on(w, CPU2_UNRESTRICTED))
		must &= ~(CR0_PE | CR0_PG);
	bad = (must & ~value) | (value & ~may);
	if (bad)
		why_bad(w, r->field, bad, (value | must) & may);
}

static void check_paging(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if ((value & CR0_PG) && !(value & CR0_PE))
		why_bad(w, r->field, CR0_PE, value | CR0_PE);
}

static void check_lma(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), bit = EFER_LMA;

	if (!!(value & bit) != why_on(w, ENTRY_IA32E))
		why_bad(w, r->field, bit, value ^ bit);
}

static void check_lme(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if ((why_get(w, GUEST_CR0) & CR0_PG) && !(value & EFER_LMA) != !(value & EFER_LME))
		why_bad(w, r->field, EFER_LME, value ^ EFER_LME);
}

static void check_bndcfgs(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), legal = why_make_canonical(w, value) & ~0xffcULL;

	if (value != legal)
		why_bad(w, r->field, value ^ legal, legal);
}

/* ------------------------------------------------------------ RIP and RFLAGS */

/* Above the CPU's width, bits only have to be alike: the address may be non-canonical. */
static void check_rip(struct why *w, const struct why_rule *r)
{
	unsigned int width = why_fact(w, CPU_LINEAR_BITS, 48);
	uint64_t value = why_get(w, r->field), high = ~why_ones(width);

	if (!is_64bit(w)) {
		if (value >> 32)
			why_bad(w, r->field, value & ~why_ones(32), value & why_ones(32));
	} else if ((value & high) && (value & high) != high) {
		why_bad(w, r->field, high, why_make_canonical(w, value));
	}
}

static void check_vm86(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);
	bool real = !(why_get(w, GUEST_CR0) & CR0_PE);

	if ((value & FLAG_VM) && (real || why_on(w, ENTRY_IA32E)))
		why_bad(w, r->field, FLAG_VM, value & ~FLAG_VM);
}

static void check_if(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (injects(w, EXTERNAL) && !(value & RFLAGS_IF))
		why_bad(w, r->field, RFLAGS_IF, value | RFLAGS_IF);
}

/* --------------------------------------------------------- non-register state */

static void check_activity(struct why *w, const struct why_rule *r)
{
	uint64_t states = why_get(w, r->cap) >> MISC_STATES_SHIFT << 1 | 1;
	uint64_t value = why_get(w, r->field);

	if (value > WAIT_FOR_SIPI || !(states >> value & 1))
		why_bad(w, r->field, value, ACTIVE);
}

static void check_hlt_cpl(struct why *w, const struct why_rule *r)
{
	if (why_get(w, r->field) == HLT && (why_get(w, GUEST_SS_ACCESS_RIGHTS) >> 5 & 3))
		why_bad(w, r->field, HLT, ACTIVE);
}

static void check_active_shadow(struct why *w, const struct why_rule *r)
{
	uint64_t shadow = why_get(w, GUEST_INTERRUPTIBILITY) & (BLOCKING_STI | BLOCKING_MOV_SS);

	if (why_get(w, r->field) != ACTIVE && shadow)
		why_bad(w, r->field, why_get(w, r->field), ACTIVE);
}

static bool wakes(uint64_t state, uint64_t event)
{
	unsigned int type = INFO_TYPE(event), vector = INFO_VECTOR(event);

	switch (state) {
	case HLT:
		return type == EXTERNAL || type == NMI || type == OTHER ||
		       (type == HARDWARE && (vector == EXC_DB || vector == EXC_MC));
	case SHUTDOWN:
		return type == NMI || (type == HARDWARE && vector == EXC_MC);
	case WAIT_FOR_SIPI:
		return false;
	default:
		return true;
	}
}

static void check_wakes(struct why *w, const struct why_rule *r)
{
	uint64_t state = why_get(w, r->field);

	if ((info(w) & INFO_VALID) && !wakes(state, info(w)))
		why_bad(w, r->field, state, ACTIVE);
}

static void check_smm_sipi(struct why *w, const struct why_rule *r)
{
	if (why_get(w, r->field) == WAIT_FOR_SIPI)
		why_bad(w, r->field, WAIT_FOR_SIPI, ACTIVE);
}

static void clear_blocking(struct why *w, uint64_t bits)
{
	uint64_t value = why_get(w, GUEST_INTERRUPTIBILITY);

	if (value & bits)
		why_bad(w, GUEST_INTERRUPTIBILITY, value & bits, value & ~bits);
}

static void check_both(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if ((value & BLOCKING_STI) && (value & BLOCKING_MOV_SS))
		why_bad(w, r->field, BLOCKING_STI | BLOCKING_MOV_SS, value & ~BLOCKING_STI);
}

static void check_sti_if(struct why *w, const struct why_rule *r)
{
	(void)r;
	if (!(why_get(w, GUEST_RFLAGS) & RFLAGS_IF))
		clear_blocking(w, BLOCKING_STI);
}

/* r->arg: an event, and the blocking that it forbids. */
#define FORBIDS(type, blocking)	((type) << 8 | (blocking))

static void check_blocking(struct why *w, const struct why_rule *r)
{
	if (injects(w, r->arg >> 8))
		clear_blocking(w, r->arg & 0xff);
}

static void check_smi(struct why *w, const struct why_rule *r)
{
	(void)r;
	if (!why_get(w, CPU_IN_SMM))
		clear_blocking(w, BLOCKING_SMI);
}

static void check_enclave(struct why *w, const struct why_rule *r)
{
	if (why_get(w, r->field) & ENCLAVE)
		clear_blocking(w, BLOCKING_MOV_SS);
}

static void check_sgx(struct why *w, const struct why_rule *r)
{
	if (!why_fact(w, r->cap, 1))
		clear_blocking(w, ENCLAVE);
}

static void check_step(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), blocking = why_get(w, GUEST_INTERRUPTIBILITY);
	bool step = (why_get(w, GUEST_RFLAGS) & FLAG_TF) &&
		    !(why_get(w, GUEST_IA32_DEBUGCTL) & DEBUGCTL_BTF);

	if (!(blocking & (BLOCKING_STI | BLOCKING_MOV_SS)) &&
	    why_get(w, GUEST_ACTIVITY_STATE) != HLT)
		return;
	if (!!(value & PENDING_BS) != step)
		why_bad(w, r->field, PENDING_BS, value ^ PENDING_BS);
}

static void check_rtm(struct why *w, const struct why_rule *r)
{
	const uint64_t enabled_breakpoint = 1 << 12;
	uint64_t value = why_get(w, r->field);

	if ((value & PENDING_RTM) && (value & 0x1ffff) != (PENDING_RTM | enabled_breakpoint))
		why_bad(w, r->field, value & 0x1ffff, value & ~0x1ffffULL);
}

static void check_rtm_exists(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if ((value & PENDING_RTM) && !why_fact(w, r->cap, 1))
		why_bad(w, r->field, PENDING_RTM, value & ~PENDING_RTM);
}

static void check_rtm_shadow(struct why *w, const struct why_rule *r)
{
	if (why_get(w, r->field) & PENDING_RTM)
		clear_blocking(w, BLOCKING_MOV_SS);
}

static void check_link(struct why *w, const struct why_rule *r)
{
	if (why_get(w, r->field) != ~0ULL)
		why_phys(w, r);
}

static void check_link_revision(struct why *w, const struct why_rule *r)
{
	uint64_t expected = (why_get(w, IA32_VMX_BASIC) & 0x7fffffff) |
			    (uint64_t)why_on(w, CPU2_VMCS_SHADOWING) << 31;

	if (why_get(w, r->field) != ~0ULL && why_has(w, MEM_LINK_REVISION) &&
	    (uint32_t)why_get(w, MEM_LINK_REVISION) != expected)
		why_bad(w, r->field, ~0ULL, ~0ULL);
}

static void check_link_current(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (value != ~0ULL && why_has(w, MEM_CURRENT_VMCS) && value == why_get(w, MEM_CURRENT_VMCS))
		why_bad(w, r->field, ~0ULL, ~0ULL);
}

/* --------------------------------------------------------------------- PDPTEs */

static void check_pdpte(struct why *w, const struct why_rule *r)
{
	uint64_t reserved = PDPTE_RESERVED | why_phys_bits(w), value = why_get(w, r->field);

	if ((why_get(w, GUEST_CR0) & CR0_PG) && (why_get(w, GUEST_CR4) & CR4_PAE) &&
	    (value & PDPTE_PRESENT) && (value & reserved))
		why_bad(w, r->field, value & reserved, value & ~reserved);
}

#define GUEST(sub, sentence)	\
	.class = VITRO_WHY_GUEST, .section = "SDM 3C 27.3.1." sub, .text = sentence
#define HIGH_HALF	0xffffffff00000000ULL
#define PDPTE(n)								\
	{ GUEST("6", "a present PDPTE has no reserved bit"),			\
	  .when = { ON(CPU2_EPT), OFF(ENTRY_IA32E) },				\
	  .check = check_pdpte, .field = GUEST_PDPTE##n, .cap = CPU_PHYS_BITS }
#define MEM_PDPTE(n)								\
	{ GUEST("6", "a present PDPTE that CR3 leads to has no reserved bit"),	\
	  .when = { OFF(CPU2_EPT), OFF(ENTRY_IA32E) },				\
	  .check = check_pdpte, .field = MEM_PDPTE##n, .cap = CPU_PHYS_BITS }

const struct why_rule vmx_guest_rules[] = {
	/* Control registers, debug registers, MSRs */
	{ GUEST("1",
		"CR0 has what VMX operation demands; an unrestricted guest is free of PE and PG"),
	  .check = check_cr0, .field = GUEST_CR0, .cap = IA32_VMX_CR0_FIXED0 },
	{ GUEST("1", "there is no paging (CR0.PG) without protection (CR0.PE)"),
	  .check = check_paging, .field = GUEST_CR0 },
	{ GUEST("1", "CR4 has what VMX operation demands, and nothing that it forbids"),
	  .check = vmx_fixed, .field = GUEST_CR4, .cap = IA32_VMX_CR4_FIXED0 },
	{ GUEST("1", "with CR4.CET, CR0.WP is 1"), .check = why_cet_wp, .field = GUEST_CR0,
	  .arg = GUEST_CR4 },
	{ GUEST("1", "IA32_DEBUGCTL has no reserved bit"), .when = { ON(ENTRY_LOAD_DEBUG) },
	  .check = why_known, .field = GUEST_IA32_DEBUGCTL, .cap = CPU_DEBUGCTL_BITS },
	{ GUEST("1", "a guest in IA-32e mode has paging"), .when = { ON(ENTRY_IA32E) },
	  .check = why_set, .field = GUEST_CR0, .arg = CR0_PG },
	{ GUEST("1", "a guest in IA-32e mode has CR4.PAE"), .when = { ON(ENTRY_IA32E) },
	  .check = why_set, .field = GUEST_CR4, .arg = CR4_PAE },
	{ GUEST("1", "a guest outside of IA-32e mode has CR4.PCIDE = 0"),
	  .when = { OFF(ENTRY_IA32E) },
	  .check = why_zero, .field = GUEST_CR4, .arg = CR4_PCIDE },
	{ GUEST("1", "CR3 has no bit beyond the physical-address width"),
	  .check = why_phys, .field = GUEST_CR3, .cap = CPU_PHYS_BITS },
	{ GUEST("1", "DR7 has 32 bits"), .when = { ON(ENTRY_LOAD_DEBUG) },
	  .check = why_zero, .field = GUEST_DR7, .arg = HIGH_HALF },
	{ GUEST("1", "IA32_SYSENTER_ESP is canonical"),
	  .check = why_canonical, .field = GUEST_SYSENTER_ESP },
	{ GUEST("1", "IA32_SYSENTER_EIP is canonical"),
	  .check = why_canonical, .field = GUEST_SYSENTER_EIP },
	{ GUEST("1", "IA32_PERF_GLOBAL_CTRL has no reserved bit"), .when = { ON(ENTRY_LOAD_PERF) },
	  .check = why_known, .field = GUEST_IA32_PERF_GLOBAL_CTRL, .cap = CPU_PERF_BITS },
	{ GUEST("1", "each byte of IA32_PAT is a memory type: 0, 1, 4, 5, 6 or 7"),
	  .when = { ON(ENTRY_LOAD_PAT) }, .check = why_pat, .field = GUEST_IA32_PAT },
	{ GUEST("1", "IA32_EFER has no bit that the CPU lacks"), .when = { ON(ENTRY_LOAD_EFER) },
	  .check = why_known, .field = GUEST_IA32_EFER, .cap = CPU_EFER_BITS },
	{ GUEST("1", "IA32_EFER.LMA is what \"IA-32e mode guest\" is"),
	  .when = { ON(ENTRY_LOAD_EFER) },
	  .check = check_lma, .field = GUEST_IA32_EFER },
	{ GUEST("1", "with paging, IA32_EFER.LME is what LMA is"), .when = { ON(ENTRY_LOAD_EFER) },
	  .check = check_lme, .field = GUEST_IA32_EFER },
	{ GUEST("1", "IA32_BNDCFGS has bits 11:2 = 0 and a canonical address"),
	  .when = { ON(ENTRY_LOAD_BNDCFGS) }, .check = check_bndcfgs, .field = GUEST_IA32_BNDCFGS },
	{ GUEST("1", "IA32_RTIT_CTL has no reserved bit"), .when = { ON(ENTRY_LOAD_RTIT) },
	  .check = why_zero, .field = GUEST_IA32_RTIT_CTL, .arg = RTIT_CTL_RESERVED },
	{ GUEST("1", "IA32_LBR_CTL has no reserved bit"), .when = { ON(ENTRY_LOAD_LBR) },
	  .check = why_zero, .field = GUEST_IA32_LBR_CTL, .arg = LBR_CTL_RESERVED },
	{ GUEST("1", "UINV has 8 bits"), .when = { ON(ENTRY_LOAD_UINV) },
	  .check = why_zero, .field = GUEST_UINV, .arg = 0xff00 },
	{ GUEST("1",
		"IA32_S_CET has no reserved bit, not SUPPRESS and TRACKER, a canonical address"),
	  .when = { ON(ENTRY_LOAD_CET) }, .check = vmx_s_cet, .field = GUEST_IA32_S_CET },
	{ GUEST("1", "IA32_INTERRUPT_SSP_TABLE_ADDR is canonical"), .when = { ON(ENTRY_LOAD_CET) },
	  .check = why_canonical, .field = GUEST_SSP_TABLE },
	{ GUEST("4", "the shadow-stack pointer is a multiple of 4"), .when = { ON(ENTRY_LOAD_CET) },
	  .check = why_zero, .field = GUEST_SSP, .arg = 3 },
	{ GUEST("4", "the shadow-stack pointer is canonical"), .when = { ON(ENTRY_LOAD_CET) },
	  .check = why_canonical, .field = GUEST_SSP },
	{ GUEST("1", "PKRS has 32 bits"), .when = { ON(ENTRY_LOAD_PKRS) },
	  .check = why_zero, .field = GUEST_IA32_PKRS, .arg = HIGH_HALF },

	/* Descriptor tables */
	{ GUEST("3", "the GDT's base is canonical"),
	  .check = why_canonical, .field = GUEST_GDTR_BASE },
	{ GUEST("3", "the IDT's base is canonical"),
	  .check = why_canonical, .field = GUEST_IDTR_BASE },
	{ GUEST("3", "the GDT's limit has 16 bits"),
	  .check = why_zero, .field = GUEST_GDTR_LIMIT, .arg = 0xffff0000 },
	{ GUEST("3", "the IDT's limit has 16 bits"),
	  .check = why_zero, .field = GUEST_IDTR_LIMIT, .arg = 0xffff0000 },

	/* RIP and RFLAGS */
	{ GUEST("4", "RIP has 32 bits, or in 64-bit mode all bits alike beyond the linear address"),
	  .check = check_rip, .field = GUEST_RIP, .cap = CPU_LINEAR_BITS },
	{ GUEST("4", "RFLAGS bits 63:22, 15, 5 and 3 are 0"),
	  .check = why_zero, .field = GUEST_RFLAGS, .arg = RFLAGS_RESERVED },
	{ GUEST("4", "RFLAGS bit 1 is 1"),
	  .check = why_set, .field = GUEST_RFLAGS, .arg = FLAG_FIXED },
	{ GUEST("4", "there is no virtual-8086 mode (RFLAGS.VM) in IA-32e or real mode"),
	  .check = check_vm86, .field = GUEST_RFLAGS },
	{ GUEST("4", "RFLAGS.IF is 1 if an external interrupt is injected"),
	  .check = check_if, .field = GUEST_RFLAGS },

	/* Non-register state */
	{ GUEST("5", "the activity state is one that the CPU has"),
	  .check = check_activity, .field = GUEST_ACTIVITY_STATE, .cap = IA32_VMX_MISC },
	{ GUEST("5", "only privilege level 0 (SS.DPL) halts"),
	  .check = check_hlt_cpl, .field = GUEST_ACTIVITY_STATE },
	{ GUEST("5", "in the shadow of STI or MOV SS the guest is active"),
	  .check = check_active_shadow, .field = GUEST_ACTIVITY_STATE },
	{ GUEST("5", "the activity state does not block an injected event"),
	  .check = check_wakes, .field = GUEST_ACTIVITY_STATE },
	{ GUEST("5", "an entry to SMM does not wait for a SIPI"), .when = { ON(ENTRY_SMM) },
	  .check = check_smm_sipi, .field = GUEST_ACTIVITY_STATE },
	{ GUEST("5", "bits 31:5 of the interruptibility state are 0"), .check = why_zero,
	  .field = GUEST_INTERRUPTIBILITY, .arg = INTERRUPTIBILITY_RESERVED },
	{ GUEST("5", "STI and MOV SS do not block at once"),
	  .check = check_both, .field = GUEST_INTERRUPTIBILITY },
	{ GUEST("5", "STI blocks only with RFLAGS.IF = 1"), .check = check_sti_if },
	{ GUEST("5", "an external interrupt is not injected in the shadow of STI or MOV SS"),
	  .check = check_blocking, .arg = FORBIDS(EXTERNAL, BLOCKING_STI | BLOCKING_MOV_SS) },
	{ GUEST("5", "an NMI is not injected in the shadow of MOV SS"),
	  .check = check_blocking, .arg = FORBIDS(NMI, BLOCKING_MOV_SS) },
	{ GUEST("5", "SMIs are blocked only in SMM"), .check = check_smi },
	{ GUEST("5", "SMIs are blocked after an entry to SMM"), .when = { ON(ENTRY_SMM) },
	  .check = why_set, .field = GUEST_INTERRUPTIBILITY, .arg = BLOCKING_SMI },
	{ GUEST("5", "an NMI is not injected in the shadow of STI, on some processors"),
	  .check = check_blocking, .arg = FORBIDS(NMI, BLOCKING_STI) },
	{ GUEST("5", "an NMI is not injected while virtual NMIs are blocked"),
	  .when = { ON(PIN_VIRTUAL_NMIS) },
	  .check = check_blocking, .arg = FORBIDS(NMI, BLOCKING_NMI) },
	{ GUEST("5", "an enclave interruption is not in the shadow of MOV SS"),
	  .check = check_enclave, .field = GUEST_INTERRUPTIBILITY },
	{ GUEST("5", "there are enclave interruptions only on processors with SGX"),
	  .check = check_sgx, .cap = CPU_SGX },
	{ GUEST("5", "bits 11:4, 13, 15 and 63:17 of the pending debug exceptions are 0"),
	  .check = why_zero, .field = GUEST_PENDING_DEBUG, .arg = PENDING_RESERVED },
	{ GUEST("5",
		"in a shadow or halted, a single step is pending (BS) just if TF is 1 and BTF 0"),
	  .check = check_step, .field = GUEST_PENDING_DEBUG },
	{ GUEST("5", "a debug exception in a transaction (bit 16) has bit 12, and no other"),
	  .check = check_rtm, .field = GUEST_PENDING_DEBUG },
	{ GUEST("5", "a debug exception in a transaction is for processors with RTM"),
	  .check = check_rtm_exists, .field = GUEST_PENDING_DEBUG, .cap = CPU_RTM },
	{ GUEST("5", "a debug exception in a transaction is not in the shadow of MOV SS"),
	  .check = check_rtm_shadow, .field = GUEST_PENDING_DEBUG },
	{ GUEST("5", "the VMCS link pointer is all ones, or the address of a page"),
	  .check = check_link, .field = VMCS_LINK_POINTER, .arg = 0xfff, .cap = CPU_PHYS_BITS },
	{ GUEST("5", "the VMCS link pointer leads to a VMCS of the CPU's revision"),
	  .check = check_link_revision, .field = VMCS_LINK_POINTER, .cap = IA32_VMX_BASIC },
	{ GUEST("5", "the VMCS link pointer does not point to the current VMCS"),
	  .check = check_link_current, .field = VMCS_LINK_POINTER, .cap = MEM_CURRENT_VMCS },

	/* Page-directory-pointer-table entries */
	PDPTE(0), PDPTE(1), PDPTE(2), PDPTE(3),
	MEM_PDPTE(0), MEM_PDPTE(1), MEM_PDPTE(2), MEM_PDPTE(3),
	{ .text = NULL }
};

/* ------------------------------------------------------------------ MSR loading */

#define MSR_FS_BASE	0xc0000100
#define MSR_GS_BASE	0xc0000101
#define MSR_X2APIC	0x800		/* to 0x8ff */
#define MSR_SMM_MONITOR	0x9b

static bool can_load(uint32_t index)
{
	return index != MSR_FS_BASE && index != MSR_GS_BASE && index >> 8 != MSR_X2APIC >> 8 &&
	       index != MSR_SMM_MONITOR;
}

/* What the entry has of the area: two numbers an entry, from r->field on. */
static void check_loads(struct why *w, const struct why_rule *r)
{
	uint64_t i, head, nr = why_get(w, VM_ENTRY_MSR_LOAD_COUNT);

	for (i = 0; i < nr && i < WHY_MSR_LOADS; i++) {
		head = why_get(w, r->field + 2 * i);
		if (why_has(w, r->field + 2 * i) && (head >> 32 || !can_load(head)))
			why_bad(w, r->field + 2 * i, head, head & why_ones(32));
	}
}

const struct why_rule vmx_msr_rules[] = {
	{ .class = VITRO_WHY_MSRS, .section = "SDM 3C 27.4",
	  .text = "an entry cannot load FS_BASE, GS_BASE, MSRs of the x2APIC, IA32_SMM_MONITOR_CTL",
	  .check = check_loads, .field = MSR_LOAD0_INDEX },
	{ .text = NULL }
};
