// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page of a report: its facts, its tables, its words.  It is HTML and well-formed XML;
 * nothing in it comes from elsewhere, and it has no script, as its security policy says, too.
 */
#include <inttypes.h>

#include "family.h"
#include "report.h"

static const char *vendor_name(const struct trace_header *h)
{
	switch (h->vendor) {
	case VITRO_VENDOR_SVM:
		return "AMD-V";
	case VITRO_VENDOR_VMX:
		return "VT-x";
	default:
		return "unknown";
	}
}

/* What a reason means, in a few words. */
static const char *reason_about(unsigned int reason)
{
	static const char *const about[VITRO_NR_REASONS] = {
		[VITRO_EXIT_NONE] = "no exit: never run",
		[VITRO_EXIT_INTR] = "a signal for the thread that runs the vCPU",
		[VITRO_EXIT_IO] = "IN, OUT, INS, OUTS: an I/O port",
		[VITRO_EXIT_MMIO] = "memory where there is none: a device's registers",
		[VITRO_EXIT_RDMSR] = "RDMSR: reads a model-specific register",
		[VITRO_EXIT_WRMSR] = "WRMSR: writes a model-specific register",
		[VITRO_EXIT_HLT] = "HLT: sleeps until an interrupt",
		[VITRO_EXIT_HYPERCALL] = "VMCALL or VMMCALL",
		[VITRO_EXIT_EOI] = "end of a level-triggered interrupt",
		[VITRO_EXIT_SHUTDOWN] = "triple fault",
		[VITRO_EXIT_FAIL_ENTRY] = "the CPU refused the guest's state",
		[VITRO_EXIT_MEMFAULT] = "memory that the process itself cannot access",
		[VITRO_EXIT_UNHANDLED] = "an exit that vitro does not know",
		[VITRO_EXIT_TASK_SWITCH] = "a switch to another hardware task",
		[VITRO_EXIT_INTA] = "takes an interrupt of the 8259",
		[VITRO_EXIT_DEBUG] = "what a debugger has asked for",
		[VITRO_EXIT_DEADLINE] = "the deadline has passed",
		[VITRO_INNER_HOST] = "an interrupt of the host's; nothing of the guest's",
		[VITRO_INNER_CPUID] = "CPUID",
		[VITRO_INNER_IRQ_WINDOW] = "can take the interrupt that waits",
		[VITRO_INNER_NMI_WINDOW] = "can take the NMI that waits",
		[VITRO_INNER_TDP] = "first touch of a page: second-level fault",
		[VITRO_INNER_CR] = "access to a control register",
		[VITRO_INNER_DR] = "first access to a debug register",
		[VITRO_INNER_XSETBV] = "XSETBV",
		[VITRO_INNER_EXCEPTION] = "an exception that vitro looked at first",
		[VITRO_INNER_UD] = "an instruction that this machine does not have",
		[VITRO_INNER_GP] = "an instruction that this machine refuses",
		[VITRO_INNER_SKIP] = "an instruction that does nothing here",
		[VITRO_INNER_PAUSE] = "PAUSE: spins",
		[VITRO_INNER_RESUME] = "dealt with by the vendor's part",
		[VITRO_INNER_FETCH] = "an instruction that is not in memory yet",
	};

	return reason < VITRO_NR_REASONS && about[reason] ? about[reason] : "unknown";
}

static void print_address(FILE *out, const struct report *r, const struct trace_entry *e)
{
	char name[SYMBOL_TEXT];

	fprintf(out, "<td class=\"address\"><code>0x%" PRIx64 "</code>", (uint64_t)e->record.rip);
	symbols_format(r->rec->symbols, e->record.linear, name, sizeof(name));
	if (name[0]) {
		fputs("<small>", out);
		html_text(out, name);
		fputs("</small>", out);
	}
	fputs("</td>", out);
}

static void print_insn(FILE *out, const struct trace_entry *e)
{
	char insn[96];

	disassemble(e, insn, sizeof(insn));
	fputs("<td><code>", out);
	html_text(out, insn);
	fputs("</code></td>", out);
}

/* For people, and for programs, in seconds. */
static void print_time(FILE *out, const char *class, double seconds)
{
	char buf[24];

	fprintf(out, "<td class=\"%s\"><data value=\"%.9f\">%s</data></td>", class, seconds,
		html_time(seconds, buf));
}

