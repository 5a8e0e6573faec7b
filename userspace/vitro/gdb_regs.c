// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers as gdb numbers them: by the target description that it is sent (Debugging with
 * GDB, appendix G).  All features but one are gdb's own; what the system keeps in control
 * registers and MSRs is ours.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdb.h"

/* Offsets in an XSAVE area (SDM 1 10.5.1, 13.4.1). */
#define FX_FCW		0
#define FX_FSW		2
#define FX_FTW		4
#define FX_FOP		6
#define FX_FIP		8
#define FX_FDP		16
#define FX_MXCSR	24
#define FX_ST		32
#define FX_XMM		160
#define XSAVE_BV	512
#define XSAVE_YMM	576

/* Bits of XSTATE_BV. */
#define X87		1
#define SSE		2
#define AVX		4

/**
 * struct reg - a register
 * @name: its name
 * @type: in gdb's words
 * @size: bytes that gdb sees
 * @stored: bytes in struct vitro_state; the rest reads as zero, and is not written
 * @group: VITRO_STATE_*
 * @offset: in struct vitro_state
 */
struct reg {
	const char *name;
	const char *type;
	uint8_t size;
	uint8_t stored;
	uint64_t group;
	size_t offset;
};

#define STATE(_name, _type, _size, _stored, _group, _field) \
	{ _name, _type, _size, _stored, VITRO_STATE_##_group, offsetof(struct vitro_state, _field) }
#define GPR(_name, _nr, _type)	STATE(_name, _type, 8, 8, GPRS, gprs.gpr[_nr])
#define SELECTOR(_name, _nr)	STATE(_name, "int32", 4, 2, SEGS, segs.seg[_nr].selector)
#define SYS(_name, _group, _field) STATE(_name, "int64", 8, 8, _group, _field)
#define SYS32(_name, _field)	STATE(_name, "int32", 4, 4, SEGS, _field)
#define FX(_name, _type, _size, _stored, _offset) \
	STATE(_name, _type, _size, _stored, FPU, fpu.xsave[_offset])
#define ST(_n)			FX("st" #_n, "i387_ext", 10, 10, FX_ST + 16 * (_n))
#define XMM(_n)			FX("xmm" #_n, "vec128", 16, 16, FX_XMM + 16 * (_n))
#define YMM(_n)			FX("ymm" #_n "h", "uint128", 16, 16, XSAVE_YMM + 16 * (_n))

static const struct reg regs[] = {
	GPR("rax", VITRO_RAX, "int64"), GPR("rbx", VITRO_RBX, "int64"),
	GPR("rcx", VITRO_RCX, "int64"), GPR("rdx", VITRO_RDX, "int64"),
	GPR("rsi", VITRO_RSI, "int64"), GPR("rdi", VITRO_RDI, "int64"),
	GPR("rbp", VITRO_RBP, "data_ptr"), GPR("rsp", VITRO_RSP, "data_ptr"),
	GPR("r8", VITRO_R8, "int64"), GPR("r9", VITRO_R9, "int64"),
	GPR("r10", VITRO_R10, "int64"), GPR("r11", VITRO_R11, "int64"),
	GPR("r12", VITRO_R12, "int64"), GPR("r13", VITRO_R13, "int64"),
	GPR("r14", VITRO_R14, "int64"), GPR("r15", VITRO_R15, "int64"),
	STATE("rip", "code_ptr", 8, 8, GPRS, gprs.rip),
	STATE("eflags", "i386_eflags", 4, 4, GPRS, gprs.rflags),
	SELECTOR("cs", VITRO_CS), SELECTOR("ss", VITRO_SS), SELECTOR("ds", VITRO_DS),
	SELECTOR("es", VITRO_ES), SELECTOR("fs", VITRO_FS), SELECTOR("gs", VITRO_GS),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	FX("fctrl", "int", 4, 2, FX_FCW), FX("fstat", "int", 4, 2, FX_FSW),
	FX("ftag", "int", 4, 1, FX_FTW),
	FX("fiseg", "int", 4, 4, FX_FIP + 4), FX("fioff", "int", 4, 4, FX_FIP),
	FX("foseg", "int", 4, 4, FX_FDP + 4), FX("fooff", "int", 4, 4, FX_FDP),
	FX("fop", "int", 4, 2, FX_FOP),
#define END_CORE	40

	XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7),
	XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	FX("mxcsr", "i386_mxcsr", 4, 4, FX_MXCSR),
#define END_SSE		(END_CORE + 17)

	SYS("fs_base", SEGS, segs.seg[VITRO_FS].base),
	SYS("gs_base", SEGS, segs.seg[VITRO_GS].base),
#define END_SEGMENTS	(END_SSE + 2)

	STATE("cr0", "cr0_flags", 8, 8, CRS, crs.cr0), SYS("cr2", CRS, crs.cr2),
	SYS("cr3", CRS, crs.cr3), STATE("cr4", "cr4_flags", 8, 8, CRS, crs.cr4),
	SYS("cr8", CRS, crs.cr8), STATE("efer", "efer_flags", 8, 8, CRS, crs.efer),
	SYS("xcr0", CRS, crs.xcr0),
	SYS("dr0", DRS, drs.dr[0]), SYS("dr1", DRS, drs.dr[1]), SYS("dr2", DRS, drs.dr[2]),
	SYS("dr3", DRS, drs.dr[3]), SYS("dr6", DRS, drs.dr6), SYS("dr7", DRS, drs.dr7),
	SYS("gdtr_base", SEGS, segs.gdtr.base), SYS32("gdtr_limit", segs.gdtr.limit),
	SYS("idtr_base", SEGS, segs.idtr.base), SYS32("idtr_limit", segs.idtr.limit),
	SELECTOR("ldtr", VITRO_LDTR), SELECTOR("tr", VITRO_TR),
	SYS("ldtr_base", SEGS, segs.seg[VITRO_LDTR].base),
	SYS("tr_base", SEGS, segs.seg[VITRO_TR].base),
	SYS("star", MSRS, msrs.star), SYS("lstar", MSRS, msrs.lstar),
	SYS("cstar", MSRS, msrs.cstar), SYS("sfmask", MSRS, msrs.sfmask),
	SYS("kernel_gs_base", MSRS, msrs.kernel_gs_base),
	SYS("sysenter_cs", MSRS, msrs.sysenter_cs),
	SYS("sysenter_esp", MSRS, msrs.sysenter_esp),
	SYS("sysenter_eip", MSRS, msrs.sysenter_eip),
	SYS("pat", MSRS, msrs.pat), SYS("tsc_aux", MSRS, msrs.tsc_aux),
	SYS("apic_base", MSRS, msrs.apic_base),
#define END_SYSTEM	(END_SEGMENTS + 32)

	YMM(0), YMM(1), YMM(2), YMM(3), YMM(4), YMM(5), YMM(6), YMM(7),
	YMM(8), YMM(9), YMM(10), YMM(11), YMM(12), YMM(13), YMM(14), YMM(15),
#define END_AVX		(END_SYSTEM + 16)
};

