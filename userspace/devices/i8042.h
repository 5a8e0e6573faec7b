/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of a PC's keyboard controller that resets the machine. */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "bus.h"

#define I8042_DATA	0x60
#define I8042_COMMAND	0x64

/**
 * struct i8042 - the controller
 * @machine: who is reset
 */
struct i8042 {
	struct machine_port machine;
};

extern const struct bus_ops i8042_ops;		/* at the command port */
extern const struct bus_ops i8042_data_ops;	/* at the data port */

void i8042_init(struct i8042 *i8042, struct machine_port machine);

#endif /* DEVICES_I8042_H */
