// SPDX-License-Identifier: GPL-2.0-only
/*
 * The little that the kernel side knows of instructions.  It emulates none; it
 * reads one where the CPU does not say enough about it: how long it was, or what a
 * MOV to a doorbell stored.
 */
#include "core/core.h"
#include "core/insn.h"

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
	case 0x66:
		insn->operand_override = true;
		return true;
	case 0x67:
		insn->addr_override = true;
		return true;
	case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return false;
}

/* The instruction is longer than what could be read of it. */
static int insn_short(bool atomic)
{
	return atomic ? -EAGAIN : -EFAULT;
}

/**
 * insn_fetch - read the instruction at RIP, and take in its prefixes
 * @vcpu: the vCPU
 * @insn: filled in
 * @atomic: in a burst, where nothing may sleep
 *
 * Returns 0; -EAGAIN, with @atomic only, when its page must be faulted in first;
 * -ENOMEM, only without; -EFAULT when there is no code at RIP any more.
 * Whoever decodes on, looks at @insn->nr: the instruction may go on where this could
 * not read.
 */
int insn_fetch(struct vitro_vcpu *vcpu, struct insn *insn, bool atomic)
{
	struct guest_code code;
	int n, i;

	backend->code(vcpu, &code);
	*insn = (struct insn){ .seg = -1, .bits = code.bits };
	n = guest_fetch(vcpu->vm, &code.paging, code.linear_rip, insn->bytes, atomic);
	if (n <= 0)
		return n == -ENOMEM ? n : insn_short(atomic);
	insn->nr = n;

	for (i = 0; i < n; i++) {
		u8 byte = insn->bytes[i];

		if (legacy_prefix(insn, byte))
			insn->rex = 0;	/* REX counts only right before the opcode */
		else if (insn->bits == 64 && (byte & 0xf0) == 0x40)
			insn->rex = byte;
		else
			break;
	}
	insn->opcode = i;
	return i < n ? 0 : insn_short(atomic);
}

/**
 * insn_addr_size - width in bytes of the addresses that the instruction forms
 * @insn: fetched
 */
int insn_addr_size(const struct insn *insn)
{
	if (insn->bits == 64)
		return insn->addr_override ? 4 : 8;
	return (insn->bits == 32) ^ insn->addr_override ? 4 : 2;
}

static int operand_size(const struct insn *insn)
{
	if (insn->rex & 8)	/* REX.W */
		return 8;
	return (insn->bits == 16) ^ insn->operand_override ? 2 : 4;
}

/* Bytes of ModRM, SIB and displacement of a memory operand, or 0 if it is a register. */
static int modrm_length(const struct insn *insn, const u8 *modrm)
{
	u8 mod = modrm[0] >> 6;
	u8 rm = modrm[0] & 7;

	if (mod == 3)
		return 0;
	if (insn_addr_size(insn) == 2)
		return 1 + (mod == 0 ? (rm == 6 ? 2 : 0) : mod);
	if (rm == 4) {		/* SIB; without a base it has a displacement */
		if (mod == 0)
			return (modrm[1] & 7) == 5 ? 6 : 2;
		return mod == 1 ? 3 : 6;
	}
	if (mod == 0)
		return rm == 5 ? 5 : 1;
	return mod == 1 ? 2 : 5;
}

/* General register @nr as a byte operand: without REX, 4 to 7 are AH, CH, DH, BH. */
static u64 byte_register(const struct vitro_vcpu *vcpu, const struct insn *insn, int nr)
{
	if (!insn->rex && nr >= 4)
		return vcpu->regs.gpr[nr - 4] >> 8;
	return vcpu->regs.gpr[nr];
}

static u64 immediate(const u8 *bytes, int size)
{
	u64 value = 0;

	memcpy(&value, bytes, size);
	return size == 4 ? (u64)(s64)(s32)value : value;
}

/**
 * insn_decode_store - what a MOV to memory stores: 88, 89, C6 /0, C7 /0 (APM 3, MOV)
 * @vcpu: the vCPU
 * @insn: fetched
 * @size: filled in with the bytes it stores
 * @data: filled in with their value
 *
 * Returns the length of the instruction, or 0 when it is another one, or not all of it
 * was read.
 */
int insn_decode_store(const struct vitro_vcpu *vcpu, const struct insn *insn,
		      u32 *size, u64 *data)
{
	const u8 *opcode = insn->bytes + insn->opcode;
	int room = insn->nr - insn->opcode;
	int reg, len, imm = 0;

	if (room < 3)		/* opcode, ModRM, SIB */
		return 0;
	len = modrm_length(insn, opcode + 1);
	if (!len)
		return 0;
	len++;

	reg = (opcode[1] >> 3 & 7) | (insn->rex & 4) << 1;
	switch (opcode[0]) {
	case 0x88:
		*size = 1;
		*data = byte_register(vcpu, insn, reg);
		break;
	case 0x89:
		*size = operand_size(insn);
		*data = vcpu->regs.gpr[reg];
		break;
	case 0xc6:
	case 0xc7:
		if (reg & 7)
			return 0;
		*size = opcode[0] == 0xc6 ? 1 : operand_size(insn);
		imm = min_t(u32, *size, 4);
		if (len + imm > room)
			return 0;
		*data = immediate(opcode + len, imm);
		break;
	default:
		return 0;
	}
	*data &= GENMASK_ULL(8 * *size - 1, 0);
	return insn->opcode + len + imm;
}
