// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vitro doctor on Intel: what module/vmx/caps.c requires, and what it uses where it is.
 *
 * VMX says what it can do in MSRs (SDM 3D appendix A), which only the msr driver
 * shows.  The names are the manual's, and the order is that of the module's own
 * check: its reason in the kernel log is the first needed line that is missing.
 */
#include <cpuid.h>
#include <stddef.h>

#include "doctor.h"

#define LEAF1_ECX_VMX		0x00000020	/* CPUID 1 */
#define LEAF7_1_EAX_FRED	0x00020000	/* CPUID 7.1 */

/* MSRs. */
#define FEATURE_CONTROL		0x03a		/* SDM 3C 24.7 */
#define FEATURE_LOCKED		0x1
#define FEATURE_VMX		0x4		/* outside of SMX */
#define VMX_BASIC		0x480
#define BASIC_TRUE_CONTROLS	(1ULL << 55)
#define VMX_MISC		0x485
#define VMX_CR0_FIXED0		0x486		/* and FIXED1 of both registers after it */
#define VMX_CR4_FIXED0		0x488
#define VMX_PROC2		0x48b
#define VMX_EPT_VPID_CAP	0x48c
#define VMX_TRUE_PIN		0x48d
#define VMX_TRUE_PROC		0x48e
#define VMX_TRUE_EXIT		0x48f
#define VMX_TRUE_ENTRY		0x490

/* Controls that decide whether there is another MSR to look at. */
#define PIN_PREEMPTION_TIMER	6
#define PROC_SECONDARY		31
#define PROC2_EPT		1
#define PROC2_VPID		5

/* What a guest can live with being forced on: vitro is prepared for these. */
#define CR0_EXPECTED		0x80000021ULL	/* PE, NE, PG */
#define CR4_EXPECTED		0x00002000ULL	/* VMXE */

#define SINCE(cpu)	"a CPU since " cpu "; in a guest, have the hypervisor below offer it"
#define CURE_NEEDED	SINCE("Westmere (2010)")

/**
 * struct feature - a bit of a capability MSR
 * @name: the manual's
 * @bit: its number, in a control word or in IA32_VMX_EPT_VPID_CAP
 * @needed: vitro cannot run without it
 * @lack: what a lack costs or, of a needed one, what it is needed for
 * @cure: what helps
 */
struct feature {
	const char *name;
	unsigned int bit;
	bool needed;
	const char *lack;
	const char *cure;
};

#define NEEDED(name, bit, why)		{ name, bit, true, why, CURE_NEEDED }
#define USED(name, bit, lack, cpu)	{ name, bit, false, lack, SINCE(cpu) }

/* SDM 3D A.1 */
static const struct feature basics[] = {
	NEEDED("INS and OUTS information", 54, "vitro must know what string I/O is about"),
	{ }
};

/* SDM 3C 25.6.1 */
static const struct feature pin[] = {
	NEEDED("external-interrupt exiting", 0, "the host's interrupts must reach the host"),
	NEEDED("NMI exiting", 3, "the host's NMIs must reach the host"),
	NEEDED("virtual NMIs", 5, "vitro must know when a guest can take an NMI"),
	USED("preemption timer", PIN_PREEMPTION_TIMER,
	     "a guest's stay is bounded by the host's interrupts alone", "Nehalem (2008)"),
	{ }
};

/* SDM 3C 25.6.2 */
static const struct feature proc[] = {
	NEEDED("use TSC offsetting", 3, "guests have a time of their own"),
	NEEDED("HLT exiting", 7, "an idle guest must give its CPU back"),
	NEEDED("MWAIT exiting", 10, "guests must not put the host's CPU to sleep"),
	NEEDED("RDPMC exiting", 11, "guests must not read the host's counters"),
	NEEDED("use TPR shadow", 21, "guests' CR8 must not be the host's"),
	NEEDED("MOV-DR exiting", 23, "guests' debug registers must not be the host's"),
	NEEDED("unconditional I/O exiting", 24, "guests must not reach the host's ports"),
	NEEDED("use MSR bitmaps", 28, "guests have some MSRs without exits, and no others"),
	NEEDED("MONITOR exiting", 29, "guests must not arm the host's monitor"),
	NEEDED("activate secondary controls", PROC_SECONDARY, "EPT is one of them"),
	{ }
};

/* SDM 3C 25.6.2; RDTSCP and INVPCID fault in guests where the control is 0. */
static const struct feature proc2[] = {
	NEEDED("enable EPT", PROC2_EPT, "guest memory needs it: vitro has no shadow paging"),
	NEEDED("unrestricted guest", 7, "guests start in real mode, which vitro does not emulate"),
	USED("enable RDTSCP", 3, "RDTSCP is an invalid instruction in guests", "Nehalem (2008)"),
	USED("enable VPID", PROC2_VPID, "each entry and exit empties the TLB", "Nehalem (2008)"),
	USED("PAUSE-loop exiting", 10, "each PAUSE of a guest is an exit", "Westmere (2010)"),
	USED("enable INVPCID", 12, "INVPCID is an invalid instruction in guests",
	     "Haswell (2013)"),
	{ }
};

