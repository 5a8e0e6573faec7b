/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vitro top: what all machines do just now.
 *
 * top_look.c asks the module, top_share.c divides the time, top_text.c puts that into lines,
 * and these go to a terminal (top_screen.c) or into a pipe (top.c).
 */
#ifndef VITRO_TOP_H
#define VITRO_TOP_H

#include <stdio.h>

#include "family.h"

#define TOP_LINE	160	/* room for any line of text */

/**
 * enum share - where a vCPU's time goes
 * @SHARE_IDLE: asleep, because the guest has nothing to do or is not to run
 */
enum share {
	SHARE_GUEST,
	SHARE_BURST,
	SHARE_KERNEL,
	SHARE_USER,
	SHARE_IDLE,
	NR_SHARES
};

/**
 * enum top_key - by what machines are sorted
 * @TOP_BY_SHARE: and the enum share that follow it
 */
enum top_key {
	TOP_BY_ID,
	TOP_BY_NAME,
	TOP_BY_EXITS,
	TOP_BY_SHARE,
	NR_TOP_KEYS = TOP_BY_SHARE + NR_SHARES
};

/**
 * struct top_used - what exits of a vCPU have taken
 * @nr: exits
 * @cycles: by enum share; none is of the guest
 */
struct top_used {
	uint64_t nr;
	uint64_t cycles[NR_SHARES];
};

/**
 * struct top_vcpu - a vCPU
 * @there: it has been heard of in this look
 * @state: enum vitro_mp_state
 * @in_guest: it ran the guest at that moment
 * @used: up to that moment, since its machine has been watched
 * @exits: a second
 * @share: of its time; the sum is 1
 */
struct top_vcpu {
	bool there;
	uint32_t state;
	bool in_guest;
	struct top_used used;
	double exits;
	double share[NR_SHARES];
};

/**
 * struct top_machine - a machine
 * @vm: its name and so on
 * @ours: nobody had its exits timed before
 * @ns: when it was looked at
 * @measured: it was looked at twice, so that there are rates
 * @exits: a second, of all vCPUs
 * @share: the mean of its vCPUs'
 * @vcpu: they, by id
 * @times: of its exits up to that moment, by reason
 * @since: what has come between the looks
 */
struct top_machine {
	struct vm_info vm;
	bool ours;
	uint64_t ns;
	bool measured;
	double exits;
	double share[NR_SHARES];
	struct top_vcpu vcpu[VITRO_MAX_VCPUS];
	struct vitro_times times[VITRO_NR_REASONS];
	struct vitro_times since[VITRO_NR_REASONS];
};

/**
 * struct top - all machines
 * @family: the module
 * @machine: @nr of them, sorted by @key
 * @key: enum top_key
 */
struct top {
	struct family family;
	struct top_machine **machine;
	unsigned int nr;
	enum top_key key;
};

/**
 * struct top_options - what was asked for
 * @interval_ns: time between two looks
 * @count: so many looks, 0 for no end
 * @batch: print lines, with no terminal
 * @json: print JSON
 */
struct top_options {
	uint64_t interval_ns;
	uint64_t count;
	bool batch;
	bool json;
};

/* top_look.c; 0 or a negative number for nl_geterror() */
int top_look(struct top *t);
void top_sort(struct top *t);
void top_end(struct top *t);
uint64_t top_now(void);

/* top_share.c */
void top_share(struct top_vcpu *v, const struct top_used *before, double cycles);

/* top_text.c: a line each, of which the first columns are alike */
#define TOP_SHARES_AT	38	/* where the columns of shares begin */
#define TOP_SHARE_WIDTH	6
#define TOP_BAR_AT	(TOP_SHARES_AT + NR_SHARES * TOP_SHARE_WIDTH)
const char *share_name(enum share share);
void top_heads(char line[TOP_LINE]);
void top_machine_line(const struct top_machine *m, char line[TOP_LINE]);
void top_vcpu_line(const struct top_machine *m, unsigned int vcpu, char line[TOP_LINE]);
void top_reason_heads(char line[TOP_LINE]);
unsigned int top_reasons(const struct top_machine *m, unsigned int order[VITRO_NR_REASONS]);
void top_reason_line(const struct top_machine *m, unsigned int reason, char line[TOP_LINE]);
void top_summary(const struct top *t, char line[TOP_LINE]);
void top_print(const struct top *t);
void top_print_json(const struct top *t);

/* top_screen.c; an exit status */
int top_screen(struct top *t, const struct top_options *o);

/* top.c: whether a signal has asked for the end; what an error of the module's is as exit status */
bool top_stopped(void);
int top_status(int err);

#endif /* VITRO_TOP_H */
