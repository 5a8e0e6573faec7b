// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The figures of a report.  A figure is rows of a label, a drawing and a sum.  The drawing
 * is SVG that is stretched to the room there is; text is never in it, lest it be
 * stretched, too, but beside it, or, along the axes, placed by percentages.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "family.h"
#include "report.h"

#define MAX_TICKS	12
#define NR_LEVELS	5	/* shades of the strip, a factor of ten each */
#define NAME_PERCENT	1.7	/* width of a letter, on a narrow page, in percent of the drawing */
#define HOVER_BINS	8	/* columns of the timeline that one tool tip is for */

/**
 * struct axis - a scale along the bottom of a figure
 * @nr: ticks
 * @at: where they are, from 0 to 1
 * @label: what they say
 */
struct axis {
	unsigned int nr;
	double at[MAX_TICKS];
	char label[MAX_TICKS][24];
};

/**
 * lane_name - the name of a lane, which is also its class in the page's style
 * @lane: it
 *
 * Return: the name.
 */
const char *lane_name(enum lane lane)
{
	static const char *const names[NR_LANES] = {
		[LANE_GUEST] = "guest", [LANE_BURST] = "burst", [LANE_KERNEL] = "kernel",
		[LANE_USER] = "user", [LANE_ASLEEP] = "asleep",
	};

	return names[lane];
}

/* ---------------------------------------------------------------------- axes */

/* The largest of 1, 2, 5, 10, ... with which @nr steps do not exceed @all. */
static double nice_step(double all, int nr)
{
	double least = all / nr, decade = pow(10, floor(log10(least)));

	if (least <= decade)
		return decade;
	if (least <= 2 * decade)
		return 2 * decade;
	return least <= 5 * decade ? 5 * decade : 10 * decade;
}

/* All ticks of an axis have the same unit, fit for its longest time. */
static struct axis time_axis(double seconds)
{
	static const char *const units[] = { "ns", "\xc2\xb5s", "ms", "s" };
	double step = nice_step(seconds, 6), scale = 1e9;
	struct axis axis = { .nr = 0 };
	unsigned int unit = 0;

	while (unit < 3 && seconds * scale >= 1000) {
		scale /= 1e3;
		unit++;
	}
	for (; axis.nr < MAX_TICKS && axis.nr * step <= seconds; axis.nr++) {
		axis.at[axis.nr] = axis.nr * step / seconds;
		snprintf(axis.label[axis.nr], sizeof(axis.label[0]), "%g\xc2\xa0%s",
			 axis.nr * step * scale, units[unit]);
	}
	return axis;
}

static void print_grid(FILE *out, const struct axis *axis, double width, double height)
{
	unsigned int i;

	fputs("<path class=\"grid\" d=\"", out);
	for (i = 0; i < axis->nr; i++)
		fprintf(out, "M%.2f 0v%g", axis->at[i] * width, height);
	fputs("\"/>", out);
}

static void print_axis(FILE *out, const struct axis *axis)
{
	unsigned int i;

	fputs("<div class=\"row axis\"><span></span><svg aria-hidden=\"true\">", out);
	for (i = 0; i < axis->nr; i++)
		fprintf(out, "<text x=\"%.2f%%\" y=\"13\"%s>%s</text>", axis->at[i] * 100,
			axis->at[i] < 0.02 ? " class=\"first\"" :
			axis->at[i] > 0.96 ? " class=\"last\"" : "", axis->label[i]);
	fputs("</svg><span></span></div>\n", out);
}

/* A drawing of so many units.  Its description is for those who do not see it. */
__attribute__((format(printf, 4, 5)))
static void begin_svg(FILE *out, double width, double height, const char *fmt, ...)
{
	va_list args;

	fprintf(out, "<svg viewBox=\"0 0 %g %g\" preserveAspectRatio=\"none\" role=\"img\">", width,
		height);
	fputs("<desc>", out);
	va_start(args, fmt);
	vfprintf(out, fmt, args);
	va_end(args);
	fputs("</desc>", out);
}

