// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of a PC's keyboard controller that resets the machine.
 *
 * There is no keyboard: the ACPI tables say so (FADT, IAPC_BOOT_ARCH, bit 1 and
 * no PNP0303 device), and Linux then leaves the controller alone.  But its reset
 * line, command 0xfe, is what kernels pull when they have no better way, and
 * they wait first for "input buffer full" to become 0.  So the status reads 0:
 * a controller that is ready and has nothing to say.
 */
#include "i8042.h"

#define COMMAND_RESET	0xfe	/* pulse output line 0, the CPU's reset */

static uint64_t read_zero(void *dev, uint64_t offset, int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return 0;
}

static void write_command(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct i8042 *i8042 = dev;

	(void)offset;
	(void)size;
	if (value == COMMAND_RESET)
		i8042->machine.request(i8042->machine.opaque, MACHINE_RESET);
}

static void write_data(void *dev, uint64_t offset, int size, uint64_t value)
{
	(void)dev;
	(void)offset;
	(void)size;
	(void)value;		/* goes to a keyboard that is not there */
}

const struct bus_ops i8042_ops = {
	.read = read_zero,
	.write = write_command,
	.width = 1,
};

const struct bus_ops i8042_data_ops = {
	.read = read_zero,
	.write = write_data,
	.width = 1,
};

/**
 * i8042_init - a controller without a keyboard
 * @i8042: the controller
 * @machine: who is reset
 */
void i8042_init(struct i8042 *i8042, struct machine_port machine)
{
	i8042->machine = machine;
}
