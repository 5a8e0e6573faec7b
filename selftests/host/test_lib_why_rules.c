// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's explainer of failed VM entries, rule by rule: each broken state differs
 * from a good one in one or a few fields, and the explainer has to name the rule that
 * forbids it.
 */
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "why_states.h"

#define MAX	32

/* ------------------------------------------------------------- broken states */

/**
 * struct broken - a state that cannot be entered
 * @name: for the report
 * @section: where the manual has the rule, after the prefix of its group
 * @rule: a part of the sentence that has to be found
 * @change: what breaks the good state
 */
struct broken {
	const char *name;
	const char *section;
	const char *rule;
	struct change change[6];
};

/* VMX: controls. */
static const struct broken controls[] = {
	{ "pin_reserved", "1", "pin-based controls have", { { "PIN_BASED_CONTROLS", 0x3f & ~2 } } },
	{ "primary_reserved", "1", "primary controls",
	  { { "PRIMARY_CONTROLS", 0xb6006172 | 1 } } },
	{ "secondary_lacking", "1", "secondary controls",
	  { { "SECONDARY_CONTROLS", 0xa2 | 1U << 27 } } },
	{ "cr3_targets", "1", "CR3-target", { { "CR3_TARGET_COUNT", 5 } } },
	{ "io_bitmap_unaligned", "1", "I/O bitmap A", { { "IO_BITMAP_A", 0x1800 } } },
	{ "msr_bitmap_beyond", "1", "MSR bitmap", { { "MSR_BITMAP", 1ULL << 40 } } },
	{ "vapic_unaligned", "1", "virtual-APIC page", { { "VIRTUAL_APIC_ADDRESS", 0x4010 } } },
	{ "tpr_threshold", "1", "TPR threshold has 4 bits", { { "TPR_THRESHOLD", 0x10 } } },
	{ "tpr_above", "1", "not above bits 7:4",
	  { { "TPR_THRESHOLD", 3 }, { "MEM_VTPR", 0x20 } } },
	{ "virtual_nmis", "1", "virtual NMIs only", { { "PIN_BASED_CONTROLS", 0x37 } } },
	{ "nmi_window", "1", "NMI window",
	  { { "PIN_BASED_CONTROLS", 0x1f }, { "PRIMARY_CONTROLS", 0xb6006172 | 1 << 22 } } },
	{ "x2apic_no_shadow", "1", "x2APIC mode is virtualized only",
	  { { "PRIMARY_CONTROLS", 0x96006172 }, { "SECONDARY_CONTROLS", 0xa2 | 1 << 4 } } },
	{ "x2apic_and_accesses", "1", "either x2APIC",
	  { { "SECONDARY_CONTROLS", 0xa2 | 1 << 4 | 1 } } },
	{ "delivery_no_exits", "1", "if external interrupts cause exits",
	  { { "PIN_BASED_CONTROLS", 0x3e }, { "SECONDARY_CONTROLS", 0xa2 | 1 << 9 } } },
	{ "posted_no_delivery", "1", "posted interrupts need virtual",
	  { { "PIN_BASED_CONTROLS", 0xbf } } },
	{ "vpid_zero", "1", "VPID is not 0", { { "VPID", 0 } } },
	{ "ept_type", "1", "memory type is one", { { "EPT_POINTER", 0x801c } } },
	{ "ept_walk", "1", "page-walk length", { { "EPT_POINTER", 0x8016 } } },
	{ "ept_shadow_stack", "1", "shadow-stack access rights", { { "EPT_POINTER", 0x809e } } },
	{ "ept_reserved", "1", "EPTP's reserved", { { "EPT_POINTER", 0x811e } } },
	{ "unrestricted_no_ept", "1", "unrestricted guest needs EPT",
	  { { "SECONDARY_CONTROLS", 0xa0 } } },
	{ "pml_no_ept", "1", "page-modification logging needs EPT",
	  { { "SECONDARY_CONTROLS", 1 << 17 } } },
	{ "multiplier", "1", "TSC multiplier",
	  { { "SECONDARY_CONTROLS", 0xa2 | 1 << 25 }, { "TSC_MULTIPLIER", 0 } } },
	{ "exit_reserved", "2", "exit controls have", { { "VM_EXIT_CONTROLS", 0x2abfff & ~1 } } },
	{ "save_timer", "2", "preemption timer that runs",
	  { { "VM_EXIT_CONTROLS", 0x00036dfb | 1 << 9 | 1 << 22 } } },
	{ "store_unaligned", "2", "exit MSR-store",
	  { { "VM_EXIT_MSR_STORE_COUNT", 1 }, { "VM_EXIT_MSR_STORE_ADDRESS", 0x1008 } } },
	{ "load_beyond", "2", "exit MSR-load",
	  { { "VM_EXIT_MSR_LOAD_COUNT", 2 }, { "VM_EXIT_MSR_LOAD_ADDRESS", (1ULL << 40) - 16 } } },
	{ "entry_reserved", "3", "entry controls have", { { "VM_ENTRY_CONTROLS", 0xd3fb & ~1 } } },
	{ "type_reserved", "3", "type is not 1",
	  { { "VM_ENTRY_INTERRUPTION_INFO", 0x80000120 } } },
	{ "nmi_vector", "3", "vector fits", { { "VM_ENTRY_INTERRUPTION_INFO", 0x80000203 } } },
	{ "exception_vector", "3", "vector fits",
	  { { "VM_ENTRY_INTERRUPTION_INFO", 0x80000320 } } },
	{ "no_error_code", "3", "error code comes",
	  { { "VM_ENTRY_INTERRUPTION_INFO", 0x8000030d } } },
	{ "error_code_ud", "3", "error code comes",
	  { { "VM_ENTRY_INTERRUPTION_INFO", 0x80000b06 } } },
	{ "info_reserved", "3", "bits 30:12", { { "VM_ENTRY_INTERRUPTION_INFO", 0x80001020 } } },
	{ "error_code_wide", "3", "injected error code",
	  { { "VM_ENTRY_INTERRUPTION_INFO", 0x80000b0d },
	    { "VM_ENTRY_EXCEPTION_ERROR_CODE", 0x10000 } } },
	{ "length_zero", "3", "1 to 15 bytes", { { "VM_ENTRY_INTERRUPTION_INFO", 0x80000480 } } },
	{ "entry_to_smm", "3", "comes from SMM", { { "VM_ENTRY_CONTROLS", 0xd3fb | 1 << 10 } } },
	{ NULL }
};

