// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Rules about the VMX controls (SDM 3C 27.2.1).  Who violates one makes VMLAUNCH and
 * VMRESUME fail with VM-instruction error 7.
 */
#include "why_vmx.h"

#define PAGE_BITS	0xfffULL

/* EPTP (SDM 3C table 25-9), and what IA32_VMX_EPT_VPID_CAP says of it (SDM 3D A.10). */
#define EPTP_TYPE	0x7ULL
#define EPTP_WALK	0x38ULL		/* levels less 1 */
#define EPTP_AD		(1ULL << 6)
#define EPTP_SSS	(1ULL << 7)	/* supervisor shadow-stack access rights */
#define EPTP_RESERVED	0xf00ULL
#define EPT_CAP_WALK4	(1ULL << 6)
#define EPT_CAP_WALK5	(1ULL << 7)
#define EPT_CAP_UC	(1ULL << 8)
#define EPT_CAP_WB	(1ULL << 14)
#define EPT_CAP_AD	(1ULL << 21)
#define EPT_CAP_SSS	(1ULL << 23)

/* Interruption information (SDM 3C table 25-17). */
#define INFO_VECTOR	0xffULL
#define INFO_TYPE	0x700ULL
#define INFO_ERROR	(1ULL << 11)
#define INFO_RESERVED	0x7ffff000ULL
#define INFO_VALID	(1ULL << 31)
enum { EXTERNAL, RESERVED, NMI, HARDWARE, SOFTWARE_INT, PRIVILEGED, SOFTWARE, OTHER };

/* IA32_VMX_MISC and IA32_VMX_BASIC (SDM 3D A.1, A.6). */
#define MISC_LENGTH_0	(1ULL << 30)
#define BASIC_ANY_ERROR	(1ULL << 56)

#define MSR_ENTRY_SIZE	16

/* --------------------------------------------------------- execution controls */

static void check_at_most(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field);

	if (value > r->arg)
		why_bad(w, r->field, value & ~why_ones(3), r->arg);
}

/* TPR threshold against the TPR that the virtual-APIC page holds. */
static void check_vtpr(struct why *w, const struct why_rule *r)
{
	uint64_t threshold = why_get(w, r->field) & 0xf;

	if (why_has(w, MEM_VTPR) && threshold > (why_get(w, MEM_VTPR) >> 4 & 0xf))
		why_bad(w, r->field, 0xf, (why_get(w, r->field) & ~0xfULL) |
			(why_get(w, MEM_VTPR) >> 4 & 0xf));
}

static void check_ept_type(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), cap = why_get(w, r->cap), type = value & EPTP_TYPE;

	if ((type == 0 && (cap & EPT_CAP_UC)) || (type == 6 && (cap & EPT_CAP_WB)))
		return;
	why_bad(w, r->field, EPTP_TYPE, (value & ~EPTP_TYPE) | (cap & EPT_CAP_WB ? 6 : 0));
}

static void check_ept_walk(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), cap = why_get(w, r->cap);
	unsigned int levels = value >> 3 & 7;

	if ((levels == 3 && (cap & EPT_CAP_WALK4)) || (levels == 4 && (cap & EPT_CAP_WALK5)))
		return;
	why_bad(w, r->field, EPTP_WALK, (value & ~EPTP_WALK) | 3 << 3);
}

/* A feature bit of the EPTP without the capability bit that r->arg has in its high half. */
static void check_ept_feature(struct why *w, const struct why_rule *r)
{
	uint64_t value = why_get(w, r->field), bit = r->arg & 0xffff;

	if ((value & bit) && !(why_get(w, r->cap) & (r->arg >> 32) << 16))
		why_bad(w, r->field, bit, value & ~bit);
}

#define EPT_FEATURE(bit, cap)	((bit) | (cap) >> 16 << 32)

#define EPTP_SWITCHING	1ULL	/* in the VM-function controls */

static bool switches_eptp(const struct why *w)
{
	return why_get(w, VM_FUNCTION_CONTROLS) & EPTP_SWITCHING;
}

static void check_switching_ept(struct why *w, const struct why_rule *r)
{
	if (switches_eptp(w))
		why_must(w, r);
}

