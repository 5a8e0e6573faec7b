// SPDX-License-Identifier: GPL-2.0-or-later
/* The keyboard controller: its tests, its command byte, its reset line. */
#include "../../userspace/devices/i8042.c"
#include "tap.h"

static struct i8042 i8042;
static int resets;

static void request(void *opaque, enum machine_request what)
{
	(void)opaque;
	resets += what == MACHINE_RESET;
}

static void command(uint8_t value)
{
	i8042_ops.write(&i8042, 0, 1, value);
}

static void data(uint8_t value)
{
	i8042_data_ops.write(&i8042, 0, 1, value);
}

static uint8_t status(void)
{
	return i8042_ops.read(&i8042, 0, 1);
}

/* What the controller answers, or -1. */
static int answered(void)
{
	return status() & 1 ? (int)i8042_data_ops.read(&i8042, 0, 1) : -1;
}

int main(void)
{
	const struct machine_port machine = { .request = request };

	i8042_init(&i8042, machine);
	check("ready for a command, nothing to say", (status() & 3) == 0);
	check("not 0xff, by which its absence is known", status() != 0xff);
	command(0xaa);
	check("self-test", (status() & 3) == 1 && answered() == 0x55);
	check("an answer is read once", answered() == -1);
	command(0xab);
	check("the keyboard's port works", answered() == 0);
	command(0xa9);
	check("there is no mouse's", answered() == 1);
	command(0x20);
	check("both are disabled", answered() == 0x34);
	command(0xae);
	command(0xa8);
	command(0x20);
	check("enabled", answered() == 0x04);
	command(0xad);
	command(0xa7);
	command(0x20);
	check("disabled again", answered() == 0x34);
	command(0x60);
	data(0x65);
	command(0x20);
	check("the command byte can be written", answered() == 0x65);
	data(0xf5);
	check("nobody answers for the keyboard", answered() == -1);
	command(0x20);
	check("... and it is no second command byte", answered() == 0x65);
	command(0xd2);
	data(0x77);
	check("echo", answered() == 0x77);
	command(0xd0);
	check("A20 is on", answered() == 3);
	command(0xc0);
	check("the keyboard is not locked", answered() == 0x80);

	check("nothing has reset the machine", resets == 0);
	command(0xff);
	check("pulsing no line does not", resets == 0);
	command(0xfe);
	check("command 0xfe does", resets == 1);
	command(0xd1);
	data(0x03);
	check("output lines without reset", resets == 1);
	command(0xd1);
	data(0x02);
	check("output lines with reset", resets == 2);
	data(0x00);
	check("one byte only", resets == 2);
	return tap_done();
}
