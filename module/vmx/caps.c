// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this CPU's VMX can do, and whether that is enough.
 *
 * Each control word has a capability MSR: its low half holds the bits that must be
 * 1, its high half those that may be 1 (SDM 3D A.2).  So a word is
 *
 *	(wanted | must_be_1) & may_be_1
 *
 * and a bit that vitro cannot do without and that vanished there refuses the CPU.
 */
#include <linux/bitops.h>
#include <linux/cpu.h>
#include <linux/kernel.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/tsc.h>

#include "compat/compat.h"
#include "vmx/vmx.h"

struct vmx_caps vmx_caps;

#define CR4_FRED	BIT_ULL(32)

/*
 * The longest stay in the guest, in ms.  The host's timer interrupt should end it
 * earlier; but Bochs 2.7 forgets to unmask interrupts at a VM entry with IF clear before
 * and after, and then a guest that loops there would never come back.  The value is
 * loaded anew at each entry, and costs nothing.
 */
#define STAY_MS	10

/* Bits without which there is no vitro, with the manual's name. */
static const struct required {
	u32 *word;
	u32 bit;
	const char *name;
} required[] = {
	{ &vmx_caps.pin, PIN_EXTERNAL_INTERRUPT, "external-interrupt exiting" },
	{ &vmx_caps.pin, PIN_NMI, "NMI exiting" },
	{ &vmx_caps.pin, PIN_VIRTUAL_NMIS, "virtual NMIs" },
	{ &vmx_caps.cpu, CPU_TSC_OFFSETTING, "use TSC offsetting" },
	{ &vmx_caps.cpu, CPU_HLT, "HLT exiting" },
	{ &vmx_caps.cpu, CPU_MWAIT, "MWAIT exiting" },
	{ &vmx_caps.cpu, CPU_RDPMC, "RDPMC exiting" },
	{ &vmx_caps.cpu, CPU_TPR_SHADOW, "use TPR shadow" },
	{ &vmx_caps.cpu, CPU_MOV_DR, "MOV-DR exiting" },
	{ &vmx_caps.cpu, CPU_UNCONDITIONAL_IO, "unconditional I/O exiting" },
	{ &vmx_caps.cpu, CPU_MSR_BITMAPS, "use MSR bitmaps" },
	{ &vmx_caps.cpu, CPU_MONITOR, "MONITOR exiting" },
	{ &vmx_caps.cpu, CPU_SECONDARY, "activate secondary controls" },
	{ &vmx_caps.cpu2, CPU2_EPT, "enable EPT" },
	{ &vmx_caps.cpu2, CPU2_UNRESTRICTED, "unrestricted guest" },
	{ &vmx_caps.exit, EXIT_SAVE_DEBUG, "save debug controls" },
	{ &vmx_caps.exit, EXIT_HOST_64BIT, "host address-space size" },
	{ &vmx_caps.exit, EXIT_SAVE_PAT, "save IA32_PAT" },
	{ &vmx_caps.exit, EXIT_LOAD_PAT, "load IA32_PAT on exit" },
	{ &vmx_caps.exit, EXIT_SAVE_EFER, "save IA32_EFER" },
	{ &vmx_caps.exit, EXIT_LOAD_EFER, "load IA32_EFER on exit" },
	{ &vmx_caps.entry, ENTRY_LOAD_DEBUG, "load debug controls" },
	{ &vmx_caps.entry, ENTRY_LOAD_PAT, "load IA32_PAT on entry" },
	{ &vmx_caps.entry, ENTRY_LOAD_EFER, "load IA32_EFER on entry" },
};

/*
 * Used where they are.  Of the virtual APIC (SDM 3C 30.1) only the TPR shadow is: with
 * register virtualization and virtual-interrupt delivery, EOI and self-IPI would not
 * exit, but the APIC's registers would move to a page of Intel's own making, and
 * apic/lapic.c would need a second form of each.  Nor is what guests do not need: VMFUNC,
 * shadow VMCSs, #VE; nor TSC scaling, since guests run at the host's rate.
 */
#define CPU2_OPTIONAL	(CPU2_VPID | CPU2_RDTSCP | CPU2_INVPCID | CPU2_PAUSE_LOOP | CPU2_PML)

static u32 adjust(u32 msr, const u32 *word, u32 optional)
{
	u32 wanted = optional, must, may;
	int i;

	for (i = 0; i < ARRAY_SIZE(required); i++) {
		if (required[i].word == word)
			wanted |= required[i].bit;
	}
	rdmsr(msr, must, may);
	return (wanted | must) & may;
}

static int refuse_missing(const char **why)
{
	static char sentence[100];
	int i;

	for (i = 0; i < ARRAY_SIZE(required); i++) {
		if (*required[i].word & required[i].bit)
			continue;
		snprintf(sentence, sizeof(sentence), "this CPU's VMX lacks \"%s\"",
			 required[i].name);
		*why = sentence;
		return -ENODEV;
	}
	return 0;
}

