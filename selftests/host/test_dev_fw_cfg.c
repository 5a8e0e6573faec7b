// SPDX-License-Identifier: GPL-2.0-or-later
/* The firmware configuration ports, and the debug exit port. */
#include "../../userspace/devices/bus.c"
#include "../../userspace/devices/debugexit.c"
#include "../../userspace/devices/fw_cfg.c"
#include "tap.h"

static struct bus bus;
static struct fw_cfg fw;
static struct debugexit port;
static uint32_t ended;

static void end(void *opaque, uint32_t value)
{
	(void)opaque;
	ended = value;
}

static uint64_t item(uint16_t key, int bytes)
{
	uint64_t value = 0;

	bus_write(&bus, BUS_PIO, FW_CFG_PORT, 2, key);
	for (int i = 0; i < bytes; i++)
		value |= bus_read(&bus, BUS_PIO, FW_CFG_PORT + 1, 1) << (8 * i);
	return value;
}

int main(void)
{
	fw_cfg_init(&fw, 0x123456789000, 5);
	bus_add(&bus, BUS_PIO, FW_CFG_PORT, FW_CFG_PORTS, &fw_cfg_ops, &fw);
	check("signature", item(0, 4) == 0x554d4551);
	check("nothing behind it", bus_read(&bus, BUS_PIO, FW_CFG_PORT + 1, 1) == 0);
	check("ports, no DMA", item(1, 4) == 1);
	check("memory", item(3, 8) == 0x123456789000);
	check("from the beginning again", item(3, 2) == 0x9000 && item(3, 2) == 0x9000);
	check("processors", item(5, 2) == 5 && item(15, 2) == 5);
	check("no graphics", item(4, 2) == 1);
	check("no files", item(0x19, 4) == 0);
	check("an item that does not exist", item(0x3333, 8) == 0);
	bus_write(&bus, BUS_PIO, FW_CFG_PORT + 1, 1, 0xff);
	check("read-only", item(0, 4) == 0x554d4551);
	item(0, 0);
	for (unsigned int i = 0; i < 100000; i++)
		bus_read(&bus, BUS_PIO, FW_CFG_PORT + 1, 1);
	check("reading on and on", bus_read(&bus, BUS_PIO, FW_CFG_PORT + 1, 1) == 0);

	debugexit_init(&port, end, NULL);
	bus_add(&bus, BUS_PIO, 0xf4, 1, &debugexit_ops, &port);
	bus_write(&bus, BUS_PIO, 0xf4, 1, 0x10);
	check("debug exit: a byte", ended == 0x10);
	bus_write(&bus, BUS_PIO, 0xf4, 4, 0x12345678);
	check("debug exit: all of a wide one", ended == 0x12345678);
	check("debug exit: reads as 0", bus_read(&bus, BUS_PIO, 0xf4, 1) == 0);
	return tap_done();
}
