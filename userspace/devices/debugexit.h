/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port by which a guest ends the run with a status of its choice. */
#ifndef DEVICES_DEBUGEXIT_H
#define DEVICES_DEBUGEXIT_H

#include "bus.h"

/**
 * struct debugexit - the port
 * @end: the guest wrote @value
 * @opaque: handed to it
 */
struct debugexit {
	void (*end)(void *opaque, uint32_t value);
	void *opaque;
};

extern const struct bus_ops debugexit_ops;

void debugexit_init(struct debugexit *port, void (*end)(void *opaque, uint32_t value),
		    void *opaque);

#endif /* DEVICES_DEBUGEXIT_H */
