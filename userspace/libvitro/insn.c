// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instructions: fetching, decoding, printing, and their operands. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "insn.h"

/* ---------------------------------------------------------- fetch and decode */

/**
 * vi_insn_fetch - read the bytes at rip
 * @insn: with @acc.vcpu set, and GPRS, SEGS, CRS valid
 * @access: VITRO_ACCESS_EXEC, or VITRO_ACCESS_DEBUG
 *
 * The instruction may end before a page that does not exist: what is behind rip's
 * own page is taken only if it can be had.
 *
 * Return: 0 with at least one byte, VI_GUEST_FAULT, or -errno.
 */
int vi_insn_fetch(struct vi_insn *insn, unsigned int access)
{
	struct vitro_vcpu *vcpu = insn->acc.vcpu;
	const struct vitro_state *state = &vcpu->comm->state;
	const struct vitro_segment *cs = &state->segs.seg[VITRO_CS];
	bool flat = vi_long_mode(vcpu) && cs->attrib & VITRO_SEG_L;
	uint64_t gva = state->gprs.rip + (flat ? 0 : cs->base);
	unsigned int first = PAGE_SIZE - (gva & PAGE_MASK);
	int ret;

	if (first > INSN_MAX)
		first = INSN_MAX;
	ret = vitro_read_gva(vcpu, gva, insn->bytes, first, access, &insn->acc.fault);
	if (ret)
		return ret == -EFAULT ? VI_GUEST_FAULT : ret;
	insn->nr_bytes = first;
	if (first < INSN_MAX &&
	    !vitro_read_gva(vcpu, gva + first, insn->bytes + first, INSN_MAX - first, access, NULL))
		insn->nr_bytes = INSN_MAX;
	return 0;
}

static ZydisMachineMode machine_mode(const struct vitro_vcpu *vcpu)
{
	const struct vitro_state *state = &vcpu->comm->state;
	uint16_t cs = state->segs.seg[VITRO_CS].attrib;

	if (vi_long_mode(vcpu)) {
		if (cs & VITRO_SEG_L)
			return ZYDIS_MACHINE_MODE_LONG_64;
		return cs & VITRO_SEG_DB ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32 :
					   ZYDIS_MACHINE_MODE_LONG_COMPAT_16;
	}
	if (!(state->crs.cr0 & CR0_PE) || state->gprs.rflags & FLAG_VM)
		return ZYDIS_MACHINE_MODE_REAL_16;
	return cs & VITRO_SEG_DB ? ZYDIS_MACHINE_MODE_LEGACY_32 : ZYDIS_MACHINE_MODE_LEGACY_16;
}

/* Decodes insn->bytes to @to, unless they are what was decoded there before. */
static bool decode(struct vi_insn *insn, struct vi_decoded *to)
{
	const struct vitro_vcpu *vcpu = insn->acc.vcpu;
	ZydisMachineMode mode = machine_mode(vcpu);
	ZydisStackWidth stack = ZYDIS_STACK_WIDTH_16;
	ZydisDecoder decoder;

	insn->d = &to->d;
	insn->op = to->op;

	if (mode == ZYDIS_MACHINE_MODE_LONG_64)
		stack = ZYDIS_STACK_WIDTH_64;
	else if (vcpu->comm->state.segs.seg[VITRO_SS].attrib & VITRO_SEG_DB)
		stack = ZYDIS_STACK_WIDTH_32;
	if (to->d.length && to->d.length <= insn->nr_bytes && to->mode == mode &&
	    to->stack == stack && !memcmp(to->bytes, insn->bytes, to->d.length))
		return true;

	to->mode = mode;
	to->stack = stack;
	memcpy(to->bytes, insn->bytes, insn->nr_bytes);
	if (ZYAN_SUCCESS(ZydisDecoderInit(&decoder, mode, stack)) &&
	    ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, insn->bytes, insn->nr_bytes, &to->d,
						to->op)))
		return true;
	to->d.length = 0;
	return false;
}

/* "48 89 07", for the messages. */
static void print_bytes(const uint8_t *bytes, unsigned int nr, char *buf, size_t size)
{
	size_t pos = 0;

	buf[0] = '\0';
	for (unsigned int i = 0; i < nr && pos + 4 <= size; i++)
		pos += snprintf(buf + pos, size - pos, i ? " %02x" : "%02x", bytes[i]);
}

static void print_insn(const struct vi_insn *insn, char *buf, size_t size)
{
	ZydisFormatter formatter;

	buf[0] = '\0';
	if (ZYAN_SUCCESS(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL)))
		ZydisFormatterFormatInstruction(&formatter, insn->d, insn->op,
						insn->d->operand_count_visible, buf, size,
						insn->gprs.rip, NULL);
}

/**
 * vi_insn_decode - decode the instruction at rip
 * @insn: with @acc.vcpu set; the rest is filled
 * @bytes: what the CPU gave of it, or NULL
 * @nr_bytes: how many; if it is too few, the bytes are fetched
 *
 * Return: 0, VI_GUEST_FAULT, -EOPNOTSUPP not an instruction, or -errno.
 */