_Static_assert(sizeof(regs) == END_AVX * sizeof(*regs), "the features' ends are off");

/* ------------------------------------------------------------------------ values */

/**
 * regs_nr - how many registers there are
 * @avx: with those of AVX
 *
 * Return: their number; they are numbered from 0.
 */
unsigned int regs_nr(bool avx)
{
	return avx ? END_AVX : END_SYSTEM;
}

/**
 * regs_size - bytes of a register
 * @reg: its number
 *
 * Return: up to GDB_REG_MAX.
 */
size_t regs_size(unsigned int reg)
{
	return regs[reg].size;
}

/**
 * regs_group - the state group that a register is in
 * @reg: its number
 *
 * Return: VITRO_STATE_*.
 */
uint64_t regs_group(unsigned int reg)
{
	return regs[reg].group;
}

static bool is_ftag(const struct reg *r)
{
	return r->offset == offsetof(struct vitro_state, fpu.xsave[FX_FTW]);
}

/* The tag word has two bits a register, 3 for an empty one; FXSAVE one: not empty. */
static uint16_t widen_tags(uint8_t abridged)
{
	uint16_t tags = 0;
	int i;

	for (i = 0; i < 8; i++) {
		if (!(abridged >> i & 1))
			tags |= 3 << 2 * i;
	}
	return tags;
}

