// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR of the MSRs that the guest does not access by itself.  Each is
 * held by somebody (APIC, clock, backend), or is a fact about this machine.  MSRs
 * that are not here go to userspace.
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <uapi/asm/kvm_para.h>

#include "apic/apic.h"
#include "core/core.h"

/* Facts: what a read gives, and the only value, if any, that a write may have. */
static const struct msr_fact {
	u32 index;
	enum { WRITE_GP, WRITE_SAME, WRITE_IGNORED } write;
	u64 value;
} facts[] = {
	/* No platform, no microcode to load. */
	{ MSR_IA32_PLATFORM_ID,		WRITE_GP,	0 },
	{ MSR_IA32_UCODE_REV,		WRITE_IGNORED,	0 },
	/* No branch records, no debug-store, no machine-check banks. */
	{ MSR_IA32_DEBUGCTLMSR,		WRITE_SAME,	0 },
	/* Intel: string instructions are fast; no VMX, and firmware has locked that. */
	{ MSR_IA32_MISC_ENABLE,		WRITE_IGNORED,	MSR_IA32_MISC_ENABLE_FAST_STRING },
	{ MSR_IA32_FEAT_CTL,		WRITE_GP,	FEAT_CTL_LOCKED },
	{ MSR_IA32_EBL_CR_POWERON,	WRITE_IGNORED,	0 },
	{ MSR_IA32_MCG_CAP,		WRITE_GP,	0 },
	{ MSR_IA32_MCG_STATUS,		WRITE_SAME,	0 },
	/* AMD: the TSC counts at P0 (HWCR.TscFreqSel), LFENCE serializes. */
	{ MSR_K7_HWCR,			WRITE_IGNORED,	BIT_ULL(24) },
	{ MSR_AMD64_DE_CFG,		WRITE_IGNORED,	BIT_ULL(1) },
	/* AMD: no top of memory, no northbridge, no chicken bits to set. */
	{ MSR_AMD64_SYSCFG,		WRITE_IGNORED,	0 },
	{ MSR_AMD64_NB_CFG,		WRITE_IGNORED,	0 },
	{ MSR_AMD64_LS_CFG,		WRITE_IGNORED,	0 },
	{ MSR_AMD64_DC_CFG,		WRITE_IGNORED,	0 },
	{ MSR_AMD64_BU_CFG2,		WRITE_IGNORED,	0 },
	{ MSR_K8_INT_PENDING_MSG,	WRITE_IGNORED,	0 },
	{ MSR_AMD64_OSVW_ID_LENGTH,	WRITE_GP,	0 },
	{ MSR_AMD64_OSVW_STATUS,	WRITE_GP,	0 },
	{ MSR_VM_CR,			WRITE_SAME,	BIT_ULL(4) | BIT_ULL(3) },
	/* Counters that never count: software sees that they do not work. */
	{ MSR_K7_EVNTSEL0,		WRITE_IGNORED,	0 },
	{ MSR_K7_EVNTSEL1,		WRITE_IGNORED,	0 },
	{ MSR_K7_EVNTSEL2,		WRITE_IGNORED,	0 },
	{ MSR_K7_EVNTSEL3,		WRITE_IGNORED,	0 },
	{ MSR_K7_PERFCTR0,		WRITE_IGNORED,	0 },
	{ MSR_K7_PERFCTR1,		WRITE_IGNORED,	0 },
	{ MSR_K7_PERFCTR2,		WRITE_IGNORED,	0 },
	{ MSR_K7_PERFCTR3,		WRITE_IGNORED,	0 },
};

static const struct msr_fact *find_fact(u32 index)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		if (facts[i].index == index)
			return &facts[i];
	}
	return NULL;
}

/**
 * msr_pat_valid - are all eight memory types of a PAT value known? (SDM 3A 12.12.2)
 * @pat: the value
 */
