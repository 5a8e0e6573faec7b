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
 * Not looked at are data breakpoints (DR7) and alignment checks (CR0.AM).
 */

#include <errno.h>

#include "insn.h"

/* -------------------------------------------------------------------- moves */

static int do_mov(struct vi_insn *insn, int arg)
{
	uint64_t value;
	int ret = vi_operand_read(insn, 1, &value);

	(void)arg;
	return ret ? ret : vi_operand_write(insn, 0, value);
}

/* MOVSX, MOVSXD.  MOVZX is do_mov: what is read is zero-extended. */
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
	vi_gpr_merge(&insn->gprs.gpr[VITRO_RSP], rsp, insn->d.stack_width / 8);
}

static uint64_t get_rsp(const struct vi_insn *insn)
{
	return insn->gprs.gpr[VITRO_RSP] & vi_mask(insn->d.stack_width / 8);
}

static int do_push(struct vi_insn *insn, int arg)
{
	unsigned int size = insn->d.operand_width / 8;
	uint64_t value;
	int ret = vi_operand_read(insn, 0, &value);

	(void)arg;
	if (ret)
		return ret;
	set_rsp(insn, get_rsp(insn) - size);
	return vi_write(&insn->acc, VITRO_SS, get_rsp(insn), &value, size);
}

