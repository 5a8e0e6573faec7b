/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files snip*.c share. */
#ifndef VITRO_SNIP_H
#define VITRO_SNIP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <vitro/vitro.h>

#include "cmd.h"

/* Where things are in the guest's memory, all of which is RAM up to SNIP_MEMORY. */
#define SNIP_CODE	0x1000
#define SNIP_STACK	0x1000		/* and below */
#define SNIP_TABLES	0x80000		/* GDT and page tables of modes 32 and 64 */
#define SNIP_MEMORY	0x200000

#define SNIP_MAX_SETS	64

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/**
 * struct snip - what is asked for, and what comes of it
 * @text: instructions for the assembler, or NULL
 * @bytes: the same in hexadecimal, or NULL
 * @file: ... or in a file, or NULL
 * @intel: @text is in Intel's syntax
 * @mode: of the processor
 * @set: NAME=VALUE of the initial state
 * @nr_sets: how many
 * @why: explain an entry that the CPU refuses
 * @trace: also show the exits that the module deals with
 * @json: print JSON
 * @max_exits: the end, at the latest
 * @deadline: nanoseconds it may take
 *
 * @vcpu: the guest's processor
 * @before: its state when it was last shown
 * @nr_exits: so many have been shown
 * @list: the exits, for JSON
 * @ring: the recorder's ring, with @trace
 * @ring_next: record to show next
 */
struct snip {
	const char *text;
	const char *bytes;
	const char *file;
	bool intel;
	enum vitro_mode mode;
	const char *set[SNIP_MAX_SETS];
	unsigned int nr_sets;
	bool why;
	bool trace;
	bool json;
	uint64_t max_exits;
	uint64_t deadline;

	struct vitro_vcpu *vcpu;
	struct vitro_state before;
	uint64_t nr_exits;
	json_t *list;
	const struct vitro_ring *ring;
	uint64_t ring_next;
};

int snip_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* snip_asm.c: 0 or an exit status; what is wrong has been said */
int snip_assemble(const char *text, enum vitro_mode mode, bool intel, struct vitro_image *image);
int snip_bytes(const char *hex, struct vitro_image *image);

/* snip_regs.c: the state by names */
#define SNIP_GROUPS	(VITRO_STATE_GPRS | VITRO_STATE_SEGS | VITRO_STATE_CRS)

bool snip_is_register(const char *name, size_t length);
int snip_set(struct vitro_vcpu *vcpu, const char *set);
json_t *snip_changes(const struct vitro_state *before, const struct vitro_state *now);
void snip_print_registers(const struct vitro_state *state);
json_t *snip_registers(const struct vitro_state *state);

/* snip_show.c: exits */
bool snip_trace_start(struct snip *s);
void snip_show_exit(struct snip *s);

#endif /* VITRO_SNIP_H */
