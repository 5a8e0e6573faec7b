// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The test "oracle" on SVM: states that the CPU enters, and which checks emulators leave out.
 *
 * The guests get no further than to their first instruction, of which nested paging knows
 * nothing, or if that is off, the guest's own page tables.
 */
#include <cpuid.h>
#include <string.h>

#include "oracle.h"
#include "vendor.h"

#define PAGE(n)		listed(ORACLE_PAGE + (n))
#define BIT(n)		(1ULL << (n))

/* What the module's pages are for. */
enum { P_IOPM, P_MSRPM = P_IOPM + 3, P_N_CR3 = P_MSRPM + 2, P_CR3 };

#define MSR_EFER	0xc0000080
#define EFER_LME	BIT(8)
#define EFER_LME_LMA	(EFER_LME | BIT(10))
#define EFER_SVME	BIT(12)
#define V_INTR_MASKING	BIT(24)
#define CR0_PG		BIT(31)
#define EXC_PF		14

static const struct memory_field memory[] = { { NULL, 0 } };

/* ----------------------------------------------------------------- the base states */

static void set_segment(struct vitro_entry *e, const char *name, uint16_t selector,
			uint32_t limit, uint16_t attrib)
{
	char field[20];

	sprintf(field, "%s_SELECTOR", name);
	set_field(e, field, selector);
	sprintf(field, "%s_LIMIT", name);
	set_field(e, field, limit);
	sprintf(field, "%s_ATTRIB", name);
	set_field(e, field, attrib);
}

static void set_segments(struct vitro_entry *e, uint32_t limit, uint16_t code, uint16_t data)
{
	static const char *const names[] = { "ES", "SS", "DS", "FS", "GS" };
	size_t i;

	set_segment(e, "CS", 0x10, limit, code);
	for (i = 0; i < ARRAY_SIZE(names); i++)
		set_segment(e, names[i], 0x18, limit, data);
	set_segment(e, "TR", 0x40, 0x67, 0x8b);
}

static void set_64bit(struct vitro_entry *e)
{
	set_field(e, "INTERCEPT_EXCEPTIONS", ~0U);
	set_field(e, "INTERCEPT_VECTOR3", ~0U);
	set_field(e, "INTERCEPT_VECTOR4", 0x3fff);
	set_field(e, "IOPM_BASE_PA", PAGE(P_IOPM));
	set_field(e, "MSRPM_BASE_PA", PAGE(P_MSRPM));
	set_field(e, "GUEST_ASID", 1);
	set_field(e, "V_INTR", V_INTR_MASKING);
	set_field(e, "NP_CONTROL", 1);
	set_field(e, "N_CR3", PAGE(P_N_CR3));
	set_field(e, "G_PAT", 0x0007040600070406);

	set_field(e, "CR0", 0x80000031);
	set_field(e, "CR3", PAGE(P_CR3));
	set_field(e, "CR4", 0x20);
	set_field(e, "EFER", listed(ORACLE_MSR + MSR_EFER) | EFER_SVME);
	set_field(e, "DR6", 0xffff0ff0);
	set_field(e, "DR7", 0x400);
	set_field(e, "RFLAGS", 2);
	set_field(e, "RIP", 0x1000);
	set_segments(e, ~0U, 0xa9b, 0xc93);
}

static void set_32bit(struct vitro_entry *e)
{
	set_field(e, "EFER", field(e, "EFER") & ~EFER_LME_LMA);
	set_segments(e, ~0U, 0xc9b, 0xc93);
}

static void set_legacy_paging(struct vitro_entry *e)
{
	set_32bit(e);
	set_field(e, "CR4", 0);
}

static void set_real(struct vitro_entry *e)
{
	set_legacy_paging(e);
	set_field(e, "CR0", 0x10);
	set_segments(e, 0xffff, 0x9b, 0x93);
}

static void set_no_np(struct vitro_entry *e)
{
	set_field(e, "NP_CONTROL", 0);
}

static void set_exception(struct vitro_entry *e)
{
	set_field(e, "EVENTINJ", 0x1080000b0d);
}

static void set_nmi(struct vitro_entry *e)
{
	set_field(e, "EVENTINJ", 0x80000202);
}

static void set_virtual_interrupt(struct vitro_entry *e)
{
	set_field(e, "V_INTR", V_INTR_MASKING | BIT(8) | 0xfULL << 16 | 0x20ULL << 32);
	set_field(e, "RFLAGS", 0x202);
}

static const struct {
	const char *name;
	void (*set)(struct vitro_entry *e);
} states[] = {
	{ "64-bit", NULL },
	{ "PAE", set_32bit },
	{ "32-bit paging", set_legacy_paging },
	{ "real mode", set_real },
	{ "without nested paging", set_no_np },
	{ "exception", set_exception },
	{ "NMI", set_nmi },
	{ "virtual interrupt", set_virtual_interrupt },
};