bool msr_pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 64; i += 8) {
		u8 type = pat >> i;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

/**
 * cr0_valid - would MOV to CR0 take this value? (SDM 3A 2.5)
 * @vcpu: in a burst
 * @cr0: the value
 */
bool cr0_valid(struct vitro_vcpu *vcpu, u64 cr0)
{
	u64 efer;

	if (cr0 >> 32)
		return false;
	if ((cr0 & X86_CR0_PG) && !(cr0 & X86_CR0_PE))
		return false;
	if ((cr0 & X86_CR0_NW) && !(cr0 & X86_CR0_CD))
		return false;
	if (backend->get_msr(vcpu, MSR_EFER, &efer))
		return false;
	if (cr0 & X86_CR0_PG)	/* IA-32e paging is an extension of PAE's */
		return !(efer & EFER_LME) || (vcpu->guest_cr4 & X86_CR4_PAE);
	return !(vcpu->guest_cr4 & X86_CR4_PCIDE);
}

/**
 * cr4_valid - would MOV to CR4 take this value? (SDM 3A 2.5)
 * @vcpu: also in a burst
 * @cr4: the value
 */
bool cr4_valid(const struct vitro_vcpu *vcpu, u64 cr4)
{
	u64 efer;

	if (cr4 & ~vcpu->cr4_allowed)
		return false;
	if (backend->get_msr((struct vitro_vcpu *)vcpu, MSR_EFER, &efer))
		return false;
	if (efer & EFER_LMA)
		return cr4 & X86_CR4_PAE;
	return !(cr4 & X86_CR4_PCIDE);
}

static int set_efer(struct vitro_vcpu *vcpu, u64 value)
{
	struct guest_code code;
	u64 old;

	/* LMA is the CPU's to say: a write leaves it as it is. */
	if (value & ~(vcpu->efer_allowed | EFER_LMA))
		return -EINVAL;
	if (backend->get_msr(vcpu, MSR_EFER, &old))
		return -EINVAL;
	/* LME cannot change while paging is on (APM 2 14.6.1). */
	backend->code(vcpu, &code);
	if (((old ^ value) & EFER_LME) && (code.paging.cr0 & X86_CR0_PG))
		return -EINVAL;
	return backend->set_msr(vcpu, MSR_EFER, (value & ~(u64)EFER_LMA) | (old & EFER_LMA));
}

/**
 * msr_read - RDMSR
 * @vcpu: in a burst
 * @index: ECX
 * @value: filled in
 *
 * Returns 0; -EINVAL: the guest gets #GP; -ENOENT: userspace decides.
 */
int msr_read(struct vitro_vcpu *vcpu, u32 index, u64 *value)
{
	const struct msr_fact *fact;

	switch (index) {
	case MSR_IA32_TSC:
		*value = clock_guest_tsc(vcpu);
		return 0;
	case MSR_IA32_APICBASE:
		*value = vcpu->apic.base;
		return 0;
	case MSR_IA32_TSC_DEADLINE:
		*value = READ_ONCE(vcpu->apic.tsc_deadline);
		return 0;
	case APIC_BASE_MSR ... APIC_BASE_MSR + 0xff:
		return lapic_rdmsr(vcpu, index, value);
	case MSR_TSC_AUX:
		if (!host_has_tsc_aux())
			return -EINVAL;
		*value = vcpu->tsc_aux;
		return 0;
	case MSR_KVM_SYSTEM_TIME_NEW:
		*value = vcpu->clock_msr;
		return 0;
	case MSR_KVM_WALL_CLOCK_NEW:
		*value = vcpu->wall_msr;
		return 0;
	}
	if (!backend->get_msr(vcpu, index, value))
		return 0;
	fact = find_fact(index);
	if (!fact)
		return -ENOENT;
	*value = fact->value;
	return 0;
}

/**
 * msr_write - WRMSR
 * @vcpu: in a burst
 * @index: ECX
 * @value: EDX:EAX
 *
 * Returns 0; -EINVAL: the guest gets #GP; -ENOENT: userspace decides.
 */
int msr_write(struct vitro_vcpu *vcpu, u32 index, u64 value)
{
	const struct msr_fact *fact;

	/* By far the most: EOIs, and IPIs. */
	if (index - APIC_BASE_MSR <= 0xff)
		return lapic_wrmsr(vcpu, index, value);
	switch (index) {
	case MSR_IA32_TSC:
		clock_set_guest_tsc(vcpu, value);
		backend->set_tsc_offset(vcpu);
		return 0;
	case MSR_IA32_APICBASE:
		return lapic_set_base(vcpu, value);
	case MSR_IA32_TSC_DEADLINE:
		apic_timer_set_deadline(vcpu, value);
		return 0;
	case MSR_TSC_AUX:
		if (!host_has_tsc_aux() || value >> 32)
			return -EINVAL;
		host_set_tsc_aux(vcpu, value);
		return 0;
	case MSR_KVM_SYSTEM_TIME_NEW:
		return clock_set_system_time(vcpu, value);
	case MSR_KVM_WALL_CLOCK_NEW:
		return clock_set_wall_clock(vcpu, value);
	case MSR_EFER:
		return set_efer(vcpu, value);
	case MSR_IA32_CR_PAT:
		return msr_pat_valid(value) ? backend->set_msr(vcpu, index, value) : -EINVAL;
	}
	fact = find_fact(index);
	if (!fact)
		return -ENOENT;
	if (fact->write == WRITE_GP || (fact->write == WRITE_SAME && value != fact->value))
		return -EINVAL;
	return 0;
}
