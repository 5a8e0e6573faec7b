// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Instructions that access device memory, emulated.
 *
 * Each handler reads operands, computes, and writes operands; it does not know where
 * they are.  It works on a copy of the registers (insn->gprs), which becomes the
 * vCPU's when all went well.  So a fault in the middle leaves no trace but what a
 * device has seen.  To add an instruction, add a line to the table below, and a
 * handler if none fits.
 *
 * LOCK needs no care: what is atomic about an access to a device is the device's.
 * That an instruction exists and is enabled (CPUID, CR0.TS, CR4.OSXSAVE, ...) has been
 * checked by the CPU, or there would not have been an exit.  Not looked at are data
 * breakpoints (DR7).
 */

#include <errno.h>
#include <string.h>

#include "insn.h"

/* -------------------------------------------------------------------- moves */

/**
 * vi_do_mov - operand 0 becomes operand 1
 * @insn: the instruction
 * @arg: unused
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_do_mov(struct vi_insn *insn, int arg)
{
	uint64_t value;
	int ret = vi_operand_read(insn, 1, &value);

	(void)arg;
	return ret ? ret : vi_operand_write(insn, 0, value);
}

/* MOVSX, MOVSXD.  MOVZX is vi_do_mov: what is read is zero-extended. */
static int do_movsx(struct vi_insn *insn, int arg)
{
	unsigned int unused = 64 - insn->op[1].size;
	uint64_t value;
	int ret = vi_operand_read(insn, 1, &value);

	(void)arg;
	if (ret)
		return ret;
	return vi_operand_write(insn, 0, (int64_t)(value << unused) >> unused);
}

/* MOVBE: byte 0 becomes the last one. */
static int do_movbe(struct vi_insn *insn, int arg)
{
	unsigned int unused = 64 - insn->op[0].size;
	uint64_t value;
	int ret = vi_operand_read(insn, 1, &value);

	(void)arg;
	return ret ? ret : vi_operand_write(insn, 0, __builtin_bswap64(value) >> unused);
}

/* The memory operand is written first: that may fault, and a register may be its base. */
static int do_xchg(struct vi_insn *insn, int arg)
{
	unsigned int mem = insn->op[1].type == ZYDIS_OPERAND_TYPE_MEMORY;
	uint64_t value[2];
	int ret = vi_operand_read(insn, 0, &value[0]);

	(void)arg;
	if (!ret)
		ret = vi_operand_read(insn, 1, &value[1]);
	if (!ret)
		ret = vi_operand_write(insn, mem, value[!mem]);
	return ret ? ret : vi_operand_write(insn, !mem, value[mem]);
}

/* -------------------------------------------------------------------- stack */

static void set_rsp(struct vi_insn *insn, uint64_t rsp)
{
	vi_gpr_merge(&insn->gprs.gpr[VITRO_RSP], rsp, insn->d->stack_width / 8);
}

static uint64_t get_rsp(const struct vi_insn *insn)
{
	return insn->gprs.gpr[VITRO_RSP] & vi_mask(insn->d->stack_width / 8);
}

/*
 * A fault of the operand comes before one of the stack, and both before a device has
 * been read.
 */
static int do_push(struct vi_insn *insn, int arg)
{
	unsigned int size = insn->d->operand_width / 8;
	uint64_t top = (get_rsp(insn) - size) & vi_mask(insn->d->stack_width / 8);
	uint64_t value;
	int ret = vi_operand_probe(insn, 0, false);

	(void)arg;
	if (!ret)
		ret = vi_probe(&insn->acc, VITRO_SS, top, size, true);
	if (!ret)
		ret = vi_operand_read(insn, 0, &value);
	if (ret)
		return ret;
	set_rsp(insn, top);
	return vi_write(&insn->acc, VITRO_SS, top, &value, size);
}

