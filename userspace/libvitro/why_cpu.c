// SPDX-License-Identifier: LGPL-2.1-or-later
/* What CPUID tells of this processor that rules need to know. */
#include <cpuid.h>

#include "why.h"

enum { EAX, EBX, ECX, EDX };

/**
 * struct feature - a bit that a register has if CPUID says so
 * @bits: they
 * @leaf: of CPUID; 0 if every processor has them
 * @reg: where in what CPUID answers
 * @bit: which bit of @reg
 */
struct feature {
	uint64_t bits;
	uint32_t leaf;
	unsigned int reg, bit;
};

/* SDM 3A 2.2.1, APM 2 3.1.7. */
static const struct feature efer[] = {
	{ 1 << 0, 0x80000001, EDX, 11 },		/* SCE */
	{ EFER_LME | EFER_LMA, 0x80000001, EDX, 29 },
	{ 1 << 11, 0x80000001, EDX, 20 },		/* NXE */
	{ 1 << 12, 0x80000001, ECX, 2 },		/* SVME */
	{ 1 << 14, 0x80000001, EDX, 25 },		/* FFXSR */
	{ 1 << 15, 0x80000001, ECX, 17 },		/* TCE */
	{ 1 << 17, 0x80000008, EBX, 8 },		/* MCOMMIT */
	{ 1 << 18, 0x80000008, EBX, 13 },		/* INTWB */
	{ 1 << 20, 0x80000021, EAX, 7 },		/* UAIE */
	{ 1 << 21, 0x80000021, EAX, 8 },		/* AIBRSE */
	{ 0, 0, 0, 0 }
};

/* SDM 3A 2.5, APM 2 3.1.3. */
static const struct feature cr4[] = {
	{ 1 << 0 | 1 << 1, 1, EDX, 1 },			/* VME, PVI */
	{ 1 << 2, 1, EDX, 4 },				/* TSD */
	{ 1 << 3, 1, EDX, 2 },				/* DE */
	{ 1 << 4, 1, EDX, 3 },				/* PSE */
	{ CR4_PAE, 1, EDX, 6 },
	{ 1 << 6, 1, EDX, 7 },				/* MCE */
	{ 1 << 7, 1, EDX, 13 },				/* PGE */
	{ 1 << 8, 0, 0, 0 },				/* PCE */
	{ 1 << 9, 1, EDX, 24 },				/* OSFXSR */
	{ 1 << 10, 1, EDX, 25 },			/* OSXMMEXCPT */
	{ 1 << 11, 7, ECX, 2 },				/* UMIP */
	{ 1 << 12, 7, ECX, 16 },			/* LA57 */
	{ 1 << 16, 7, EBX, 0 },				/* FSGSBASE */
	{ CR4_PCIDE, 1, ECX, 17 },
	{ 1 << 18, 1, ECX, 26 },			/* OSXSAVE */
	{ 1 << 20, 7, EBX, 7 },				/* SMEP */
	{ 1 << 21, 7, EBX, 20 },			/* SMAP */
	{ 1 << 22, 7, ECX, 3 },				/* PKE */
	{ CR4_CET, 7, ECX, 7 },
	{ 1 << 24, 7, ECX, 31 },			/* PKS */
	{ 0, 0, 0, 0 }
};

static const struct feature sgx[] = { { 1, 7, EBX, 2 }, { 0, 0, 0, 0 } };
static const struct feature avic[] = { { 1, 0x8000000a, EDX, 13 }, { 0, 0, 0, 0 } };
static const struct feature rtm[] = { { 1, 7, EBX, 11 }, { 0, 0, 0, 0 } };

/* What the processor answers; zeros for a leaf it does not have. */
static uint32_t ask(uint32_t leaf, unsigned int reg)
{
	uint32_t answer[4] = { 0 };

	if (!__get_cpuid_count(leaf, 0, &answer[EAX], &answer[EBX], &answer[ECX], &answer[EDX]))
		return 0;
	return answer[reg];
}

static uint64_t bits_of(const struct feature *f)
{
	uint64_t bits = 0;

	for (; f->bits; f++)
		if (!f->leaf || (ask(f->leaf, f->reg) >> f->bit & 1))
			bits |= f->bits;
	return bits;
}

/* A bit for each counter of the architectural performance monitor (SDM 3B 20.2.2). */
static uint64_t perf_bits(void)
{
	uint32_t counters = ask(0xa, EAX) >> 8 & 0xff, fixed = ask(0xa, EDX) & 0x1f;

	return why_ones(counters) | why_ones(fixed) << 32;
}

/* The function is documented in <vitro/why.h>. */
int vitro_entry_add_cpu(struct vitro_entry *entry)
{
	const uint32_t widths = ask(0x80000008, EAX);
	const struct {
		uint32_t fact;
		uint64_t value;
	} facts[] = {
		{ CPU_PHYS_BITS, widths ? widths & 0xff : 36 },
		{ CPU_LINEAR_BITS, widths ? widths >> 8 & 0xff : 32 },
		{ CPU_EFER_BITS, bits_of(efer) },
		{ CPU_CR4_BITS, bits_of(cr4) },
		{ CPU_PERF_BITS, perf_bits() },
		{ CPU_SGX, bits_of(sgx) },
		{ CPU_RTM, bits_of(rtm) },
		{ CPU_AVIC, bits_of(avic) },
	};
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_LEN(facts); i++) {
		ret = vitro_entry_set(entry, facts[i].fact, facts[i].value);
		if (ret)
			return ret;
	}
	return 0;
}
