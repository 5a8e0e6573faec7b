// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contents of a VMCS: controls, the state after reset, and the state groups of
 * the ABI.  The VMCS is current wherever this says "open"; the others open it.
 */
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include "compat/compat.h"
#include "vmx/vmx.h"

/*
 * The bits of CR0 that the guest only believes to have: NE is fixed in VMX operation,
 * CD and NW would stay in force for the host, since exits do not change them.
 */
#define CR0_OWNED	(X86_CR0_NE | X86_CR0_CD | X86_CR0_NW)

/* The bit of CR4 that the guest has; writing others is checked by the core. */
#define CR4_GUESTS	X86_CR4_PGE

#define PAUSE_GAP	128	/* cycles between two PAUSEs of one loop */
#define PAUSE_WINDOW	4096	/* cycles a loop may last before it exits */

/* Encodings of segment @seg's fields, from those of ES: by 2, in the order of our enum. */
static unsigned long seg_field(unsigned long es_field, int seg)
{
	return es_field + 2 * seg;
}

/**
 * vmcs_init - set up the part of the VMCS that no guest changes
 * @vcpu: the vCPU; its VMCS is open
 * @msr_bitmap: physical address of the MSR bitmap
 */
void vmcs_init(struct vitro_vcpu *vcpu, phys_addr_t msr_bitmap)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);

	vmx->primary = vmx_caps.cpu;
	vmcs_write(PIN_BASED_CONTROLS, vmx_caps.pin);
	vmcs_write(PRIMARY_CONTROLS, vmx->primary);
	vmcs_write(SECONDARY_CONTROLS, vmx_caps.cpu2);
	vmcs_write(VM_EXIT_CONTROLS, vmx_caps.exit);
	vmcs_write(VM_ENTRY_CONTROLS, vmx_caps.entry);

	/* The host's machine checks, and two exceptions whose delivery may never end. */
	vmcs_write(EXCEPTION_BITMAP, VMX_EXCEPTIONS);
	/* Page faults by that bitmap alone, whatever their error code (SDM 3C 26.2). */
	vmcs_write(PAGE_FAULT_MASK, 0);
	vmcs_write(PAGE_FAULT_MATCH, 0);

	vmcs_write(MSR_BITMAP, msr_bitmap);
	vmcs_write(VIRTUAL_APIC_ADDRESS, __pa(vmx->vapic));
	vmcs_write(TPR_THRESHOLD, 0);
	vmcs_write(VMCS_LINK_POINTER, ~0ULL);
	vmcs_write(EPT_POINTER, vmx->eptp);
	if (vmx->vpid)
		vmcs_write(VPID, vmx->vpid);
	if (vmx->pml) {
		vmcs_write(PML_ADDRESS, __pa(vmx->pml));
		vmcs_write(GUEST_PML_INDEX, PML_ENTRIES - 1);
	}
	if (vmx_caps.cpu2 & CPU2_PAUSE_LOOP) {
		vmcs_write(PLE_GAP, PAUSE_GAP);
		vmcs_write(PLE_WINDOW, PAUSE_WINDOW);
	}
	if (vmx_caps.pin & PIN_PREEMPTION_TIMER)
		vmcs_write(PREEMPTION_TIMER_VALUE, vmx_caps.stay);
	vmcs_write(CR0_GUEST_HOST_MASK, CR0_OWNED);
	vmcs_write(CR4_GUEST_HOST_MASK, ~(u64)CR4_GUESTS);
	vmcs_write(GUEST_IA32_DEBUGCTL, 0);
	vmcs_write(GUEST_ACTIVITY_STATE, 0);
	vmcs_write(GUEST_PENDING_DEBUG, 0);
	vmcs_write(VM_ENTRY_INTERRUPTION_INFO, 0);
	vmcs_write(HOST_RIP, (unsigned long)vmx_exit_point);
}

/* Our attributes as access rights, whose bits 11:8 are reserved. */
static u32 to_access_rights(u16 attrib)
{
	if (!(attrib & VITRO_SEG_P))
		return ACCESS_UNUSABLE;
	return (attrib & 0xff) | (attrib & 0xf00) << 4;
}

