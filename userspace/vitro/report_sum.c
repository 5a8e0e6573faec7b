// SPDX-License-Identifier: GPL-2.0-or-later
/* Adding up a recording: by reason, by time taken, by time of the recording, by address. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/**
 * report_seconds - cycles as a time
 * @r: the report
 * @cycles: of the TSC
 *
 * Return: seconds.
 */
double report_seconds(const struct report *r, uint64_t cycles)
{
	return cycles / 1e3 / r->rec->header->tsc_khz;
}

/**
 * report_when - when it was that the guest exited
 * @r: the report
 * @e: the exit
 *
 * Return: seconds since the recording's first exit.
 */
double report_when(const struct report *r, const struct trace_entry *e)
{
	return report_seconds(r, e->record.tsc - r->rec->entry[0]->record.tsc);
}

/**
 * report_duration - how long an exit took
 * @r: the report
 * @e: it
 *
 * Return: seconds.
 */
double report_duration(const struct report *r, const struct trace_entry *e)
{
	return report_seconds(r, entry_cycles(e));
}

/**
 * place_of - how far an exit went
 * @e: it
 *
 * Return: enum vitro_place; the farthest if a newer module has one more.
 */
unsigned int place_of(const struct trace_entry *e)
{
	return e->record.place < VITRO_NR_PLACES ? e->record.place : VITRO_NR_PLACES - 1;
}

/**
 * report_quantile - the time that so many of the exits for a reason did not exceed
 * @r: the report
 * @reason: at least one exit
 * @share: how many of them: 0.5 for the median
 *
 * Return: seconds.
 */
double report_quantile(const struct report *r, const struct report_reason *reason, double share)
{
	return report_duration(r, reason->entry[(size_t)(share * (reason->nr - 1))]);
}

static unsigned int strip_bin(const struct report *r, const struct trace_entry *e)
{
	double bin = report_when(r, e) / r->seconds * STRIP_BINS;

	return bin < STRIP_BINS ? bin : STRIP_BINS - 1;
}

static unsigned int hist_bin(double seconds)
{
	double bin = seconds * 1e9 < 1 ? 0 : log10(seconds * 1e9) * HIST_STEPS;

	return bin < HIST_BINS ? bin : HIST_BINS - 1;
}

/* ----------------------------------------------------------------- by reason */

static void add(struct report *r, struct report_reason *reason, const struct trace_entry *e)
{
	int i;

	reason->nr++;
	for (i = 0; i < VITRO_NR_PLACES; i++)
		reason->cycles[i] += e->record.cycles[i];
	reason->hist[hist_bin(report_duration(r, e))][place_of(e)]++;
	reason->per_bin[strip_bin(r, e)]++;
}

/* What a newer module may call a reason counts as the last, which has no name. */
static unsigned int reason_of(const struct trace_entry *e)
{
	return e->record.reason < VITRO_NR_REASONS ? e->record.reason : VITRO_NR_REASONS - 1;
}

static int by_reason_and_time(const void *a, const void *b)
{
	const struct trace_entry *x = *(const struct trace_entry **)a;
	const struct trace_entry *y = *(const struct trace_entry **)b;
	uint64_t xc = entry_cycles(x), yc = entry_cycles(y);

	if (reason_of(x) != reason_of(y))
		return reason_of(x) < reason_of(y) ? -1 : 1;
	return xc < yc ? -1 : xc > yc;
}

static void sum_reasons(struct report *r)
{
	const struct trace_entry **next = r->sorted;
	unsigned int i, k;
	size_t n;

	for (n = 0; n < r->rec->nr; n++) {
		const struct trace_entry *e = r->rec->entry[n];

		add(r, &r->reason[reason_of(e)], e);
		add(r, &r->total, e);
		r->lost += e->lost;
		r->lost_per_bin[strip_bin(r, e)] += e->lost;
		r->vcpu[e->vcpu].nr++;
	}
	qsort(r->sorted, r->rec->nr, sizeof(*r->sorted), by_reason_and_time);
	for (i = 0; i < VITRO_NR_REASONS; i++) {
		r->reason[i].entry = next;
		next += r->reason[i].nr;
		if (!r->reason[i].nr)
			continue;
		for (k = r->nr_reasons++; k > 0; k--) {
			if (r->reason[r->order[k - 1]].nr >= r->reason[i].nr)
				break;
			r->order[k] = r->order[k - 1];
		}
		r->order[k] = i;
	}
}

