// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro trace: record each exit of a machine; show, compare and export recordings. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "family.h"
#include "recording.h"

static void print_help(void)
{
	printf("usage: vitro trace run FILE RUN-OPTION...\n"
	       "       vitro trace record [--duration TIME] FILE [NAME|ID]\n"
	       "       vitro trace show [OPTION]... FILE\n"
	       "       vitro trace diff [OPTION]... FILE FILE\n"
	       "       vitro trace export [OPTION]... FILE\n\n"
	       "Records each exit of a machine, and shows what was recorded.\n\n"
	       "run                as \"vitro run RUN-OPTION...\", recording to FILE\n"
	       "record             those of a machine that runs already, until Ctrl-C or its end\n"
	       "show               the exits: when, on which vCPU, why, where they went to, how\n"
	       "                   long they took, and the instruction\n"
	       "diff               where the same guest first behaves differently in two\n"
	       "                   recordings, say of an AMD and an Intel CPU; 1 if it does\n"
	       "export             JSON for ui.perfetto.dev and chrome://tracing, to stdout\n\n"
	       "  -c, --vcpu N       exits of this vCPU only\n"
	       "  -r, --reason NAME  for this reason only, such as io or cpuid\n"
	       "  -p, --place NAME   that went to burst, kernel or user only\n"
	       "  -a, --rip WHERE    at this address, FROM-TO, or in this symbol, only\n"
	       "  -n, --count N      show so many at most\n"
	       "  -s, --symbols FILE name addresses, by a vmlinux, System.map or kallsyms\n"
	       "  -k, --kaslr BYTES  how far the guest's kernel has moved; found out by itself\n"
	       "                     when the guest is 64-bit Linux\n"
	       "  -d, --duration TIME  record for so long, such as 10s\n"
	       "  -j, --json         show: print JSON, one line an exit\n"
	       "  -h, --help         this help\n");
}

__attribute__((format(printf, 1, 2)))
static int usage(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "vitro trace: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, "; see --help\n");
	return END_USAGE;
}

/* --------------------------------------------------------------------- show */

static void show_text(const struct recording *r, const struct trace_entry *e)
{
	const struct vitro_record *rec = &e->record;
	double khz = r->header->tsc_khz;
	char what[80], insn[96], symbol[SYMBOL_TEXT];

	describe_exit(rec, what, sizeof(what));
	disassemble(e, insn, sizeof(insn));
	if (e->lost)
		printf("... %" PRIu64 " exits of vcpu %u lost\n", (uint64_t)e->lost, e->vcpu);
	printf("%14.6f vcpu %-2u %-11s %-6s %9.3f us",
	       (rec->tsc - r->entry[0]->record.tsc) / khz / 1e3, e->vcpu,
	       reason_name(rec->reason), place_name(rec->place), entry_cycles(e) * 1e3 / khz);
	printf(" cpl %u %2u-bit rip 0x%016" PRIx64, rec->cpl, rec->bits, (uint64_t)rec->rip);
	if (r->symbols) {
		symbols_format(r->symbols, rec->linear, symbol, sizeof(symbol));
		printf(" %-32s", symbol);
	}
	printf("  %-36s %s\n", what, insn);
}

