/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual-machine control structure: encodings of its fields (SDM 3D appendix
 * B), bits of its controls (SDM 3C 25.6 to 25.8), exit reasons (SDM 3D appendix C)
 * and how to reach it.
 */
#ifndef VITRO_VMCS_H
#define VITRO_VMCS_H

#include <linux/bits.h>
#include <linux/types.h>
#include <asm/asm.h>

/* Fields.  Bits 14:13 of an encoding are its width: 16 bits, 64, 32, natural. */
enum vmcs_field {
	VPID				= 0x0000,
	GUEST_ES_SELECTOR		= 0x0800,	/* then CS SS DS FS GS LDTR TR, by 2 */
	GUEST_PML_INDEX			= 0x0812,
	HOST_ES_SELECTOR		= 0x0c00,
	HOST_CS_SELECTOR		= 0x0c02,
	HOST_SS_SELECTOR		= 0x0c04,
	HOST_DS_SELECTOR		= 0x0c06,
	HOST_FS_SELECTOR		= 0x0c08,
	HOST_GS_SELECTOR		= 0x0c0a,
	HOST_TR_SELECTOR		= 0x0c0c,
	MSR_BITMAP			= 0x2004,
	PML_ADDRESS			= 0x200e,
	TSC_OFFSET			= 0x2010,
	VIRTUAL_APIC_ADDRESS		= 0x2012,
	EPT_POINTER			= 0x201a,
	GUEST_PHYSICAL_ADDRESS		= 0x2400,
	VMCS_LINK_POINTER		= 0x2800,
	GUEST_IA32_DEBUGCTL		= 0x2802,
	GUEST_IA32_PAT			= 0x2804,
	GUEST_IA32_EFER			= 0x2806,
	GUEST_PDPTE0			= 0x280a,	/* to PDPTE3, by 2 */
	HOST_IA32_PAT			= 0x2c00,
	HOST_IA32_EFER			= 0x2c02,
	PIN_BASED_CONTROLS		= 0x4000,
	PRIMARY_CONTROLS		= 0x4002,
	EXCEPTION_BITMAP		= 0x4004,
	PAGE_FAULT_MASK			= 0x4006,
	PAGE_FAULT_MATCH		= 0x4008,
	VM_EXIT_CONTROLS		= 0x400c,
	VM_ENTRY_CONTROLS		= 0x4012,
	VM_ENTRY_INTERRUPTION_INFO	= 0x4016,
	VM_ENTRY_EXCEPTION_ERROR_CODE	= 0x4018,
	VM_ENTRY_INSTRUCTION_LENGTH	= 0x401a,
	TPR_THRESHOLD			= 0x401c,
	SECONDARY_CONTROLS		= 0x401e,
	PLE_GAP				= 0x4020,
	PLE_WINDOW			= 0x4022,
	VM_INSTRUCTION_ERROR		= 0x4400,
	EXIT_REASON			= 0x4402,
	VM_EXIT_INTERRUPTION_INFO	= 0x4404,
	VM_EXIT_INTERRUPTION_ERROR_CODE	= 0x4406,
	IDT_VECTORING_INFO		= 0x4408,
	IDT_VECTORING_ERROR_CODE	= 0x440a,
	VM_EXIT_INSTRUCTION_LENGTH	= 0x440c,
	VM_EXIT_INSTRUCTION_INFO	= 0x440e,
	GUEST_ES_LIMIT			= 0x4800,	/* as the selectors, by 2 */
	GUEST_GDTR_LIMIT		= 0x4810,
	GUEST_IDTR_LIMIT		= 0x4812,
	GUEST_ES_ACCESS_RIGHTS		= 0x4814,	/* as the selectors, by 2 */
	GUEST_INTERRUPTIBILITY		= 0x4824,
	GUEST_ACTIVITY_STATE		= 0x4826,
	GUEST_SYSENTER_CS		= 0x482a,
	PREEMPTION_TIMER_VALUE		= 0x482e,
	HOST_SYSENTER_CS		= 0x4c00,
	CR0_GUEST_HOST_MASK		= 0x6000,
	CR4_GUEST_HOST_MASK		= 0x6002,
	CR0_READ_SHADOW			= 0x6004,
	CR4_READ_SHADOW			= 0x6006,
	EXIT_QUALIFICATION		= 0x6400,
	GUEST_CR0			= 0x6800,
	GUEST_CR3			= 0x6802,
	GUEST_CR4			= 0x6804,
	GUEST_ES_BASE			= 0x6806,	/* as the selectors, by 2 */
	GUEST_GDTR_BASE			= 0x6816,
	GUEST_IDTR_BASE			= 0x6818,
	GUEST_DR7			= 0x681a,
	GUEST_RSP			= 0x681c,
	GUEST_RIP			= 0x681e,
	GUEST_RFLAGS			= 0x6820,
	GUEST_PENDING_DEBUG		= 0x6822,
	GUEST_SYSENTER_ESP		= 0x6824,
	GUEST_SYSENTER_EIP		= 0x6826,
	HOST_CR0			= 0x6c00,
	HOST_CR3			= 0x6c02,
	HOST_CR4			= 0x6c04,
	HOST_FS_BASE			= 0x6c06,
	HOST_GS_BASE			= 0x6c08,
	HOST_TR_BASE			= 0x6c0a,
	HOST_GDTR_BASE			= 0x6c0c,
	HOST_IDTR_BASE			= 0x6c0e,
	HOST_SYSENTER_ESP		= 0x6c10,
	HOST_SYSENTER_EIP		= 0x6c12,
	HOST_RSP			= 0x6c14,
	HOST_RIP			= 0x6c16,
};

