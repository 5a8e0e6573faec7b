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
