// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The emulator against Zydis: what libvitro does for an instruction must fit what the
 * decoder says of its operands.  It is asked to emulate random instructions, in each mode,
 * under the address and undefined behaviour sanitizers.  After one that it knows:
 *
 *   - rip is behind it by its length, unless it is a REP that goes on;
 *   - no general register has changed but those that it writes, no flag but those that it
 *     may change;
 *   - nothing was read from, or written to, a device but by a memory operand that it reads,
 *     or writes, and not more than is its size;
 *   - and RAM has changed only if it writes memory.
 *
 * After one that faults or is refused, registers and rip are as they were.  Whether results
 * are right is another question: test_lib_emulate.c asks a CPU.
 *
 *	test_fuzz_insn [--seconds N] [--seed N]
 */
#include "fake.h"
#include "fuzz.h"
#include "tap.h"
#include "../../userspace/libvitro/insn.h"

#define ROUNDS		60000
#define NR_GPRS		16
#define RAM_CHECKED	0x10000		/* with the code, below the page tables */

/**
 * struct tally - what came of it
 * @done: emulated
 * @faulted: an exception was raised instead
 * @refused: not emulated
 * @wrong: of all, against the rules above
 */
struct tally {
	unsigned long done, faulted, refused, wrong;
};

/**
 * struct mode - of the processor
 * @name: for messages
 * @mode: libvitro's
 * @machine: @stack: the decoder's
 */
static const struct mode {
	const char *name;
	enum vitro_mode mode;
	ZydisMachineMode machine;
	ZydisStackWidth stack;
} modes[] = {
	{ "16 bits", VITRO_MODE_REAL, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16 },
	{ "32 bits", VITRO_MODE_PROTECTED, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32 },
	{ "64 bits", VITRO_MODE_LONG, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64 },
};

/* --------------------------------------------------------------------- instructions */

/* Prefixes, mostly few; opcodes that access memory, mostly; a ModRM byte; the rest. */
static void make_code(uint8_t code[INSN_MAX], bool wide)
{
	static const uint8_t prefixes[] = {
		0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65,
	};
	unsigned int n = 0, i;

	for (i = rnd(4); i > 1; i--)
		code[n++] = prefixes[rnd(sizeof(prefixes))];
	if (wide && rnd(2))
		code[n++] = 0x40 + rnd(16);
	switch (rnd(8)) {
	case 0:
	case 1:
	case 2:
		code[n++] = 0x0f;
		break;
	case 3:				/* VEX of two bytes */
		code[n++] = 0xc5;
		code[n++] = rnd(256);
		break;
	default:
		break;
	}
	code[n++] = rnd(256);
	code[n++] = rnd(4) ? rnd(192) : rnd(256);	/* ModRM: mostly memory */
	while (n < INSN_MAX)
		code[n++] = rnd(2) ? rnd(256) : 0;
}

/* Registers that, as a base, mostly lead to the device. */
static void make_registers(struct fake *fake)
{
	struct vitro_gprs *gprs = &fake->state->gprs;
	unsigned int i;

	for (i = 0; i < NR_GPRS; i++)
		gprs->gpr[i] = rnd(4) ? DEVICE + 0x800 + rnd(64) * 8 : rnd(~0ULL);
	if (rnd(2))
		gprs->gpr[VITRO_RCX] = rnd(9);
	gprs->gpr[VITRO_RSP] = 0x8000 + rnd(16) * 8;
	gprs->rflags = 2 | (rnd(~0ULL) & 0xcd5);	/* CF PF AF ZF SF DF OF */
}

/* --------------------------------------------------------------------------- judging */

/**
 * struct verdict - what the decoder says
 * @d: @op: the instruction
 * @written: bits of general registers that it writes
 * @reads: @writes: bytes of memory operands
 */
struct verdict {
	ZydisDecodedInstruction d;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	uint32_t written;
	uint64_t reads, writes;
};

static uint32_t gpr_bit(ZydisRegister reg)
{
	reg = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	return ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_GPR64 ?
	       1U << ZydisRegisterGetId(reg) : 0;
}

static bool decode(const struct mode *mode, const uint8_t *code, struct verdict *v)
{
	ZydisDecoder decoder;
	unsigned int i;

	ZydisDecoderInit(&decoder, mode->machine, mode->stack);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, INSN_MAX, &v->d, v->op)))
		return false;
	v->written = 0;
	v->reads = 0;
	v->writes = 0;
	for (i = 0; i < v->d.operand_count; i++) {
		const ZydisDecodedOperand *op = &v->op[i];

		if (op->type == ZYDIS_OPERAND_TYPE_MEMORY) {
			if (op->actions & ZYDIS_OPERAND_ACTION_MASK_READ)
				v->reads += op->size / 8;
			if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
				v->writes += op->size / 8;
			/* Of CMPS and SCAS, it does not say that these move. */
			if (v->d.meta.category == ZYDIS_CATEGORY_STRINGOP)
				v->written |= gpr_bit(op->mem.base);
		} else if (op->type == ZYDIS_OPERAND_TYPE_REGISTER &&
			   op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) {
			v->written |= gpr_bit(op->reg.value);
		}
	}
	return true;
}

static bool goes_on(const struct verdict *v, const struct vitro_gprs *after)
{
	return after->rip == CODE && after->gpr[VITRO_RCX] &&
	       v->d.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				  ZYDIS_ATTRIB_HAS_REPNE);
}

