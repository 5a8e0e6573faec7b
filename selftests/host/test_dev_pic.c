// SPDX-License-Identifier: GPL-2.0-or-later
/* The 8259A pair: initialization, priorities, the ways to end an interrupt, modes. */
#include "../../userspace/devices/pic.c"
#include "tap.h"

static struct pic pic;
static bool intr;
static int changes;

static void set_intr(void *opaque, bool level)
{
	(void)opaque;
	intr = level;
	changes++;
}

static void out(int chip, int port, uint8_t value)
{
	pic_ops.write(&pic.chip[chip], port, 1, value);
}

static uint8_t in(int chip, int port)
{
	return pic_ops.read(&pic.chip[chip], port, 1);
}

static uint8_t irr(int chip)
{
	out(chip, COMMAND, 0x0a);
	return in(chip, COMMAND);
}

static uint8_t isr(int chip)
{
	out(chip, COMMAND, 0x0b);
	return in(chip, COMMAND);
}

static void pulse(int pin)
{
	pic_set_line(&pic, pin, false);
	pic_set_line(&pic, pin, true);
}

/* As every PC's system does it: vectors from 0x30 and 0x38, all unmasked. */
static void reset(uint8_t icw4)
{
	pic_init(&pic, 1 << 9, set_intr, NULL);
	intr = false;
	for (int chip = 0; chip < 2; chip++) {
		out(chip, COMMAND, 0x11);
		out(chip, DATA, chip ? 0x38 : 0x30);
		out(chip, DATA, chip ? 2 : 4);
		out(chip, DATA, icw4);
	}
	changes = 0;
}

static void eoi(int chip)
{
	out(chip, COMMAND, 0x20);
}

static void test_registers(void)
{
	pic_init(&pic, 0, set_intr, NULL);
	pic_set_line(&pic, 0, true);
	check("masked before its initialization", !intr && in(0, DATA) == 0xff);
	out(0, DATA, 0xfb);
	check("Linux' probe: the mask can be read back", in(0, DATA) == 0xfb);
	reset(1);
	check("initialization clears the mask", in(0, DATA) == 0);
	out(0, DATA, 0x55);
	check("what follows is a mask", in(0, DATA) == 0x55);
	out(0, COMMAND, 0x12);
	out(0, DATA, 0x30);
	out(0, DATA, 0x66);
	check("a single controller without ICW4 has ICW2 only", in(0, DATA) == 0x66);
}

static void test_master(void)
{
	reset(1);
	check("nothing to acknowledge", pic_ack(&pic) == -1);
	pulse(4);
	check("a request goes to the processor", intr && irr(0) == 0x10 && isr(0) == 0);
	check("its vector", pic_ack(&pic) == 0x34);
	check("it is in service", !intr && irr(0) == 0 && isr(0) == 0x10);
	pulse(5);
	check("a lower one waits", !intr && irr(0) == 0x20);
	pulse(1);
	check("a higher one does not", intr && pic_ack(&pic) == 0x31 && isr(0) == 0x12);
	eoi(0);
	check("EOI ends the highest", isr(0) == 0x10 && !intr);
	pulse(4);
	check("the same one waits for its own EOI", !intr);
	eoi(0);
	check("then it comes", intr && pic_ack(&pic) == 0x34);
	out(0, COMMAND, 0x64);
	check("specific EOI", isr(0) == 0 && intr && pic_ack(&pic) == 0x35);
	eoi(0);
	check("one edge is one interrupt, though the line stays up", !intr);

	reset(1);
	out(0, DATA, 0x10);
	pulse(4);
	check("masked", !intr && irr(0) == 0x10);
	out(0, DATA, 0);
	check("... remembered", intr);
	pic_set_line(&pic, 4, false);
	check("a line that falls takes its request back",
	      !intr && irr(0) == 0 && pic_ack(&pic) == -1);
	pulse(4);
	pulse(6);
	check("the output changes no more often than it must", changes == 5 - 2 && intr);
}

