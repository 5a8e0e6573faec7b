// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU outside of its bursts: birth and end, VITRO_RUN, sleep and wake-up.
 *
 * VITRO_RUN is the loop in vcpu_run(): look at requests, sleep if the guest halted,
 * run a burst, and do what the burst could not do with interrupts off.
 */
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>

#include "apic/apic.h"
#include "compat/compat.h"
#include "core/core.h"
#include "core/insn.h"
#include "glass/glass.h"
#include "mm/mm.h"

/* What others, who found the vCPU under RCU, may still look at. */
static void free_last(struct rcu_head *rcu)
{
	struct vitro_vcpu *vcpu = container_of(rcu, struct vitro_vcpu, rcu);

	put_pid(rcu_access_pointer(vcpu->task));
	kvfree(vcpu->glass.times);
	kfree(vcpu);
}

/**
 * vcpu_free - undo vcpu_create()
 * @vcpu: a vCPU that nobody else can find any more, but whom some may just have found
 *
 * Drops its reference to the VM.  May sleep.
 */
void vcpu_free(struct vitro_vcpu *vcpu)
{
	struct vitro_vm *vm = vcpu->vm;

	lapic_fini(vcpu);
	ring_end(vcpu);
	backend->vcpu_free(vcpu);
	pt_cache_free(&vcpu->pt_cache);
	vfree(vcpu->comm);
	kfree(vcpu->xsave);
	kfree(vcpu->state);
	kvfree(vcpu->cpuid);
	/* Others hold it under RCU; they touch nothing freed above. */
	call_rcu(&vcpu->rcu, free_last);
	vm_put(vm);
}

/**
 * vcpu_close - the vCPU's fd was closed: take it off the machine and free it
 * @vcpu: none of its ioctls is running, nor will be
 *
 * May sleep.
 */
void vcpu_close(struct vitro_vcpu *vcpu)
{
	struct vitro_vm *vm = vcpu->vm;

	mutex_lock(&vm->lock);
	RCU_INIT_POINTER(vm->vcpu[vcpu->id], NULL);
	mutex_unlock(&vm->lock);
	vcpu_free(vcpu);
}

/**
 * vcpu_create - a vCPU in the state after power-on
 * @vm: its machine; a reference is taken
 * @id: its number, not in use
 *
 * The caller makes it known to the others.  Returns it, or ERR_PTR(-ENOMEM).
 */
struct vitro_vcpu *vcpu_create(struct vitro_vm *vm, u32 id)
{
	struct vitro_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	refcount_inc(&vm->refs);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	vcpu->clock_cpu = -1;
	vcpu->tsc_offset = vm->tsc_offset;
	mutex_init(&vcpu->mutex);
	init_waitqueue_head(&vcpu->wait);
	lapic_init(vcpu);

