// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random instructions.  Half of the programs are mostly what an ordinary program never does: what
 * exits, what the processor checks, what changes modes.  The others have random bytes as well, or
 * nothing else.
 */
#include <string.h>

#include "guest.h"

/* What follows the opcode. */
enum tail {
	T_NONE,
	T_RM,		/* ModRM, of any kind */
	T_MEM,		/* ModRM with a memory operand */
	T_REG,		/* ModRM with registers */
	T_IMM8,
	T_FORWARD,	/* a jump, mostly not backwards */
	T_IMM16,
	T_FAR,		/* offset and selector */
	T_MOFFS,	/* an address */
	T_RM_IMM8,
};

/* What registers should hold first. */
enum prelude {
	P_NONE,
	P_MSR,		/* rCX an MSR, sometimes rAX and rDX what it might like */
	P_PORT,		/* DX a port */
	P_LEAF,		/* EAX and ECX for CPUID */
	P_XCR,		/* ECX and EAX for XSETBV */
	P_SELECTOR,	/* AX a selector */
	P_CONTROL,	/* EAX a likely value of a control register */
	P_ADDRESS,	/* rAX an address */
	P_STRING,	/* rSI and rDI addresses, rCX a small count */
};

#define MSR_EFER	0xc0000080
#define DIGIT(n)	((n) << 4 | 8)	/* ModRM.reg is this */

