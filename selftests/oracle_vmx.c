// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The test "oracle" on VMX: states that the CPU enters, and what Bochs 2.7 is known not to do
 * as the manual says.
 *
 * The guests execute nothing: the preemption timer starts at 0, so that they exit at once (SDM
 * 3C 26.5.1), and what events are injected finds neither tables nor memory.
 */
#include <string.h>

#include "oracle.h"
#include "vt.h"

#define PAGE(n)		listed(ORACLE_PAGE + (n))
#define MSR(index)	listed(ORACLE_MSR + (index))
#define BIT(n)		(1ULL << (n))

/* What the module's pages are for. */
enum {
	P_VAPIC, P_IO_A, P_IO_B, P_MSR_BITMAP, P_EPT, P_CR3, P_PML, P_VMREAD, P_VMWRITE, P_VE,
	P_EPTP_LIST, P_MSRS, P_LINK, P_APIC,
};

#define AREA_STORE	0x400	/* in P_MSRS; the entry-load area is at 0 */
#define AREA_LOAD	0x800
#define MSRS_AT_MOST	4	/* entries that these have */
#define MSR_SYSENTER_CS	0x174	/* loaded and stored by all of them */

/* Bits of controls that are looked at here. */
#define PIN_EXTERNAL	BIT(0)
#define PIN_TIMER	BIT(6)
#define CPU_SECONDARY	BIT(31)
#define CPU2_EPT	BIT(1)
#define CPU2_UNRESTRICTED BIT(7)
#define CPU2_DELIVERY	BIT(9)
#define CPU2_SHADOWING	BIT(14)
#define CPU2_VE		BIT(18)
#define EXIT_ACK	BIT(15)
#define EXIT_EFER	BIT(21)
#define ENTRY_IA32E	BIT(9)

#define EFER_NXE	BIT(11)
#define EFER_LME_LMA	(BIT(8) | BIT(10))

static const struct memory_field memory[] = {
	{ "MEM_VTPR", P_VAPIC * 4096 + 0x80 },
	{ "MEM_LINK_REVISION", P_LINK * 4096 },
	{ "MEM_PDPTE0", P_CR3 * 4096 }, { "MEM_PDPTE1", P_CR3 * 4096 + 8 },
	{ "MEM_PDPTE2", P_CR3 * 4096 + 16 }, { "MEM_PDPTE3", P_CR3 * 4096 + 24 },
	{ "MSR_LOAD0_INDEX", P_MSRS * 4096 }, { "MSR_LOAD0_VALUE", P_MSRS * 4096 + 8 },
	{ "MSR_LOAD1_INDEX", P_MSRS * 4096 + 16 }, { "MSR_LOAD1_VALUE", P_MSRS * 4096 + 24 },
	{ "MSR_LOAD2_INDEX", P_MSRS * 4096 + 32 }, { "MSR_LOAD2_VALUE", P_MSRS * 4096 + 40 },
	{ "MSR_LOAD3_INDEX", P_MSRS * 4096 + 48 }, { "MSR_LOAD3_VALUE", P_MSRS * 4096 + 56 },
	{ NULL, 0 }
};

/* ----------------------------------------------------------------- the base states */

/* With all that the CPU demands, and of what is wanted, all that it has (SDM 3D A.2). */
static uint32_t adjust(uint32_t msr, uint32_t wanted)
{
	return (wanted | (uint32_t)MSR(msr)) & (uint32_t)(MSR(msr) >> 32);
}

static void set_segment(struct vitro_entry *e, const char *name, uint16_t selector,
			uint64_t base, uint32_t limit, uint32_t rights)
{
	char field[40];

	sprintf(field, "GUEST_%s_SELECTOR", name);
	set_field(e, field, selector);
	sprintf(field, "GUEST_%s_BASE", name);
	set_field(e, field, base);
	sprintf(field, "GUEST_%s_LIMIT", name);
	set_field(e, field, limit);
	sprintf(field, "GUEST_%s_ACCESS_RIGHTS", name);
	set_field(e, field, rights);
}