int vi_insn_decode(struct vi_insn *insn, const uint8_t *bytes, unsigned int nr_bytes)
{
	struct vitro_vcpu *vcpu = insn->acc.vcpu;
	struct vi_decoded *decoded;
	char text[64];
	int ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS);

	if (ret)
		return ret;
	insn->gprs = vcpu->comm->state.gprs;
	decoded = &vcpu->decoded[insn->gprs.rip % ARRAY_LEN(vcpu->decoded)];
	insn->again = false;
	insn->nr_bytes = nr_bytes < INSN_MAX ? nr_bytes : INSN_MAX;
	if (insn->nr_bytes)
		memcpy(insn->bytes, bytes, insn->nr_bytes);
	if (!insn->nr_bytes || !decode(insn, decoded)) {
		ret = vi_insn_fetch(insn, VITRO_ACCESS_EXEC);
		if (ret)
			return ret;
		if (!decode(insn, decoded)) {
			print_bytes(insn->bytes, insn->nr_bytes, text, sizeof(text));
			return vi_fail(EOPNOTSUPP, "no instruction at rip 0x%llx: %s; "
				       "did the guest change it meanwhile?",
				       (unsigned long long)insn->gprs.rip, text);
		}
	}
	return vi_next_rip(vcpu, insn->d->length, &insn->next_rip);
}

/**
 * vi_insn_unknown - say that an instruction is not emulated
 * @insn: it, decoded
 *
 * Return: -EOPNOTSUPP.
 */
int vi_insn_unknown(const struct vi_insn *insn)
{
	char bytes[64], text[128];

	print_bytes(insn->bytes, insn->d->length, bytes, sizeof(bytes));
	print_insn(insn, text, sizeof(text));
	return vi_fail(EOPNOTSUPP, "libvitro does not emulate '%s' (bytes %s) at rip 0x%llx; "
		       "let the guest access device memory by moves and integer instructions",
		       text, bytes, (unsigned long long)insn->gprs.rip);
}

int vitro_disassemble(struct vitro_vcpu *vcpu, char *buf, size_t size)
{
	/* Not the vCPU's own: it may be in the middle of emulating what it has there. */
	struct vi_decoded decoded = { .d.length = 0 };
	struct vi_insn insn = { .acc = { .vcpu = vcpu } };
	char bytes[64], text[128];
	bool known;
	int ret;

	if (size)
		buf[0] = '\0';
	ret = vitro_vcpu_get(vcpu, VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS);
	if (ret)
		return ret;
	insn.gprs = vcpu->comm->state.gprs;
	ret = vi_insn_fetch(&insn, VITRO_ACCESS_DEBUG);
	if (ret)
		return ret < 0 ? ret : -EFAULT;
	known = decode(&insn, &decoded);
	print_bytes(insn.bytes, known ? insn.d->length : insn.nr_bytes, bytes, sizeof(bytes));
	if (!known) {
		snprintf(buf, size, "%s", bytes);
		return vi_fail(EILSEQ, "no instruction at rip 0x%llx: %s",
			       (unsigned long long)insn.gprs.rip, bytes);
	}
	print_insn(&insn, text, sizeof(text));
	snprintf(buf, size, "%s  %s", bytes, text);
	return insn.d->length;
}

/* --------------------------------------------------------------- registers */

/*
 * Where a general register is: which one, how wide, and how far up.  Zydis numbers
 * AH, CH, DH, BH as 4 to 7 of the 8-bit registers, and SPL, BPL, SIL, DIL, R8B, ...
 * from 8 on.
 */
static bool gpr_place(ZydisRegister reg, unsigned int *nr, unsigned int *size,
		      unsigned int *shift)
{
	int id = ZydisRegisterGetId(reg);

	*shift = 0;
	switch (ZydisRegisterGetClass(reg)) {
	case ZYDIS_REGCLASS_GPR8:
		*size = 1;
		if (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH) {
			*shift = 8;
			id = reg - ZYDIS_REGISTER_AH;
		} else if (reg >= ZYDIS_REGISTER_SPL) {
			id = reg - ZYDIS_REGISTER_SPL + VITRO_RSP;
		}
		break;
	case ZYDIS_REGCLASS_GPR16:
		*size = 2;
		break;
	case ZYDIS_REGCLASS_GPR32:
		*size = 4;
		break;
	case ZYDIS_REGCLASS_GPR64:
		*size = 8;
		break;
	default:
		return false;
	}
	if (id < 0 || id >= VITRO_NR_GPRS)
		return false;
	*nr = id;
	return true;
}

static int reg_read(const struct vi_insn *insn, ZydisRegister reg, uint64_t *value)
{
	const struct vitro_segs *segs = &insn->acc.vcpu->comm->state.segs;
	unsigned int nr, size, shift;

	if (gpr_place(reg, &nr, &size, &shift)) {
		*value = insn->gprs.gpr[nr] >> shift & vi_mask(size);
		return 0;
	}
	if (ZydisRegisterGetClass(reg) == ZYDIS_REGCLASS_SEGMENT) {
		*value = segs->seg[ZydisRegisterGetId(reg)].selector;
		return 0;
	}
	return vi_insn_unknown(insn);
}

