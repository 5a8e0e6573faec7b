// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libvitro's arithmetic against this CPU's: the same operation on the same operands
 * has to give the same result and the same flags.
 */
#include "kselftest_harness.h"

#include "fake.h"
#include "native.h"

#define ROUNDS	20000

/*
 * The operations as instructions on al and bl: opcode and ModRM (SDM 2B, each
 * instruction).  The opcodes for wider registers are those plus 1.
 */
static const struct {
	enum vi_alu op;
	const char *name;
	uint8_t opcode, modrm;
} table[] = {
	{ VI_ADD, "add", 0x00, 0xd8 },
	{ VI_OR,  "or",	 0x08, 0xd8 },
	{ VI_ADC, "adc", 0x10, 0xd8 },
	{ VI_SBB, "sbb", 0x18, 0xd8 },
	{ VI_AND, "and", 0x20, 0xd8 },
	{ VI_SUB, "sub", 0x28, 0xd8 },
	{ VI_XOR, "xor", 0x30, 0xd8 },
	{ VI_INC, "inc", 0xfe, 0xc0 },
	{ VI_DEC, "dec", 0xfe, 0xc8 },
	{ VI_NOT, "not", 0xf6, 0xd0 },
	{ VI_NEG, "neg", 0xf6, 0xd8 },
};

/* The instruction for operands of @size bytes.  Returns its length. */
static size_t encode(uint8_t *code, unsigned int row, unsigned int size)
{
	size_t len = 0;

	if (size == 2)
		code[len++] = 0x66;
	if (size == 8)
		code[len++] = 0x48;
	code[len++] = table[row].opcode + (size > 1);
	code[len++] = table[row].modrm;
	return len;
}

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
	uint8_t *page = native_page();
	uint8_t code[4];

	ASSERT_NE(NULL, page);
	srandom(1);
	for (unsigned int i = 0; i < ARRAY_LEN(table) * 4 * ROUNDS; i++) {
		unsigned int row = i / ROUNDS / 4;
		unsigned int size = 1 << i / ROUNDS % 4;
		uint64_t a = operand(), b = operand();
		uint64_t before = (random() & FLAG_ARITH) | FLAG_FIXED | 0x200;
		uint64_t got;
		__u64 flags = before;

		native.gpr[VITRO_RAX] = a;
		native.gpr[VITRO_RBX] = b;
		native.rflags = before;
		native_run(page, code, encode(code, row, size));
		got = vi_alu(table[row].op, a, b, size, &flags);
		ASSERT_EQ(native.gpr[VITRO_RAX] & vi_mask(size), got)
			TH_LOG("%s of %u bytes: %lx, %lx", table[row].name, size, a, b);
		ASSERT_EQ(native.rflags, flags)
			TH_LOG("%s of %u bytes: %lx, %lx, flags %lx", table[row].name, size, a,
			       b, before);
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