static void set_data_segments(struct vitro_entry *e, uint16_t selector, uint32_t limit,
			      uint32_t rights)
{
	static const char *const names[] = { "ES", "SS", "DS", "FS", "GS" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		set_segment(e, names[i], selector, 0, limit, rights);
}

static void set_pages(struct vitro_entry *e)
{
	static const struct {
		const char *field;
		unsigned int page, offset;
	} pages[] = {
		{ "IO_BITMAP_A", P_IO_A, 0 }, { "IO_BITMAP_B", P_IO_B, 0 },
		{ "MSR_BITMAP", P_MSR_BITMAP, 0 }, { "VIRTUAL_APIC_ADDRESS", P_VAPIC, 0 },
		{ "APIC_ACCESS_ADDRESS", P_APIC, 0 }, { "PML_ADDRESS", P_PML, 0 },
		{ "EPT_POINTER", P_EPT, 6 | 3 << 3 },	/* write-back, 4 levels */
		{ "EPTP_LIST_ADDRESS", P_EPTP_LIST, 0 }, { "VMREAD_BITMAP", P_VMREAD, 0 },
		{ "VMWRITE_BITMAP", P_VMWRITE, 0 },
		{ "VIRTUALIZATION_EXCEPTION_INFO", P_VE, 0 },
		{ "VM_ENTRY_MSR_LOAD_ADDRESS", P_MSRS, 0 },
		{ "VM_EXIT_MSR_STORE_ADDRESS", P_MSRS, AREA_STORE },
		{ "VM_EXIT_MSR_LOAD_ADDRESS", P_MSRS, AREA_LOAD },
		{ "GUEST_CR3", P_CR3, 0 },
	};
	char name[20];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(pages); i++)
		set_field(e, pages[i].field, PAGE(pages[i].page) + pages[i].offset);
	for (i = 0; memory[i].name; i++)
		set_field(e, memory[i].name, 0);
	for (i = 0; i < MSRS_AT_MOST; i++) {
		sprintf(name, "MSR_LOAD%zu_INDEX", i);
		set_field(e, name, MSR_SYSENTER_CS);
	}
	set_field(e, "MEM_CURRENT_VMCS", listed(ORACLE_CURRENT));
}

/* All fields that the CPU has and the explainer knows, and the CPU itself. */
static struct vitro_entry *empty_state(void)
{
	struct vitro_entry *e = vitro_entry_new(VITRO_VENDOR_VMX);
	unsigned int i;
	uint32_t id;

	for (i = 0; listed_at(i, &id); i++)
		if (id < VITRO_FIELD_MSR && vitro_field_bits(VITRO_VENDOR_VMX, id))
			vitro_entry_set(e, id, listed(id));
	for (id = 0x480; id <= 0x493; id++)
		if (is_listed(ORACLE_MSR + id))
			vitro_entry_set(e, VITRO_FIELD_MSR + id, MSR(id));
	vitro_entry_add_cpu(e);
	set_field(e, "CPU_EFER", MSR(0xc0000080));
	set_pages(e);
	return e;
}

static void set_64bit(struct vitro_entry *e)
{
	set_field(e, "PIN_BASED_CONTROLS", adjust(0x48d, 0x69));
	set_field(e, "PRIMARY_CONTROLS", adjust(0x48e, BIT(7) | BIT(21) | BIT(25) | BIT(28) |
						CPU_SECONDARY));
	set_field(e, "SECONDARY_CONTROLS", adjust(0x48b, CPU2_EPT | BIT(5) | CPU2_UNRESTRICTED));
	set_field(e, "VM_EXIT_CONTROLS", adjust(0x48f, BIT(2) | BIT(9) | 0xfULL << 18));
	set_field(e, "VM_ENTRY_CONTROLS", adjust(0x490, BIT(2) | ENTRY_IA32E | BIT(14) | BIT(15)));
	set_field(e, "EXCEPTION_BITMAP", ~0U);
	set_field(e, "VPID", 1);
	set_field(e, "TSC_MULTIPLIER", BIT(48));
	set_field(e, "VMCS_LINK_POINTER", ~0ULL);
	set_field(e, "PREEMPTION_TIMER_VALUE", 0);

	set_field(e, "GUEST_CR0", 0x80000031);
	set_field(e, "GUEST_CR4", 0x2020);
	set_field(e, "GUEST_DR7", 0x400);
	set_field(e, "GUEST_RFLAGS", 2);
	set_field(e, "GUEST_RIP", 0x1000);
	set_field(e, "GUEST_IA32_EFER", MSR(0xc0000080));
	set_field(e, "GUEST_IA32_PAT", 0x0007040600070406);
	set_segment(e, "CS", 0x10, 0, ~0U, 0xa09b);
	set_data_segments(e, 0x18, ~0U, 0xc093);
	set_segment(e, "TR", 0x40, 0, 0x67, 0x8b);
	set_segment(e, "LDTR", 0, 0, 0, 0x10000);
}

