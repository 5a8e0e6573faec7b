// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A port by which a guest ends the run with a status of its choice, for test kernels.
 * QEMU calls it isa-debug-exit; it reads as 0 there, and here.
 */
#include "debugexit.h"

static uint64_t debugexit_read(void *dev, uint64_t offset, int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return 0;
}

static void debugexit_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct debugexit *port = dev;

	(void)offset;
	(void)size;
	port->end(port->opaque, value);
}

const struct bus_ops debugexit_ops = {
	.read = debugexit_read,
	.write = debugexit_write,
	.width = 4,
};

/**
 * debugexit_init - the port
 * @port: it
 * @end: called with what the guest writes
 * @opaque: handed to @end
 */
void debugexit_init(struct debugexit *port, void (*end)(void *opaque, uint32_t value),
		    void *opaque)
{
	*port = (struct debugexit){ .end = end, .opaque = opaque };
}