/* --------------------------------------------------------------- the boot strip */

static double bin_rate(const struct report *r, uint64_t nr)
{
	return nr * STRIP_BINS / r->seconds;
}

static uint32_t max_bin(const uint32_t bin[STRIP_BINS])
{
	uint32_t max = 1;
	int i;

	for (i = 0; i < STRIP_BINS; i++) {
		if (bin[i] > max)
			max = bin[i];
	}
	return max;
}

static void print_bin_title(FILE *out, const struct report *r, unsigned int i, uint32_t nr)
{
	char when[24];

	fprintf(out, "<title>%s: ", html_time(r->seconds * i / STRIP_BINS, when));
	html_count(out, nr);
	fputs("</title></rect>", out);
}

/* All exits, as bars. */
static void strip_bars(FILE *out, const struct report *r, const struct axis *axis)
{
	double highest = bin_rate(r, max_bin(r->total.per_bin));
	double top = nice_step(highest, 1);
	unsigned int i;

	fputs("<div class=\"row bars\"><span class=\"scale\"><small>", out);
	html_count(out, top);
	fputs("/s</small><b>all</b><small>0</small></span>", out);
	begin_svg(out, STRIP_BINS, 100, "Exits a second over time, up to %.0f", highest);
	print_grid(out, axis, STRIP_BINS, 100);
	for (i = 0; i < STRIP_BINS; i++) {
		double height = 100 * bin_rate(r, r->total.per_bin[i]) / top;

		if (!height)
			continue;
		fprintf(out, "<rect class=\"bar\" width=\"1\" x=\"%u\" ", i);
		fprintf(out, "y=\"%.1f\" height=\"%.1f\">", 100 - height, height);
		print_bin_title(out, r, i, r->total.per_bin[i]);
	}
	fputs("</svg><span class=\"sum\">", out);
	html_count(out, r->total.nr);
	fputs("</span></div>\n", out);
}

/* One reason, as shades: level NR_LEVELS is the decade of @highest. */
static void strip_shades(FILE *out, const struct report *r, const char *name, uint64_t nr,
			 const uint32_t bin[STRIP_BINS], int highest)
{
	unsigned int i;

	fprintf(out, "<div class=\"row shades\"><span>%s</span>", name);
	begin_svg(out, STRIP_BINS, 1, "%s over time: %" PRIu64, name, nr);
	for (i = 0; i < STRIP_BINS; i++) {
		int level;

		if (!bin[i])
			continue;
		level = NR_LEVELS - highest + (int)floor(log10(bin_rate(r, bin[i])));
		fprintf(out, "<rect class=\"l%d\" x=\"%u\" width=\"1\" height=\"1\">",
			level < 1 ? 1 : level > NR_LEVELS ? NR_LEVELS : level, i);
		print_bin_title(out, r, i, bin[i]);
	}
	fputs("</svg><span class=\"sum\">", out);
	html_count(out, nr);
	fputs("</span></div>\n", out);
}

static void strip_legend(FILE *out, int highest)
{
	int level;

	fputs("<ul class=\"legend\"><li>exits/s:</li>", out);
	for (level = 1; level <= NR_LEVELS; level++) {
		fputs("<li><svg viewBox=\"0 0 1 1\" aria-hidden=\"true\">", out);
		fprintf(out, "<rect class=\"l%d\" width=\"1\" height=\"1\"/></svg>", level);
		if (level == 1) {
			fputs("below ", out);
			html_count(out, pow(10, highest - NR_LEVELS + 2));
		} else {
			fputs("from ", out);
			html_count(out, pow(10, highest - NR_LEVELS + level));
		}
		fputs("</li>", out);
	}
	fputs("</ul>\n", out);
}

/**
 * svg_strip - the whole recording at a glance: exits over time, by reason
 * @out: where it goes
 * @r: the report
 */