static u16 from_access_rights(u32 ar)
{
	if (ar & ACCESS_UNUSABLE)
		return 0;
	return (ar & 0xff) | (ar >> 4 & 0xf00);
}

static void load_seg(int seg, const struct vitro_segment *from)
{
	vmcs_write(seg_field(GUEST_ES_SELECTOR, seg), from->selector);
	vmcs_write(seg_field(GUEST_ES_BASE, seg), from->base);
	vmcs_write(seg_field(GUEST_ES_LIMIT, seg), from->limit);
	vmcs_write(seg_field(GUEST_ES_ACCESS_RIGHTS, seg), to_access_rights(from->attrib));
}

static void store_seg(int seg, struct vitro_segment *to)
{
	to->selector = vmcs_read(seg_field(GUEST_ES_SELECTOR, seg));
	to->base = vmcs_read(seg_field(GUEST_ES_BASE, seg));
	to->limit = vmcs_read(seg_field(GUEST_ES_LIMIT, seg));
	to->attrib = from_access_rights(vmcs_read(seg_field(GUEST_ES_ACCESS_RIGHTS, seg)));
}

static void load_segs(const struct vitro_segs *from)
{
	int i;

	for (i = 0; i < VITRO_NR_SEGS; i++)
		load_seg(i, &from->seg[i]);
	vmcs_write(GUEST_GDTR_BASE, from->gdtr.base);
	vmcs_write(GUEST_GDTR_LIMIT, from->gdtr.limit);
	vmcs_write(GUEST_IDTR_BASE, from->idtr.base);
	vmcs_write(GUEST_IDTR_LIMIT, from->idtr.limit);
}

static void store_segs(struct vitro_segs *to)
{
	int i;

	for (i = 0; i < VITRO_NR_SEGS; i++)
		store_seg(i, &to->seg[i]);
	to->gdtr = (struct vitro_dtable){ .base = vmcs_read(GUEST_GDTR_BASE),
					  .limit = vmcs_read(GUEST_GDTR_LIMIT) };
	to->idtr = (struct vitro_dtable){ .base = vmcs_read(GUEST_IDTR_BASE),
					  .limit = vmcs_read(GUEST_IDTR_LIMIT) };
}

/**
 * vmcs_reset - the state after power-on or INIT (SDM 3A table 10-1)
 * @vcpu: the vCPU
 * @power_on: after power-on; else after INIT, which keeps CD and NW, and the MSRs
 */
void vmcs_reset(struct vitro_vcpu *vcpu, bool power_on)
{
	const struct vitro_segment data = { .attrib = VITRO_SEG_P | VITRO_SEG_S | 3,
					    .limit = 0xffff };
	const struct vitro_segment code = { .attrib = VITRO_SEG_P | VITRO_SEG_S | 0xb,
					    .limit = 0xffff, .selector = 0xf000,
					    .base = 0xffff0000 };
	const struct vitro_segment ldtr = { .attrib = VITRO_SEG_P | 2, .limit = 0xffff };
	const struct vitro_segment tr = { .attrib = VITRO_SEG_P | 0xb, .limit = 0xffff };
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vmx_access access;
	u64 cr0 = X86_CR0_ET;
	int i;

	vmx_open(vcpu, &access);
	for (i = 0; i < VITRO_NR_SEGS; i++)
		load_seg(i, i == VITRO_CS ? &code : i == VITRO_LDTR ? &ldtr :
			    i == VITRO_TR ? &tr : &data);
	vmcs_write(GUEST_GDTR_BASE, 0);
	vmcs_write(GUEST_GDTR_LIMIT, 0xffff);
	vmcs_write(GUEST_IDTR_BASE, 0);
	vmcs_write(GUEST_IDTR_LIMIT, 0xffff);

	cr0 |= power_on ? X86_CR0_CD | X86_CR0_NW :
			  vmcs_get_cr0() & (X86_CR0_CD | X86_CR0_NW);
	vmcs_write(GUEST_IA32_EFER, 0);
	vmcs_set_cr0(vcpu, cr0);
	vmcs_set_cr4(vcpu, 0);
	vmcs_write(GUEST_CR3, 0);
	vmcs_write(GUEST_DR7, 0x400);
	vmcs_write(GUEST_PENDING_DEBUG, 0);
	vmx->cr2 = 0;
	vmx->dr6 = 0xffff0ff0;
	vmx->blocking = 0;
	vmcs_write(GUEST_INTERRUPTIBILITY, 0);
	vmx->flush = true;
	if (power_on) {
		vmcs_write(GUEST_SYSENTER_CS, 0);
		vmcs_write(GUEST_SYSENTER_ESP, 0);
		vmcs_write(GUEST_SYSENTER_EIP, 0);
		vmcs_write(GUEST_IA32_PAT, 0x0007040600070406);	/* SDM 3A 12.12.4 */
		vmx->kernel_gs_base = 0;
		memset(vmx->syscall, 0, sizeof(vmx->syscall));
	}
	vmx_close(vcpu, &access);
}

