// SPDX-License-Identifier: LGPL-2.1-or-later
/* MOVS, STOS, LODS, CMPS, SCAS, and what REP makes of them (SDM 1 7.3.9; SDM 2B, REP). */

#include "insn.h"

/* Opcodes for elements of one byte; the wider ones are odd (SDM 2D table A-2). */
enum { MOVS = 0xa4, CMPS = 0xa6, STOS = 0xaa, LODS = 0xac, SCAS = 0xae };

static unsigned int string_op(const struct vi_insn *insn)
{
	return insn->d->opcode & ~1U;
}

static void advance(struct vi_insn *insn, enum vitro_gpr reg)
{
	vi_string_advance(&insn->gprs, reg, vi_operand_size(insn, 0),
			  insn->d->address_width / 8);
}

/*
 * One element.  Zydis gives (rSI) and (rDI) as operands, so moves are just moves.  A
 * device must not be read for a MOVS whose destination faults.
 */
static int string_iterate(void *arg)
{
	struct vi_insn *insn = arg;
	unsigned int op = string_op(insn);
	bool compares = op == CMPS || op == SCAS;
	int ret = 0;
	bool zf;

	if (op == MOVS) {
		ret = vi_operand_probe(insn, 1, false);
		if (!ret)
			ret = vi_operand_probe(insn, 0, true);
	}
	if (!ret)
		ret = compares ? vi_do_compare(insn, VI_SUB) : vi_do_mov(insn, 0);
	if (ret)
		return ret;
	if (op != STOS && op != SCAS)
		advance(insn, VITRO_RSI);
	if (op != LODS)
		advance(insn, VITRO_RDI);
	if (!compares)
		return 0;
	zf = insn->gprs.rflags & FLAG_ZF;
	if ((insn->d->attributes & ZYDIS_ATTRIB_HAS_REPE && !zf) ||
	    (insn->d->attributes & ZYDIS_ATTRIB_HAS_REPNE && zf))
		return VI_REP_STOP;
	return 0;
}

/**
 * vi_do_string - a string instruction, with all its iterations
 * @insn: the instruction; @again is set if they were too many
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_do_string(struct vi_insn *insn)
{
	const ZydisInstructionAttributes rep = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
					       ZYDIS_ATTRIB_HAS_REPNE;
	bool done;
	int ret = vi_repeat(insn->acc.vcpu, &insn->gprs, insn->d->attributes & rep,
			    insn->d->address_width / 8, string_iterate, insn, &done);

	insn->again = !ret && !done;
	return ret;
}