void svg_strip(FILE *out, const struct report *r)
{
	const struct axis axis = time_axis(r->seconds);
	uint32_t max = 1;
	unsigned int i;
	int highest;

	for (i = 0; i < r->nr_reasons; i++) {
		uint32_t m = max_bin(r->reason[r->order[i]].per_bin);

		max = m > max ? m : max;
	}
	highest = floor(log10(bin_rate(r, max)));
	if (highest < NR_LEVELS - 1)
		highest = NR_LEVELS - 1;
	strip_bars(out, r, &axis);
	for (i = 0; i < r->nr_reasons; i++) {
		const struct report_reason *reason = &r->reason[r->order[i]];

		strip_shades(out, r, reason_name(r->order[i]), reason->nr, reason->per_bin,
			     highest);
	}
	if (r->lost)
		strip_shades(out, r, "(lost)", r->lost, r->lost_per_bin, highest);
	print_axis(out, &axis);
	strip_legend(out, highest);
}

/* ------------------------------------------------------------------ timelines */

/* Height of a share in percent of the lane: of its root, so that the small ones can be seen. */
static double height_of(double share)
{
	return 100 * sqrt(share < 0 ? 0 : share > 1 ? 1 : share);
}

/* An area below the shares of up to two lanes, the second on top of the first. */
static void print_area(FILE *out, const struct report *r, const struct report_vcpu *v,
		       enum lane lane, enum lane below)
{
	double width = r->seconds / r->nr_bins, last = -1;
	unsigned int i;

	fprintf(out, "<path class=\"%s\" d=\"M0 100", lane_name(lane));
	for (i = 0; i < r->nr_bins; i++) {
		double share = v->bin[i][lane] + (below == lane ? 0 : v->bin[i][below]);
		double y = round(100 - height_of(share / width));

		if (y != last)
			fprintf(out, "H%uV%.0f", i, y);
		last = y;
	}
	fprintf(out, "H%uV100z\"/>", r->nr_bins);
}

static void print_lane(FILE *out, const struct report *r, unsigned int vcpu, enum lane lane,
		       double all, const struct axis *axis)
{
	const struct report_vcpu *v = &r->vcpu[vcpu];
	double sum = v->seconds[lane];
	char share[24], when[24];
	unsigned int i, k;

	if (lane == LANE_KERNEL)
		sum += v->seconds[LANE_ASLEEP];
	fprintf(out, "<div class=\"row lane\"><span>%s</span>", lane_name(lane));
	begin_svg(out, r->nr_bins, 100, "vCPU %u, share of time in %s: %s of all", vcpu,
		  lane_name(lane), html_percent(all ? sum / all : 0, share));
	fprintf(out, "<path class=\"grid\" d=\"M0 50h%u\"/>", r->nr_bins);
	print_grid(out, axis, r->nr_bins, 100);
	if (lane == LANE_KERNEL)
		print_area(out, r, v, LANE_ASLEEP, lane);
	print_area(out, r, v, lane, lane);
	for (i = 0; i < r->nr_bins; i += HOVER_BINS) {
		double part = 0;

		for (k = i; k < i + HOVER_BINS && k < r->nr_bins; k++)
			part += v->bin[k][lane] +
				(lane == LANE_KERNEL ? v->bin[k][LANE_ASLEEP] : 0);
		if (!part)
			continue;
		fprintf(out, "<rect class=\"hover\" x=\"%u\" width=\"%u\" height=\"100\">", i,
			k - i);
		fprintf(out, "<title>%s: %s</title></rect>",
			html_time(r->seconds * i / r->nr_bins, when),
			html_percent(part / (r->seconds * (k - i) / r->nr_bins), share));
	}
	fprintf(out, "</svg><span class=\"sum\">%s</span></div>\n",
		html_percent(all ? sum / all : 0, share));
}

/**
 * svg_timeline - each vCPU's time in its lanes
 * @out: where it goes
 * @r: the report
 */