static const struct template {
	const char *bytes;
	unsigned char len;
	unsigned char tail;
	unsigned char prelude;
	unsigned char reg;	/* 0: at random */
} templates[] = {
#define INSN(bytes, tail, prelude)	{ bytes, sizeof(bytes) - 1, tail, prelude, 0 }
#define GROUP(bytes, tail, n, prelude)	{ bytes, sizeof(bytes) - 1, tail, prelude, DIGIT(n) }
	/* control and debug registers, MSRs, XCR0 */
	INSN("\x0f\x20", T_REG, P_NONE), INSN("\x0f\x22", T_REG, P_CONTROL),
	GROUP("\x0f\x22", T_REG, 0, P_CONTROL), GROUP("\x0f\x22", T_REG, 4, P_CONTROL),
	GROUP("\x0f\x22", T_REG, 3, P_ADDRESS), GROUP("\x44\x0f\x22", T_REG, 0, P_CONTROL),
	INSN("\x0f\x21", T_REG, P_NONE), INSN("\x0f\x23", T_REG, P_ADDRESS),
	GROUP("\x0f\x23", T_REG, 7, P_CONTROL), INSN("\x0f\x06", T_NONE, P_NONE),
	GROUP("\x0f\x01", T_REG, 4, P_NONE), GROUP("\x0f\x01", T_RM, 6, P_CONTROL),
	INSN("\x0f\x32", T_NONE, P_MSR), INSN("\x0f\x32", T_NONE, P_MSR),
	INSN("\x0f\x30", T_NONE, P_MSR), INSN("\x0f\x30", T_NONE, P_MSR),
	INSN("\x0f\x30", T_NONE, P_MSR), INSN("\x0f\x33", T_NONE, P_NONE),
	INSN("\x0f\x31", T_NONE, P_NONE), INSN("\x0f\x01\xf9", T_NONE, P_NONE),
	INSN("\x0f\x01\xd0", T_NONE, P_XCR), INSN("\x0f\x01\xd1", T_NONE, P_XCR),
	/* descriptor tables and segments */
	GROUP("\x0f\x01", T_MEM, 0, P_NONE), GROUP("\x0f\x01", T_MEM, 1, P_NONE),
	GROUP("\x0f\x01", T_MEM, 2, P_NONE), GROUP("\x0f\x01", T_MEM, 3, P_NONE),
	GROUP("\x0f\x00", T_RM, 0, P_NONE), GROUP("\x0f\x00", T_RM, 1, P_NONE),
	GROUP("\x0f\x00", T_RM, 2, P_SELECTOR), GROUP("\x0f\x00", T_RM, 3, P_SELECTOR),
	GROUP("\x0f\x00", T_RM, 4, P_SELECTOR), GROUP("\x0f\x00", T_RM, 5, P_SELECTOR),
	INSN("\x8e", T_RM, P_SELECTOR), INSN("\x8c", T_RM, P_NONE),
	INSN("\x0f\x02", T_RM, P_SELECTOR), INSN("\x0f\x03", T_RM, P_SELECTOR),
	INSN("\x0f\xb2", T_MEM, P_NONE), INSN("\x0f\xb4", T_MEM, P_NONE),
	INSN("\x0f\xa1", T_NONE, P_NONE), INSN("\x17", T_NONE, P_NONE),
	/* control transfers */
	INSN("\xea", T_FAR, P_NONE), INSN("\x9a", T_FAR, P_NONE), INSN("\xcb", T_NONE, P_NONE),
	GROUP("\xff", T_MEM, 3, P_NONE), GROUP("\xff", T_MEM, 5, P_NONE),
	INSN("\xcf", T_NONE, P_NONE), INSN("\x48\xcf", T_NONE, P_NONE),
	INSN("\xcd", T_IMM8, P_NONE), INSN("\xcc", T_NONE, P_NONE), INSN("\xce", T_NONE, P_NONE),
	INSN("\xf1", T_NONE, P_NONE), INSN("\x0f\x0b", T_NONE, P_NONE),
	INSN("\x0f\x05", T_NONE, P_ADDRESS), INSN("\x0f\x07", T_NONE, P_NONE),
	INSN("\x0f\x34", T_NONE, P_NONE), INSN("\x0f\x35", T_NONE, P_ADDRESS),
	INSN("\x9d", T_NONE, P_NONE), INSN("\x9c", T_NONE, P_NONE),
	INSN("\xeb", T_FORWARD, P_NONE), GROUP("\xff", T_RM, 4, P_ADDRESS),
	INSN("\xe2", T_IMM8, P_STRING), INSN("\xfb", T_NONE, P_NONE),
	INSN("\xfa", T_NONE, P_NONE), INSN("\xfb\xf4", T_NONE, P_NONE),
	INSN("\x0f\xaa", T_NONE, P_NONE),
	/* ports */
	INSN("\xe4", T_IMM8, P_NONE), INSN("\xe5", T_IMM8, P_NONE), INSN("\xe6", T_IMM8, P_NONE),
	INSN("\xe7", T_IMM8, P_NONE), INSN("\xec", T_NONE, P_PORT), INSN("\xed", T_NONE, P_PORT),
	INSN("\xee", T_NONE, P_PORT), INSN("\xef", T_NONE, P_PORT),
	INSN("\x6c", T_NONE, P_STRING), INSN("\xf3\x6c", T_NONE, P_STRING),
	INSN("\xf3\x6d", T_NONE, P_STRING), INSN("\xf3\x6e", T_NONE, P_STRING),
	INSN("\xf3\x6f", T_NONE, P_STRING), INSN("\x6e", T_NONE, P_STRING),
	/* what always exits, or always should */
	INSN("\x0f\xa2", T_NONE, P_LEAF), INSN("\xf4", T_NONE, P_NONE),
	INSN("\xf3\x90", T_NONE, P_NONE), INSN("\x0f\x08", T_NONE, P_NONE),
	INSN("\x0f\x09", T_NONE, P_NONE), INSN("\x0f\x01\xc1", T_NONE, P_NONE),
	INSN("\x0f\x01\xd9", T_NONE, P_NONE), INSN("\x0f\x01\xd8", T_NONE, P_ADDRESS),
	INSN("\x0f\x01\xda", T_NONE, P_ADDRESS), INSN("\x0f\x01\xdb", T_NONE, P_ADDRESS),
	INSN("\x0f\x01\xdc", T_NONE, P_NONE), INSN("\x0f\x01\xdd", T_NONE, P_NONE),
	INSN("\x0f\x01\xde", T_NONE, P_ADDRESS), INSN("\x0f\x01\xdf", T_NONE, P_ADDRESS),
	INSN("\x0f\x01\xc2", T_NONE, P_NONE), INSN("\x0f\x01\xc3", T_NONE, P_NONE),
	INSN("\x0f\x01\xc4", T_NONE, P_NONE), INSN("\x0f\x78", T_RM, P_NONE),
	INSN("\x0f\x79", T_RM, P_NONE), GROUP("\x0f\xc7", T_MEM, 6, P_NONE),
	GROUP("\x66\x0f\xc7", T_MEM, 6, P_NONE), GROUP("\xf3\x0f\xc7", T_MEM, 6, P_NONE),
	GROUP("\x0f\xc7", T_MEM, 7, P_NONE), INSN("\x66\x0f\x38\x80", T_MEM, P_NONE),
	INSN("\x66\x0f\x38\x81", T_MEM, P_NONE), INSN("\x66\x0f\x38\x82", T_MEM, P_NONE),
	GROUP("\x0f\x01", T_MEM, 7, P_NONE), INSN("\x0f\x01\xc8", T_NONE, P_ADDRESS),
	INSN("\x0f\x01\xc9", T_NONE, P_NONE), INSN("\x0f\x01\xf8", T_NONE, P_NONE),
	INSN("\x0f\x37", T_NONE, P_NONE), INSN("\x0f\x01\xcb", T_NONE, P_NONE),
	INSN("\x0f\x01\xca", T_NONE, P_NONE), GROUP("\x0f\xc7", T_REG, 6, P_NONE),
	GROUP("\x0f\xc7", T_REG, 7, P_NONE),
	/* floating point and vectors */
	INSN("\xd8", T_RM, P_NONE), INSN("\xd9", T_RM, P_NONE), INSN("\xdb", T_RM, P_NONE),
	INSN("\xdd", T_RM, P_NONE), INSN("\xdf", T_RM, P_NONE), INSN("\x9b", T_NONE, P_NONE),
	INSN("\x0f\x6f", T_RM, P_NONE), INSN("\x66\x0f\x7f", T_MEM, P_NONE),
	INSN("\x0f\x28", T_RM, P_NONE), INSN("\x0f\x11", T_MEM, P_NONE),
	INSN("\x0f\x58", T_RM, P_NONE), INSN("\xc5\xfc\x10", T_MEM, P_NONE),
	INSN("\xc5\xfc\x11", T_MEM, P_NONE), INSN("\xc5\xfd\x7f", T_MEM, P_NONE),
	INSN("\xc5\xf8\x77", T_NONE, P_NONE), GROUP("\x0f\xae", T_MEM, 0, P_NONE),
	GROUP("\x0f\xae", T_MEM, 1, P_NONE), GROUP("\x0f\xae", T_MEM, 2, P_NONE),
	GROUP("\x0f\xae", T_MEM, 4, P_XCR), GROUP("\x0f\xae", T_MEM, 5, P_XCR),
	GROUP("\x0f\xae", T_MEM, 6, P_XCR), GROUP("\x0f\xae", T_MEM, 7, P_NONE),
	INSN("\xf3\x0f\xae", T_REG, P_ADDRESS), INSN("\x0f\x77", T_NONE, P_NONE),
	/* memory, and devices: moves, arithmetic, bits, exchanges, strings */
	INSN("\x8b", T_MEM, P_NONE), INSN("\x89", T_MEM, P_NONE), INSN("\x88", T_MEM, P_NONE),
	INSN("\xa1", T_MOFFS, P_NONE), INSN("\xa3", T_MOFFS, P_NONE), INSN("\x01", T_MEM, P_NONE),
	INSN("\x31", T_MEM, P_NONE), INSN("\x3b", T_MEM, P_NONE), INSN("\x85", T_MEM, P_NONE),
	INSN("\x83", T_RM_IMM8, P_NONE), INSN("\xc1", T_RM_IMM8, P_NONE),
	INSN("\xf0\x01", T_MEM, P_NONE), INSN("\xf0\x87", T_MEM, P_NONE),
	INSN("\x87", T_MEM, P_NONE), INSN("\xf0\x0f\xb1", T_MEM, P_NONE),
	INSN("\x0f\xc1", T_MEM, P_NONE), GROUP("\xf0\x0f\xc7", T_MEM, 1, P_NONE),
	INSN("\x0f\xab", T_MEM, P_NONE), INSN("\xf0\x0f\xb3", T_MEM, P_NONE),
	INSN("\x0f\xb6", T_MEM, P_NONE), INSN("\x0f\xbe", T_MEM, P_NONE),
	INSN("\x0f\x44", T_MEM, P_NONE), INSN("\x0f\x95", T_MEM, P_NONE),
	INSN("\x0f\x38\xf0", T_MEM, P_NONE), INSN("\x8f", T_MEM, P_NONE),
	GROUP("\xff", T_MEM, 6, P_NONE), INSN("\xf6", T_MEM, P_NONE), INSN("\xf7", T_MEM, P_NONE),
	INSN("\x60", T_NONE, P_NONE), INSN("\xf3\xa4", T_NONE, P_STRING),
	INSN("\xf3\xa5", T_NONE, P_STRING), INSN("\xa5", T_NONE, P_STRING),
	INSN("\xf3\xab", T_NONE, P_STRING), INSN("\xaa", T_NONE, P_STRING),
	INSN("\xf3\xa6", T_NONE, P_STRING), INSN("\xf2\xaf", T_NONE, P_STRING),
	INSN("\xac", T_NONE, P_STRING), INSN("\xfd\xf3\xa4", T_NONE, P_STRING),
	INSN("\xfc", T_NONE, P_NONE), INSN("\xc8", T_IMM16, P_NONE), INSN("\xc9", T_NONE, P_NONE),
	INSN("\x50", T_NONE, P_NONE), INSN("\x5c", T_NONE, P_NONE), INSN("\x62", T_MEM, P_NONE),
	/* other instructions that some modes or CPUs refuse */
	INSN("\x66\x0f\x38\xf6", T_REG, P_NONE), INSN("\x0f\x0d", T_MEM, P_NONE),
	INSN("\x0f\x01\xee", T_NONE, P_NONE), INSN("\x0f\x01\xef", T_NONE, P_NONE),
	INSN("\x0f\x01\xfa", T_NONE, P_ADDRESS), INSN("\x0f\x01\xfb", T_NONE, P_NONE),
	INSN("\x0f\x01\xfc", T_NONE, P_ADDRESS), INSN("\x0f\x01\xfd", T_NONE, P_NONE),
	INSN("\x0f\x01\xfe", T_NONE, P_ADDRESS), INSN("\x0f\x01\xff", T_NONE, P_NONE),
};

