// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Port 0xe9: one OUT is one character on the console, without any set-up.
 *
 * Bochs invented it and QEMU has it too; it reads as its own number, so that a
 * guest can tell whether it is there.
 */
#include "debugcon.h"

static uint64_t debugcon_read(void *dev, uint64_t offset, int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return DEBUGCON_PORT;
}

static void debugcon_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct debugcon *con = dev;

	(void)offset;
	(void)size;
	con->transmit(con->opaque, value);
}

const struct bus_ops debugcon_ops = {
	.read = debugcon_read,
	.write = debugcon_write,
	.width = 1,
};

/**
 * debugcon_init - the port
 * @con: it
 * @transmit: called for each character
 * @opaque: handed to @transmit
 */
void debugcon_init(struct debugcon *con, void (*transmit)(void *opaque, uint8_t c), void *opaque)
{
	con->transmit = transmit;
	con->opaque = opaque;
}
