// SPDX-License-Identifier: GPL-2.0-only
/*
 * The burst: the stretch with interrupts off in which this CPU is a hypervisor.
 *
 * Outside of a burst the CPU is an ordinary Linux CPU, so hotplug, suspend, kexec
 * and other users of it need no word with us.  Inside, nothing may sleep or wait
 * for a lock that others hold with interrupts on.
 */
#include <linux/sched/signal.h>
#include <asm/fpu/api.h>

#include "apic/apic.h"
#include "core/core.h"
#include "glass/glass.h"
#include "glass/trace.h"

/*
 * The most entries of one burst.  An interrupt of the host's commonly ends it long before; but a
 * guest's trap goes before interrupts (SDM 3A 6.9), so one whose delivery raises the next, and
 * exits each time, lets none through.  And Bochs 2.7 masks interrupts at an entry with RFLAGS.IF
 * clear, so a guest that exits often would never give the CPU back.
 */
#define MOST_ENTRIES	1024

/* For VITRO_STATS, which sorts them (dev.c). */
static void count_exit(struct vitro_vcpu *vcpu)
{
	vcpu->stat[VITRO_STAT_EXITS]++;
	vcpu->exits[vcpu->exit.reason]++;
}

/* need_resched() and signal_pending(), by one look at the thread's flags. */
#define MUST_LEAVE	(_TIF_NEED_RESCHED | _TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL)

/* Anything that the loop in vcpu_run() must see before the guest goes on? */
static bool must_leave(struct vitro_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || vcpu->mp_state != VITRO_MP_RUNNABLE ||
	       (read_thread_flags() & MUST_LEAVE) || task_work_pending(current) ||
	       debug_stale(vcpu);
}

/*
 * Enter the guest once.
 *
 * The order is what makes kicks and TLB flushes reliable: first announce IN_GUEST,
 * then look at requests, at the TLB generation and at the interrupts.  Whoever
 * makes news first changes these, then looks at the mode; between the two there is
 * a barrier on both sides, so one of us sees the other (vcpu_kick(), tdp_flush();
 * selftests/models/kick.pml and models/flush.pml).
 */
static enum verdict enter_once(struct vitro_vcpu *vcpu)
{
	bool event = false;
	u64 tlb_gen;

	WRITE_ONCE(vcpu->mode, IN_GUEST);
	smp_mb();	/* see above */
	if (must_leave(vcpu))
		return LEAVE;
	if (unlikely(!event_quiet(vcpu))) {
		if (lapic_pic_asks(vcpu) && event_inta(vcpu))
			return LEAVE;
		event = event_prepare(vcpu);
	}
	tlb_gen = atomic64_read(&vcpu->vm->mmu.tlb_gen);
	if (tlb_gen != vcpu->tlb_gen) {
		backend->tlb_flush(vcpu);
		vcpu->stat[VITRO_STAT_TLB_FLUSH]++;
	}
	if (debug_steps(vcpu))
		debug_entry(vcpu, event);
	glass_entry(vcpu);
	trace_vitro_entry(vcpu);

	backend->run(vcpu);

	if (debug_steps(vcpu))
		debug_left(vcpu);
	/* Release: what the CPU has logged of the guest's writes is in the dirty log. */
	smp_store_release(&vcpu->mode, OUTSIDE);
	/* A refused entry has flushed nothing. */
	if (vcpu->exit.reason != VITRO_EXIT_FAIL_ENTRY)
		vcpu->tlb_gen = tlb_gen;
	count_exit(vcpu);
	glass_exit(vcpu);
	trace_vitro_exit(vcpu);
	return exit_handle(vcpu);
}

/**
 * burst - run the guest until something needs interrupts on
 * @vcpu: the vCPU; its mutex is held
 *
 * Returns an enum verdict, or -EBUSY.  After AGAIN there is nothing to do but to come back, perhaps
 * when a debugger has been told.
 */
int burst(struct vitro_vcpu *vcpu)
{
	int verdict, left = MOST_ENTRIES;

	/* Saves the thread's own FPU state; the guest's is next. */
	kernel_fpu_begin();
	local_irq_disable();
	WRITE_ONCE(vcpu->cpu, smp_processor_id());
	if (clock_stale(vcpu))
		set_bit(REQ_CLOCK, &vcpu->requests);

	verdict = backend->cpu_enter(vcpu);
	if (!verdict) {
		vcpu->stat[VITRO_STAT_BURSTS]++;
		host_enter(vcpu);
		do {
			verdict = enter_once(vcpu);
		} while (verdict == AGAIN && !vcpu->debug.done && --left);
		glass_place(vcpu, VITRO_PLACE_KERNEL);
		host_leave(vcpu);
		backend->cpu_leave(vcpu);
	}

	WRITE_ONCE(vcpu->mode, OUTSIDE);
	local_irq_enable();
	kernel_fpu_end();
	return verdict;
}