static int reg_write(struct vi_insn *insn, ZydisRegister reg, uint64_t value)
{
	unsigned int nr, size, shift;

	if (!gpr_place(reg, &nr, &size, &shift))
		return vi_insn_unknown(insn);
	if (shift)	/* AH and the like: the byte below stays as well */
		value = (value & 0xff) << 8 | (insn->gprs.gpr[nr] & 0xff);
	vi_gpr_merge(&insn->gprs.gpr[nr], value, shift ? 2 : size);
	return 0;
}

/* ---------------------------------------------------------------- operands */

/**
 * vi_operand_size - how wide an operand is
 * @insn: the instruction
 * @nr: of the operand, from 0
 *
 * Return: bytes.
 */
unsigned int vi_operand_size(const struct vi_insn *insn, unsigned int nr)
{
	return insn->op[nr].size / 8;
}

/**
 * vi_operand_address - the effective address of a memory operand
 * @insn: the instruction
 * @nr: of the operand
 * @seg: set to enum vitro_seg
 * @offset: set to the address within it, cut to the address size
 *
 * Return: 0, or -EOPNOTSUPP for an operand without such an address.
 */
int vi_operand_address(const struct vi_insn *insn, unsigned int nr, unsigned int *seg,
		       uint64_t *offset)
{
	const ZydisDecodedOperandMem *mem = &insn->op[nr].mem;
	uint64_t base = 0, index = 0;
	int ret = 0;

	if (insn->op[nr].type != ZYDIS_OPERAND_TYPE_MEMORY || mem->type != ZYDIS_MEMOP_TYPE_MEM)
		return vi_insn_unknown(insn);
	if (mem->base == ZYDIS_REGISTER_RIP || mem->base == ZYDIS_REGISTER_EIP)
		base = insn->next_rip;
	else if (mem->base != ZYDIS_REGISTER_NONE)
		ret = reg_read(insn, mem->base, &base);
	if (!ret && mem->index != ZYDIS_REGISTER_NONE)
		ret = reg_read(insn, mem->index, &index);
	if (ret)
		return ret;
	*seg = ZydisRegisterGetId(mem->segment);
	*offset = (base + index * mem->scale + mem->disp.value) &
		  vi_mask(insn->d->address_width / 8);
	return 0;
}

/**
 * vi_operand_probe - would an access to an operand fault?
 * @insn: the instruction
 * @nr: of the operand; registers and immediates never fault
 * @write: it is written
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_operand_probe(struct vi_insn *insn, unsigned int nr, bool write)
{
	unsigned int seg;
	uint64_t offset;
	int ret;

	if (insn->op[nr].type != ZYDIS_OPERAND_TYPE_MEMORY)
		return 0;
	ret = vi_operand_address(insn, nr, &seg, &offset);
	if (ret)
		return ret;
	return vi_probe(&insn->acc, seg, offset, vi_operand_size(insn, nr), write);
}

/**
 * vi_operand_read - get the value of an operand
 * @insn: the instruction
 * @nr: of the operand
 * @value: set, zero-extended; an immediate is sign-extended if the instruction says so
 *
 * If the instruction will write the operand too, a fault of the write comes now,
 * before a device has seen the read.
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_operand_read(struct vi_insn *insn, unsigned int nr, uint64_t *value)
{
	const ZydisDecodedOperand *op = &insn->op[nr];
	unsigned int size = vi_operand_size(insn, nr);
	unsigned int seg;
	uint64_t offset;
	int ret;

	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return reg_read(insn, op->reg.value, value);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		*value = op->imm.value.u;
		return 0;
	default:
		break;
	}
	ret = vi_operand_address(insn, nr, &seg, &offset);
	if (ret)
		return ret;
	if (!size || size > sizeof(*value))
		return vi_insn_unknown(insn);
	if (op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)
		ret = vi_probe(&insn->acc, seg, offset, size, true);
	*value = 0;
	return ret ? ret : vi_read(&insn->acc, seg, offset, value, size);
}

/**
 * vi_operand_write - set an operand
 * @insn: the instruction
 * @nr: of the operand
 * @value: as much of it as the operand is wide
 *
 * Return: 0, VI_GUEST_FAULT, or -errno.
 */
int vi_operand_write(struct vi_insn *insn, unsigned int nr, uint64_t value)
{
	const ZydisDecodedOperand *op = &insn->op[nr];
	unsigned int size = vi_operand_size(insn, nr);
	unsigned int seg;
	uint64_t offset;
	int ret;

	if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return reg_write(insn, op->reg.value, value);
	ret = vi_operand_address(insn, nr, &seg, &offset);
	if (ret)
		return ret;
	if (!size || size > sizeof(value))
		return vi_insn_unknown(insn);
	return vi_write(&insn->acc, seg, offset, &value, size);
}
