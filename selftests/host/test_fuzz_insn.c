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
 */
#include "fake.h"
#include "fuzz.h"
#include "../../userspace/libvitro/insn.h"

#define ROUNDS		15000		/* of each mode */
#define INPUT_MAX	192		/* for an instruction, and registers */
#define NR_GPRS		16
#define RAM_CHECKED	0x10000		/* with the code, below the page tables */
#define RAM_USED	0x20000		/* with the page tables */

enum { EMULATED, FAULTED, REFUSED };

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
	code[n++] = one_in(4) ? rnd(256) : rnd(192);	/* ModRM: mostly memory */
	while (n < INSN_MAX)
		code[n++] = rnd(2) ? rnd(256) : 0;
}

/* Registers that, as a base, mostly lead to the device. */
static void make_registers(struct fake *fake)
{
	struct vitro_gprs *gprs = &fake->state->gprs;
	unsigned int i;

	for (i = 0; i < NR_GPRS; i++)
		gprs->gpr[i] = one_in(4) ? rnd(~0ULL) : DEVICE + 0x800 + rnd(64) * 8;
	if (!one_in(16))			/* a REP of 2^64 takes long */
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
	char bytes[3 * INSN_MAX + 1] = "";
	unsigned int i;

	for (i = 0; i < v->d.length; i++)
		snprintf(bytes + 3 * i, 4, " %02x", code[i]);
	fuzz_wrong("%s,%s (%s): %s", mode->name, bytes, ZydisMnemonicGetString(v->d.mnemonic),
		   what);
}

/* ---------------------------------------------------------------------------- rounds */

/* A machine in each mode; and its registers, memory and device as every round finds them. */
static struct fake machine[ARRAY_LEN(modes)];
static struct vitro_state state_before[ARRAY_LEN(modes)];
static uint8_t ram_before[ARRAY_LEN(modes)][RAM_USED];
static uint8_t device_before[sizeof(machine[0].device)];

static void make_machine(unsigned int i)
{
	struct fake *fake = &machine[i];

	fake_init(fake);
	if (vitro_vcpu_set_mode(&fake->vcpu, modes[i].mode, CODE, TABLES))
		abort();
	state_before[i] = *fake->state;
	memcpy(ram_before[i], fake->ram, RAM_USED);
}

/* What a round before this one has written is not there any more. */
static void restore(struct fake *fake, unsigned int i)
{
	*fake->state = state_before[i];
	memcpy(fake->ram, ram_before[i], RAM_USED);
	memcpy(fake->device, device_before, sizeof(device_before));
	if (madvise(fake->ram + RAM_USED, RAM_SIZE - RAM_USED, MADV_DONTNEED))
		abort();
}

static const char *judge(struct fake *fake, const struct verdict *v, int ret,
			 const struct vitro_gprs *before)
{
	if (ret && ret != -EOPNOTSUPP && ret != -EFAULT && ret != -ENXIO)
		return "an error that it never has";
	if (ret && (!*vitro_error() || strchr(vitro_error(), '\n')))
		return "an error without a line that says why";
	fuzz_count(ret ? REFUSED : fake->state->events.exc_pending ? FAULTED : EMULATED);
	if (ret || fake->state->events.exc_pending)
		return judge_undone(fake, v, before);
	return judge_done(fake, v, before);
}

static void one_round(const void *what)
{
	const struct mode *mode = what;
	struct fake *fake = &machine[mode - modes];
	uint8_t *ram = ram_before[mode - modes];
	struct vitro_gprs before;
	uint8_t code[INSN_MAX];
	const char *wrong;
	struct verdict v;

	restore(fake, mode - modes);
	make_code(code, mode->mode == VITRO_MODE_LONG);
	make_registers(fake);
	fake_exit_mmio(fake, code, sizeof(code));
	before = fake->state->gprs;
	if (!decode(mode, code, &v)) {
		memset(&v, 0, sizeof(v));
		v.d.length = INSN_MAX;
	}
	wrong = judge(fake, &v, vitro_emulate_mmio(&fake->vcpu, &fake->bus), &before);
	memcpy(ram + CODE, code, sizeof(code));
	if (!wrong && !v.writes && memcmp(ram, fake->ram, RAM_CHECKED))
		wrong = "RAM has changed, and it writes no memory";
	if (wrong)
		complain(mode, code, &v, wrong);
}

#define OUTCOMES	{ "emulated", "faulted", "refused" }

static const struct fuzz_target targets[] = {
	{ "16-bit", one_round, &modes[0], ROUNDS, INPUT_MAX, OUTCOMES },
	{ "32-bit", one_round, &modes[1], ROUNDS, INPUT_MAX, OUTCOMES },
	{ "64-bit", one_round, &modes[2], ROUNDS, INPUT_MAX, OUTCOMES },
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; i < sizeof(device_before); i++)
		device_before[i] = i;
	for (i = 0; i < ARRAY_LEN(modes); i++)
		make_machine(i);
	return fuzz_main(argc, argv, targets, ARRAY_LEN(targets));
}
