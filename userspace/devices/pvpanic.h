/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a guest says that it has crashed: a device, and a look at its console. */
#ifndef DEVICES_PVPANIC_H
#define DEVICES_PVPANIC_H

#include "bus.h"

#define PVPANIC_PORT	0x505

/**
 * struct pvpanic - the device
 * @machine: who is told
 */
struct pvpanic {
	struct machine_port machine;
};

extern const struct bus_ops pvpanic_ops;

void pvpanic_init(struct pvpanic *pvpanic, struct machine_port machine);

#define PANIC_SCAN_LINE	96

/**
 * struct panic_scan - looks for a kernel's last words in console output
 * @line: the beginning of the present line
 * @len: characters in it
 */
struct panic_scan {
	char line[PANIC_SCAN_LINE];
	unsigned int len;
};

bool panic_scan_char(struct panic_scan *scan, uint8_t c);

#endif /* DEVICES_PVPANIC_H */
