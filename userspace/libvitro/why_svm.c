// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rules about the VMCB (APM 2 15.5.1 and the sections it refers to).  Who violates one
 * makes VMRUN exit with VMEXIT_INVALID, which does not tell which it was.
 *
 * Segments are no matter here: VMRUN takes what it is given, as far as these rules go.
 */
#include "why_svm.h"

/* What of the VMCB is a control, by the names of APM 2 appendix B. */
enum { W_VECTOR4 = 1, W_NP, W_VINTR, W_NR };
#define VMRUN_INTERCEPT	WHY_CONTROL(W_VECTOR4, 0)
#define NP_ENABLE	WHY_CONTROL(W_NP, 0)
#define AVIC_ENABLE	WHY_CONTROL(W_VINTR, 31)

#define CR0_NW		(1ULL << 29)
#define CR0_CD		(1ULL << 30)
#define HIGH_HALF	0xffffffff00000000ULL

#define EFER_SVME	(1ULL << 12)

#define ATTRIB_L	(1ULL << 9)
#define ATTRIB_D	(1ULL << 10)

/* Permission maps (APM 2 15.10.1, 15.11): their sizes. */
#define IOPM_SIZE	0x3000ULL
#define MSRPM_SIZE	0x2000ULL

/* EVENTINJ (APM 2 15.20). */
#define EVENT_VECTOR	0xffULL
#define EVENT_TYPE	0x700ULL
#define EVENT_ERROR	(1ULL << 11)
#define EVENT_VALID	(1ULL << 31)
enum { INTR = 0, NMI = 2, EXCEPTION = 3, SOFTWARE = 4 };

static uint32_t control_field(int word)
{
	static const uint32_t field[W_NR] = {
		[W_VECTOR4] = VMCB_INTERCEPT_VECTOR4,
		[W_NP] = VMCB_NP_CONTROL,
		[W_VINTR] = VMCB_V_INTR,
	};

	return field[word];
}

/* All words are always in force. */
static int activator(int word)
{
	(void)word;
	return 0;
}

static const char *control_name(int control)
{
	switch (control) {
	case VMRUN_INTERCEPT:
		return "intercept VMRUN";
	case NP_ENABLE:
		return "NP_ENABLE";
	case AVIC_ENABLE:
		return "AVIC enable";
	default:
		return NULL;
	}
}

/* There are but facts. */
static bool knows(const struct why *w, uint32_t cap)
{
	(void)w;
	(void)cap;
	return true;
}

static void check_cache(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if ((value & CR0_NW) && !(value & CR0_CD))
		why_bad(w, r->field, CR0_NW, value & ~CR0_NW);
}

/* Will the guest be in long mode, by LME and paging? */
static bool long_mode(const struct why *w)
{
	return (why_get(w, VMCB_EFER) & EFER_LME) && (why_get(w, VMCB_CR0) & CR0_PG);
}

/* CR3's low bits are flags, a PCID, or part of the address; the high ones are reserved. */
static void check_cr3(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), bad = value & why_phys_bits(w);

	if (long_mode(w) && bad)
		why_bad(w, r->field, bad, value & ~bad);
}

static void check_long_set(struct why *w, const struct why_rule *r)
{
	if (long_mode(w))
		why_set(w, r);
}

static void check_cs(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (long_mode(w) && (why_get(w, VMCB_CR4) & CR4_PAE) &&
	    (value & ATTRIB_L) && (value & ATTRIB_D))
		why_bad(w, r->field, ATTRIB_D, value & ~ATTRIB_D);
}

/* r->arg: size of the map.  Bits 11:0 of its address are ignored. */
static void check_map(struct why *w, const struct why_rule *r)
{
	uint64_t base = why_get(w, r->field) & ~0xfffULL, high = why_phys_bits(w);
	uint64_t last = base + r->arg - 1;

	if (base & high)
		why_bad(w, r->field, base & high, base & ~high);
	else if (last & high)
		why_bad(w, r->field, ~high & ~0xfffULL, 0);
}

static void check_n_cr3(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), bad = value & (why_phys_bits(w) | 0xfe7);

	if (bad)
		why_bad(w, r->field, bad, value & ~bad);
}

/* Without AVIC, its bit is ignored. */
static void check_avic(struct why *w, const struct why_rule *r)
{
	if (why_fact(w, r->cap, 1))
		why_must(w, r);
}

/* -------------------------------------------------------------- event injection */

static bool valid(const struct why *w)
{
	return why_get(w, VMCB_EVENTINJ) & EVENT_VALID;
}

static unsigned int type(const struct why *w)
{
	return why_get(w, VMCB_EVENTINJ) >> 8 & 7;
}

static void check_event_type(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (valid(w) && type(w) != INTR && type(w) != NMI && type(w) != EXCEPTION &&
	    type(w) != SOFTWARE)
		why_bad(w, r->field, EVENT_TYPE, value & ~EVENT_TYPE);
}

static void check_event_vector(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), vector = value & EVENT_VECTOR;

	/* NMI is an event, not an exception; vectors above 31 are none either. */
	if (valid(w) && type(w) == EXCEPTION && (vector == EXC_NMI || vector > 31))
		why_bad(w, r->field, EVENT_VECTOR, (value & ~EVENT_VECTOR) | EXC_GP);
}

