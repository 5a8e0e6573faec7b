// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's programmable interval timer, Intel's 8254: three counters that count down at
 * 1.193182 MHz, in one of six modes.  Mode names and rules are those of the data sheet.
 *
 * Nothing counts here: what a counter shows, and its output, are computed from the time
 * when somebody looks.  Only channel 0's output is an interrupt, for whose next rise the
 * timer asks to be called.  Three liberties are taken:
 *
 *  - a new count takes effect at once, not at the end of the period in modes 2 and 3;
 *  - rises that were due while nobody called are one, not many: a guest that was not
 *    run for a while gets no volley of ticks;
 *  - interrupts come no faster than MAX_RATE, or a guest could keep its host busy.
 */
#include <string.h>

#include "pit.h"

#define CONTROL		3	/* offset of the port for control words */

/* Control word */
#define CW_CHANNEL(x)	((x) >> 6)
#define CW_READ_BACK	3
#define CW_ACCESS(x)	((x) >> 4 & 3)
#define CW_MODE(x)	((x) >> 1 & 7)
#define CW_BCD		0x01
/* ... of which channel 3 is the read-back command */
#define RB_NO_COUNT	0x20
#define RB_NO_STATUS	0x10

#define ACCESS_LATCH	0
#define ACCESS_LOW	1
#define ACCESS_HIGH	2
#define ACCESS_BOTH	3

#define STATUS_OUT	0x80
#define STATUS_NULL	0x40	/* the count that was written does not count yet */

/* Port 0x61 */
#define GATE_2		0x01
#define SPEAKER		0x02
#define REFRESH		0x10	/* changes with each refresh of memory, every 15 us */
#define REFRESH_TICKS	18
#define OUT_2		0x20

#define NSEC_PER_SEC	1000000000LL
#define MAX_RATE	10000	/* interrupts a second */

enum { ON_TERMINAL_COUNT, ONE_SHOT, RATE_GENERATOR, SQUARE_WAVE, SOFTWARE_STROBE, HARDWARE_STROBE };

/* In two parts, or the product would overflow after two hours. */
static int64_t ticks_of(int64_t ns)
{
	return ns / NSEC_PER_SEC * PIT_HZ + ns % NSEC_PER_SEC * PIT_HZ / NSEC_PER_SEC;
}

/* The first nanosecond at which ticks_of() is @ticks. */
static int64_t ns_of(int64_t ticks)
{
	return ticks / PIT_HZ * NSEC_PER_SEC +
	       (ticks % PIT_HZ * NSEC_PER_SEC + PIT_HZ - 1) / PIT_HZ;
}

static int64_t now(const struct pit *pit)
{
	return ticks_of(pit->host.now());
}

/* ------------------------------------------------------------- one counter */

static bool is_periodic(const struct pit_channel *c)
{
	return c->mode == RATE_GENERATOR || c->mode == SQUARE_WAVE;
}

/* In these, counting begins when the gate rises, not when a count is written. */
static bool is_triggered(const struct pit_channel *c)
{
	return c->mode == ONE_SHOT || c->mode == HARDWARE_STROBE;
}

/* Ticks that it has counted since it began. */
static int64_t elapsed(const struct pit_channel *c, int64_t at)
{
	return c->running ? at - c->start : c->start;
}

static bool output(const struct pit_channel *c, int64_t at)
{
	int64_t done = elapsed(c, at);

	switch (c->mode) {
	case ON_TERMINAL_COUNT:
		return c->loaded && done >= c->count;
	case ONE_SHOT:
		return !c->running || done >= c->count;
	case RATE_GENERATOR:
		return !c->running || done % c->count != c->count - 1;
	case SQUARE_WAVE:
		return !c->running || done % c->count < (c->count + 1) / 2;
	default:
		return !c->running || done != c->count;
	}
}