	/* Of pages, for userspace to map: see dev.c. */
	vcpu->comm = __vmalloc(PAGE_ALIGN(sizeof(*vcpu->comm)), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	vcpu->state = kzalloc(sizeof(*vcpu->state), GFP_KERNEL_ACCOUNT);
	vcpu->xsave = host_xsave_alloc();
	if (!vcpu->comm || !vcpu->state || !vcpu->xsave ||
	    backend->vcpu_init(vcpu) || cpuid_set_default(vcpu) || glass_vcpu_init(vcpu)) {
		vcpu_free(vcpu);
		return ERR_PTR(-ENOMEM);
	}
	vcpu_reset(vcpu, true);
	return vcpu;
}

/**
 * vcpu_reset - the state after power-on or INIT (SDM 3A 10.1.1, APM 2 14.1.3)
 * @vcpu: the vCPU
 * @power_on: after power-on: everything.  INIT keeps the FPU, the MSRs and the TSC.
 */
void vcpu_reset(struct vitro_vcpu *vcpu, bool power_on)
{
	memset(&vcpu->regs, 0, sizeof(vcpu->regs));
	vcpu->regs.rip = 0xfff0;
	vcpu->regs.rflags = X86_EFLAGS_FIXED;
	/* CPUID Fn0000_0001_EAX, as the processor leaves it in EDX. */
	vcpu->regs.gpr[VITRO_RDX] = cpuid_eax(1);
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	vcpu->shadow = false;
	if (power_on) {
		host_xsave_reset(vcpu->xsave);
		vcpu->xcr0 = XFEATURE_MASK_FP;
		vcpu->tsc_aux = 0;
	}
	event_reset(vcpu);
	backend->vcpu_reset(vcpu, power_on);
	debug_reset(vcpu);
	lapic_reset(vcpu);
	/* A SIPI right behind the INIT may be here already. */
	if (power_on)
		vcpu->sipi_vector = -1;
	vcpu->mp_state = vcpu->id == 0 ? VITRO_MP_RUNNABLE : VITRO_MP_WAIT_SIPI;
}

/**
 * vcpu_kick - make the vCPU's thread look at what is new
 * @vcpu: the vCPU
 *
 * From any context.  The caller has made its news visible (irr, nmi_pending,
 * requests) before; either the burst then sees the news, or this sees the burst
 * (selftests/models/kick.pml).
 *
 * Without preemption, as the CPU may be about to go offline, and that takes a thread of
 * the highest priority on this one: then it would be interrupted when it is gone.
 */
void vcpu_kick(struct vitro_vcpu *vcpu)
{
	int cpu;

	preempt_disable();
	smp_mb();	/* pairs with enter_once() */
	if (READ_ONCE(vcpu->mode) == IN_GUEST) {
		cpu = READ_ONCE(vcpu->cpu);
		/* On this very CPU it cannot be in the guest: we are. */
		if (cpu != smp_processor_id())
			smp_send_reschedule(cpu);
	} else {
		wake_up(&vcpu->wait);
	}
	preempt_enable();
}

/* A start-up IPI ends the wait for it (SDM 3A 9.4.4). */
static void take_sipi(struct vitro_vcpu *vcpu, u8 vector)
{
	struct vitro_state *s = vcpu->state;
	struct vitro_segment *cs = &s->segs.seg[VITRO_CS];

	backend->store_state(vcpu, s, VITRO_STATE_SEGS);
	cs->selector = vector << 8;
	cs->base = vector << 12;
	backend->load_state(vcpu, s, VITRO_STATE_SEGS);
	vcpu->regs.rip = 0;
	vcpu->mp_state = VITRO_MP_RUNNABLE;
}

/* Writes what a clock's request asks for; if that fails, it is asked for still. */
static int write_clock(struct vitro_vcpu *vcpu, enum vcpu_request request,
		       int (*write)(struct vitro_vcpu *vcpu))
{
	int ret;

	if (!test_and_clear_bit(request, &vcpu->requests))
		return 0;
	ret = write(vcpu);
	if (ret)
		set_bit(request, &vcpu->requests);
	return ret;
}

/* What others asked of this vCPU.  Returns 0; -EIO when it can run no more; -ENOMEM, -EINTR. */
static int handle_requests(struct vitro_vcpu *vcpu)
{
	int ret;

	if (!READ_ONCE(vcpu->requests))
		return 0;
	if (test_bit(REQ_DEAD, &vcpu->requests))
		return -EIO;
	if (test_and_clear_bit(REQ_INIT, &vcpu->requests))
		vcpu_reset(vcpu, false);
	if (test_and_clear_bit(REQ_TIMER, &vcpu->requests))
		apic_timer_due(vcpu);
	ret = write_clock(vcpu, REQ_CLOCK, clock_write_page);
	return ret ?: write_clock(vcpu, REQ_WALL_CLOCK, clock_write_wall);
}

static bool wakes(struct vitro_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->requests))
		return true;
	if (vcpu->mp_state == VITRO_MP_WAIT_SIPI)
		return READ_ONCE(vcpu->sipi_vector) >= 0;
	return event_wakes(vcpu);
}

/* Sleeps until the vCPU has something to do, or a signal arrives. */
static void sleep_halted(struct vitro_vcpu *vcpu)
{
	int vector;

	apic_timer_sleep(vcpu);
	if (wait_event_interruptible(vcpu->wait, wakes(vcpu)))
		return;
	/* An INIT goes first, or it would undo the SIPI that came behind it. */
	if (READ_ONCE(vcpu->requests))
		return;
	if (vcpu->mp_state == VITRO_MP_HALTED && event_wakes(vcpu))
		vcpu->mp_state = VITRO_MP_RUNNABLE;
	if (vcpu->mp_state == VITRO_MP_WAIT_SIPI) {
		vector = xchg(&vcpu->sipi_vector, -1);
		if (vector >= 0)
			take_sipi(vcpu, vector);
	}
}

/* Remembers who runs this vCPU, for others to yield to. */
static void note_task(struct vitro_vcpu *vcpu)
{
	struct pid *old = rcu_dereference_protected(vcpu->task, lockdep_is_held(&vcpu->mutex));

	if (old == task_pid(current))
		return;
	rcu_assign_pointer(vcpu->task, get_task_pid(current, PIDTYPE_PID));
	if (old) {
		synchronize_rcu();
		put_pid(old);
	}
}

/* The thread of vCPU @id, if that could run and does not: a reference, or NULL. */
static struct task_struct *waiting_task(struct vitro_vm *vm, u32 id)
{
	struct task_struct *task = NULL;
	struct vitro_vcpu *vcpu;

	rcu_read_lock();
	vcpu = rcu_dereference(vm->vcpu[id]);
	if (vcpu && READ_ONCE(vcpu->mode) != IN_GUEST &&
	    READ_ONCE(vcpu->mp_state) == VITRO_MP_RUNNABLE)
		task = get_pid_task(rcu_dereference(vcpu->task), PIDTYPE_PID);
	rcu_read_unlock();
	return task;
}

/*
 * The guest spins, perhaps for a lock whose holder's thread is not running: give the
 * CPU to the next vCPU, by number, that has use for it.  If that one spins as well, it
 * does the same, so that after one round the holder had its turn.
 */
