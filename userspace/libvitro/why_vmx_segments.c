// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rules about the guest's segment registers (SDM 3C 27.3.1.2).  Most hold for several
 * registers: a rule's .arg is a set of them, and one violation names all that violate
 * it.
 */
#include "why_vmx.h"

/* As the VMCS has them in order; each field of one is 2 after that of the one before. */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR, NR_SEGMENTS };

#define SELECTOR(s)	(GUEST_ES_SELECTOR + 2 * (s))
#define BASE(s)		(GUEST_ES_BASE + 2 * (s))
#define LIMIT(s)	(GUEST_ES_LIMIT + 2 * (s))
#define RIGHTS(s)	(GUEST_ES_ACCESS_RIGHTS + 2 * (s))

#define B(s)		(1U << (s))
#define DATA		(B(ES) | B(DS) | B(FS) | B(GS))
#define CODE_DATA	(DATA | B(CS) | B(SS))
#define ALL		(CODE_DATA | B(LDTR) | B(TR))

/* Access rights (SDM 3C table 25-2). */
#define AR_TYPE		0xfULL
#define AR_S		(1ULL << 4)
#define AR_DPL		(3ULL << 5)
#define AR_P		(1ULL << 7)
#define AR_L		(1ULL << 13)
#define AR_DB		(1ULL << 14)
#define AR_G		(1ULL << 15)
#define AR_UNUSABLE	(1ULL << 16)
#define AR_RESERVED	0xfffe0f00ULL
#define TYPE_ACCESSED	1
#define TYPE_READABLE	2
#define TYPE_CONFORMING	4
#define TYPE_CODE	8
#define TYPE_RW_DATA	3

#define RPL		3ULL
#define TI		4ULL

#define VM86_RIGHTS	0xf3
#define VM86_LIMIT	0xffff

#define TSS_16		3
#define TSS_32_OR_64	11
#define TYPE_LDT	2

static uint64_t rights(const struct why *w, int s)
{
	return why_get(w, RIGHTS(s));
}

static unsigned int type(const struct why *w, int s)
{
	return rights(w, s) & AR_TYPE;
}

static unsigned int dpl(const struct why *w, int s)
{
	return (rights(w, s) & AR_DPL) >> 5;
}

static unsigned int rpl(const struct why *w, int s)
{
	return why_get(w, SELECTOR(s)) & RPL;
}

/* CS and TR are always used. */
static bool usable(const struct why *w, int s)
{
	return s == CS || s == TR || !(rights(w, s) & AR_UNUSABLE);
}

static void bad_rights(struct why *w, int s, uint64_t bits, uint64_t value)
{
	uint64_t old = rights(w, s);

	why_bad(w, RIGHTS(s), (old ^ value) & bits, (old & ~bits) | (value & bits));
}

static void bad_type(struct why *w, int s, unsigned int legal)
{
	bad_rights(w, s, AR_TYPE, legal);
}

/* Is a segment one of the rule's registers, and used? */
static bool concerns(const struct why *w, const struct why_rule *r, int s)
{
	return (r->arg & B(s)) && usable(w, s) && !vmx_is_virtual_8086(w);
}

/* ------------------------------------------------------- selectors, bases, limits */

static void check_ti(struct why *w, const struct why_rule *r)
{
	uint64_t value;
	int s;

	for (s = LDTR; s <= TR; s++) {
		value = why_get(w, SELECTOR(s));
		if ((r->arg & B(s)) && usable(w, s) && (value & TI))
			why_bad(w, SELECTOR(s), TI, value & ~TI);
	}
}

static void check_ss_rpl(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, SELECTOR(SS));

	(void)r;
	if (!vmx_is_virtual_8086(w) && rpl(w, SS) != rpl(w, CS))
		why_bad(w, SELECTOR(SS), RPL, (value & ~RPL) | rpl(w, CS));
}

