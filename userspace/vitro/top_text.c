// SPDX-License-Identifier: GPL-2.0-or-later
/* What machines do, as lines of text and as JSON. */
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "times.h"
#include "top.h"

/**
 * share_name - the name of a share
 * @share: it
 *
 * Return: the name.
 */
const char *share_name(enum share share)
{
	static const char *const names[NR_SHARES] = {
		[SHARE_GUEST] = "guest", [SHARE_BURST] = "burst", [SHARE_KERNEL] = "kernel",
		[SHARE_USER] = "user", [SHARE_IDLE] = "idle",
	};

	return names[share];
}

static const char *state_name(const struct top_vcpu *v)
{
	static const char *const names[] = { "ready", "halted", "sipi", "down" };

	if (v->in_guest)
		return "guest";
	return v->state < 4 ? names[v->state] : "?";
}

/* The columns from TOP_SHARES_AT on. */
static void add_shares(char line[TOP_LINE], const double share[NR_SHARES])
{
	int i;

	for (i = 0; i < NR_SHARES; i++)
		snprintf(line + TOP_SHARES_AT + i * TOP_SHARE_WIDTH,
			 TOP_LINE - TOP_SHARES_AT - i * TOP_SHARE_WIDTH, " %5.1f", share[i] * 100);
}

/* The columns from the rate on: nothing is known before the second look. */
static void add_rates(char *line, const struct top_machine *m, double exits,
		      const double share[NR_SHARES])
{
	size_t n = strlen(line);

	if (!m->measured) {
		snprintf(line + n, TOP_LINE - n, "%9s", "-");
		return;
	}
	snprintf(line + n, TOP_LINE - n, "%9.0f", exits);
	add_shares(line, share);
}

/* ---------------------------------------------------------------------- lines */

/**
 * top_heads - the heads of the columns
 * @line: where they go
 */
void top_heads(char line[TOP_LINE])
{
	snprintf(line, TOP_LINE, "%6s %-16s %4s %9s %5s %5s %5s %5s %5s", "ID", "NAME", "CPUS",
		 "EXITS/S", "GUEST", "BURST", "KERN", "USER", "IDLE");
}

/**
 * top_machine_line - a machine; without shares until it has been measured
 * @m: it
 * @line: where it goes
 */
void top_machine_line(const struct top_machine *m, char line[TOP_LINE])
{
	snprintf(line, TOP_LINE, "%6llu %-16.16s %4u ", (unsigned long long)m->vm.id,
		 m->vm.name[0] ? m->vm.name : "-", m->vm.nr_vcpus);
	add_rates(line, m, m->exits, m->share);
}

/**
 * top_vcpu_line - a vCPU of a machine
 * @m: the machine
 * @vcpu: its number
 * @line: where it goes
 */
void top_vcpu_line(const struct top_machine *m, unsigned int vcpu, char line[TOP_LINE])
{
	const struct top_vcpu *v = &m->vcpu[vcpu];

	snprintf(line, TOP_LINE, "%6s  vcpu %-3u%-7s %4s ", "", vcpu, state_name(v), "");
	add_rates(line, m, v->exits, v->share);
}

/**
 * top_reason_heads - the heads of the columns of reasons
 * @line: where they go
 */
void top_reason_heads(char line[TOP_LINE])
{
	snprintf(line, TOP_LINE, "%-12s %9s %6s %6s %9s %9s %6s %6s %6s", "REASON", "EXITS/S",
		 "%", "TIME%", "MEDIAN", "P99", "BURST%", "KERN%", "USER%");
}

/**
 * top_reasons - for which reasons a machine has exited
 * @m: it
 * @order: set to the reasons, the one that took most time first
 *
 * Return: how many there are.
 */
