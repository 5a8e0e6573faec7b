/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States that a processor enters, for tests of the explainer to break. */
#ifndef WHY_STATES_H
#define WHY_STATES_H

#include <linux/vitro.h>
#include <vitro/vitro.h>
#include <vitro/why.h>

/* A field by name, and what to put there. */
struct change {
	const char *field;
	uint64_t value;
};

/* A 64-bit guest, on a CPU that has nearly everything. */
static const struct change vmx_good[] = {
	{ "IA32_VMX_BASIC", 0x00d8100000000012 },
	{ "IA32_VMX_PROCBASED_CTLS", 0xfffbfffe0401e172 },
	{ "IA32_VMX_TRUE_PINBASED_CTLS", 0x000000ff00000016 },
	{ "IA32_VMX_TRUE_PROCBASED_CTLS", 0xfffbfffe04006172 },
	{ "IA32_VMX_PROCBASED_CTLS2", 0x07ffffff00000000 },
	{ "IA32_VMX_PROCBASED_CTLS3", 0x1e },
	{ "IA32_VMX_TRUE_EXIT_CTLS", 0xf3ffffff00036dfb },
	{ "IA32_VMX_EXIT_CTLS2", 0x8 },
	{ "IA32_VMX_TRUE_ENTRY_CTLS", 0x007fffff000011fb },
	{ "IA32_VMX_MISC", 0x0000000000000165 | 3 << 6 },
	{ "IA32_VMX_CR0_FIXED0", 0x80000021 },
	{ "IA32_VMX_CR0_FIXED1", 0xffffffff },
	{ "IA32_VMX_CR4_FIXED0", 0x2000 },
	{ "IA32_VMX_CR4_FIXED1", 0x00f627ff },
	{ "IA32_VMX_EPT_VPID_CAP", 0x00000f0106734141 },
	{ "IA32_VMX_VMFUNC", 1 },
	{ "CPU_PHYS_BITS", 40 },
	{ "CPU_LINEAR_BITS", 48 },
	{ "CPU_EFER", 0xd01 },
	{ "CPU_EFER_BITS", 0xd01 },
	{ "CPU_DEBUGCTL_BITS", 0xffc3 },
	{ "CPU_PERF_BITS", 0x70000000f },
	{ "MEM_CURRENT_VMCS", 0x5000 },

	{ "PIN_BASED_CONTROLS", 0x3f },
	{ "PRIMARY_CONTROLS", 0x94006172 | 1 << 21 | 1 << 25 | 1U << 31 },
	{ "SECONDARY_CONTROLS", 1 << 1 | 1 << 5 | 1 << 7 },
	{ "VM_EXIT_CONTROLS", 0x00036dfb | 1 << 9 | 1 << 15 | 1 << 19 | 1 << 21 },
	{ "VM_ENTRY_CONTROLS", 0x000011fb | 1 << 9 | 1 << 14 | 1 << 15 },
	{ "IO_BITMAP_A", 0x1000 }, { "IO_BITMAP_B", 0x2000 }, { "MSR_BITMAP", 0x3000 },
	{ "VIRTUAL_APIC_ADDRESS", 0x4000 }, { "EPT_POINTER", 0x801e }, { "VPID", 1 },
	{ "TSC_MULTIPLIER", 1ULL << 48 },

	{ "VM_ENTRY_INSTRUCTION_LENGTH", 0 }, { "GUEST_PENDING_DEBUG", 0 },
	{ "GUEST_ES_BASE", 0 }, { "GUEST_CS_BASE", 0 }, { "GUEST_SS_BASE", 0 },
	{ "GUEST_DS_BASE", 0 }, { "GUEST_FS_BASE", 0 }, { "GUEST_GS_BASE", 0 },
	{ "HOST_CR0", 0x80050033 }, { "HOST_CR3", 0x1000 }, { "HOST_CR4", 0x26e0 },
	{ "HOST_CS_SELECTOR", 0x10 }, { "HOST_SS_SELECTOR", 0x18 }, { "HOST_TR_SELECTOR", 0x40 },
	{ "HOST_IA32_PAT", 0x0007040600070406 }, { "HOST_IA32_EFER", 0xd01 },
	{ "HOST_RIP", 0xffffffff81000000 }, { "HOST_GS_BASE", 0xffff888000000000 },

	{ "GUEST_CR0", 0x80050033 }, { "GUEST_CR3", 0x2000 }, { "GUEST_CR4", 0x26e0 },
	{ "GUEST_IA32_PAT", 0x0007040600070406 }, { "GUEST_IA32_EFER", 0xd01 },
	{ "GUEST_DR7", 0x400 }, { "GUEST_RIP", 0x100000 }, { "GUEST_RFLAGS", 0x202 },
	{ "GUEST_CS_SELECTOR", 0x10 }, { "GUEST_CS_LIMIT", 0xffffffff },
	{ "GUEST_CS_ACCESS_RIGHTS", 0xa09b },
	{ "GUEST_SS_SELECTOR", 0x18 }, { "GUEST_SS_LIMIT", 0xffffffff },
	{ "GUEST_SS_ACCESS_RIGHTS", 0xc093 },
	{ "GUEST_DS_SELECTOR", 0x18 }, { "GUEST_DS_LIMIT", 0xffffffff },
	{ "GUEST_DS_ACCESS_RIGHTS", 0xc093 },
	{ "GUEST_ES_SELECTOR", 0x18 }, { "GUEST_ES_LIMIT", 0xffffffff },
	{ "GUEST_ES_ACCESS_RIGHTS", 0xc093 },
	{ "GUEST_FS_ACCESS_RIGHTS", 0x10000 }, { "GUEST_GS_ACCESS_RIGHTS", 0x10000 },
	{ "GUEST_LDTR_ACCESS_RIGHTS", 0x10000 },
	{ "GUEST_TR_SELECTOR", 0x40 }, { "GUEST_TR_LIMIT", 0x67 },
	{ "GUEST_TR_ACCESS_RIGHTS", 0x8b },
	{ "GUEST_GDTR_LIMIT", 0x7f }, { "GUEST_IDTR_LIMIT", 0xfff },
	{ "VMCS_LINK_POINTER", ~0ULL },
	{ NULL, 0 }
};

