// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro doctor on AMD: what module/svm/ needs and uses. */
#include <cpuid.h>
#include <stddef.h>

#include "doctor.h"

/* MSRs (APM 2 15.30.1 and 3.1.7). */
#define MSR_VM_CR		0xc0010114
#define VM_CR_SVMDIS		0x10
#define MSR_EFER		0xc0000080
#define EFER_SVME		0x1000

/* CPUID bits (APM 3 E.4). */
#define LEAF81_ECX_SVM		0x00000004
#define SVM_NPT			0x00000001
#define SVM_NRIPS		0x00000008
#define SVM_CLEAN_BITS		0x00000020
#define SVM_FLUSH_ASID		0x00000040
#define SVM_DECODE		0x00000080
#define SVM_PAUSE_FILTER	0x00000400
#define SVM_VGIF		0x00010000

#define CURE_KVM "end its guests and: rmmod kvm_amd; or boot with kvm.enable_virt_at_load=0"

static void check_svm_disabled(void)
{
	uint64_t vm_cr;

	if (!read_msr(MSR_VM_CR, &vm_cr))
		found("firmware", true, UNKNOWN, CURE_MSR,
		      "cannot read MSR VM_CR to see whether the firmware disables SVM");
	else if (vm_cr & VM_CR_SVMDIS)
		found("firmware", true, MISSING, "enable SVM (AMD-V) in the firmware's set-up",
		      "the firmware disables SVM (VM_CR.SVMDIS)");
	else
		found("firmware", true, OK, NULL, "SVM is not disabled (VM_CR.SVMDIS is 0)");
}

/* Features that vitro uses when they are there. */
static void check_svm_features(uint32_t edx)
{
	static const struct {
		const char *name;
		uint32_t bit;
		const char *lack;
	} features[] = {
		{ "NRIP save", SVM_NRIPS, "vitro decodes what it intercepts, for the length" },
		{ "decode assists", SVM_DECODE, "vitro reads instructions from guest memory" },
		{ "flush by ASID", SVM_FLUSH_ASID, "a flush empties the whole TLB" },
		{ "VMCB clean bits", SVM_CLEAN_BITS, "each entry loads the whole VMCB" },
		{ "pause filter", SVM_PAUSE_FILTER, "each PAUSE of a guest is an exit" },
		{ "virtual GIF", SVM_VGIF, "matters to guests that are hypervisors only" },
		{ NULL, 0, NULL }
	}, *f;

	for (f = features; f->name; f++) {
		if (edx & f->bit)
			found(f->name, false, OK, NULL, "the CPU has it");
		else
			found(f->name, false, MISSING, NULL, "slower: %s", f->lack);
	}
}

static void check_cpu_is_free(void)
{
	uint64_t efer;

	if (!read_msr(MSR_EFER, &efer))
		check_kvm("kvm_amd", CURE_KVM);
	else if (efer & EFER_SVME)
		found("CPU is free", true, MISSING, CURE_KVM,
		      "another hypervisor holds it (EFER.SVME is set)");
	else
		found("CPU is free", true, OK, NULL, "no hypervisor holds it");
}

/**
 * check_amd - can vitro run on this AMD or Hygon CPU
 */
void check_amd(void)
{
	uint32_t eax, ebx, ecx, edx;

	if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) || !(ecx & LEAF81_ECX_SVM)) {
		found("SVM", true, MISSING,
		      "enable SVM in the firmware; in a guest, enable nested virtualization",
		      "the CPU has no AMD-V, or something hides it");
		return;
	}
	found("SVM", true, OK, NULL, "the CPU has AMD-V");
	check_svm_disabled();

	__cpuid(0x8000000a, eax, ebx, ecx, edx);
	if (edx & SVM_NPT)
		found("nested paging", true, OK, NULL, "the CPU has it; %u ASIDs", ebx);
	else
		found("nested paging", true, MISSING, "another CPU; vitro has no shadow paging",
		      "guest memory needs it");
	check_svm_features(edx);
	check_cpu_is_free();
}