static void test_cascade(void)
{
	reset(1);
	pulse(12);
	check("the slave's requests go through the master", intr && irr(0) == 4 && irr(1) == 0x10);
	check("the slave's vector", pic_ack(&pic) == 0x3c && isr(0) == 4 && isr(1) == 0x10);
	pulse(8);
	check("the master holds back a higher one of the slave", !intr);
	pulse(1);
	check("... and not one of its own", pic_ack(&pic) == 0x31);
	eoi(0);
	eoi(0);
	check("after the master's EOI it comes", intr && pic_ack(&pic) == 0x38);
	eoi(1);
	eoi(0);
	check("EOI at the slave ends its highest", isr(1) == 0x10 && isr(0) == 0);
	reset(1);
	pulse(3);
	pulse(15);
	check("the slave goes before pin 3", pic_ack(&pic) == 0x3f);

	reset(0x11);
	pulse(12);
	pic_ack(&pic);
	pulse(8);
	check("special fully nested mode lets it through", intr && pic_ack(&pic) == 0x38);

	reset(1);
	pulse(8);
	out(1, DATA, 0xff);
	check("the slave's mask takes the request away from the master", !intr && irr(0) == 0);
}

static void test_level(void)
{
	reset(1);
	check("the firmware's level pins", pic_elcr_ops.read(&pic, 1, 1) == 0x02);
	pic_set_line(&pic, 9, true);
	check("level", pic_ack(&pic) == 0x39 && irr(1) == 0x02);
	eoi(1);
	eoi(0);
	check("comes again while the line is up", intr && pic_ack(&pic) == 0x39);
	pic_set_line(&pic, 9, false);
	eoi(1);
	eoi(0);
	check("and not when it is down", !intr && irr(1) == 0);
	pic_elcr_ops.write(&pic, 0, 1, 0xff);
	pic_elcr_ops.write(&pic, 1, 1, 0xff);
	check("timer, keyboard, clock and coprocessor are edge-triggered for good",
	      pic_elcr_ops.read(&pic, 0, 1) == 0xf8 && pic_elcr_ops.read(&pic, 1, 1) == 0xde);
	pic_set_line(&pic, 5, true);
	out(0, COMMAND, 0x11);
	check("initialization keeps what a level says", irr(0) == 0x20);
	reset(1);
	pic_set_line(&pic, 0, true);
	out(0, COMMAND, 0x11);
	check("... and forgets an edge", irr(0) == 0);
	pic_set_line(&pic, 3, true);
	out(0, COMMAND, 0x19);
	check("ICW1 can make all pins level-triggered", irr(0) == 0x09);
}

static void test_modes(void)
{
	reset(3);
	pulse(4);
	check("AEOI: over when acknowledged", pic_ack(&pic) == 0x34 && isr(0) == 0);
	out(0, COMMAND, 0x80);
	pulse(4);
	pic_ack(&pic);
	pulse(4);
	pulse(5);
	check("... with rotation", pic_ack(&pic) == 0x35 && pic_ack(&pic) == 0x34);
	out(0, COMMAND, 0x00);
	pulse(0);
	pic_ack(&pic);
	check("... which can be turned off", pic.chip[0].lowest == 4);

	reset(1);
	out(0, COMMAND, 0xc3);
	pulse(3);
	pulse(4);
	check("set priority: 3 is the lowest, 4 the highest", pic_ack(&pic) == 0x34);
	out(0, COMMAND, 0xa0);
	check("rotate on EOI", isr(0) == 0 && pic.chip[0].lowest == 4);
	pic_ack(&pic);
	out(0, COMMAND, 0xe3);
	check("rotate on specific EOI", isr(0) == 0 && pic.chip[0].lowest == 3);

	reset(1);
	pulse(1);
	pic_ack(&pic);
	out(0, COMMAND, 0x68);		/* special mask mode */
	pulse(6);
	check("SMM: what is in service holds back", !intr);
	out(0, DATA, 0x02);
	check("... until it is masked", intr && pic_ack(&pic) == 0x36);
	eoi(0);
	check("... and the EOI is not for that", isr(0) == 0x02);
	out(0, COMMAND, 0x48);
	pulse(6);
	check("without SMM it holds back again", !intr);

	reset(1);
	out(0, COMMAND, 0x0c);
	check("poll: nothing", in(0, COMMAND) == 7);
	pulse(3);
	out(0, COMMAND, 0x0c);
	check("poll: acknowledges", in(0, COMMAND) == 0x83 && isr(0) == 0x08 && !intr);
	eoi(0);

	reset(1);
	pulse(12);
	pic.chip[1].imr = 0xff;		/* without telling the master */
	check("a request that goes away is the slave's pin 7", pic_ack(&pic) == 0x3f);
}

int main(void)
{
	test_registers();
	test_master();
	test_cascade();
	test_level();
	test_modes();
	return tap_done();
}