static struct vitro_entry *base(unsigned int i, const char **name)
{
	struct vitro_entry *e = vitro_entry_new(VITRO_VENDOR_SVM);
	uint32_t offset;

	*name = states[i].name;
	for (offset = 0; offset < 4096; offset++)
		if (vitro_field_bits(VITRO_VENDOR_SVM, VITRO_FIELD_VMCB + offset))
			vitro_entry_set(e, VITRO_FIELD_VMCB + offset, 0);
	vitro_entry_add_cpu(e);
	set_64bit(e);
	if (states[i].set)
		states[i].set(e);
	return e;
}

static bool is_mutable(uint32_t id)
{
	return id >= VITRO_FIELD_VMCB && id < VITRO_FIELD_VMCB + 4096;
}

/* --------------------------------------------------------- what is better not tried */

static bool differs(const struct vitro_entry *a, const struct vitro_entry *b, const char *name,
		    uint64_t bits)
{
	return (field(a, name) ^ field(b, name)) & bits;
}

/* VMRUN checks nothing in memory. */
static bool unknown(const struct vitro_entry *was, const struct vitro_entry *e)
{
	(void)was;
	(void)e;
	return false;
}

static const char *unsafe(const struct vitro_entry *was, const struct vitro_entry *e)
{
	const bool nested = field(e, "NP_CONTROL") & 1;

	if (nested ? differs(was, e, "N_CR3", ~0xfffULL) : differs(was, e, "CR3", ~0xfffULL))
		return "page tables would be walked that are not ours";
	if (!nested && !(field(e, "CR0") & CR0_PG))
		return "it would execute the machine's memory";
	if (!nested && !(field(e, "INTERCEPT_EXCEPTIONS") >> EXC_PF & 1))
		return "it could shut the machine down";
	if (!(field(e, "INTERCEPT_VECTOR3") & 1) && !(field(e, "V_INTR") & V_INTR_MASKING))
		return "an interrupt of the machine would be lost";
	if (is_machine("amd") && (field(e, "EFER") & EFER_LME_LMA) && !(field(e, "CR0") & CR0_PG))
		return "TCG does not find back to long mode";
	return NULL;
}

/* -------------------------------------------- what emulators are known not to check */

static bool only_ffxsr(const struct trial *t, const struct vitro_violation *v)
{
	(void)t;
	return v->field[0].bits == BIT(14);
}

static bool only_vme(const struct trial *t, const struct vitro_violation *v)
{
	(void)t;
	return !(v->field[0].bits & ~(3ULL | BIT(17)));	/* VME, PVI, PCIDE */
}

static bool not_long_mode(const struct trial *t, const struct vitro_violation *v)
{
	(void)v;
	return field(t->entry, "CR3") >> field(t->entry, "CPU_PHYS_BITS") &&
	       (!(field(t->entry, "CR0") & CR0_PG) || !(field(t->entry, "EFER") & EFER_LME));
}

static struct excuse tcg[] = {
	{ "15.25.3: N_CR3's reserved bits are 0", "does not check that",
	  .omits = "N_CR3 has no reserved bit" },
	{ "15.25.4: G_PAT's bytes are memory types", "does not check that",
	  .omits = "each byte of G_PAT" },
	{ "15.5.1: EFER's reserved bits, those of features that the CPU lacks among them, are 0",
	  "does not look whether the CPU has FFXSR", .omits = "EFER has no bit",
	  .when = only_ffxsr },
	{ "15.5.1: CR4's reserved bits, those of features that the CPU lacks among them, are 0",
	  "does not look whether the CPU has VME, PVI, PCID", .omits = "CR4 has no bit",
	  .when = only_vme },
	{ "15.5.1: in long mode, CR3's reserved bits are 0; in other modes, they are not there",
	  "checks them in all modes", .outcome = VITRO_WHY_INVALID, .when = not_long_mode },
	{ "15.20: an event that is impossible in the guest's mode, as #BR in 64-bit mode, fails",
	  "does not check that", .omits = "is one of the guest's mode" },
	{ .manual = NULL }
};

static struct excuse *excuses(void)
{
	static struct excuse none[] = { { .manual = NULL } };

	return is_machine("amd") ? tcg : none;
}

const struct vendor_test vendor_svm = {
	.nr_bases = ARRAY_SIZE(states),
	.base = base,
	.is_mutable = is_mutable,
	.unknown = unknown,
	.unsafe = unsafe,
	.memory = memory,
	.excuses = excuses,
};
