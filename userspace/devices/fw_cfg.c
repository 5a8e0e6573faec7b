// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * QEMU's firmware configuration device (docs/specs/fw_cfg.rst in QEMU's sources), by
 * which small kernels ask how much memory and how many processors there are: write an
 * item's number to port 0x510, read its bytes one after the other from 0x511.
 *
 * The items that describe the machine are here; there are no files and no DMA, and the
 * items say so.
 */
#include <string.h>

#include "fw_cfg.h"

/* Items: numbers are little endian, those of the file directory big endian. */
enum {
	SIGNATURE	= 0x00,		/* "QEMU": the device is there */
	FEATURES	= 0x01,
#define FEATURE_PORTS	1
	RAM_SIZE	= 0x03,
	NO_GRAPHICS	= 0x04,
	CPUS		= 0x05,
	MAX_CPUS	= 0x0f,
	FILES		= 0x19,
};

#define KEY_MASK	0x3fff		/* the others ask for writing, which nothing is for */

#define SELECT		0		/* offset of the 16-bit port */

/* The bytes of an item that is not there are 0, and so are those behind an item. */
static uint8_t item_byte(const struct fw_cfg *fw, uint32_t offset)
{
	uint64_t value;

	switch (fw->key & KEY_MASK) {
	case SIGNATURE:
		memcpy(&value, "QEMU\0\0\0", sizeof(value));
		break;
	case FEATURES:
		value = FEATURE_PORTS;
		break;
	case RAM_SIZE:
		value = fw->memory;
		break;
	case NO_GRAPHICS:
		value = 1;
		break;
	case CPUS:
	case MAX_CPUS:
		value = fw->nr_cpus;
		break;
	case FILES:			/* none */
	default:
		value = 0;
		break;
	}
	return offset < sizeof(value) ? value >> (8 * offset) : 0;
}

static uint64_t fw_cfg_read(void *dev, uint64_t offset, int size)
{
	struct fw_cfg *fw = dev;

	(void)size;
	if (offset == SELECT)
		return 0;		/* write-only */
	return item_byte(fw, fw->offset++);
}

static void fw_cfg_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct fw_cfg *fw = dev;

	(void)size;
	if (offset != SELECT)
		return;			/* items cannot be changed */
	fw->key = value;
	fw->offset = 0;
}

const struct bus_ops fw_cfg_ops = {
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.width = 2,
};

/**
 * fw_cfg_init - the device, with the signature selected
 * @fw: the device
 * @memory: bytes of RAM
 * @nr_cpus: processors
 */
void fw_cfg_init(struct fw_cfg *fw, uint64_t memory, unsigned int nr_cpus)
{
	*fw = (struct fw_cfg){ .memory = memory, .nr_cpus = nr_cpus };
}
