// SPDX-License-Identifier: GPL-2.0-or-later
/* The 8259A registers: the mask, and what initialization does to it. */
#include "../../userspace/devices/pic.c"
#include "tap.h"

static struct pic pic;

static void out(int port, uint8_t value)
{
	pic_ops.write(&pic, port, 1, value);
}

static uint8_t mask(void)
{
	return pic_ops.read(&pic, DATA, 1);
}

int main(void)
{
	pic_init(&pic);
	out(DATA, 0xfb);
	check("Linux' probe: the mask can be read back", mask() == 0xfb);
	out(COMMAND, 0x0a);
	check("nothing is requested or in service", pic_ops.read(&pic, COMMAND, 1) == 0);
	check("a command does not touch the mask", mask() == 0xfb);

	out(COMMAND, 0x11);
	check("initialization clears the mask", mask() == 0);
	out(DATA, 0x30);
	out(DATA, 0x04);
	out(DATA, 0x01);
	check("ICW2 to ICW4 are not masks", mask() == 0);
	out(DATA, 0xff);
	check("what follows is", mask() == 0xff);

	out(COMMAND, 0x12);
	out(DATA, 0x30);
	out(DATA, 0x55);
	check("a single controller without ICW4 has ICW2 only", mask() == 0x55);
	return tap_done();
}