unsigned int top_reasons(const struct top_machine *m, unsigned int order[VITRO_NR_REASONS])
{
	unsigned int n = 0, i, k;

	for (i = 0; i < VITRO_NR_REASONS; i++) {
		uint64_t cycles = times_cycles(&m->since[i]);

		if (!times_count(&m->since[i]))
			continue;
		for (k = n++; k > 0 && times_cycles(&m->since[order[k - 1]]) < cycles; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	return n;
}

static double percent(double part, double all)
{
	return all > 0 ? 100 * part / all : 0;
}

/**
 * top_reason_line - a reason
 * @m: of this machine
 * @reason: it
 * @line: where it goes
 */
void top_reason_line(const struct top_machine *m, unsigned int reason, char line[TOP_LINE])
{
	const struct vitro_times *t = &m->since[reason];
	uint64_t nr = times_count(t), sum = times_cycles(t), all_nr = 0, all_sum = 0;
	char median[16], p99[16];
	int i;

	for (i = 0; i < VITRO_NR_REASONS; i++) {
		all_nr += times_count(&m->since[i]);
		all_sum += times_cycles(&m->since[i]);
	}
	snprintf(line, TOP_LINE, "%-12s %9.0f %6.1f %6.1f %9s %9s %6.1f %6.1f %6.1f",
		 reason_name(reason), m->exits * percent(nr, all_nr) / 100, percent(nr, all_nr),
		 percent(sum, all_sum),
		 times_text(times_quantile(t, 50), m->vm.tsc_khz, median),
		 times_text(times_quantile(t, 99), m->vm.tsc_khz, p99),
		 percent(t->cycles[VITRO_PLACE_BURST], sum),
		 percent(t->cycles[VITRO_PLACE_KERNEL], sum),
		 percent(t->cycles[VITRO_PLACE_USER], sum));
}

/**
 * top_summary - all machines together
 * @t: they
 * @line: where it goes
 */
void top_summary(const struct top *t, char line[TOP_LINE])
{
	unsigned int vcpus = 0, i;
	time_t now = time(NULL);
	double exits = 0;
	char when[16];

	for (i = 0; i < t->nr; i++) {
		vcpus += t->machine[i]->vm.nr_vcpus;
		exits += t->machine[i]->exits;
	}
	strftime(when, sizeof(when), "%T", localtime(&now));
	snprintf(line, TOP_LINE, "vitro top  %s  %u machine%s, %u vCPU%s, %.0f exits/s", when,
		 t->nr, t->nr == 1 ? "" : "s", vcpus, vcpus == 1 ? "" : "s", exits);
}

/**
 * top_print - all of it, for --batch
 * @t: the machines
 */
void top_print(const struct top *t)
{
	unsigned int order[VITRO_NR_REASONS], nr, i, k;
	char line[TOP_LINE];

	top_summary(t, line);
	puts(line);
	for (i = 0; i < t->nr; i++) {
		const struct top_machine *m = t->machine[i];

		top_heads(line);
		printf("\n%s\n", line);
		top_machine_line(m, line);
		puts(line);
		for (k = 0; k < VITRO_MAX_VCPUS; k++) {
			if (!m->vcpu[k].there)
				continue;
			top_vcpu_line(m, k, line);
			puts(line);
		}
		nr = top_reasons(m, order);
		top_reason_heads(line);
		printf("        %s\n", line);
		for (k = 0; k < nr; k++) {
			top_reason_line(m, order[k], line);
			printf("        %s\n", line);
		}
	}
	puts("");
	fflush(stdout);
}

/* ----------------------------------------------------------------------- JSON */

static json_t *shares_json(double exits, const double share[NR_SHARES])
{
	json_t *root = json_pack("{s:f}", "exits_per_s", exits);
	int i;

	for (i = 0; i < NR_SHARES; i++)
		json_object_set_new(root, share_name(i), json_real(share[i]));
	return root;
}

static json_t *reason_json(const struct top_machine *m, unsigned int reason)
{
	const struct vitro_times *t = &m->since[reason];
	double ns = 1e6 / m->vm.tsc_khz;

	return json_pack("{s:s, s:I, s:f, s:f, s:f}", "reason", reason_name(reason), "exits",
			 (json_int_t)times_count(t), "ns", times_cycles(t) * ns, "median_ns",
			 times_quantile(t, 50) * ns, "p99_ns", times_quantile(t, 99) * ns);
}

static json_t *machine_json(const struct top_machine *m)
{
	json_t *vcpus = json_array(), *reasons = json_array();
	unsigned int order[VITRO_NR_REASONS], nr, i;
	json_t *root = shares_json(m->exits, m->share), *v;

	for (i = 0; i < VITRO_MAX_VCPUS; i++) {
		if (!m->vcpu[i].there)
			continue;
		v = shares_json(m->vcpu[i].exits, m->vcpu[i].share);
		json_object_set_new(v, "id", json_integer(i));
		json_object_set_new(v, "state", json_string(state_name(&m->vcpu[i])));
		json_array_append_new(vcpus, v);
	}
	nr = top_reasons(m, order);
	for (i = 0; i < nr; i++)
		json_array_append_new(reasons, reason_json(m, order[i]));
	json_object_set_new(root, "id", json_integer(m->vm.id));
	json_object_set_new(root, "name", json_string(m->vm.name));
	json_object_set_new(root, "vcpus", vcpus);
	json_object_set_new(root, "reasons", reasons);
	return root;
}

/**
 * top_print_json - all of it in one line, an array
 * @t: the machines
 */
void top_print_json(const struct top *t)
{
	json_t *root = json_array();
	unsigned int i;

	for (i = 0; i < t->nr; i++)
		json_array_append_new(root, machine_json(t->machine[i]));
	json_dumpf(root, stdout, JSON_COMPACT);
	printf("\n");
	fflush(stdout);
	json_decref(root);
}