/* ---------------------------------------------------------------- by address */

static int by_reason_and_address(const void *a, const void *b)
{
	const struct trace_entry *x = *(const struct trace_entry **)a;
	const struct trace_entry *y = *(const struct trace_entry **)b;

	if (reason_of(x) != reason_of(y))
		return reason_of(x) < reason_of(y) ? -1 : 1;
	return x->record.linear < y->record.linear ? -1 : x->record.linear > y->record.linear;
}

/* Into the list, if it is long enough for that. */
static void add_spot(struct report *r, const struct report_spot *spot)
{
	unsigned int k = r->nr_spots;

	if (k == NR_SPOTS && r->spot[k - 1].nr >= spot->nr)
		return;
	if (k < NR_SPOTS)
		r->nr_spots++;
	else
		k--;
	for (; k > 0 && r->spot[k - 1].nr < spot->nr; k--)
		r->spot[k] = r->spot[k - 1];
	r->spot[k] = *spot;
}

static bool sum_spots(struct report *r)
{
	const struct trace_entry **sorted = malloc(r->rec->nr * sizeof(*sorted));
	size_t i, k;

	if (!sorted)
		return false;
	memcpy(sorted, r->rec->entry, r->rec->nr * sizeof(*sorted));
	qsort(sorted, r->rec->nr, sizeof(*sorted), by_reason_and_address);
	for (i = 0; i < r->rec->nr; i = k) {
		struct report_spot spot = { .example = sorted[i] };

		for (k = i; k < r->rec->nr && !by_reason_and_address(&sorted[i], &sorted[k]);
		     k++) {
			spot.nr++;
			spot.cycles += entry_cycles(sorted[k]);
			if (entry_cycles(sorted[k]) > entry_cycles(spot.example))
				spot.example = sorted[k];
		}
		/* The host's interrupts come wherever the guest happens to be. */
		if (spot.example->record.reason != VITRO_INNER_HOST)
			add_spot(r, &spot);
	}
	free(sorted);
	return true;
}

/* ---------------------------------------------------------------------------- */

/**
 * report_sum - add up a recording
 * @r: filled in, but for the name; report_free() is due in any case
 * @rec: the recording, of at least one exit
 *
 * Return: false when there is not enough memory.
 */
bool report_sum(struct report *r, const struct recording *rec)
{
	size_t i;

	memset(r, 0, sizeof(*r));
	r->rec = rec;
	for (i = 0; i < rec->nr; i++) {
		double end = report_when(r, rec->entry[i]) + report_duration(r, rec->entry[i]);

		if (end > r->seconds)
			r->seconds = end;
	}
	if (r->seconds * 1e9 < 1)
		r->seconds = 1 / 1e9;	/* it is a divisor */
	r->sorted = malloc(rec->nr * sizeof(*r->sorted));
	if (!r->sorted)
		return false;
	memcpy(r->sorted, rec->entry, rec->nr * sizeof(*r->sorted));
	sum_reasons(r);
	if (rec->header->lost > r->lost)	/* some of them after the last record */
		r->lost = rec->header->lost;
	return sum_spots(r) && lanes_fill(r);
}

/**
 * report_free - undo report_sum()
 * @r: the report
 */
void report_free(struct report *r)
{
	unsigned int i;

	for (i = 0; i < r->rec->header->nr_vcpus; i++)
		free(r->vcpu[i].bin);
	free(r->sorted);
}