static void check_event_mode(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), vector = value & EVENT_VECTOR;

	if (valid(w) && type(w) == EXCEPTION && long_mode(w) &&
	    (why_get(w, VMCB_CS_ATTRIB) & ATTRIB_L) && (vector == 4 || vector == 5))
		why_bad(w, r->field, EVENT_VECTOR, (value & ~EVENT_VECTOR) | EXC_GP);
}

#define RULE(sub, sentence)	\
	.class = VITRO_WHY_INVALID, .section = "APM 2 " sub, .text = sentence

static const struct why_rule svm_rules[] = {
	{ RULE("15.5.1", "EFER.SVME is 1"),
	  .check = why_set, .field = VMCB_EFER, .arg = EFER_SVME },
	{ RULE("15.5.1", "CR0 has no NW (write-through off) without CD (cache off)"),
	  .check = check_cache, .field = VMCB_CR0 },
	{ RULE("15.5.1", "CR0 has 32 bits"),
	  .check = why_zero, .field = VMCB_CR0, .arg = HIGH_HALF },
	{ RULE("15.5.1", "CR3 has no bit beyond the physical-address width, in long mode"),
	  .check = check_cr3, .field = VMCB_CR3, .cap = CPU_PHYS_BITS },
	{ RULE("15.5.1", "CR4 has no bit that the CPU lacks"),
	  .check = why_known, .field = VMCB_CR4, .cap = CPU_CR4_BITS },
	{ RULE("15.5.1", "DR6 has 32 bits"),
	  .check = why_zero, .field = VMCB_DR6, .arg = HIGH_HALF },
	{ RULE("15.5.1", "DR7 has 32 bits"),
	  .check = why_zero, .field = VMCB_DR7, .arg = HIGH_HALF },
	{ RULE("15.5.1", "EFER has no bit that the CPU lacks"),
	  .check = why_known, .field = VMCB_EFER, .cap = CPU_EFER_BITS },
	{ RULE("15.5.1", "long mode (EFER.LME and CR0.PG) has CR4.PAE"),
	  .check = check_long_set, .field = VMCB_CR4, .arg = CR4_PAE },
	{ RULE("15.5.1", "long mode (EFER.LME and CR0.PG) has CR0.PE"),
	  .check = check_long_set, .field = VMCB_CR0, .arg = CR0_PE },
	{ RULE("15.5.1", "64-bit code (CS.L) has D = 0"),
	  .check = check_cs, .field = VMCB_CS_ATTRIB },
	{ RULE("15.5.1", "with CR4.CET, CR0.WP is 1"), .check = why_cet_wp, .field = VMCB_CR0,
	  .arg = VMCB_CR4 },
	{ RULE("15.5.1", "VMRUN is intercepted"),
	  .check = why_must, .control = ON(VMRUN_INTERCEPT) },
	{ RULE("15.5.1", "the I/O permission map is at physical addresses"), .check = check_map,
	  .field = VMCB_IOPM_BASE_PA, .arg = IOPM_SIZE, .cap = CPU_PHYS_BITS },
	{ RULE("15.5.1", "the MSR permission map is at physical addresses"), .check = check_map,
	  .field = VMCB_MSRPM_BASE_PA, .arg = MSRPM_SIZE, .cap = CPU_PHYS_BITS },
	{ RULE("15.5.1", "the guest's ASID is not 0, which is the host's"),
	  .check = why_nonzero, .field = VMCB_GUEST_ASID, .arg = 1 },
	{ RULE("15.20", "an injected event is of type 0, 2, 3 or 4"),
	  .check = check_event_type, .field = VMCB_EVENTINJ },
	{ RULE("15.20", "an injected exception has a vector up to 31, other than that of NMI"),
	  .check = check_event_vector, .field = VMCB_EVENTINJ },
	{ RULE("15.20",
	       "an injected exception is one of the guest's mode: not #BR, #OF in 64-bit mode"),
	  .check = check_event_mode, .field = VMCB_EVENTINJ },
	{ RULE("15.25.3", "N_CR3 has no reserved bit"), .when = { ON(NP_ENABLE) },
	  .check = check_n_cr3, .field = VMCB_N_CR3, .cap = CPU_PHYS_BITS },
	{ RULE("15.25.4", "each byte of G_PAT is a memory type: 0, 1, 4, 5, 6 or 7"),
	  .when = { ON(NP_ENABLE) }, .check = why_pat, .field = VMCB_G_PAT },
	{ RULE("15.29.4", "AVIC needs nested paging"), .when = { ON(AVIC_ENABLE) },
	  .check = check_avic, .control = ON(NP_ENABLE), .cap = CPU_AVIC },
	{ .text = NULL }
};

static const struct why_rule *const rules[] = { svm_rules, NULL };

const struct why_vendor why_svm = {
	.rules = rules,
	.nr_words = W_NR - 1,
	.control_field = control_field,
	.activator = activator,
	.control_name = control_name,
	.knows = knows,
};
