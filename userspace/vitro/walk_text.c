// SPDX-License-Identifier: GPL-2.0-or-later
/* A walk as text: a table for each dimension, and the end in a sentence. */
#include <inttypes.h>

#include "walk.h"

/**
 * struct paint - escape sequences, or nothing
 * @head: @bad: @dim: @off: what they begin and end
 */
struct paint {
	const char *head;
	const char *bad;
	const char *dim;
	const char *off;
};

static const struct paint plain = { "", "", "", "" };
static const struct paint coloured = { "\033[1m", "\033[1;31m", "\033[2m", "\033[0m" };

/* Which step went wrong, or -1. */
static int bad_step(const struct walk_view *v)
{
	return v->walk.result == VITRO_WALK_OK || !v->walk.nr ? -1 : (int)v->walk.blamed;
}

/* What the address at the end is called; in parentheses if the CPU does not come to it. */
static const char *data(const struct walk_view *v)
{
	return walk_is_beyond(v, v->walk.nr) ? "(data)" : "data";
}

static void print_steps(const struct walk_view *v, FILE *out, const struct paint *p)
{
	char bits[WALK_BITS], rights[5];
	unsigned int i;

	fprintf(out, "\n%sThe guest's tables%s\n\n", p->head, p->off);
	fprintf(out, "%s    %-6s %5s  %12s  %18s  %-6s  %s%s\n", p->dim, "entry", "index",
		"at gpa", "value", "allows", "bits", p->off);
	for (i = 0; i < v->walk.nr; i++) {
		const struct vitro_walk_step *s = &v->walk.step[i];
		bool bad = (int)i == bad_step(v);

		walk_bits(v, s, bits, sizeof(bits));
		walk_rights(s, rights);
		fprintf(out, "%s%3s %-6s %5u  %#12" PRIx64 "  %#18" PRIx64 "  %-6s  %s%s\n",
			bad ? p->bad : "", bad ? ">>" : "", walk_level(s->level), s->index,
			s->gpa, s->entry, rights, bits, bad ? p->off : "");
	}
	if (v->walk.page_size)
		fprintf(out, "    %-6s %5s  %#12" PRIx64 "  %s page\n", data(v), "", v->walk.gpa,
			v->walk.levels ? walk_size(v->walk.page_size) : "no");
}

/* A second-level entry in 12 columns; of one without its address, the low bits. */
static void print_entry(const struct walk_view *v, const struct walk_target *t, unsigned int i,
			FILE *out, const struct paint *p)
{
	uint64_t entry = t->entry[i];

	if (!walk_is_there(v, entry))
		fprintf(out, "  %s%12s%s", p->bad, "absent", p->off);
	else if (t->withheld)
		fprintf(out, "  %9s%03" PRIx64, "...", entry & 0xfff);
	else
		fprintf(out, "  %#12" PRIx64, entry);
}

static void print_target(const struct walk_view *v, unsigned int n, unsigned int levels,
			 FILE *out, const struct paint *p)
{
	const struct walk_target *t = &v->target[n];
	char rights[4];
	unsigned int i;

	fprintf(out, "    %-6s  %#12" PRIx64, n < v->walk.nr ?
		walk_level(v->walk.step[n].level) : data(v), t->gpa);
	for (i = 0; i < levels; i++) {
		if (i < t->nr)
			print_entry(v, t, i, out, p);
		else
			fprintf(out, "  %s%12s%s", p->dim, "-", p->off);
	}
	walk_second_rights(v, t, rights);
	fprintf(out, "  %-6s", rights);
	if (!t->page_size)
		fprintf(out, "  %s\n", !t->levels ? "too long for a gpa" :
			t->memory ? "not mapped yet" : "no memory: a device");
	else if (t->withheld)
		fprintf(out, "  (%s page)\n", walk_size(t->page_size));
	else
		fprintf(out, "  %#" PRIx64 " (%s page)\n", t->hpa, walk_size(t->page_size));
}

static void print_targets(const struct walk_view *v, FILE *out, const struct paint *p)
{
	unsigned int levels = v->target[0].levels, i;

	fprintf(out, "\n%sThe second dimension (%s), of each address above%s\n\n", p->head,
		walk_second(v), p->off);
	fprintf(out, "%s    %-6s  %12s", p->dim, "of", "gpa");
	for (i = levels; i > 0; i--)
		fprintf(out, "  %12s", walk_level(i));
	fprintf(out, "  %-6s  %s%s\n", "allows", "host physical", p->off);
	for (i = 0; i < v->nr_targets; i++)
		print_target(v, i, levels, out, p);
}

/**
 * walk_print_text - print a walk for people
 * @v: the walk
 * @out: where
 * @colour: for a terminal
 */
void walk_print_text(const struct walk_view *v, FILE *out, bool colour)
{
	const struct paint *p = colour ? &coloured : &plain;
	bool good = v->walk.result == VITRO_WALK_OK;
	char why[WALK_WHY];
	unsigned int i;

	fprintf(out, "%sgva 0x%" PRIx64 "%s: %s\n", p->head, v->walk.gva, p->off, walk_access(v));
	fprintf(out, "vCPU %u at CPL %u, %s: CR0 0x%" PRIx64 "  CR3 0x%" PRIx64 "  CR4 0x%" PRIx64
		"  EFER 0x%" PRIx64 "\n", v->vcpu, v->cpl, walk_paging(v), v->cr0, v->cr3, v->cr4,
		v->efer);
	if (v->walk.nr || v->walk.page_size)
		print_steps(v, out, p);
	for (i = 0; i < v->walk.nr; i++) {
		if (walk_is_pdpte(v, v->walk.step[i].level))
			fprintf(out, "\n    %s\n",
				"The CPU may have read the PDPTE when CR3 was written (SDM 3A 4.4.1).");
	}
	if (v->nr_targets) {
		print_targets(v, out, p);
		fprintf(out, "\n%u entries are read, as far as no TLB knows them.\n",
			walk_entries_read(v));
		if (v->target[0].withheld)
			fprintf(out, "Host addresses are withheld: %s\n",
				"vitro.ko tells them to CAP_SYS_ADMIN only.");
	}
	walk_why(v, why, sizeof(why));
	fprintf(out, "%s%s%s\n", good ? p->head : p->bad, why, p->off);
}
