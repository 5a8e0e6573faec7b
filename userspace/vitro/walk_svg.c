// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A walk as a picture.  Each of the guest's entries is a row: from the left, its address
 * goes through the second-level tables, a column each, to where the host has it; there it is
 * read, and says where the next row begins.  The last row is the data.  Numbers in the
 * corners count the entries that the CPU reads, in that order.
 *
 * Nothing of it is text from elsewhere: numbers, and words of ours.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "walk.h"

/* All in units of the picture. */
#define MARGIN		24
#define TOP		118	/* first row */
#define ROW		104
#define CELL_H		70
#define GPA_W		150
#define SECOND_W	138
#define ENTRY_W		206
#define GAP		26
#define WHY_CHARS	120	/* of a line below the rows */
#define WHY_H		22

static const char style[] =
	"text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:#16191d}\n"
	".bg{fill:#fff}\n"
	".mono{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,monospace;font-size:11.5px}\n"
	".title{font-size:19px;font-weight:600}\n"
	".head{font-weight:600}\n"
	".small,.nr{fill:#59626d;font-size:11px}\n"
	".why{font-size:14px;font-weight:600}\n"
	"rect{stroke-width:1.2}\n"
	".gpa{fill:#f4f6f8;stroke:#aab4bf}\n"
	".second{fill:#fdf3dc;stroke:#d9a520}\n"
	".entry{fill:#dcebf8;stroke:#3f83bf}\n"
	".data{fill:#d8f1e7;stroke:#00956b}\n"
	".void{fill:none;stroke:#cfd6dd;stroke-dasharray:3 4}\n"
	".bad{fill:#fbdcd8;stroke:#c8321f;stroke-width:3}\n"
	".away{fill:#fff;stroke:#c8321f;stroke-width:2;stroke-dasharray:6 4}\n"
	".badtext{fill:#b3261a}\n"
	"path{fill:none;stroke:#7b8794;stroke-width:1.5}\n"
	".beyond{opacity:.4}\n"
	".tip{fill:#7b8794;stroke:none}\n"
	"@media (prefers-color-scheme:dark){\n"
	"text{fill:#e6e9ec}.bg{fill:#14171a}.small,.nr{fill:#9aa5b1}\n"
	".gpa{fill:#1d2226;stroke:#56616d}.second{fill:#3a2f12;stroke:#d9a520}\n"
	".entry{fill:#17304a;stroke:#5fa3dd}.data{fill:#0f3a2d;stroke:#1fb58a}\n"
	".void{stroke:#343b43}.bad{fill:#4a1a15;stroke:#ff6b57}\n"
	".away{fill:#14171a;stroke:#ff6b57}.badtext{fill:#ff8a7a}\n"
	"path{stroke:#8a96a3}.tip{fill:#8a96a3}}\n";

/**
 * struct picture - what is being drawn
 * @v: the walk
 * @out: where
 * @levels: columns of the second dimension
 * @count: entries that were read so far
 * @beyond: what comes now, the CPU does not read
 */
struct picture {
	const struct walk_view *v;
	FILE *out;
	unsigned int levels;
	unsigned int count;
	bool beyond;
};

static int second_x(unsigned int i)
{
	return MARGIN + GPA_W + GAP + i * (SECOND_W + GAP);
}

static int entry_x(const struct picture *p)
{
	return second_x(p->levels);
}

static int row_y(unsigned int row)
{
	return TOP + row * ROW;
}

static int total_width(const struct picture *p)
{
	return entry_x(p) + ENTRY_W + MARGIN;
}

/* ----------------------------------------------------------------- what it is made of */

static void rect(struct picture *p, int x, int y, int width, const char *class)
{
	fprintf(p->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" ", class, x, y);
	fprintf(p->out, "width=\"%d\" height=\"%d\" rx=\"6\"/>\n", width, CELL_H);
}

