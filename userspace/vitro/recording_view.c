// SPDX-License-Identifier: GPL-2.0-or-later
/* What is to be seen of a recording: filters, and names for addresses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "family.h"
#include "recording.h"

static int find_reason(const char *name)
{
	for (int i = 0; i < VITRO_NR_REASONS; i++) {
		if (!strcmp(reason_name(i), name) && strcmp(name, "unknown"))
			return i;
	}
	return -1;
}

static int find_place(const char *name)
{
	for (int i = 0; i < VITRO_NR_PLACES; i++) {
		if (!strcmp(place_name(i), name))
			return i;
	}
	return -1;
}

static int wrong(const char *option, const char *value, const char *cure)
{
	fprintf(stderr, "vitro: --%s '%s': %s\n", option, value, cure);
	return END_USAGE;
}

/**
 * view_option - an option that says what is wanted
 * @v: the view
 * @option: its letter
 * @value: its value
 *
 * Return: 0 or an exit status; then the reason has been said.
 */
int view_option(struct view *v, int option, const char *value)
{
	uint64_t n;

	switch (option) {
	case 'c':
		if (!parse_number(value, 0, VITRO_MAX_VCPUS - 1, &n))
			return wrong("vcpu", value, "the number of a vCPU, from 0 on");
		v->vcpu = n;
		return 0;
	case 'r':
		v->reason = find_reason(value);
		return v->reason < 0 ? wrong("reason", value, "there is none; see vitro stat") : 0;
	case 'p':
		v->place = find_place(value);
		return v->place < 0 ? wrong("place", value, "burst, kernel or user") : 0;
	case 'n':
		if (!parse_number(value, 1, UINT64_MAX, &v->limit))
			return wrong("count", value, "a number, from 1 on");
		return 0;
	case 'a':
		v->rip = value;
		return 0;
	case 's':
		v->symbols = value;
		return 0;
	case 'k':
		if (!parse_number(value, 0, UINT64_MAX, &n))
			return wrong("kaslr", value, "a number, such as 0x1c600000");
		v->slide = value;
		return 0;
	default:
		v->json = true;
		return 0;
	}
}

/* "FROM-TO", "ADDRESS" or "SYMBOL". */
static bool find_rip(struct recording *r, const char *rip)
{
	const char *dash = strchr(rip, '-');
	uint64_t size;
	char *from;
	bool ok;

	if (parse_number(rip, 0, UINT64_MAX, &r->rip_first)) {
		r->rip_last = r->rip_first;
		return true;
	}
	if (symbols_find(r->symbols, rip, &r->rip_first, &size)) {
		r->rip_last = r->rip_first + size - 1;
		return true;
	}
	if (!dash)
		return false;
	from = strndup(rip, dash - rip);
	ok = from && parse_number(from, 0, UINT64_MAX, &r->rip_first) &&
	     parse_number(dash + 1, r->rip_first, UINT64_MAX, &r->rip_last);
	free(from);
	return ok;
}

/* Where the guest's kernel was, as --kaslr says or LSTAR. */
static void find_slide(struct recording *r, const struct view *v)
{
	uint64_t n;

	if (v->slide) {
		parse_number(v->slide, 0, UINT64_MAX, &n);
		symbols_slide(r->symbols, n);
	} else if (!symbols_detect(r->symbols, r->header->lstar) &&
		   symbols_find(r->symbols, "entry_SYSCALL_64", &n, NULL)) {
		fprintf(stderr, "vitro: LSTAR does not fit '%s'; names may be wrong\n"
			"vitro: --kaslr says where the guest's kernel was\n", v->symbols);
	}
}

/**
 * recording_look - see a recording through a view
 * @r: the recording
 * @v: the view, which has to stay as long as it is used
 *
 * Return: false if it cannot be; the reason has been said.
 */
bool recording_look(struct recording *r, const struct view *v)
{
	r->view = v;
	if (v->symbols) {
		r->symbols = symbols_open(v->symbols);
		if (!r->symbols)
			return false;
		find_slide(r, v);
	}
	if (v->rip && !find_rip(r, v->rip)) {
		wrong("rip", v->rip, v->symbols ? "neither an address, FROM-TO, nor a symbol" :
		      "neither an address nor FROM-TO; symbols need --symbols");
		return false;
	}
	return true;
}

/**
 * is_wanted - shall an exit be seen?
 * @r: the recording
 * @e: the exit
 *
 * Return: whether.
 */
bool is_wanted(const struct recording *r, const struct trace_entry *e)
{
	const struct view *v = r->view;

	return !v || ((v->vcpu < 0 || e->vcpu == v->vcpu) &&
		      (v->reason < 0 || (int)e->record.reason == v->reason) &&
		      (v->place < 0 || e->record.place == v->place) &&
		      e->record.linear >= r->rip_first && e->record.linear <= r->rip_last);
}
