/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A decoded instruction and its operands: what emulate.c computes with. */
#ifndef VITRO_INSN_H
#define VITRO_INSN_H

#include "internal.h"

/**
 * struct vi_insn - an instruction
 * @acc: whose it is, and how it reaches memory
 * @gprs: the registers to change: a copy, so that a fault leaves the vCPU's alone
 * @next_rip: where the next instruction is
 * @again: it is a REP with iterations left, and rip has to stay
 * @bytes: the instruction, and perhaps what follows
 * @nr_bytes: valid in @bytes
 * @d: decoded, in a struct vi_decoded
 * @op: its operands, @d->operand_count of them, the visible ones first
 */
struct vi_insn {
	struct vi_access acc;
	struct vitro_gprs gprs;
	uint64_t next_rip;
	bool again;
	uint8_t bytes[INSN_MAX];
	unsigned int nr_bytes;
	const ZydisDecodedInstruction *d;
	const ZydisDecodedOperand *op;
};

int vi_insn_fetch(struct vi_insn *insn, unsigned int access);
int vi_insn_decode(struct vi_insn *insn, const uint8_t *bytes, unsigned int nr_bytes);
int vi_insn_unknown(const struct vi_insn *insn);
unsigned int vi_operand_size(const struct vi_insn *insn, unsigned int nr);
int vi_operand_address(const struct vi_insn *insn, unsigned int nr, unsigned int *seg,
		       uint64_t *offset);
int vi_operand_probe(struct vi_insn *insn, unsigned int nr, bool write);
int vi_operand_read(struct vi_insn *insn, unsigned int nr, uint64_t *value);
int vi_operand_write(struct vi_insn *insn, unsigned int nr, uint64_t value);

/* emulate.c: handlers that others need */
int vi_do_mov(struct vi_insn *insn, int arg);
int vi_do_compare(struct vi_insn *insn, int op);

/* emulate_string.c */
int vi_do_string(struct vi_insn *insn);

/* emulate_vector.c */
#define VI_ALIGNED	1
#define VI_LOW_HALF	2
#define VI_HIGH_HALF	4

int vi_do_vector(struct vi_insn *insn, int flags);

#endif /* VITRO_INSN_H */
