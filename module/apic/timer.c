// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer (SDM 3A 11.5.4) on a high-resolution timer of the host.
 *
 * The timer counts at 1 GHz before the divider: one count is one nanosecond, which
 * is also what KVM tells guests.  The current count is not kept but worked out
 * from the time that is left.
 *
 * The callback runs in hard interrupt context even on PREEMPT_RT (mode HARD), for
 * two reasons: all it does is set a bit and kick a vCPU; and registers are written
 * in bursts, with interrupts off, where cancelling a timer that runs in a softirq
 * thread would have to sleep.
 *
 * From the host's timer interrupt until the guest can have its own takes a microsecond or
 * two.  For a TSC deadline, which is exact, the host's timer is set that much ahead, as
 * each vCPU learns, and the vCPU's own thread waits for the rest: apic_timer_due().
 * Before its deadline the guest finds no trace of that.
 *
 * Where the CPU itself can leave the guest at a TSC deadline (backend->watches_deadline), no
 * timer of the host's is set for it: nobody but the guest waits for it, and while it does
 * not run, its next entry is soon enough.  But not if it sleeps: apic_timer_sleep().
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <asm/tsc.h>

#include "apic/apic.h"
#include "compat/compat.h"
#include "core/backend.h"
#include "glass/trace.h"

#define TIMER_MODE_BITS		(3U << 17)

/*
 * No periodic interrupts faster than this: 5000 a second, five times what the
 * fastest guests in use ask for (HZ=1000).  Only periodic mode needs a bound: in
 * the others each interrupt takes a register access of the guest.
 */
#define MIN_PERIOD_NS		(200 * NSEC_PER_USEC)

/* How far ahead a TSC deadline is looked at; then the callback looks again. */
#define MAX_DEADLINE_S		3600

/* A vCPU that takes longer than this sleeps, or its thread had to wait for a CPU. */
#define MAX_LEAD_US		5

static u32 timer_mode(const struct lapic *apic)
{
	return READ_ONCE(apic->lvt[LVT_TIMER]) & TIMER_MODE_BITS;
}

/* Bits 3, 1 and 0 are 0 to 7 for 2, 4, 8, 16, 32, 64, 128, 1 (SDM 3A figure 11-10). */
static u32 divide_shift(const struct lapic *apic)
{
	u32 dcr = READ_ONCE(apic->timer_dcr);

	return (((dcr & 8) >> 1 | (dcr & 3)) + 1) & 7;
}

/* Nanoseconds of one whole count. */
static u64 period_ns(const struct lapic *apic)
{
	u64 ns = (u64)READ_ONCE(apic->timer_icr) << divide_shift(apic);

	if (timer_mode(apic) == APIC_LVT_TIMER_PERIODIC)
		ns = max_t(u64, ns, MIN_PERIOD_NS);
	return ns;
}

/* Nanoseconds, at most MAX_DEADLINE_S, until the guest's TSC reaches @deadline. */
static u64 ns_until(struct vitro_vcpu *vcpu, u64 deadline)
{
	u64 now = clock_guest_tsc(vcpu);
	u64 cycles;

	if (deadline <= now)
		return 0;
	cycles = min_t(u64, deadline - now, (u64)tsc_khz * MSEC_PER_SEC * MAX_DEADLINE_S);
	return mul_u64_u64_div_u64(cycles, NSEC_PER_MSEC, tsc_khz) + 1;
}

static void fire_in(struct lapic *apic, u64 ns)
{
	hrtimer_start(&apic->timer, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS_HARD);
}

/* Nanoseconds until the host's timer is to fire for the deadline, ahead of it. */
static u64 ns_until_lead(struct vitro_vcpu *vcpu)
{
	u64 deadline = READ_ONCE(vcpu->apic.tsc_deadline);

	return ns_until(vcpu, deadline - min(deadline, READ_ONCE(vcpu->apic.timer_lead)));
}

static void deadline_over(struct vitro_vcpu *vcpu)
{
	vcpu->apic.timer_watched = false;
	WRITE_ONCE(vcpu->apic.tsc_deadline, 0);
	lapic_fire_lvt(vcpu, LVT_TIMER);
}

/* The timer is stopped; start it for the deadline, or fire if that is in the past. */
static void start_host_timer(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;
	u64 ns = ns_until_lead(vcpu);

	if (ns)
		fire_in(apic, ns);
	else if (apic->tsc_deadline > clock_guest_tsc(vcpu))
		vcpu_request(vcpu, REQ_TIMER);
	else
		deadline_over(vcpu);
}