/* VMX: the host. */
static const struct broken host[] = {
	{ "host_cr0", "2", "CR0 has", { { "HOST_CR0", 0x80050013 } } },
	{ "host_cr4", "2", "CR4 has", { { "HOST_CR4", 0x6e0 } } },
	{ "host_cr3", "2", "CR3 has", { { "HOST_CR3", 1ULL << 41 } } },
	{ "host_sysenter", "2", "canonical", { { "HOST_SYSENTER_EIP", 1ULL << 50 } } },
	{ "host_pat", "2", "memory type", { { "HOST_IA32_PAT", 2 } } },
	{ "host_efer_mode", "2", "LMA and LME", { { "HOST_IA32_EFER", 0x801 } } },
	{ "host_efer_bits", "2", "IA32_EFER has no bit", { { "HOST_IA32_EFER", 0x10d01 } } },
	{ "host_cs_rpl", "3", "RPL and TI", { { "HOST_CS_SELECTOR", 0x13 } } },
	{ "host_cs_null", "3", "CS is not", { { "HOST_CS_SELECTOR", 0 } } },
	{ "host_tr_null", "3", "TR is not", { { "HOST_TR_SELECTOR", 0 } } },
	{ "host_gs_base", "3", "canonical", { { "HOST_GS_BASE", 0x8000000000000000 } } },
	{ "host_mode", "4", "host's mode after an exit",
	  { { "VM_EXIT_CONTROLS", 0x2abdff }, { "HOST_IA32_EFER", 0 }, { "HOST_RIP", 0x1000 },
	    { "VM_ENTRY_CONTROLS", 0xd1fb }, { "GUEST_IA32_EFER", 0 } } },
	{ "host_pae", "4", "CR4.PAE", { { "HOST_CR4", 0x26c0 } } },
	{ "host_rip", "4", "RIP is canonical", { { "HOST_RIP", 0x800000000000 } } },
	{ NULL }
};