static int probe_ept(const char **why)
{
	const u64 need = EPT_CAP_4LEVEL | EPT_CAP_WB | EPT_CAP_INVEPT | EPT_CAP_INVEPT_SINGLE;
	const u64 vpid = EPT_CAP_INVVPID | EPT_CAP_INVVPID_SINGLE;

	rdmsrq(MSR_IA32_VMX_EPT_VPID_CAP, vmx_caps.ept);
	if ((vmx_caps.ept & need) != need) {
		*why = "this CPU's EPT lacks 4-level walks, write-back tables or INVEPT";
		return -ENODEV;
	}
	if ((vmx_caps.ept & vpid) != vpid)
		vmx_caps.cpu2 &= ~CPU2_VPID;
	/* What is logged is the setting of dirty bits. */
	if (!(vmx_caps.ept & EPT_CAP_AD))
		vmx_caps.cpu2 &= ~CPU2_PML;
	return 0;
}

/*
 * L1TF: a guest that marks its page-table entries not present can read what is in the L1
 * data cache, whoever brought it there.  Newer CPUs say that they cannot be had so.
 */
static bool must_flush_l1d(void)
{
	u64 arch_caps = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF) || cpu_mitigations_off())
		return false;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrq(MSR_IA32_ARCH_CAPABILITIES, arch_caps);
	if (arch_caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH)
		return false;
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		pr_warn("guests can read this CPU's L1 cache (L1TF): update its microcode\n");
		return false;
	}
	return true;
}

/**
 * caps_probe - find out what VMX can do here
 * @why: if it is not enough, the reason
 *
 * Returns 0, -ENODEV, -EACCES, -EBUSY.
 */
int caps_probe(const char **why)
{
	u64 control, misc;
	int ret;

	if (!boot_cpu_has(X86_FEATURE_VMX)) {
		*why = "no VMX: not an Intel CPU, or turn on VT-x (nested, in a VM) below us";
		return -ENODEV;
	}
	/* SDM 3C 24.7: locked, and without the bit for use outside of SMX. */
	rdmsrq(MSR_IA32_FEAT_CTL, control);
	if (!(control & FEAT_CTL_LOCKED) || !(control & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX)) {
		*why = "VMX is disabled by firmware (IA32_FEATURE_CONTROL): turn on VT-x";
		return -EACCES;
	}
	if (__read_cr4() & CR4_FRED) {
		*why = "FRED is on, and host NMIs could not be re-raised: boot with fred=off";
		return -ENODEV;
	}
	if (__read_cr4() & X86_CR4_VMXE) {
		*why = "another hypervisor holds the CPU (CR4.VMXE): rmmod kvm_intel";
		return -EBUSY;
	}

	rdmsrq(MSR_IA32_VMX_BASIC, vmx_caps.basic);
	if (!(vmx_caps.basic & BASIC_TRUE_CONTROLS)) {
		*why = "this CPU's VMX has no true controls (IA32_VMX_BASIC bit 55)";
		return -ENODEV;
	}
	if (!(vmx_caps.basic & BASIC_INS_OUTS)) {
		*why = "this CPU's VMX says too little of INS and OUTS (IA32_VMX_BASIC bit 54)";
		return -ENODEV;
	}
	vmx_caps.pin = adjust(MSR_IA32_VMX_TRUE_PINBASED_CTLS, &vmx_caps.pin,
			      PIN_PREEMPTION_TIMER);
	vmx_caps.cpu = adjust(MSR_IA32_VMX_TRUE_PROCBASED_CTLS, &vmx_caps.cpu, 0);
	if (vmx_caps.cpu & CPU_SECONDARY)
		vmx_caps.cpu2 = adjust(MSR_IA32_VMX_PROCBASED_CTLS2, &vmx_caps.cpu2,
				       CPU2_OPTIONAL);
	/* A vCPU that spins should make room for the one it waits for. */
	if (!(vmx_caps.cpu2 & CPU2_PAUSE_LOOP))
		vmx_caps.cpu = adjust(MSR_IA32_VMX_TRUE_PROCBASED_CTLS, &vmx_caps.cpu,
				      CPU_PAUSE);
	vmx_caps.exit = adjust(MSR_IA32_VMX_TRUE_EXIT_CTLS, &vmx_caps.exit, 0);
	vmx_caps.entry = adjust(MSR_IA32_VMX_TRUE_ENTRY_CTLS, &vmx_caps.entry, 0);
	ret = refuse_missing(why);
	if (ret)
		return ret;

	if (vmx_caps.pin & PIN_PREEMPTION_TIMER) {
		/* It counts the TSC, divided by a power of two (SDM 3D A.6). */
		rdmsrq(MSR_IA32_VMX_MISC, misc);
		vmx_caps.timer_shift = misc & 31;
		vmx_caps.stay = (u64)tsc_khz * STAY_MS >> vmx_caps.timer_shift;
	}
	rdmsrq(MSR_IA32_VMX_CR0_FIXED0, vmx_caps.cr0_fixed0);
	vmx_caps.cr0_fixed0 &= ~(u64)(X86_CR0_PE | X86_CR0_PG);
	rdmsrq(MSR_IA32_VMX_CR4_FIXED0, vmx_caps.cr4_fixed0);
	ret = probe_ept(why);
	if (!ret)
		vmx_caps.flush_l1d = must_flush_l1d();
	return ret;
}