/* Likewise, or have the CPU watch for the deadline. */
static void start_deadline(struct vitro_vcpu *vcpu)
{
	if (backend->watches_deadline)
		vcpu->apic.timer_watched = true;
	else
		start_host_timer(vcpu);
}

static enum hrtimer_restart timer_fired(struct hrtimer *timer)
{
	struct vitro_vcpu *vcpu = container_of(timer, struct vitro_vcpu, apic.timer);
	struct lapic *apic = &vcpu->apic;
	u64 ns;

	trace_vitro_timer(vcpu, READ_ONCE(apic->lvt[LVT_TIMER]));
	switch (timer_mode(apic)) {
	case APIC_LVT_TIMER_TSCDEADLINE:
		/* The host's clock is not quite the TSC: it is disciplined by NTP. */
		ns = ns_until_lead(vcpu);
		if (ns) {
			hrtimer_set_expires(timer, ktime_add_ns(ktime_get(), ns));
			return HRTIMER_RESTART;
		}
		vcpu_request(vcpu, REQ_TIMER);
		return HRTIMER_NORESTART;
	case APIC_LVT_TIMER_PERIODIC:
		lapic_fire_lvt(vcpu, LVT_TIMER);
		hrtimer_forward(timer, ktime_get(), ns_to_ktime(period_ns(apic)));
		return HRTIMER_RESTART;
	default:
		lapic_fire_lvt(vcpu, LVT_TIMER);
		return HRTIMER_NORESTART;
	}
}

/**
 * apic_timer_init - prepare the timer of a new vCPU
 * @vcpu: the vCPU
 */
void apic_timer_init(struct vitro_vcpu *vcpu)
{
	compat_hrtimer_setup(&vcpu->apic.timer, timer_fired, CLOCK_MONOTONIC,
			     HRTIMER_MODE_ABS_HARD);
}

/**
 * apic_timer_stop - disarm the timer and forget what it was set to
 * @vcpu: the vCPU
 *
 * When it returns, the callback does not run and will not.
 */
void apic_timer_stop(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;

	hrtimer_cancel(&apic->timer);
	clear_bit(REQ_TIMER, &vcpu->requests);
	apic->timer_watched = false;
	WRITE_ONCE(apic->timer_icr, 0);
	WRITE_ONCE(apic->tsc_deadline, 0);
}

/**
 * apic_timer_start - write the initial count
 * @vcpu: the vCPU
 * @count: 0 stops the timer; ignored in TSC-deadline mode (SDM 3A 11.5.4.1)
 */
void apic_timer_start(struct vitro_vcpu *vcpu, u32 count)
{
	struct lapic *apic = &vcpu->apic;

	if (timer_mode(apic) == APIC_LVT_TIMER_TSCDEADLINE)
		return;
	hrtimer_cancel(&apic->timer);
	WRITE_ONCE(apic->timer_icr, count);
	if (count)
		fire_in(apic, period_ns(apic));
}

/**
 * apic_timer_count - read the current count
 * @vcpu: the vCPU
 *
 * Return: the counts that are left; 0 when stopped or in TSC-deadline mode.
 */
u32 apic_timer_count(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;
	u32 shift = divide_shift(apic);
	s64 ns;

	if (timer_mode(apic) == APIC_LVT_TIMER_TSCDEADLINE || !hrtimer_active(&apic->timer))
		return 0;
	ns = ktime_to_ns(hrtimer_get_remaining(&apic->timer));
	if (ns <= 0)
		return 0;
	/* Rounded up: 0 means that it has fired.  A stretched period starts high. */
	return min_t(u64, (ns + BIT(shift) - 1) >> shift, apic->timer_icr);
}

/**
 * apic_timer_set_mode - prepare for a new value of the timer's LVT entry
 * @vcpu: the vCPU
 * @lvt: the value, not yet in the entry
 *
 * Into and out of TSC-deadline mode the timer is disarmed (SDM 3A 11.5.4.1).
 * Between one-shot and periodic the count goes on, and its end finds the new mode.
 */