/**
 * vmcs_get_cr0 - the guest's CR0; the VMCS is open
 */
u64 vmcs_get_cr0(void)
{
	return (vmcs_read(CR0_READ_SHADOW) & CR0_OWNED) |
	       (vmcs_read(GUEST_CR0) & ~(u64)CR0_OWNED);
}

/*
 * In IA-32e mode, or not: EFER.LMA, and the entry control that must equal it (SDM 3C
 * 27.3.1.1).
 */
static void set_lma(bool lma)
{
	u64 efer = vmcs_read(GUEST_IA32_EFER) & ~(u64)EFER_LMA;
	u64 entry = vmcs_read(VM_ENTRY_CONTROLS) & ~(u64)ENTRY_IA32E;

	vmcs_write(GUEST_IA32_EFER, lma ? efer | EFER_LMA : efer);
	vmcs_write(VM_ENTRY_CONTROLS, lma ? entry | ENTRY_IA32E : entry);
}

/**
 * vmcs_set_cr0 - change the guest's CR0
 * @vcpu: the vCPU; its VMCS is open
 * @value: what the guest is to see there
 *
 * As MOV to CR0 does, turns IA-32e mode on and off with PG when EFER.LME says so.
 */
void vmcs_set_cr0(struct vitro_vcpu *vcpu, u64 value)
{
	vmcs_write(CR0_READ_SHADOW, value);
	vmcs_write(GUEST_CR0, (value & ~(u64)(X86_CR0_CD | X86_CR0_NW)) | vmx_caps.cr0_fixed0);
	set_lma((value & X86_CR0_PG) && (vmcs_read(GUEST_IA32_EFER) & EFER_LME));
	to_vmx(vcpu)->flush = true;
}

/**
 * vmcs_set_cr4 - change the guest's CR4
 * @vcpu: the vCPU; its VMCS is open
 * @value: what the guest is to see there
 */
void vmcs_set_cr4(struct vitro_vcpu *vcpu, u64 value)
{
	vcpu->guest_cr4 = value;
	vmcs_write(CR4_READ_SHADOW, value);
	vmcs_write(GUEST_CR4, value | vmx_caps.cr4_fixed0 | (__read_cr4() & X86_CR4_MCE));
	to_vmx(vcpu)->flush = true;
}

/*
 * Under EPT, PAE paging uses the four PDPTEs that MOV to CR3 has read (SDM 3A 4.4.1).
 * When state is loaded, we do that.  A page that is not there gives zeros, which are
 * not present.  Returns 0, or -ENOMEM, -EINTR: it may be there.
 */
static int read_pdptes(struct vitro_vcpu *vcpu, const struct vitro_crs *crs, u64 pdpte[4])
{
	int ret;

	memset(pdpte, 0, 4 * sizeof(*pdpte));
	if (!(crs->cr0 & X86_CR0_PG) || !(crs->cr4 & X86_CR4_PAE) || (crs->efer & EFER_LMA))
		return 0;
	ret = guest_read(vcpu->vm, crs->cr3 & 0xffffffe0, pdpte, 4 * sizeof(*pdpte));
	return ret == -ENOMEM || ret == -EINTR ? ret : 0;
}