/**
 * struct code - where instructions are being written
 * @rng: chance
 * @at: the next byte
 * @bits: 16, 32 or 64
 * @no_lme: EFER is not to be written
 */
struct code {
	struct rng *rng;
	unsigned char *at;
	unsigned int bits;
	bool no_lme;
};

static void emit(struct code *code, uint64_t value, unsigned int bytes)
{
	memcpy(code->at, &value, bytes);
	code->at += bytes;
}

/* MOV to a general register, as wide as addresses are. */
static void emit_set(struct code *code, unsigned int gpr, uint64_t value)
{
	if (code->bits == 64 && value >> 32)
		emit(code, 0x48, 1);
	else if (code->bits == 16)
		emit(code, 0x66, 1);
	emit(code, 0xb8 + gpr, 1);
	emit(code, value, code->bits == 64 && value >> 32 ? 8 : 4);
}

/* The number of an MSR that vitro knows, of one near them, or of none. */
static uint32_t random_msr(struct rng *rng)
{
	static const uint32_t known[] = {
		0x10, 0x11, 0x12, 0x17, 0x1b, 0x2c, 0x3a, 0x48, 0x49, 0x79, 0x8b, 0xc1, 0xcd,
		0xfe, 0x10a, 0x10b, 0x122, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x186, 0x1a0,
		0x1d9, 0x1db, 0x200, 0x250, 0x277, 0x2ff, 0x300, 0x38f, 0x480, 0x48b, 0x491,
		0x560, 0x600, 0x6a0, 0x6a2, 0x6e0, 0xd90, 0xda0, 0x40000000, 0x40000073,
		0x4b564d00, 0x4b564d01, 0x4b564d02, 0x4b564d03, 0x4b564d04, 0x4b564d05,
		MSR_EFER, MSR_EFER, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
		0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103, 0xc0000104, 0xc0010010,
		0xc0010015, 0xc0010055, 0xc0010114, 0xc0010115, 0xc0010117, 0xc0010130,
		0xc001011e, 0xc001011f, 0xc0010140, 0xc0011029,
	};

	switch (below(rng, 8)) {
	case 0:
		return 0x800 + below(rng, 0x100);	/* x2APIC */
	case 1:
		return below(rng, 0x2000);		/* the bitmaps of MSRs end here, */
	case 2:
		return 0xc0000000 + below(rng, 0x2100);	/* here, */
	case 3:
		return 0xc0010000 + below(rng, 0x2100);	/* and here */
	case 4:
		return rnd(rng);
	default:
		return known[below(rng, ARRAY_SIZE(known))];
	}
}