static void yield_to_other(struct vitro_vcpu *vcpu)
{
	bool yielded = false;
	u32 i;

	for (i = 1; i < VITRO_MAX_VCPUS && !yielded; i++) {
		struct task_struct *task;

		task = waiting_task(vcpu->vm, (vcpu->id + i) % VITRO_MAX_VCPUS);
		if (!task)
			continue;
		yielded = yield_to(task, true) > 0;	/* not if it sleeps or runs */
		put_task_struct(task);
	}
}

/* Resolves the second-level fault in vcpu->exit.  Returns a verdict or an errno. */
static int resolve_fault(struct vitro_vcpu *vcpu)
{
	struct vitro_exit *x = &vcpu->exit;
	int ret = tdp_fault(vcpu, x->mmio.gpa, x->mmio.flags);

	switch (ret) {
	case 0:
	case -EINTR:		/* the signal ends the run on the next round */
		return LEAVE;
	case 1:
		x->reason = VITRO_EXIT_MMIO;
		vcpu->stat[VITRO_STAT_EXIT_MMIO]++;
		return LEAVE_USER;
	case -EFAULT:
		x->reason = VITRO_EXIT_MEMFAULT;
		return LEAVE_USER;
	default:
		return ret;
	}
}

/**
 * vcpu_run - VITRO_RUN
 * @vcpu: the vCPU; its mutex is held
 *
 * Returns 0 with comm->exit filled; -EINVAL: a group marked dirty was refused;
 * -EBUSY: another hypervisor holds the CPU; -EIO: the address space is gone;
 * -ENOMEM.
 */
int vcpu_run(struct vitro_vcpu *vcpu)
{
	struct vitro_comm *comm = vcpu->comm;
	u64 dirty = READ_ONCE(comm->dirty);
	struct insn insn;
	int verdict;
	int ret;

	if (dirty) {
		ret = state_load(vcpu, dirty);
		if (ret)
			return ret;
		WRITE_ONCE(comm->dirty, 0);
	}
	vcpu->has_run = true;
	vcpu->debug.done = 0;
	note_task(vcpu);
	glass_place(vcpu, VITRO_PLACE_KERNEL);
	vcpu->stat[VITRO_STAT_RUNS]++;

	do {
		memset(&vcpu->exit, 0, sizeof(vcpu->exit));
		ret = handle_requests(vcpu);
		if (ret)
			return ret;
		/* Userspace may have ended an interrupt for the guest (VITRO_LAPIC_RW). */
		if (exit_eoi(vcpu))
			break;
		if (READ_ONCE(comm->immediate_exit) || vcpu_must_return()) {
			vcpu->exit.reason = VITRO_EXIT_INTR;
			break;
		}
		if (test_bit(REQ_DEADLINE, &vcpu->requests)) {
			vcpu->exit.reason = VITRO_EXIT_DEADLINE;
			break;
		}
		if (vcpu->mp_state == VITRO_MP_RUNNABLE && lapic_pic_asks(vcpu) &&
		    event_inta(vcpu)) {
			vcpu->exit.reason = VITRO_EXIT_INTA;
			break;
		}
		if (vcpu->mp_state == VITRO_MP_SHUTDOWN) {
			vcpu->exit.reason = VITRO_EXIT_SHUTDOWN;
			break;
		}
		if (vcpu->mp_state != VITRO_MP_RUNNABLE) {
			sleep_halted(vcpu);
			verdict = LEAVE;
			continue;
		}

		if (debug_steps(vcpu)) {
			ret = debug_look(vcpu);
			if (ret)
				return ret;
		}
		verdict = burst(vcpu);
		if (verdict == LEAVE_FAULT) {
			verdict = resolve_fault(vcpu);
			glass_reason(vcpu);
		}
		if (verdict < 0)
			return verdict;
		/* Bring its page in.  If it is not there, it is not there for the guest either. */
		if (verdict == LEAVE_FETCH && insn_fetch(vcpu, &insn, false) == -ENOMEM)
			return -ENOMEM;
		if (verdict == LEAVE_YIELD)
			yield_to_other(vcpu);
		if (verdict == LEAVE_HALT)
			vcpu->mp_state = VITRO_MP_HALTED;
		if (verdict != LEAVE_USER && debug_report(vcpu))
			verdict = LEAVE_USER;
		cond_resched();
	} while (verdict != LEAVE_USER);

	vcpu->stat[VITRO_STAT_TO_USER]++;
	state_store_exit(vcpu);
	if (vcpu->exit.reason == VITRO_EXIT_SHUTDOWN)
		glass_vcpu_event(vcpu, VITRO_EVENT_TRIPLE_FAULT);
	if (vcpu->exit.reason == VITRO_EXIT_FAIL_ENTRY)
		glass_vcpu_event(vcpu, VITRO_EVENT_ENTRY_FAILURE);
	glass_place(vcpu, VITRO_PLACE_USER);
	return 0;
}
