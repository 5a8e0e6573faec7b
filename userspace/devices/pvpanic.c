// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a guest says that it has crashed.
 *
 * pvpanic is a device that QEMU defined (docs/specs/pvpanic): one port, found by
 * ACPI _HID "QEMU0001".  Reading gives the events it knows, writing reports one.
 * Distributions have its driver as a module, which a small initramfs lacks.
 * For those, panic_scan looks for the line that Linux' panic() prints.
 */
#include <string.h>

#include "pvpanic.h"

#define EVENT_PANICKED	0x01

static uint64_t pvpanic_read(void *dev, uint64_t offset, int size)
{
	(void)dev;
	(void)offset;
	(void)size;
	return EVENT_PANICKED;
}

static void pvpanic_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pvpanic *pvpanic = dev;

	(void)offset;
	(void)size;
	if (value & EVENT_PANICKED)
		pvpanic->machine.request(pvpanic->machine.opaque, MACHINE_PANIC);
}

const struct bus_ops pvpanic_ops = {
	.read = pvpanic_read,
	.write = pvpanic_write,
	.width = 1,
};

/**
 * pvpanic_init - the device
 * @pvpanic: it
 * @machine: who is told
 */
void pvpanic_init(struct pvpanic *pvpanic, struct machine_port machine)
{
	pvpanic->machine = machine;
}

/*
 * Only printk's stamps may come before the words: "[    1.234567] ", and with
 * CONFIG_PRINTK_CALLER "[    T1] " after it.  So a guest that merely talks about
 * panics, as "grep panic log" would, is not taken for one that has crashed.
 */
static bool is_panic(const char *line)
{
	static const char words[] = "Kernel panic - not syncing";

	while (*line == '[') {
		line += strcspn(line, "]");
		line += strspn(line, "] ");
	}
	return !strncmp(line, words, sizeof(words) - 1);
}

/**
 * panic_scan_char - look at the next character of the console
 * @scan: the scanner; all zero at the start
 * @c: the character
 *
 * Return: true at the end of a line that says that the kernel has panicked.
 */
bool panic_scan_char(struct panic_scan *scan, uint8_t c)
{
	bool found;

	if (c != '\n' && c != '\r') {
		if (scan->len < sizeof(scan->line) - 1)
			scan->line[scan->len++] = c;
		return false;
	}
	scan->line[scan->len] = '\0';
	found = is_panic(scan->line);
	scan->len = 0;
	return found;
}