static uint16_t random_port(struct rng *rng)
{
	static const uint16_t known[] = {
		0, 0x20, 0x40, 0x60, 0x64, 0x70, 0x80, 0x3f8, 0xcf8, 0xfffd, 0xffff,
	};

	return one_in(rng, 2) ? known[below(rng, ARRAY_SIZE(known))] : rnd(rng);
}

static void emit_prelude(struct code *code, enum prelude prelude)
{
	static const uint32_t controls[] = {
		0x80000011, 0x11, 0x80010033, 0xe0000011, 0x20, 0x406a0, 0x2020, 0x30, 0x10, 0xa0,
		0x400, 0x401, 0xffff07ff, 0x2755, 0x21000, 0x80000000, 0xffffffff, 0xd01,
	};
	static const uint32_t leaves[] = {
		0, 1, 2, 4, 6, 7, 0xa, 0xb, 0xd, 0x14, 0x1f, 0x40000000, 0x40000001, 0x80000000,
		0x80000001, 0x80000008, 0x8000000a, 0x8000001d, 0x80000021, 0xc0000000, 0xffffffff,
	};
	struct rng *rng = code->rng;
	uint64_t value;
	uint32_t msr;

	if (one_in(rng, 8))	/* what is there already */
		return;
	switch (prelude) {
	case P_NONE:
		break;
	case P_MSR:
		msr = random_msr(rng);
		if (code->no_lme && msr == MSR_EFER)
			msr++;
		emit_set(code, VITRO_RCX, msr);
		if (one_in(rng, 2)) {
			emit_set(code, VITRO_RAX, one_in(rng, 2) ? random_address(rng) :
				 below(rng, 0x2000));
			emit_set(code, VITRO_RDX, one_in(rng, 2) ? 0 : rnd(rng));
		}
		break;
	case P_PORT:
		emit_set(code, VITRO_RDX, random_port(rng));
		break;
	case P_LEAF:
		emit_set(code, VITRO_RAX, leaves[below(rng, ARRAY_SIZE(leaves))]);
		emit_set(code, VITRO_RCX, below(rng, 20));
		break;
	case P_XCR:
		emit_set(code, VITRO_RCX, one_in(rng, 16));
		emit_set(code, VITRO_RAX, one_in(rng, 2) ? 7 : below(rng, 0x400));
		emit_set(code, VITRO_RDX, one_in(rng, 8) ? rnd(rng) : 0);
		break;
	case P_SELECTOR:
		emit_set(code, VITRO_RAX, one_in(rng, 8) ? rnd(rng) & 0xffff :
			 below(rng, GDT_SIZE));
		break;
	case P_CONTROL:
		value = controls[below(rng, ARRAY_SIZE(controls))];
		if (one_in(rng, 2))
			value ^= 1ULL << below(rng, 32);
		emit_set(code, VITRO_RAX, one_in(rng, 8) ? rnd(rng) : value);
		break;
	case P_ADDRESS:
		emit_set(code, VITRO_RAX, random_address(rng));
		break;
	case P_STRING:
		emit_set(code, VITRO_RSI, random_address(rng));
		emit_set(code, VITRO_RDI, random_address(rng));
		emit_set(code, VITRO_RCX, one_in(rng, 16) ? rnd(rng) : below(rng, 64));
		break;
	}
}