static void check_vm86_base(struct why *w, const struct why_rule *r)
{
	uint64_t base, legal;
	int s;

	(void)r;
	for (s = ES; s <= GS && vmx_is_virtual_8086(w); s++) {
		base = why_get(w, BASE(s));
		legal = why_get(w, SELECTOR(s)) << 4;
		if (base != legal)
			why_bad(w, BASE(s), base ^ legal, legal);
	}
}

static void check_base_canonical(struct why *w, const struct why_rule *r)
{
	uint64_t base, legal;
	int s;

	for (s = 0; s < NR_SEGMENTS; s++) {
		base = why_get(w, BASE(s));
		legal = why_make_canonical(w, base);
		/* FS and GS have a base even if they are unusable. */
		if ((r->arg & B(s)) && (s != LDTR || usable(w, s)) && base != legal)
			why_bad(w, BASE(s), base ^ legal, legal);
	}
}

static void check_base_high(struct why *w, const struct why_rule *r)
{
	uint64_t base;
	int s;

	for (s = 0; s < NR_SEGMENTS; s++) {
		base = why_get(w, BASE(s));
		if ((r->arg & B(s)) && usable(w, s) && base >> 32)
			why_bad(w, BASE(s), base & ~why_ones(32), base & why_ones(32));
	}
}

static void check_vm86_limit(struct why *w, const struct why_rule *r)
{
	uint64_t limit;
	int s;

	(void)r;
	for (s = ES; s <= GS && vmx_is_virtual_8086(w); s++) {
		limit = why_get(w, LIMIT(s));
		if (limit != VM86_LIMIT)
			why_bad(w, LIMIT(s), limit ^ VM86_LIMIT, VM86_LIMIT);
	}
}

/* --------------------------------------------------------------- access rights */

static void check_vm86_rights(struct why *w, const struct why_rule *r)
{
	int s;

	(void)r;
	for (s = ES; s <= GS && vmx_is_virtual_8086(w); s++)
		if (rights(w, s) != VM86_RIGHTS)
			why_bad(w, RIGHTS(s), rights(w, s) ^ VM86_RIGHTS, VM86_RIGHTS);
}

static void check_cs_type(struct why *w, const struct why_rule *r)
{
	unsigned int t = type(w, CS);
	bool code = (t & TYPE_CODE) && (t & TYPE_ACCESSED);
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && !code &&
		    !(t == TYPE_RW_DATA && why_on(w, CPU2_UNRESTRICTED)))
			bad_type(w, CS, t | TYPE_CODE | TYPE_ACCESSED);
}

static void check_ss_type(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && type(w, s) != 3 && type(w, s) != 7)
			bad_type(w, s, type(w, s) & 4 ? 7 : 3);
}

static void check_data_type(struct why *w, const struct why_rule *r)
{
	unsigned int t, legal;
	int s;

	for (s = 0; s < NR_SEGMENTS; s++) {
		if (!concerns(w, r, s))
			continue;
		t = type(w, s);
		legal = t | TYPE_ACCESSED;
		if (t & TYPE_CODE)
			legal |= TYPE_READABLE;
		if (t != legal)
			bad_type(w, s, legal);
	}
}

static void check_s(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && !(rights(w, s) & AR_S))
			bad_rights(w, s, AR_S, AR_S);
}

static void check_not_s(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = LDTR; s <= TR; s++)
		if ((r->arg & B(s)) && usable(w, s) && (rights(w, s) & AR_S))
			bad_rights(w, s, AR_S, 0);
}

static void set_dpl(struct why *w, int s, unsigned int level)
{
	bad_rights(w, s, AR_DPL, (uint64_t)level << 5);
}

static void check_cs_dpl(struct why *w, const struct why_rule *r)
{
	unsigned int t = type(w, CS);
	int s;

	for (s = 0; s < NR_SEGMENTS; s++) {
		if (!concerns(w, r, s))
			continue;
		if (!(t & TYPE_CODE)) {
			if (t == TYPE_RW_DATA && dpl(w, CS))
				set_dpl(w, CS, 0);
		} else if (t & TYPE_CONFORMING) {
			if (dpl(w, CS) > dpl(w, SS))
				set_dpl(w, CS, dpl(w, SS));
		} else if (dpl(w, CS) != dpl(w, SS)) {
			set_dpl(w, CS, dpl(w, SS));
		}
	}
}