static uint8_t abridge_tags(uint16_t tags)
{
	uint8_t abridged = 0;
	int i;

	for (i = 0; i < 8; i++) {
		if ((tags >> 2 * i & 3) != 3)
			abridged |= 1 << i;
	}
	return abridged;
}

/**
 * regs_get - a register's value
 * @state: the state, whose group is valid
 * @reg: its number
 * @value: its bytes, least significant first
 */
void regs_get(const struct vitro_state *state, unsigned int reg, uint8_t value[GDB_REG_MAX])
{
	const struct reg *r = &regs[reg];
	uint16_t tags;

	memset(value, 0, GDB_REG_MAX);
	memcpy(value, (const uint8_t *)state + r->offset, r->stored);
	if (is_ftag(r)) {
		tags = widen_tags(value[0]);
		memcpy(value, &tags, sizeof(tags));
	}
}

/**
 * regs_set - change a register
 * @state: the state, whose group is valid
 * @reg: its number
 * @value: its bytes
 */
void regs_set(struct vitro_state *state, unsigned int reg, const uint8_t value[GDB_REG_MAX])
{
	const struct reg *r = &regs[reg];
	uint8_t *place = (uint8_t *)state + r->offset;
	uint64_t components;
	uint16_t tags;

	if (is_ftag(r)) {
		memcpy(&tags, value, sizeof(tags));
		*place = abridge_tags(tags);
	} else {
		memcpy(place, value, r->stored);
	}
	if (r->group != VITRO_STATE_FPU)
		return;
	/* What is not in XSTATE_BV would be initialised instead of loaded. */
	memcpy(&components, state->fpu.xsave + XSAVE_BV, sizeof(components));
	components |= X87 | SSE | (reg >= END_SYSTEM ? AVX : 0);
	memcpy(state->fpu.xsave + XSAVE_BV, &components, sizeof(components));
}

/* --------------------------------------------------------------- the description */

/**
 * struct flag - a bit with a name
 * @name: it
 * @bit: its number
 */
struct flag {
	const char *name;
	unsigned int bit;
};

static const struct flag eflags[] = {
	{ "CF", 0 }, { "", 1 }, { "PF", 2 }, { "AF", 4 }, { "ZF", 6 }, { "SF", 7 },
	{ "TF", 8 }, { "IF", 9 }, { "DF", 10 }, { "OF", 11 }, { "NT", 14 }, { "RF", 16 },
	{ "VM", 17 }, { "AC", 18 }, { "VIF", 19 }, { "VIP", 20 }, { "ID", 21 }, { NULL, 0 }
};

static const struct flag mxcsr[] = {
	{ "IE", 0 }, { "DE", 1 }, { "ZE", 2 }, { "OE", 3 }, { "UE", 4 }, { "PE", 5 },
	{ "DAZ", 6 }, { "IM", 7 }, { "DM", 8 }, { "ZM", 9 }, { "OM", 10 }, { "UM", 11 },
	{ "PM", 12 }, { "FZ", 15 }, { NULL, 0 }
};

static const struct flag cr0[] = {
	{ "PE", 0 }, { "MP", 1 }, { "EM", 2 }, { "TS", 3 }, { "ET", 4 }, { "NE", 5 },
	{ "WP", 16 }, { "AM", 18 }, { "NW", 29 }, { "CD", 30 }, { "PG", 31 }, { NULL, 0 }
};