/* What a REP does is as often as it likes. */
static bool is_repeated(const struct verdict *v)
{
	return v->d.attributes & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE |
				  ZYDIS_ATTRIB_HAS_REPNE);
}

static const char *judge_accesses(const struct fake *fake, const struct verdict *v)
{
	uint64_t bytes[2] = { 0, 0 };
	unsigned int i;

	if (is_repeated(v))
		return NULL;
	if (fake->nr_access > ARRAY_LEN(fake->access))
		return "more accesses than any operand has bytes";
	for (i = 0; i < fake->nr_access; i++)
		bytes[fake->access[i].write] += fake->access[i].size;
	if (bytes[0] > v->reads)
		return "reads more than its operands have";
	if (bytes[1] > v->writes)
		return "writes more than its operands have";
	return NULL;
}

/* NULL, or what is wrong with an instruction that was emulated. */
static const char *judge_done(const struct fake *fake, const struct verdict *v,
			      const struct vitro_gprs *before)
{
	const struct vitro_gprs *after = &fake->state->gprs;
	const ZydisAccessedFlags *flags = v->d.cpu_flags;
	uint64_t may = FLAG_RF, changed = before->rflags ^ after->rflags;
	unsigned int i;

	if (after->rip != CODE + v->d.length && !goes_on(v, after))
		return "rip is not behind it";
	for (i = 0; i < NR_GPRS; i++) {
		if (before->gpr[i] != after->gpr[i] && !(v->written & 1U << i))
			return "changes a register that it does not write";
	}
	if (flags)
		may |= flags->modified | flags->set_0 | flags->set_1 | flags->undefined;
	if (changed & ~may)
		return "changes a flag that it should not";
	return judge_accesses(fake, v);
}

/* A string instruction that faults has done what it did before. */
static const char *judge_undone(const struct fake *fake, const struct verdict *v,
				const struct vitro_gprs *before)
{
	const struct vitro_gprs *after = &fake->state->gprs;

	if (after->rip != CODE)
		return "fails, and rip has moved";
	if (!is_repeated(v) && memcmp(before->gpr, after->gpr, sizeof(before->gpr)))
		return "fails, and a register has changed";
	return NULL;
}

static void complain(const struct mode *mode, const uint8_t *code, const struct verdict *v,
		     const char *what)
{
	unsigned int i;

	printf("# %s,", mode->name);
	for (i = 0; i < v->d.length; i++)
		printf(" %02x", code[i]);
	printf(" (%s): %s\n", ZydisMnemonicGetString(v->d.mnemonic), what);
}

/* ---------------------------------------------------------------------------- rounds */

static uint8_t ram_before[RAM_CHECKED];

static void one_round(struct fake *fake, const struct mode *mode, struct tally *tally)
{
	const char *wrong = NULL;
	struct vitro_gprs before;
	uint8_t code[INSN_MAX];
	struct verdict v;
	int ret;

	make_code(code, mode->mode == VITRO_MODE_LONG);
	make_registers(fake);
	fake_exit_mmio(fake, code, sizeof(code));
	fake->state->events.exc_pending = 0;
	before = fake->state->gprs;
	memcpy(ram_before, fake->ram, RAM_CHECKED);
	if (!decode(mode, code, &v)) {
		memset(&v, 0, sizeof(v));
		v.d.length = INSN_MAX;
	}

	ret = vitro_emulate_mmio(&fake->vcpu, &fake->bus);
	if (ret && ret != -EOPNOTSUPP && ret != -EFAULT && ret != -ENXIO)
		wrong = "an error that it never has";
	else if (ret && (!*vitro_error() || strchr(vitro_error(), '\n')))
		wrong = "an error without a line that says why";
	else if (ret || fake->state->events.exc_pending)
		wrong = judge_undone(fake, &v, &before);
	else
		wrong = judge_done(fake, &v, &before);
	if (!wrong && !v.writes && memcmp(ram_before, fake->ram, RAM_CHECKED))
		wrong = "RAM has changed, and it writes no memory";

	tally->refused += ret != 0;
	tally->faulted += !ret && fake->state->events.exc_pending;
	tally->done += !ret && !fake->state->events.exc_pending;
	if (wrong && tally->wrong++ < 10)
		complain(mode, code, &v, wrong);
}

static void fuzz_mode(const struct mode *mode, unsigned long seconds)
{
	struct tally tally = { 0 };
	struct fuzz_clock clock;
	struct fake fake;
	size_t i;

	fake_init(&fake);
	for (i = 0; i < sizeof(fake.device); i++)
		fake.device[i] = i;
	if (vitro_vcpu_set_mode(&fake.vcpu, mode->mode, CODE, TABLES))
		abort();
	fuzz_begin(&clock, seconds, ROUNDS);
	while (fuzz_goes_on(&clock))
		one_round(&fake, mode, &tally);
	fake_free(&fake);
	printf("# figure: %s: %lu instructions emulated, %lu faulted, %lu refused\n", mode->name,
	       tally.done, tally.faulted, tally.refused);
	check(mode->name, !tally.wrong && tally.done && tally.refused);
}

int main(int argc, char **argv)
{
	unsigned long seconds = fuzz_options(argc, argv);
	size_t i;

	for (i = 0; i < ARRAY_LEN(modes); i++)
		fuzz_mode(&modes[i], seconds / ARRAY_LEN(modes));
	return tap_done();
}
