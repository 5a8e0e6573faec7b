// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PC's keyboard controller, Intel's 8042, with nothing plugged in.
 *
 * The ACPI tables say that there is none (FADT, IAPC_BOOT_ARCH, bit 1, and no PNP0303
 * device), and Linux then leaves it alone.  It is here for who asks without having read
 * them: the controller answers its tests, bytes for keyboard and mouse get no answer, as
 * from an empty socket.  And its output line 0 is the processor's reset, which kernels
 * pull when they have no better way.
 */
#include "i8042.h"

#define STATUS_OUT	0x01	/* output buffer full: there is something to read */
#define STATUS_SYSTEM	0x04	/* the self-test has passed */
#define STATUS_UNLOCKED	0x10	/* no key locks the keyboard */

#define CMD_READ_CONFIG		0x20
#define CMD_WRITE_CONFIG	0x60
#define CMD_DISABLE_MOUSE	0xa7
#define CMD_ENABLE_MOUSE	0xa8
#define CMD_TEST_MOUSE		0xa9
#define CMD_SELF_TEST		0xaa
#define CMD_TEST_KEYBOARD	0xab
#define CMD_DISABLE_KEYBOARD	0xad
#define CMD_ENABLE_KEYBOARD	0xae
#define CMD_READ_INPUT		0xc0
#define CMD_READ_OUTPUT		0xd0
#define CMD_WRITE_OUTPUT	0xd1
#define CMD_ECHO		0xd2	/* the byte as if from the keyboard */
#define CMD_PULSE		0xf0	/* to 0xff: output lines whose bit is 0 */

#define SELF_TEST_PASSED	0x55
#define TEST_PASSED		0x00
#define TEST_CLOCK_LOW		0x01	/* what a port says that is not there */

#define CONFIG_SYSTEM		0x04
#define CONFIG_NO_KEYBOARD	0x10
#define CONFIG_NO_MOUSE		0x20

#define LINE_RESET	0x01	/* active low */
#define LINE_A20	0x02	/* is always on here */

static void answer(struct i8042 *i8042, uint8_t value)
{
	i8042->out = value;
	i8042->has_out = true;
}

static void set_lines(struct i8042 *i8042, uint8_t lines)
{
	if (!(lines & LINE_RESET))
		i8042->machine.request(i8042->machine.opaque, MACHINE_RESET);
}

static uint64_t read_status(void *dev, uint64_t offset, int size)
{
	const struct i8042 *i8042 = dev;

	(void)offset;
	(void)size;
	return (i8042->has_out ? STATUS_OUT : 0) | STATUS_SYSTEM | STATUS_UNLOCKED;
}

static void write_command(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct i8042 *i8042 = dev;

	(void)offset;
	(void)size;
	i8042->pending = 0;
	if (value >= CMD_PULSE) {
		set_lines(i8042, value);
		return;
	}
	switch (value) {
	case CMD_READ_CONFIG:
		answer(i8042, i8042->config);
		break;
	case CMD_DISABLE_MOUSE:
		i8042->config |= CONFIG_NO_MOUSE;
		break;
	case CMD_ENABLE_MOUSE:
		i8042->config &= ~CONFIG_NO_MOUSE;
		break;
	case CMD_TEST_MOUSE:
		answer(i8042, TEST_CLOCK_LOW);
		break;
	case CMD_SELF_TEST:
		answer(i8042, SELF_TEST_PASSED);
		break;
	case CMD_TEST_KEYBOARD:
		answer(i8042, TEST_PASSED);
		break;
	case CMD_DISABLE_KEYBOARD:
		i8042->config |= CONFIG_NO_KEYBOARD;
		break;
	case CMD_ENABLE_KEYBOARD:
		i8042->config &= ~CONFIG_NO_KEYBOARD;
		break;
	case CMD_READ_INPUT:
		answer(i8042, 0x80);		/* the keyboard is not locked */
		break;
	case CMD_READ_OUTPUT:
		answer(i8042, LINE_RESET | LINE_A20);
		break;
	case CMD_WRITE_CONFIG:
	case CMD_WRITE_OUTPUT:
	case CMD_ECHO:
		i8042->pending = value;
		break;
	}
}

static uint64_t read_data(void *dev, uint64_t offset, int size)
{
	struct i8042 *i8042 = dev;

	(void)offset;
	(void)size;
	i8042->has_out = false;
	return i8042->out;
}

static void write_data(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct i8042 *i8042 = dev;

	(void)offset;
	(void)size;
	switch (i8042->pending) {
	case CMD_WRITE_CONFIG:
		i8042->config = value;
		break;
	case CMD_WRITE_OUTPUT:
		set_lines(i8042, value);
		break;
	case CMD_ECHO:
		answer(i8042, value);
		break;
	}					/* else to a keyboard that is not there */
	i8042->pending = 0;
}

const struct bus_ops i8042_ops = {
	.read = read_status,
	.write = write_command,
	.width = 1,
};

const struct bus_ops i8042_data_ops = {
	.read = read_data,
	.write = write_data,
	.width = 1,
};

/**
 * i8042_init - a controller without a keyboard, as a PC's firmware leaves it
 * @i8042: the controller
 * @machine: who is reset
 */
void i8042_init(struct i8042 *i8042, struct machine_port machine)
{
	*i8042 = (struct i8042){
		.machine = machine,
		.config = CONFIG_SYSTEM | CONFIG_NO_KEYBOARD | CONFIG_NO_MOUSE,
	};
}