/* rSP moves before the destination is looked at, which may be relative to it. */
static int do_pop(struct vi_insn *insn, int arg)
{
	unsigned int size = insn->d->operand_width / 8;
	uint64_t value = 0;
	int ret = vi_read(&insn->acc, VITRO_SS, get_rsp(insn), &value, size);

	(void)arg;
	if (ret)
		return ret;
	set_rsp(insn, get_rsp(insn) + size);
	return vi_operand_write(insn, 0, value);
}

/* --------------------------------------------------------------- arithmetic */

static int do_binary(struct vi_insn *insn, int op)
{
	unsigned int size = vi_operand_size(insn, 0);
	uint64_t a, b;
	int ret = vi_operand_read(insn, 0, &a);

	if (!ret)
		ret = vi_operand_read(insn, 1, &b);
	if (ret)
		return ret;
	return vi_operand_write(insn, 0, vi_alu(op, a, b, size, &insn->gprs.rflags));
}

/**
 * vi_do_compare - the flags of a subtraction (CMP) or AND (TEST), without its result
 * @insn: the instruction
 * @op: VI_SUB or VI_AND
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_do_compare(struct vi_insn *insn, int op)
{
	uint64_t a, b;
	int ret = vi_operand_read(insn, 0, &a);

	if (!ret)
		ret = vi_operand_read(insn, 1, &b);
	if (!ret)
		vi_alu(op, a, b, vi_operand_size(insn, 0), &insn->gprs.rflags);
	return ret;
}

static int do_unary(struct vi_insn *insn, int op)
{
	unsigned int size = vi_operand_size(insn, 0);
	uint64_t a;
	int ret = vi_operand_read(insn, 0, &a);

	if (ret)
		return ret;
	return vi_operand_write(insn, 0, vi_alu(op, a, 0, size, &insn->gprs.rflags));
}

static int do_shift(struct vi_insn *insn, int op)
{
	unsigned int size = vi_operand_size(insn, 0);
	unsigned int last = op == VI_SHLD || op == VI_SHRD ? 2 : 1;
	uint64_t a, fill = 0, count;
	int ret = vi_operand_read(insn, 0, &a);

	if (!ret && last == 2)
		ret = vi_operand_read(insn, 1, &fill);
	if (!ret)
		ret = vi_operand_read(insn, last, &count);
	if (ret)
		return ret;
	return vi_operand_write(insn, 0, vi_shift(op, a, fill, count, size, &insn->gprs.rflags));
}

/* Memory first, as in XCHG; and the register gets what was there. */
static int do_xadd(struct vi_insn *insn, int arg)
{
	uint64_t a, b, sum;
	int ret = vi_operand_read(insn, 0, &a);

	(void)arg;
	if (!ret)
		ret = vi_operand_read(insn, 1, &b);
	if (ret)
		return ret;
	sum = vi_alu(VI_ADD, a, b, vi_operand_size(insn, 0), &insn->gprs.rflags);
	ret = vi_operand_write(insn, 0, sum);
	return ret ? ret : vi_operand_write(insn, 1, a);
}

/* Memory is written in any case, if only with what was there (SDM 2A, CMPXCHG). */
static int do_cmpxchg(struct vi_insn *insn, int arg)
{
	unsigned int size = vi_operand_size(insn, 0);
	uint64_t old, new, rax = insn->gprs.gpr[VITRO_RAX];
	int ret = vi_operand_read(insn, 0, &old);

	(void)arg;
	if (!ret)
		ret = vi_operand_read(insn, 1, &new);
	if (ret)
		return ret;
	vi_alu(VI_SUB, rax, old, size, &insn->gprs.rflags);
	if (insn->gprs.rflags & FLAG_ZF)
		return vi_operand_write(insn, 0, new);
	vi_gpr_merge(&insn->gprs.gpr[VITRO_RAX], old, size);
	return vi_operand_write(insn, 0, old);
}