static void load_crs(struct vitro_vcpu *vcpu, const struct vitro_crs *crs, const u64 pdpte[4])
{
	int i;

	vmcs_write(GUEST_IA32_EFER, crs->efer);
	vmcs_set_cr0(vcpu, crs->cr0);
	vmcs_set_cr4(vcpu, crs->cr4);
	/* Not what CR0 and LME suggest, but what was asked for: the CPU will judge it. */
	set_lma(crs->efer & EFER_LMA);
	vmcs_write(GUEST_CR3, crs->cr3);
	for (i = 0; i < 4; i++)
		vmcs_write(GUEST_PDPTE0 + 2 * i, pdpte[i]);
	to_vmx(vcpu)->cr2 = crs->cr2;
}

/**
 * vmcs_load_state - the backend's part of loading state groups
 * @vcpu: the vCPU
 * @state: values, which the core has checked
 * @mask: groups
 *
 * Returns 0, or -ENOMEM, -EINTR, and has loaded nothing.  What is still inconsistent,
 * VM entry itself refuses.
 */
int vmcs_load_state(struct vitro_vcpu *vcpu, const struct vitro_state *state, u64 mask)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	const struct vitro_msrs *m = &state->msrs;
	struct vmx_access access;
	u64 pdpte[4];
	int ret;

	if (mask & VITRO_STATE_CRS) {
		ret = read_pdptes(vcpu, &state->crs, pdpte);
		if (ret)
			return ret;
	}

	vmx_open(vcpu, &access);
	if (mask & VITRO_STATE_SEGS)
		load_segs(&state->segs);
	if (mask & VITRO_STATE_CRS)
		load_crs(vcpu, &state->crs, pdpte);
	if (mask & VITRO_STATE_DRS) {
		vmx->dr6 = state->drs.dr6;
		vmcs_write(GUEST_DR7, state->drs.dr7);
		/* A trap that waits is one of the breakpoints that there were. */
		vmcs_write(GUEST_PENDING_DEBUG, 0);
	}
	if (mask & VITRO_STATE_MSRS) {
		vmcs_write(GUEST_SYSENTER_CS, m->sysenter_cs);
		vmcs_write(GUEST_SYSENTER_ESP, m->sysenter_esp);
		vmcs_write(GUEST_SYSENTER_EIP, m->sysenter_eip);
		vmcs_write(GUEST_IA32_PAT, m->pat);
		vmx->kernel_gs_base = m->kernel_gs_base;
		vmx->syscall[VMX_STAR] = m->star;
		vmx->syscall[VMX_LSTAR] = m->lstar;
		vmx->syscall[VMX_CSTAR] = m->cstar;
		vmx->syscall[VMX_SFMASK] = m->sfmask;
	}
	vmx_close(vcpu, &access);
	return 0;
}

/**
 * vmcs_store_state - the backend's part of storing state groups
 * @vcpu: the vCPU
 * @state: filled in
 * @mask: groups
 */
void vmcs_store_state(struct vitro_vcpu *vcpu, struct vitro_state *state, u64 mask)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	struct vitro_msrs *m = &state->msrs;
	struct vmx_access access;

	if (!(mask & (VITRO_STATE_SEGS | VITRO_STATE_CRS | VITRO_STATE_DRS | VITRO_STATE_MSRS)))
		return;

	vmx_open(vcpu, &access);
	if (mask & VITRO_STATE_SEGS)
		store_segs(&state->segs);
	if (mask & VITRO_STATE_CRS) {
		state->crs.cr0 = vmcs_get_cr0();
		state->crs.cr2 = vmx->cr2;
		state->crs.cr3 = vmcs_read(GUEST_CR3);
		state->crs.efer = vmcs_read(GUEST_IA32_EFER);
		vcpu->guest_cr4 &= ~(u64)CR4_GUESTS;
		vcpu->guest_cr4 |= vmcs_read(GUEST_CR4) & CR4_GUESTS;
	}
	if (mask & VITRO_STATE_DRS) {
		state->drs.dr6 = vmx->dr6;
		state->drs.dr7 = vmcs_read(GUEST_DR7);
	}
	if (mask & VITRO_STATE_MSRS) {
		m->sysenter_cs = vmcs_read(GUEST_SYSENTER_CS);
		m->sysenter_esp = vmcs_read(GUEST_SYSENTER_ESP);
		m->sysenter_eip = vmcs_read(GUEST_SYSENTER_EIP);
		m->pat = vmcs_read(GUEST_IA32_PAT);
		m->kernel_gs_base = vmx->kernel_gs_base;
		m->star = vmx->syscall[VMX_STAR];
		m->lstar = vmx->syscall[VMX_LSTAR];
		m->cstar = vmx->syscall[VMX_CSTAR];
		m->sfmask = vmx->syscall[VMX_SFMASK];
	}
	vmx_close(vcpu, &access);
}

