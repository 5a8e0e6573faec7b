// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which exception does the instruction at rip raise?
 *
 * A list of checks, in about the order of the manual's priorities (SDM 3A table 6-2, APM 2
 * table 8-9): the fetch, then whether the instruction exists and may be executed, then what
 * it does.  Each knows one way to fault; what none knows stays unknown.  CPUID, the FPU's
 * pending exceptions and the values that a control register or an MSR takes are not known
 * here: for these there is only a likely answer.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pm.h"

#define CR0_EM		(1ULL << 2)
#define CR0_TS		(1ULL << 3)
#define CR4_OSFXSR	(1ULL << 9)
#define CR4_OSXSAVE	(1ULL << 18)
#define EFER_SCE	(1ULL << 0)
#define FLAG_IOPL	(3ULL << 12)

/**
 * struct question - an instruction, and what is found out about it
 * @pm: the post-mortem
 * @insn: the instruction
 * @out: the answer
 */
struct question {
	struct pm *pm;
	struct vi_insn insn;
	struct pm_cause *out;
};

/* ------------------------------------------------------------------------ answers */

__attribute__((format(printf, 4, 5)))
static bool raises(struct question *q, unsigned int vector, uint32_t error, const char *fmt, ...)
{
	va_list args;

	q->out->certainty = VITRO_PM_CERTAIN;
	q->out->event = (struct vitro_fault){
		.vector = vector,
		.has_error = pm_pushes_error(q->pm, vector),
		.error = error,
	};
	va_start(args, fmt);
	vsnprintf(q->out->reason, sizeof(q->out->reason), fmt, args);
	va_end(args);
	return true;
}

/* An access that faulted, with what it wanted. */
static bool access_raises(struct question *q, const struct vitro_fault *fault, const char *what)
{
	const unsigned long long address = fault->address;

	if (fault->vector == EXC_PF)
		raises(q, EXC_PF, fault->error, "%s at gva 0x%llx, %s", what, address,
		       fault->error & 8 ? "where a reserved bit is set in the page tables" :
		       fault->error & 1 ? "which the page tables do not allow" :
		       "which is not present");
	else if (fault->vector == EXC_AC)
		raises(q, EXC_AC, 0, "%s at an address that is not aligned", what);
	else
		raises(q, fault->vector, fault->error, "%s %s", what, pm_64bit(q->pm) ?
		       "at an address that is not canonical" :
		       "that its segment does not allow: by limit, type, or because there is none");
	q->out->event = *fault;
	return true;
}

static bool likely(struct question *q)
{
	q->out->certainty = VITRO_PM_LIKELY;
	return true;
}

/* -------------------------------------------------------------------------- fetch */

static bool check_rip(struct question *q)
{
	const struct vitro_state *state = &q->pm->comm.state;
	const unsigned long long rip = state->gprs.rip;

	if (pm_64bit(q->pm))
		return !vi_canonical(&q->pm->vcpu, rip) &&
		       raises(q, EXC_GP, 0, "rip is not canonical");
	return rip > state->segs.seg[VITRO_CS].limit &&
	       raises(q, EXC_GP, 0, "rip is beyond the limit of CS, 0x%x",
		      state->segs.seg[VITRO_CS].limit);
}

/* The bytes end at a page that cannot be executed: the instruction goes on there. */
static bool second_page_raises(struct question *q)
{
	const struct vitro_state *state = &q->pm->comm.state;
	uint64_t base = pm_64bit(q->pm) ? 0 : state->segs.seg[VITRO_CS].base;
	struct vitro_fault fault;
	uint64_t gpa;

	return q->insn.nr_bytes < INSN_MAX &&
	       vitro_gva_to_gpa(&q->pm->vcpu, state->gprs.rip + base + q->insn.nr_bytes,
				VITRO_ACCESS_EXEC, &gpa, &fault) == -EFAULT &&
	       access_raises(q, &fault, "the rest of the instruction is");
}