/* rSP moves before the destination is looked at, which may be relative to it. */
static int do_pop(struct vi_insn *insn, int arg)
{
	unsigned int size = insn->d.operand_width / 8;
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

/* CMP and TEST: the flags of a subtraction or AND, without its result. */
static int do_compare(struct vi_insn *insn, int op)
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
		offset &= vi_mask(insn->d.address_width / 8);
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

/* ------------------------------------------------------------------ strings */

enum string_op { STRING_MOVS, STRING_STOS, STRING_LODS, STRING_CMPS, STRING_SCAS };

/**
 * struct string - a string instruction
 * @insn: the instruction
 * @op: which
 */
struct string {
	struct vi_insn *insn;
	enum string_op op;
};

static void advance(struct vi_insn *insn, enum vitro_gpr reg)
{
	vi_string_advance(&insn->gprs, reg, vi_operand_size(insn, 0),
			  insn->d.address_width / 8);
}

/* One element.  Zydis gives (rSI) and (rDI) as operands, so moves are just moves. */
static int string_iterate(void *arg)
{
	const struct string *string = arg;
	struct vi_insn *insn = string->insn;
	bool compares = string->op == STRING_CMPS || string->op == STRING_SCAS;
	bool zf;
	int ret;

	if (compares)
		ret = do_compare(insn, VI_SUB);
	else
		ret = do_mov(insn, 0);
	if (ret)
		return ret;
	if (string->op != STRING_STOS && string->op != STRING_SCAS)
		advance(insn, VITRO_RSI);
	if (string->op != STRING_LODS)
		advance(insn, VITRO_RDI);
	if (!compares)
		return 0;
	zf = insn->gprs.rflags & FLAG_ZF;
	if ((insn->d.attributes & ZYDIS_ATTRIB_HAS_REPE && !zf) ||
	    (insn->d.attributes & ZYDIS_ATTRIB_HAS_REPNE && zf))
		return VI_REP_STOP;
	return 0;
}

static int do_string(struct vi_insn *insn, int op)
{
	const ZydisInstructionAttributes rep = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					       ZYDIS_ATTRIB_HAS_REPNE;
	struct string string = { .insn = insn, .op = op };
	bool done;
	int ret;

	/* MOVSD and CMPSD are also names of SSE instructions. */
	if (insn->d.meta.category != ZYDIS_CATEGORY_STRINGOP)
		return vi_insn_unknown(insn);
	ret = vi_repeat(insn->acc.vcpu, &insn->gprs, insn->d.attributes & rep,
			insn->d.address_width / 8, string_iterate, &string, &done);
	insn->again = !ret && !done;
	return ret;
}

/* -------------------------------------------------------------------- table */

static const struct handler {
	ZydisMnemonic mnemonic;
	int (*handle)(struct vi_insn *insn, int arg);
	int arg;
} handlers[] = {
	{ ZYDIS_MNEMONIC_MOV,	do_mov,		0 },
	{ ZYDIS_MNEMONIC_MOVZX,	do_mov,		0 },
	{ ZYDIS_MNEMONIC_MOVSX,	do_movsx,	0 },
	{ ZYDIS_MNEMONIC_MOVSXD, do_movsx,	0 },
	{ ZYDIS_MNEMONIC_MOVNTI, do_mov,	0 },
	{ ZYDIS_MNEMONIC_XCHG,	do_xchg,	0 },
	{ ZYDIS_MNEMONIC_PUSH,	do_push,	0 },
	{ ZYDIS_MNEMONIC_POP,	do_pop,		0 },
	{ ZYDIS_MNEMONIC_ADD,	do_binary,	VI_ADD },
	{ ZYDIS_MNEMONIC_ADC,	do_binary,	VI_ADC },
	{ ZYDIS_MNEMONIC_SUB,	do_binary,	VI_SUB },
	{ ZYDIS_MNEMONIC_SBB,	do_binary,	VI_SBB },
	{ ZYDIS_MNEMONIC_AND,	do_binary,	VI_AND },
	{ ZYDIS_MNEMONIC_OR,	do_binary,	VI_OR },
	{ ZYDIS_MNEMONIC_XOR,	do_binary,	VI_XOR },
	{ ZYDIS_MNEMONIC_CMP,	do_compare,	VI_SUB },
	{ ZYDIS_MNEMONIC_TEST,	do_compare,	VI_AND },
	{ ZYDIS_MNEMONIC_INC,	do_unary,	VI_INC },
	{ ZYDIS_MNEMONIC_DEC,	do_unary,	VI_DEC },
	{ ZYDIS_MNEMONIC_NEG,	do_unary,	VI_NEG },
	{ ZYDIS_MNEMONIC_NOT,	do_unary,	VI_NOT },
	{ ZYDIS_MNEMONIC_BT,	do_bit,		BIT_TEST },
	{ ZYDIS_MNEMONIC_BTS,	do_bit,		BIT_SET },
	{ ZYDIS_MNEMONIC_BTR,	do_bit,		BIT_RESET },
	{ ZYDIS_MNEMONIC_BTC,	do_bit,		BIT_COMPLEMENT },
	{ ZYDIS_MNEMONIC_MOVSB,	do_string,	STRING_MOVS },
	{ ZYDIS_MNEMONIC_MOVSW,	do_string,	STRING_MOVS },
	{ ZYDIS_MNEMONIC_MOVSD,	do_string,	STRING_MOVS },
	{ ZYDIS_MNEMONIC_MOVSQ,	do_string,	STRING_MOVS },
	{ ZYDIS_MNEMONIC_STOSB,	do_string,	STRING_STOS },
	{ ZYDIS_MNEMONIC_STOSW,	do_string,	STRING_STOS },
	{ ZYDIS_MNEMONIC_STOSD,	do_string,	STRING_STOS },
	{ ZYDIS_MNEMONIC_STOSQ,	do_string,	STRING_STOS },
	{ ZYDIS_MNEMONIC_LODSB,	do_string,	STRING_LODS },
	{ ZYDIS_MNEMONIC_LODSW,	do_string,	STRING_LODS },
	{ ZYDIS_MNEMONIC_LODSD,	do_string,	STRING_LODS },
	{ ZYDIS_MNEMONIC_LODSQ,	do_string,	STRING_LODS },
	{ ZYDIS_MNEMONIC_CMPSB,	do_string,	STRING_CMPS },
	{ ZYDIS_MNEMONIC_CMPSW,	do_string,	STRING_CMPS },
	{ ZYDIS_MNEMONIC_CMPSD,	do_string,	STRING_CMPS },
	{ ZYDIS_MNEMONIC_CMPSQ,	do_string,	STRING_CMPS },
	{ ZYDIS_MNEMONIC_SCASB,	do_string,	STRING_SCAS },
	{ ZYDIS_MNEMONIC_SCASW,	do_string,	STRING_SCAS },
	{ ZYDIS_MNEMONIC_SCASD,	do_string,	STRING_SCAS },
	{ ZYDIS_MNEMONIC_SCASQ,	do_string,	STRING_SCAS },
};

static int execute(struct vi_insn *insn)
{
	for (unsigned int i = 0; i < ARRAY_LEN(handlers); i++) {
		if (handlers[i].mnemonic == insn->d.mnemonic)
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
	struct vi_insn insn = { .acc = { .vcpu = vcpu, .bus = bus } };
	int ret = check_exit(exit);

	if (!ret)
		ret = vi_insn_decode(&insn, exit->mmio.bytes, exit->mmio.nr_bytes);
	if (!ret)
		ret = execute(&insn);
	if (ret == VI_GUEST_FAULT)
		return vitro_raise_fault(vcpu, &insn.acc.fault);
	return ret ? ret : vi_commit(vcpu, &insn.gprs, insn.next_rip, !insn.again);
}