static void check_ss_dpl_rpl(struct why *w, const struct why_rule *r)
{
	(void)r;
	if (!vmx_is_virtual_8086(w) && dpl(w, SS) != rpl(w, SS))
		set_dpl(w, SS, rpl(w, SS));
}

static void check_ss_dpl_zero(struct why *w, const struct why_rule *r)
{
	bool real = !(why_get(w, GUEST_CR0) & CR0_PE);

	(void)r;
	if (!vmx_is_virtual_8086(w) && (real || type(w, CS) == TYPE_RW_DATA) && dpl(w, SS))
		set_dpl(w, SS, 0);
}

static void check_data_dpl(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && type(w, s) < 12 && dpl(w, s) < rpl(w, s))
			set_dpl(w, s, rpl(w, s));
}

static void check_present(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && !(rights(w, s) & AR_P))
			bad_rights(w, s, AR_P, AR_P);
}

static void check_reserved(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && rights(w, s) & AR_RESERVED)
			bad_rights(w, s, AR_RESERVED, 0);
}

static void check_db(struct why *w, const struct why_rule *r)
{
	int s;

	for (s = 0; s < NR_SEGMENTS; s++)
		if (concerns(w, r, s) && (rights(w, s) & AR_L) && (rights(w, s) & AR_DB))
			bad_rights(w, s, AR_DB, 0);
}

static void check_granularity(struct why *w, const struct why_rule *r)
{
	const uint64_t low = 0xfff, high = 0xfff00000;
	uint64_t limit;
	int s;

	for (s = 0; s < NR_SEGMENTS; s++) {
		if (!concerns(w, r, s))
			continue;
		limit = why_get(w, LIMIT(s));
		if ((rights(w, s) & AR_G) && (limit & low) != low)
			why_bad(w, LIMIT(s), ~limit & low, limit | low);
		else if (!(rights(w, s) & AR_G) && (limit & high))
			why_bad(w, LIMIT(s), limit & high, limit & ~high);
	}
}

/* ------------------------------------------------------------------- TR and LDTR */

static void check_tr_type(struct why *w, const struct why_rule *r)
{
	unsigned int t = type(w, TR);

	(void)r;
	if (t != TSS_32_OR_64 && (t != TSS_16 || why_on(w, ENTRY_IA32E)))
		bad_type(w, TR, TSS_32_OR_64);
}

static void check_ldtr_type(struct why *w, const struct why_rule *r)
{
	(void)r;
	if (usable(w, LDTR) && type(w, LDTR) != TYPE_LDT)
		bad_type(w, LDTR, TYPE_LDT);
}

/* These two are about registers that virtual-8086 mode does not change. */
static void check_system(struct why *w, const struct why_rule *r)
{
	const uint64_t low = 0xfff, high = 0xfff00000;
	int s = r->arg;
	uint64_t limit = why_get(w, LIMIT(s));

	if (!usable(w, s))
		return;
	if (!(rights(w, s) & AR_P) || (rights(w, s) & AR_RESERVED))
		bad_rights(w, s, AR_P | AR_RESERVED, AR_P);
	if ((rights(w, s) & AR_G) && (limit & low) != low)
		why_bad(w, LIMIT(s), ~limit & low, limit | low);
	else if (!(rights(w, s) & AR_G) && (limit & high))
		why_bad(w, LIMIT(s), limit & high, limit & ~high);
}

static void check_tr_usable(struct why *w, const struct why_rule *r)
{
	(void)r;
	if (rights(w, TR) & AR_UNUSABLE)
		bad_rights(w, TR, AR_UNUSABLE, 0);
}

#define SEGMENTS(sentence)	\
	.class = VITRO_WHY_GUEST, .section = "SDM 3C 27.3.1.2", .text = sentence

