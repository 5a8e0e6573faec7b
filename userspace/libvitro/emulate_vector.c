// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Moves between vector registers and memory: SSE and AVX (SDM 1 chapters 10 to 14).
 *
 * A register is in three places of the XSAVE area: bits 127:0 in its SSE component,
 * 255:128 in AVX's, 511:256 in AVX-512's (SDM 1 13.5).  A component whose bit in XSTATE_BV
 * is clear is all zeros, whatever the area has there.
 */

#include <cpuid.h>
#include <string.h>

#include "insn.h"

/* Components, and the offset of the first two in the area's standard format (SDM 1 13.4). */
enum { SSE = 1, AVX = 2, ZMM_HI256 = 6 };

#define XMM_OFFSET		160
#define XSTATE_BV_OFFSET	512

/* Where component @nr is, which is @size bytes: CPUID says so (SDM 1 13.4.3). */
static uint8_t *component(struct vitro_fpu *fpu, unsigned int nr, unsigned int size)
{
	unsigned int eax, ebx = XMM_OFFSET, ecx, edx;

	if (nr != SSE)
		__cpuid_count(0xd, nr, eax, ebx, ecx, edx);
	return ebx && ebx + size <= sizeof(fpu->xsave) ? fpu->xsave + ebx : NULL;
}

static bool in_use(const struct vitro_fpu *fpu, unsigned int nr)
{
	uint64_t bv;

	memcpy(&bv, fpu->xsave + XSTATE_BV_OFFSET, sizeof(bv));
	return bv >> nr & 1;
}

/* Makes the area hold what XSTATE_BV says of a component, zeros if need be. */
static void use(struct vitro_fpu *fpu, unsigned int nr, uint8_t *where, unsigned int size)
{
	uint64_t bv;

	if (in_use(fpu, nr))
		return;
	memset(where, 0, size);
	memcpy(&bv, fpu->xsave + XSTATE_BV_OFFSET, sizeof(bv));
	bv |= 1ULL << nr;
	memcpy(fpu->xsave + XSTATE_BV_OFFSET, &bv, sizeof(bv));
}

/* Both get and set the 16 bytes of register @reg that are in component @nr. */
static void read_half(struct vitro_fpu *fpu, unsigned int nr, unsigned int reg, uint8_t *value)
{
	uint8_t *where = component(fpu, nr, 256);

	if (where && in_use(fpu, nr))
		memcpy(value, where + 16 * reg, 16);
	else
		memset(value, 0, 16);
}

static void write_half(struct vitro_fpu *fpu, unsigned int nr, unsigned int reg,
		       const uint8_t *value)
{
	uint8_t *where = component(fpu, nr, 256);

	if (!where)
		return;
	use(fpu, nr, where, 256);
	memcpy(where + 16 * reg, value, 16);
}

/*
 * SSE instructions leave all above bit 127 alone; those of AVX clear what they do not
 * set, up to the widest register that there is (SDM 1 14.1.3).
 */
static void write_register(struct vitro_fpu *fpu, unsigned int reg, const uint8_t *value,
			   bool vex)
{
	uint8_t *upper;

	write_half(fpu, SSE, reg, value);
	if (!vex)
		return;
	write_half(fpu, AVX, reg, value + 16);
	if (in_use(fpu, ZMM_HI256)) {
		upper = component(fpu, ZMM_HI256, 512);
		if (upper)
			memset(upper + 32 * reg, 0, 32);
	}
}

static bool is_vector(const ZydisDecodedOperand *op)
{
	ZydisRegisterClass class;

	if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return false;
	class = ZydisRegisterGetClass(op->reg.value);
	return class == ZYDIS_REGCLASS_XMM || class == ZYDIS_REGCLASS_YMM;
}

static unsigned int number(const ZydisDecodedOperand *op)
{
	return ZydisRegisterGetId(op->reg.value);
}

/*
 * The low half comes first in memory and in the register.  What is not loaded becomes
 * zero, but for the other half, which is operand 0's, or with AVX operand 1's.
 */
static int load(struct vi_insn *insn, unsigned int mem, int flags, bool vex)
{
	struct vitro_fpu *fpu = &insn->acc.vcpu->comm->state.fpu;
	unsigned int size = vi_operand_size(insn, mem);
	uint8_t value[32] = { 0 };
	unsigned int seg;
	uint64_t offset;
	int ret = vi_operand_address(insn, mem, &seg, &offset);

	if (!ret && flags & VI_ALIGNED)
		ret = vi_require_aligned(&insn->acc, seg, offset, size);
	if (ret)
		return ret;
	if (flags & (VI_LOW_HALF | VI_HIGH_HALF))
		read_half(fpu, SSE, number(&insn->op[mem - 1]), value);
	ret = vi_read(&insn->acc, seg, offset, value + (flags & VI_HIGH_HALF ? 8 : 0), size);
	if (ret)
		return ret;
	write_register(fpu, number(&insn->op[0]), value, vex);
	vitro_vcpu_put(insn->acc.vcpu, VITRO_STATE_FPU);
	return 0;
}

static int store(struct vi_insn *insn, int flags)
{
	struct vitro_fpu *fpu = &insn->acc.vcpu->comm->state.fpu;
	unsigned int size = vi_operand_size(insn, 0);
	unsigned int reg = number(&insn->op[1]);
	uint8_t value[32];
	unsigned int seg;
	uint64_t offset;
	int ret = vi_operand_address(insn, 0, &seg, &offset);

	if (!ret && flags & VI_ALIGNED)
		ret = vi_require_aligned(&insn->acc, seg, offset, size);
	if (ret)
		return ret;
	read_half(fpu, SSE, reg, value);
	read_half(fpu, AVX, reg, value + 16);
	return vi_write(&insn->acc, seg, offset, value + (flags & VI_HIGH_HALF ? 8 : 0), size);
}

/**
 * vi_do_vector - a move between memory and a vector register
 * @insn: the instruction
 * @flags: VI_ALIGNED memory has to be; VI_LOW_HALF, VI_HIGH_HALF of an XMM register, and the
 *	other half stays
 *
 * As wide as the memory operand is.  MMX registers and what EVEX adds (masks, ZMM) are
 * left out.
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_do_vector(struct vi_insn *insn, int flags)
{
	unsigned int last = insn->d->operand_count_visible - 1;
	bool vex = insn->d->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
	int ret;

	if ((insn->d->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY && !vex) ||
	    last < 1 || last > 2)
		return vi_insn_unknown(insn);
	for (unsigned int i = 0; i <= last; i++) {
		if (insn->op[i].type != ZYDIS_OPERAND_TYPE_MEMORY && !is_vector(&insn->op[i]))
			return vi_insn_unknown(insn);
	}
	ret = vitro_vcpu_get(insn->acc.vcpu, VITRO_STATE_FPU);
	if (ret)
		return ret;
	if (insn->op[0].type == ZYDIS_OPERAND_TYPE_MEMORY)
		return store(insn, flags);
	return load(insn, last, flags, vex);
}
