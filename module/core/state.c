// SPDX-License-Identifier: GPL-2.0-only
/*
 * State groups between the comm area and the vCPU.
 *
 * The comm area can change under our eyes.  So a group is copied out of it first,
 * as a whole and once; what is checked and loaded is the copy.
 */
#include <asm/msr-index.h>
#include <asm/processor-flags.h>

#include "apic/apic.h"
#include "core/core.h"

/* What every exit carries beside what is wanted: enough to finish the instruction. */
static u64 groups_for_exit(const struct vitro_exit *x)
{
	switch (x->reason) {
	case VITRO_EXIT_IO:
		if (x->io.flags & VITRO_IO_STRING)
			return VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS;
		return VITRO_STATE_GPRS;
	case VITRO_EXIT_MMIO:
	case VITRO_EXIT_MEMFAULT:
	case VITRO_EXIT_TASK_SWITCH:
		return VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS;
	case VITRO_EXIT_RDMSR:
	case VITRO_EXIT_WRMSR:
	case VITRO_EXIT_HYPERCALL:
	case VITRO_EXIT_HLT:
	case VITRO_EXIT_DEBUG:
		return VITRO_STATE_GPRS;
	default:
		return 0;
	}
}

static void store_msrs(struct vitro_vcpu *vcpu, struct vitro_msrs *m)
{
	m->tsc_aux = vcpu->tsc_aux;
	m->apic_base = vcpu->apic.base;
	m->tsc_deadline = READ_ONCE(vcpu->apic.tsc_deadline);
	m->kvm_system_time = vcpu->clock_msr;
	m->kvm_wall_clock = vcpu->wall_msr;
}

/**
 * state_store - copy state groups to the comm area
 * @vcpu: outside of a burst
 * @mask: groups
 *
 * Each group is put together in vcpu->state, and then copied, so that userspace
 * gets what the vCPU has, and nothing that userspace wrote there meanwhile.
 */
void state_store(struct vitro_vcpu *vcpu, u64 mask)
{
	struct vitro_state *to = &vcpu->comm->state;
	struct vitro_state *s = vcpu->state;

	if (mask & VITRO_STATE_GPRS)
		to->gprs = vcpu->regs;
	/* All that most exits need: an instruction is to be emulated. */
	if (mask == VITRO_STATE_GPRS)
		return;

	backend->store_state(vcpu, s, mask);
	if (mask & VITRO_STATE_SEGS)
		to->segs = s->segs;
	if (mask & VITRO_STATE_CRS) {
		s->crs.cr4 = vcpu->guest_cr4;
		s->crs.cr8 = READ_ONCE(vcpu->apic.tpr) >> 4;
		s->crs.xcr0 = vcpu->xcr0;
		to->crs = s->crs;
	}
	if (mask & VITRO_STATE_DRS) {
		memcpy(s->drs.dr, vcpu->dr, sizeof(s->drs.dr));
		debug_store_drs(vcpu, &s->drs);
		to->drs = s->drs;
	}
	if (mask & VITRO_STATE_MSRS) {
		store_msrs(vcpu, &s->msrs);
		to->msrs = s->msrs;
	}
	if (mask & VITRO_STATE_EVENTS) {
		event_store(vcpu, &s->events);
		to->events = s->events;
	}
	if (mask & VITRO_STATE_TIME) {
		s->time.tsc = clock_guest_tsc(vcpu);
		s->time.clock_ns = clock_guest_ns(vcpu);
		to->time = s->time;
	}
	if (mask & VITRO_STATE_FPU)
		memcpy(&to->fpu, vcpu->xsave, sizeof(to->fpu));
}

/**
 * state_store_exit - tell userspace why VITRO_RUN returns
 * @vcpu: its exit is complete
 */
void state_store_exit(struct vitro_vcpu *vcpu)
{
	struct vitro_comm *comm = vcpu->comm;
	u64 mask = READ_ONCE(comm->wanted) & VITRO_STATE_ALL;

	mask |= groups_for_exit(&vcpu->exit);
	state_store(vcpu, mask);
	WRITE_ONCE(comm->valid, mask);
	comm->exit = vcpu->exit;
}

static bool crs_valid(const struct vitro_vcpu *vcpu, const struct vitro_crs *crs)
{
	if (crs->cr0 >> 32)
		return false;
	if ((crs->cr0 & X86_CR0_PG) && !(crs->cr0 & X86_CR0_PE))
		return false;
	if ((crs->cr0 & X86_CR0_NW) && !(crs->cr0 & X86_CR0_CD))
		return false;
	if (crs->cr3 >> boot_cpu_data.x86_phys_bits)
		return false;
	/* Whether CR4 and EFER fit each other, the CPU checks on entry. */
	if ((crs->cr4 & ~vcpu->cr4_allowed) || (crs->efer & ~(vcpu->efer_allowed | EFER_LMA)))
		return false;
	if (crs->cr8 > 15)
		return false;
	return host_xcr0() ? host_xcr0_valid(crs->xcr0) : crs->xcr0 == XFEATURE_MASK_FP;
}

static bool canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

