// SPDX-License-Identifier: GPL-2.0-or-later
/* Address decoding: who answers, how wide accesses are cut, what nobody says. */
#include <errno.h>

#include "../../userspace/devices/bus.c"
#include "tap.h"

static uint64_t last_offset, last_value;
static int last_size, accesses;

static uint64_t dev_read(void *dev, uint64_t offset, int size)
{
	(void)dev;
	last_offset = offset;
	last_size = size;
	accesses++;
	return 0xa0 + offset;
}

static void dev_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	(void)dev;
	last_offset = offset;
	last_size = size;
	last_value = value;
	accesses++;
}

static const struct bus_ops byte_ops = { dev_read, dev_write, 1 };
static const struct bus_ops dword_ops = { dev_read, dev_write, 4 };

int main(void)
{
	static struct bus bus;
	int i;

	check("a port range", bus_add(&bus, BUS_PIO, 0x100, 8, &byte_ops, NULL) == 0);
	check("a range below it", bus_add(&bus, BUS_PIO, 0xfe, 2, &dword_ops, NULL) == 0);
	check("overlap is refused",
	      bus_add(&bus, BUS_PIO, 0x107, 1, &byte_ops, NULL) == -EEXIST);
	check("the other space is separate",
	      bus_add(&bus, BUS_MMIO, 0x100, 8, &dword_ops, NULL) == 0);

	check("byte read", bus_read(&bus, BUS_PIO, 0x103, 1) == 0xa3 && last_offset == 3);
	check("a wide read is cut, lowest address first",
	      bus_read(&bus, BUS_PIO, 0x100, 4) == 0xa3a2a1a0);
	check("past the end nobody answers", bus_read(&bus, BUS_PIO, 0x107, 2) == 0xffa7);
	check("nobody: all ones, 1 byte", bus_read(&bus, BUS_PIO, 0x50, 1) == 0xff);
	check("nobody: all ones, 4 bytes", bus_read(&bus, BUS_PIO, 0xcfc, 4) == 0xffffffff);
	check("nobody: all ones, 8 bytes", bus_read(&bus, BUS_MMIO, 0x5000, 8) == ~0ULL);
	check("a device that takes 4 bytes gets 4",
	      bus_read(&bus, BUS_MMIO, 0x104, 4) == 0xa4 && last_size == 4);

	accesses = 0;
	bus_write(&bus, BUS_PIO, 0x100, 2, 0x1234);
	check("a wide write is cut", accesses == 2 && last_offset == 1 && last_value == 0x12);
	accesses = 0;
	bus_write(&bus, BUS_PIO, 0xfd, 4, 0);
	check("a write that starts beside a device does not reach it", accesses == 0);
	bus_write(&bus, BUS_PIO, 0x102, 1, 0xfff);
	check("bits beyond the size are dropped", last_value == 0xff);

	for (i = bus.nr[BUS_MMIO]; i < BUS_MAX_RANGES; i++)
		bus_add(&bus, BUS_MMIO, 0x10000 + i, 1, &byte_ops, NULL);
	check("a full table is refused",
	      bus_add(&bus, BUS_MMIO, 0x20000, 1, &byte_ops, NULL) == -ENOSPC);
	return tap_done();
}