/* What the counter shows: 16 bits, or four decimal digits. */
static uint16_t value(const struct pit_channel *c, int64_t at)
{
	uint32_t modulus = c->bcd ? 10000 : 65536;
	int64_t done = elapsed(c, at);
	uint32_t v;

	if (c->mode == SQUARE_WAVE)	/* counts by two, twice a period */
		v = c->count - done % c->count * 2 % c->count;
	else if (is_periodic(c))
		v = c->count - done % c->count;
	else				/* goes on after the end */
		v = (c->count - done % modulus + modulus) % modulus;
	v %= modulus;
	if (!c->bcd)
		return v;
	return v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
}

static uint32_t decode(const struct pit_channel *c, uint16_t written)
{
	uint32_t v = written;

	if (c->bcd)
		v = (written >> 12) * 1000 + (written >> 8 & 15) * 100 +
		    (written >> 4 & 15) * 10 + (written & 15);
	if (!v)
		v = c->bcd ? 10000 : 65536;	/* the most there is */
	return v;
}

static void load(struct pit_channel *c, uint16_t written, int64_t at)
{
	c->count = decode(c, written);
	c->loaded = true;
	if (is_triggered(c))
		return;
	c->running = c->gate;
	c->start = c->running ? at : 0;
}

static void set_gate(struct pit_channel *c, bool gate, int64_t at)
{
	bool rises = gate && !c->gate;
	bool falls = !gate && c->gate;

	c->gate = gate;
	if (!c->loaded)
		return;
	if (rises && (is_triggered(c) || is_periodic(c))) {
		c->running = true;	/* from the beginning */
		c->start = at;
	} else if (rises) {
		c->start = at - c->start;
		c->running = true;
	} else if (falls && !is_triggered(c)) {
		c->start = at - c->start;
		c->running = false;
	}
}

/* The tick of the next rise of its output after @at, or 0. */
static int64_t next_rise(const struct pit_channel *c, int64_t at)
{
	int64_t done = elapsed(c, at);

	if (!c->running)
		return 0;
	if (is_periodic(c))
		return c->start + (done / c->count + 1) * c->count;
	if (c->mode == ON_TERMINAL_COUNT && done < c->count)
		return c->start + c->count;
	if (c->mode == SOFTWARE_STROBE && done <= c->count)
		return c->start + c->count + 1;
	return 0;
}

/* ------------------------------------------------------- channel 0's interrupt */

/*
 * Ask for the next rise after @at, but not too soon.  @at is the very moment of what
 * calls for it: by now a short one-shot count may be over, and its rise is due as well.
 */
static void arm(struct pit *pit, int64_t at)
{
	int64_t soonest = at + PIT_HZ / MAX_RATE + 1;

	pit->next = next_rise(&pit->channel[0], at);
	if (pit->next && pit->next < soonest)
		pit->next = soonest;
	pit->host.arm(pit->host.opaque, pit->next ? ns_of(pit->next) : 0);
}

/**
 * pit_tick - the time that was asked for by arm() is there
 * @pit: the timer
 */
void pit_tick(struct pit *pit)
{
	int64_t at = now(pit);

	if (!pit->next)
		return;
	if (at < pit->next) {
		/*
		 * A call that was under way when the guest chose another time.  That one
		 * may be later than the rise itself, so it must not be computed anew.
		 */
		pit->host.arm(pit->host.opaque, ns_of(pit->next));
		return;
	}
	/* Whatever low phase there was has passed unseen. */
	irq_line_set(&pit->irq, false);
	irq_line_set(&pit->irq, true);
	arm(pit, at);
}

/* Channel 0 was programmed: its output may be another, and so may the next rise. */
static void restart(struct pit *pit, int64_t at)
{
	irq_line_set(&pit->irq, output(&pit->channel[0], at));
	arm(pit, at);
}

/* --------------------------------------------------------------- registers */

static void latch_count(struct pit_channel *c, int64_t at)
{
	if (c->has_latch)
		return;			/* the first one stays until it is read */
	c->latch = value(c, at);
	c->has_latch = c->access == ACCESS_BOTH ? 2 : 1;
}

static void latch_status(struct pit_channel *c, int64_t at)
{
	if (c->has_status)
		return;
	c->status = (output(c, at) ? STATUS_OUT : 0) | (c->loaded ? 0 : STATUS_NULL) |
		    c->access << 4 | c->mode << 1 | c->bcd;
	c->has_status = true;
}