/* ModRM, SIB and displacement (SDM 2A 2.1.5); @reg as in struct template. */
static void emit_modrm(struct code *code, enum tail tail, unsigned int reg)
{
	struct rng *rng = code->rng;
	unsigned int field = reg ? reg >> 4 : below(rng, 8);
	unsigned int mod = tail == T_REG ? 3 : below(rng, tail == T_MEM ? 3 : 4);
	unsigned int rm = below(rng, 8);
	bool wide = code->bits != 16;

	/* Every other time, an address of which something is known. */
	if (mod != 3 && one_in(rng, 2)) {
		mod = 0;
		rm = code->bits == 64 ? 4 : wide ? 5 : 6;
	}
	/* MOV to CRn and the like: from rAX, which has been loaded. */
	if (mod == 3 && one_in(rng, 2))
		rm = 0;
	emit(code, mod << 6 | field << 3 | rm, 1);
	if (mod == 3)
		return;
	if (wide && rm == 4)
		emit(code, mod == 0 && one_in(rng, 2) ? 0x25 : rnd(rng), 1);
	if (mod == 1)
		emit(code, rnd(rng), 1);
	else if (mod == 2 || (mod == 0 && wide && (rm == 5 || code->at[-1] == 0x25)))
		emit(code, random_address(rng), wide ? 4 : 2);
	else if (mod == 0 && !wide && rm == 6)
		emit(code, random_address(rng), 2);
}