static const struct flag cr4[] = {
	{ "VME", 0 }, { "PVI", 1 }, { "TSD", 2 }, { "DE", 3 }, { "PSE", 4 }, { "PAE", 5 },
	{ "MCE", 6 }, { "PGE", 7 }, { "PCE", 8 }, { "OSFXSR", 9 }, { "OSXMMEXCPT", 10 },
	{ "UMIP", 11 }, { "LA57", 12 }, { "FSGSBASE", 16 }, { "PCIDE", 17 },
	{ "OSXSAVE", 18 }, { "SMEP", 20 }, { "SMAP", 21 }, { "PKE", 22 }, { NULL, 0 }
};

static const struct flag efer[] = {
	{ "SCE", 0 }, { "LME", 8 }, { "LMA", 10 }, { "NXE", 11 }, { "FFXSR", 14 }, { NULL, 0 }
};

/* The vector types in gdb's descriptions, and what they are vectors of. */
static const struct {
	const char *id, *of, *name;
	unsigned int count;
} vectors[] = {
	{ "v4f", "ieee_single", "v4_float", 4 }, { "v2d", "ieee_double", "v2_double", 2 },
	{ "v16i8", "int8", "v16_int8", 16 }, { "v8i16", "int16", "v8_int16", 8 },
	{ "v4i32", "int32", "v4_int32", 4 }, { "v2i64", "int64", "v2_int64", 2 },
	{ NULL, NULL, NULL, 0 }
};

static void describe_vectors(FILE *out)
{
	unsigned int i;

	for (i = 0; vectors[i].id; i++)
		fprintf(out, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>", vectors[i].id,
			vectors[i].of, vectors[i].count);
	fprintf(out, "<union id=\"vec128\">");
	for (i = 0; vectors[i].id; i++)
		fprintf(out, "<field name=\"%s\" type=\"%s\"/>", vectors[i].name, vectors[i].id);
	fprintf(out, "<field name=\"uint128\" type=\"uint128\"/></union>");
}

static void describe_flags(FILE *out, const char *id, unsigned int size, const struct flag *flag)
{
	fprintf(out, "<flags id=\"%s\" size=\"%u\">", id, size);
	for (; flag->name; flag++)
		fprintf(out, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", flag->name, flag->bit,
			flag->bit);
	fprintf(out, "</flags>");
}

static void describe_regs(FILE *out, unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\" regnum=\"%u\"/>",
			regs[from].name, 8 * regs[from].size, regs[from].type, from);
	fprintf(out, "</feature>");
}

/**
 * regs_xml - the target description
 * @avx: with AVX
 *
 * Return: it, to be freed; NULL without memory.
 */
char *regs_xml(bool avx)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">");
	fprintf(out, "<target version=\"1.0\"><architecture>i386:x86-64</architecture>");
	fprintf(out, "<feature name=\"org.gnu.gdb.i386.core\">");
	describe_flags(out, "i386_eflags", 4, eflags);
	describe_regs(out, 0, END_CORE);
	fprintf(out, "<feature name=\"org.gnu.gdb.i386.sse\">");
	describe_vectors(out);
	describe_flags(out, "i386_mxcsr", 4, mxcsr);
	describe_regs(out, END_CORE, END_SSE);
	fprintf(out, "<feature name=\"org.gnu.gdb.i386.segments\">");
	describe_regs(out, END_SSE, END_SEGMENTS);
	fprintf(out, "<feature name=\"org.vitro.x86.system\">");
	describe_flags(out, "cr0_flags", 8, cr0);
	describe_flags(out, "cr4_flags", 8, cr4);
	describe_flags(out, "efer_flags", 8, efer);
	describe_regs(out, END_SEGMENTS, END_SYSTEM);
	if (avx) {
		fprintf(out, "<feature name=\"org.gnu.gdb.i386.avx\">");
		describe_regs(out, END_SYSTEM, END_AVX);
	}
	fprintf(out, "</target>");
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
