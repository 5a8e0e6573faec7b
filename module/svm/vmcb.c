// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contents of a VMCB: what is intercepted, the state after reset, and the
 * state groups of the ABI.
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>
#include <asm/trapnr.h>

#include "svm/svm.h"

/* Changes of these bits of CR4 flush the TLB (APM 2 5.5.2, 5.5.3). */
#define CR4_FLUSHES	(X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PGE | X86_CR4_PCIDE | X86_CR4_SMEP)

/* PAUSEs before an exit, where the CPU counts them: some ten microseconds of spinning. */
#define PAUSE_FILTER_COUNT	3000

/**
 * vmcb_init - set up the part of the VMCB that no guest changes
 * @vcpu: the vCPU
 * @iopm: physical address of the I/O permission map
 * @msrpm: physical address of the MSR permission map
 * @n_cr3: physical address of the second-level tables
 *
 * What is not in a word below, the guest does without an exit.
 */
void vmcb_init(struct vitro_vcpu *vcpu, phys_addr_t iopm, phys_addr_t msrpm,
	       phys_addr_t n_cr3)
{
	struct vmcb_control *c = &to_svm(vcpu)->vmcb->control;

	/*
	 * CR4.MCE stays set in the CPU whatever the guest says, or a machine check
	 * would become its shutdown; so the guest must not see or write CR4 itself.
	 * CR0, CR2, CR3 are the guest's, and CR8 is V_TPR.
	 */
	c->intercept_cr = INTERCEPT_CR_READ(4) | INTERCEPT_CR_WRITE(4);

	/* DR0 to DR3 are not switched by the CPU: load them when they are first used. */
	c->intercept_dr = INTERCEPT_DR_ALL;

	/* The host's machine checks, and two exceptions whose delivery may never end. */
	c->intercept_exceptions = SVM_EXCEPTIONS;

	/*
	 * Allowed: reading and writing of descriptor-table registers, RDTSC (TSC_OFFSET
	 * is applied), PUSHF, POPF, INT n, INVLPG, task switches (the CPU makes them, in
	 * the guest's memory).  A vCPU that spins should make room for the one it waits
	 * for, so PAUSE exits: if it comes again and again or, on a CPU without the filter
	 * (emulated, or nested), each time.
	 */
	c->intercept_misc1 = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SMI |
			     INTERCEPT_INIT | INTERCEPT_RDPMC | INTERCEPT_CPUID |
			     INTERCEPT_RSM | INTERCEPT_INVD | INTERCEPT_PAUSE | INTERCEPT_HLT |
			     INTERCEPT_INVLPGA | INTERCEPT_IOIO_PROT | INTERCEPT_MSR_PROT |
			     INTERCEPT_FERR_FREEZE | INTERCEPT_SHUTDOWN;

	if (svm_backend.features & VITRO_CPU_PAUSE_FILTER)
		c->pause_filter_count = PAUSE_FILTER_COUNT;

	/* Allowed: RDTSCP, INT1. */
	c->intercept_misc2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD |
			     INTERCEPT_VMSAVE | INTERCEPT_STGI | INTERCEPT_CLGI |
			     INTERCEPT_SKINIT | INTERCEPT_WBINVD | INTERCEPT_MONITOR |
			     INTERCEPT_MWAIT | INTERCEPT_MWAIT_ARMED | INTERCEPT_XSETBV |
			     INTERCEPT_RDPRU;

	/* Allowed: INVPCID. */
	c->intercept_misc3 = INTERCEPT_INVLPGB | INTERCEPT_MCOMMIT | INTERCEPT_TLBSYNC;

	c->iopm_base_pa = iopm;
	c->msrpm_base_pa = msrpm;
	c->np_enable = NP_ENABLE;
	c->n_cr3 = n_cr3;
	c->vintr = V_INTR_MASKING;
}

static void reset_seg(struct vmcb_seg *seg, u16 attrib)
{
	*seg = (struct vmcb_seg){ .attrib = attrib, .limit = 0xffff };
}