static void check_eptp_list(struct why *w, const struct why_rule *r)
{
	if (switches_eptp(w))
		why_phys(w, r);
}

/* Where the last entry of the PID-pointer table is. */
static void check_last_pid(struct why *w, const struct why_rule *r)
{
	uint64_t table = why_get(w, PID_POINTER_TABLE), index = why_get(w, r->field);

	if (!(table & why_phys_bits(w)) && (table + 8 * index) & why_phys_bits(w))
		why_bad(w, r->field, index, 0);
}

#define HAS_INFO(w)	(why_get(w, VM_ENTRY_INTERRUPTION_INFO) & INFO_VALID)

/* -------------------------------------------------------- MSR areas of both sorts */

/* r->field is the address, r->arg the field with the count. */
static void check_msr_area(struct why *w, const struct why_rule *r)
{
	uint64_t count = why_get(w, r->arg), address = why_get(w, r->field);
	uint64_t last = address + count * MSR_ENTRY_SIZE - 1, high = why_phys_bits(w);

	if (!count)
		return;
	if (address & (high | (MSR_ENTRY_SIZE - 1)))
		why_bad(w, r->field, address & (high | (MSR_ENTRY_SIZE - 1)),
			address & ~(high | (MSR_ENTRY_SIZE - 1)));
	else if (last & high || last < address)
		why_bad(w, r->field, ~high, 0);
}

/* ------------------------------------------------------------- event injection */

static uint64_t info(const struct why *w)
{
	return why_get(w, VM_ENTRY_INTERRUPTION_INFO);
}

static unsigned int info_type(const struct why *w)
{
	return info(w) >> 8 & 7;
}

static void bad_info(struct why *w, uint64_t bits, uint64_t nearest)
{
	why_bad(w, VM_ENTRY_INTERRUPTION_INFO, bits, nearest);
}

static void check_type(struct why *w, const struct why_rule *r)
{
	bool mtf = why_get(w, IA32_VMX_PROCBASED_CTLS) >> 32 >> (CPU_MTF & 63) & 1;

	(void)r;
	if (HAS_INFO(w) && (info_type(w) == RESERVED || (info_type(w) == OTHER && !mtf)))
		bad_info(w, INFO_TYPE, info(w) & ~INFO_TYPE);
}

static void check_vector(struct why *w, const struct why_rule *r)
{
	uint64_t vector = info(w) & INFO_VECTOR, legal = vector;

	(void)r;
	if (!HAS_INFO(w))
		return;
	if (info_type(w) == NMI)
		legal = EXC_NMI;
	else if (info_type(w) == HARDWARE && vector > 31)
		legal = 31;
	else if (info_type(w) == OTHER)
		legal = 0;
	if (vector != legal)
		bad_info(w, INFO_VECTOR, (info(w) & ~INFO_VECTOR) | legal);
}

/* Vectors that push an error code (SDM 3A table 6-1), where #CP is unknown. */
static bool pushes_error(uint64_t vector)
{
	return vector < 32 && (1U << vector & 0x00027d00);
}

static void check_error_bit(struct why *w, const struct why_rule *r)
{
	bool real = why_on(w, CPU2_UNRESTRICTED) && !(why_get(w, GUEST_CR0) & CR0_PE);
	bool has = info(w) & INFO_ERROR, legal;

	(void)r;
	if (!HAS_INFO(w))
		return;
	if (info_type(w) != HARDWARE || real)
		legal = false;
	else if (why_get(w, IA32_VMX_BASIC) & BASIC_ANY_ERROR)
		legal = has;
	else
		legal = pushes_error(info(w) & INFO_VECTOR);
	if (has != legal)
		bad_info(w, INFO_ERROR, info(w) ^ INFO_ERROR);
}

static void check_info_reserved(struct why *w, const struct why_rule *r)
{
	(void)r;
	if (HAS_INFO(w) && (info(w) & INFO_RESERVED))
		bad_info(w, info(w) & INFO_RESERVED, info(w) & ~INFO_RESERVED);
}

static void check_error_code(struct why *w, const struct why_rule *r)
{
	if (HAS_INFO(w) && (info(w) & INFO_ERROR))
		why_zero(w, r);
}

