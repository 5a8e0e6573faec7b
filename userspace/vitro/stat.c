// SPDX-License-Identifier: GPL-2.0-or-later
/* vitro stat: where a machine's time goes: its exits by reason, how many and how long. */
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "family.h"
#include "times.h"

/**
 * struct look - the exits of a machine, of all its vCPUs together
 * @by_reason: they
 */
struct look {
	struct vitro_times by_reason[VITRO_NR_REASONS];
};

/**
 * struct stat_options - what was asked for
 * @which: name or id, or NULL
 * @interval_ns: time between looks
 * @count: how many, 0 for no end
 * @json: print JSON
 */
struct stat_options {
	const char *which;
	uint64_t interval_ns;
	uint64_t count;
	bool json;
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	(void)sig;
	stopped = 1;
}

static void print_help(void)
{
	printf("usage: vitro stat [OPTION]... [MACHINE]\n\n"
	       "Times a machine's exits for a second, and prints for each reason how many there\n"
	       "were, their share, how long they took, and where that time was spent: in the burst\n"
	       "next to the guest, elsewhere in the kernel (asleep, too), in userspace.\n"
	       "MACHINE is its name or id; see vitro ps.\n\n"
	       "  -i, --interval TIME  print again after each such time, such as 500ms or 10s\n"
	       "  -n, --count N        stop after so many times\n"
	       "  -j, --json           print JSON, one line each time\n"
	       "  -h, --help           this help\n\n"
	       "Median and p99 come from a histogram whose steps are powers of two.\n");
}

static void add_times(struct nlattr **attrs, void *opaque)
{
	uint32_t reason = attr_u32(attrs, VITRO_A_REASON);
	struct look *look = opaque;
	struct vitro_times t;

	if (!attrs[VITRO_A_TIMES] || reason >= VITRO_NR_REASONS)
		return;
	memcpy(&t, nla_data(attrs[VITRO_A_TIMES]), sizeof(t));
	times_add(&look->by_reason[reason], &t);
}

static int take_look(struct family *f, uint64_t vm, struct look *look)
{
	memset(look, 0, sizeof(*look));
	return family_dump(f, VITRO_CMD_STATS_GET, vm, add_times, look);
}

/* ------------------------------------------------------------------ printing */

static double ns(uint64_t cycles, const struct vm_info *vm)
{
	return cycles * 1e6 / vm->tsc_khz;
}

static double share(uint64_t part, uint64_t all)
{
	return all ? 100.0 * part / all : 0;
}

/* Reasons in the order of their time; returns how many there are. */
static int sort(const struct look *look, int order[VITRO_NR_REASONS])
{
	int n = 0, i, k;

	for (i = 0; i < VITRO_NR_REASONS; i++) {
		uint64_t cycles = times_cycles(&look->by_reason[i]);

		if (!times_count(&look->by_reason[i]))
			continue;
		for (k = n++; k > 0 && times_cycles(&look->by_reason[order[k - 1]]) < cycles; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	return n;
}

static void print_text(const struct vm_info *vm, const struct look *look)
{
	uint64_t exits = 0, cycles = 0;
	int order[VITRO_NR_REASONS];
	int n = sort(look, order), i;
	char buf[4][16];

	for (i = 0; i < n; i++) {
		exits += times_count(&look->by_reason[order[i]]);
		cycles += times_cycles(&look->by_reason[order[i]]);
	}
	printf("machine %llu%s%s: %llu exits, %u vCPUs\n", (unsigned long long)vm->id,
	       vm->name[0] ? " " : "", vm->name, (unsigned long long)exits, vm->nr_vcpus);
	printf("%-12s %10s %6s %6s %10s %10s %10s %10s %6s %6s %6s\n", "reason", "exits", "%",
	       "time%", "min", "median", "p99", "max", "burst%", "kern%", "user%");
	for (i = 0; i < n; i++) {
		const struct vitro_times *t = &look->by_reason[order[i]];
		uint64_t nr = times_count(t), sum = times_cycles(t);

		printf("%-12s %10llu %6.2f %6.2f %10s %10s %10s %10s %6.1f %6.1f %6.1f\n",
		       reason_name(order[i]), (unsigned long long)nr, share(nr, exits),
		       share(sum, cycles), times_text(t->min, vm->tsc_khz, buf[0]),
		       times_text(times_quantile(t, 50), vm->tsc_khz, buf[1]),
		       times_text(times_quantile(t, 99), vm->tsc_khz, buf[2]),
		       times_text(t->max, vm->tsc_khz, buf[3]),
		       share(t->cycles[VITRO_PLACE_BURST], sum),
		       share(t->cycles[VITRO_PLACE_KERNEL], sum),
		       share(t->cycles[VITRO_PLACE_USER], sum));
	}
	fflush(stdout);
}

static json_t *place_json(const struct vitro_times *t, int place, const struct vm_info *vm)
{
	return json_pack("{s:I, s:f}", "exits", (json_int_t)t->nr[place], "ns",
			 ns(t->cycles[place], vm));
}

static void print_json(const struct vm_info *vm, const struct look *look)
{
	int order[VITRO_NR_REASONS];
	int n = sort(look, order), i;
	json_t *list = json_array();
	json_t *root;

	for (i = 0; i < n; i++) {
		const struct vitro_times *t = &look->by_reason[order[i]];

		json_t *one = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:o, s:o, s:o}",
					"reason", reason_name(order[i]),
					"exits", (json_int_t)times_count(t),
					"ns", ns(times_cycles(t), vm), "min_ns", ns(t->min, vm),
					"median_ns", ns(times_quantile(t, 50), vm),
					"p99_ns", ns(times_quantile(t, 99), vm),
					"max_ns", ns(t->max, vm),
					"burst", place_json(t, VITRO_PLACE_BURST, vm),
					"kernel", place_json(t, VITRO_PLACE_KERNEL, vm),
					"user", place_json(t, VITRO_PLACE_USER, vm));

		json_array_append_new(list, one);
	}
	root = json_pack("{s:I, s:s, s:i, s:o}", "id", (json_int_t)vm->id, "name", vm->name,
			 "nr_vcpus", (int)vm->nr_vcpus, "reasons", list);
	json_dumpf(root, stdout, JSON_COMPACT);
	printf("\n");
	fflush(stdout);
	json_decref(root);
}