static void print_number(FILE *out, uint64_t n)
{
	fprintf(out, "<td class=\"n\"><data value=\"%" PRIu64 "\">", n);
	html_count(out, n);
	fputs("</data></td>", out);
}

/* ---------------------------------------------------------------------- top */

static void all_seconds(const struct report *r, double sum[NR_LANES])
{
	unsigned int i, lane;

	for (lane = 0; lane < NR_LANES; lane++) {
		sum[lane] = 0;
		for (i = 0; i < r->rec->header->nr_vcpus; i++)
			sum[lane] += r->vcpu[i].seconds[lane];
	}
}

static void fact(FILE *out, const char *what, const char *value)
{
	fprintf(out, "<div><dt>%s</dt><dd>%s</dd></div>\n", what, value);
}

static void fact_count(FILE *out, const char *what, const char *id, uint64_t n)
{
	fprintf(out, "<div><dt>%s</dt><dd><data id=\"%s\" value=\"%" PRIu64 "\">", what, id, n);
	html_count(out, n);
	fputs("</data></dd></div>\n", out);
}

static void print_facts(FILE *out, const struct report *r)
{
	const struct trace_header *h = r->rec->header;
	char buf[24];

	fputs("<dl class=\"facts\">\n", out);
	fact(out, "CPU", vendor_name(h));
	fact_count(out, "vCPUs", "vcpus", h->nr_vcpus);
	snprintf(buf, sizeof(buf), "%.3f\xc2\xa0GHz", h->tsc_khz / 1e6);
	fact(out, "TSC", buf);
	fact(out, "recorded", html_time(r->seconds, buf));
	fact_count(out, "exits", "exits", r->total.nr);
	fact_count(out, "exits a second", "rate", r->total.nr / r->seconds);
	fact_count(out, "exits lost", "lost", r->lost);
	fputs("</dl>\n", out);
}

static void print_head(FILE *out, const struct report *r)
{
	fputs("<!DOCTYPE html>\n"
	      "<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n"
	      "<meta http-equiv=\"Content-Security-Policy\"\n"
	      " content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\"/>\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
	      "<title>Exits of ", out);
	html_text(out, r->name);
	/* Without an icon of its own a browser would ask a server for one. */
	fprintf(out, "</title>\n<link rel=\"icon\" href=\"data:,\"/>\n"
		"<style>\n%s</style>\n</head>\n<body>\n<h1>Exits of ", report_style);
	html_text(out, r->name);
	fputs("</h1>\n<p class=\"lead\">What made this machine leave its guest, how often,\n"
	      "and where the time went.</p>\n", out);
	print_facts(out, r);
}

