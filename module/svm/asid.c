// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address-space identifiers (APM 2 15.16).
 *
 * TLB entries of a guest carry its ASID.  Each host CPU gives ASIDs to the vCPUs
 * that run on it, in rising order.  Taking a fresh one is how a vCPU forgets its
 * translations: nobody can match the old ones any more.  When they run out, the
 * CPU flushes everything and starts a new generation.
 */
#include "svm/svm.h"

/**
 * asid_forget_all - give every vCPU on @cpu a new ASID, and flush the TLB
 * @cpu: this CPU
 *
 * For a CPU that we cannot vouch for: another hypervisor may have used any ASID.
 */
void asid_forget_all(struct svm_cpu *cpu)
{
	cpu->asid_generation++;
	cpu->next_asid = 1;		/* 0 is the host */
	cpu->flush_all = true;
}

/**
 * asid_prepare - see that the coming entry uses no stale translation
 * @vcpu: the vCPU, about to enter
 * @cpu: this CPU
 */
void asid_prepare(struct vitro_vcpu *vcpu, struct svm_cpu *cpu)
{
	struct svm_vcpu *svm = to_svm(vcpu);
	struct vmcb_control *c = &svm->vmcb->control;
	bool valid = svm->asid_cpu == vcpu->cpu &&
		     svm->asid_generation == cpu->asid_generation;

	c->tlb_control = TLB_CONTROL_NOTHING;
	if (valid && svm->flush && (svm_backend.features & VITRO_CPU_FLUSH_ASID)) {
		c->tlb_control = TLB_CONTROL_FLUSH_ASID;
	} else if (!valid || svm->flush) {
		if (cpu->next_asid >= svm_nr_asids)
			asid_forget_all(cpu);
		c->guest_asid = cpu->next_asid++;
		svm_changed(svm, CLEAN_ASID);
		svm->asid_cpu = vcpu->cpu;
		svm->asid_generation = cpu->asid_generation;
	}
	/* What this core remembers of the VMCB may be from before it ran elsewhere. */
	if (!valid)
		svm->clean = 0;
	if (cpu->flush_all)
		c->tlb_control = TLB_CONTROL_FLUSH_ALL;
}

/**
 * asid_entered - the CPU took the entry, and with it the flush that was asked for
 * @vcpu: the vCPU that exited
 * @cpu: this CPU
 */
void asid_entered(struct vitro_vcpu *vcpu, struct svm_cpu *cpu)
{
	to_svm(vcpu)->flush = false;
	cpu->flush_all = false;
}
