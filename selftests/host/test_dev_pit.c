// SPDX-License-Identifier: GPL-2.0-or-later
/* The 8254: each mode's output and count, latches, the interrupt of channel 0. */
#include "../../userspace/devices/pit.c"
#include "tap.h"

static struct pit pit;
static int64_t clock_now, armed;
static int rises, falls;
static bool line;

static int64_t step;		/* what a look at the clock takes */

static int64_t clock_read(void)
{
	clock_now += step;
	return clock_now;
}

static void clock_arm(void *opaque, int64_t at)
{
	(void)opaque;
	armed = at;
}

static void line_set(void *opaque, int pin, bool level)
{
	(void)opaque;
	(void)pin;
	rises += level && !line;
	falls += !level && line;
	line = level;
}

static void out(int port, uint8_t value)
{
	pit_ops.write(&pit, port, 1, value);
}

static uint8_t in(int port)
{
	return pit_ops.read(&pit, port, 1);
}

static unsigned int in16(int port)
{
	unsigned int low = in(port);

	return low | in(port) << 8;
}

static void count(int channel, unsigned int n)
{
	out(channel, n & 0xff);
	out(channel, n >> 8);
}

static void gate(bool on)
{
	pit_gate_ops.write(&pit, 0, 1, on);
}

static bool out2(void)
{
	return pit_gate_ops.read(&pit, 0, 1) & 0x20;
}

/* The clock goes to the very tick, counted from the last reset(). */
static void at(int64_t ticks)
{
	clock_now = ns_of(1000 + ticks);
}

static void reset(void)
{
	const struct irq_line irq = { .set = line_set };
	const struct pit_host host = { .now = clock_read, .arm = clock_arm };

	at(0);
	line = false;
	pit_init(&pit, irq, host);
	rises = 0;
	falls = 0;
	armed = 0;
}

/* Calls the timer for what it has asked for, up to a tick. */
static void run_to(int64_t ticks)
{
	while (armed && armed <= ns_of(1000 + ticks)) {
		clock_now = armed;
		pit_tick(&pit);
	}
	at(ticks);
}

static void test_channel_2(void)
{
	reset();
	gate(true);
	out(3, 0xb0);			/* channel 2, both bytes, mode 0 */
	check("mode 0: low before there is a count", !out2());
	count(2, 1000);
	at(999);
	check("mode 0: low while it counts", !out2() && in16(2) == 1);
	at(1000);
	check("mode 0: high from the end on", out2() && in16(2) == 0);
	at(1001);
	check("mode 0: goes on counting", out2() && in16(2) == 0xffff);
	count(2, 500);
	at(1101);
	check("mode 0: a new count starts anew", !out2() && in16(2) == 400);
	gate(false);
	at(5000);
	check("mode 0: no counting without gate", !out2() && in16(2) == 400);
	gate(true);
	at(5399);
	check("mode 0: ... and on from there", !out2());
	at(5400);
	check("mode 0: ... to the end", out2());

	reset();
	out(3, 0xb2);			/* mode 1 */
	count(2, 100);
	at(50);
	check("mode 1: high before the trigger", out2());
	gate(true);
	at(149);
	check("mode 1: low for the count", !out2());
	gate(false);			/* which changes nothing */
	at(150);
	check("mode 1: then high", out2());
	gate(true);
	check("mode 1: triggered again", !out2());

	reset();
	gate(true);
	out(3, 0xb6);			/* mode 3 */
	count(2, 5);
	at(2);
	check("mode 3: an odd count is high for the longer part", out2());
	at(3);
	check("mode 3: low", !out2());
	at(5);
	check("mode 3: next period", out2());
	gate(false);
	at(8);
	check("mode 3: high without gate", out2());
	count(2, 1000);
	gate(true);
	at(8 + 300);
	check("mode 3: counts by two", in16(2) == 400);

	reset();
	gate(true);
	out(3, 0xb8);			/* mode 4 */
	count(2, 10);
	at(9);
	check("mode 4: high", out2());
	at(10);
	check("mode 4: low for one tick", !out2());
	at(11);
	check("mode 4: high again", out2());

	reset();
	out(3, 0xba);			/* mode 5 */
	count(2, 10);
	at(100);
	check("mode 5: waits for the gate", out2());
	gate(true);
	at(110);
	check("mode 5: ... for the strobe", !out2());
}