static bool msrs_valid(const struct vitro_msrs *m)
{
	/* The clock's addresses are multiples of 4; bit 0 of the first enables it. */
	if ((m->kvm_system_time & 2) || (m->kvm_wall_clock & 3))
		return false;
	return msr_pat_valid(m->pat) && !(m->tsc_aux >> 32) &&
	       canonical(m->lstar) && canonical(m->cstar) && canonical(m->kernel_gs_base) &&
	       canonical(m->sysenter_esp) && canonical(m->sysenter_eip);
}

static bool events_valid(const struct vitro_events *e)
{
	if (e->pad || e->exc_pending > 1 || e->exc_has_error > 1 || e->intr_pending > 1 ||
	    e->nmi_blocked > 1 || e->shadow > 1 || e->nmi_pending > 2)
		return false;
	/* Vector 2 is NMI, which is no exception. */
	if (e->exc_pending && (e->exc_vector > 31 || e->exc_vector == 2))
		return false;
	return e->mp_state <= VITRO_MP_SHUTDOWN;
}

static bool valid(const struct vitro_vcpu *vcpu, const struct vitro_state *s, u64 mask)
{
	if (mask & ~VITRO_STATE_ALL)
		return false;
	if ((mask & VITRO_STATE_SEGS) && (s->segs.gdtr.pad || s->segs.idtr.pad))
		return false;
	if ((mask & VITRO_STATE_CRS) && !crs_valid(vcpu, &s->crs))
		return false;
	if ((mask & VITRO_STATE_DRS) && (s->drs.dr6 >> 32 || s->drs.dr7 >> 32))
		return false;
	if ((mask & VITRO_STATE_MSRS) && !msrs_valid(&s->msrs))
		return false;
	if ((mask & VITRO_STATE_EVENTS) && !events_valid(&s->events))
		return false;
	return !(mask & VITRO_STATE_FPU) || host_xsave_valid(s->fpu.xsave);
}

/* MSRs that live in the core.  Only the first can still be refused. */
static int load_msrs(struct vitro_vcpu *vcpu, const struct vitro_msrs *m)
{
	if (lapic_set_base(vcpu, m->apic_base))
		return -EINVAL;
	clock_set_system_time(vcpu, m->kvm_system_time);
	/* Only a change asks for the time to be written to memory that may be reused. */
	if (m->kvm_wall_clock != vcpu->wall_msr)
		clock_set_wall_clock(vcpu, m->kvm_wall_clock);
	vcpu->tsc_aux = m->tsc_aux;
	apic_timer_set_deadline(vcpu, m->tsc_deadline);
	return 0;
}

/* No value can be refused, so @from may be the comm area itself: it is read once. */
static void load_regs(struct vitro_vcpu *vcpu, const struct vitro_gprs *from)
{
	u64 rip = vcpu->regs.rip;

	vcpu->regs = *from;
	barrier();	/* the copy is what counts from here on */
	vcpu->regs.rflags |= X86_EFLAGS_FIXED;
	/* A shadow covers the instruction at RIP, and no other. */
	if (vcpu->regs.rip != rip)
		vcpu->shadow = false;
}

/**
 * state_load - load state groups from the comm area
 * @vcpu: outside of a burst
 * @mask: groups
 *
 * Returns 0; -EINVAL and has loaded nothing; -ENOMEM, -EINTR: to be called again.
 */
int state_load(struct vitro_vcpu *vcpu, u64 mask)
{
	const struct vitro_state *from = &vcpu->comm->state;
	struct vitro_state *s = vcpu->state;
	int ret;

	/* By far the most common: an instruction was emulated. */
	if (mask == VITRO_STATE_GPRS) {
		load_regs(vcpu, &from->gprs);
		return 0;
	}

	memcpy(s, from, mask & VITRO_STATE_FPU ? sizeof(*s) : offsetof(typeof(*s), fpu));
	barrier();	/* the copy is what counts from here on */
	if (!valid(vcpu, s, mask))
		return -EINVAL;
	if (mask & VITRO_STATE_MSRS) {
		ret = load_msrs(vcpu, &s->msrs);
		if (ret)
			return ret;
	}
	/* The CPU's own are the debugger's, if there is one. */
	ret = backend->load_state(vcpu, s, debug_has_drs(vcpu) ? mask & ~VITRO_STATE_DRS : mask);
	if (ret)
		return ret;

	if (mask & VITRO_STATE_GPRS)
		load_regs(vcpu, &s->gprs);
	if (mask & VITRO_STATE_CRS) {
		lapic_set_tpr(vcpu, s->crs.cr8 << 4);
		vcpu->xcr0 = s->crs.xcr0;
	}
	if (mask & VITRO_STATE_DRS) {
		memcpy(vcpu->dr, s->drs.dr, sizeof(vcpu->dr));
		debug_load_drs(vcpu, &s->drs);
	}
	if (mask & VITRO_STATE_EVENTS)
		event_load(vcpu, &s->events);
	if (mask & VITRO_STATE_TIME)
		clock_set_guest_tsc(vcpu, s->time.tsc);
	if (mask & VITRO_STATE_FPU) {
		memcpy(vcpu->xsave, &s->fpu, sizeof(s->fpu));
		host_xsave_fill(vcpu->xsave);
	}
	return 0;
}
