/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording in memory, and what can be done with it. */
#ifndef VITRO_RECORDING_H
#define VITRO_RECORDING_H

#include <stddef.h>

#include "record.h"
#include "symbols.h"

/**
 * struct view - what is to be seen of a recording
 * @vcpu: exits of this vCPU, -1 for all
 * @reason: for this reason, -1 for all
 * @place: that went to this place, -1 for all
 * @rip: at these addresses: FROM-TO, an address, or a symbol; NULL for all
 * @symbols: file with the names of addresses, or NULL
 * @slide: how much higher than in there they are, or NULL to find out
 * @limit: so many exits at most, 0 for all
 * @json: print JSON
 */
struct view {
	int vcpu;
	int reason;
	int place;
	const char *rip;
	const char *symbols;
	const char *slide;
	uint64_t limit;
	bool json;
};

/**
 * struct recording - a file of exits
 * @header: its header
 * @nr: exits
 * @entry: they, in the order of their time
 * @map: @size: the file
 * @view: what is wanted of it, or NULL for all
 * @symbols: names of addresses, or NULL
 * @rip_first: @rip_last: what @view->rip means in it
 */
struct recording {
	const struct trace_header *header;
	size_t nr;
	const struct trace_entry **entry;
	void *map;
	size_t size;
	const struct view *view;
	struct symbols *symbols;
	uint64_t rip_first, rip_last;
};

/* recording.c; false when the reason has been said */
bool recording_open(struct recording *r, const char *file);
void recording_close(struct recording *r);
uint64_t entry_cycles(const struct trace_entry *e);
void disassemble(const struct trace_entry *e, char *buf, size_t size);
void describe_exit(const struct vitro_record *r, char *buf, size_t size);
struct vitro_record exit_as_record(const struct vitro_exit *x);
const char *place_name(unsigned int place);

/* recording_view.c */
int view_option(struct view *v, int option, const char *value);
bool recording_look(struct recording *r, const struct view *v);
bool is_wanted(const struct recording *r, const struct trace_entry *e);

/* recording_diff.c: the first exits that a guest would notice to differ */
int recording_diff(const struct recording *a, const struct recording *b);

/* recording_export.c: 0 or -1 */
int recording_export(const struct recording *r);

#endif /* VITRO_RECORDING_H */
