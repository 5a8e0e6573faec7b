// SPDX-License-Identifier: GPL-2.0-or-later
/* "monitor" commands of gdb: what vitro knows and gdb has no words for. */
#include <stdlib.h>
#include <string.h>

#include <vitro/why.h>

#include "gdb.h"
#include "machine.h"
#include "pause.h"
#include "walk.h"

static void monitor_help(struct gdb *g, const char *args, FILE *out);

static const char *const counters[VITRO_STAT_NR] = {
	[VITRO_STAT_RUNS] = "runs", [VITRO_STAT_BURSTS] = "bursts",
	[VITRO_STAT_EXITS] = "exits", [VITRO_STAT_EXIT_INTR] = "of them host",
	[VITRO_STAT_EXIT_IO] = "io", [VITRO_STAT_EXIT_MMIO] = "mmio",
	[VITRO_STAT_EXIT_MSR] = "msr", [VITRO_STAT_EXIT_CPUID] = "cpuid",
	[VITRO_STAT_EXIT_HLT] = "hlt", [VITRO_STAT_EXIT_HYPERCALL] = "hypercall",
	[VITRO_STAT_EXIT_WINDOW] = "window", [VITRO_STAT_EXIT_TDP] = "tdp",
	[VITRO_STAT_EXIT_OTHER] = "other", [VITRO_STAT_TO_USER] = "to user",
	[VITRO_STAT_INJECT_IRQ] = "interrupts", [VITRO_STAT_INJECT_NMI] = "nmis",
	[VITRO_STAT_INJECT_EXCEPTION] = "exceptions", [VITRO_STAT_TLB_FLUSH] = "tlb flushes",
	[VITRO_STAT_PAGES_MAPPED] = "pages mapped",
};

static void monitor_exits(struct gdb *g, const char *args, FILE *out)
{
	struct vitro_stats stats[VITRO_MAX_VCPUS];
	unsigned int i, c, nr = g->m->nr_cpus;

	(void)args;
	fprintf(out, "%-13s", "");
	for (i = 0; i < nr; i++) {
		if (vitro_vm_stats(g->m->vm, i, &stats[i]))
			memset(&stats[i], 0, sizeof(stats[i]));
		fprintf(out, " %8s %-3u", "CPU", i);
	}
	fprintf(out, "\n");
	for (c = 0; c < VITRO_STAT_NR; c++) {
		fprintf(out, "%-13s", counters[c] ? counters[c] : "?");
		for (i = 0; i < nr; i++)
			fprintf(out, " %12llu", stats[i].counter[c]);
		fprintf(out, "\n");
	}
}

static void monitor_walk(struct gdb *g, const char *args, FILE *out)
{
	struct walk_view view;
	char *end;
	uint64_t gva = strtoull(args, &end, 0);
	int err;

	if (end == args || *end) {
		fprintf(out, "monitor walk GVA: an address, such as 0xffffffff81000000\n");
		return;
	}
	pause_lock(g->m);
	err = walk_look(g->m, g->cpu, gva, 0, &view);
	pause_unlock(g->m);
	if (err)
		fprintf(out, "%s\n", vitro_error());
	else
		walk_print_text(&view, out, false);
}

/* The control structure, all of it or the fields whose names have the word in them. */
static void monitor_control(struct gdb *g, const char *args, FILE *out)
{
	struct vitro_entry_field field;
	struct vitro_entry *entry;
	const char *name;
	size_t i;

	pause_lock(g->m);
	entry = vitro_vcpu_entry(g->m->cpu[g->cpu].vcpu);
	pause_unlock(g->m);
	if (!entry) {
		fprintf(out, "%s\n", vitro_error());
		return;
	}
	for (i = 0; vitro_entry_field_at(entry, i, &field); i++) {
		name = vitro_field_name(vitro_entry_vendor(entry), field.id);
		if (name && strcasestr(name, args))
			fprintf(out, "%-36s %#llx\n", name, (unsigned long long)field.value);
	}
	vitro_entry_free(entry);
}

static const struct command {
	const char *name;
	void (*run)(struct gdb *g, const char *args, FILE *out);
	const char *help;
} commands[] = {
	{ "exits", monitor_exits, "        what the vCPUs have exited for, and how often" },
	{ "walk", monitor_walk, " GVA     how an address is translated: vitro-walk(1)" },
	{ "vmcs", monitor_control, " [WORD]  the VMCS, or its fields with WORD in the name" },
	{ "vmcb", monitor_control, " [WORD]  the same of a VMCB" },
	{ "help", monitor_help, "         this list" },
	{ NULL, NULL, NULL }
};

static void monitor_help(struct gdb *g, const char *args, FILE *out)
{
	const struct command *c;

	(void)g;
	(void)args;
	for (c = commands; c->name; c++)
		fprintf(out, "monitor %s%s\n", c->name, c->help);
}

/**
 * gdb_monitor - do what "monitor COMMAND" asks for
 * @g: the stub
 * @command: the rest of the line
 * @out: where the answer goes
 */
void gdb_monitor(struct gdb *g, const char *command, FILE *out)
{
	const struct command *c;
	size_t len;

	for (c = commands; c->name; c++) {
		len = strlen(c->name);
		if (strncmp(command, c->name, len) || (command[len] && command[len] != ' '))
			continue;
		command += len;
		c->run(g, command + strspn(command, " "), out);
		return;
	}
	fprintf(out, "no such command; \"monitor help\" lists them\n");
}
