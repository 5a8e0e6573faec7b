/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How devices and the rest of the machine meet: address ranges towards the
 * processors, interrupt lines towards the interrupt controllers.
 *
 * Devices know nothing of vitro: they are plain state machines that a test can
 * drive.  They have no locks either: whoever owns the machine calls a device
 * from one thread at a time, its callbacks included.
 */
#ifndef DEVICES_BUS_H
#define DEVICES_BUS_H

#include <stdbool.h>
#include <stdint.h>

enum bus_space {
	BUS_PIO,	/* ports 0 to 0xffff */
	BUS_MMIO,	/* guest physical addresses without memory */
	BUS_NR_SPACES
};

/**
 * struct bus_ops - how a device answers in one range
 * @read: the value at @offset into the range; bits beyond @size bytes are dropped
 * @write: store @value there
 * @width: the widest access the device takes: 1, 2, 4 or 8 bytes.  The bus cuts
 *	wider ones into pieces, lowest address first, as a PC's bus does.
 */
struct bus_ops {
	uint64_t (*read)(void *dev, uint64_t offset, int size);
	void (*write)(void *dev, uint64_t offset, int size, uint64_t value);
	int width;
};

/**
 * struct bus_range - a range and who answers in it
 * @base: first address
 * @len: number of addresses
 * @ops: how
 * @dev: the device
 */
struct bus_range {
	uint64_t base;
	uint64_t len;
	const struct bus_ops *ops;
	void *dev;
};

#define BUS_MAX_RANGES	32

/**
 * struct bus - all ranges of a machine
 * @range: by space
 * @nr: how many of them are in use
 */
struct bus {
	struct bus_range range[BUS_NR_SPACES][BUS_MAX_RANGES];
	int nr[BUS_NR_SPACES];
};

int bus_add(struct bus *bus, enum bus_space space, uint64_t base, uint64_t len,
	    const struct bus_ops *ops, void *dev);
const struct bus_range *bus_find(const struct bus *bus, enum bus_space space, uint64_t addr);
uint64_t bus_read(const struct bus *bus, enum bus_space space, uint64_t addr, int size);
void bus_write(const struct bus *bus, enum bus_space space, uint64_t addr, int size,
	       uint64_t value);

/**
 * struct irq_line - an interrupt wire from a device to a pin of a controller
 * @set: called with the wire's level; true is asserted, whatever the voltage
 * @opaque: the controller
 * @pin: its pin
 */
struct irq_line {
	void (*set)(void *opaque, int pin, bool level);
	void *opaque;
	int pin;
};

static inline void irq_line_set(const struct irq_line *line, bool level)
{
	line->set(line->opaque, line->pin, level);
}

/* What a device can ask the machine for. */
enum machine_request {
	MACHINE_POWEROFF,
	MACHINE_RESET,
	MACHINE_PANIC,		/* the guest says that it has crashed */
};

/**
 * struct machine_port - a device's way to ask the machine for something
 * @request: called with what
 * @opaque: the machine
 */
struct machine_port {
	void (*request)(void *opaque, enum machine_request what);
	void *opaque;
};

#endif /* DEVICES_BUS_H */
