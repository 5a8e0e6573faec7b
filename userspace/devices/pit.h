/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's programmable interval timer (Intel 8254 data sheet) and its port 0x61. */
#ifndef DEVICES_PIT_H
#define DEVICES_PIT_H

#include "bus.h"

#define PIT_PORT	0x40
#define PIT_PORTS	4
#define PIT_GATE_PORT	0x61	/* "system control port B": channel 2's gate and output */

#define PIT_HZ		1193182	/* of a PC: 14.31818 MHz / 12 */

/**
 * struct pit_host - what the timer needs of the world
 * @now: nanoseconds of a clock that never goes back
 * @arm: call pit_tick() when @now will be @at; 0 calls it off
 * @opaque: handed to @arm
 */
struct pit_host {
	int64_t (*now)(void);
	void (*arm)(void *opaque, int64_t at);
	void *opaque;
};

/**
 * struct pit_channel - one of the three counters; times are in ticks of PIT_HZ
 * @mode: 0 to 5
 * @access: how the count is written and read: 1 low byte, 2 high byte, 3 both in turn
 * @bcd: the counter has four decimal digits
 * @gate: its gate input
 * @running: it counts: a count was written, and no gate holds it up
 * @loaded: a count was written since the control word
 * @count: what it counts from, 1 to 65536
 * @start: when it began to count from there; while it does not run, what it had done
 * @low: the low byte of a count of which the high one is still to come
 * @write_high: ... which is the next byte written
 * @read_high: the next byte read is the high one
 * @latch: count that was latched
 * @has_latch: bytes of it still to be read
 * @status: status that was latched
 * @has_status: it is the next byte read
 */
struct pit_channel {
	uint8_t mode;
	uint8_t access;
	bool bcd;
	bool gate;
	bool running;
	bool loaded;
	uint32_t count;
	int64_t start;
	uint8_t low;
	bool write_high;
	bool read_high;
	uint16_t latch;
	int has_latch;
	uint8_t status;
	bool has_status;
};

/**
 * struct pit - the timer
 * @irq: what the output of channel 0 is connected to
 * @host: time and alarm clock
 * @channel: 0 interrupts, 1 refreshed memory once, 2 beeps
 * @speaker: bit 1 of port 0x61, which only remembers
 * @next: tick at which channel 0's output rises, 0 for never
 */
struct pit {
	struct irq_line irq;
	struct pit_host host;
	struct pit_channel channel[3];
	uint8_t speaker;
	int64_t next;
};

extern const struct bus_ops pit_ops;
extern const struct bus_ops pit_gate_ops;

void pit_init(struct pit *pit, struct irq_line irq, struct pit_host host);
void pit_tick(struct pit *pit);

#endif /* DEVICES_PIT_H */