static void set_control(struct vitro_entry *e, const char *word, uint64_t bits, bool on)
{
	set_field(e, word, on ? field(e, word) | bits : field(e, word) & ~bits);
}

static bool has_unrestricted(void)
{
	return MSR(0x48b) >> 32 & CPU2_UNRESTRICTED;
}

/* Privilege level 3 of a guest that has no liberties with segments. */
static void set_restricted(struct vitro_entry *e)
{
	set_control(e, "SECONDARY_CONTROLS", CPU2_UNRESTRICTED, false);
	set_segment(e, "CS", 0x33, 0, ~0U, 0xa0fb);
	set_data_segments(e, 0x2b, ~0U, 0xc0f3);
	set_segment(e, "LDTR", 0x48, 0x1000, 0xffff, 0x82);
}

static void set_32bit(struct vitro_entry *e)
{
	set_control(e, "VM_ENTRY_CONTROLS", ENTRY_IA32E, false);
	set_control(e, "GUEST_IA32_EFER", EFER_LME_LMA, false);
	set_segment(e, "CS", 0x10, 0, ~0U, 0xc09b);
}

static void set_pae(struct vitro_entry *e)
{
	set_32bit(e);
	set_field(e, "GUEST_PDPTE0", PAGE(P_CR3) | 1);
	set_field(e, "GUEST_PDPTE3", PAGE(P_CR3) | 1);
}

static void set_no_ept(struct vitro_entry *e)
{
	set_pae(e);
	set_control(e, "SECONDARY_CONTROLS", CPU2_EPT | CPU2_UNRESTRICTED, false);
	set_field(e, "MEM_PDPTE1", PAGE(P_CR3) | 1);
}

static void set_legacy_paging(struct vitro_entry *e)
{
	set_32bit(e);
	set_field(e, "GUEST_CR4", 0x2000);
}

static void set_real(struct vitro_entry *e)
{
	set_32bit(e);
	set_field(e, "GUEST_CR0", 0x20);
	set_field(e, "GUEST_CR4", 0x2000);
	set_segment(e, "CS", 0x1000, 0x10000, 0xffff, 0x93);
	set_data_segments(e, 0, 0xffff, 0x93);
	set_segment(e, "TR", 0, 0, 0xffff, 0x83);
}

static void set_v86(struct vitro_entry *e)
{
	set_legacy_paging(e);
	set_field(e, "GUEST_RFLAGS", 2 | BIT(17));
	set_segment(e, "CS", 0, 0, 0xffff, 0xf3);
	set_data_segments(e, 0, 0xffff, 0xf3);
}

/* As many features as go together. */
static void set_rich(struct vitro_entry *e)
{
	uint32_t wanted = CPU2_EPT | BIT(3) | BIT(4) | BIT(5) | CPU2_UNRESTRICTED | BIT(8) |
			  CPU2_DELIVERY | BIT(10) | BIT(13) | CPU2_SHADOWING | BIT(17) | CPU2_VE |
			  BIT(25);

	set_field(e, "SECONDARY_CONTROLS", adjust(0x48b, wanted));
	set_field(e, "VM_FUNCTION_CONTROLS", MSR(0x491));
	set_field(e, "VMCS_LINK_POINTER", PAGE(P_LINK));
	set_field(e, "MEM_LINK_REVISION", (MSR(0x480) & 0x7fffffff) |
		  (field(e, "SECONDARY_CONTROLS") & CPU2_SHADOWING ? BIT(31) : 0));
	set_control(e, "PRIMARY_CONTROLS", BIT(22), true);	/* NMI window */
	set_field(e, "VM_ENTRY_MSR_LOAD_COUNT", MSRS_AT_MOST);
}

static void set_exception(struct vitro_entry *e)
{
	set_field(e, "VM_ENTRY_INTERRUPTION_INFO", 0x80000b0d);
	set_field(e, "VM_ENTRY_EXCEPTION_ERROR_CODE", 0x10);
	set_field(e, "VM_ENTRY_INSTRUCTION_LENGTH", 2);
}

static void set_interrupt(struct vitro_entry *e)
{
	set_field(e, "VM_ENTRY_INTERRUPTION_INFO", 0x80000020);
	set_field(e, "GUEST_RFLAGS", 0x202);
	set_field(e, "TPR_THRESHOLD", 3);
	set_field(e, "MEM_VTPR", 0x30);
}