static void show_json(const struct recording *r, const struct trace_entry *e)
{
	const struct vitro_record *rec = &e->record;
	double khz = r->header->tsc_khz;
	char insn[96], rip[24], symbol[SYMBOL_TEXT];
	json_t *root;

	disassemble(e, insn, sizeof(insn));
	/* JSON's numbers cannot hold an address. */
	snprintf(rip, sizeof(rip), "0x%" PRIx64, (uint64_t)rec->rip);
	root = json_pack("{sf, si, sI, ss, ss, si, si, ss, sI, sI, sf, sf, sf, sI, ss}",
			 "us", (rec->tsc - r->entry[0]->record.tsc) * 1e3 / khz,
			 "vcpu", e->vcpu, "seq", (json_int_t)rec->seq,
			 "reason", reason_name(rec->reason), "place", place_name(rec->place),
			 "cpl", rec->cpl, "bits", rec->bits, "rip", rip,
			 "detail", (json_int_t)rec->detail, "data", (json_int_t)rec->data,
			 "burst_ns", rec->cycles[VITRO_PLACE_BURST] * 1e6 / khz,
			 "kernel_ns", rec->cycles[VITRO_PLACE_KERNEL] * 1e6 / khz,
			 "user_ns", rec->cycles[VITRO_PLACE_USER] * 1e6 / khz,
			 "lost", (json_int_t)e->lost, "insn", insn);
	symbols_format(r->symbols, rec->linear, symbol, sizeof(symbol));
	if (symbol[0])
		json_object_set_new(root, "symbol", json_string(symbol));
	json_dumpf(root, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(root);
}

static int show(const struct recording *r, const struct view *v)
{
	uint64_t shown = 0, lost = 0;
	size_t i;

	for (i = 0; i < r->nr; i++) {
		lost += r->entry[i]->lost;
		if (!is_wanted(r, r->entry[i]) || (v->limit && shown >= v->limit))
			continue;
		if (v->json)
			show_json(r, r->entry[i]);
		else
			show_text(r, r->entry[i]);
		shown++;
	}
	if (lost || r->header->lost)
		fprintf(stderr, "vitro trace: %" PRIu64 " exits were lost\n",
			r->header->lost ? (uint64_t)r->header->lost : lost);
	return fflush(stdout) ? END_HOST : 0;
}

/* ------------------------------------------------------------ the subcommands */

static bool look(struct recording *r, const char *file, const struct view *v)
{
	if (!recording_open(r, file))
		return false;
	if (recording_look(r, v))
		return true;
	recording_close(r);
	return false;
}

/* "show FILE" and "export FILE". */
static int with_one(const struct view *v, const char *file, bool is_export)
{
	struct recording r;
	int status;

	if (!look(&r, file, v))
		return END_USAGE;
	if (is_export)
		status = recording_export(&r) ? END_HOST : 0;
	else
		status = show(&r, v);
	recording_close(&r);
	return status;
}

static int diff(const struct view *v, const char *one, const char *other)
{
	struct recording a, b;
	int status = END_USAGE;

	if (!look(&a, one, v))
		return END_USAGE;
	if (look(&b, other, v)) {
		status = recording_diff(&a, &b);
		recording_close(&b);
	}
	recording_close(&a);
	return status;
}

/* "vitro trace run FILE ...": the rest is for vitro run. */
static int run(int argc, char **argv)
{
	if (argc < 3)
		return usage("run FILE RUN-OPTION...");
	record_to(argv[2]);
	argv[2] = (char *)"vitro run";	/* for getopt's messages, which do not change it */
	return cmd_run(argc - 2, argv + 2);
}

/**
 * cmd_trace - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_trace(int argc, char **argv)
{
	static const struct option options[] = {
		{ "vcpu", required_argument, NULL, 'c' },
		{ "reason", required_argument, NULL, 'r' },
		{ "place", required_argument, NULL, 'p' },
		{ "rip", required_argument, NULL, 'a' },
		{ "count", required_argument, NULL, 'n' },
		{ "duration", required_argument, NULL, 'd' },
		{ "symbols", required_argument, NULL, 's' },
		{ "kaslr", required_argument, NULL, 'k' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct view v = { .vcpu = -1, .reason = -1, .place = -1 };
	uint64_t duration = 0;
	int c, nr, status;
	const char *what;

	if (argc > 1 && !strcmp(argv[1], "run"))
		return run(argc, argv);
	while ((c = getopt_long(argc, argv, "c:r:p:a:n:d:s:k:jh", options, NULL)) != -1) {
		if (c == 'h') {
			print_help();
			return 0;
		}
		if (c == 'd' && (!parse_duration(optarg, &duration) || !duration))
			return usage("--duration '%s': a time, such as 10s", optarg);
		status = c == '?' ? END_USAGE : c == 'd' ? 0 : view_option(&v, c, optarg);
		if (status)
			return status;
	}
	nr = argc - optind;
	what = nr ? argv[optind] : "";
	if (!strcmp(what, "record") && (nr == 2 || nr == 3))
		return record_command(argv[optind + 1], nr == 3 ? argv[optind + 2] : NULL,
				      duration);
	if (!strcmp(what, "show") && nr == 2)
		return with_one(&v, argv[optind + 1], false);
	if (!strcmp(what, "diff") && nr == 3)
		return diff(&v, argv[optind + 1], argv[optind + 2]);
	if (!strcmp(what, "export") && nr == 2)
		return with_one(&v, argv[optind + 1], true);
	return usage("run, record, show, diff or export");
}
