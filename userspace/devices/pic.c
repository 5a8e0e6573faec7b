// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of a PC's 8259A interrupt controllers, with nothing connected.
 *
 * No device's line ends here and no interrupt comes from here: all of them go by
 * the I/O APIC.  It exists because Linux gives the ISA interrupts (the serial
 * port's 4, the clock's 8) their usual numbers only on a machine that has the
 * pair; it initializes them, masks everything, and never looks again.  The mask
 * can be read back, which is how their presence is tested.
 */
#include "pic.h"

#define COMMAND		0	/* offsets of the two ports */
#define DATA		1

#define ICW1		0x10	/* bit that makes a command an initialization (8259A, ICW1) */
#define ICW1_SINGLE	0x02	/* no ICW3 */
#define ICW1_ICW4	0x01	/* ICW4 will follow */

static uint64_t pic_read(void *dev, uint64_t offset, int size)
{
	struct pic *pic = dev;

	(void)size;
	/* The command port shows requests or what is in service: never anything. */
	return offset == DATA ? pic->mask : 0;
}

static void start_init(struct pic *pic, uint8_t icw1)
{
	pic->mask = 0;
	pic->icws = 1;					/* ICW2 always */
	pic->icws += icw1 & ICW1_SINGLE ? 0 : 1;	/* ICW3 */
	pic->icws += icw1 & ICW1_ICW4 ? 1 : 0;
}

static void pic_write(void *dev, uint64_t offset, int size, uint64_t value)
{
	struct pic *pic = dev;

	(void)size;
	if (offset == COMMAND && (value & ICW1))
		start_init(pic, value);
	else if (offset == DATA && pic->icws)
		pic->icws--;	/* vectors, cascade, mode: of no use without interrupts */
	else if (offset == DATA)
		pic->mask = value;
}

const struct bus_ops pic_ops = {
	.read = pic_read,
	.write = pic_write,
	.width = 1,
};

/**
 * pic_init - a controller before its initialization
 * @pic: the controller
 */
void pic_init(struct pic *pic)
{
	*pic = (struct pic){ .mask = 0xff };
}