/* Pin-based controls (SDM 3C 25.6.1). */
#define PIN_EXTERNAL_INTERRUPT	BIT(0)
#define PIN_NMI			BIT(3)
#define PIN_VIRTUAL_NMIS	BIT(5)
#define PIN_PREEMPTION_TIMER	BIT(6)

/* Primary processor-based controls (SDM 3C table 25-6). */
#define CPU_INTERRUPT_WINDOW	BIT(2)
#define CPU_TSC_OFFSETTING	BIT(3)
#define CPU_HLT			BIT(7)
#define CPU_MWAIT		BIT(10)
#define CPU_RDPMC		BIT(11)
#define CPU_TPR_SHADOW		BIT(21)
#define CPU_NMI_WINDOW		BIT(22)
#define CPU_MOV_DR		BIT(23)
#define CPU_UNCONDITIONAL_IO	BIT(24)
#define CPU_MSR_BITMAPS		BIT(28)
#define CPU_MONITOR		BIT(29)
#define CPU_PAUSE		BIT(30)
#define CPU_SECONDARY		BIT(31)

/* Secondary processor-based controls (SDM 3C table 25-7). */
#define CPU2_EPT		BIT(1)
#define CPU2_RDTSCP		BIT(3)
#define CPU2_VPID		BIT(5)
#define CPU2_UNRESTRICTED	BIT(7)
#define CPU2_PAUSE_LOOP		BIT(10)
#define CPU2_INVPCID		BIT(12)
#define CPU2_PML		BIT(17)

/* VM-exit controls (SDM 3C table 25-13). */
#define EXIT_SAVE_DEBUG		BIT(2)
#define EXIT_HOST_64BIT		BIT(9)
#define EXIT_SAVE_PAT		BIT(18)
#define EXIT_LOAD_PAT		BIT(19)
#define EXIT_SAVE_EFER		BIT(20)
#define EXIT_LOAD_EFER		BIT(21)

/* VM-entry controls (SDM 3C table 25-15). */
#define ENTRY_LOAD_DEBUG	BIT(2)
#define ENTRY_IA32E		BIT(9)
#define ENTRY_LOAD_PAT		BIT(14)
#define ENTRY_LOAD_EFER		BIT(15)

/* Interruption information, of entries and exits, and IDT vectoring (25.8.3, 25.9). */
#define INTERRUPTION_VECTOR	0xff
#define INTERRUPTION_TYPE	(7 << 8)
#define INTERRUPTION_EXTERNAL	(0 << 8)
#define INTERRUPTION_NMI	(2 << 8)
#define INTERRUPTION_EXCEPTION	(3 << 8)
#define INTERRUPTION_SOFT_EXCEPTION	(6 << 8)	/* INT3, INTO */
#define INTERRUPTION_ERROR	BIT(11)
#define INTERRUPTION_NMI_UNBLOCKED BIT(12)
#define INTERRUPTION_VALID	BIT(31)

/* Interruptibility state (SDM 3C table 25-3). */
#define BLOCKING_BY_STI		BIT(0)
#define BLOCKING_BY_MOV_SS	BIT(1)
#define BLOCKING_BY_NMI		BIT(3)

/* Pending debug exceptions (SDM 3C table 25-4). */
#define PENDING_BS		BIT(14)

/* Segment access rights (SDM 3C table 25-2). */
#define ACCESS_UNUSABLE		BIT(16)