static void set_nmi(struct vitro_entry *e)
{
	set_field(e, "VM_ENTRY_INTERRUPTION_INFO", 0x80000202);
	set_field(e, "VM_EXIT_MSR_STORE_COUNT", 2);
}

static void set_halted(struct vitro_entry *e)
{
	set_field(e, "GUEST_ACTIVITY_STATE", 1);
}

static void set_shadow(struct vitro_entry *e)
{
	set_field(e, "GUEST_INTERRUPTIBILITY", 1);
	set_field(e, "GUEST_RFLAGS", 0x302);
	set_field(e, "GUEST_PENDING_DEBUG", BIT(14));
}

static const struct {
	const char *name;
	void (*set)(struct vitro_entry *e);
	bool unrestricted;
} states[] = {
	{ "64-bit", NULL, false },
	{ "64-bit, level 3, restricted", set_restricted, false },
	{ "PAE", set_pae, false },
	{ "PAE without EPT", set_no_ept, false },
	{ "32-bit paging", set_legacy_paging, false },
	{ "real mode", set_real, true },
	{ "virtual-8086", set_v86, false },
	{ "many features", set_rich, false },
	{ "exception", set_exception, false },
	{ "interrupt", set_interrupt, false },
	{ "NMI", set_nmi, false },
	{ "halted", set_halted, false },
	{ "shadow of STI, single step", set_shadow, false },
};

static struct vitro_entry *base(unsigned int i, const char **name)
{
	struct vitro_entry *e;

	if (states[i].unrestricted && !has_unrestricted())
		return NULL;
	*name = states[i].name;
	e = empty_state();
	set_64bit(e);
	if (states[i].set)
		states[i].set(e);
	return e;
}

/* Fields that software writes, and facts about memory. */
static bool is_mutable(uint32_t id)
{
	return memory_of(id) || (id < VITRO_FIELD_MSR && (id >> 10 & 3) != 1); /* 1: read-only */
}

/* --------------------------------------------------------- what is better not tried */

static bool differs(const struct vitro_entry *a, const struct vitro_entry *b, const char *name)
{
	return field(a, name) != field(b, name);
}

static uint64_t secondary(const struct vitro_entry *e)
{
	return field(e, "PRIMARY_CONTROLS") & CPU_SECONDARY ? field(e, "SECONDARY_CONTROLS") : 0;
}

/* The exit comes at once, but for an event that is delivered first. */
static bool timer_is_up(const struct vitro_entry *e)
{
	return (field(e, "PIN_BASED_CONTROLS") & PIN_TIMER) && !field(e, "PREEMPTION_TIMER_VALUE");
}

static bool executes(const struct vitro_entry *e)
{
	return !timer_is_up(e) || field(e, "VM_ENTRY_INTERRUPTION_INFO") >> 31 ||
	       field(e, "GUEST_PENDING_DEBUG") || (secondary(e) & CPU2_DELIVERY);
}