static void check_length(struct why *w, const struct why_rule *r)
{
	uint64_t length = why_get(w, r->field);
	bool zero = why_get(w, IA32_VMX_MISC) & MISC_LENGTH_0;

	if (!HAS_INFO(w) || info_type(w) < SOFTWARE_INT || info_type(w) > SOFTWARE)
		return;
	if (length > 15)
		why_bad(w, r->field, length & ~0xfULL, 15);
	else if (!length && !zero)
		why_bad(w, r->field, 0xf, 1);
}

static void check_not_smm(struct why *w, const struct why_rule *r)
{
	if (!why_get(w, CPU_IN_SMM))
		why_must(w, r);
}

#define CONTROLS(sub, sentence)	\
	.class = VITRO_WHY_CONTROLS, .section = "SDM 3C 27.2.1." sub, .text = sentence

const struct why_rule vmx_control_rules[] = {
	/* VM-execution controls */
	{ CONTROLS("1",
		   "the pin-based controls have what the CPU demands, and no more than it has"),
	  .check = vmx_allowed, .field = PIN_BASED_CONTROLS, .cap = IA32_VMX_TRUE_PINBASED_CTLS },
	{ CONTROLS("1", "the primary controls have what the CPU demands, and no more than it has"),
	  .check = vmx_allowed, .field = PRIMARY_CONTROLS, .cap = IA32_VMX_TRUE_PROCBASED_CTLS },
	{ CONTROLS("1", "the secondary controls have no bit that the CPU lacks"),
	  .when = { ON(CPU_SECONDARY) },
	  .check = vmx_allowed, .field = SECONDARY_CONTROLS, .cap = IA32_VMX_PROCBASED_CTLS2 },
	{ CONTROLS("1", "the tertiary controls have no bit that the CPU lacks"),
	  .when = { ON(CPU_TERTIARY) },
	  .check = vmx_cleared, .field = TERTIARY_CONTROLS, .cap = IA32_VMX_PROCBASED_CTLS3 },
	{ CONTROLS("1", "there are at most 4 CR3-target values"),
	  .check = check_at_most, .field = CR3_TARGET_COUNT, .arg = 4 },
	{ CONTROLS("1", "I/O bitmap A is at the address of a page"), .when = { ON(CPU_IO_BITMAPS) },
	  .check = why_phys, .field = IO_BITMAP_A, .arg = PAGE_BITS },
	{ CONTROLS("1", "I/O bitmap B is at the address of a page"), .when = { ON(CPU_IO_BITMAPS) },
	  .check = why_phys, .field = IO_BITMAP_B, .arg = PAGE_BITS },
	{ CONTROLS("1", "the MSR bitmap is at the address of a page"),
	  .when = { ON(CPU_MSR_BITMAPS) },
	  .check = why_phys, .field = MSR_BITMAP, .arg = PAGE_BITS },
	{ CONTROLS("1", "the virtual-APIC page is at the address of a page"),
	  .when = { ON(CPU_TPR_SHADOW) },
	  .check = why_phys, .field = VIRTUAL_APIC_ADDRESS, .arg = PAGE_BITS },
	{ CONTROLS("1", "the TPR threshold has 4 bits"),
	  .when = { ON(CPU_TPR_SHADOW), OFF(CPU2_INTERRUPT_DELIVERY) },
	  .check = why_zero, .field = TPR_THRESHOLD, .arg = 0xfffffff0 },
	{ CONTROLS("1",
		   "the TPR threshold is not above bits 7:4 of the TPR in the virtual-APIC page"),
	  .when = { ON(CPU_TPR_SHADOW), OFF(CPU2_INTERRUPT_DELIVERY), OFF(CPU2_APIC_ACCESSES) },
	  .check = check_vtpr, .field = TPR_THRESHOLD, .cap = MEM_VTPR },
	{ CONTROLS("1", "there are virtual NMIs only if NMIs cause exits"),
	  .when = { OFF(PIN_NMI) },
	  .check = why_must, .control = OFF(PIN_VIRTUAL_NMIS) },
	{ CONTROLS("1", "there is an NMI window only with virtual NMIs"),
	  .when = { OFF(PIN_VIRTUAL_NMIS) },
	  .check = why_must, .control = OFF(CPU_NMI_WINDOW) },
	{ CONTROLS("1", "the APIC-access page is at the address of a page"),
	  .when = { ON(CPU2_APIC_ACCESSES) },
	  .check = why_phys, .field = APIC_ACCESS_ADDRESS, .arg = PAGE_BITS },
	{ CONTROLS("1", "x2APIC mode is virtualized only with a TPR shadow"),
	  .when = { OFF(CPU_TPR_SHADOW) },
	  .check = why_must, .control = OFF(CPU2_X2APIC) },
	{ CONTROLS("1", "APIC registers are virtualized only with a TPR shadow"),
	  .when = { OFF(CPU_TPR_SHADOW) },
	  .check = why_must, .control = OFF(CPU2_APIC_REGISTERS) },
	{ CONTROLS("1", "virtual interrupts are delivered only with a TPR shadow"),
	  .when = { OFF(CPU_TPR_SHADOW) },
	  .check = why_must, .control = OFF(CPU2_INTERRUPT_DELIVERY) },
	{ CONTROLS("1", "IPIs are virtualized only with a TPR shadow"),
	  .when = { OFF(CPU_TPR_SHADOW) },
	  .check = why_must, .control = OFF(CPU3_IPI) },
	{ CONTROLS("1", "either x2APIC mode or APIC accesses are virtualized"),
	  .when = { ON(CPU2_X2APIC) },
	  .check = why_must, .control = OFF(CPU2_APIC_ACCESSES) },
	{ CONTROLS("1", "virtual interrupts are delivered only if external interrupts cause exits"),
	  .when = { ON(CPU2_INTERRUPT_DELIVERY) },
	  .check = why_must, .control = ON(PIN_EXTERNAL_INTERRUPT) },
	{ CONTROLS("1", "posted interrupts need virtual-interrupt delivery"),
	  .when = { ON(PIN_POSTED_INTERRUPTS) },
	  .check = why_must, .control = ON(CPU2_INTERRUPT_DELIVERY) },
	{ CONTROLS("1", "posted interrupts need exits to acknowledge interrupts"),
	  .when = { ON(PIN_POSTED_INTERRUPTS) },
	  .check = why_must, .control = ON(EXIT_ACK_INTERRUPT) },
	{ CONTROLS("1", "the posted-interrupt notification vector has 8 bits"),
	  .when = { ON(PIN_POSTED_INTERRUPTS) },
	  .check = why_zero, .field = POSTED_INTERRUPT_VECTOR, .arg = 0xff00 },
	{ CONTROLS("1", "the posted-interrupt descriptor is at a multiple of 64"),
	  .when = { ON(PIN_POSTED_INTERRUPTS) },
	  .check = why_phys, .field = POSTED_INTERRUPT_DESCRIPTOR, .arg = 63 },
	{ CONTROLS("1", "a guest's VPID is not 0, which is the host's"), .when = { ON(CPU2_VPID) },
	  .check = why_nonzero, .field = VPID, .arg = 1 },
	{ CONTROLS("1", "the EPTP's memory type is one that the CPU can use: 0 (UC) or 6 (WB)"),
	  .when = { ON(CPU2_EPT) },
	  .check = check_ept_type, .field = EPT_POINTER, .cap = IA32_VMX_EPT_VPID_CAP },
	{ CONTROLS("1", "the EPTP's page-walk length, less 1, is 3; or 4 with five levels"),
	  .when = { ON(CPU2_EPT) },
	  .check = check_ept_walk, .field = EPT_POINTER, .cap = IA32_VMX_EPT_VPID_CAP },
	{ CONTROLS("1", "the EPTP asks for accessed and dirty flags only if the CPU has them"),
	  .when = { ON(CPU2_EPT) }, .check = check_ept_feature, .field = EPT_POINTER,
	  .arg = EPT_FEATURE(EPTP_AD, EPT_CAP_AD), .cap = IA32_VMX_EPT_VPID_CAP },
	{ CONTROLS("1", "the EPTP asks for shadow-stack access rights only if the CPU has them"),
	  .when = { ON(CPU2_EPT) }, .check = check_ept_feature, .field = EPT_POINTER,
	  .arg = EPT_FEATURE(EPTP_SSS, EPT_CAP_SSS), .cap = IA32_VMX_EPT_VPID_CAP },
	{ CONTROLS("1",
		   "the EPTP's reserved bits are 0, those beyond the physical address among them"),
	  .when = { ON(CPU2_EPT) },
	  .check = why_phys, .field = EPT_POINTER, .arg = EPTP_RESERVED, .cap = CPU_PHYS_BITS },
	{ CONTROLS("1", "page-modification logging needs EPT"), .when = { ON(CPU2_PML) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "the page-modification log is at the address of a page"),
	  .when = { ON(CPU2_PML) },
	  .check = why_phys, .field = PML_ADDRESS, .arg = PAGE_BITS },
	{ CONTROLS("1", "an unrestricted guest needs EPT"), .when = { ON(CPU2_UNRESTRICTED) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "mode-based execute control needs EPT"),
	  .when = { ON(CPU2_MODE_BASED_EXEC) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "sub-page write permissions need EPT"), .when = { ON(CPU2_SUB_PAGE) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "the sub-page-permission table is at the address of a page"),
	  .when = { ON(CPU2_SUB_PAGE) },
	  .check = why_phys, .field = SPP_TABLE_POINTER, .arg = PAGE_BITS },
	{ CONTROLS("1", "the VM-function controls have no bit that the CPU lacks"),
	  .when = { ON(CPU2_VM_FUNCTIONS) },
	  .check = vmx_cleared, .field = VM_FUNCTION_CONTROLS, .cap = IA32_VMX_VMFUNC },
	{ CONTROLS("1", "EPTP switching needs EPT"), .when = { ON(CPU2_VM_FUNCTIONS) },
	  .check = check_switching_ept, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "the EPTP list is at the address of a page"),
	  .when = { ON(CPU2_VM_FUNCTIONS) },
	  .check = check_eptp_list, .field = EPTP_LIST_ADDRESS, .arg = PAGE_BITS },
	{ CONTROLS("1", "the VMREAD bitmap is at the address of a page"),
	  .when = { ON(CPU2_VMCS_SHADOWING) },
	  .check = why_phys, .field = VMREAD_BITMAP, .arg = PAGE_BITS },
	{ CONTROLS("1", "the VMWRITE bitmap is at the address of a page"),
	  .when = { ON(CPU2_VMCS_SHADOWING) },
	  .check = why_phys, .field = VMWRITE_BITMAP, .arg = PAGE_BITS },
	{ CONTROLS("1", "the virtualization-exception information is at the address of a page"),
	  .when = { ON(CPU2_EPT_VE) },
	  .check = why_phys, .field = VIRTUALIZATION_EXCEPTION_INFO, .arg = PAGE_BITS },
	{ CONTROLS("1", "Intel PT can use guest physical addresses only with EPT"),
	  .when = { ON(CPU2_PT_USES_GPA) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "Intel PT with guest physical addresses needs IA32_RTIT_CTL loaded"),
	  .when = { ON(CPU2_PT_USES_GPA) },
	  .check = why_must, .control = ON(ENTRY_LOAD_RTIT) },
	{ CONTROLS("1", "Intel PT with guest physical addresses needs IA32_RTIT_CTL cleared"),
	  .when = { ON(CPU2_PT_USES_GPA) },
	  .check = why_must, .control = ON(EXIT_CLEAR_RTIT) },
	{ CONTROLS("1", "the TSC multiplier is not 0"), .when = { ON(CPU2_TSC_SCALING) },
	  .check = why_nonzero, .field = TSC_MULTIPLIER, .arg = 1 },
	{ CONTROLS("1", "hypervisor-managed linear-address translation needs EPT"),
	  .when = { ON(CPU3_HLAT) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "the HLAT pointer's reserved bits are 0"), .when = { ON(CPU3_HLAT) },
	  .check = why_phys, .field = HLAT_POINTER, .arg = 0xfe7 },
	{ CONTROLS("1", "EPT paging-write control needs EPT"), .when = { ON(CPU3_PAGING_WRITE) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "guest-paging verification needs EPT"), .when = { ON(CPU3_PAGING_VERIFY) },
	  .check = why_must, .control = ON(CPU2_EPT) },
	{ CONTROLS("1", "the PID-pointer table is at a physical address that is a multiple of 8"),
	  .when = { ON(CPU3_IPI) },
	  .check = why_phys, .field = PID_POINTER_TABLE, .arg = 7 },
	{ CONTROLS("1", "the last entry of the PID-pointer table is at a physical address"),
	  .when = { ON(CPU3_IPI) },
	  .check = check_last_pid, .field = LAST_PID_POINTER_INDEX, .cap = CPU_PHYS_BITS },

	/* VM-exit controls */
	{ CONTROLS("2", "the exit controls have what the CPU demands, and nothing it lacks"),
	  .check = vmx_allowed, .field = VM_EXIT_CONTROLS, .cap = IA32_VMX_TRUE_EXIT_CTLS },
	{ CONTROLS("2", "the secondary exit controls have no bit that the CPU lacks"),
	  .when = { ON(EXIT_SECONDARY) },
	  .check = vmx_cleared, .field = SECONDARY_EXIT_CONTROLS, .cap = IA32_VMX_EXIT_CTLS2 },
	{ CONTROLS("2", "only a preemption timer that runs can be saved"),
	  .when = { OFF(PIN_PREEMPTION_TIMER) },
	  .check = why_must, .control = OFF(EXIT_SAVE_PREEMPTION) },
	{ CONTROLS("2", "the exit MSR-store area is at physical addresses, a multiple of 16"),
	  .check = check_msr_area, .field = VM_EXIT_MSR_STORE_ADDRESS,
	  .arg = VM_EXIT_MSR_STORE_COUNT },
	{ CONTROLS("2", "the exit MSR-load area is at physical addresses, a multiple of 16"),
	  .check = check_msr_area, .field = VM_EXIT_MSR_LOAD_ADDRESS,
	  .arg = VM_EXIT_MSR_LOAD_COUNT },

	/* VM-entry controls */
	{ CONTROLS("3", "the entry controls have what the CPU demands, and nothing it lacks"),
	  .check = vmx_allowed, .field = VM_ENTRY_CONTROLS, .cap = IA32_VMX_TRUE_ENTRY_CTLS },
	{ CONTROLS("3", "an injected event's type is not 1; 7 only with a monitor trap flag"),
	  .check = check_type },
	{ CONTROLS("3",
		   "an injected event's vector fits its type: NMI 2, exceptions 0-31, others 0"),
	  .check = check_vector },
	{ CONTROLS("3", "an error code comes with exceptions that have one, and not in real mode"),
	  .check = check_error_bit },
	{ CONTROLS("3", "bits 30:12 of the interruption information are 0"),
	  .check = check_info_reserved },
	{ CONTROLS("3", "an injected error code has 16 bits"),
	  .check = check_error_code, .field = VM_ENTRY_EXCEPTION_ERROR_CODE, .arg = 0xffff0000 },
	{ CONTROLS("3", "a software event's instruction has 1 to 15 bytes, or 0 if the CPU can"),
	  .check = check_length, .field = VM_ENTRY_INSTRUCTION_LENGTH },
	{ CONTROLS("3", "the entry MSR-load area is at physical addresses, a multiple of 16"),
	  .check = check_msr_area, .field = VM_ENTRY_MSR_LOAD_ADDRESS,
	  .arg = VM_ENTRY_MSR_LOAD_COUNT },
	{ CONTROLS("3", "an entry to SMM comes from SMM"),
	  .check = check_not_smm, .control = OFF(ENTRY_SMM) },
	{ CONTROLS("3", "the dual-monitor treatment is deactivated from SMM"),
	  .check = check_not_smm, .control = OFF(ENTRY_DEACTIVATE_DUAL) },
	{ CONTROLS("3", "an entry to SMM does not deactivate the dual-monitor treatment"),
	  .when = { ON(ENTRY_SMM) },
	  .check = why_must, .control = OFF(ENTRY_DEACTIVATE_DUAL) },
	{ .text = NULL }
};