static void emit_template(struct code *code)
{
	static const unsigned char prefixes[] = {
		0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
	};
	const struct template *t = &templates[below(code->rng, ARRAY_SIZE(templates))];
	struct rng *rng = code->rng;
	bool wide = code->bits != 16;

	emit_prelude(code, t->prelude);
	while (one_in(rng, 6))
		emit(code, prefixes[below(rng, ARRAY_SIZE(prefixes))], 1);
	if (code->bits == 64 && one_in(rng, 4))
		emit(code, 0x40 + below(rng, 16), 1);
	memcpy(code->at, t->bytes, t->len);
	code->at += t->len;
	switch (t->tail) {
	case T_RM:
	case T_MEM:
	case T_REG:
	case T_RM_IMM8:
		emit_modrm(code, t->tail, t->reg);
		if (t->tail == T_RM_IMM8)
			emit(code, rnd(rng), 1);
		break;
	case T_IMM8:
		emit(code, rnd(rng), 1);
		break;
	case T_FORWARD:
		emit(code, one_in(rng, 16) ? rnd(rng) : below(rng, 64), 1);
		break;
	case T_IMM16:
		emit(code, rnd(rng), 2);
		break;
	case T_FAR:
		emit(code, CODE(0) + below(rng, PAGE), wide ? 4 : 2);
		emit(code, below(rng, GDT_SIZE), 2);
		break;
	case T_MOFFS:
		emit(code, random_address(rng), code->bits / 8);
		break;
	}
}

/* Makes 0F @opcode /@digit something else. */
static void remove_group(unsigned char *code, unsigned int len, unsigned int opcode,
			 unsigned int digit)
{
	unsigned int i;

	for (i = 0; i + 2 < len; i++)
		if (code[i] == 0x0f && code[i + 1] == opcode && (code[i + 2] >> 3 & 7) == digit)
			code[i + 2] ^= 8;
}

/**
 * keep_from_qemu - take out of random bytes what QEMU does not survive, if they were executed
 * @vm: the machine, with what this program is to leave alone
 * @code: the bytes
 * @len: how many
 *
 * What that is, and why, is in Documentation/fuzzing.md.
 */
