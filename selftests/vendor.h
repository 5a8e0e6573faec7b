/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few things that tests have to know about the CPU they run on. */
#ifndef VENDOR_H
#define VENDOR_H

#include <cpuid.h>
#include <string.h>
#include "vt.h"

/* vitro_exit.raw.code of some exits: APM 2 appendix C, SDM 3D appendix C. */
static inline uint64_t vendor_raw_io(const struct vt_vm *vm)
{
	return vm->info.vendor == VITRO_VENDOR_SVM ? 0x7b : 30;
}

static inline uint64_t vendor_raw_hlt(const struct vt_vm *vm)
{
	return vm->info.vendor == VITRO_VENDOR_SVM ? 0x78 : 12;
}

/*
 * Keys in a dump: encodings of VMCS fields (SDM 3D appendix B), offsets in a VMCB; and
 * how many there are at least: of the VMCS, what the first CPUs with EPT had.
 */
struct vendor_keys {
	uint32_t kind, nr, rip, cr0, cr4, cs_attributes, event, exit_code, a_secret, a_limit;
};

static inline const struct vendor_keys *vendor_keys(const struct vt_vm *vm)
{
	static const struct vendor_keys svm = {
		.kind = VITRO_DUMP_VMCB, .nr = 4096 / 8, .rip = 0x578, .cr0 = 0x558, .cr4 = 0x548,
		.cs_attributes = 0x410, .event = 0xa8, .exit_code = 0x70,
		.a_secret = 0xb0,		/* nCR3 */
		.a_limit = 0xc0010114,		/* VM_CR */
	};
	static const struct vendor_keys vmx = {
		.kind = VITRO_DUMP_VMCS, .nr = 130, .rip = 0x681e, .cr0 = 0x6800, .cr4 = 0x6804,
		.cs_attributes = 0x4816, .event = 0x4016, .exit_code = 0x4402,
		.a_secret = 0x6c16,		/* host RIP */
		.a_limit = 0x480,		/* IA32_VMX_BASIC */
	};

	return vm->info.vendor == VITRO_VENDOR_SVM ? &svm : &vmx;
}

/* exit_code of a refused entry: VMEXIT_INVALID; invalid guest state (SDM 3C 27.8). */
static inline uint32_t vendor_refused(const struct vt_vm *vm)
{
	return vm->info.vendor == VITRO_VENDOR_SVM ? 0xffffffff : 0x80000021;
}

/* The L and D bits of CS, where a dump has them. */
static inline uint64_t vendor_l_and_d(const struct vt_vm *vm)
{
	return vm->info.vendor == VITRO_VENDOR_SVM ? 0x6000000 : 0x6000;
}

/* Writes this vendor's hypercall instruction, 3 bytes: VMMCALL or VMCALL. */
static inline void vendor_hypercall(struct vt_vm *vm, const void *insn)
{
	memcpy(vt_ptr(vm, insn), vm->info.vendor == VITRO_VENDOR_SVM ?
	       "\x0f\x01\xd9" : "\x0f\x01\xc1", 3);
}

/*
 * Is this CPU emulated by QEMU's TCG?  It leaves out a few checks that silicon
 * makes, and tests of those skip.
 */
static inline bool vendor_is_tcg(void)
{
	unsigned int eax, sig[3];

	__cpuid(0x40000000, eax, sig[0], sig[1], sig[2]);
	return !memcmp(sig, "TCGTCGTCGTCG", 12);
}

#endif /* VENDOR_H */
