/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the guest's instructions, as far as the kernel side must. */
#ifndef VITRO_INSN_H
#define VITRO_INSN_H

#include "core/vitro.h"

/**
 * struct insn - an instruction in the guest's memory
 * @bytes: it, and what follows; zeros where memory ends; the last one does not count
 * @nr: how many of them could be read
 * @opcode: index of the opcode, after the prefixes
 * @bits: 16, 32 or 64: the mode it runs in
 * @rex: the REX prefix, or 0
 * @operand_override: it has an operand-size prefix
 * @addr_override: it has an address-size prefix
 * @seg: enum vitro_seg of a segment-override prefix, or -1
 */
struct insn {
	u8 bytes[16];
	u8 nr;
	u8 opcode;
	u8 bits;
	u8 rex;
	bool operand_override;
	bool addr_override;
	int seg;
};

int insn_fetch(struct vitro_vcpu *vcpu, struct insn *insn, bool atomic);
int insn_addr_size(const struct insn *insn);
int insn_decode_store(const struct vitro_vcpu *vcpu, const struct insn *insn,
		      u32 *size, u64 *data);

#endif /* VITRO_INSN_H */