const struct why_rule vmx_segment_rules[] = {
	{ SEGMENTS("the selectors of TR and of a usable LDTR are of the GDT (TI = 0)"),
	  .check = check_ti, .arg = B(TR) | B(LDTR) },
	{ SEGMENTS("the selectors of SS and CS have the same RPL, outside of virtual-8086 mode"),
	  .when = { OFF(CPU2_UNRESTRICTED) }, .check = check_ss_rpl },
	{ SEGMENTS("in virtual-8086 mode the bases are 16 times the selectors"),
	  .check = check_vm86_base },
	{ SEGMENTS("the bases of TR, FS, GS and of a usable LDTR are canonical"),
	  .check = check_base_canonical, .arg = B(TR) | B(FS) | B(GS) | B(LDTR) },
	{ SEGMENTS("the bases of CS, and of SS, DS and ES if usable, have 32 bits"),
	  .check = check_base_high, .arg = B(CS) | B(SS) | B(DS) | B(ES) },
	{ SEGMENTS("in virtual-8086 mode the limits are 0xffff"), .check = check_vm86_limit },
	{ SEGMENTS("in virtual-8086 mode the access rights are 0xf3"), .check = check_vm86_rights },
	{ SEGMENTS("CS is accessed code; in an unrestricted guest, or of type 3 (data)"),
	  .check = check_cs_type, .arg = B(CS) },
	{ SEGMENTS("a usable SS is writable accessed data (type 3 or 7)"),
	  .check = check_ss_type, .arg = B(SS) },
	{ SEGMENTS("usable data segments are accessed, and code in them is readable"),
	  .check = check_data_type, .arg = DATA },
	{ SEGMENTS("CS and usable SS, DS, ES, FS, GS are code or data (S = 1)"),
	  .check = check_s, .arg = CODE_DATA },
	{ SEGMENTS("the DPL of CS is that of SS; of conforming code, not above it; 0 for type 3"),
	  .check = check_cs_dpl, .arg = B(CS) },
	{ SEGMENTS("the DPL of SS is the RPL of its selector"),
	  .when = { OFF(CPU2_UNRESTRICTED) }, .check = check_ss_dpl_rpl },
	{ SEGMENTS("the DPL of SS is 0 in real mode, and with CS of type 3"),
	  .check = check_ss_dpl_zero },
	{ SEGMENTS("the DPL of usable data segments is not below the selector's RPL"),
	  .when = { OFF(CPU2_UNRESTRICTED) }, .check = check_data_dpl, .arg = DATA },
	{ SEGMENTS("CS and usable SS, DS, ES, FS, GS are present"),
	  .check = check_present, .arg = CODE_DATA },
	{ SEGMENTS("bits 11:8 and 31:17 of the access rights of CS and usable segments are 0"),
	  .check = check_reserved, .arg = CODE_DATA },
	{ SEGMENTS("64-bit code (CS.L) in IA-32e mode has D = 0"), .when = { ON(ENTRY_IA32E) },
	  .check = check_db, .arg = B(CS) },
	{ SEGMENTS("G is 0 if a limit has a 0 in bits 11:0, and 1 if it has a 1 in bits 31:20"),
	  .check = check_granularity, .arg = CODE_DATA },
	{ SEGMENTS("TR is a busy TSS: type 11, or 3 outside of IA-32e mode"),
	  .check = check_tr_type },
	{ SEGMENTS("TR and a usable LDTR are system segments (S = 0)"),
	  .check = check_not_s, .arg = B(TR) | B(LDTR) },
	{ SEGMENTS("TR is present, without reserved bits, and its limit fits G"),
	  .check = check_system, .arg = TR },
	{ SEGMENTS("TR is usable"), .check = check_tr_usable },
	{ SEGMENTS("a usable LDTR is an LDT (type 2)"), .check = check_ldtr_type },
	{ SEGMENTS("a usable LDTR is present, without reserved bits, and its limit fits G"),
	  .check = check_system, .arg = LDTR },
	{ .text = NULL }
};