/* Exit reasons (SDM 3D appendix C). */
#define ENTRY_FAILED		BIT(31)
enum vmx_exit_reason {
	VMX_EXCEPTION_NMI	= 0,
	VMX_EXTERNAL_INTERRUPT	= 1,
	VMX_TRIPLE_FAULT	= 2,
	VMX_INIT		= 3,
	VMX_SIPI		= 4,
	VMX_INTERRUPT_WINDOW	= 7,
	VMX_NMI_WINDOW		= 8,
	VMX_TASK_SWITCH		= 9,
	VMX_CPUID		= 10,
	VMX_GETSEC		= 11,
	VMX_HLT			= 12,
	VMX_INVD		= 13,
	VMX_RDPMC		= 15,
	VMX_RSM			= 17,
	VMX_VMCALL		= 18,
	VMX_VMCLEAR		= 19,	/* to VMXON, all instructions of VMX */
	VMX_VMXON		= 27,
	VMX_CR_ACCESS		= 28,
	VMX_MOV_DR		= 29,
	VMX_IO			= 30,
	VMX_RDMSR		= 31,
	VMX_WRMSR		= 32,
	VMX_MWAIT		= 36,
	VMX_MONITOR		= 39,
	VMX_PAUSE		= 40,
	VMX_MACHINE_CHECK_ENTRY	= 41,
	VMX_TPR_BELOW_THRESHOLD	= 43,
	VMX_EPT_VIOLATION	= 48,
	VMX_EPT_MISCONFIG	= 49,
	VMX_INVEPT		= 50,
	VMX_PREEMPTION_TIMER	= 52,
	VMX_INVVPID		= 53,
	VMX_WBINVD		= 54,
	VMX_XSETBV		= 55,
	VMX_PML_FULL		= 62,
};

/* Exit qualification of EPT violations (SDM 3C table 28-7). */
#define EPT_QUAL_READ		BIT(0)
#define EPT_QUAL_WRITE		BIT(1)
#define EPT_QUAL_FETCH		BIT(2)
#define EPT_QUAL_LINEAR_VALID	BIT(7)
#define EPT_QUAL_TRANSLATED	BIT(8)	/* else an access to a guest page table */
#define EPT_QUAL_NMI_UNBLOCKED	BIT(12)		/* also of PML-full exits (28.2.1) */

/* IA32_VMX_EPT_VPID_CAP (SDM 3D A.10). */
#define EPT_CAP_4LEVEL		BIT_ULL(6)
#define EPT_CAP_WB		BIT_ULL(14)
#define EPT_CAP_2M		BIT_ULL(16)
#define EPT_CAP_1G		BIT_ULL(17)
#define EPT_CAP_INVEPT		BIT_ULL(20)
#define EPT_CAP_AD		BIT_ULL(21)
#define EPT_CAP_INVEPT_SINGLE	BIT_ULL(25)
#define EPT_CAP_INVVPID		BIT_ULL(32)
#define EPT_CAP_INVVPID_SINGLE	BIT_ULL(41)

/* IA32_VMX_BASIC (SDM 3D A.1). */
#define BASIC_REVISION(b)	((u32)(b) & 0x7fffffff)
#define BASIC_INS_OUTS		BIT_ULL(54)
#define BASIC_TRUE_CONTROLS	BIT_ULL(55)

/*
 * VMX instructions report failure in CF and ZF (SDM 3C 31.2).  Reading or writing a
 * field that exists, of the current VMCS, does not fail.
 */
static __always_inline u64 vmcs_read(unsigned long field)
{
	u64 value;

	asm volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

/* For a field that may not exist: false. */
static __always_inline bool vmcs_try_read(unsigned long field, u64 *value)
{
	bool failed;

	asm volatile("vmread %2, %0" : "=r"(*value), "=@ccbe"(failed) : "r"(field));
	return !failed;
}

static __always_inline void vmcs_write(unsigned long field, u64 value)
{
	asm volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc");
}

static __always_inline bool vmx_on(u64 region_pa)
{
	bool failed;

	asm volatile("vmxon %1" : "=@ccbe"(failed) : "m"(region_pa) : "memory");
	return !failed;
}

static __always_inline void vmx_off(void)
{
	asm volatile("vmxoff" : : : "cc", "memory");
}

static __always_inline bool vmptrld(u64 vmcs_pa)
{
	bool failed;

	asm volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(vmcs_pa) : "memory");
	return !failed;
}

static __always_inline u64 vmptrst(void)
{
	u64 vmcs_pa;

	asm volatile("vmptrst %0" : "=m"(vmcs_pa) : : "cc", "memory");
	return vmcs_pa;
}

static __always_inline void vmclear(u64 vmcs_pa)
{
	asm volatile("vmclear %0" : : "m"(vmcs_pa) : "cc", "memory");
}

struct inv_descriptor {
	u64 id;
	u64 address;
};

static __always_inline void invept(unsigned long type, u64 eptp)
{
	struct inv_descriptor d = { .id = eptp };

	asm volatile("invept %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}

static __always_inline void invvpid(unsigned long type, u16 vpid)
{
	struct inv_descriptor d = { .id = vpid };

	asm volatile("invvpid %0, %1" : : "m"(d), "r"(type) : "cc", "memory");
}

#define INV_SINGLE	1

#endif /* VITRO_VMCS_H */