/**
 * vmcb_reset - the state after RESET or INIT (APM 2 table 14-1)
 * @vcpu: the vCPU
 * @power_on: after RESET; else after INIT, which keeps CD and NW, and the MSRs
 */
void vmcb_reset(struct vitro_vcpu *vcpu, bool power_on)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_save *s = &svm->vmcb->save;
	const u16 data = VITRO_SEG_P | VITRO_SEG_S | 3;	/* read/write, accessed */

	reset_seg(&s->cs, VITRO_SEG_P | VITRO_SEG_S | 0xb);
	s->cs.selector = 0xf000;
	s->cs.base = 0xffff0000;
	reset_seg(&s->ds, data);
	reset_seg(&s->es, data);
	reset_seg(&s->fs, data);
	reset_seg(&s->gs, data);
	reset_seg(&s->ss, data);
	reset_seg(&s->gdtr, 0);
	reset_seg(&s->idtr, 0);
	reset_seg(&s->ldtr, VITRO_SEG_P | 2);
	reset_seg(&s->tr, VITRO_SEG_P | 0xb);

	s->cpl = 0;
	s->cr0 = X86_CR0_ET | (power_on ? X86_CR0_CD | X86_CR0_NW :
				s->cr0 & (X86_CR0_CD | X86_CR0_NW));
	s->cr2 = 0;
	s->cr3 = 0;
	s->efer = EFER_SVME;
	s->dr6 = 0xffff0ff0;
	s->dr7 = 0x400;
	if (power_on) {
		s->star = 0;
		s->lstar = 0;
		s->cstar = 0;
		s->sfmask = 0;
		s->kernel_gs_base = 0;
		s->sysenter_cs = 0;
		s->sysenter_esp = 0;
		s->sysenter_eip = 0;
		s->g_pat = 0x0007040600070406;	/* APM 2 7.8.2 */
	}
	vmcb_set_cr4(vcpu, 0);

	svm->flush = true;
	svm->clean = 0;
	svm->windows = 0;
	svm->iret = false;
	svm->step = STEP_NONE;
	svm->vmcb->control.intercept_misc1 &= ~(INTERCEPT_IRET | INTERCEPT_VINTR);
	svm->vmcb->control.vintr = V_INTR_MASKING;
}

/**
 * vmcb_set_cr4 - change the guest's CR4
 * @vcpu: the vCPU
 * @value: what the guest is to see there
 */
void vmcb_set_cr4(struct vitro_vcpu *vcpu, u64 value)
{
	struct svm_vcpu *svm = to_svm(vcpu);

	if ((value ^ vcpu->guest_cr4) & CR4_FLUSHES)
		svm->flush = true;
	svm_changed(svm, CLEAN_CRX);
	vcpu->guest_cr4 = value;
	svm->vmcb->save.cr4 = value | (__read_cr4() & X86_CR4_MCE);
}

static u64 guest_efer(const struct vmcb_save *s)
{
	return s->efer & ~(u64)EFER_SVME;
}

/**
 * vmcb_code - where the guest executes
 * @vcpu: the vCPU
 * @code: filled in
 */
void vmcb_code(struct vitro_vcpu *vcpu, struct guest_code *code)
{
	const struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;

	code->paging.cr0 = s->cr0;
	code->paging.cr3 = s->cr3;
	code->paging.cr4 = vcpu->guest_cr4;
	code->paging.efer = guest_efer(s);

	if (svm_backend.is_64bit(vcpu)) {
		code->bits = 64;
		code->linear_rip = vcpu->regs.rip;
	} else {
		code->bits = s->cs.attrib & VITRO_SEG_DB ? 32 : 16;
		code->linear_rip = (u32)(s->cs.base + vcpu->regs.rip);
	}
}