/* Fetch and decode; @decoded tells if the other checks have an instruction to look at. */
static bool check_fetch(struct question *q, bool *decoded)
{
	int ret = vi_insn_decode(&q->insn, NULL, 0);

	*decoded = !ret;
	if (ret == VI_GUEST_FAULT)
		return access_raises(q, &q->insn.acc.fault, "the instruction is");
	if (ret == -EOPNOTSUPP)
		return second_page_raises(q) ||
		       raises(q, EXC_UD, 0, "there is no such instruction");
	return false;
}

/* --------------------------------------------------------------- does it exist? */

static bool is_vector(const struct question *q)
{
	const ZydisInstructionEncoding encoding = q->insn.d->encoding;

	return encoding == ZYDIS_INSTRUCTION_ENCODING_VEX ||
	       encoding == ZYDIS_INSTRUCTION_ENCODING_EVEX ||
	       encoding == ZYDIS_INSTRUCTION_ENCODING_XOP;
}

/* Does it use registers of this class? */
static bool uses(const struct question *q, ZydisRegisterClass class)
{
	for (unsigned int i = 0; i < q->insn.d->operand_count; i++)
		if (q->insn.op[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ZydisRegisterGetClass(q->insn.op[i].reg.value) == class)
			return true;
	return false;
}

static bool check_undefined(struct question *q)
{
	const struct vitro_crs *crs = &q->pm->comm.state.crs;

	switch (q->insn.d->mnemonic) {
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
		return raises(q, EXC_UD, 0, "the instruction is there to raise it");
	case ZYDIS_MNEMONIC_RSM:
		return raises(q, EXC_UD, 0, "the CPU is not in system-management mode");
	case ZYDIS_MNEMONIC_SYSCALL:
		return !(crs->efer & EFER_SCE) && raises(q, EXC_UD, 0, "EFER.SCE is 0");
	case ZYDIS_MNEMONIC_VMCALL:
	case ZYDIS_MNEMONIC_VMMCALL:
		return false;
	default:
		break;
	}
	if (q->insn.d->meta.isa_ext == ZYDIS_ISA_EXT_VTX ||
	    q->insn.d->meta.isa_ext == ZYDIS_ISA_EXT_SVM)
		return raises(q, EXC_UD, 0, "guests of vitro cannot have guests of their own");
	if (is_vector(q) && uses(q, ZYDIS_REGCLASS_GPR32) + uses(q, ZYDIS_REGCLASS_GPR64) == 0 &&
	    (!(crs->cr4 & CR4_OSXSAVE) || (crs->xcr0 & 6) != 6))
		return raises(q, EXC_UD, 0, "AVX is not enabled: CR4.OSXSAVE is %d, XCR0 0x%llx",
			      !!(crs->cr4 & CR4_OSXSAVE), crs->xcr0);
	if (!is_vector(q) && uses(q, ZYDIS_REGCLASS_XMM) &&
	    (!(crs->cr4 & CR4_OSFXSR) || crs->cr0 & CR0_EM))
		return raises(q, EXC_UD, 0, "SSE is not enabled: CR4.OSFXSR is %d, CR0.EM %d",
			      !!(crs->cr4 & CR4_OSFXSR), !!(crs->cr0 & CR0_EM));
	return false;
}

static bool check_fpu(struct question *q)
{
	const uint64_t cr0 = q->pm->comm.state.crs.cr0;
	bool x87 = q->insn.d->meta.isa_ext == ZYDIS_ISA_EXT_X87;
	bool vector = uses(q, ZYDIS_REGCLASS_XMM) || uses(q, ZYDIS_REGCLASS_YMM) ||
		      uses(q, ZYDIS_REGCLASS_ZMM) || uses(q, ZYDIS_REGCLASS_MMX);

	if (x87 && cr0 & (CR0_EM | CR0_TS))
		return raises(q, EXC_NM, 0, "CR0.%s is 1", cr0 & CR0_EM ? "EM" : "TS");
	return vector && cr0 & CR0_TS && raises(q, EXC_NM, 0, "CR0.TS is 1");
}

/* ------------------------------------------------------------------ may it be executed? */

static bool wants_iopl(const struct question *q)
{
	switch (q->insn.d->mnemonic) {
	case ZYDIS_MNEMONIC_CLI:
	case ZYDIS_MNEMONIC_STI:
		return true;
	default:
		return false;
	}
}

static bool is_port(const struct question *q)
{
	return q->insn.d->meta.category == ZYDIS_CATEGORY_IO ||
	       q->insn.d->meta.category == ZYDIS_CATEGORY_IOSTRINGOP;
}

static bool check_privilege(struct question *q)
{
	const unsigned int cpl = vi_cpl(&q->pm->vcpu);
	const unsigned int iopl = (q->pm->comm.state.gprs.rflags & FLAG_IOPL) >> 12;

	if (!pm_protected(q->pm))
		return false;
	if (cpl && q->insn.d->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
		return raises(q, EXC_GP, 0, "the instruction is for CPL 0 only; CPL is %u", cpl);
	if (cpl <= iopl)
		return false;
	if (wants_iopl(q))
		return raises(q, EXC_GP, 0, "CPL %u is greater than IOPL %u", cpl, iopl);
	return is_port(q) &&
	       raises(q, EXC_GP, 0, "CPL %u is above IOPL %u, and the TSS forbids the port", cpl,
		      iopl) && likely(q);
}

static bool check_software(struct question *q)
{
	switch (q->insn.d->mnemonic) {
	case ZYDIS_MNEMONIC_INT:
		raises(q, q->insn.op[0].imm.value.u & 0xff, 0, "the guest has called it");
		q->out->event.has_error = false;
		q->out->software = true;
		return true;
	case ZYDIS_MNEMONIC_INT3:
		q->out->software = raises(q, EXC_BP, 0, "the guest has called it");
		return true;
	case ZYDIS_MNEMONIC_INTO:
		if (!(q->pm->comm.state.gprs.rflags & FLAG_OF))
			return false;
		q->out->software = raises(q, EXC_OF, 0, "the overflow flag is set");
		return true;
	case ZYDIS_MNEMONIC_INT1:
		return raises(q, EXC_DB, 0, "the guest has called it");
	default:
		return false;
	}
}

/* -------------------------------------------------------------------------- memory */

/* Instructions that want their memory aligned (SDM 2A 2.4: types 1, 2 and 4; FXSAVE; ...). */
static unsigned int alignment(const struct question *q, unsigned int size)
{
	switch (q->insn.d->mnemonic) {
	case ZYDIS_MNEMONIC_FXSAVE:
	case ZYDIS_MNEMONIC_FXSAVE64:
	case ZYDIS_MNEMONIC_FXRSTOR:
	case ZYDIS_MNEMONIC_FXRSTOR64:
	case ZYDIS_MNEMONIC_CMPXCHG16B:
		return 16;
	case ZYDIS_MNEMONIC_XSAVE:
	case ZYDIS_MNEMONIC_XSAVE64:
	case ZYDIS_MNEMONIC_XRSTOR:
	case ZYDIS_MNEMONIC_XRSTOR64:
		return 64;
	case ZYDIS_MNEMONIC_MOVUPS:
	case ZYDIS_MNEMONIC_MOVUPD:
	case ZYDIS_MNEMONIC_MOVDQU:
	case ZYDIS_MNEMONIC_LDDQU:
	case ZYDIS_MNEMONIC_PCMPESTRI:
	case ZYDIS_MNEMONIC_PCMPESTRM:
	case ZYDIS_MNEMONIC_PCMPISTRI:
	case ZYDIS_MNEMONIC_PCMPISTRM:
		return 1;
	default:
		break;
	}
	switch (q->insn.d->meta.exception_class) {
	case ZYDIS_EXCEPTION_CLASS_SSE1:
	case ZYDIS_EXCEPTION_CLASS_SSE2:
	case ZYDIS_EXCEPTION_CLASS_SSE4:
		return size == 16 ? 16 : 1;
	case ZYDIS_EXCEPTION_CLASS_AVX1:
		return size == 16 || size == 32 ? size : 1;
	default:
		return 1;
	}
}

static bool is_return(const struct question *q)
{
	const ZydisMnemonic m = q->insn.d->mnemonic;

	return m == ZYDIS_MNEMONIC_IRET || m == ZYDIS_MNEMONIC_IRETD || m == ZYDIS_MNEMONIC_IRETQ ||
	       (m == ZYDIS_MNEMONIC_RET &&
		q->insn.d->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR);
}

/* Instructions that name memory and do not access it, and REPs that are through. */
static bool touches_nothing(const struct question *q)
{
	const ZydisDecodedInstruction *d = q->insn.d;
	const uint64_t rep = ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE;

	if (d->attributes & rep &&
	    !(q->insn.gprs.gpr[VITRO_RCX] & vi_mask(d->address_width / 8)))
		return true;
	return d->meta.category == ZYDIS_CATEGORY_NOP ||
	       d->meta.category == ZYDIS_CATEGORY_WIDENOP ||
	       d->meta.category == ZYDIS_CATEGORY_PREFETCH ||
	       d->mnemonic == ZYDIS_MNEMONIC_INVLPG || is_return(q);
}

/* A stack operand that is not written in the instruction: PUSH goes below rSP. */
static bool is_push(const struct question *q, unsigned int nr)
{
	const ZydisDecodedOperand *op = &q->insn.op[nr];
	const ZydisRegister base = op->mem.base;

	return op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
	       op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE &&
	       (base == ZYDIS_REGISTER_RSP || base == ZYDIS_REGISTER_ESP ||
		base == ZYDIS_REGISTER_SP);
}

static bool operand_raises(struct question *q, unsigned int nr)
{
	const ZydisDecodedOperand *op = &q->insn.op[nr];
	const bool write = op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
	unsigned int size = vi_operand_size(&q->insn, nr), seg;
	uint64_t offset, gva;
	char what[64];

	if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || op->mem.type != ZYDIS_MEMOP_TYPE_MEM ||
	    vi_operand_address(&q->insn, nr, &seg, &offset))
		return false;
	if (!size)
		size = 1;
	if (is_push(q, nr))
		offset = (offset - size) & vi_mask(q->insn.d->stack_width / 8);
	snprintf(what, sizeof(what), "it %s %u byte%s", write ? "writes" : "reads", size,
		 size == 1 ? "" : "s");
	if (vi_linear(&q->insn.acc, seg, offset, size, write, &gva) == VI_GUEST_FAULT)
		return access_raises(q, &q->insn.acc.fault, what);
	if (gva & (alignment(q, size) - 1))
		return raises(q, EXC_GP, 0, "%s at gva 0x%llx, which is no multiple of %u", what,
			      (unsigned long long)gva, alignment(q, size));
	return vi_probe(&q->insn.acc, seg, offset, size, write) == VI_GUEST_FAULT &&
	       access_raises(q, &q->insn.acc.fault, what);
}

static bool check_memory(struct question *q)
{
	if (touches_nothing(q))
		return false;
	for (unsigned int i = 0; i < q->insn.d->operand_count; i++)
		if (operand_raises(q, i))
			return true;
	return false;
}

/* ------------------------------------------------------------------------- division */

/* A dividend may have 128 bits, for which ISO C has no type. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#define WIDE	unsigned __int128

static WIDE magnitude(WIDE value, unsigned int bits, bool *negative)
{
	*negative = value >> (bits - 1) & 1;
	if (!*negative)
		return value;
	value = -value;
	return bits < 128 ? value & (((WIDE)1 << bits) - 1) : value;
}

/* Does the quotient have more bits than there is room for?  @divisor is not 0. */
static bool overflows(WIDE dividend, uint64_t divisor, unsigned int bits, bool is_signed)
{
	bool minus = false, other = false;
	WIDE quotient, limit = ((WIDE)1 << bits) - 1;

	if (is_signed) {
		dividend = magnitude(dividend, 2 * bits, &minus);
		divisor = magnitude(divisor, bits, &other);
		limit = ((WIDE)1 << (bits - 1)) - (minus == other);
	}
	quotient = dividend / divisor;
	return quotient > limit;
}

static bool check_division(struct question *q)
{
	const struct vitro_gprs *gprs = &q->insn.gprs;
	const bool is_signed = q->insn.d->mnemonic == ZYDIS_MNEMONIC_IDIV;
	unsigned int bits;
	uint64_t divisor, low, high;
	WIDE dividend;

	if (q->insn.d->mnemonic == ZYDIS_MNEMONIC_AAM)
		return !(q->insn.op[0].imm.value.u & 0xff) && raises(q, EXC_DE, 0, "divisor 0");
	if (!is_signed && q->insn.d->mnemonic != ZYDIS_MNEMONIC_DIV)
		return false;
	if (vi_operand_read(&q->insn, 0, &divisor))
		return false;
	if (!divisor)
		return raises(q, EXC_DE, 0, "the divisor is 0");
	bits = q->insn.op[0].size;
	low = gprs->gpr[VITRO_RAX] & vi_mask(bits / 8);
	high = bits == 8 ? gprs->gpr[VITRO_RAX] >> 8 & 0xff :
			   gprs->gpr[VITRO_RDX] & vi_mask(bits / 8);
	dividend = (WIDE)high << bits | low;
	return overflows(dividend, divisor, bits, is_signed) &&
	       raises(q, EXC_DE, 0, "the quotient does not fit into %u bits", bits);
}

#pragma GCC diagnostic pop

/* ------------------------------------------------------------------------- selectors */

/* Loads a selector's descriptor into @seg; @what names it. */
static bool selector_raises(struct question *q, uint16_t selector, struct vitro_segment *seg,
			    const char *what)
{
	struct vitro_fault fault;
	int ret = pm_descriptor(q->pm, selector, seg, &fault);

	if (ret == PM_BEYOND)
		return raises(q, EXC_GP, selector & ~SEL_RPL,
			      "%s 0x%x is beyond the limit of its table", what, selector);
	if (ret == PM_FAULT)
		return access_raises(q, &fault, "it reads a descriptor");
	if (ret < 0) {
		memset(seg, 0, sizeof(*seg));
		return raises(q, EXC_GP, selector & ~SEL_RPL, "%s 0x%x: %s", what, selector,
			      vitro_error()) && likely(q);
	}
	return false;
}

static bool is_null(uint16_t selector)
{
	return !(selector & ~SEL_RPL);
}

static bool absent(struct question *q, const struct vitro_segment *seg, unsigned int vector,
		   const char *what)
{
	return !(seg->attrib & VITRO_SEG_P) &&
	       raises(q, vector, seg->selector & ~SEL_RPL, "%s 0x%x: the segment is not present",
		      what, seg->selector);
}

/* SDM 2A, MOV. */
static bool ss_raises(struct question *q, uint16_t selector, unsigned int cpl)
{
	struct vitro_segment seg;

	if (is_null(selector))
		return (!pm_64bit(q->pm) || cpl == 3) &&
		       raises(q, EXC_GP, 0, "the stack selector is null");
	if (selector_raises(q, selector, &seg, "the stack selector"))
		return true;
	if ((selector & SEL_RPL) != cpl || pm_dpl(&seg) != cpl || !pm_is_writable(&seg))
		return raises(q, EXC_GP, selector & ~SEL_RPL,
			      "the stack selector 0x%x: type 0x%x, DPL %u, RPL %u; CPL is %u",
			      selector, seg.attrib & VITRO_SEG_TYPE, pm_dpl(&seg),
			      selector & SEL_RPL, cpl);
	return absent(q, &seg, EXC_SS, "the stack selector");
}

static bool data_raises(struct question *q, uint16_t selector)
{
	const unsigned int cpl = vi_cpl(&q->pm->vcpu), rpl = selector & SEL_RPL;
	struct vitro_segment seg;
	bool any_level;

	if (is_null(selector))
		return false;
	if (selector_raises(q, selector, &seg, "the selector"))
		return true;
	any_level = pm_is_code(&seg) && seg.attrib & TYPE_CONFORMING;
	if (!(seg.attrib & VITRO_SEG_S) || (pm_is_code(&seg) && !(seg.attrib & TYPE_READABLE)) ||
	    (!any_level && (rpl > pm_dpl(&seg) || cpl > pm_dpl(&seg))))
		return raises(q, EXC_GP, selector & ~SEL_RPL,
			      "the selector 0x%x is no segment that can be read: type 0x%x, DPL %u",
			      selector, seg.attrib & VITRO_SEG_TYPE, pm_dpl(&seg));
	return absent(q, &seg, EXC_NP, "the selector");
}

/* LDTR and TR take one type of system segment each. */
static bool system_raises(struct question *q, uint16_t selector, bool tss)
{
	struct vitro_segment seg;
	unsigned int type;

	if (is_null(selector))
		return tss && raises(q, EXC_GP, 0, "the selector is null");
	if (selector & SEL_LDT)
		return raises(q, EXC_GP, selector & ~SEL_RPL, "the selector 0x%x is of the LDT",
			      selector);
	if (selector_raises(q, selector, &seg, "the selector"))
		return true;
	type = seg.attrib & (VITRO_SEG_S | VITRO_SEG_TYPE);
	if (tss ? (type & ~8U) != 1 || (vi_long_mode(&q->pm->vcpu) && !(type & 8)) :
		  type != TYPE_LDT)
		return raises(q, EXC_GP, selector & ~SEL_RPL, "the selector 0x%x is of type 0x%x%s",
			      selector, type, tss && type & TYPE_BUSY ?
			      ": a TSS that is busy already" : "");
	return absent(q, &seg, EXC_NP, "the selector");
}

static bool check_segment_load(struct question *q)
{
	const ZydisDecodedOperand *op = &q->insn.op[0];
	const ZydisMnemonic m = q->insn.d->mnemonic;
	uint64_t selector;

	if (!pm_protected(q->pm) || pm_v86(q->pm))
		return false;
	if (m == ZYDIS_MNEMONIC_LTR || m == ZYDIS_MNEMONIC_LLDT)
		return !vi_operand_read(&q->insn, 0, &selector) &&
		       system_raises(q, selector, m == ZYDIS_MNEMONIC_LTR);
	if ((m != ZYDIS_MNEMONIC_MOV && m != ZYDIS_MNEMONIC_POP) ||
	    op->type != ZYDIS_OPERAND_TYPE_REGISTER ||
	    ZydisRegisterGetClass(op->reg.value) != ZYDIS_REGCLASS_SEGMENT)
		return false;
	if (m == ZYDIS_MNEMONIC_MOV ? vi_operand_read(&q->insn, 1, &selector) :
	    vi_read(&q->insn.acc, VITRO_SS, q->insn.gprs.gpr[VITRO_RSP] &
		    vi_mask(q->insn.d->stack_width / 8), &selector, 2))
		return false;
	if (op->reg.value == ZYDIS_REGISTER_CS)
		return raises(q, EXC_UD, 0, "MOV cannot load CS");
	return op->reg.value == ZYDIS_REGISTER_SS ?
	       ss_raises(q, selector, vi_cpl(&q->pm->vcpu)) : data_raises(q, selector);
}

/* ------------------------------------------------------------------ control transfers */

/* A near jump, call or return, or the end of a far one: to where nothing can be? */
static bool offset_raises(struct question *q, uint64_t offset, uint16_t attrib, uint32_t limit)
{
	if (vi_long_mode(&q->pm->vcpu) && attrib & VITRO_SEG_L)
		return !vi_canonical(&q->pm->vcpu, offset) &&
		       raises(q, EXC_GP, 0, "it goes to 0x%llx, which is not canonical",
			      (unsigned long long)offset);
	return offset > limit && raises(q, EXC_GP, 0, "it goes to 0x%llx, beyond CS's limit 0x%x",
					(unsigned long long)offset, limit);
}

/* Far, to a code segment; call gates and tasks are not followed.  @back: by a return. */
static bool far_raises(struct question *q, uint16_t selector, uint64_t offset, bool back)
{
	const unsigned int cpl = back ? selector & SEL_RPL : vi_cpl(&q->pm->vcpu);
	const uint32_t error = selector & ~SEL_RPL;
	struct vitro_segment cs;

	if (is_null(selector))
		return raises(q, EXC_GP, 0, "the code selector is null");
	if (selector_raises(q, selector, &cs, "the code selector"))
		return true;
	if (!(cs.attrib & VITRO_SEG_S) && !back)
		return false;
	if (!pm_is_code(&cs))
		return raises(q, EXC_GP, error, "the selector 0x%x is no code segment: type 0x%x",
			      selector, cs.attrib & (VITRO_SEG_S | VITRO_SEG_TYPE));
	if (cs.attrib & TYPE_CONFORMING ? pm_dpl(&cs) > cpl :
	    pm_dpl(&cs) != cpl || (selector & SEL_RPL) > cpl || cpl < vi_cpl(&q->pm->vcpu))
		return raises(q, EXC_GP, error, "the code selector 0x%x: DPL %u, RPL %u; CPL is %u",
			      selector, pm_dpl(&cs), selector & SEL_RPL, vi_cpl(&q->pm->vcpu));
	if (vi_long_mode(&q->pm->vcpu) && cs.attrib & VITRO_SEG_L && cs.attrib & VITRO_SEG_DB)
		return raises(q, EXC_GP, error, "the code selector 0x%x: both L and D are 1",
			      selector);
	return absent(q, &cs, EXC_NP, "the code selector") ||
	       offset_raises(q, offset, cs.attrib, cs.limit);
}

/* IRET, or RET far: the frame, its CS:rIP, and in the end perhaps SS. */
static bool return_raises(struct question *q)
{
	const unsigned int size = q->insn.d->operand_width / 8;
	const bool iret = q->insn.d->mnemonic != ZYDIS_MNEMONIC_RET;
	const uint64_t mask = vi_mask(q->insn.d->stack_width / 8);
	uint64_t word[5] = { 0 };
	unsigned int i, nr = iret ? 3 : 2, cpl;

	if (iret && pm_64bit(q->pm))
		nr = 5;
	for (i = 0; i < nr; i++) {
		uint64_t offset = (q->insn.gprs.gpr[VITRO_RSP] + i * size) & mask;

		if (vi_read(&q->insn.acc, VITRO_SS, offset, &word[i], size) == VI_GUEST_FAULT)
			return access_raises(q, &q->insn.acc.fault, "it reads its frame");
	}
	if (!pm_protected(q->pm) || pm_v86(q->pm))
		return false;
	if (far_raises(q, word[1], word[0], true))
		return true;
	cpl = word[1] & SEL_RPL;
	return nr == 5 && (word[4] & ~(uint64_t)SEL_RPL || cpl == 3) && ss_raises(q, word[4], cpl);
}

/* JMP and CALL far, to what is in the instruction or in memory: offset, then selector. */
static bool far_target(struct question *q, uint64_t *offset, uint64_t *selector)
{
	const ZydisDecodedOperand *op = &q->insn.op[0];
	unsigned int seg, size = vi_operand_size(&q->insn, 0);
	uint64_t address;

	if (op->type == ZYDIS_OPERAND_TYPE_POINTER) {
		*offset = op->ptr.offset;
		*selector = op->ptr.segment;
		return true;
	}
	*offset = 0;
	*selector = 0;
	return op->type == ZYDIS_OPERAND_TYPE_MEMORY && size > 2 && size <= 10 &&
	       !vi_operand_address(&q->insn, 0, &seg, &address) &&
	       !vi_read(&q->insn.acc, seg, address, offset, size - 2) &&
	       !vi_read(&q->insn.acc, seg, address + size - 2, selector, 2);
}

static bool check_target(struct question *q)
{
	const struct vitro_segment *cs = &q->pm->comm.state.segs.seg[VITRO_CS];
	const ZydisMnemonic m = q->insn.d->mnemonic;
	const bool far = q->insn.d->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	uint64_t offset = 0, selector;

	if (is_return(q))
		return return_raises(q);
	if (m != ZYDIS_MNEMONIC_JMP && m != ZYDIS_MNEMONIC_CALL && m != ZYDIS_MNEMONIC_RET)
		return false;
	if (far)
		return pm_protected(q->pm) && !pm_v86(q->pm) && far_target(q, &offset, &selector) &&
		       far_raises(q, selector, offset, false);
	if (m == ZYDIS_MNEMONIC_RET ?
	    vi_read(&q->insn.acc, VITRO_SS, q->insn.gprs.gpr[VITRO_RSP] &
		    vi_mask(q->insn.d->stack_width / 8), &offset, q->insn.d->operand_width / 8) :
	    q->insn.op[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE ||
	    vi_operand_read(&q->insn, 0, &offset))
		return false;
	return offset_raises(q, offset, cs->attrib, cs->limit);
}

/* ---------------------------------------------------------------- nothing but a guess */

/* A register that refuses a value, or is not there. */
static bool check_registers(struct question *q)
{
	switch (q->insn.d->mnemonic) {
	case ZYDIS_MNEMONIC_RDMSR:
	case ZYDIS_MNEMONIC_WRMSR:
		return raises(q, EXC_GP, 0, "there is no MSR 0x%llx, or it does not take 0x%llx",
			      q->insn.gprs.gpr[VITRO_RCX] & 0xffffffff,
			      (q->insn.gprs.gpr[VITRO_RDX] & 0xffffffff) << 32 |
			      (q->insn.gprs.gpr[VITRO_RAX] & 0xffffffff)) && likely(q);
	case ZYDIS_MNEMONIC_XSETBV:
		return raises(q, EXC_GP, 0, "XCR0 does not take the value") && likely(q);
	default:
		break;
	}
	if (uses(q, ZYDIS_REGCLASS_CONTROL) && q->insn.d->mnemonic == ZYDIS_MNEMONIC_MOV)
		return raises(q, EXC_GP, 0, "the control register does not take the value") &&
		       likely(q);
	return false;
}

/* A single step has been taken: #DB comes after the instruction (SDM 3B 18.3.1.4). */
static bool check_step(struct question *q)
{
	const struct vitro_state *state = &q->pm->comm.state;

	return state->gprs.rflags & FLAG_TF && state->drs.dr6 & DR6_BS &&
	       raises(q, EXC_DB, 0, "RFLAGS.TF: a single step, of the instruction before") &&
	       likely(q);
}

/* An extension of the instruction set that this processor, or this guest, may not have. */
static bool check_extension(struct question *q)
{
	switch (q->insn.d->meta.isa_ext) {
	case ZYDIS_ISA_EXT_BASE:
	case ZYDIS_ISA_EXT_LONGMODE:
	case ZYDIS_ISA_EXT_X87:
	case ZYDIS_ISA_EXT_MMX:
	case ZYDIS_ISA_EXT_SSE:
	case ZYDIS_ISA_EXT_SSE2:
	case ZYDIS_ISA_EXT_PAUSE:
	case ZYDIS_ISA_EXT_VTX:
	case ZYDIS_ISA_EXT_SVM:
		return false;
	default:
		return raises(q, EXC_UD, 0, "by CPUID the guest has not got %s",
			      ZydisISAExtGetString(q->insn.d->meta.isa_ext)) && likely(q);
	}
}

/**
 * pm_cause - which exception does the instruction at rip raise?
 * @pm: the post-mortem
 * @cause: filled; its certainty is VITRO_PM_UNKNOWN if none was found
 */
void pm_cause(struct pm *pm, struct pm_cause *cause)
{
	static bool (*const checks[])(struct question *q) = {
		check_undefined, check_privilege, check_fpu, check_software, check_memory,
		check_division, check_segment_load, check_target, check_registers, check_step,
		check_extension,
	};
	const struct vitro_bus nothing = { .io = NULL };
	struct question q = {
		.pm = pm,
		.insn.acc = { .vcpu = &pm->vcpu, .bus = &nothing },
		.out = cause,
	};
	bool decoded;

	memset(cause, 0, sizeof(*cause));
	cause->certainty = VITRO_PM_UNKNOWN;
	if (check_rip(&q) || check_fetch(&q, &decoded))
		return;
	for (unsigned int i = 0; decoded && i < ARRAY_LEN(checks); i++) {
		bool (*check)(struct question *q) = checks[i];

		if (check(&q))
			return;
	}
}