static void test_reading(void)
{
	uint8_t before;

	reset();
	gate(true);
	out(3, 0xb4);			/* mode 2 */
	out(3, 0xe8);			/* read back: status of channel 2 */
	check("status before the count: null count", in(2) == 0xf4);
	count(2, 0x1234);
	at(0x34);
	out(3, 0x80);			/* latch */
	at(0x234);
	out(3, 0x80);			/* no second time */
	check("latched count", in16(2) == 0x1200);
	check("then the live one", in16(2) == 0x1000);
	out(3, 0xc8);			/* read back: status and count */
	at(0x334);
	check("status goes first", in(2) == 0xb4);
	check("then the count", in16(2) == 0x1000);
	check("mode 2 has periods", (at(0x1234 + 1), in16(2) == 0x1233));
	check("mode 2: low for the last tick", (at(0x1233), !out2()));
	out(3, 0xde);			/* read back: count of all three */
	check("all three at once", (at(0x1235), in16(2) == 1));

	out(3, 0x94);			/* low byte only */
	out(2, 0x20);
	check("low byte only", in(2) == 0x20 && in(2) == 0x20);
	out(3, 0xa4);			/* high byte only */
	out(2, 0x20);
	check("high byte only", in(2) == 0x20 && pit.channel[2].count == 0x2000);
	out(3, 0xb5);			/* BCD */
	count(2, 0x0100);
	at(0x1235 + 1);
	check("four decimal digits", in16(2) == 0x0099);
	count(2, 0);
	check("0 is the most there is: 10000", pit.channel[2].count == 10000 && in16(2) == 0);
	out(3, 0xbe);
	check("mode 7 is mode 3", pit.channel[2].mode == 3);
	check("the control port cannot be read", in(3) == 0xff);
	at(0);
	before = pit_gate_ops.read(&pit, 0, 1) & 0x10;
	at(18);
	check("the refresh bit", (pit_gate_ops.read(&pit, 0, 1) & 0x10) != before);
	pit_gate_ops.write(&pit, 0, 1, 0xff);
	check("the gate port remembers two bits", (pit_gate_ops.read(&pit, 0, 1) & 0x0f) == 3);
}

static void test_interrupt(void)
{
	reset();
	check("nothing by itself", !armed && !rises);
	out(3, 0x34);			/* channel 0, mode 2 */
	rises = 0;			/* its output is high from now on */
	count(0, 1193);			/* 1 kHz */
	run_to(1193 * 10);
	check("mode 2 interrupts each period", rises == 10 && line);
	check("... with an edge", falls >= 10);
	at(1193 * 100);
	pit_tick(&pit);
	check("what was missed is one interrupt", rises == 11);
	check("... and then the rhythm is as before", armed == ns_of(1000 + 1193 * 101));

	out(3, 0x30);			/* mode 0 */
	check("mode 0 takes the line down", !line && !armed);
	rises = 0;
	count(0, 1193);
	run_to(1193 * 110);
	check("mode 0 interrupts once", rises == 1 && line && !armed);

	out(3, 0x38);			/* mode 4, which Linux uses for one-shot */
	rises = 0;
	count(0, 2000);
	run_to(1193 * 120);
	check("mode 4 interrupts once", rises == 1 && !armed);

	rises = 0;
	count(0, 12);			/* sooner than interrupts may come */
	at(1193 * 120 + 20);
	pit_tick(&pit);			/* too early, and later than the rise */
	check("a call too early is none", rises == 0 && armed);
	run_to(1193 * 121);
	check("... and loses no interrupt", rises == 1 && !armed);

	rises = 0;
	step = 100000;			/* longer than the count */
	count(0, 12);
	step = 0;
	run_to(1193 * 122);
	check("nor does a slow host", rises == 1 && !armed);

	out(3, 0x34);
	count(0, 2);
	rises = 0;
	run_to(1193 * 122 + PIT_HZ);	/* a second */
	check("not more often than that", rises > MAX_RATE / 2 && rises <= MAX_RATE);
	out(3, 0x36);
	check("no count, no interrupt", !armed);
}

int main(void)
{
	const int64_t year = 365LL * 86400 * PIT_HZ;
	int64_t bad = 0;

	for (int64_t t = 1; t < 3000000; t++)
		bad += ticks_of(ns_of(t)) != t || ticks_of(ns_of(t) - 1) >= t;
	check("nanoseconds and ticks fit together", bad == 0);
	check("after a year as well", ticks_of(ns_of(year)) == year);
	test_channel_2();
	test_reading();
	test_interrupt();
	return tap_done();
}