/* A 64-bit guest under nested paging. */
static const struct change svm_good[] = {
	{ "CPU_PHYS_BITS", 40 },
	{ "CPU_EFER_BITS", 0x5d01 },
	{ "CPU_CR4_BITS", 0x00f707ff },
	{ "INTERCEPT_VECTOR4", 1 },
	{ "IOPM_BASE_PA", 0x10000 }, { "MSRPM_BASE_PA", 0x20000 },
	{ "GUEST_ASID", 1 }, { "NP_CONTROL", 1 }, { "N_CR3", 0x30000 },
	{ "G_PAT", 0x0007040600070406 },
	{ "EFER", 0x1d01 }, { "CR0", 0x80050033 }, { "CR3", 0x1000 }, { "CR4", 0x6e0 },
	{ "DR6", 0xffff0ff0 }, { "DR7", 0x400 }, { "RFLAGS", 2 },
	{ "CS_ATTRIB", 0x29b },
	{ NULL, 0 }
};

static inline bool apply(struct vitro_entry *entry, const struct change *change)
{
	uint32_t id;

	for (; change->field; change++)
		if (!vitro_field_id(vitro_entry_vendor(entry), change->field, &id) ||
		    vitro_entry_set(entry, id, change->value))
			return false;
	return true;
}

static inline struct vitro_entry *good(unsigned int vendor)
{
	struct vitro_entry *entry = vitro_entry_new(vendor);

	if (entry && !apply(entry, vendor == VITRO_VENDOR_SVM ? svm_good : vmx_good)) {
		vitro_entry_free(entry);
		return NULL;
	}
	return entry;
}

#endif /* WHY_STATES_H */
