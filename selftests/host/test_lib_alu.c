// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's arithmetic against this CPU's: the same operation on the same operands
 * has to give the same result and the same flags.
 */
#include "kselftest_harness.h"

#include "fake.h"

#define ROUNDS	20000

/*
 * One operation of one width, done by the CPU, flags in and out.  The stack pointer is
 * moved (by LEA, which leaves the flags alone) out of the compiler's red zone.
 */
#define NATIVE2(name, insn, type)							\
	static uint64_t name(uint64_t a, uint64_t b, uint64_t *flags)			\
	{										\
		type x = a;								\
											\
		asm volatile("lea -128(%%rsp), %%rsp; push %[f]; popf; "		\
			     insn " %[b], %[x]; "					\
			     "pushf; pop %[f]; lea 128(%%rsp), %%rsp"			\
			     : [x] "+&r" (x), [f] "+&r" (*flags)			\
			     : [b] "r" ((type)b)					\
			     : "cc", "memory");						\
		return x;								\
	}

#define NATIVE1(name, insn, type)							\
	static uint64_t name(uint64_t a, uint64_t b, uint64_t *flags)			\
	{										\
		type x = a;								\
											\
		(void)b;								\
		asm volatile("lea -128(%%rsp), %%rsp; push %[f]; popf; "		\
			     insn " %[x]; "						\
			     "pushf; pop %[f]; lea 128(%%rsp), %%rsp"			\
			     : [x] "+&r" (x), [f] "+&r" (*flags)			\
			     :								\
			     : "cc", "memory");						\
		return x;								\
	}

#define NATIVE(kind, op)			\
	NATIVE##kind(op##1, #op "b", uint8_t)	\
	NATIVE##kind(op##2, #op "w", uint16_t)	\
	NATIVE##kind(op##4, #op "l", uint32_t)	\
	NATIVE##kind(op##8, #op "q", uint64_t)

NATIVE(2, add)
NATIVE(2, or)
NATIVE(2, adc)
NATIVE(2, sbb)
NATIVE(2, and)
NATIVE(2, sub)
NATIVE(2, xor)
NATIVE(1, inc)
NATIVE(1, dec)
NATIVE(1, neg)
NATIVE(1, not)

typedef uint64_t (*native_fn)(uint64_t a, uint64_t b, uint64_t *flags);

#define ROW(alu, op)	{ alu, #op, { op##1, op##2, op##4, op##8 } }

static const struct {
	enum vi_alu op;
	const char *name;
	native_fn native[4];	/* for 1, 2, 4, 8 bytes */
} table[] = {
	ROW(VI_ADD, add), ROW(VI_OR, or), ROW(VI_ADC, adc), ROW(VI_SBB, sbb), ROW(VI_AND, and),
	ROW(VI_SUB, sub), ROW(VI_XOR, xor), ROW(VI_INC, inc), ROW(VI_DEC, dec),
	ROW(VI_NEG, neg), ROW(VI_NOT, not),
};

/* Values near the borders of every width are where flags change. */
static uint64_t operand(void)
{
	static const uint64_t border[] = {
		0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000,
		0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff,
	};

	if (random() & 1)
		return border[random() % ARRAY_LEN(border)] + random() % 3 - 1;
	return (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ random();
}

TEST(same_as_the_cpu)
{
	srandom(1);
	for (unsigned int i = 0; i < ARRAY_LEN(table) * 4; i++) {
		unsigned int size = 1 << i % 4;

		for (int round = 0; round < ROUNDS; round++) {
			uint64_t a = operand(), b = operand();
			uint64_t before = (random() & FLAG_ARITH) | FLAG_FIXED | 0x200;
			uint64_t native_flags = before;
			__u64 flags = before;
			uint64_t want = table[i / 4].native[i % 4](a, b, &native_flags);
			uint64_t got = vi_alu(table[i / 4].op, a, b, size, &flags);

			ASSERT_EQ(want, got)
				TH_LOG("%s of %u bytes: %lx, %lx", table[i / 4].name, size, a, b);
			ASSERT_EQ(native_flags & FLAG_ARITH, flags & FLAG_ARITH)
				TH_LOG("%s of %u bytes: %lx, %lx, flags %lx", table[i / 4].name,
				       size, a, b, before);
			ASSERT_EQ(before & ~FLAG_ARITH, flags & ~FLAG_ARITH);
		}
	}
}

TEST(parts_of_registers)
{
	__u64 reg = 0x1122334455667788;

	vi_gpr_merge(&reg, 0xfffffffffffffaa, 1);
	EXPECT_EQ(0x11223344556677aa, reg);
	vi_gpr_merge(&reg, 0xfffffffffffbbcc, 2);
	EXPECT_EQ(0x112233445566bbcc, reg);
	vi_gpr_merge(&reg, 0xfffffffddeeff00, 4);
	EXPECT_EQ(0xddeeff00, reg);
	vi_gpr_merge(&reg, 0x123456789abcdef0, 8);
	EXPECT_EQ(0x123456789abcdef0, reg);
}

TEST_HARNESS_MAIN