/* The VMCB's segments in the order of enum vitro_seg. */
static void vmcb_segs(struct vmcb_save *s, struct vmcb_seg *segs[VITRO_NR_SEGS])
{
	segs[VITRO_ES] = &s->es;
	segs[VITRO_CS] = &s->cs;
	segs[VITRO_SS] = &s->ss;
	segs[VITRO_DS] = &s->ds;
	segs[VITRO_FS] = &s->fs;
	segs[VITRO_GS] = &s->gs;
	segs[VITRO_LDTR] = &s->ldtr;
	segs[VITRO_TR] = &s->tr;
}

static void load_segs(struct vmcb_save *s, const struct vitro_segs *from)
{
	struct vmcb_seg *segs[VITRO_NR_SEGS];
	int i;

	vmcb_segs(s, segs);
	for (i = 0; i < VITRO_NR_SEGS; i++) {
		segs[i]->selector = from->seg[i].selector;
		segs[i]->attrib = from->seg[i].attrib & 0xfff;
		segs[i]->limit = from->seg[i].limit;
		segs[i]->base = from->seg[i].base;
	}
	s->gdtr.base = from->gdtr.base;
	s->gdtr.limit = from->gdtr.limit;
	s->idtr.base = from->idtr.base;
	s->idtr.limit = from->idtr.limit;
	s->cpl = (s->ss.attrib & VITRO_SEG_DPL) >> 5;
}

static void store_segs(struct vmcb_save *s, struct vitro_segs *to)
{
	struct vmcb_seg *segs[VITRO_NR_SEGS];
	int i;

	vmcb_segs(s, segs);
	for (i = 0; i < VITRO_NR_SEGS; i++) {
		to->seg[i].selector = segs[i]->selector;
		to->seg[i].attrib = segs[i]->attrib & 0xfff;
		to->seg[i].limit = segs[i]->limit;
		to->seg[i].base = segs[i]->base;
	}
	to->gdtr = (struct vitro_dtable){ .base = s->gdtr.base, .limit = s->gdtr.limit };
	to->idtr = (struct vitro_dtable){ .base = s->idtr.base, .limit = s->idtr.limit };
	/* The CPU need not keep the DPL of SS (APM 2 15.5.1); its own CPL it does. */
	to->seg[VITRO_SS].attrib &= ~VITRO_SEG_DPL;
	to->seg[VITRO_SS].attrib |= s->cpl << 5;
}

/**
 * vmcb_load_state - the backend's part of loading state groups
 * @vcpu: the vCPU
 * @state: values, which the core has checked
 * @mask: groups
 *
 * Returns 0.  What is still inconsistent, VMRUN itself refuses.
 */
int vmcb_load_state(struct vitro_vcpu *vcpu, const struct vitro_state *state, u64 mask)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_save *s = &svm->vmcb->save;

	svm->clean = 0;		/* state is loaded rarely, and mostly all of it */
	if (mask & VITRO_STATE_SEGS)
		load_segs(s, &state->segs);
	if (mask & VITRO_STATE_CRS) {
		s->cr0 = state->crs.cr0;
		s->cr2 = state->crs.cr2;
		s->cr3 = state->crs.cr3;
		s->efer = state->crs.efer | EFER_SVME;
		vmcb_set_cr4(vcpu, state->crs.cr4);
		svm->flush = true;
	}
	if (mask & VITRO_STATE_DRS) {
		s->dr6 = state->drs.dr6;
		s->dr7 = state->drs.dr7;
	}
	if (mask & VITRO_STATE_MSRS) {
		s->star = state->msrs.star;
		s->lstar = state->msrs.lstar;
		s->cstar = state->msrs.cstar;
		s->sfmask = state->msrs.sfmask;
		s->kernel_gs_base = state->msrs.kernel_gs_base;
		s->sysenter_cs = state->msrs.sysenter_cs;
		s->sysenter_esp = state->msrs.sysenter_esp;
		s->sysenter_eip = state->msrs.sysenter_eip;
		s->g_pat = state->msrs.pat;
	}
	return 0;
}

