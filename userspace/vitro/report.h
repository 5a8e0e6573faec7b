/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report: a recording in figures and tables, as one page of HTML.
 *
 * report_sum.c adds up, report_lanes.c divides time among bins, report_svg.c draws,
 * report_page.c has words and tables, report_style.c the looks, html.c what all print with.
 */
#ifndef VITRO_REPORT_H
#define VITRO_REPORT_H

#include <stdio.h>

#include "recording.h"

#define STRIP_BINS	240	/* columns of the boot strip */
#define MAX_LANE_BINS	960	/* columns of the timeline, with few vCPUs */
#define HIST_STEPS	6	/* columns of a histogram for a factor of ten */
#define HIST_DECADES	12	/* from 1 ns on */
#define HIST_BINS	(HIST_STEPS * HIST_DECADES)

#define NR_LONGEST	3	/* exits listed for one reason */
#define NR_SPOTS	16	/* places in the guest's code that are listed */
#define CLOSE_UP	40	/* exits in the close-up */

/**
 * enum lane - where a vCPU is at a moment
 * @LANE_ASLEEP: in the kernel, because of HLT; drawn in the kernel's lane
 */
enum lane {
	LANE_GUEST,
	LANE_BURST,
	LANE_KERNEL,
	LANE_USER,
	LANE_ASLEEP,
	NR_LANES
};

/**
 * struct report_reason - the exits for one reason
 * @nr: exits
 * @cycles: they took together, by place
 * @entry: @nr of them, the shortest first
 * @hist: by time and by the place they went to
 * @per_bin: by the strip's column
 */
struct report_reason {
	uint64_t nr;
	__u64 cycles[VITRO_NR_PLACES];
	const struct trace_entry **entry;
	uint32_t hist[HIST_BINS][VITRO_NR_PLACES];
	uint32_t per_bin[STRIP_BINS];
};

/**
 * struct report_vcpu - one vCPU's time
 * @nr: exits
 * @seconds: in each lane
 * @bin: @nr_bins of the report: seconds in each lane in that column of the timeline
 */
struct report_vcpu {
	uint64_t nr;
	double seconds[NR_LANES];
	double (*bin)[NR_LANES];
};

/**
 * struct report_spot - a place in the guest's code that exits
 * @nr: so often
 * @cycles: all these exits together
 * @example: the longest of them
 */
struct report_spot {
	uint64_t nr;
	uint64_t cycles;
	const struct trace_entry *example;
};

/**
 * struct report - what the page tells
 * @rec: the recording, of at least one exit
 * @name: what to call it
 * @seconds: from the first exit to the end of the last
 * @lost: exits that are missing, also those that no record tells of
 * @lost_per_bin: by the strip's column
 * @total: all reasons together; its @entry is NULL
 * @reason: each of them
 * @order: @nr_reasons reasons that there are, most frequent first
 * @vcpu: @nr_bins: the timelines of the recording's vCPUs
 * @spot: @nr_spots: most frequent first
 * @sorted: what @reason's @entry point into
 */
struct report {
	const struct recording *rec;
	const char *name;
	double seconds;
	uint64_t lost;
	uint32_t lost_per_bin[STRIP_BINS];
	struct report_reason total;
	struct report_reason reason[VITRO_NR_REASONS];
	unsigned int order[VITRO_NR_REASONS];
	unsigned int nr_reasons;
	struct report_vcpu vcpu[VITRO_MAX_VCPUS];
	unsigned int nr_bins;
	struct report_spot spot[NR_SPOTS];
	unsigned int nr_spots;
	const struct trace_entry **sorted;
};

/* Called by lanes_walk() for each stretch of time; lost stretches are of no lane: NR_LANES. */
typedef void (*lane_fn)(unsigned int vcpu, enum lane lane, double start, double end,
			const struct trace_entry *e, void *opaque);

/* report_sum.c */
bool report_sum(struct report *r, const struct recording *rec);
void report_free(struct report *r);
double report_seconds(const struct report *r, uint64_t cycles);
double report_when(const struct report *r, const struct trace_entry *e);
double report_duration(const struct report *r, const struct trace_entry *e);
double report_quantile(const struct report *r, const struct report_reason *reason, double share);
unsigned int place_of(const struct trace_entry *e);

/* report_lanes.c */
enum lane lane_of(unsigned int reason, unsigned int place);
bool lanes_fill(struct report *r);
void lanes_walk(const struct report *r, lane_fn fn, void *opaque);

/* report_svg.c */
void svg_strip(FILE *out, const struct report *r);
void svg_timeline(FILE *out, const struct report *r);
void svg_close_up(FILE *out, const struct report *r);
void svg_histograms(FILE *out, const struct report *r);
void svg_shares(FILE *out, const double part[NR_LANES]);
const char *lane_name(enum lane lane);

/* report_page.c */
void report_page(FILE *out, const struct report *r);

/* report_style.c */
extern const char report_style[];

/* html.c */
void html_text(FILE *out, const char *s);
void html_count(FILE *out, uint64_t n);
const char *html_time(double seconds, char buf[24]);
const char *html_percent(double share, char buf[24]);

#endif /* VITRO_REPORT_H */