/* VMX: the guest. */
static const struct broken guest[] = {
	{ "cr0_ne", "1", "CR0 has", { { "GUEST_CR0", 0x80050013 } } },
	{ "pg_without_pe", "1", "paging (CR0.PG)", { { "GUEST_CR0", 0x80050032 } } },
	{ "cr4_vmxe", "1", "CR4 has", { { "GUEST_CR4", 0x6e0 } } },
	{ "long_without_pg", "1", "IA-32e mode has paging", { { "GUEST_CR0", 0x50033 } } },
	{ "long_without_pae", "1", "CR4.PAE", { { "GUEST_CR4", 0x26c0 } } },
	{ "pcide", "1", "PCIDE",
	  { { "GUEST_CR4", 0x226e0 }, { "VM_ENTRY_CONTROLS", 0xd1fb }, { "GUEST_IA32_EFER", 0 },
	    { "GUEST_CS_ACCESS_RIGHTS", 0xc09b } } },
	{ "cr3_beyond", "1", "CR3 has", { { "GUEST_CR3", 1ULL << 52 } } },
	{ "dr7_wide", "1", "DR7",
	  { { "GUEST_DR7", 1ULL << 32 }, { "VM_ENTRY_CONTROLS", 0xd3fb | 1 << 2 } } },
	{ "efer_lma", "1", "LMA is what", { { "GUEST_IA32_EFER", 0x901 } } },
	{ "efer_lme", "1", "LME is what", { { "GUEST_IA32_EFER", 0xc01 } } },
	{ "pat", "1", "memory type", { { "GUEST_IA32_PAT", 0x0300 } } },
	{ "debugctl", "1", "DEBUGCTL",
	  { { "GUEST_IA32_DEBUGCTL", 4 }, { "VM_ENTRY_CONTROLS", 0xd3fb | 1 << 2 } } },
	{ "rtit_reserved", "1", "IA32_RTIT_CTL",
	  { { "GUEST_IA32_RTIT_CTL", 1 << 18 }, { "VM_ENTRY_CONTROLS", 0xd3fb | 1 << 18 } } },
	{ "lbr_reserved", "1", "IA32_LBR_CTL",
	  { { "GUEST_IA32_LBR_CTL", 1 << 4 }, { "VM_ENTRY_CONTROLS", 0xd3fb | 1 << 21 } } },
	{ "tr_ti", "2", "GDT (TI = 0)", { { "GUEST_TR_SELECTOR", 0x44 } } },
	{ "ss_rpl", "2", "same RPL",
	  { { "GUEST_SS_SELECTOR", 0x1b }, { "GUEST_SS_ACCESS_RIGHTS", 0xc0f3 },
	    { "SECONDARY_CONTROLS", 0x22 }, { "GUEST_CS_ACCESS_RIGHTS", 0xa0fb } } },
	{ "fs_base", "2", "bases of TR, FS", { { "GUEST_FS_BASE", 1ULL << 48 } } },
	{ "cs_base", "2", "have 32 bits", { { "GUEST_CS_BASE", 1ULL << 32 } } },
	{ "cs_data", "2", "CS is accessed code", { { "GUEST_CS_ACCESS_RIGHTS", 0xa091 } } },
	{ "cs_not_accessed", "2", "CS is accessed code", { { "GUEST_CS_ACCESS_RIGHTS", 0xa09a } } },
	{ "ss_read_only", "2", "SS is writable", { { "GUEST_SS_ACCESS_RIGHTS", 0xc091 } } },
	{ "ds_execute_only", "2", "data segments are accessed",
	  { { "GUEST_DS_ACCESS_RIGHTS", 0xc099 } } },
	{ "cs_system", "2", "code or data", { { "GUEST_CS_ACCESS_RIGHTS", 0xa08b } } },
	{ "cs_dpl", "2", "DPL of CS", { { "GUEST_CS_ACCESS_RIGHTS", 0xa0fb } } },
	{ "es_absent", "2", "are present", { { "GUEST_ES_ACCESS_RIGHTS", 0xc013 } } },
	{ "cs_reserved", "2", "bits 11:8", { { "GUEST_CS_ACCESS_RIGHTS", 0xa19b } } },
	{ "cs_l_and_d", "2", "D = 0", { { "GUEST_CS_ACCESS_RIGHTS", 0xe09b } } },
	{ "cs_g", "2", "G is 0", { { "GUEST_CS_LIMIT", 0xffff0000 } } },
	{ "tr_not_busy", "2", "busy TSS", { { "GUEST_TR_ACCESS_RIGHTS", 0x89 } } },
	{ "tr_unusable", "2", "TR is usable", { { "GUEST_TR_ACCESS_RIGHTS", 0x1008b } } },
	{ "tr_absent", "2", "TR is present", { { "GUEST_TR_ACCESS_RIGHTS", 0x0b } } },
	{ "ldtr_type", "2", "LDTR is an LDT", { { "GUEST_LDTR_ACCESS_RIGHTS", 0x83 } } },
	{ "vm86_base", "2", "16 times", { { "GUEST_RFLAGS", 0x20202 } } },
	{ "gdt_base", "3", "GDT's base", { { "GUEST_GDTR_BASE", 1ULL << 63 } } },
	{ "idt_limit", "3", "IDT's limit", { { "GUEST_IDTR_LIMIT", 0x10000 } } },
	{ "rip_wide", "4", "RIP has 32 bits",
	  { { "GUEST_RIP", 1ULL << 32 }, { "GUEST_CS_ACCESS_RIGHTS", 0xc09b } } },
	{ "rip_high", "4", "RIP has 32 bits", { { "GUEST_RIP", 1ULL << 62 } } },
	{ "rflags_one", "4", "bit 1 is 1", { { "GUEST_RFLAGS", 0x200 } } },
	{ "rflags_reserved", "4", "63:22", { { "GUEST_RFLAGS", 0x20a } } },
	{ "rflags_vm", "4", "virtual-8086 mode (RFLAGS.VM)", { { "GUEST_RFLAGS", 0x20202 } } },
	{ "if_clear", "4", "RFLAGS.IF is 1",
	  { { "GUEST_RFLAGS", 2 }, { "VM_ENTRY_INTERRUPTION_INFO", 0x80000030 } } },
	{ "activity", "5", "activity state is one", { { "GUEST_ACTIVITY_STATE", 4 } } },
	{ "halted_event", "5", "does not block",
	  { { "GUEST_ACTIVITY_STATE", 1 }, { "VM_ENTRY_INTERRUPTION_INFO", 0x80000306 } } },
	{ "both_shadows", "5", "at once", { { "GUEST_INTERRUPTIBILITY", 3 } } },
	{ "sti_without_if", "5", "STI blocks only",
	  { { "GUEST_INTERRUPTIBILITY", 1 }, { "GUEST_RFLAGS", 2 } } },
	{ "interrupt_in_shadow", "5", "not injected in the shadow of STI or MOV SS",
	  { { "GUEST_INTERRUPTIBILITY", 1 }, { "VM_ENTRY_INTERRUPTION_INFO", 0x80000030 } } },
	{ "nmi_blocked", "5", "virtual NMIs are blocked",
	  { { "GUEST_INTERRUPTIBILITY", 8 }, { "VM_ENTRY_INTERRUPTION_INFO", 0x80000202 } } },
	{ "smi_blocked", "5", "only in SMM", { { "GUEST_INTERRUPTIBILITY", 4 } } },
	{ "pending_reserved", "5", "pending debug", { { "GUEST_PENDING_DEBUG", 0x10 } } },
	{ "step_in_shadow", "5", "single step is pending",
	  { { "GUEST_INTERRUPTIBILITY", 2 }, { "GUEST_RFLAGS", 0x302 } } },
	{ "link_unaligned", "5", "link pointer is all ones", { { "VMCS_LINK_POINTER", 0x123 } } },
	{ "link_current", "5", "does not point to the current",
	  { { "VMCS_LINK_POINTER", 0x5000 } } },
	{ "link_revision", "5", "VMCS of the CPU's revision",
	  { { "VMCS_LINK_POINTER", 0x6000 }, { "MEM_LINK_REVISION", 0x13 } } },
	{ "pdpte", "6", "PDPTE",
	  { { "GUEST_PDPTE2", 3 }, { "VM_ENTRY_CONTROLS", 0xd1fb }, { "GUEST_IA32_EFER", 0 },
	    { "GUEST_CS_ACCESS_RIGHTS", 0xc09b } } },
	{ NULL }
};