static bool loads_msrs_from_elsewhere(const struct vitro_entry *was, const struct vitro_entry *e)
{
	static const char *const area[][2] = {
		{ "VM_ENTRY_MSR_LOAD_COUNT", "VM_ENTRY_MSR_LOAD_ADDRESS" },
		{ "VM_EXIT_MSR_STORE_COUNT", "VM_EXIT_MSR_STORE_ADDRESS" },
		{ "VM_EXIT_MSR_LOAD_COUNT", "VM_EXIT_MSR_LOAD_ADDRESS" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(area); i++)
		if (field(e, area[i][0]) > MSRS_AT_MOST ||
		    (field(e, area[i][0]) && differs(was, e, area[i][1])))
			return true;
	return field(e, "VM_EXIT_MSR_LOAD_COUNT");
}

/* An entry that loads another MSR than SYSENTER_CS, of whose value nobody knows. */
static bool loads_other_msrs(const struct vitro_entry *e)
{
	static const char *const index[MSRS_AT_MOST] = {
		"MSR_LOAD0_INDEX", "MSR_LOAD1_INDEX", "MSR_LOAD2_INDEX", "MSR_LOAD3_INDEX",
	};
	size_t i;

	for (i = 0; i < field(e, "VM_ENTRY_MSR_LOAD_COUNT") && i < MSRS_AT_MOST; i++)
		if (field(e, index[i]) != MSR_SYSENTER_CS)
			return true;
	return false;
}

static bool loads_pdptes(const struct vitro_entry *e)
{
	return (field(e, "GUEST_CR0") & BIT(31)) && (field(e, "GUEST_CR4") & BIT(5)) &&
	       !(field(e, "VM_ENTRY_CONTROLS") & ENTRY_IA32E) && !(secondary(e) & CPU2_EPT);
}

/* A page that could be one, but is not where the test has put what the CPU looks at. */
static bool is_elsewhere(const struct vitro_entry *was, const struct vitro_entry *e,
			 const char *pointer)
{
	return differs(was, e, pointer) && !(field(e, pointer) & 0xfff) &&
	       !(field(e, pointer) >> field(e, "CPU_PHYS_BITS"));
}

static bool unknown(const struct vitro_entry *was, const struct vitro_entry *e)
{
	return is_elsewhere(was, e, "VMCS_LINK_POINTER") ||
	       (is_elsewhere(was, e, "VIRTUAL_APIC_ADDRESS") && field(e, "TPR_THRESHOLD")) ||
	       (loads_pdptes(e) && (field(was, "GUEST_CR3") ^ field(e, "GUEST_CR3")) & ~0x1fULL);
}

static const char *unsafe(const struct vitro_entry *was, const struct vitro_entry *e)
{
	const uint64_t exit = field(e, "VM_EXIT_CONTROLS");
	const uint64_t state = field(e, "GUEST_ACTIVITY_STATE");
	const bool interrupts_exit = field(e, "PIN_BASED_CONTROLS") & PIN_EXTERNAL;
	const char *const efer = exit & EXIT_EFER ? "HOST_IA32_EFER" : "GUEST_IA32_EFER";

	if (differs(was, e, "HOST_RIP") || differs(was, e, "HOST_CR3"))
		return "the exit would go on elsewhere";
	if (!(field(e, efer) & EFER_NXE))
		return "after the exit, the kernel's page tables would have reserved bits";
	if (loads_msrs_from_elsewhere(was, e) || loads_other_msrs(e))
		return "MSRs would be loaded or stored that nobody knows";
	if (state == 3 || (state && !timer_is_up(e)))
		return "there would be no exit";
	if (!timer_is_up(e) && (!interrupts_exit || (exit & EXIT_ACK)))
		return "an interrupt of the machine would be lost";
	if ((secondary(e) & CPU2_DELIVERY) && differs(was, e, "VIRTUAL_APIC_ADDRESS"))
		return "the CPU would write to a page that is not ours";
	if ((secondary(e) & CPU2_VE) && differs(was, e, "VIRTUALIZATION_EXCEPTION_INFO"))
		return "the CPU would write to a page that is not ours";
	if (executes(e) && (differs(was, e, "EPT_POINTER") ||
			    (!(secondary(e) & CPU2_EPT) && differs(was, e, "GUEST_CR3"))))
		return "page tables would be walked that are not ours";
	return NULL;
}

/* ---------------------------------------------------- what Bochs is known not to do */

static unsigned int cs_type(const struct trial *t)
{
	return field(t->entry, "GUEST_CS_ACCESS_RIGHTS") & 0xf;
}

static bool is_64bit(const struct trial *t)
{
	return (field(t->entry, "VM_ENTRY_CONTROLS") & ENTRY_IA32E) &&
	       (field(t->entry, "GUEST_CS_ACCESS_RIGHTS") & BIT(13));
}

static bool cs_is_code(const struct trial *t, const struct vitro_violation *v)
{
	(void)v;
	return cs_type(t) != 3;
}

/* Bochs compares CS.DPL with the selector's RPL, not with SS.DPL. */
static bool cs_rpl(const struct trial *t, const struct vitro_violation *v)
{
	unsigned int rpl = field(t->entry, "GUEST_CS_SELECTOR") & 3;
	unsigned int dpl = field(t->entry, "GUEST_CS_ACCESS_RIGHTS") >> 5 & 3;

	(void)v;
	return cs_type(t) & 4 ? rpl < dpl : rpl != dpl;
}

static bool null_ss(const struct trial *t, const struct vitro_violation *v)
{
	const uint32_t ss[] = {
		field_id(VITRO_VENDOR_VMX, "GUEST_SS_ACCESS_RIGHTS"),
		field_id(VITRO_VENDOR_VMX, "GUEST_SS_LIMIT"),
		field_id(VITRO_VENDOR_VMX, "GUEST_SS_BASE"),
	};
	unsigned int i;

	for (i = 0; i < v->nr_fields; i++)
		if (v->field[i].id != ss[0] && v->field[i].id != ss[1] && v->field[i].id != ss[2])
			return false;
	return is_64bit(t) && !(field(t->entry, "GUEST_SS_SELECTOR") & 3);
}

static bool rip_of_64bit(const struct trial *t, const struct vitro_violation *v)
{
	(void)v;
	return is_64bit(t);
}

static bool high_bits(const struct trial *t, const struct vitro_violation *v)
{
	(void)t;
	return !(uint32_t)v->field[0].bits;
}

static unsigned int event_type(const struct trial *t)
{
	return field(t->entry, "VM_ENTRY_INTERRUPTION_INFO") >> 8 & 7;
}

static bool injects_mtf(const struct trial *t, const struct vitro_violation *v)
{
	(void)v;
	return event_type(t) == 7;
}

static bool halted_or_mc(const struct trial *t, const struct vitro_violation *v)
{
	(void)v;
	return field(t->entry, "GUEST_ACTIVITY_STATE") == 1 ||
	       (field(t->entry, "VM_ENTRY_INTERRUPTION_INFO") & 0xff) == 18;
}

static bool not_long(const struct trial *t, const struct vitro_violation *v)
{
	(void)v;
	return !(field(t->entry, "VM_ENTRY_CONTROLS") & ENTRY_IA32E);
}

#define SS_OF_64BIT(rule)							\
	{ "27.3.1.2 makes no exception for a usable SS in 64-bit mode",		\
	  "does not look at an SS whose selector has RPL 0", rule, .when = null_ss, .rare = true }

static struct excuse bochs[] = {
	{ "27.3.1.2: CS.DPL must equal SS.DPL, or for conforming code not be above it",
	  "does not compare them", "the DPL of CS is that of SS", .when = cs_is_code },
	{ "27.3.1.2 says nothing of CS.DPL and the RPL of CS",
	  "wants them equal; for conforming code, CS.DPL not above it",
	  .outcome = VITRO_WHY_GUEST, .when = cs_rpl },
	SS_OF_64BIT("a usable SS is writable"),
	SS_OF_64BIT("are code or data (S = 1)"),
	SS_OF_64BIT("are present"),
	SS_OF_64BIT("bits 11:8 and 31:17 of the access rights of CS"),
	SS_OF_64BIT("G is 0 if a limit"),
	SS_OF_64BIT("the bases of CS, and of SS"),
	{ "27.2.1.3: outside SMM, \"entry to SMM\" must be 0", "does not check that",
	  .omits = "an entry to SMM comes from SMM" },
	{ "27.3.1.1: with \"IA-32e mode guest\", CR0.PG must be 1", "does not check that",
	  .omits = "a guest in IA-32e mode has paging" },
	{ "27.3.1.4: in 64-bit mode, RIP's bits beyond the linear address are all alike",
	  "does not check that", "RIP has 32 bits, or", .when = rip_of_64bit },
	{ "27.3.1.4: RFLAGS.VM must be 0 if CR0.PE is 0", "does not check that",
	  "there is no virtual-8086 mode", .when = not_long, .rare = true },
	{ "27.3.1.5: bits 63:17 of the pending debug exceptions are 0",
	  "looks at the low 32 bits only", "of the pending debug exceptions are 0",
	  .when = high_bits },
	{ "27.3.1.5: in a shadow, or halted, BS is what TF and BTF say", "does not check that",
	  .omits = "a single step is pending (BS)" },
	{ "27.3.1.5: the events that may be injected into HLT and shutdown state",
	  "does not check it for HLT; for shutdown, takes any event of vector 18",
	  "does not block an injected event", .when = halted_or_mc },
	{ "27.3.1.5: no NMI is injected with virtual NMIs and blocking by NMI",
	  "does not check that", .omits = "while virtual NMIs are blocked" },
	{ "27.2.1.3: type 7 is reserved on a CPU without the monitor trap flag",
	  "takes it", "an injected event's type is not 1", .when = injects_mtf, .rare = true },
	{ .manual = NULL }
};

static struct excuse *excuses(void)
{
	static struct excuse none[] = { { .manual = NULL } };

	return is_machine("intel") ? bochs : none;
}

const struct vendor_test vendor_vmx = {
	.nr_bases = ARRAY_SIZE(states),
	.base = base,
	.is_mutable = is_mutable,
	.unknown = unknown,
	.unsafe = unsafe,
	.memory = memory,
	.excuses = excuses,
};