/* Each lane's colour and name, and its share if there is any. */
static void print_legend(FILE *out, const double sum[NR_LANES])
{
	static const struct {
		enum lane lane;
		const char *about;
	} entries[NR_LANES] = {
		{ LANE_GUEST, "guest" }, { LANE_BURST, "burst" }, { LANE_KERNEL, "kernel" },
		{ LANE_ASLEEP, "kernel, asleep in HLT" }, { LANE_USER, "userspace" },
	};
	double all = 0;
	char share[24];
	unsigned int i;

	for (i = 0; sum && i < NR_LANES; i++)
		all += sum[i];
	fputs("<ul class=\"legend\">", out);
	for (i = 0; i < NR_LANES; i++) {
		if (!sum && entries[i].lane != LANE_BURST && entries[i].lane != LANE_KERNEL &&
		    entries[i].lane != LANE_USER)
			continue;
		fputs("<li><svg viewBox=\"0 0 1 1\" aria-hidden=\"true\">", out);
		fprintf(out, "<rect class=\"%s\" width=\"1\" height=\"1\"/></svg>%s",
			lane_name(entries[i].lane), entries[i].about);
		if (all)
			fprintf(out, " <b>%s</b>",
				html_percent(sum[entries[i].lane] / all, share));
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void print_figures(FILE *out, const struct report *r)
{
	double sum[NR_LANES];

	all_seconds(r, sum);
	fputs("<h2>At a glance</h2>\n"
	      "<p>Exits over time: all of them as bars, each reason as a strip, the darker\n"
	      "(on a dark page, the lighter) the more.</p>\n"
	      "<section id=\"strip\">\n", out);
	svg_strip(out, r);
	fputs("</section>\n<h2>Where the time went</h2>\n"
	      "<p>The time of all vCPUs from their first exit on.</p>\n<div class=\"whole\">", out);
	svg_shares(out, sum);
	fputs("</div>\n", out);
	print_legend(out, sum);
	fputs("<p class=\"note\">Below, a lane's height is the share of time at that moment, as\n"
	      "its square root, so that little is seen, too: the top is 100\xc2\xa0%, the line in the\n"
	      "middle 25\xc2\xa0%. On the right, the share in all.</p>\n"
	      "<section id=\"timeline\">\n", out);
	svg_timeline(out, r);
	fputs("</section>\n", out);
	if (r->rec->nr > CLOSE_UP) {
		fputs("<h2>Close-up</h2>\n<section id=\"closeup\">\n", out);
		svg_close_up(out, r);
		fputs("</section>\n", out);
	}
	fputs("<h2>How long exits take</h2>\n"
	      "<p>From the exit until the guest goes on, on a logarithmic scale; colours tell how\n"
	      "far it went. A bar's height is a number of exits; the highest bars of all reasons\n"
	      "are alike. The line above goes from the shortest to the longest; its large mark is\n"
	      "the median, the small one the 99th percentile.</p>\n", out);
	print_legend(out, NULL);
	fputs("<section id=\"times\">\n", out);
	svg_histograms(out, r);
	fputs("</section>\n", out);
}

/* ------------------------------------------------------------------- tables */

/**
 * struct column - the head of a column
 * @class: "n" for numbers, "opt" for what a narrow page does without
 * @title: what it says; NULL ends a list
 */
struct column {
	const char *class;
	const char *title;
};

static void begin_table(FILE *out, const char *id, const struct column *c)
{
	fprintf(out, "<div class=\"scroll\"><table id=\"%s\">\n<tr>", id);
	for (; c->title; c++)
		fprintf(out, "<th scope=\"col\" class=\"%s\">%s</th>", c->class, c->title);
	fputs("</tr>\n", out);
}

static void end_table(FILE *out)
{
	fputs("</table></div>\n", out);
}

/* A row's last cell: where the time went, as a bar. */
static void print_shares(FILE *out, const char *class, unsigned int reason, const __u64 *cycles)
{
	double part[NR_LANES] = { 0 };
	unsigned int i;

	for (i = 0; i < VITRO_NR_PLACES; i++)
		part[lane_of(reason, i)] = cycles[i];
	fprintf(out, "<td class=\"%s\">", class);
	svg_shares(out, part);
	fputs("</td></tr>\n", out);
}

static void print_reason(FILE *out, const struct report *r, unsigned int number, uint64_t all)
{
	const struct report_reason *reason = &r->reason[number];
	static const double quantile[] = { 0, 0.5, 0.99, 1 };
	uint64_t cycles = 0;
	char share[24];
	int i;

	for (i = 0; i < VITRO_NR_PLACES; i++)
		cycles += reason->cycles[i];
	fprintf(out, "<tr><td><b>%s</b><small>%s</small></td>", reason_name(number),
		reason_about(number));
	print_number(out, reason->nr);
	fprintf(out, "<td class=\"n opt\">%s</td>",
		html_percent((double)reason->nr / r->total.nr, share));
	print_time(out, "n", report_seconds(r, cycles));
	fprintf(out, "<td class=\"n opt\">%s</td>",
		html_percent(all ? (double)cycles / all : 0, share));
	for (i = 0; i < 4; i++)
		print_time(out, i == 0 || i == 2 ? "n opt" : "n",
			   report_quantile(r, reason, quantile[i]));
	print_shares(out, "bar-cell", number, reason->cycles);
}

static void print_reasons(FILE *out, const struct report *r)
{
	static const struct column columns[] = {
		{ "", "reason" }, { "n", "exits" }, { "n opt", "of all" }, { "n", "time" },
		{ "n opt", "of all" }, { "n opt", "shortest" }, { "n", "median" },
		{ "n opt", "99\xc2\xa0%" }, { "n", "longest" }, { "", "where" }, { NULL, NULL }
	};
	uint64_t all = 0;
	unsigned int i;

	for (i = 0; i < VITRO_NR_PLACES; i++)
		all += r->total.cycles[i];
	fputs("<h2>Reasons</h2>\n", out);
	begin_table(out, "reasons", columns);
	for (i = 0; i < r->nr_reasons; i++)
		print_reason(out, r, r->order[i], all);
	end_table(out);
}

/* Of the longest of each reason, the longest that is left. */
static const struct trace_entry *take_longest(const struct report *r,
					      unsigned int taken[VITRO_NR_REASONS])
{
	const struct trace_entry *found = NULL;
	unsigned int i, from = 0;

	for (i = 0; i < VITRO_NR_REASONS; i++) {
		const struct report_reason *reason = &r->reason[i];
		const struct trace_entry *e;

		if (taken[i] == NR_LONGEST || taken[i] == reason->nr)
			continue;
		e = reason->entry[reason->nr - 1 - taken[i]];
		if (!found || entry_cycles(e) > entry_cycles(found)) {
			found = e;
			from = i;
		}
	}
	if (found)
		taken[from]++;
	return found;
}

static void print_longest(FILE *out, const struct report *r)
{
	static const struct column columns[] = {
		{ "n", "took" }, { "n", "at" }, { "opt", "vCPU" }, { "", "reason" },
		{ "", "address" }, { "", "instruction" }, { "opt", "where" }, { NULL, NULL }
	};
	unsigned int taken[VITRO_NR_REASONS] = { 0 };
	const struct trace_entry *e;

	fprintf(out, "<h2>The longest exits</h2>\n<p>At most %d for each reason.</p>\n",
		NR_LONGEST);
	begin_table(out, "longest", columns);
	while ((e = take_longest(r, taken))) {
		char what[96];

		fputs("<tr>", out);
		print_time(out, "n", report_duration(r, e));
		print_time(out, "n", report_when(r, e));
		fprintf(out, "<td class=\"opt\">%u</td><td><b>%s</b>", e->vcpu,
			reason_name(e->record.reason));
		describe_exit(&e->record, what, sizeof(what));
		fputs("<small>", out);
		html_text(out, what);
		fputs("</small></td>", out);
		print_address(out, r, e);
		print_insn(out, e);
		print_shares(out, "bar-cell opt", e->record.reason, e->record.cycles);
	}
	end_table(out);
}

static void print_spots(FILE *out, const struct report *r)
{
	static const struct column columns[] = {
		{ "n", "exits" }, { "n", "time" }, { "", "reason" }, { "", "address" },
		{ "", "instruction" }, { "opt", "the longest of them" }, { NULL, NULL }
	};
	unsigned int i;
	char what[96];

	fputs("<h2>Where the guest exits most</h2>\n"
	      "<p>Instructions by the number of their exits; the host's interrupts, which come\n"
	      "anywhere, are left out.</p>\n", out);
	begin_table(out, "spots", columns);
	for (i = 0; i < r->nr_spots; i++) {
		const struct report_spot *spot = &r->spot[i];

		fputs("<tr>", out);
		print_number(out, spot->nr);
		print_time(out, "n", report_seconds(r, spot->cycles));
		fprintf(out, "<td><b>%s</b></td>", reason_name(spot->example->record.reason));
		print_address(out, r, spot->example);
		print_insn(out, spot->example);
		describe_exit(&spot->example->record, what, sizeof(what));
		fputs("<td class=\"opt\">", out);
		html_text(out, what);
		fputs("</td></tr>\n", out);
	}
	end_table(out);
}

static void print_words(FILE *out)
{
	fputs("<h2>Words</h2>\n<dl class=\"words\">\n"
	      "<dt>exit</dt><dd>the CPU leaves the guest, for something that the guest did or\n"
	      "that came meanwhile; it lasts until the guest goes on</dd>\n"
	      "<dt>guest</dt><dd>the CPU runs the guest's instructions</dd>\n"
	      "<dt>burst</dt><dd>in vitro.ko next to the guest, with interrupts off</dd>\n"
	      "<dt>kernel</dt><dd>elsewhere in the host's kernel: interrupts, page faults,\n"
	      "waiting for a CPU; with HLT, asleep until something comes for the guest</dd>\n"
	      "<dt>user</dt><dd>in the process that runs the machine: its devices</dd>\n"
	      "</dl>\n<p class=\"note\">Made by vitro report.</p>\n</body>\n</html>\n", out);
}

/**
 * report_page - print the whole page
 * @out: where it goes
 * @r: the report
 */
void report_page(FILE *out, const struct report *r)
{
	print_head(out, r);
	print_figures(out, r);
	print_reasons(out, r);
	print_longest(out, r);
	print_spots(out, r);
	print_words(out);
}
