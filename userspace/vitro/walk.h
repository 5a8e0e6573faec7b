/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vitro walk: both dimensions of paging.  The machine looks (walk_serve.c) and sends what it
 * saw as JSON (walk_json.c); the command shows it, as text (walk_text.c) or as a picture
 * (walk_svg.c), in words that both share (walk_words.c).  gdb's "monitor walk" has the text
 * from the machine itself.
 */
#ifndef VITRO_WALK_COMMAND_H
#define VITRO_WALK_COMMAND_H

#include <jansson.h>
#include <stdio.h>
#include <vitro/walk.h>

/* The address of each guest table's entry is walked, and the one they lead to. */
#define WALK_TARGETS	(VITRO_WALK_STEPS + 1)

/**
 * struct walk_target - a guest physical address in the second dimension
 * @gpa: it
 * @memory: the guest has memory there
 * @levels: of the second-level tables; 0 if no guest can have this address
 * @nr: entries that were read
 * @withheld: without physical addresses: who looked has no CAP_SYS_ADMIN
 * @root: @page_size: @hpa: @entry: as in struct vitro_tdp_walk
 */
struct walk_target {
	uint64_t gpa;
	bool memory;
	unsigned int levels;
	unsigned int nr;
	bool withheld;
	uint64_t root;
	uint64_t page_size;
	uint64_t hpa;
	uint64_t entry[VITRO_TDP_LEVELS];
};

/**
 * struct walk_view - what a machine saw
 * @vcpu: of which vCPU
 * @vendor: enum vitro_vendor
 * @cpl: its privilege level
 * @cr0: @cr3: @cr4: @efer: its registers
 * @walk: the first dimension
 * @nr_targets: walk.nr, or one more when walk.gpa is valid
 * @target: the second dimension: of walk.step[i].gpa, and at last of walk.gpa
 */
struct walk_view {
	unsigned int vcpu;
	unsigned int vendor;
	unsigned int cpl;
	uint64_t cr0, cr3, cr4, efer;
	struct vitro_walk walk;
	unsigned int nr_targets;
	struct walk_target target[WALK_TARGETS];
};

/* walk_serve.c */
struct machine;
int walk_look(struct machine *m, unsigned int vcpu, uint64_t gva, unsigned int access,
	      struct walk_view *v);
void walk_serve(struct machine *m);

/* walk_json.c */
json_t *walk_to_json(const struct walk_view *v);
bool walk_from_json(const json_t *json, struct walk_view *v);
json_t *json_hex(uint64_t value);
bool json_hex_value(const json_t *json, uint64_t *value);

/* walk_words.c */
#define WALK_BITS	96
#define WALK_WHY	512
const char *walk_paging(const struct walk_view *v);
const char *walk_level(unsigned int level);
const char *walk_second(const struct walk_view *v);
const char *walk_size(uint64_t bytes);
const char *walk_access(const struct walk_view *v);
bool walk_is_pdpte(const struct walk_view *v, unsigned int level);
void walk_bits(const struct walk_view *v, const struct vitro_walk_step *step, char *buf,
	       size_t size);
bool walk_is_there(const struct walk_view *v, uint64_t second);
void walk_second_bits(const struct walk_view *v, uint64_t entry, char *buf, size_t size);
void walk_rights(const struct vitro_walk_step *step, char buf[5]);
void walk_second_rights(const struct walk_view *v, const struct walk_target *t, char buf[4]);
bool walk_is_beyond(const struct walk_view *v, unsigned int target);
unsigned int walk_entries_read(const struct walk_view *v);
void walk_why(const struct walk_view *v, char *buf, size_t size);

/* walk_text.c, walk_svg.c */
void walk_print_text(const struct walk_view *v, FILE *out, bool colour);
void walk_print_svg(const struct walk_view *v, FILE *out);

#endif /* VITRO_WALK_COMMAND_H */
