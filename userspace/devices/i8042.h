/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC's keyboard controller, without a keyboard. */
#ifndef DEVICES_I8042_H
#define DEVICES_I8042_H

#include "bus.h"

#define I8042_DATA	0x60
#define I8042_COMMAND	0x64

/**
 * struct i8042 - the controller
 * @machine: who is reset
 * @config: command byte: interrupts, disabled ports, translation
 * @out: what the data port gives next
 * @has_out: that is something new
 * @pending: command that waits for its byte, 0 for none
 */
struct i8042 {
	struct machine_port machine;
	uint8_t config;
	uint8_t out;
	bool has_out;
	uint8_t pending;
};

extern const struct bus_ops i8042_ops;		/* at the command port */
extern const struct bus_ops i8042_data_ops;	/* at the data port */

void i8042_init(struct i8042 *i8042, struct machine_port machine);

#endif /* DEVICES_I8042_H */
