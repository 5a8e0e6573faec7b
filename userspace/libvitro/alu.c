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

/**
 * vi_shift - a shift or rotation
 * @op: which
 * @a: what, @size bytes
 * @fill: what SHLD and SHRD shift in, @size bytes
 * @count: how far, as the instruction has it
 * @size: 1, 2, 4, 8
 * @rflags: changed as the instruction does, unless the count is 0
 *
 * Bit by bit, as the manual tells it.  AF, which is undefined after shifts, stays; OF,
 * which is defined after shifts by 1 only, always says what it would say then: for
 * those to the left, that the last one changed the sign, or for those to the right,
 * that it is about to (SDM 2B, SAL; RCL; SHLD).
 *
 * Return: the result, @size bytes, zero-extended.
 */
uint64_t vi_shift(enum vi_shift op, uint64_t a, uint64_t fill, unsigned int count,
		  unsigned int size, __u64 *rflags)
{
	bool left = op == VI_SHL || op == VI_SHLD || op == VI_ROL || op == VI_RCL;
	bool rotates = op == VI_ROL || op == VI_ROR || op == VI_RCL || op == VI_RCR;
	unsigned int top = size * 8 - 1;
	bool carry = *rflags & FLAG_CF;
	uint64_t changed = rotates ? FLAG_CF | FLAG_OF : FLAG_ARITH & ~FLAG_AF;
	uint64_t flags;
	bool in = false;

	count &= size == 8 ? 63 : 31;
	if (!count)
		return a & vi_mask(size);
	for (a &= vi_mask(size); count; count--) {
		bool out = left ? a >> top & 1 : a & 1;

		switch (op) {
		case VI_SHL:
		case VI_SHR:
			break;
		case VI_SAR:
			in = a >> top & 1;
			break;
		case VI_ROL:
		case VI_ROR:
			in = out;
			break;
		case VI_RCL:
		case VI_RCR:
			in = carry;
			break;
		case VI_SHLD:
			in = fill >> top & 1;
			fill <<= 1;
			break;
		case VI_SHRD:
			in = fill & 1;
			fill >>= 1;
			break;
		}
		a = left ? (a << 1 | in) & vi_mask(size) : a >> 1 | (uint64_t)in << top;
		carry = out;
	}
	flags = result_flags(a, size);
	if (carry)
		flags |= FLAG_CF;
	if ((a >> top & 1) != (left ? carry : a >> (top - 1) & 1))
		flags |= FLAG_OF;
	*rflags = (*rflags & ~changed) | (flags & changed);
	return a;
}

/**
 * vi_condition - does a condition hold?
 * @code: the condition's number in Jcc, SETcc, CMOVcc (SDM 1 table B-1)
 * @rflags: the flags
 *
 * Return: whether.
 */
bool vi_condition(unsigned int code, uint64_t rflags)
{
	bool less = !(rflags & FLAG_SF) != !(rflags & FLAG_OF);
	bool holds = false;

	switch (code >> 1 & 7) {
	case 0:
		holds = rflags & FLAG_OF;
		break;
	case 1:
		holds = rflags & FLAG_CF;
		break;
	case 2:
		holds = rflags & FLAG_ZF;
		break;
	case 3:
		holds = rflags & (FLAG_CF | FLAG_ZF);
		break;
	case 4:
		holds = rflags & FLAG_SF;
		break;
	case 5:
		holds = rflags & FLAG_PF;
		break;
	case 6:
		holds = less;
		break;
	case 7:
		holds = less || rflags & FLAG_ZF;
		break;
	}
	return holds != (code & 1);	/* odd numbers are the negations */
}
