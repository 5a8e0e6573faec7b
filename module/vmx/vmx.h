/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the VMX backend share. */
#ifndef VITRO_VMX_H
#define VITRO_VMX_H

#include <asm/trapnr.h>

#include "core/backend.h"
#include "vmx/vmcs.h"

/**
 * struct vmx_caps - what this CPU's VMX can do; set by probe, the same on all CPUs
 * @basic: IA32_VMX_BASIC
 * @ept: IA32_VMX_EPT_VPID_CAP
 * @pin: @cpu: @cpu2: @exit: @entry: the controls that vitro uses, as adjusted
 * @cr0_fixed0: bits of CR0 that must be set in VMX operation (SDM 3D A.7); PE and PG,
 *	which an unrestricted guest is free to clear, are not among them
 * @cr4_fixed0: bits of CR4 that must be set (SDM 3D A.8)
 * @stay: the longest stay in the guest, in units of the preemption timer
 * @timer_shift: such a unit is 2 ^ @timer_shift ticks of the TSC
 * @flush_l1d: the guest could read what is in the L1 data cache (L1TF): flush it
 */
struct vmx_caps {
	u64 basic;
	u64 ept;
	u32 pin, cpu, cpu2, exit, entry;
	u64 cr0_fixed0;
	u64 cr4_fixed0;
	u32 stay;
	u8 timer_shift;
	bool flush_l1d;
};

/**
 * struct vmx_cpu - what a host CPU needs to run guests; one per CPU
 *
 * Touched only by its own CPU with interrupts off, once set up.
 *
 * @vmxon_pa: page that VMXON wants
 * @cr4: the host's CR4, during a burst
 * @kernel_gs_base: the host's, during a burst
 * @debugctl: the host's IA32_DEBUGCTL, during a burst
 * @gdt: @idt: the host's, during a burst: exits spoil the limits
 * @es: @ds: @fs: @gs: @ldt: the host's selectors, during a burst: exits clear them
 */
struct vmx_cpu {
	phys_addr_t vmxon_pa;
	unsigned long cr4;
	u64 kernel_gs_base;
	u64 debugctl;
	struct desc_ptr gdt, idt;
	u16 es, ds, fs, gs, ldt;
};

/* MSRs of SYSCALL, which no VMCS holds: swapped once a burst. */
enum { VMX_STAR, VMX_LSTAR, VMX_CSTAR, VMX_SFMASK, VMX_NR_SYSCALL };

/**
 * struct vmx_vcpu - vcpu->arch; all under the vCPU's mutex
 * @vmcs: the control structure: its own CPU's business, reached by VMREAD and VMWRITE
 * @vmcs_pa: its physical address
 * @vapic: virtual-APIC page, of which only the TPR is used
 * @pml: page-modification log: PML_ENTRIES addresses, filled from the end; or NULL
 * @vpid: tag of its TLB entries; 0 without VPIDs
 * @eptp: the VM's tables, as in the VMCS
 * @loaded: it is the current VMCS of this CPU
 * @launched: VMLAUNCH was done since it was loaded
 * @flush: the next entry must not use old translations of this guest
 * @last_cpu: where it was loaded last
 * @short_stay: the preemption timer is set to less than vmx_caps.stay
 * @primary: PRIMARY_CONTROLS
 * @blocking: BLOCKING_BY_* as of the last exit or entry; 0: and nothing else in the VMCS
 * @cr2: @dr6: @kernel_gs_base: @syscall: registers that no VMCS holds
 * @injected: what the last entry was to deliver
 */
struct vmx_vcpu {
	void *vmcs;
	phys_addr_t vmcs_pa;
	u8 *vapic;
	u64 *pml;
	u16 vpid;
	u64 eptp;
	bool loaded;
	bool launched;
	bool flush;
	int last_cpu;
	bool short_stay;
	u32 primary;
	u32 blocking;
	u64 cr2;
	u64 dr6;
	u64 kernel_gs_base;
	u64 syscall[VMX_NR_SYSCALL];
	struct vcpu_event injected;
};

/* The exceptions that exit always. */
#define VMX_EXCEPTIONS	(BIT(X86_TRAP_MC) | BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC))

#define PML_ENTRIES	512
#define VTPR		0x80	/* offset of the TPR in the virtual-APIC page */

/* exit.raw.code when VMLAUNCH or VMRESUME itself failed; raw.info1 is its error number. */
#define VMX_NOT_ENTERED	(~0ULL)

extern struct vmx_caps vmx_caps;

static inline struct vmx_vcpu *to_vmx(struct vitro_vcpu *vcpu)
{
	return vcpu->arch;
}

/* vmx.c: the VMCS, for those who are not in a burst */
struct vmx_access {
	bool opened;
	bool owner;
	unsigned long cr4;
	unsigned long flags;
	u64 other_vmcs;
};

void vmx_open(struct vitro_vcpu *vcpu, struct vmx_access *access);
void vmx_close(struct vitro_vcpu *vcpu, struct vmx_access *access);

/* caps.c */
int caps_probe(const char **why);

/* vmcs.c */
void vmcs_init(struct vitro_vcpu *vcpu, phys_addr_t msr_bitmap);
void vmcs_reset(struct vitro_vcpu *vcpu, bool power_on);
int vmcs_load_state(struct vitro_vcpu *vcpu, const struct vitro_state *s, u64 mask);
void vmcs_store_state(struct vitro_vcpu *vcpu, struct vitro_state *s, u64 mask);
int vmcs_get_msr(struct vitro_vcpu *vcpu, u32 index, u64 *value);
int vmcs_set_msr(struct vitro_vcpu *vcpu, u32 index, u64 value);
u64 vmcs_get_cr0(void);
void vmcs_set_cr0(struct vitro_vcpu *vcpu, u64 value);
void vmcs_set_cr4(struct vitro_vcpu *vcpu, u64 value);
void vmcs_code(struct vitro_vcpu *vcpu, struct guest_code *code);
u8 vmcs_cpl(struct vitro_vcpu *vcpu);
bool vmcs_is_64bit(struct vitro_vcpu *vcpu);

/* exit.c */
void vmx_translate_exit(struct vitro_vcpu *vcpu, u32 reason);

/* dump.c */
void vmx_dump(struct vitro_vcpu *vcpu, struct dump *dump);

/* entry.S */
asmlinkage bool vmx_enter_guest(struct vitro_gprs *regs, bool launched);
extern const char vmx_exit_point[];

#endif /* VITRO_VMX_H */
