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

/**
 * struct insn - an instruction in the guest's memory
 * @bytes: it, and what follows; zeros where memory ends
 * @prefixes: number of prefixes before the opcode, REX included
 * @rex: the REX prefix, or 0
 * @addr_override: there is an address-size prefix
 * @seg: enum vitro_seg of a segment-override prefix, or -1
 */
struct insn {
	u8 bytes[15];
	int prefixes;
	u8 rex;
	bool addr_override;
	int seg;
};

/* Takes in one legacy prefix (APM 3 1.2); false when @byte is none. */
static bool legacy_prefix(struct insn *insn, u8 byte)
{
	switch (byte) {
	case 0x26:
		insn->seg = VITRO_ES;
		return true;
	case 0x2e:
		insn->seg = VITRO_CS;
		return true;
	case 0x36:
		insn->seg = VITRO_SS;
		return true;
	case 0x3e:
		insn->seg = VITRO_DS;
		return true;
	case 0x64:
		insn->seg = VITRO_FS;
		return true;
	case 0x65:
		insn->seg = VITRO_GS;
		return true;
	case 0x67:
		insn->addr_override = true;
		return true;
	case 0x66: case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return false;
}

/*
 * Reads the instruction at RIP, up to its opcode.  -EAGAIN when its page must be
 * faulted in first, which cannot be done in a burst.
 */
static int fetch(struct vitro_vcpu *vcpu, struct insn *insn)
{
	const struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;
	bool is_64bit = svm_backend.is_64bit(vcpu);
	struct guest_paging paging;
	u64 rip = vcpu->regs.rip;
	int n, i;

	*insn = (struct insn){ .seg = -1 };
	vmcb_load_paging(vcpu, &paging);
	if (!is_64bit)
		rip = (u32)(s->cs.base + rip);
	n = guest_fetch(vcpu->vm, &paging, rip, insn->bytes, true);
	if (n <= 0)
		return -EAGAIN;

	for (i = 0; i < n; i++) {
		u8 byte = insn->bytes[i];

		if (legacy_prefix(insn, byte))
			insn->rex = 0;	/* REX counts only right before the opcode */
		else if (is_64bit && (byte & 0xf0) == 0x40)
			insn->rex = byte;
		else
			break;
	}
	insn->prefixes = i;
	return 0;
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
	struct insn insn;
	int ret, i;

	ret = fetch(vcpu, &insn);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(insns); i++) {
		int len = insn.prefixes + insns[i].nr;

		if (insns[i].exitcode == exitcode && len <= sizeof(insn.bytes) &&
		    !memcmp(insn.bytes + insn.prefixes, insns[i].opcode, insns[i].nr))
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
	struct insn insn;
	const u8 *opcode;
	int ret;

	ret = fetch(vcpu, &insn);
	if (ret)
		return ret;
	if (insn.prefixes + 3 > sizeof(insn.bytes))
		return -EINVAL;

	/* 0F 20 /r reads CRn, 0F 22 /r writes it; ModRM.reg is n, ModRM.rm the GPR. */
	opcode = insn.bytes + insn.prefixes;
	if (opcode[0] != 0x0f || opcode[1] != (vcpu->cr_access.write ? 0x22 : 0x20))
		return -EINVAL;
	vcpu->cr_access.gpr = (opcode[2] & 7) | (insn.rex & 1) << 3;
	return insn.prefixes + 3;
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
	const struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;
	struct vitro_exit *x = &vcpu->exit;
	struct insn insn;
	int ret;

	ret = fetch(vcpu, &insn);
	if (ret)
		return ret;

	if (svm_backend.is_64bit(vcpu))
		x->io.addr_size = insn.addr_override ? 4 : 8;
	else if (s->cs.attrib & VITRO_SEG_DB)
		x->io.addr_size = insn.addr_override ? 2 : 4;
	else
		x->io.addr_size = insn.addr_override ? 4 : 2;

	/* INS writes to ES, and nothing overrides that. */
	if (x->io.flags & VITRO_IO_IN)
		x->io.seg = VITRO_ES;
	else
		x->io.seg = insn.seg >= 0 ? insn.seg : VITRO_DS;
	return 0;
}