void keep_from_qemu(const struct vm *vm, unsigned char *code, unsigned int len)
{
	unsigned int i;

	if (!on_tcg)
		return;
	/* The opcode of VPINSRW, and the prefix of all VEX instructions but those of map 1. */
	for (i = 0; i < len; i++)
		if (code[i] == 0xc4)
			code[i] = 0xc5;
	remove_group(code, len, 0x00, 3);		/* LTR */
	if (vm->no_cr4)
		remove_group(code, len, 0x22, 4);
}

/**
 * random_code - write a vCPU's program
 * @cpu: the vCPU; its bits are set
 * @start: offset of the first instruction in its page, whose end is left as it is
 */
void random_code(struct cpu *cpu, unsigned int start)
{
	unsigned char *first = cpu->vm->slot[SLOT_RAM].mem + CODE(cpu->id) + start;
	struct rng *rng = &cpu->rng;
	unsigned int len = 16 << below(rng, 5);
	unsigned int kind = below(rng, 8);	/* 0 all random bytes; 1, 2 some; else none */
	struct code code = {
		.rng = rng, .at = first, .bits = cpu->bits, .no_lme = cpu->vm->no_lme,
	};

	if (len > PAGE - 64 - start)
		len = PAGE - 64 - start;
	while (code.at < first + len)
		if (kind == 0 || (kind < 3 && one_in(rng, 2)))
			emit(&code, rnd(rng), 8);
		else
			emit_template(&code);
	keep_from_qemu(cpu->vm, first, code.at - first);
}

/* ----------------------------------------------------------------- handlers */

/*
 * A handler goes on one byte behind the instruction that faulted, so that a program is executed to
 * its end, decoded in another way each time; but it ends the program at the Nth fault
 * (FAULTS_LEFT).  They are at HANDLERS + 0x100 * (0 for 64 bits, 1 for 32, 2 for 16): without
 * error code, at 0x20 with one, at 0x40 for interrupts, which end with an EOI by x2APIC.
 */
void write_handlers(unsigned char *ram)
{
#define BYTES(at, bytes)	memcpy(ram + HANDLERS + (at), bytes, sizeof(bytes) - 1)
	/* dec byte [FAULTS_LEFT]; jz end; inc qword [rsp]; iretq; end: out PORT_END, al */
	BYTES(0x000, "\xfe\x0c\x25\xf8\xff\0\0\x74\x06\x48\xff\x04\x24\x48\xcf\xe6\xf4\xeb\xfc");
	BYTES(0x020, "\x48\x83\xc4\x08\xfe\x0c\x25\xf8\xff\0\0\x74\x06\x48\xff\x04\x24\x48\xcf"
	      "\xe6\xf4\xeb\xfc");
	/* push rax, rcx, rdx; wrmsr of 0 to 0x80b; pop them; iret */
	BYTES(0x040, "\x50\x51\x52\xb9\x0b\x08\0\0\x31\xc0\x31\xd2\x0f\x30\x5a\x59\x58\x48\xcf");
	/* the same, 32 bits */
	BYTES(0x100, "\xfe\x0d\xf8\xff\0\0\x74\x04\xff\x04\x24\xcf\xe6\xf4\xeb\xfc");
	BYTES(0x120, "\x83\xc4\x04\xfe\x0d\xf8\xff\0\0\x74\x04\xff\x04\x24\xcf\xe6\xf4\xeb\xfc");
	BYTES(0x140, "\x50\x51\x52\xb9\x0b\x08\0\0\x31\xc0\x31\xd2\x0f\x30\x5a\x59\x58\xcf");
	/* 16 bits: by way of BP, as SP is no base; real mode has no error codes */
	BYTES(0x200, "\x2e\xfe\x0e\xf8\xff\x74\x08\x55\x89\xe5\xff\x46\x02\x5d\xcf"
	      "\xe6\xf4\xeb\xfc");
#undef BYTES
}