void apic_timer_set_mode(struct vitro_vcpu *vcpu, u32 lvt)
{
	bool was = timer_mode(&vcpu->apic) == APIC_LVT_TIMER_TSCDEADLINE;
	bool is = (lvt & TIMER_MODE_BITS) == APIC_LVT_TIMER_TSCDEADLINE;

	if (was != is)
		apic_timer_stop(vcpu);
}

/**
 * apic_timer_set_divide - write the divide configuration
 * @vcpu: the vCPU
 * @dcr: the register's value
 *
 * A running timer keeps its current count, which goes on at the new rate.
 */
void apic_timer_set_divide(struct vitro_vcpu *vcpu, u32 dcr)
{
	struct lapic *apic = &vcpu->apic;
	u32 left = apic_timer_count(vcpu);
	bool armed = false;

	if (timer_mode(apic) != APIC_LVT_TIMER_TSCDEADLINE)
		armed = hrtimer_cancel(&apic->timer);
	WRITE_ONCE(apic->timer_dcr, dcr);
	if (armed)
		fire_in(apic, (u64)left << divide_shift(apic));
}

/**
 * apic_timer_set_deadline - write IA32_TSC_DEADLINE
 * @vcpu: the vCPU
 * @guest_tsc: the deadline; 0 disarms; one in the past fires at once
 *
 * Ignored in the other modes (SDM 3A 11.5.4.1), where the MSR, which is
 * vcpu->apic.tsc_deadline, reads zero.
 */
void apic_timer_set_deadline(struct vitro_vcpu *vcpu, u64 guest_tsc)
{
	struct lapic *apic = &vcpu->apic;

	if (timer_mode(apic) != APIC_LVT_TIMER_TSCDEADLINE)
		return;
	hrtimer_cancel(&apic->timer);
	if (READ_ONCE(vcpu->requests))
		clear_bit(REQ_TIMER, &vcpu->requests);
	apic->timer_watched = false;
	WRITE_ONCE(apic->tsc_deadline, guest_tsc);
	if (guest_tsc)
		start_deadline(vcpu);
}

/**
 * apic_timer_tsc_moved - vcpu->tsc_offset changed: an armed deadline is elsewhere now
 * @vcpu: the vCPU
 */
void apic_timer_tsc_moved(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;

	if (timer_mode(apic) == APIC_LVT_TIMER_TSCDEADLINE && hrtimer_cancel(&apic->timer))
		start_deadline(vcpu);
}

/* The thread came @late ticks after the deadline, or before it: an eighth of that is learned. */
static void learn_lead(struct lapic *apic, s64 late)
{
	s64 most = (s64)tsc_khz * MAX_LEAD_US / USEC_PER_MSEC;

	if (late < most)
		WRITE_ONCE(apic->timer_lead, clamp_t(s64, apic->timer_lead + late / 8, 0, most));
}

/**
 * apic_timer_due - REQ_TIMER: a TSC deadline is over, or about to be
 * @vcpu: the vCPU, on its own thread, outside of a burst
 *
 * Waits for the rest, MAX_LEAD_US at most, and fires.
 */
void apic_timer_due(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;
	u64 deadline = apic->tsc_deadline;

	if (!deadline)
		return;
	/* The guest's TSC was set back meanwhile. */
	if (ns_until_lead(vcpu)) {
		start_deadline(vcpu);
		return;
	}
	learn_lead(apic, clock_guest_tsc(vcpu) - deadline);
	while (clock_guest_tsc(vcpu) < deadline)
		cpu_relax();
	deadline_over(vcpu);
}

/**
 * apic_timer_sleep - the vCPU is about to sleep: the CPU watches for no deadline of its
 * @vcpu: the vCPU, on its own thread
 */
void apic_timer_sleep(struct vitro_vcpu *vcpu)
{
	if (!vcpu->apic.timer_watched)
		return;
	vcpu->apic.timer_watched = false;
	start_host_timer(vcpu);
}

/**
 * apic_timer_over - the CPU has left the guest for its deadline, or for another reason
 * @vcpu: the vCPU, in a burst
 *
 * Return: true if the deadline is over.  The timer has fired then.
 */
bool apic_timer_over(struct vitro_vcpu *vcpu)
{
	struct lapic *apic = &vcpu->apic;

	if (!apic->timer_watched || clock_guest_tsc(vcpu) < apic->tsc_deadline)
		return false;
	trace_vitro_timer(vcpu, apic->lvt[LVT_TIMER]);
	deadline_over(vcpu);
	return true;
}