/* VMX: MSRs to be loaded. */
static const struct broken msrs[] = {
	{ "loads_fs_base", "", "cannot load",
	  { { "VM_ENTRY_MSR_LOAD_COUNT", 1 }, { "VM_ENTRY_MSR_LOAD_ADDRESS", 0x7000 },
	    { "MSR_LOAD0_INDEX", 0xc0000100 } } },
	{ NULL }
};

/* SVM. */
static const struct broken svm[] = {
	{ "svme", "15.5.1", "EFER.SVME", { { "EFER", 0xd01 } } },
	{ "nw_without_cd", "15.5.1", "NW", { { "CR0", 0xa0050033 } } },
	{ "cr0_wide", "15.5.1", "CR0 has 32", { { "CR0", 0x180050033 } } },
	{ "cr3_wide", "15.5.1", "CR3 has", { { "CR3", 1ULL << 40 } } },
	{ "cr3_top", "15.5.1", "CR3 has", { { "CR3", 1ULL << 63 } } },
	{ "cr4_reserved", "15.5.1", "CR4 has no bit", { { "CR4", 0x6e0 | 1 << 19 } } },
	{ "cr4_high", "15.5.1", "CR4 has no bit", { { "CR4", 0x6e0 | 1ULL << 32 } } },
	{ "dr6_wide", "15.5.1", "DR6", { { "DR6", 1ULL << 32 } } },
	{ "dr7_high", "15.5.1", "DR7", { { "DR7", 1ULL << 63 } } },
	{ "efer_reserved", "15.5.1", "EFER has no bit", { { "EFER", 0x1d01 | 1 << 9 } } },
	{ "efer_high", "15.5.1", "EFER has no bit", { { "EFER", 0x1d01 | 1ULL << 40 } } },
	{ "long_pae", "15.5.1", "has CR4.PAE", { { "CR4", 0x6c0 } } },
	{ "long_pe", "15.5.1", "has CR0.PE", { { "CR0", 0x80050032 } } },
	{ "cs_l_d", "15.5.1", "D = 0", { { "CS_ATTRIB", 0x69b } } },
	{ "cet_wp", "15.5.1", "CR0.WP", { { "CR4", 0x6e0 | 1 << 23 }, { "CR0", 0x80040033 } } },
	{ "vmrun", "15.5.1", "VMRUN is", { { "INTERCEPT_VECTOR4", 0 } } },
	{ "vmrun_others", "15.5.1", "VMRUN is", { { "INTERCEPT_VECTOR4", 0xfffffffe } } },
	{ "iopm_start", "15.5.1", "I/O permission", { { "IOPM_BASE_PA", 1ULL << 40 } } },
	{ "iopm_end", "15.5.1", "I/O permission", { { "IOPM_BASE_PA", (1ULL << 40) - 0x2000 } } },
	{ "msrpm_start", "15.5.1", "MSR permission", { { "MSRPM_BASE_PA", 1ULL << 41 } } },
	{ "msrpm_end", "15.5.1", "MSR permission", { { "MSRPM_BASE_PA", (1ULL << 40) - 0x1000 } } },
	{ "asid", "15.5.1", "ASID", { { "GUEST_ASID", 0 } } },
	{ "event_type_1", "15.20", "type 0, 2, 3", { { "EVENTINJ", 0x80000120 } } },
	{ "event_type_5", "15.20", "type 0, 2, 3", { { "EVENTINJ", 0x80000520 } } },
	{ "event_type_7", "15.20", "type 0, 2, 3", { { "EVENTINJ", 0x80000720 } } },
	{ "exception_nmi", "15.20", "up to 31", { { "EVENTINJ", 0x80000302 } } },
	{ "exception_high", "15.20", "up to 31", { { "EVENTINJ", 0x80000320 } } },
	{ "exception_ff", "15.20", "up to 31", { { "EVENTINJ", 0x800003ff } } },
	{ "exception_of", "15.20", "guest's mode", { { "EVENTINJ", 0x80000304 } } },
	{ "exception_br", "15.20", "guest's mode", { { "EVENTINJ", 0x80000305 } } },
	{ "n_cr3_low", "15.25.3", "N_CR3", { { "N_CR3", 0x30004 } } },
	{ "n_cr3_high", "15.25.3", "N_CR3", { { "N_CR3", 1ULL << 50 } } },
	{ "g_pat", "15.25.4", "G_PAT", { { "G_PAT", 0x0200 } } },
	{ "g_pat_high", "15.25.4", "G_PAT", { { "G_PAT", 0x0800000000000000 } } },
	{ "g_pat_3", "15.25.4", "G_PAT", { { "G_PAT", 3 } } },
	{ "avic", "15.29.4", "AVIC", { { "V_INTR", 1U << 31 }, { "NP_CONTROL", 0 } } },
	{ NULL }
};