static void read_back(struct pit *pit, uint8_t command)
{
	for (int i = 0; i < 3; i++) {
		if (!(command & 2U << i))
			continue;
		if (!(command & RB_NO_COUNT))
			latch_count(&pit->channel[i], now(pit));
		if (!(command & RB_NO_STATUS))
			latch_status(&pit->channel[i], now(pit));
	}
}

static void control(struct pit *pit, uint8_t word)
{
	struct pit_channel *c;
	bool gate;

	if (CW_CHANNEL(word) == CW_READ_BACK) {
		read_back(pit, word);
		return;
	}
	c = &pit->channel[CW_CHANNEL(word)];
	if (CW_ACCESS(word) == ACCESS_LATCH) {
		latch_count(c, now(pit));
		return;
	}
	gate = c->gate;
	*c = (struct pit_channel){
		.mode = CW_MODE(word) > HARDWARE_STROBE ? CW_MODE(word) - 4 : CW_MODE(word),
		.access = CW_ACCESS(word),
		.bcd = word & CW_BCD,
		.gate = gate,
		.count = decode(c, 0),
	};
	if (c == &pit->channel[0])
		restart(pit, now(pit));
}

static void write_count(struct pit *pit, struct pit_channel *c, uint8_t byte)
{
	int64_t at = now(pit);

	if (c->access == ACCESS_BOTH && !c->write_high) {
		c->low = byte;
		c->write_high = true;
		return;
	}
	if (c->access == ACCESS_LOW)
		load(c, byte, at);
	else if (c->access == ACCESS_HIGH)
		load(c, byte << 8, at);
	else
		load(c, byte << 8 | c->low, at);
	c->write_high = false;
	if (c == &pit->channel[0])
		restart(pit, at);
}

static void pit_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pit *pit = dev;

	(void)size;
	if (offset == CONTROL)
		control(pit, value);
	else
		write_count(pit, &pit->channel[offset], value);
}

static uint64_t pit_read(void *dev, uint64_t offset, int size)
{
	struct pit *pit = dev;
	struct pit_channel *c;
	uint16_t v;
	bool high;

	(void)size;
	if (offset == CONTROL)
		return 0xff;		/* cannot be read */
	c = &pit->channel[offset];
	if (c->has_status) {
		c->has_status = false;
		return c->status;
	}
	v = c->has_latch ? c->latch : value(c, now(pit));
	high = c->access == ACCESS_HIGH;
	if (c->access == ACCESS_BOTH) {
		high = c->read_high;
		c->read_high = !high;
	}
	if (c->has_latch)
		c->has_latch--;
	return high ? v >> 8 : v & 0xff;
}

static uint64_t gate_read(void *dev, uint64_t offset, int size)
{
	struct pit *pit = dev;
	int64_t at = now(pit);

	(void)offset;
	(void)size;
	return (pit->channel[2].gate ? GATE_2 : 0) | pit->speaker |
	       (at / REFRESH_TICKS % 2 ? REFRESH : 0) |
	       (output(&pit->channel[2], at) ? OUT_2 : 0);
}

static void gate_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pit *pit = dev;

	(void)offset;
	(void)size;
	set_gate(&pit->channel[2], value & GATE_2, now(pit));
	pit->speaker = value & SPEAKER;
}

const struct bus_ops pit_ops = {
	.read = pit_read,
	.write = pit_write,
	.width = 1,
};

const struct bus_ops pit_gate_ops = {
	.read = gate_read,
	.write = gate_write,
	.width = 1,
};

/**
 * pit_init - a timer that nobody has programmed
 * @pit: the timer
 * @irq: what the output of channel 0 is connected to
 * @host: time and alarm clock
 */
void pit_init(struct pit *pit, struct irq_line irq, struct pit_host host)
{
	memset(pit, 0, sizeof(*pit));
	pit->irq = irq;
	pit->host = host;
	for (int i = 0; i < 3; i++) {
		pit->channel[i].access = ACCESS_BOTH;
		pit->channel[i].count = 65536;
		pit->channel[i].gate = i < 2;	/* wired to 1 but channel 2's */
	}
}