void svg_timeline(FILE *out, const struct report *r)
{
	const struct axis axis = time_axis(r->seconds);
	unsigned int vcpu, lane;

	for (vcpu = 0; vcpu < r->rec->header->nr_vcpus; vcpu++) {
		double all = 0;

		for (lane = 0; lane < NR_LANES; lane++)
			all += r->vcpu[vcpu].seconds[lane];
		fprintf(out, "<h3>vCPU %u <small>", vcpu);
		html_count(out, r->vcpu[vcpu].nr);
		fputs(" exits</small></h3>\n", out);
		for (lane = LANE_GUEST; lane <= LANE_USER; lane++)
			print_lane(out, r, vcpu, lane, all, &axis);
		print_axis(out, &axis);
	}
}

/**
 * svg_shares - how a time is divided, as a bar
 * @out: where it goes
 * @part: the time in each lane
 */
void svg_shares(FILE *out, const double part[NR_LANES])
{
	static const enum lane order[NR_LANES] = {
		LANE_GUEST, LANE_BURST, LANE_KERNEL, LANE_ASLEEP, LANE_USER
	};
	double all = 0, at = 0;
	char share[24];
	unsigned int i;

	for (i = 0; i < NR_LANES; i++)
		all += part[i];
	begin_svg(out, 100, 1, "Shares of time");
	for (i = 0; all && i < NR_LANES; i++) {
		double width = 100 * part[order[i]] / all;

		if (!width)
			continue;
		fprintf(out, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"1\">",
			lane_name(order[i]), at, width);
		fprintf(out, "<title>%s: %s</title></rect>", lane_name(order[i]),
			html_percent(width / 100, share));
		at += width;
	}
	fputs("</svg>", out);
}

/* --------------------------------------------------------------- the close-up */

/**
 * struct close_up - some moments of the recording, each exit by itself
 * @out: where they go
 * @r: the report
 * @start: @end: they, in seconds
 * @vcpu: @lane: what is being drawn
 * @drawn: how much of it there was
 */
struct close_up {
	FILE *out;
	const struct report *r;
	double start, end;
	unsigned int vcpu;
	enum lane lane;
	unsigned int drawn;
};

static void draw_stretch(unsigned int vcpu, enum lane lane, double start, double end,
			 const struct trace_entry *e, void *opaque)
{
	enum lane drawn_in = lane == LANE_ASLEEP ? LANE_KERNEL : lane;
	struct close_up *c = opaque;
	double all = c->end - c->start;
	char what[96], took[24];

	if (vcpu != c->vcpu || drawn_in != c->lane || end <= c->start || start >= c->end)
		return;
	c->drawn++;
	html_time(end - start, took);
	start = start < c->start ? c->start : start;
	end = end > c->end ? c->end : end;
	fprintf(c->out, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" y=\"1\" height=\"8\">",
		lane_name(lane), 1000 * (start - c->start) / all, 1000 * (end - start) / all);
	fputs("<title>", c->out);
	describe_exit(&e->record, what, sizeof(what));
	if (lane == LANE_GUEST) {
		fprintf(c->out, "guest: %s</title></rect>", took);
	} else {
		fprintf(c->out, "%s ", reason_name(e->record.reason));
		html_text(c->out, what);
		fprintf(c->out, ": %s</title></rect>", took);
	}
}

/*
 * Index of the first of CLOSE_UP exits: of those that got to the most places, the ones that are
 * closest to each other.
 */
static size_t busiest(const struct report *r)
{
	const struct trace_entry **e = r->rec->entry;
	unsigned int nr[VITRO_NR_PLACES] = { 0 };
	unsigned int most = 0, places, k;
	uint64_t least = UINT64_MAX;
	size_t i, found = 0;

	for (i = 0; i < r->rec->nr; i++) {
		uint64_t took;

		/* nr is of the exits before this one, at which they end. */
		if (i >= CLOSE_UP) {
			took = e[i]->record.tsc - e[i - CLOSE_UP]->record.tsc;
			for (places = 0, k = 0; k < VITRO_NR_PLACES; k++)
				places += nr[k] > 0;
			if (took && (places > most || (places == most && took < least))) {
				most = places;
				least = took;
				found = i - CLOSE_UP;
			}
			nr[place_of(e[i - CLOSE_UP])]--;
		}
		nr[place_of(e[i])]++;
	}
	return found;
}

