/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the SVM backend share. */
#ifndef VITRO_SVM_H
#define VITRO_SVM_H

#include <asm/trapnr.h>

#include "core/backend.h"
#include "svm/vmcb.h"

/**
 * struct svm_cpu - what a host CPU needs to run guests; one per CPU
 *
 * Touched only by its own CPU with interrupts off, once set up.
 *
 * @hsave_pa: page where VMRUN keeps the host's state (MSR VM_HSAVE_PA)
 * @host_pa: page where VMSAVE keeps the rest of it during a burst
 * @efer: the host's EFER, during a burst
 * @next_asid: the first ASID that this generation has not given away
 * @asid_generation: grows whenever ASIDs run out; all older ones are void
 * @flush_all: the next entry must flush every ASID
 */
struct svm_cpu {
	phys_addr_t hsave_pa;
	phys_addr_t host_pa;
	u64 efer;
	u32 next_asid;
	u64 asid_generation;
	bool flush_all;
};

/**
 * struct svm_vcpu - vcpu->arch; all under the vCPU's mutex
 * @vmcb: the control block
 * @vmcb_pa: its physical address
 * @asid_cpu: @asid_generation: CPU and generation that gave vmcb.control.guest_asid
 * @flush: the next entry must not use old translations of this guest
 * @iret: an IRET of the NMI handler is about to run, at @iret_rip
 * @step: RFLAGS.TF is set by us, to see the end of that IRET or of a shadow
 * @injected: what the last entry was to deliver
 * @watch_int: somebody wants to see each INT3; one INT n may pass nevertheless
 * @windows: WINDOW_* that the VMCB is set up for
 * @clean: CLEAN_* of the groups of fields that nobody has changed since the last exit
 */
struct svm_vcpu {
	struct vmcb *vmcb;
	phys_addr_t vmcb_pa;
	int asid_cpu;
	u64 asid_generation;
	bool flush;
	bool iret;
	enum { STEP_NONE, STEP_IRET, STEP_SHADOW } step;
	u64 iret_rip;
	struct vcpu_event injected;
	bool watch_int;
	u32 clean;
	unsigned int windows;
};

/* The exceptions that exit always. */
#define SVM_EXCEPTIONS	(BIT(X86_TRAP_MC) | BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC))

DECLARE_PER_CPU(struct svm_cpu, svm_cpu);
extern u32 svm_nr_asids;

static inline struct svm_vcpu *to_svm(struct vitro_vcpu *vcpu)
{
	return vcpu->arch;
}

/* Whoever changes a field of the VMCB says so. */
static inline void svm_changed(struct svm_vcpu *svm, u32 groups)
{
	svm->clean &= ~groups;
}

static inline void svm_intercept_int(struct svm_vcpu *svm, bool on)
{
	u32 *word = &svm->vmcb->control.intercept_misc1;
	u32 old = *word;

	*word = on ? old | INTERCEPT_INTN : old & ~INTERCEPT_INTN;
	if (*word != old)
		svm_changed(svm, CLEAN_INTERCEPTS);
}

/* VMRUN found the state inconsistent (APM 2 15.5.1). */
static inline bool svm_refused(const struct vmcb_control *c)
{
	/* QEMU writes only the low half of -1. */
	return (u32)c->exitcode == (u32)SVM_EXIT_INVALID;
}

/* asid.c */
void asid_forget_all(struct svm_cpu *cpu);
void asid_prepare(struct vitro_vcpu *vcpu, struct svm_cpu *cpu);
void asid_entered(struct vitro_vcpu *vcpu, struct svm_cpu *cpu);

/* vmcb.c */
void vmcb_init(struct vitro_vcpu *vcpu, phys_addr_t iopm, phys_addr_t msrpm,
	       phys_addr_t n_cr3);
void vmcb_code(struct vitro_vcpu *vcpu, struct guest_code *code);
void vmcb_dump(struct vitro_vcpu *vcpu, struct dump *dump);
void vmcb_reset(struct vitro_vcpu *vcpu, bool power_on);
int vmcb_load_state(struct vitro_vcpu *vcpu, const struct vitro_state *s, u64 mask);
void vmcb_store_state(struct vitro_vcpu *vcpu, struct vitro_state *s, u64 mask);
int vmcb_get_msr(struct vitro_vcpu *vcpu, u32 index, u64 *value);
int vmcb_set_msr(struct vitro_vcpu *vcpu, u32 index, u64 value);
void vmcb_set_cr4(struct vitro_vcpu *vcpu, u64 value);

/* exit.c */
void svm_translate_exit(struct vitro_vcpu *vcpu);

/* decode.c */
int svm_insn_length(struct vitro_vcpu *vcpu);
int svm_decode_mov(struct vitro_vcpu *vcpu, u8 opcode);
int svm_decode_string_io(struct vitro_vcpu *vcpu);

/* entry.S */
asmlinkage void svm_enter_guest(struct vitro_gprs *regs, phys_addr_t vmcb_pa,
				phys_addr_t host_pa);

#endif /* VITRO_SVM_H */
