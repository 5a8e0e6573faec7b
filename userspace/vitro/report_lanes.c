// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where each vCPU was at each moment: a recording as stretches of time in lanes, and
 * the share of each lane in each column of the timeline.
 */
#include <stdlib.h>

#include "report.h"

/**
 * struct walker - a vCPU on the way through the recording
 * @entered: when the guest was last entered, in seconds
 * @seen: it was
 */
struct walker {
	double entered;
	bool seen;
};

/**
 * lane_of - the lane of an exit's time
 * @reason: of the exit
 * @place: enum vitro_place
 *
 * Return: the lane.
 */
enum lane lane_of(unsigned int reason, unsigned int place)
{
	if (place == VITRO_PLACE_BURST)
		return LANE_BURST;
	if (place == VITRO_PLACE_USER)
		return LANE_USER;
	return reason == VITRO_EXIT_HLT ? LANE_ASLEEP : LANE_KERNEL;
}

/**
 * lanes_walk - the recording as stretches of time
 * @r: the report
 * @fn: called for each: those of a vCPU come in their order
 * @opaque: its last argument
 *
 * A record has how long the exit was in each place, not in which turn: it begins in the burst,
 * and userspace, if it came to that, is the end.  Stretches of the guest are given with the exit
 * that ends them.
 */
void lanes_walk(const struct report *r, lane_fn fn, void *opaque)
{
	struct walker walker[VITRO_MAX_VCPUS] = { { 0 } };
	size_t i;
	int k;

	for (i = 0; i < r->rec->nr; i++) {
		const struct trace_entry *e = r->rec->entry[i];
		struct walker *w = &walker[e->vcpu];
		double at = report_when(r, e);

		if (w->seen)
			fn(e->vcpu, e->lost ? NR_LANES : LANE_GUEST, w->entered, at, e, opaque);
		for (k = 0; k < VITRO_NR_PLACES; k++) {
			double end = at + report_seconds(r, e->record.cycles[k]);

			if (end > at)
				fn(e->vcpu, lane_of(e->record.reason, k), at, end, e, opaque);
			at = end;
		}
		w->entered = at;
		w->seen = true;
	}
}

static void fill(unsigned int vcpu, enum lane lane, double start, double end,
		 const struct trace_entry *e, void *opaque)
{
	struct report *r = opaque;
	struct report_vcpu *v = &r->vcpu[vcpu];
	double width = r->seconds / r->nr_bins;
	unsigned int i;

	(void)e;
	if (lane == NR_LANES || end <= start)
		return;
	v->seconds[lane] += end - start;
	for (i = start / width; i < r->nr_bins && i * width < end; i++) {
		double from = start > i * width ? start : i * width;
		double to = end < (i + 1) * width ? end : (i + 1) * width;

		if (to > from)
			v->bin[i][lane] += to - from;
	}
}

/**
 * lanes_fill - the timelines of all vCPUs
 * @r: the report, whose seconds are known
 *
 * Return: false when there is not enough memory.
 */
bool lanes_fill(struct report *r)
{
	unsigned int nr = r->rec->header->nr_vcpus, i;

	/* So that the page of a large machine does not become too long. */
	r->nr_bins = nr <= 8 ? MAX_LANE_BINS : MAX_LANE_BINS * 8 / nr;
	for (i = 0; i < nr; i++) {
		r->vcpu[i].bin = calloc(r->nr_bins, sizeof(*r->vcpu[i].bin));
		if (!r->vcpu[i].bin)
			return false;
	}
	lanes_walk(r, fill, r);
	return true;
}