/* Names of the exits where they begin, as far as there is room for them. */
static void print_names(const struct close_up *c, size_t first)
{
	double all = c->end - c->start, free_from = 0;
	size_t i;

	fputs("<div class=\"row names\"><span></span><svg aria-hidden=\"true\">", c->out);
	for (i = first; i < first + CLOSE_UP; i++) {
		const struct trace_entry *e = c->r->rec->entry[i];
		const char *name = reason_name(e->record.reason);
		double at = 100 * (report_when(c->r, e) - c->start) / all;
		double width = NAME_PERCENT * (strlen(name) + 1);

		if (e->vcpu != c->vcpu || at < free_from || at + width > 100)
			continue;
		fprintf(c->out, "<text x=\"%.2f%%\" y=\"12\">%s</text>", at, name);
		free_from = at + width;
	}
	fputs("</svg><span></span></div>\n", c->out);
}

static void close_up_vcpu(struct close_up *c, const struct axis *axis, size_t first)
{
	fprintf(c->out, "<h3>vCPU %u</h3>\n", c->vcpu);
	print_names(c, first);
	for (c->lane = LANE_GUEST; c->lane <= LANE_USER; c->lane++) {
		fprintf(c->out, "<div class=\"row stretch\"><span>%s</span>", lane_name(c->lane));
		begin_svg(c->out, 1000, 10, "Close-up of vCPU %u in %s", c->vcpu,
			  lane_name(c->lane));
		print_grid(c->out, axis, 1000, 10);
		c->drawn = 0;
		lanes_walk(c->r, draw_stretch, c);
		fprintf(c->out, "</svg><span class=\"sum\">%u\xc3\x97</span></div>\n", c->drawn);
	}
}

/**
 * svg_close_up - the busiest moments, each exit by itself
 * @out: where it goes
 * @r: the report, of more exits than these
 */
void svg_close_up(FILE *out, const struct report *r)
{
	struct close_up c = { .out = out, .r = r };
	size_t first = busiest(r), i;
	struct axis axis;
	char when[24];

	c.start = report_when(r, r->rec->entry[first]);
	c.end = report_when(r, r->rec->entry[first + CLOSE_UP]);
	if (c.end <= c.start)	/* no clock at all */
		c.end = c.start + r->seconds;
	axis = time_axis(c.end - c.start);
	fprintf(out, "<p>%u exits in a row, at %s: of those in which the most places occur,\n"
		"the ones that took the least time.</p>\n", CLOSE_UP, html_time(c.start, when));
	for (c.vcpu = 0; c.vcpu < r->rec->header->nr_vcpus; c.vcpu++) {
		for (i = first; i < first + CLOSE_UP; i++) {
			if (r->rec->entry[i]->vcpu == c.vcpu)
				break;
		}
		if (i < first + CLOSE_UP)
			close_up_vcpu(&c, &axis, first);
	}
	print_axis(out, &axis);
}

/* ------------------------------------------------------------------ histograms */

/* Columns from the shortest exit to the longest, in whole decades. */
static void hist_range(const struct report *r, unsigned int *first, unsigned int *end)
{
	unsigned int i, place;

	*first = HIST_BINS;
	*end = 0;
	for (i = 0; i < HIST_BINS; i++) {
		for (place = 0; place < VITRO_NR_PLACES; place++) {
			if (!r->total.hist[i][place])
				continue;
			*first = i < *first ? i : *first;
			*end = i + 1;
		}
	}
	*first -= *first % HIST_STEPS;
	*end += (HIST_STEPS - *end % HIST_STEPS) % HIST_STEPS;
}