/* CMPXCHG8B, CMPXCHG16B: @half is the size of a register, two of which are an operand. */
static int do_cmpxchg_pair(struct vi_insn *insn, int half)
{
	__u64 *gpr = insn->gprs.gpr;
	uint64_t low = 0, high = 0, new_low, new_high;
	unsigned int seg;
	uint64_t offset;
	uint8_t value[16];
	int ret = vi_operand_address(insn, 0, &seg, &offset);

	if (!ret && half == 8)
		ret = vi_require_aligned(&insn->acc, seg, offset, 16);
	if (!ret)
		ret = vi_probe(&insn->acc, seg, offset, 2 * half, true);
	if (!ret)
		ret = vi_read(&insn->acc, seg, offset, value, 2 * half);
	if (ret)
		return ret;
	memcpy(&low, value, half);
	memcpy(&high, value + half, half);
	if (!(((low ^ gpr[VITRO_RAX]) | (high ^ gpr[VITRO_RDX])) & vi_mask(half))) {
		insn->gprs.rflags |= FLAG_ZF;
		new_low = gpr[VITRO_RBX];
		new_high = gpr[VITRO_RCX];
		memcpy(value, &new_low, half);
		memcpy(value + half, &new_high, half);
	} else {
		insn->gprs.rflags &= ~FLAG_ZF;
		gpr[VITRO_RAX] = low;
		gpr[VITRO_RDX] = high;
	}
	return vi_write(&insn->acc, seg, offset, value, 2 * half);
}

/* The low four bits of SETcc's and CMOVcc's opcodes are the condition. */
static int do_setcc(struct vi_insn *insn)
{
	return vi_operand_write(insn, 0, vi_condition(insn->d->opcode & 0xf,
						      insn->gprs.rflags));
}

/* CMOVcc reads memory in any case, and clears the upper half of a 64-bit register, too. */
static int do_cmov(struct vi_insn *insn)
{
	uint64_t value;
	int ret = vi_operand_read(insn, 1, &value);

	if (!ret && !vi_condition(insn->d->opcode & 0xf, insn->gprs.rflags))
		ret = vi_operand_read(insn, 0, &value);
	return ret ? ret : vi_operand_write(insn, 0, value);
}

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

/*
 * BT, BTS, BTR, BTC.  A bit number from a register selects an element of a bit string
 * that extends both ways from the operand (SDM 1 3.1.1.9), so the address is worked
 * out here.  Of the flags, only CF is defined, and the others stay.
 */
static int do_bit(struct vi_insn *insn, int op)
{
	unsigned int size = vi_operand_size(insn, 0);
	unsigned int bits = size * 8;
	unsigned int seg;
	uint64_t offset, number, mask, value = 0;
	int ret = vi_operand_address(insn, 0, &seg, &offset);

	if (!ret)
		ret = vi_operand_read(insn, 1, &number);
	if (ret)
		return ret;
	if (insn->op[1].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		int64_t n = (int64_t)(number << (64 - bits)) >> (64 - bits);

		offset += (n >> __builtin_ctz(bits)) * size;
		offset &= vi_mask(insn->d->address_width / 8);
	}
	mask = 1ULL << (number & (bits - 1));

	if (op != BIT_TEST)
		ret = vi_probe(&insn->acc, seg, offset, size, true);
	if (!ret)
		ret = vi_read(&insn->acc, seg, offset, &value, size);
	if (ret)
		return ret;
	insn->gprs.rflags &= ~FLAG_CF;
	if (value & mask)
		insn->gprs.rflags |= FLAG_CF;
	switch (op) {
	case BIT_SET:
		value |= mask;
		break;
	case BIT_RESET:
		value &= ~mask;
		break;
	case BIT_COMPLEMENT:
		value ^= mask;
		break;
	default:
		return 0;
	}
	return vi_write(&insn->acc, seg, offset, &value, size);
}

/* -------------------------------------------------------------------- tables */