/**
 * vmcb_store_state - the backend's part of storing state groups
 * @vcpu: the vCPU
 * @state: filled in
 * @mask: groups
 */
void vmcb_store_state(struct vitro_vcpu *vcpu, struct vitro_state *state, u64 mask)
{
	struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;

	if (mask & VITRO_STATE_SEGS)
		store_segs(s, &state->segs);
	if (mask & VITRO_STATE_CRS) {
		state->crs.cr0 = s->cr0;
		state->crs.cr2 = s->cr2;
		state->crs.cr3 = s->cr3;
		state->crs.efer = guest_efer(s);
	}
	if (mask & VITRO_STATE_DRS) {
		state->drs.dr6 = s->dr6;
		state->drs.dr7 = s->dr7;
	}
	if (mask & VITRO_STATE_MSRS) {
		state->msrs.star = s->star;
		state->msrs.lstar = s->lstar;
		state->msrs.cstar = s->cstar;
		state->msrs.sfmask = s->sfmask;
		state->msrs.kernel_gs_base = s->kernel_gs_base;
		state->msrs.sysenter_cs = s->sysenter_cs;
		state->msrs.sysenter_esp = s->sysenter_esp;
		state->msrs.sysenter_eip = s->sysenter_eip;
		state->msrs.pat = s->g_pat;
	}
}

/**
 * vmcb_get_msr - read an MSR that the VMCB holds and the guest exits for
 * @vcpu: the vCPU
 * @index: MSR_EFER or MSR_IA32_CR_PAT
 * @value: filled in
 *
 * Returns 0, or -ENOENT for another MSR.
 */
int vmcb_get_msr(struct vitro_vcpu *vcpu, u32 index, u64 *value)
{
	const struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;

	switch (index) {
	case MSR_EFER:
		*value = guest_efer(s);
		return 0;
	case MSR_IA32_CR_PAT:
		*value = s->g_pat;
		return 0;
	}
	return -ENOENT;
}

/**
 * vmcb_set_msr - write an MSR that the VMCB holds and the guest exits for
 * @vcpu: the vCPU
 * @index: MSR_EFER or MSR_IA32_CR_PAT
 * @value: checked by the core
 *
 * Returns 0, or -ENOENT for another MSR.
 */
int vmcb_set_msr(struct vitro_vcpu *vcpu, u32 index, u64 value)
{
	struct vmcb_save *s = &to_svm(vcpu)->vmcb->save;

	switch (index) {
	case MSR_EFER:
		s->efer = value | EFER_SVME;
		svm_changed(to_svm(vcpu), CLEAN_CRX);
		return 0;
	case MSR_IA32_CR_PAT:
		s->g_pat = value;
		svm_changed(to_svm(vcpu), CLEAN_NP);
		return 0;
	}
	return -ENOENT;
}

/**
 * vmcb_dump - the VMCB, and what else VMRUN goes by (APM 2 15.5.1)
 * @vcpu: the vCPU
 * @dump: where to add it
 */
void vmcb_dump(struct vitro_vcpu *vcpu, struct dump *dump)
{
	static const u32 msrs[] = { MSR_EFER, MSR_VM_CR };
	const u8 *vmcb = (const u8 *)to_svm(vcpu)->vmcb;
	u32 at;
	u64 value;

	for (at = 0; at < sizeof(struct vmcb); at += sizeof(value)) {
		memcpy(&value, vmcb + at, sizeof(value));
		switch (at) {
		case offsetof(struct vmcb, control.iopm_base_pa):
		case offsetof(struct vmcb, control.msrpm_base_pa):
		case offsetof(struct vmcb, control.n_cr3):
			dump_add_secret(dump, VITRO_DUMP_VMCB, at, value);
			break;
		default:
			dump_add(dump, VITRO_DUMP_VMCB, at, value);
			break;
		}
	}
	dump_msrs(dump, msrs, ARRAY_SIZE(msrs));
}