/**
 * vmcs_get_msr - read an MSR that the VMCS holds and the guest exits for
 * @vcpu: the vCPU, in a burst
 * @index: MSR_EFER or MSR_IA32_CR_PAT
 * @value: filled in
 *
 * Returns 0, or -ENOENT for another MSR.
 */
int vmcs_get_msr(struct vitro_vcpu *vcpu, u32 index, u64 *value)
{
	switch (index) {
	case MSR_EFER:
		*value = vmcs_read(GUEST_IA32_EFER);
		return 0;
	case MSR_IA32_CR_PAT:
		*value = vmcs_read(GUEST_IA32_PAT);
		return 0;
	}
	return -ENOENT;
}

/**
 * vmcs_set_msr - write an MSR that the VMCS holds and the guest exits for
 * @vcpu: the vCPU, in a burst
 * @index: MSR_EFER or MSR_IA32_CR_PAT
 * @value: checked by the core
 *
 * Returns 0, or -ENOENT for another MSR.
 */
int vmcs_set_msr(struct vitro_vcpu *vcpu, u32 index, u64 value)
{
	switch (index) {
	case MSR_EFER:
		vmcs_write(GUEST_IA32_EFER, value);
		return 0;
	case MSR_IA32_CR_PAT:
		vmcs_write(GUEST_IA32_PAT, value);
		return 0;
	}
	return -ENOENT;
}

/**
 * vmcs_cpl - current privilege level: the DPL of SS, always (SDM 3C 25.4.1)
 * @vcpu: the vCPU, in a burst
 */
u8 vmcs_cpl(struct vitro_vcpu *vcpu)
{
	return vmcs_read(seg_field(GUEST_ES_ACCESS_RIGHTS, VITRO_SS)) >> 5 & 3;
}

static bool is_64bit(void)
{
	u32 cs = vmcs_read(seg_field(GUEST_ES_ACCESS_RIGHTS, VITRO_CS));

	return (vmcs_read(GUEST_IA32_EFER) & EFER_LMA) && (cs & VITRO_SEG_L << 4);
}

/**
 * vmcs_is_64bit - does the guest run 64-bit code?
 * @vcpu: the vCPU, in a burst
 */
bool vmcs_is_64bit(struct vitro_vcpu *vcpu)
{
	return is_64bit();
}

/**
 * vmcs_code - where the guest executes
 * @vcpu: the vCPU
 * @code: filled in
 */
void vmcs_code(struct vitro_vcpu *vcpu, struct guest_code *code)
{
	struct vmx_access access;
	u32 cs;

	vmx_open(vcpu, &access);
	code->paging.cr0 = vmcs_get_cr0();
	code->paging.cr3 = vmcs_read(GUEST_CR3);
	code->paging.cr4 = vcpu->guest_cr4;
	code->paging.efer = vmcs_read(GUEST_IA32_EFER);

	if (is_64bit()) {
		code->bits = 64;
		code->linear_rip = vcpu->regs.rip;
	} else {
		cs = vmcs_read(seg_field(GUEST_ES_ACCESS_RIGHTS, VITRO_CS));
		code->bits = cs & VITRO_SEG_DB << 4 ? 32 : 16;
		code->linear_rip = (u32)(vmcs_read(seg_field(GUEST_ES_BASE, VITRO_CS)) +
					 vcpu->regs.rip);
	}
	vmx_close(vcpu, &access);
}