static const struct handler {
	ZydisMnemonic mnemonic;
	int (*handle)(struct vi_insn *insn, int arg);
	int arg;
} handlers[] = {
	{ ZYDIS_MNEMONIC_MOV,		vi_do_mov,	0 },
	{ ZYDIS_MNEMONIC_MOVZX,		vi_do_mov,	0 },
	{ ZYDIS_MNEMONIC_MOVSX,		do_movsx,	0 },
	{ ZYDIS_MNEMONIC_MOVSXD,	do_movsx,	0 },
	{ ZYDIS_MNEMONIC_MOVNTI,	vi_do_mov,	0 },
	{ ZYDIS_MNEMONIC_MOVBE,		do_movbe,	0 },
	{ ZYDIS_MNEMONIC_XCHG,		do_xchg,	0 },
	{ ZYDIS_MNEMONIC_PUSH,		do_push,	0 },
	{ ZYDIS_MNEMONIC_POP,		do_pop,		0 },

	{ ZYDIS_MNEMONIC_ADD,		do_binary,	VI_ADD },
	{ ZYDIS_MNEMONIC_ADC,		do_binary,	VI_ADC },
	{ ZYDIS_MNEMONIC_SUB,		do_binary,	VI_SUB },
	{ ZYDIS_MNEMONIC_SBB,		do_binary,	VI_SBB },
	{ ZYDIS_MNEMONIC_AND,		do_binary,	VI_AND },
	{ ZYDIS_MNEMONIC_OR,		do_binary,	VI_OR },
	{ ZYDIS_MNEMONIC_XOR,		do_binary,	VI_XOR },
	{ ZYDIS_MNEMONIC_CMP,		vi_do_compare,	VI_SUB },
	{ ZYDIS_MNEMONIC_TEST,		vi_do_compare,	VI_AND },
	{ ZYDIS_MNEMONIC_INC,		do_unary,	VI_INC },
	{ ZYDIS_MNEMONIC_DEC,		do_unary,	VI_DEC },
	{ ZYDIS_MNEMONIC_NEG,		do_unary,	VI_NEG },
	{ ZYDIS_MNEMONIC_NOT,		do_unary,	VI_NOT },
	{ ZYDIS_MNEMONIC_XADD,		do_xadd,	0 },
	{ ZYDIS_MNEMONIC_CMPXCHG,	do_cmpxchg,	0 },
	{ ZYDIS_MNEMONIC_CMPXCHG8B,	do_cmpxchg_pair, 4 },
	{ ZYDIS_MNEMONIC_CMPXCHG16B,	do_cmpxchg_pair, 8 },

	{ ZYDIS_MNEMONIC_ROL,		do_shift,	VI_ROL },
	{ ZYDIS_MNEMONIC_ROR,		do_shift,	VI_ROR },
	{ ZYDIS_MNEMONIC_RCL,		do_shift,	VI_RCL },
	{ ZYDIS_MNEMONIC_RCR,		do_shift,	VI_RCR },
	{ ZYDIS_MNEMONIC_SHL,		do_shift,	VI_SHL },
	{ ZYDIS_MNEMONIC_SHR,		do_shift,	VI_SHR },
	{ ZYDIS_MNEMONIC_SAR,		do_shift,	VI_SAR },
	{ ZYDIS_MNEMONIC_SHLD,		do_shift,	VI_SHLD },
	{ ZYDIS_MNEMONIC_SHRD,		do_shift,	VI_SHRD },
	{ ZYDIS_MNEMONIC_BT,		do_bit,		BIT_TEST },
	{ ZYDIS_MNEMONIC_BTS,		do_bit,		BIT_SET },
	{ ZYDIS_MNEMONIC_BTR,		do_bit,		BIT_RESET },
	{ ZYDIS_MNEMONIC_BTC,		do_bit,		BIT_COMPLEMENT },

	{ ZYDIS_MNEMONIC_MOVAPS,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVAPS,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVAPD,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVAPD,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVDQA,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVDQA,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVNTPS,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVNTPS,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVNTPD,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVNTPD,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVNTDQ,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVNTDQ,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVNTDQA,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_VMOVNTDQA,	vi_do_vector,	VI_ALIGNED },
	{ ZYDIS_MNEMONIC_MOVUPS,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVUPS,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVUPD,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVUPD,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVDQU,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVDQU,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_LDDQU,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VLDDQU,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVQ,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVQ,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVD,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVD,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVSS,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVSS,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVSD,		vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_VMOVSD,	vi_do_vector,	0 },
	{ ZYDIS_MNEMONIC_MOVLPS,	vi_do_vector,	VI_LOW_HALF },
	{ ZYDIS_MNEMONIC_VMOVLPS,	vi_do_vector,	VI_LOW_HALF },
	{ ZYDIS_MNEMONIC_MOVLPD,	vi_do_vector,	VI_LOW_HALF },
	{ ZYDIS_MNEMONIC_VMOVLPD,	vi_do_vector,	VI_LOW_HALF },
	{ ZYDIS_MNEMONIC_MOVHPS,	vi_do_vector,	VI_HIGH_HALF },
	{ ZYDIS_MNEMONIC_VMOVHPS,	vi_do_vector,	VI_HIGH_HALF },
	{ ZYDIS_MNEMONIC_MOVHPD,	vi_do_vector,	VI_HIGH_HALF },
	{ ZYDIS_MNEMONIC_VMOVHPD,	vi_do_vector,	VI_HIGH_HALF },
};

