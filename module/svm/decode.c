// SPDX-License-Identifier: GPL-2.0-only
/*
 * For CPUs that do not say how long the instruction was that exited (no NRIP save,
 * APM 2 15.7.1) or what its operand was (no decode assists, 15.8): the few
 * instructions vitro intercepts, found again in the guest's memory.
 */
#include "core/insn.h"
#include "svm/svm.h"

/* Opcodes after the prefixes, by the exit that they cause (APM 3). */
static const struct {
	u64 exitcode;
	u8 nr;
	u8 opcode[3];
} insns[] = {
	{ SVM_EXIT_CPUID,	2, { 0x0f, 0xa2 } },
	{ SVM_EXIT_HLT,		1, { 0xf4 } },
	{ SVM_EXIT_PAUSE,	1, { 0x90 } },		/* its F3 is a prefix */
	{ SVM_EXIT_VMMCALL,	3, { 0x0f, 0x01, 0xd9 } },
	{ SVM_EXIT_XSETBV,	3, { 0x0f, 0x01, 0xd1 } },
	{ SVM_EXIT_INVD,	2, { 0x0f, 0x08 } },
	{ SVM_EXIT_WBINVD,	2, { 0x0f, 0x09 } },
	{ SVM_EXIT_MSR,		2, { 0x0f, 0x30 } },	/* WRMSR */
	{ SVM_EXIT_MSR,		2, { 0x0f, 0x32 } },	/* RDMSR */
};

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
	struct insn insn;
	int ret, i;

	ret = insn_fetch(vcpu, &insn, true);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		int len = insn.opcode + insns[i].nr;

		if (insns[i].exitcode != exitcode)
			continue;
		if (len > insn.nr)
			return -EAGAIN;
		if (!memcmp(insn.bytes + insn.opcode, insns[i].opcode, insns[i].nr))
			return len;
	}
	return -EINVAL;
}

/**
 * svm_decode_mov - operands of the MOV CR or MOV DR that exited
 * @vcpu: its cr_access tells the control or debug register and the direction; gpr is
 *	filled in
 * @opcode: second byte of the opcode that reads
 *
 * Returns as svm_insn_length().
 */
int svm_decode_mov(struct vitro_vcpu *vcpu, u8 opcode)
{
	struct insn insn;
	const u8 *bytes;
	int ret;

	ret = insn_fetch(vcpu, &insn, true);
	if (ret)
		return ret;
	if (insn.opcode + 3 > insn.nr)
		return -EAGAIN;

	/*
	 * 0F 20 /r reads CRn, 0F 22 /r writes it; 21 and 23 do that with DRn.  ModRM.reg is
	 * n, ModRM.rm the GPR.
	 */
	bytes = insn.bytes + insn.opcode;
	if (bytes[0] != 0x0f || bytes[1] != opcode + (vcpu->cr_access.write ? 2 : 0))
		return -EINVAL;
	vcpu->cr_access.gpr = (bytes[2] & 7) | (insn.rex & 1) << 3;
	return insn.opcode + 3;
}

/**
 * svm_decode_string_io - segment and address size of the INS or OUTS that exited
 * @vcpu: its exit.io is filled in
 *
 * Without decode assists EXITINFO1 does not give the segment; QEMU gives no address
 * size either.  Returns 0, or -EAGAIN as svm_insn_length().
 */
int svm_decode_string_io(struct vitro_vcpu *vcpu)
{
	struct vitro_exit *x = &vcpu->exit;
	struct insn insn;
	int ret;

	ret = insn_fetch(vcpu, &insn, true);
	if (ret)
		return ret;

	x->io.addr_size = insn_addr_size(&insn);
	/* INS writes to ES, and nothing overrides that. */
	if (x->io.flags & VITRO_IO_IN)
		x->io.seg = VITRO_ES;
	else
		x->io.seg = insn.seg >= 0 ? insn.seg : VITRO_DS;
	return 0;
}