__attribute__((format(printf, 5, 6)))
static void text(struct picture *p, int x, int y, const char *class, const char *fmt, ...)
{
	va_list args;

	fprintf(p->out, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
	va_start(args, fmt);
	vfprintf(p->out, fmt, args);
	va_end(args);
	fprintf(p->out, "</text>\n");
}

static void hex(struct picture *p, int x, int y, uint64_t value)
{
	text(p, x, y, "mono", "0x%" PRIx64, value);
}

/* In the upper right corner of a cell that ends at @right. */
static void number(struct picture *p, int right, int y)
{
	if (p->beyond)
		return;
	p->count++;
	text(p, right - (p->count < 10 ? 14 : 21), y + 16, "nr", "%u", p->count);
}

static void tip(struct picture *p, int x, int y)
{
	fprintf(p->out, "<path class=\"tip\" d=\"M%d %dl-8 -4v8z\"/>\n", x, y);
}

static void arrow(struct picture *p, int from, int to, int y)
{
	fprintf(p->out, "<path d=\"M%d %dH%d\"/>\n", from, y, to - 6);
	tip(p, to, y);
}

/* From the entry on the right of the row above to the beginning of this one. */
static void arrow_from_above(struct picture *p, unsigned int row)
{
	int x = entry_x(p) + ENTRY_W / 2, y = row_y(row - 1) + CELL_H;
	int lane = y + (ROW - CELL_H) / 2, to = row_y(row) + CELL_H / 2;

	fprintf(p->out, "<path d=\"M%d %dV%dH%dV%dH%d\"/>\n", x, y, lane, MARGIN - 12, to,
		MARGIN - 6);
	tip(p, MARGIN, to);
}

/* ------------------------------------------------------------------------------ cells */

static void draw_gpa(struct picture *p, unsigned int row)
{
	const struct vitro_walk *w = &p->v->walk;
	unsigned int shift, bits = w->entry_size == 4 ? 10 : 9;
	int y = row_y(row);

	rect(p, MARGIN, y, GPA_W, "gpa");
	hex(p, MARGIN + 10, y + 40, p->v->target[row].gpa);
	if (row == w->nr) {
		text(p, MARGIN + 10, y + 19, "head", "data");
		text(p, MARGIN + 10, y + 59, "small", "page and offset");
		return;
	}
	text(p, MARGIN + 10, y + 19, "head", "%s %u", walk_level(w->step[row].level),
	     w->step[row].index);
	shift = 12 + bits * (w->step[row].level - 1);
	if (walk_is_pdpte(p->v, w->step[row].level))
		bits = 2;
	text(p, MARGIN + 10, y + 59, "small", "by gva bits %u:%u", shift + bits - 1, shift);
}

static void draw_second(struct picture *p, unsigned int row, unsigned int i)
{
	const struct walk_target *t = &p->v->target[row];
	int x = second_x(i), y = row_y(row);
	char bits[WALK_BITS];
	bool there;

	if (i >= t->nr) {
		rect(p, x, y, SECOND_W, "void");
		return;
	}
	there = walk_is_there(p->v, t->entry[i]);
	rect(p, x, y, SECOND_W, there ? "second" : "away");
	text(p, x + 9, y + 19, "head", "%s %u", walk_level(t->levels - i),
	     (unsigned int)(t->gpa >> (12 + 9 * (t->levels - i - 1)) & 511));
	number(p, x + SECOND_W, y);
	if (!t->withheld)
		hex(p, x + 9, y + 40, t->entry[i]);
	else
		text(p, x + 9, y + 40, "small", "address withheld");
	walk_second_bits(p->v, t->entry[i], bits, sizeof(bits));
	text(p, x + 9, y + 59, there ? "mono" : "mono badtext", "%s", bits);
}

static void draw_data(struct picture *p, int x, int y, const struct walk_target *t)
{
	char rights[4];

	walk_second_rights(p->v, t, rights);
	rect(p, x, y, ENTRY_W, t->page_size ? "data" : "away");
	if (t->page_size) {
		text(p, x + 10, y + 19, "head", "data");
		text(p, x + 10, y + 59, "small", "%s page, %s allows %s", walk_size(t->page_size),
		     walk_second(p->v), rights);
	} else {
		text(p, x + 10, y + 19, "head", "%s", t->memory ? "not mapped yet" : "a device");
		text(p, x + 10, y + 40, "small", "%s", t->memory ? "the next access brings it" :
		     "the guest has no memory here");
	}
}

static void draw_entry(struct picture *p, int x, int y, unsigned int row)
{
	const struct vitro_walk_step *s = &p->v->walk.step[row];
	bool bad = p->v->walk.result != VITRO_WALK_OK && row == p->v->walk.blamed;
	char bits[WALK_BITS], rights[5];

	walk_bits(p->v, s, bits, sizeof(bits));
	walk_rights(s, rights);
	rect(p, x, y, ENTRY_W, bad ? "bad" : "entry");
	hex(p, x + 10, y + 19, s->entry);
	number(p, x + ENTRY_W, y);
	text(p, x + 10, y + 38, bad ? "mono badtext" : "mono", "%s", bits);
	text(p, x + ENTRY_W - 76, y + 59, "small", "so far %s", rights);
}

/* What is found in the host's memory: an entry of the guest's, or the data. */
static void draw_found(struct picture *p, unsigned int row)
{
	const struct walk_target *t = &p->v->target[row];
	bool is_data = row == p->v->walk.nr;
	int x = entry_x(p), y = row_y(row);

	if (is_data)
		draw_data(p, x, y, t);
	else
		draw_entry(p, x, y, row);
	if (t->page_size && !t->withheld)
		text(p, x + 10, is_data ? y + 40 : y + 59, "small", "hpa 0x%" PRIx64, t->hpa);
}

static void draw_row(struct picture *p, unsigned int row)
{
	const struct walk_target *t = &p->v->target[row];
	int y = row_y(row) + CELL_H / 2;
	unsigned int i;

	if (row)
		arrow_from_above(p, row);
	draw_gpa(p, row);
	for (i = 0; i < p->levels; i++)
		draw_second(p, row, i);
	for (i = 0; i < t->nr; i++)
		arrow(p, second_x(i) - GAP, second_x(i), y);
	if (t->page_size)
		arrow(p, second_x(t->nr) - GAP, entry_x(p), y);
	draw_found(p, row);
}

/* ------------------------------------------------------------------------ the picture */

static void draw_heads(struct picture *p)
{
	unsigned int i;

	text(p, MARGIN, TOP - 14, "head", "guest physical");
	for (i = 0; i < p->levels; i++)
		text(p, second_x(i), TOP - 14, "head", "%s %s", walk_second(p->v),
		     walk_level(p->levels - i));
	text(p, entry_x(p), TOP - 14, "head", "in the host's memory");
}

static void draw_title(struct picture *p)
{
	const struct walk_view *v = p->v;

	text(p, MARGIN, 40, "title", "gva 0x%" PRIx64 ": %s", v->walk.gva, walk_access(v));
	text(p, MARGIN, 64, "small", "vCPU %u at CPL %u, %s, CR0 0x%" PRIx64 ", CR3 0x%" PRIx64
	     ", CR4 0x%" PRIx64 ", EFER 0x%" PRIx64, v->vcpu, v->cpl, walk_paging(v), v->cr0,
	     v->cr3, v->cr4, v->efer);
}

/* @why in lines of up to WHY_CHARS; returns how many. */
static unsigned int draw_why(struct picture *p, const char *why, int y)
{
	bool good = p->v->walk.result == VITRO_WALK_OK;
	unsigned int lines = 0;

	while (*why) {
		size_t len = strlen(why), cut = len;

		if (len > WHY_CHARS) {
			for (cut = WHY_CHARS; cut > 0 && why[cut] != ' '; cut--)
				;
			cut = cut ? cut : WHY_CHARS;
		}
		if (p->out)
			text(p, MARGIN, y + (int)lines * WHY_H, good ? "why" : "why badtext",
			     "%.*s", (int)cut, why);
		why += cut + (why[cut] == ' ');
		lines++;
	}
	return lines;
}

/**
 * walk_print_svg - draw a walk
 * @v: the walk
 * @out: where
 */
void walk_print_svg(const struct walk_view *v, FILE *out)
{
	struct picture p = { .v = v, .levels = v->nr_targets ? v->target[0].levels : 4 };
	int width = total_width(&p), y = v->nr_targets ? row_y(v->nr_targets) : 100, height;
	char why[WALK_WHY];
	unsigned int row;

	walk_why(v, why, sizeof(why));
	height = y + draw_why(&p, why, y) * WHY_H + 40;
	p.out = out;
	fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" ");
	fprintf(out, "width=\"%d\" height=\"%d\" ", width, height);
	fprintf(out, "viewBox=\"0 0 %d %d\">\n", width, height);
	fprintf(out, "<title>gva 0x%" PRIx64 ": %s</title>\n<style>\n%s</style>\n", v->walk.gva,
		why, style);
	fprintf(out, "<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n");
	draw_title(&p);
	if (v->nr_targets)
		draw_heads(&p);
	for (row = 0; row < v->nr_targets; row++) {
		p.beyond = walk_is_beyond(v, row);
		fprintf(out, "<g%s>\n", p.beyond ? " class=\"beyond\"" : "");
		draw_row(&p, row);
		fprintf(out, "</g>\n");
	}
	y += WHY_H * draw_why(&p, why, y);
	if (v->nr_targets)
		text(&p, MARGIN, y, "small",
		     "%u entries are read, in this order, as far as no TLB knows them.",
		     walk_entries_read(v));
	fprintf(out, "</svg>\n");
}
