// SPDX-License-Identifier: GPL-2.0-only
/*
 * For CPUs that do not say how long the instruction was that exited (no NRIP save,
 * APM 2 15.7.1) or what its operand was (no decode assists, 15.10): the few
 * instructions vitro intercepts, found again in the guest's memory.
 */
#include "svm/svm.h"

/* Opcodes after the prefixes, by the exit that they cause (APM 3). */
static const struct {
	u64 exitcode;
	u8 nr;
	u8 opcode[3];
} insns[] = {
	{ SVM_EXIT_CPUID,	2, { 0x0f, 0xa2 } },
	{ SVM_EXIT_HLT,		1, { 0xf4 } },
	{ SVM_EXIT_VMMCALL,	3, { 0x0f, 0x01, 0xd9 } },
	{ SVM_EXIT_XSETBV,	3, { 0x0f, 0x01, 0xd1 } },
	{ SVM_EXIT_INVD,	2, { 0x0f, 0x08 } },
	{ SVM_EXIT_WBINVD,	2, { 0x0f, 0x09 } },
	{ SVM_EXIT_MSR,		2, { 0x0f, 0x30 } },	/* WRMSR */
	{ SVM_EXIT_MSR,		2, { 0x0f, 0x32 } },	/* RDMSR */
};

/*
 * Reads the instruction at RIP into @bytes, 15 of them and zeros, and returns the
 * number of its prefixes; *@rex is the REX prefix or 0.  -EAGAIN when its page
 * must be faulted in first, which cannot be done in a burst.
 */
static int fetch(struct vitro_vcpu *vcpu, u8 bytes[15], u8 *rex)
{
	const struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;
	bool is_64bit = svm_backend.is_64bit(vcpu);
	struct guest_paging paging;
	u64 rip = vcpu->regs.rip;
	int n, i;

	vmcb_load_paging(vcpu, &paging);
	if (!is_64bit)
		rip = (u32)(s->cs.base + rip);
	memset(bytes, 0, 15);
	n = guest_fetch(vcpu->vm, &paging, rip, bytes, true);
	if (n <= 0)
		return -EAGAIN;

	*rex = 0;
	for (i = 0; i < n; i++) {
		switch (bytes[i]) {
		case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
		case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
			*rex = 0;	/* REX counts only right before the opcode */
			continue;
		case 0x40 ... 0x4f:
			if (!is_64bit)
				return i;
			*rex = bytes[i];
			continue;
		}
		break;
	}
	return i;
}

/**
 * svm_insn_length - length of the instruction that exited
 * @vcpu: its RIP points at the instruction
 *
 * Returns bytes; -EAGAIN when the instruction's page must be faulted in first;
 * -EINVAL when another instruction stands there, because another vCPU has changed
 * it: running it again sorts that out.
 */
int svm_insn_length(struct vitro_vcpu *vcpu)
{
	u64 exitcode = to_svm(vcpu)->vmcb->control.exitcode;
	u8 bytes[15], rex;
	int prefixes, i;

	prefixes = fetch(vcpu, bytes, &rex);
	if (prefixes < 0)
		return prefixes;
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		int len = prefixes + insns[i].nr;

		if (insns[i].exitcode == exitcode && len <= sizeof(bytes) &&
		    !memcmp(bytes + prefixes, insns[i].opcode, insns[i].nr))
			return len;
	}
	return -EINVAL;
}

/**
 * svm_decode_mov_cr - operands of the MOV CR that exited
 * @vcpu: its cr_access tells the control register and the direction; gpr is filled in
 *
 * Returns as svm_insn_length().
 */
int svm_decode_mov_cr(struct vitro_vcpu *vcpu)
{
	u8 bytes[15], rex, opcode, modrm;
	int prefixes;

	prefixes = fetch(vcpu, bytes, &rex);
	if (prefixes < 0)
		return prefixes;
	if (prefixes + 3 > sizeof(bytes))
		return -EINVAL;
	opcode = bytes[prefixes + 1];
	modrm = bytes[prefixes + 2];

	/* 0F 20 /r reads CRn, 0F 22 /r writes it; ModRM.reg is n, ModRM.rm the GPR. */
	if (bytes[prefixes] != 0x0f || opcode != (vcpu->cr_access.write ? 0x22 : 0x20))
		return -EINVAL;
	vcpu->cr_access.gpr = (modrm & 7) | (rex & 1) << 3;
	return prefixes + 3;
}
