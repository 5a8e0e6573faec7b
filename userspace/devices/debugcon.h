/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port 0xe9: one OUT is one character on the console, without any set-up. */
#ifndef DEVICES_DEBUGCON_H
#define DEVICES_DEBUGCON_H

#include "bus.h"

#define DEBUGCON_PORT	0xe9

/**
 * struct debugcon - the port
 * @transmit: the guest sent a character
 * @opaque: handed to it
 */
struct debugcon {
	void (*transmit)(void *opaque, uint8_t c);
	void *opaque;
};

extern const struct bus_ops debugcon_ops;

void debugcon_init(struct debugcon *con, void (*transmit)(void *opaque, uint8_t c), void *opaque);

#endif /* DEVICES_DEBUGCON_H */