static const struct {
	enum vitro_why_class class;
	unsigned int vendor;
	const char *prefix;
	const struct broken *broken;
} groups[] = {
	{ VITRO_WHY_CONTROLS, VITRO_VENDOR_VMX, "SDM 3C 27.2.1.", controls },
	{ VITRO_WHY_HOST, VITRO_VENDOR_VMX, "SDM 3C 27.2.", host },
	{ VITRO_WHY_GUEST, VITRO_VENDOR_VMX, "SDM 3C 27.3.1.", guest },
	{ VITRO_WHY_MSRS, VITRO_VENDOR_VMX, "SDM 3C 27.4", msrs },
	{ VITRO_WHY_INVALID, VITRO_VENDOR_SVM, "APM 2 ", svm },
	{ 0, 0, NULL, NULL }
};

/* Does the explainer find the rule, and how the processor fails? */
static bool finds(unsigned int group, const struct broken *broken)
{
	struct vitro_entry *entry = good(groups[group].vendor);
	struct vitro_violation found[MAX];
	size_t i, nr = MAX + 1;
	char section[32];
	bool ok = false;

	if (entry && !vitro_why(entry, found, MAX) && apply(entry, broken->change))
		nr = vitro_why(entry, found, MAX);
	snprintf(section, sizeof(section), "%s%s", groups[group].prefix, broken->section);
	for (i = 0; i < nr && i < MAX; i++)
		ok |= nr <= MAX && found[i].class == groups[group].class && found[i].nr_fields &&
		      !strcmp(found[i].section, section) && strstr(found[i].rule, broken->rule);
	for (i = 0; i < nr && i < MAX && !ok; i++)
		printf("# found %s: %s\n", found[i].section, found[i].rule);
	vitro_entry_free(entry);
	return ok;
}

int main(void)
{
	const struct broken *broken;
	unsigned int i;

	for (i = 0; groups[i].prefix; i++)
		for (broken = groups[i].broken; broken->name; broken++)
			check(broken->name, finds(i, broken));
	return tap_done();
}
