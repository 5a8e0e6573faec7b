// SPDX-License-Identifier: GPL-2.0-or-later
/* Address decoding: which device answers to a port or to a physical address. */
#include <errno.h>
#include <stddef.h>

#include "bus.h"

static uint64_t size_mask(int size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

/**
 * bus_add - let a device answer in a range
 * @bus: the bus
 * @space: ports or memory
 * @base: first address
 * @len: number of addresses
 * @ops: how it answers
 * @dev: handed to @ops
 *
 * Return: 0, or -EEXIST somebody answers there; -ENOSPC too many ranges.
 */
int bus_add(struct bus *bus, enum bus_space space, uint64_t base, uint64_t len,
	    const struct bus_ops *ops, void *dev)
{
	struct bus_range *range = bus->range[space];
	int i, nr = bus->nr[space];

	for (i = 0; i < nr; i++)
		if (base < range[i].base + range[i].len && range[i].base < base + len)
			return -EEXIST;
	if (nr == BUS_MAX_RANGES)
		return -ENOSPC;
	range[nr] = (struct bus_range){ .base = base, .len = len, .ops = ops, .dev = dev };
	bus->nr[space]++;
	return 0;
}

/**
 * bus_find - who answers at an address?
 * @bus: the bus
 * @space: ports or memory
 * @addr: of an access's first byte
 *
 * A wide access that starts beside a device does not reach it: PCI's 32-bit port
 * 0xcf8 and the reset port 0xcf9 live together on every PC by this rule.
 *
 * Return: the range, or NULL for nobody.
 */
const struct bus_range *bus_find(const struct bus *bus, enum bus_space space, uint64_t addr)
{
	const struct bus_range *range = bus->range[space];
	int i;

	for (i = 0; i < bus->nr[space]; i++)
		if (addr - range[i].base < range[i].len)
			return &range[i];
	return NULL;
}

/**
 * bus_read - read from whoever answers
 * @bus: the bus
 * @space: ports or memory
 * @addr: first byte
 * @size: bytes: 1, 2, 4 or 8
 *
 * Return: the value; bytes that nobody answers for are 0xff, as on a bus whose
 * lines are pulled up.
 */
uint64_t bus_read(const struct bus *bus, enum bus_space space, uint64_t addr, int size)
{
	const struct bus_range *range = bus_find(bus, space, addr);
	uint64_t offset, value = size_mask(size);
	int done, piece;

	if (!range)
		return value;
	piece = size < range->ops->width ? size : range->ops->width;
	for (done = 0; done < size; done += piece) {
		offset = addr + done - range->base;
		if (offset >= range->len)
			break;
		value &= ~(size_mask(piece) << (8 * done));
		value |= (range->ops->read(range->dev, offset, piece) & size_mask(piece))
			 << (8 * done);
	}
	return value;
}

/**
 * bus_write - write to whoever answers; nobody is fine
 * @bus: the bus
 * @space: ports or memory
 * @addr: first byte
 * @size: bytes: 1, 2, 4 or 8
 * @value: what
 */
void bus_write(const struct bus *bus, enum bus_space space, uint64_t addr, int size,
	       uint64_t value)
{
	const struct bus_range *range = bus_find(bus, space, addr);
	uint64_t offset;
	int done, piece;

	if (!range)
		return;
	piece = size < range->ops->width ? size : range->ops->width;
	for (done = 0; done < size; done += piece) {
		offset = addr + done - range->base;
		if (offset >= range->len)
			break;
		range->ops->write(range->dev, offset, piece,
				  (value >> (8 * done)) & size_mask(piece));
	}
}
