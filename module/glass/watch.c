// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the time of an exit goes: a stopwatch that runs from the exit to the next
 * entry, with one hand for each place that the vCPU's thread comes through.
 *
 * All of it belongs to the vCPU's own thread: no lock and no atomic operation is in
 * the way of an exit.  Readers see single words grow.
 */
#include <linux/slab.h>
#include <asm/tsc.h>

#define CREATE_TRACE_POINTS
#include "glass/trace.h"

#include "glass/glass.h"

/* A watched exit that is longer in userspace is an event, at most one a second and vCPU. */
#define SLOW_MS		100

DEFINE_STATIC_KEY_DEFERRED_FALSE(glass_key, HZ);

/**
 * glass_vcpu_init - what a new vCPU needs
 * @vcpu: the vCPU, which frees its times by itself, as readers hold them under RCU
 *
 * Returns 0 or -ENOMEM.
 */
int glass_vcpu_init(struct vitro_vcpu *vcpu)
{
	vcpu->glass.times = kvzalloc(sizeof(*vcpu->glass.times), GFP_KERNEL_ACCOUNT);
	return vcpu->glass.times ? 0 : -ENOMEM;
}

static void count(struct vitro_times *t, const struct glass_vcpu *g)
{
	u64 all = 0;
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++) {
		WRITE_ONCE(t->cycles[i], t->cycles[i] + g->cycles[i]);
		all += g->cycles[i];
	}
	i = min(all ? __fls(all) : 0, VITRO_NR_BUCKETS - 1ul);
	WRITE_ONCE(t->bucket[i], t->bucket[i] + 1);
	if (all < t->min || !t->max)
		WRITE_ONCE(t->min, all);
	if (all > t->max)
		WRITE_ONCE(t->max, all);
	WRITE_ONCE(t->nr[g->furthest], t->nr[g->furthest] + 1);
}

static bool is_open(const struct vitro_vcpu *vcpu)
{
	return vcpu->glass.open && vcpu->glass.open == vcpu->stat[VITRO_STAT_EXITS];
}

/**
 * glass_note_place - the vCPU's thread has come to another place
 * @vcpu: the vCPU
 * @place: where
 *
 * Also in a burst, but not to PLACE_USER.
 */
void glass_note_place(struct vitro_vcpu *vcpu, enum vitro_place place)
{
	struct glass_vcpu *g = &vcpu->glass;
	u64 now;

	if (!is_open(vcpu))
		return;
	now = rdtsc_ordered();
	if (g->place == VITRO_PLACE_BURST)
		g->reason = vcpu->exit.reason;
	g->cycles[g->place] += now - g->mark;
	if (g->place == VITRO_PLACE_USER && READ_ONCE(vcpu->vm->glass.watched) &&
	    now - g->mark > (u64)tsc_khz * SLOW_MS &&
	    now - g->slow_tsc > (u64)tsc_khz * MSEC_PER_SEC) {
		g->slow_tsc = now;
		glass_vcpu_event(vcpu, VITRO_EVENT_SLOW_USER);
	}
	g->place = place;
	g->furthest = max_t(u8, g->furthest, place);
	g->mark = now;
	if (g->ring && place != VITRO_PLACE_BURST)
		ring_update(vcpu);
}

/**
 * glass_note_reason - what the exit is was not known in the burst
 * @vcpu: the vCPU
 */
void glass_note_reason(struct vitro_vcpu *vcpu)
{
	vcpu->glass.reason = vcpu->exit.reason;
}

/**
 * glass_note_entry - the guest is entered: the exit is over
 * @vcpu: in a burst
 */
void glass_note_entry(struct vitro_vcpu *vcpu)
{
	struct glass_vcpu *g = &vcpu->glass;

	if (!is_open(vcpu))
		return;
	glass_note_place(vcpu, g->place);
	g->open = 0;
	if (READ_ONCE(vcpu->vm->glass.watched) && g->reason < VITRO_NR_REASONS)
		count(&g->times->reason[g->reason], g);
	if (g->ring) {
		ring_complete(vcpu);
		ring_update(vcpu);
	}
}

/**
 * glass_note_exit - the guest has exited
 * @vcpu: in a burst
 *
 * The key may be on for the sake of another VM, or because it was needed a moment ago.
 */
void glass_note_exit(struct vitro_vcpu *vcpu)
{
	struct glass_vcpu *g = &vcpu->glass;

	g->open = 0;
	if (!g->ring && !READ_ONCE(vcpu->vm->glass.watched))
		return;
	g->mark = rdtsc_ordered();
	g->open = vcpu->stat[VITRO_STAT_EXITS];
	g->place = VITRO_PLACE_BURST;
	g->furthest = VITRO_PLACE_BURST;
	g->reason = vcpu->exit.reason;
	memset(g->cycles, 0, sizeof(g->cycles));
	if (g->ring)
		ring_add(vcpu);
}