static struct axis decade_axis(unsigned int first, unsigned int end)
{
	struct axis axis = { .nr = 0 };
	unsigned int i;

	for (i = first; i <= end && axis.nr < MAX_TICKS; i += HIST_STEPS, axis.nr++) {
		static const char *const units[] = { "ns", "\xc2\xb5s", "ms", "s" };
		unsigned int decade = i / HIST_STEPS, unit = decade / 3 > 3 ? 3 : decade / 3;

		axis.at[axis.nr] = (double)(i - first) / (end - first);
		snprintf(axis.label[axis.nr], sizeof(axis.label[0]), "%.0f\xc2\xa0%s",
			 pow(10, decade - 3 * unit), units[unit]);
	}
	return axis;
}

static double hist_x(double seconds, unsigned int first, unsigned int end)
{
	double x = seconds * 1e9 < 1 ? 0 : log10(seconds * 1e9) * HIST_STEPS;

	return fmin(fmax(x, first), end) - first;
}

/* From the shortest to the longest, with marks at the median and the 99th percentile. */
static void print_whisker(FILE *out, const struct report *r, const struct report_reason *reason,
			  unsigned int first, unsigned int end)
{
	const double share[] = { 0, 0.5, 0.99, 1 };
	double x[4];
	int i;

	for (i = 0; i < 4; i++)
		x[i] = hist_x(report_quantile(r, reason, share[i]), first, end);
	fprintf(out, "<path class=\"whisker\" d=\"M%.2f 8H%.2fM%.2f 2v12M%.2f 5v6\"/>", x[0], x[3],
		x[1], x[2]);
}

static void print_histogram(FILE *out, const struct report *r, unsigned int number,
			    unsigned int first, unsigned int end)
{
	const struct axis axis = decade_axis(first, end);
	const struct report_reason *reason = &r->reason[number];
	uint64_t highest = 1, n;
	char median[24], buf[24];
	unsigned int i, place;

	for (i = first; i < end; i++) {
		for (n = 0, place = 0; place < VITRO_NR_PLACES; place++)
			n += reason->hist[i][place];
		highest = n > highest ? n : highest;
	}
	fprintf(out, "<div class=\"row hist\"><span><b>%s</b><small>", reason_name(number));
	html_count(out, reason->nr);
	fputs("</small></span>", out);
	html_time(report_quantile(r, reason, 0.5), median);
	begin_svg(out, end - first, 100, "Times of %s, logarithmic; median %s", reason_name(number),
		  median);
	print_grid(out, &axis, end - first, 100);
	for (i = first; i < end; i++) {
		double y = 100;

		for (place = 0; place < VITRO_NR_PLACES; place++) {
			double height = 80.0 * reason->hist[i][place] / highest;

			if (!height)
				continue;
			y -= height;
			fprintf(out, "<rect class=\"%s\" x=\"%u\" y=\"%.2f\" width=\"1\" ",
				place_name(place), i - first, y);
			fprintf(out, "height=\"%.2f\"><title>from %s, %s: %u</title></rect>",
				height, html_time(pow(10, (double)i / HIST_STEPS) / 1e9, buf),
				place_name(place), reason->hist[i][place]);
		}
	}
	print_whisker(out, r, reason, first, end);
	fprintf(out, "</svg><span class=\"sum\">%s<small>median</small></span></div>\n",
		median);
}

/**
 * svg_histograms - how long exits took, for each reason
 * @out: where it goes
 * @r: the report
 */
void svg_histograms(FILE *out, const struct report *r)
{
	unsigned int first, end, i;
	struct axis axis;

	hist_range(r, &first, &end);
	axis = decade_axis(first, end);
	for (i = 0; i < r->nr_reasons; i++)
		print_histogram(out, r, r->order[i], first, end);
	print_axis(out, &axis);
}
