// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Integer arithmetic with its flags (SDM 1 3.4.3.1; SDM 2A and 2B, each
 * instruction).  All the flags that emulated instructions set are computed here.
 */

#include "internal.h"

/* SF, ZF and PF speak of the result only, and the same way for all instructions. */
static uint64_t result_flags(uint64_t result, unsigned int size)
{
	uint64_t flags = 0;

	if (result >> (size * 8 - 1) & 1)
		flags |= FLAG_SF;
	if (!result)
		flags |= FLAG_ZF;
	if (!(__builtin_popcountll(result & 0xff) & 1))
		flags |= FLAG_PF;
	return flags;
}

/*
 * CF, AF and OF from the carries (or borrows) out of every bit: CF is the one out of
 * the top bit, AF the one out of bit 3, and OF says that the carries out of the top
 * bit and out of the bit below differ.
 */
static uint64_t carry_flags(uint64_t carries, unsigned int size)
{
	unsigned int top = size * 8 - 1;
	uint64_t flags = 0;

	if (carries >> top & 1)
		flags |= FLAG_CF;
	if (carries >> 3 & 1)
		flags |= FLAG_AF;
	if ((carries >> top ^ carries >> (top - 1)) & 1)
		flags |= FLAG_OF;
	return flags;
}

/* A bit carries when both are set, or one is and no sum bit is left: it got a carry. */
static uint64_t add(uint64_t a, uint64_t b, bool carry, unsigned int size, uint64_t *flags)
{
	uint64_t sum = (a + b + carry) & vi_mask(size);

	*flags = carry_flags((a & b) | ((a | b) & ~sum), size);
	return sum;
}

/* A bit borrows when it takes 1 from 0, or both are equal and it lent one itself. */
static uint64_t subtract(uint64_t a, uint64_t b, bool borrow, unsigned int size,
			 uint64_t *flags)
{
	uint64_t rest = (a - b - borrow) & vi_mask(size);

	*flags = carry_flags((~a & b) | (~(a ^ b) & rest), size);
	return rest;
}

/**
 * vi_alu - compute
 * @op: what
 * @a: first operand, the destination
 * @b: second operand; not used by the operations that have one
 * @size: of the operands in bytes: 1, 2, 4, 8
 * @rflags: changed as the CPU would.  AF, which is undefined after AND, OR and XOR,
 *	is cleared by them, as CPUs do.
 *
 * CMP is VI_SUB and TEST is VI_AND, without the result.
 *
 * Return: the result, @size bytes, zero-extended.
 */
uint64_t vi_alu(enum vi_alu op, uint64_t a, uint64_t b, unsigned int size, __u64 *rflags)
{
	bool carry = *rflags & FLAG_CF;
	uint64_t changed = FLAG_ARITH;
	uint64_t result = 0, flags = 0;

	a &= vi_mask(size);
	b &= vi_mask(size);
	switch (op) {
	case VI_NOT:		/* alone leaves all flags alone */
		return ~a & vi_mask(size);
	case VI_OR:
		result = a | b;
		break;
	case VI_AND:
		result = a & b;
		break;
	case VI_XOR:
		result = a ^ b;
		break;
	case VI_ADD:
		result = add(a, b, false, size, &flags);
		break;
	case VI_ADC:
		result = add(a, b, carry, size, &flags);
		break;
	case VI_INC:		/* leaves CF alone, and so does DEC */
		result = add(a, 1, false, size, &flags);
		changed &= ~FLAG_CF;
		break;
	case VI_SUB:
		result = subtract(a, b, false, size, &flags);
		break;
	case VI_SBB:
		result = subtract(a, b, carry, size, &flags);
		break;
	case VI_DEC:
		result = subtract(a, 1, false, size, &flags);
		changed &= ~FLAG_CF;
		break;
	case VI_NEG:
		result = subtract(0, a, false, size, &flags);
		break;
	}
	flags |= result_flags(result, size);
	*rflags = (*rflags & ~changed) | (flags & changed);
	return result;
}
