/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that get nowhere.
 *
 * Two things give them away.  A vCPU that exits again and again, with the same exit and
 * the same registers: each vCPU's thread compares each exit with the one before.  And one that
 * does not exit at all, with interrupts off and always the same registers: nothing but an NMI
 * or another vCPU could get it out of there.
 * For that the main thread kicks the vCPUs now and then, and they look where they are.
 *
 * Neither proves that a guest is lost, for a device may be slow.  So it is said once, with
 * what can be seen of the cause, and the guest goes on.
 */
#ifndef VITRO_STUCK_H
#define VITRO_STUCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <vitro/vitro.h>

struct cpu;

/* So often has a loop to be seen, in all of the time after which a guest is stuck. */
#define STUCK_LOOKS	4

/**
 * struct stuck - what a vCPU's thread remembers; its own only
 * @exit: the exit that is repeated
 * @gprs: registers at it
 * @count: how often in a row
 * @since: when that began, CLOCK_MONOTONIC, nanoseconds
 * @advanced: after it was dealt with, rip was another
 * @raised: it was dealt with by an exception
 * @others: exits of all kinds but those that only look, ever
 * @seen_others: the same when the loop was first seen
 * @loop_gprs: registers then
 * @nr_seen: how often it was seen, in a row
 * @looked: when the vCPU looked last, CLOCK_MONOTONIC, nanoseconds
 * @told: it has been said
 */
struct stuck {
	struct vitro_exit exit;
	struct vitro_gprs gprs;
	uint64_t count;
	uint64_t since;
	bool advanced;
	bool raised;
	uint64_t others;
	uint64_t seen_others;
	struct vitro_gprs loop_gprs;
	unsigned int nr_seen;
	uint64_t looked;
	bool told;
};

/**
 * struct stuck_facts - what is known about it
 * @exit: the exit that is repeated; NULL: there is none, it loops
 * @advanced: @raised: as above
 * @has_device: a device answers at its address
 * @is_ram: there is memory at its address
 */
struct stuck_facts {
	const struct vitro_exit *exit;
	bool advanced;
	bool raised;
	bool has_device;
	bool is_ram;
};

/* stuck_cause.c */
const char *stuck_cause(const struct stuck_facts *f);

/* stuck.c: called by the vCPU's thread before and after it deals with an exit */
void stuck_exit(struct cpu *cpu);
void stuck_handled(struct cpu *cpu);

#endif /* VITRO_STUCK_H */