/* SDM 3C 25.7.1 */
static const struct feature vm_exit[] = {
	NEEDED("save debug controls", 2, "a guest's DR7 is kept from exit to entry"),
	NEEDED("host address-space size", 9, "the host runs in 64-bit mode"),
	NEEDED("save IA32_PAT", 18, "a guest's PAT is kept from exit to entry"),
	NEEDED("load IA32_PAT on exit", 19, "the host must get its own PAT back"),
	NEEDED("save IA32_EFER", 20, "a guest's EFER is kept from exit to entry"),
	NEEDED("load IA32_EFER on exit", 21, "the host must get its own EFER back"),
	{ }
};

/* SDM 3C 25.8.1 */
static const struct feature vm_entry[] = {
	NEEDED("load debug controls", 2, "a guest has its own DR7"),
	NEEDED("load IA32_PAT on entry", 14, "a guest has its own PAT"),
	NEEDED("load IA32_EFER on entry", 15, "a guest has its own EFER"),
	{ }
};

/* SDM 3D A.10 */
static const struct feature ept[] = {
	NEEDED("EPT 4-level walk", 6, "vitro's tables have 4 levels"),
	NEEDED("EPT write-back tables", 14, "vitro's tables are in ordinary memory"),
	NEEDED("INVEPT", 20, "vitro must make CPUs forget what it has changed"),
	NEEDED("INVEPT single-context", 25, "vitro must make CPUs forget what it has changed"),
	USED("EPT 2 MiB pages", 16, "more tables, more misses: no page above 4 KiB",
	     "Nehalem (2008)"),
	USED("EPT 1 GiB pages", 17, "more tables, more misses: no page above 2 MiB",
	     "Haswell (2013)"),
	USED("EPT accessed and dirty", 21, "the host guesses which guest pages are in use",
	     "Haswell (2013)"),
	{ }
};

/* Without both, vitro does not use VPIDs (SDM 3D A.10). */
static const struct feature invvpid[] = {
	USED("INVVPID", 32, "vitro does without VPIDs: each entry and exit empties the TLB",
	     "Nehalem (2008)"),
	USED("INVVPID single-context", 41,
	     "vitro does without VPIDs: each entry and exit empties the TLB", "Nehalem (2008)"),
	{ }
};

/* Bits of @may, which are those that may be 1. */
static void check_features(const struct feature *f, uint64_t may, const char *msr)
{
	for (; f->name; f++) {
		if (may >> f->bit & 1)
			found(f->name, f->needed, OK, NULL, "the CPU has it (%s bit %u)",
			      msr, f->bit);
		else if (f->needed)
			found(f->name, true, MISSING, f->cure, "needed: %s (%s bit %u)",
			      f->lack, msr, f->bit);
		else
			found(f->name, false, MISSING, f->cure, "used where it is: %s (%s bit %u)",
			      f->lack, msr, f->bit);
	}
}

/* A capability MSR, with a line for its value; false if it cannot be read. */
static bool read_capability(uint32_t index, const char *msr, uint64_t *value)
{
	if (!read_msr(index, value)) {
		found(msr, true, UNKNOWN, CURE_MSR, "cannot read MSR %#x", index);
		return false;
	}
	found(msr, true, OK, NULL, "MSR %#x is %#018llx", index, (unsigned long long)*value);
	return true;
}

/* A control word: the upper half of its MSR has the bits that may be 1. */
static uint32_t check_controls(uint32_t index, const char *msr, const struct feature *features)
{
	uint64_t value;

	if (!read_capability(index, msr, &value))
		return 0;
	check_features(features, value >> 32, msr);
	return value >> 32;
}

static void check_preemption_timer_rate(void)
{
	uint64_t misc;

	if (read_capability(VMX_MISC, "IA32_VMX_MISC", &misc))
		found("preemption timer rate", false, OK, NULL,
		      "counts once in %u ticks of the TSC (IA32_VMX_MISC bits 4:0)",
		      1U << (misc & 31));
}

static void check_paging(uint32_t secondary)
{
	static const char name[] = "IA32_VMX_EPT_VPID_CAP";
	uint64_t cap;

	/* The MSR exists if there is EPT or VPID. */
	if (!(secondary & (1U << PROC2_EPT | 1U << PROC2_VPID)) ||
	    !read_capability(VMX_EPT_VPID_CAP, name, &cap))
		return;
	if (secondary & 1U << PROC2_EPT)
		check_features(ept, cap, name);
	if (secondary & 1U << PROC2_VPID)
		check_features(invvpid, cap, name);
}

/*
 * In VMX operation a bit of CR0 or CR4 is fixed to 1 if it is set in FIXED0, and to 0
 * if it is clear in FIXED1 (SDM 3D A.7 and A.8).
 */