/* Families whose members differ by a few bits of the opcode. */
static int (*family(const struct vi_insn *insn))(struct vi_insn *insn)
{
	switch (insn->d->meta.category) {
	case ZYDIS_CATEGORY_STRINGOP:
		return vi_do_string;
	case ZYDIS_CATEGORY_SETCC:
		return do_setcc;
	case ZYDIS_CATEGORY_CMOV:
		return do_cmov;
	default:
		return NULL;
	}
}

static int execute(struct vi_insn *insn)
{
	int (*handle)(struct vi_insn *insn) = family(insn);

	if (handle)
		return handle(insn);
	for (unsigned int i = 0; i < ARRAY_LEN(handlers); i++) {
		if (handlers[i].mnemonic == insn->d->mnemonic)
			return handlers[i].handle(insn, handlers[i].arg);
	}
	return vi_insn_unknown(insn);
}

/* Accesses that no instruction makes cannot be emulated, and are the guest's mistake. */
static int check_exit(const struct vitro_exit *exit)
{
	unsigned long long gpa = exit->mmio.gpa;

	if (exit->reason != VITRO_EXIT_MMIO)
		return vi_fail(EINVAL, "exit reason %u is not VITRO_EXIT_MMIO", exit->reason);
	if (exit->mmio.flags & VITRO_MMIO_EXEC)
		return vi_fail(EFAULT, "the guest executes at gpa 0x%llx; it has no memory there",
			       gpa);
	if (exit->mmio.flags & VITRO_MMIO_WALK)
		return vi_fail(EFAULT, "a page table of the guest is at gpa 0x%llx; "
			       "it has no memory there", gpa);
	/* EXITINTINFO.V, or IDT-vectoring information's valid bit (APM 2 15.7.2, SDM 3C 24.9.3). */
	if (exit->raw.intinfo & (1U << 31))
		return vi_fail(EFAULT, "the IDT, TSS or stack of an interrupt is at gpa 0x%llx; "
			       "the guest has no memory there", gpa);
	return 0;
}

int vitro_emulate_mmio(struct vitro_vcpu *vcpu, const struct vitro_bus *bus)
{
	const struct vitro_exit *exit = &vcpu->comm->exit;
	struct vi_insn insn;
	int ret = check_exit(exit);

	insn.acc = (struct vi_access){ .vcpu = vcpu, .bus = bus };
	if (!ret)
		ret = vi_insn_decode(&insn, exit->mmio.bytes, exit->mmio.nr_bytes);
	if (!ret)
		ret = execute(&insn);
	if (ret == VI_GUEST_FAULT)
		return vitro_raise_fault(vcpu, &insn.acc.fault);
	return ret ? ret : vi_commit(vcpu, &insn.gprs, insn.next_rip, !insn.again);
}
