/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recording in memory, and what can be done with it. */
#ifndef VITRO_RECORDING_H
#define VITRO_RECORDING_H

#include <stddef.h>

#include "record.h"

/**
 * struct recording - a file of exits
 * @header: its header
 * @nr: exits
 * @entry: they, in the order of their time
 * @map: @size: the file
 */
struct recording {
	const struct trace_header *header;
	size_t nr;
	const struct trace_entry **entry;
	void *map;
	size_t size;
};

/**
 * struct filter - which exits are wanted
 * @vcpu: of this vCPU, -1 for all
 * @reason: for this reason, -1 for all
 * @place: that went to this place, -1 for all
 * @limit: so many at most, 0 for all
 * @json: print JSON
 */
struct filter {
	int vcpu;
	int reason;
	int place;
	uint64_t limit;
	bool json;
};

/* recording.c; false when the reason has been said */
bool recording_open(struct recording *r, const char *file);
void recording_close(struct recording *r);
void disassemble(const struct trace_entry *e, char *buf, size_t size);
void describe_exit(const struct vitro_record *r, char *buf, size_t size);
const char *place_name(unsigned int place);

/* recording_diff.c: the first exits that a guest would notice to differ; -1: there are none */
int recording_diff(const struct recording *a, const struct recording *b);
bool same_exit(const struct vitro_record *a, const struct vitro_record *b);
bool is_architectural(const struct vitro_record *r);

/* recording_export.c */
int recording_export(const struct recording *r);

#endif /* VITRO_RECORDING_H */