static void check_fixed(const char *name, uint32_t index, uint64_t expected)
{
	uint64_t fixed0, fixed1, forced;

	if (!read_msr(index, &fixed0) || !read_msr(index + 1, &fixed1)) {
		found(name, true, UNKNOWN, CURE_MSR, "cannot read MSRs %#x and %#x", index,
		      index + 1);
		return;
	}
	forced = fixed0 & ~expected;
	found(name, false, forced ? MISSING : OK, SINCE("Westmere (2010)"),
	      "%#llx must be 1, %#llx may be 1 (MSRs %#x, %#x)%s",
	      (unsigned long long)fixed0, (unsigned long long)fixed1, index, index + 1,
	      forced ? "; guests run with more set than they know" : "");
}

static void check_vmx_capabilities(void)
{
	uint32_t primary, secondary = 0, pins;
	uint64_t basic;

	if (!read_capability(VMX_BASIC, "IA32_VMX_BASIC", &basic))
		return;
	if (!(basic & BASIC_TRUE_CONTROLS)) {
		found("true controls", true, MISSING, CURE_NEEDED,
		      "vitro reads the others by them (IA32_VMX_BASIC bit 55)");
		return;
	}
	found("true controls", true, OK, NULL,
	      "the CPU has them (IA32_VMX_BASIC bit 55); VMCS revision %#x",
	      (unsigned int)basic & 0x7fffffff);
	check_features(basics, basic, "IA32_VMX_BASIC");

	pins = check_controls(VMX_TRUE_PIN, "IA32_VMX_TRUE_PINBASED_CTLS", pin);
	if (pins & 1U << PIN_PREEMPTION_TIMER)
		check_preemption_timer_rate();
	primary = check_controls(VMX_TRUE_PROC, "IA32_VMX_TRUE_PROCBASED_CTLS", proc);
	if (primary & 1U << PROC_SECONDARY)
		secondary = check_controls(VMX_PROC2, "IA32_VMX_PROCBASED_CTLS2", proc2);
	check_controls(VMX_TRUE_EXIT, "IA32_VMX_TRUE_EXIT_CTLS", vm_exit);
	check_controls(VMX_TRUE_ENTRY, "IA32_VMX_TRUE_ENTRY_CTLS", vm_entry);
	check_paging(secondary);
	check_fixed("fixed bits of CR0", VMX_CR0_FIXED0, CR0_EXPECTED);
	check_fixed("fixed bits of CR4", VMX_CR4_FIXED0, CR4_EXPECTED);
}

/* Firmware locks it with VMX on or off; where it left it open, Linux does (SDM 3C 24.7). */
static void check_feature_control(void)
{
	static const char cure[] =
		"turn VT-x on in the firmware's set-up; in a guest, enable nested virtualization";
	uint64_t control;

	if (!read_msr(FEATURE_CONTROL, &control))
		found("firmware", true, UNKNOWN, CURE_MSR,
		      "cannot read IA32_FEATURE_CONTROL to see whether the firmware disables VMX");
	else if (!(control & FEATURE_LOCKED))
		found("firmware", true, MISSING, cure,
		      "IA32_FEATURE_CONTROL is not locked, so VMXON would fault (%#llx)",
		      (unsigned long long)control);
	else if (!(control & FEATURE_VMX))
		found("firmware", true, MISSING, cure,
		      "IA32_FEATURE_CONTROL is locked with VMX off (%#llx)",
		      (unsigned long long)control);
	else
		found("firmware", true, OK, NULL,
		      "IA32_FEATURE_CONTROL is locked with VMX on (%#llx)",
		      (unsigned long long)control);
}

/*
 * Whether FRED is on is a bit of CR4, which programs cannot read; the kernel takes the
 * flag away where it does not turn it on.
 */
static void check_fred(void)
{
	uint32_t eax, ebx, ecx, edx;

	if (!__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) || !(eax & LEAF7_1_EAX_FRED))
		found("no FRED", true, OK, NULL, "the CPU does not have it");
	else if (!has_cpu_flag("fred"))
		found("no FRED", true, OK, NULL, "the kernel does not use it");
	else
		found("no FRED", true, MISSING, "boot with fred=off",
		      "FRED is on: vitro could not hand NMIs that end a guest's stay to the host");
}

/**
 * check_intel - can vitro run on this Intel CPU
 */
void check_intel(void)
{
	uint32_t eax, ebx, ecx, edx;

	__cpuid(1, eax, ebx, ecx, edx);
	if (!(ecx & LEAF1_ECX_VMX)) {
		found("VMX", true, MISSING,
		      "turn VT-x on in the firmware; in a guest, enable nested virtualization",
		      "the CPU has no VT-x, or something hides it");
		return;
	}
	found("VMX", true, OK, NULL, "the CPU has VT-x");
	check_feature_control();
	check_fred();
	/* CR4.VMXE would tell, but programs cannot read it. */
	check_kvm("kvm_intel",
		  "end its guests and: rmmod kvm_intel; or boot with kvm.enable_virt_at_load=0");
	check_vmx_capabilities();
}