/* ---------------------------------------------------------------------------- */

static void wait_ns(uint64_t ns_to_wait)
{
	struct timespec t = { ns_to_wait / 1000000000, ns_to_wait % 1000000000 };

	if (!stopped)
		nanosleep(&t, NULL);
}

/* A look after each interval, and the difference to the one before. */
static int watch(struct family *f, const struct vm_info *vm, const struct stat_options *o)
{
	static struct look before, now, since;
	int err = take_look(f, vm->id, &before);
	uint64_t n;
	int i;

	for (n = 0; !err && !stopped && (!o->count || n < o->count); n++) {
		wait_ns(o->interval_ns);
		err = take_look(f, vm->id, &now);
		/* Another reader may have stopped it at its end. */
		if (!err)
			err = family_watch(f, vm->id, true);
		if (err)
			break;
		for (i = 0; i < VITRO_NR_REASONS; i++)
			since.by_reason[i] = times_since(&now.by_reason[i], &before.by_reason[i]);
		if (o->json)
			print_json(vm, &since);
		else
			print_text(vm, &since);
		before = now;
	}
	if (err == -NLE_OBJ_NOTFOUND && n)
		return 0;	/* the machine has ended */
	if (err)
		fprintf(stderr, "vitro stat: %s\n", nl_geterror(err));
	return err ? END_HOST : 0;
}

static int stat_machine(const struct stat_options *o)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct vm_info vm;
	struct family f;
	int status, err;

	if (!family_open(&f, "stat"))
		return END_HOST;
	status = family_find_vm(&f, "stat", o->which, &vm);
	if (status)
		goto out;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = family_watch(&f, vm.id, true);
	if (err) {
		fprintf(stderr, "vitro stat: %s\n", nl_geterror(err));
		status = END_HOST;
		goto out;
	}
	status = watch(&f, &vm, o);
	/* As it was.  If it has ended meanwhile, that is no matter. */
	if (!vm.watched)
		family_watch(&f, vm.id, false);
out:
	family_close(&f);
	return status;
}

/**
 * cmd_stat - the subcommand
 * @argc: arguments, the subcommand's name first
 * @argv: they
 *
 * Return: the exit status.
 */
int cmd_stat(int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	struct stat_options o = { .interval_ns = 1000000000, .count = 1 };
	bool counted = false;
	int c;

	while ((c = getopt_long(argc, argv, "i:n:jh", options, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (!parse_duration(optarg, &o.interval_ns) || !o.interval_ns) {
				fprintf(stderr, "vitro stat: --interval '%s': a time, as 500ms\n",
					optarg);
				return END_USAGE;
			}
			if (!counted)
				o.count = 0;
			break;
		case 'n':
			if (!parse_number(optarg, 1, UINT64_MAX, &o.count)) {
				fprintf(stderr, "vitro stat: --count '%s': a number\n", optarg);
				return END_USAGE;
			}
			counted = true;
			break;
		case 'j':
			o.json = true;
			break;
		case 'h':
			print_help();
			return 0;
		default:
			return END_USAGE;
		}
	}
	if (argc - optind > 1) {
		fprintf(stderr, "vitro stat: one machine at a time; see --help\n");
		return END_USAGE;
	}
	o.which = argv[optind];
	return stat_machine(&o);
}
